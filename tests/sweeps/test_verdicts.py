"""Several tasks asked of one model: what has been asked of the same model by the same rules isn't asked again."""

import json
import shutil
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from safetensors.torch import load_file, save_file

from crossedit.backbones.backbone import Backbone
from crossedit.errors import UserError
from crossedit.sweeps import VERSION, verdicts
from crossedit.sweeps.cli import commands
from crossedit.sweeps.tasks.asking import run_task
from crossedit.sweeps.tasks.task import FOLDER, load_task
from crossedit.tables import ITEMS, VERDICTS, provenance, read, write

ROOT = Path(__file__).parents[2]
RTE, SST2 = ("rte", "corrected"), ("sst2", "corrected")


class Asking:
    """Asks the tiny model tasks by the command line, and tells which it really was asked."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.out = folder / "verdicts.parquet"
        self.store = folder / "verdicts.asked"
        self.asked: list[tuple[str, str]] = []
        self.fails_at: str | None = None
        self.batch_tokens: int | None = None
        self._folder = folder
        monkeypatch.setattr(verdicts, "run_task", self._run_task)

    def __call__(self, *tasks: tuple[str, str], model: str = "model", **entry: str) -> pl.DataFrame:
        self.asked.clear()
        wanted = [part for task, protocol in tasks for part in ("--task", task, protocol, self.items(task))]
        told = json.dumps({"path": str(self._folder / model), **entry})
        command = ["ask", *map(str, wanted), "--name", "tiny", "--entry", told, "--out", str(self.out)]
        command += ["--batch-tokens", "700"]
        CliRunner().invoke(commands, command, catch_exceptions=False)
        return read(self.out, VERDICTS)

    def items(self, task: str) -> Path:
        return self._folder / f"{task}.parquet"

    def _run_task(self, *given: object, protocol: str, batch_tokens: int | None) -> pl.DataFrame:
        backbone, task, items = given
        if task.name == self.fails_at:
            raise UserError("no more memory")
        self.asked.append((task.name, protocol))
        self.batch_tokens = batch_tokens
        return run_task(backbone, task, items, protocol=protocol, batch_tokens=batch_tokens)


@pytest.fixture
def ask(llama: Backbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Asking:
    monkeypatch.chdir(ROOT)
    for name in ("model", "other"):
        llama.model.save_pretrained(tmp_path / name)
        llama.tokenizer.save_pretrained(tmp_path / name)
    weights = tmp_path / "other/model.safetensors"
    save_file({name: 2 * weight for name, weight in load_file(weights).items()}, weights, {"format": "pt"})
    for task in ("rte", "sst2"):
        [file] = (ROOT / "resources/demo/tasks/test").glob(f"{task}.*")
        drawn = [
            "tasks",
            "--task",
            task,
            "--file",
            str(file),
            "--size",
            "3",
            "--out",
            str(tmp_path / f"{task}.parquet"),
        ]
        CliRunner().invoke(commands, drawn, catch_exceptions=False)
    return Asking(tmp_path, monkeypatch)


def test_each_task_is_asked_as_alone(ask: Asking, llama: Backbone) -> None:
    table = ask(RTE, ("rte", "upstream"), SST2)
    expected = [
        run_task(llama, load_task(task), read(ask.items(task), ITEMS), protocol=protocol)
        for task, protocol in (RTE, ("rte", "upstream"), SST2)
    ]
    assert table.equals(pl.concat(expected))
    assert ask.asked == [RTE, ("rte", "upstream"), SST2]
    assert ask.batch_tokens == 700


def test_where_tasks_are_added_these_alone_are_asked(ask: Asking) -> None:
    before = ask(RTE)
    both = ask(SST2, RTE)
    assert ask.asked == [SST2]
    assert both.filter(task="rte").equals(before)
    assert [told["task"] for told in provenance(ask.out)["asked"]] == ["sst2", "rte"]
    assert ask(RTE).equals(before)
    assert ask(RTE, SST2).equals(both[[3, 4, 5, 0, 1, 2]])
    assert ask.asked == []


def test_after_a_failure_the_same_command_goes_on(ask: Asking) -> None:
    whole = ask(RTE, SST2)
    ask.out.unlink()
    shutil.rmtree(ask.store)
    ask.fails_at = "sst2"
    with pytest.raises(UserError, match="no more memory"):
        ask(RTE, SST2)
    assert not ask.out.exists()
    (ask.store / ".sst2.corrected.some-host-1.part.parquet").write_bytes(b"half")  # what a kill leaves
    ask.fails_at = None
    assert ask(RTE, SST2).equals(whole)
    assert ask.asked == [SST2]
    assert {path.name for path in ask.store.iterdir()} == {"rte.corrected.parquet", "sst2.corrected.parquet"}


def test_another_model_is_asked_all(ask: Asking) -> None:
    before = ask(RTE)
    assert not ask(RTE, model="other").equals(before)
    assert ask.asked == [RTE]
    ask(RTE, model="other", dtype="bfloat16")
    assert ask.asked == [RTE]


def test_another_version_of_sweeps_asks_all(ask: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(RTE)
    monkeypatch.setattr("crossedit.sweeps.VERSION", VERSION + 1)
    ask(RTE)
    assert ask.asked == [RTE]


def test_other_items_are_asked(ask: Asking) -> None:
    ask(RTE, SST2)
    items = ask.items("rte")
    write(read(items, ITEMS)[:2], ITEMS, items, {})
    assert len(ask(RTE, SST2).filter(task="rte")) == 2
    assert ask.asked == [RTE]


def test_a_task_whose_rules_were_changed_is_asked(ask: Asking, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(RTE, SST2)
    rules = (FOLDER / "rte.yaml").read_text(encoding="utf-8")
    (tmp_path / "rte.yaml").write_text(rules.replace("limit:", "limit: 2 #"), encoding="utf-8")
    monkeypatch.setattr(verdicts, "load_task", lambda name: load_task(name, tmp_path if name == "rte" else FOLDER))
    ask(RTE, SST2)
    assert ask.asked == [RTE]
