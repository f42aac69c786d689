"""The eight tasks as data, what is refused in a task's file, the command line, and the real files from end to end."""

import json
from collections.abc import Callable, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from click.testing import CliRunner
from transformers import PreTrainedTokenizerFast

from crossedit.backbones.asking import Row
from crossedit.backbones.backbone import Backbone
from crossedit.cli import commands
from crossedit.errors import UserError
from crossedit.sweeps.tasks import asking
from crossedit.sweeps.tasks.asking import run_task
from crossedit.sweeps.tasks.items import make_items
from crossedit.sweeps.tasks.prompts import questions
from crossedit.sweeps.tasks.scores import count_task, score_task
from crossedit.sweeps.tasks.task import Task, load_task
from crossedit.tables import VERDICTS, check, provenance, read

RULES = {
    "prompt": "text: {text} answer:",
    "shorten": "text",
    "limit": 3,
    "parser": "choice",
    "choices": ["positive", "negative"],
    "metric": "accuracy",
}
TASK = {"version": 1, "reader": "sst2", "protocols": {"corrected": RULES}}


def write_task(folder: Path, document: Any) -> Path:
    path = folder / "mine.yaml"
    path.write_text(document if isinstance(document, str) else yaml.safe_dump(document), encoding="utf-8")
    return path


def but(**changes: Any) -> dict[str, Any]:
    """TASK with some of its rules changed; None takes one away."""
    rules = {name: value for name, value in {**RULES, **changes}.items() if value is not None}
    return TASK | {"protocols": {"corrected": rules}}


def test_a_task_of_ones_own_is_one_file(tmp_path: Path) -> None:
    write_task(tmp_path, TASK)
    task = load_task("mine", tmp_path)
    assert task.protocol("corrected").choices == ("positive", "negative")


BROKEN = {
    "no YAML": ("a: [", "mine.yaml: not YAML"),
    "no mapping": ([1], "is [1]; it must be a mapping"),
    "no version": ({name: value for name, value in TASK.items() if name != "version"}, "lacks `version`"),
    "a field too many": (TASK | {"metrics": 1}, "metrics: no such field"),
    "another reader": (TASK | {"reader": "sst"}, "reader: 'sst' is not known; did you mean 'sst2'?"),
    "a version of text": (TASK | {"version": "1"}, "version is '1'; it must be a whole number"),
    "protocols as a list": (TASK | {"protocols": []}, "protocols: is []; it must be a mapping"),
    "a rule missing": (but(limit=None), "corrected: lacks `limit`"),
    "a rule too many": (but(prompts="x"), "corrected.prompts: no such field; did you mean 'prompt'?"),
    "a limit of nothing": (but(limit=0), "limit is 0; it must be a number of tokens"),
    "a limit of true": (but(limit=True), "limit is True; it must be a number of tokens"),
    "choices that YAML reads as truth": (but(choices=[True, False]), "choices is [True, False]; it must be a list of"),
    "a stop of text": (but(stop="x"), "stop is 'x'; it must be a list of texts"),
    "another parser": (but(parser="choise"), "parser: 'choise' is not known; did you mean 'choice'?"),
    "another metric": (but(metric="acuracy"), "metric: 'acuracy' is not known; did you mean 'accuracy'?"),
    "a prompt that is none": (but(prompt=3), "prompt is 3; it must be text"),
    "nothing to shorten": (but(shorten="passage"), "'passage' must stand once in the prompt, as {passage}"),
    "twice what may be shortened": (but(prompt="{text} {text}"), "'text' must stand once in the prompt"),
}


@pytest.mark.parametrize(("document", "says"), BROKEN.values(), ids=BROKEN)
def test_a_broken_task_is_answered_with_one_sentence(tmp_path: Path, document: Any, says: str) -> None:
    path = write_task(tmp_path, document)
    with pytest.raises(UserError) as caught:
        load_task("mine", tmp_path)
    assert says in str(caught.value)
    assert str(path) in str(caught.value)


def test_an_unknown_task_is_answered_with_the_nearest(tmp_path: Path) -> None:
    write_task(tmp_path, TASK)
    with pytest.raises(UserError, match="there is no task 'mien'; did you mean 'mine'"):
        load_task("mien", tmp_path)


