"""The answers that a page holds: which, what came of them, and that their columns say what the files say."""

import json
from pathlib import Path

import polars as pl
import pytest
from made import ENTRY, scores
from made_page import edited, predict

from crossedit.errors import UserError
from crossedit.pages import inert
from crossedit.reports.grid import Grid
from crossedit.reports.page.answers import Answers
from crossedit.reports.page.failures import failures
from crossedit.reports.scores import Scores

GRID = Grid.of(ENTRY, Scores(scores()))
CELLS = [f"tiny/small/{editor}/{lang}" for editor in ("IKE", "ROME") for lang in ("en", "zh")]


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    """Four cells of ten facts, each with nine answers."""
    return [edited(tmp_path, cell, cases=10) for cell in CELLS]


def test_columns_stand_for_what_the_files_say(paths: list[Path]) -> None:
    answers = Answers.of(paths, GRID)
    data = json.loads(inert(answers.data()))
    names, texts = data["names"], data["texts"]
    shown = set()
    for cell, question, before, after, outcome in zip(*data["answers"].values(), strict=True):
        its = {name: column[question] for name, column in data["questions"].items()}
        shown.add(
            (
                names["editor"][data["cells"]["editor"][cell]],
                names["edit_lang"][data["cells"]["edit_lang"][cell]],
                data["cases"]["case_id"][its["case"]],
                names["slot"][its["slot"]],
                names["lang"][its["lang"]],
                *(texts[number] for number in (its["prompt"], its["target"], before, after)),
                names["outcome"][outcome],
            )
        )
    assert len(shown) == len(data["answers"]["cell"]) == 4 * 10 * 9
    text = "locality other_subject of 3 in zh?"
    assert ("ROME", "en", 3, "locality.other_subject", "zh", text, "new", "old", "old", "right") in shown
    assert ("IKE", "zh", 3, "portability", "en", "portability  of 3 in en?", "new", "old", "old", "unchanged") in shown
    assert names["editor"] == ["ROME", "IKE"]  # in the order of the configuration
    assert names["slot"][:2] == ["reliability", "generality"]


def test_answers_to_a_fact_stand_together(paths: list[Path]) -> None:
    order = Answers.of(paths, GRID).frame.select("backbone", "edit_lang", "facts", "case_id").rows()
    assert order == sorted(order, key=lambda row: (row[1], row[3]))


@pytest.mark.parametrize(
    ("limit", "cases", "kept"), [(360, None, 360), (359, 9, 324), (40, 1, 36), (35, 0, 0), (0, 0, 0)]
)
def test_as_many_first_facts_of_each_group_as_there_is_room_for(
    paths: list[Path], limit: int, cases: int | None, kept: int
) -> None:
    answers = Answers.of(paths, GRID, limit)
    assert (answers.cases, len(answers.frame), answers.there_are) == (cases, kept, 360)
    if kept:
        found = answers.frame.group_by("edit_lang", "editor").agg("case_id")["case_id"].list.unique().to_list()
        assert [sorted(each) for each in found] == [list(range(cases or 10))] * 4


def test_of_other_protocols_there_is_nothing(tmp_path: Path) -> None:
    path = predict(tmp_path, [{"protocol": "generated"}, {"protocol": "teacher_forced", "after": "one"}])
    assert Answers.of([path], GRID).frame["after"].to_list() == ["one"]


def test_of_a_file_nothing_is_asked_but_what_is_shown(tmp_path: Path) -> None:
    path = predict(tmp_path, [{}])
    whole = pl.read_parquet(path)
    whole.drop("target_ids", "before_ids", "after_ids").write_parquet(path)
    assert Answers.of([path], GRID).frame["after"].to_list() == ["new"]
    for name in ("after_text", "protocol"):
        whole.drop(name).write_parquet(path)
        with pytest.raises(UserError, match=rf"predictions table: columns missing: \['{name}'\]"):
            Answers.of([path], GRID)


def test_no_files_are_no_answers() -> None:
    answers = Answers.of([], GRID)
    assert answers.data()["answers"]["cell"] == []
    assert (answers.there_are, answers.cases) == (0, None)


@pytest.mark.parametrize("text", ["</script>", "<!-- <script>", "&amp;", "\u2028", "\u2029", "half \ud800", "\0"])
def test_no_text_ends_the_element_that_it_stands_in(text: str) -> None:
    written = inert({"text": text})
    assert not set("<>&\u2028\u2029\ud800\0") & set(written)
    assert json.loads(written) == {"text": text}


def test_no_number_that_is_none_can_be_embedded() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        inert([float("nan")])


def test_failures_count_what_should_be_the_target(paths: list[Path]) -> None:
    (found,) = failures(None, Answers.of(paths, GRID), GRID, "tiny").values()
    assert [(each.edit_lang, each.editor) for each in found] == [
        (lang, editor) for lang in ("en", "zh") for editor in ("ROME", "IKE")
    ]
    first = found[0]
    assert (first.answers, first.counts["right"], first.counts["unchanged"]) == (50, 40, 10)
    assert first.share("unchanged") == 20.0
    assert [example.case_id for example in first.examples["unchanged"]] == [1, 3]
    assert first.examples["unchanged"][0].address == (
        "#fact=1&facts=tiny&backbone=small&edit_lang=en&editor=ROME&outcome=unchanged"
    )
    assert not first.examples["partial"]
