"""The road of a sweep by its command lines: edits, tasks, edited facts, tables."""

import json
import shutil
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from safetensors.torch import load_file, save_file
from search import SEARCH

from crossedit.backbones.answers import answer
from crossedit.backbones.backbone import Backbone
from crossedit.backbones.probes import make_probes
from crossedit.edits.deltas import merged
from crossedit.errors import UserError
from crossedit.files import digest
from crossedit.sweeps.checkpoints import Checkpoint
from crossedit.sweeps.cli import commands
from crossedit.sweeps.manifest import MANIFEST
from crossedit.sweeps.tasks.asking import run_task
from crossedit.sweeps.tasks.task import load_task
from crossedit.tables import (
    ANSWERS,
    FACT_SCORES,
    FACTS,
    ITEMS,
    PREDICTIONS,
    PROBES,
    TASK_SCORES,
    VERDICTS,
    WEIGHT_CHANGES,
    provenance,
    read,
    write,
)

ROOT = Path(__file__).parents[2]
CELL = {
    "sweep": "on",
    "backbone": "tiny",
    "editor": "ROME",
    "setting": "instance-sequential",
    "batch_size": 1,
    "facts": "small",
    "edit_lang": "en",
}


@pytest.fixture(autouse=True)
def _at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


ASKED = [("rte", "corrected"), ("gsm8k", "corrected")]


def asked_of(folder: Path, *tasks: tuple[str, str]) -> list[object]:
    """Return the options that have the tiny model asked these tasks."""
    wanted = [part for task, protocol in tasks for part in ("--task", task, protocol, folder / f"{task}.parquet")]
    return [*wanted, "--name", "tiny", "--entry", json.dumps({"path": str(folder / "model")})]


def run(*arguments: object) -> str:
    return CliRunner().invoke(commands, [str(part) for part in arguments], catch_exceptions=False).stderr