def test_every_task_asks_under_both_protocols(tasks: dict[str, Task]) -> None:
    for name, task in tasks.items():
        assert list(task.protocols) == ["corrected", "upstream"], name
        ours, published = (task.protocol(protocol) for protocol in task.protocols)
        assert ours.limit >= published.limit
        assert ours.names == published.names
        assert not ours.parser.startswith("upstream")
        assert not ours.metric.startswith("upstream")
        assert published.parser.startswith("upstream")


def test_the_command_line_draws_items_and_asks_them(
    tmp_path: Path, put: Callable[..., Path], llama: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])
    table = "sentence\tlabel\n" + "".join(f"fine number {number} \t{number % 2}\n" for number in range(6))
    items, verdicts, model = tmp_path / "items.parquet", tmp_path / "verdicts.parquet", tmp_path / "model"
    file = put(table, "dev.tsv")
    runner = CliRunner()
    drawing = ["sweeps", "tasks", "--task", "sst2", "--file", str(file), "--size", "4", "--out", str(items)]
    result = runner.invoke(commands, drawing, catch_exceptions=False)
    assert result.exit_code == 0
    assert json.loads(result.stderr) == {"task": "sst2", "read": 6, "drawn": 4}
    llama.model.save_pretrained(model)
    llama.tokenizer.save_pretrained(model)
    entry = json.dumps({"path": str(model), "device": "cpu"})
    asking = ["sweeps", "ask", "--task", "sst2", "corrected", str(items), "--name", "tiny", "--entry", entry]
    result = runner.invoke(commands, [*asking, "--out", str(verdicts)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    table = read(verdicts, VERDICTS)
    assert len(table) == 4
    made = provenance(verdicts)
    assert [(told["task"], told["version"], told["protocol"]) for told in made["asked"]] == [("sst2", 1, "corrected")]
    assert made["backbone"]["weights"] == llama.digest
    counts, *scores = [json.loads(line) for line in result.stderr.splitlines() if line.startswith("{")]
    answered = table["answered"].sum()
    assert counts == {"task": "sst2", "protocol": "corrected", "items": 4, "prompts": 4, "cut": counts["cut"],
                      "asked": 4, "answered": answered, "scored": 4}  # fmt: skip
    assert [row["over"] for row in scores] == ["all", "answered"]
    assert scores[0]["items"] == 4


FILES = {
    "boolq": ("boolq.dev.jsonl", 200),
    "conll03": ("conll2003.testb.txt", 97),
    "gsm8k": ("gsm8k.test.jsonl", 200),
    "mutual": ("mutual.dev.jsonl", 100),
    "natural-questions": ("nq_open_gold_doc.jsonl", 200),
    "rte": ("rte.val.jsonl", 100),
    "samsum": ("samsum.test.jsonl", 100),
    "sst2": ("sst2.dev.tsv", 100),
}


@pytest.mark.parametrize("name", FILES)
def test_every_item_of_the_real_files_is_read(real: Path, tasks: dict[str, Task], name: str) -> None:
    file, count = FILES[name]
    items = make_items(tasks[name], [real / file], None, seed=0)
    assert items["item"].to_list() == list(range(count))
    assert all(items["fields"].list.len() > 0)
    assert all(items["answers"].list.len() > 0)


def counted(items: pl.DataFrame) -> dict[str, int]:
    return dict(items["answers"].list.first().value_counts().sort("answers").rows())


def test_labels_of_the_real_files_are_those_counted_by_hand(real: Path, tasks: dict[str, Task]) -> None:
    drawn = {name: make_items(tasks[name], [real / file], None, seed=0) for name, (file, _) in FILES.items()}
    assert counted(drawn["rte"]) == {"false": 48, "true": 52}
    assert counted(drawn["boolq"]) == {"no": 70, "yes": 130}
    assert counted(drawn["mutual"]) == {"A": 19, "B": 21, "C": 28, "D": 32}
    assert counted(drawn["sst2"]) == {"negative": 47, "positive": 53}


def test_a_file_of_questions_without_passages_is_refused(real: Path, tasks: dict[str, Task]) -> None:
    with pytest.raises(UserError, match=r"nq_open\.dev\.jsonl:1: has no passage"):
        make_items(tasks["natural-questions"], [real / "nq_open.dev.jsonl"], None, seed=0)


SAYINGS = ("", " yes", " True", " (B)", " 18", " positive", " Ann, Rome", "\n", " the President.\nQ: who")


@pytest.fixture(scope="module")
def roomy(llama: Backbone, tokenizer: PreTrainedTokenizerFast) -> Backbone:
    """A model with positions enough for prompts of about a token per letter."""
    backbone = Backbone.of("roomy", deepcopy(llama.model), tokenizer)
    backbone.model.config.max_position_embeddings = 8192
    return backbone


@pytest.mark.parametrize("protocol", ["corrected", "upstream"])
@pytest.mark.parametrize("name", FILES)
def test_every_real_item_gets_a_verdict(
    real: Path, tasks: dict[str, Task], roomy: Backbone, monkeypatch: pytest.MonkeyPatch, name: str, protocol: str
) -> None:
    """Whatever the model says, were it nothing."""

    def sayings(backbone: Backbone, rows: Sequence[Row], *_: object, **__: object) -> list[list[int]]:
        end = backbone.tokenizer.eos_token_id
        return [[*backbone.encode(SAYINGS[number % len(SAYINGS)]), end] for number, _ in enumerate(rows)]

    monkeypatch.setattr(asking, "decode", sayings)
    file, count = FILES[name]
    items = make_items(tasks[name], [real / file], None, seed=0)
    verdicts = check(run_task(roomy, tasks[name], items, protocol=protocol), VERDICTS, name)
    assert len(verdicts) == count * (4 if name == "conll03" else 1)
    assert verdicts["item"].unique().sort().to_list() == list(range(count))
    assert verdicts["asked"].all()
    first = verdicts.group_by("item", maintain_order=True).first()["prompt"]
    for fields, prompt in zip(items["fields"], first, strict=True):
        assert all(pair["value"] in prompt for pair in fields if pair["name"] != "tokens")
    score = score_task(verdicts).row(0, named=True)
    assert (score["items"], score["asked"]) == (count, len(verdicts))
    assert 0 <= score["score"] <= 1


@pytest.mark.parametrize("protocol", ["corrected", "upstream"])
@pytest.mark.parametrize("name", FILES)
def test_real_items_run_through_a_model(
    real: Path, tasks: dict[str, Task], roomy: Backbone, name: str, protocol: str
) -> None:
    items = make_items(tasks[name], [real / FILES[name][0]], 2, seed=0)
    rules = tasks[name].protocol(protocol)
    verdicts = check(run_task(roomy, tasks[name], items, protocol=protocol), VERDICTS, name)
    assert verdicts["item"].to_list() == [item for item in items["item"] for _ in rules.parts or ("",)]
    assert verdicts["generation_ids"].list.len().is_between(1, rules.limit).all()
    assert (verdicts["cut_tokens"] == 0).all()


@pytest.mark.parametrize("protocol", ["corrected", "upstream"])
@pytest.mark.parametrize("name", FILES)
def test_real_items_that_are_too_long_are_cut_or_counted_as_not_asked(
    real: Path, tasks: dict[str, Task], gpt2: Backbone, name: str, protocol: str
) -> None:
    """The model has 256 learned positions, of about a letter each: most prompts have to lose something."""
    items = make_items(tasks[name], [real / FILES[name][0]], 6, seed=0)
    rules = tasks[name].protocol(protocol)
    verdicts = check(run_task(gpt2, tasks[name], items, protocol=protocol), VERDICTS, name)
    assert count_task(items, verdicts)["scored"] == len(items)
    assert (verdicts["prompt_tokens"] + rules.limit <= 256).all()
    asked, lost = verdicts.filter("asked"), verdicts.filter(~pl.col("asked"))
    assert asked["generation_ids"].list.len().is_between(1, rules.limit).all()
    assert (lost["gained"] == 0).all()
    assert not lost["answered"].any()
    whole = [question.text for question in questions(rules, protocol, items)]
    shortened = [text != prompt for text, prompt in zip(whole, verdicts["prompt"], strict=True)]
    assert shortened == (verdicts["cut_tokens"] > 0).to_list()
