"""A sweep's tables, made of what its cells said: no model is needed, and nothing is mixed up."""

from typing import Any

import polars as pl
import pytest

from crossedit.edits.metrics import characters
from crossedit.errors import UserError
from crossedit.sweeps.scores import fact_scores, stop_of, task_scores, weight_changes
from crossedit.tables import FACT_SCORES, PREDICTIONS, TASK_SCORES, VERDICTS, WEIGHT_CHANGES, check

CELL = {
    "sweep": "on",
    "backbone": "tiny",
    "editor": "ROME",
    "setting": "instance-sequential",
    "batch_size": 1,
    "facts": "demo",
    "edit_lang": "en",
}
SINGLE = {**CELL, "setting": "batch-single", "batch_size": None}
EDITED = {0: 0, 2: 2, 5: 5}


def verdicts(task: str, right: list[bool], protocol: str = "corrected") -> pl.DataFrame:
    rows = [
        {
            "task": task,
            "protocol": protocol,
            "item": number,
            "part": "",
            "prompt": "?",
            "prompt_tokens": 1,
            "cut_tokens": 0,
            "asked": True,
            "generation": " yes",
            "generation_ids": [1],
            "answered": True,
            "answer": ["yes"],
            "wanted": ["yes" if good else "no"],
            "metric": "accuracy",
            "gained": float(good),
            "possible": 1.0,
        }
        for number, good in enumerate(right)
    ]
    return pl.DataFrame(rows, schema=VERDICTS.columns)


def predictions(after: dict[int, str]) -> pl.DataFrame:
    """Answers to the edited questions of some cases, each of whose target is "new"."""
    rows: list[dict[str, Any]] = [
        {
            "case_id": case,
            "aspect": "reliability",
            "kind": "",
            "lang": "en",
            "protocol": "teacher_forced",
            "prompt": "?",
            "target": "new",
            "target_ids": [1],
            "target_text": "new",
            "before_ids": [2],
            "before_text": "old",
            "after_ids": [3],
            "after_text": text,
        }
        for case, text in after.items()
    ]
    return pl.DataFrame(rows, schema=PREDICTIONS.columns)


def one(frame: pl.DataFrame, **named: Any) -> dict[str, Any]:
    found = frame.filter(**named)
    assert len(found) == 1
    return found.row(0, named=True)


def test_tasks_are_scored_at_every_stop_and_compared_with_the_unedited_model() -> None:
    asked = [
        (5, verdicts("rte", [True] + [False] * 9)),
        (0, verdicts("rte", [True] * 10)),
        (2, verdicts("rte", [True] * 9 + [False])),
    ]
    table = check(task_scores(CELL, asked, EDITED, seed=0), TASK_SCORES, "made")
    every = table.filter(part="all", over="all").sort("stop")
    assert every["score"].to_list() == pytest.approx([1.0, 0.9, 0.1])
    assert every["change"].to_list() == [None, pytest.approx(-0.1), pytest.approx(-0.9)]
    assert every["edited_facts"].to_list() == [0, 2, 5]
    last = one(every, stop=5)
    assert last["change_low"] <= last["change"] <= last["change_high"] < 0
    assert {name: last[name] for name in ("sweep", "backbone", "editor", "setting", "batch_size")} == {
        name: CELL[name] for name in ("sweep", "backbone", "editor", "setting", "batch_size")
    }


def test_protocols_of_a_task_are_compared_apart() -> None:
    asked = [
        (0, verdicts("rte", [True] * 4)),
        (0, verdicts("rte", [False] * 4, "upstream")),
        (2, verdicts("rte", [False] * 4)),
        (2, verdicts("rte", [True] * 4, "upstream")),
    ]
    table = task_scores(CELL, asked, EDITED, seed=0).filter(part="all", over="all", stop=2)
    assert one(table, protocol="corrected")["change"] == -1.0
    assert one(table, protocol="upstream")["change"] == 1.0


def test_a_task_that_was_not_asked_before_is_told() -> None:
    with pytest.raises(UserError, match=r"task 'rte' \(corrected\) was not asked of the unedited model"):
        task_scores(CELL, [(2, verdicts("rte", [True]))], EDITED, seed=0)


def test_edited_facts_are_scored_together_and_by_when_they_were_edited() -> None:
    cases = {2: [7, 3], 5: [7, 3, 4, 9, 1]}
    probed = [
        (2, predictions({7: "new", 3: "new"})),
        (5, predictions({7: "old", 3: "new", 4: "new", 9: "new", 1: "new"})),
    ]
    table = check(fact_scores(CELL, probed, cases, characters, seed=0), FACT_SCORES, "made").filter(metric="em")
    assert {(row["stop"], row["edited_by"]): (row["mean"], row["n"]) for row in table.iter_rows(named=True)} == {
        (2, 0): (1.0, 2),
        (2, 2): (1.0, 2),
        (5, 0): (0.8, 5),
        (5, 2): (0.5, 2),
        (5, 5): (1.0, 3),
    }
    assert set(table["facts"]) == {"demo"}
    assert set(table["edit_lang"]) == {"en"}


def test_facts_of_one_edit_have_no_age() -> None:
    probed = [(2, predictions({7: "new", 3: "old"})), (3, predictions({7: "new", 3: "old", 4: "old"}))]
    table = fact_scores(SINGLE, probed, {2: [7, 3], 3: [7, 3, 4]}, characters, seed=0)
    assert set(table["edited_by"]) == {0}
    assert table["batch_size"].null_count() == len(table)


def test_the_stop_of_a_checkpoint_is_what_the_setting_counts() -> None:
    told = {"edits": 3, "batch_size": 10}
    assert stop_of("batch-sequential", told) == 3
    assert stop_of("batch-single", {"edits": 1, "batch_size": 10}) == 10
    assert stop_of("instance-sequential", None) == 0


def test_changes_of_weights_stand_at_their_stop() -> None:
    told = [
        {
            "edits": edits,
            "batch_size": 1,
            "cases": list(range(edits)),
            "changes": [{"module": "layers.1.down", "layer": 1, "norm": edits * 2.0, "relative": edits / 10}],
        }
        for edits in (2, 5)
    ]
    table = check(weight_changes(CELL, told), WEIGHT_CHANGES, "made")
    assert table.select("stop", "edited_facts", "layer", "norm", "relative").rows() == [
        (2, 2, 1, 4.0, 0.2),
        (5, 5, 1, 10.0, 0.5),
    ]


def test_a_sweep_without_tasks_has_an_empty_table() -> None:
    assert check(task_scores(CELL, [], EDITED, seed=0), TASK_SCORES, "made").is_empty()