@pytest.fixture(scope="module")
def folder(llama: Backbone, facts: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, its facts, questions and unedited answers, and ten items of two tasks."""
    folder = tmp_path_factory.mktemp("sweep")
    llama.model.save_pretrained(folder / "model")
    llama.tokenizer.save_pretrained(folder / "model")
    write(facts, FACTS, folder / "facts-table.parquet", {})
    probes = make_probes(facts, llama, ["en", "zh"])
    write(probes, PROBES, folder / "probes.parquet", {})
    write(answer(llama, probes, "teacher_forced"), ANSWERS, folder / "unedited.parquet", {})
    return folder


@pytest.fixture(scope="module")
def tables(folder: Path) -> Path:
    """The same folder when all has been run."""
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(ROOT)
        _run_all(folder)
    return folder


def _run_all(folder: Path) -> None:
    model = ("--name", "tiny", "--entry", json.dumps({"path": str(folder / "model")}))
    for task, file in (("rte", "rte.jsonl"), ("gsm8k", "gsm8k.jsonl")):
        path = ROOT / "resources/demo/tasks/test" / file
        run("tasks", "--task", task, "--file", path, "--size", 10, "--out", folder / f"{task}.parquet")
    editing = ("--method", "ROME", "--hparams", json.dumps(SEARCH), "--language", "en")
    files = []
    for stop, start in ((1, ()), (3, ("--start", folder / "1"))):
        table = ("--facts", folder / "facts-table.parquet")
        run("edit", *table, *model, *editing, "--edits", stop, *start, "--out", folder / str(stop))
        asked = ("--probes", folder / "probes.parquet", "--unedited", folder / "unedited.parquet")
        checkpoint = ("--checkpoint", folder / str(stop))
        out = folder / f"{stop}.facts.parquet"
        run("probe", *model, *checkpoint, *asked, "--protocol", "teacher_forced", "--out", out)
        files += [*checkpoint, "--predictions", out]
    for stop in (0, 1, 3):
        checkpoint = ("--checkpoint", folder / str(stop)) if stop else ()
        out = folder / f"{stop}.verdicts.parquet"
        # What is asked before edits is shared by sweeps: another one asks gsm8k as published.
        run("ask", *asked_of(folder, *(ASKED if stop else [*ASKED, ("gsm8k", "upstream")])), *checkpoint, "--out", out)
        files += ["--verdicts", out]
    outs = [part for name in ("tasks", "facts", "weights") for part in (f"--{name}", folder / f"{name}.parquet")]
    run("score", "--cell", json.dumps(CELL), *files, "--f1-tokens", "characters", *outs)


def test_every_stop_and_task_has_its_scores(tables: Path) -> None:
    scored = read(tables / "tasks.parquet", TASK_SCORES).filter(part="all", over="all")
    assert sorted(scored.select("stop", "task").rows()) == [(s, t) for s in (0, 1, 3) for t in ("gsm8k", "rte")]
    assert scored.sort("stop")["edited_facts"].to_list() == [0, 0, 1, 1, 3, 3]
    assert set(scored["items"]) == {10}
    facts = read(tables / "facts.parquet", FACT_SCORES)
    assert set(facts.select("stop", "edited_by").rows()) == {(1, 0), (1, 1), (3, 0), (3, 1), (3, 3)}
    own = facts.filter(aspect="reliability", metric="em", edited_by=0)
    assert dict(own.select("stop", "n").rows()) == {1: 1, 3: 3}
    assert set(own["lang"]) == {"en"}
    weights = read(tables / "weights.parquet", WEIGHT_CHANGES)
    assert weights.select("stop", "layer").rows() == [(1, 1), (3, 1)]


def test_scores_say_which_stops_they_are_of(tables: Path) -> None:
    made_of = [
        *(tables / stop / MANIFEST for stop in ("1", "3")),
        *(tables / f"{stop}.facts.parquet" for stop in (1, 3)),
        *(tables / f"{stop}.verdicts.parquet" for stop in (0, 1, 3)),
    ]
    for name in ("tasks", "facts", "weights"):
        assert provenance(tables / f"{name}.parquet")["stops"] == [digest(path) for path in made_of]


def test_a_checkpoint_is_what_is_asked(tables: Path, llama: Backbone) -> None:
    task, items = load_task("gsm8k"), read(tables / "gsm8k.parquet", ITEMS)
    checkpoint = Checkpoint.load(tables / "3", llama)
    with merged(llama, checkpoint.delta):
        expected = run_task(llama, task, items)
        probes = read(tables / "probes.parquet", PROBES).filter(aspect="reliability", lang="en")
        answers = answer(llama, probes, "teacher_forced")
    edited, before = (
        read(tables / f"{stop}.verdicts.parquet", VERDICTS).filter(task="gsm8k", protocol="corrected")
        for stop in (3, 0)
    )
    assert edited.equals(expected)
    assert not before.equals(expected)
    said = read(tables / "3.facts.parquet", PREDICTIONS).filter(aspect="reliability", lang="en")
    assert dict(said.select("case_id", "after_text").rows()) == dict(answers.select("case_id", "answer_text").rows())


def test_other_weights_of_the_same_edits_are_asked_anew(tables: Path, tmp_path: Path) -> None:
    checkpoint = shutil.copytree(tables / "1", tmp_path / "1")
    shutil.copytree(tables / "1.verdicts.asked", tmp_path / "verdicts.asked")
    tensors = checkpoint / "delta/delta.safetensors"
    save_file({name: -20 * tensor for name, tensor in load_file(tensors).items()}, tensors)
    out = tmp_path / "verdicts.parquet"
    run("ask", *asked_of(tables, *ASKED), "--checkpoint", checkpoint, "--out", out)
    assert not read(out, VERDICTS).equals(read(tables / "1.verdicts.parquet", VERDICTS))


def test_a_cell_says_of_which_checkpoint_it_is(tables: Path) -> None:
    assert provenance(tables / "0.verdicts.parquet")["checkpoint"] is None
    for file in ("3.verdicts.parquet", "3.facts.parquet"):
        assert provenance(tables / file)["checkpoint"] == {"edits": 3, "batch_size": 1}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--task", "rte", "corrected", "gsm8k.parquet"), "they are of task 'gsm8k'"),
        (("--task", "rte", "corrected", "nowhere.parquet"), "nowhere.parquet: no such file; it should hold a items"),
        (("--task", "rta", "corrected", "rte.parquet"), "there is no task 'rta'"),
        (("--task", "rte", "published", "rte.parquet"), "task 'rte' has no 'published'"),
        (("--task", "rte", "corrected", "rte.parquet", "--checkpoint", "2"), "holds no checkpoint"),
    ],
)
def test_bad_input_is_one_sentence(tables: Path, tmp_path: Path, given: tuple[str, ...], said: str) -> None:
    files = [tables / part if part[0] == "2" or "." in part else part for part in given]
    with pytest.raises(UserError, match=said):
        run("ask", *asked_of(tables), *files, "--out", tmp_path / "out.parquet")
    assert not (tmp_path / "out.parquet").exists()


def test_verdicts_of_another_sweep_are_not_scored(tables: Path, tmp_path: Path) -> None:
    outs = [part for name in ("tasks", "facts", "weights") for part in (f"--{name}", tmp_path / f"{name}.parquet")]
    files = ("--checkpoint", tables / "1", "--verdicts", tables / "0.verdicts.parquet", "--verdicts")
    with pytest.raises(UserError, match=r"3\.verdicts\.parquet: is not of the checkpoints that are given"):
        run("score", "--cell", json.dumps(CELL), *files, tables / "3.verdicts.parquet", *outs)
    frame, made = read(tables / "1.verdicts.parquet", VERDICTS), provenance(tables / "1.verdicts.parquet")
    write(frame, VERDICTS, tmp_path / "other.parquet", {**made, "made_of": {**made["made_of"], "seed": 9}})
    with pytest.raises(UserError, match=r"other\.parquet: is not of the checkpoints that are given"):
        run("score", "--cell", json.dumps(CELL), *files, tmp_path / "other.parquet", *outs)
