"""What is read out of the sweeps' tables, and what is said of them."""

import math
from pathlib import Path

import polars as pl
import pytest
from made_sweeps import SWEEPS, TASKS, entry, fact_scores, sheets, sweeps, task_scores, weight_changes

from crossedit import tables
from crossedit.errors import UserError
from crossedit.reports import contents, plan
from crossedit.reports.figures.sweeps import pictures
from crossedit.reports.sweep_findings import findings, lines
from crossedit.reports.sweeps import Sweeps


def test_a_task_stands_only_under_the_protocols_that_it_is_asked_under() -> None:
    config = entry(tasks=["sst2", "rte", "boolq"])
    config["tasks"] |= {"rte": {"protocols": ["upstream", "corrected"]}, "boolq": {"protocols": ["upstream"]}}
    found = Sweeps.read(config, [], [], [])
    assert found.all[0].tasks == {"corrected": ("rte", "sst2"), "upstream": ("rte", "boolq")}
    rows = {sheet.name: [row[1] for row in sheet.rows] for sheet in sheets(found)[:2]}
    assert rows == {
        "side_effects_ROME_corrected": ["NLI", "Sentiment"],
        "side_effects_ROME_upstream": ["NLI", "Closed-domain QA"],
    }
    (finding,) = findings(found, found.all[0], "small", "teacher_forced")
    assert finding.text == "NLI, Sentiment and Closed-domain QA."


def test_a_sweep_without_tasks_tells_of_its_facts_alone() -> None:
    found = sweeps(entry(tasks=[]))
    assert [sheet.name for sheet in sheets(found)] == ["edited_facts_ROME"]
    assert [about for about, _ in findings(found, found.all[0], "small", "teacher_forced")] == ["Edits that hold"]
    assert not list(lines(found))


@pytest.mark.parametrize("config", [{}, {"sweeps": {}}, {"sweeps": None}, {"sweeps": {}, "tasks": {"rte": {}}}])
def test_without_sweeps_there_is_nothing_new(config: dict) -> None:
    found = Sweeps.read(config, [], [], [])
    assert not found.all
    assert not sheets(found)
    assert not list(pictures(found, ("en",), "teacher_forced"))
    assert not list(lines(found))
    planned = plan.planned(config)
    assert not [*contents.of_sweeps(planned, "teacher_forced"), *contents.of_settings(planned, "teacher_forced")]


def test_what_is_made_is_what_the_rules_expect() -> None:
    config = entry(list(SWEEPS))
    config["tasks"]["sst2"] = {"protocols": ["upstream", "corrected"]}
    empty = Sweeps.read(config, [], [], [])
    for found in (empty, sweeps(config)):
        assert [sheet.name for sheet in sheets(found)] == [
            table.name for table in contents.of_sweeps(plan.planned(config), "teacher_forced")
        ]
        made = [picture.name for picture in pictures(found, ("en", "zh"), "teacher_forced")]
        assert made == [figure.name for figure in contents.of_settings(plan.planned(config), "teacher_forced")]
    assert len(set(made)) == len(made) == 3 * 4 + 2  # forgetting where edits follow each other


def test_tables_alone_tell_which_sweeps_there_are() -> None:
    (sweep,) = sweeps(entry()).all
    config = entry()
    (found,) = Sweeps({}, task_scores(config), fact_scores(config), weight_changes(config)).all
    assert found == sweep


def test_findings_say_what_falls_holds_and_cannot_tell() -> None:
    config = entry()
    levels = {"rte": 0.55, "sst2": 0.9}
    falls = {"sst2": (0.3, 0.3, 0.3), "gsm8k": (0.0, 0.3, 0.5)}
    parts = [
        task_scores(config, score=levels.get(task, 0.8), fall=falls.get(task, (0.0, 0.0, 0.0))).filter(task=task)
        for task in TASKS
    ]
    frame = pl.concat(parts).filter(~((pl.col("task") == "boolq") & (pl.col("stop") == 16)))
    found = Sweeps(config, frame, fact_scores(config), weight_changes(config))
    said = dict(findings(found, found.all[0], "small", "teacher_forced"))
    assert said == {
        "Falls": ("From 4 edits on: Sentiment (90.0 % to 60.0 %). From 16 edits on: Reasoning (80.0 % to 30.0 %)."),
        "No significant fall": "Open-domain QA, Dialogue, Summarization and NER.",
        "Can't show harm": "NLI, not clearly above chance before any edit.",
        "Not known yet": "Closed-domain QA.",
        "Edits that hold": "95.0 % after 4 edits and 67.9 % after 64 edits.",
    }
    assert list(lines(found)) == [
        "ROME on small: 2 of 6 tasks fall significantly (from 4 edits on: Sentiment; from 16 edits on: Reasoning); "
        "1 can't show harm; 1 not known yet."
    ]


def test_findings_of_an_empty_sweep_only_say_what_is_missing() -> None:
    found = Sweeps.read(entry(), [], [], [])
    (finding,) = findings(found, found.all[0], "small", "teacher_forced")
    assert finding.about == "Not known yet"
    assert not any(letter.isdigit() for letter in finding.text)


@pytest.mark.parametrize(
    ("sweep", "words"),
    [("ROME", "4 edits"), ("MEMIT-single", "4 facts in one edit"), ("MEMIT-10", "1 edit of 10 facts")],
)
def test_stops_are_counted_as_the_setting_counts(sweep: str, words: str) -> None:
    (found,) = plan.planned(entry([sweep]))
    assert found.counted(found.stops[0]) == words


def test_a_layer_is_known_by_its_most_changed_matrix() -> None:
    config = entry()
    frame = weight_changes(config, layers=(1,))
    other = frame.with_columns(module=pl.lit("layers.1.up"), relative=pl.lit(0.02))
    found = Sweeps(config, task_scores(config), fact_scores(config), pl.concat([frame, other]))
    assert found.weights("ROME", "small") == {(1, 4): 0.02, (1, 16): 0.08, (1, 64): 0.32}


@pytest.mark.parametrize("lost", [None, float("nan"), float("inf")])
def test_a_layer_with_a_matrix_that_is_no_number_is_none(lost: float | None) -> None:
    config = entry()
    frame = weight_changes(config, layers=(1,))
    broken = frame.with_columns(
        module=pl.lit("layers.1.up"), relative=pl.when(pl.col("stop") < 64).then(0.02).otherwise(lost)
    )
    found = Sweeps(config, task_scores(config), fact_scores(config), pl.concat([frame, broken])).weights(
        "ROME", "small"
    )
    assert (found[1, 4], found[1, 16]) == (0.02, 0.08)
    assert math.isnan(found[1, 64])


def test_the_same_sweep_twice_gets_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "tasks.parquet"
    tables.write(task_scores(entry()), tables.TASK_SCORES, path, {})
    with pytest.raises(UserError, match=r"tasks\.parquet: .*is there twice"):
        Sweeps.read({}, [path, path], [], [])
