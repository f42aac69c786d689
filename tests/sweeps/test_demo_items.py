"""The demo's items: made by the script beside them, read like the real ones, none of them in both parts."""

import subprocess
import sys
from pathlib import Path

import pytest

from crossedit.errors import UserError
from crossedit.facts.demo import read_texts
from crossedit.sweeps.tasks.items import make_items
from crossedit.sweeps.tasks.prompts import questions
from crossedit.sweeps.tasks.said import Said
from crossedit.sweeps.tasks.scores import NOT_RIGHT_OR_WRONG
from crossedit.sweeps.tasks.task import Task
from crossedit.sweeps.tasks.worked import worked

FOLDER = Path(__file__).parents[2] / "resources/demo/tasks"
FILES = sorted(path.name for path in (FOLDER / "test").iterdir())


def test_the_script_makes_the_very_files(tmp_path: Path) -> None:
    subprocess.run([sys.executable, FOLDER / "make.py", tmp_path], check=True)
    made = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*.*")}
    kept = {
        path.relative_to(FOLDER): path.read_bytes() for part in ("train", "test") for path in (FOLDER / part).iterdir()
    }
    assert made == kept


@pytest.mark.parametrize("file", FILES)
def test_parts_have_no_item_in_common_and_no_answer_prevails(tasks: dict[str, Task], file: str) -> None:
    task = tasks[Path(file).stem]
    train, test = (make_items(task, [FOLDER / part / file], None, seed=0) for part in ("train", "test"))
    assert (len(train), len(test)) == (400, 80)
    prompts = [set(worked(task, items)["text_prompt"]) for items in (train, test)]
    assert not prompts[0] & prompts[1]
    assert [len(one) for one in prompts] == [len(worked(task, items)) for items in (train, test)]
    rules = task.protocol("corrected")
    if rules.metric not in NOT_RIGHT_OR_WRONG:
        most = worked(task, test)["text_answer"].value_counts()["count"].max()
        assert most <= 0.6 * len(test)


@pytest.mark.parametrize("file", FILES)
def test_a_worked_answer_is_right(tasks: dict[str, Task], file: str) -> None:
    """What a backbone learns to say gets all that can be had."""
    task = tasks[Path(file).stem]
    rules = task.protocol("corrected")
    items = make_items(task, [FOLDER / "test" / file], None, seed=0)
    texts = worked(task, items)
    assert set(texts["kind"]) == {task.name}
    asked = list(questions(rules, "corrected", items))
    assert [question.text for question in asked] == texts["text_prompt"].to_list()
    said = [
        Said(question.text, f" {text}", f" {text}", True, question.part, question.wanted)
        for question, text in zip(asked, texts["text_answer"], strict=True)
    ]
    counts = rules.judging(said, [rules.reading.parse(one) for one in said])
    assert all(gained == possible for gained, possible in counts)


def test_worked_items_are_read_as_they_were_written(tasks: dict[str, Task], tmp_path: Path) -> None:
    texts = worked(tasks["sst2"], make_items(tasks["sst2"], [FOLDER / "train/sst2.tsv"], 20, seed=0))
    texts.write_ndjson(tmp_path / "sst2.jsonl")
    assert read_texts(tmp_path / "sst2.jsonl").equals(texts)
    (tmp_path / "odd.jsonl").write_text("{kind", encoding="utf-8")
    for name, said in (("odd.jsonl", "not lines of JSON"), ("none.jsonl", "no such file")):
        with pytest.raises(UserError, match=rf"{name}: {said}"):
            read_texts(tmp_path / name)


def test_worked_items_are_made_without_a_model_library() -> None:
    code = "import sys, crossedit.sweeps.tasks.worked; print({'torch', 'transformers'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
