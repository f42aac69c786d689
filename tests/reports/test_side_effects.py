"""The tables of sweeps."""

import csv
import io

import polars as pl
from made_sweeps import TASKS, entry, fact_scores, partial, sheets, sweeps, task_scores, weight_changes

from crossedit.reports.scores import DASH
from crossedit.reports.sheets import to_csv, to_markdown
from crossedit.reports.side_effects import AT_CHANCE, NEVER, answers, edited_facts, side_effects
from crossedit.reports.sweeps import Sweeps


def test_tables_say_score_drop_and_significance() -> None:
    found = sweeps(entry(), fall=(0.05, 0.2, 0.4))
    sheet = side_effects(found, found.all[0], "corrected")
    assert [str(column) for column in sheet.columns] == [
        "Backbone",
        "Task",
        "Constant",
        "Unedited",
        "After edits 4",
        "After edits 16",
        "After edits 64",
        "Drop",
        "Significant from",
    ]
    assert [str(cell) for cell in sheet.rows[1]] == [
        "small",
        "NLI",
        "50.00",
        "80.00",
        "75.00",
        "60.00",
        "40.00",
        "40.00",
        "16",
    ]
    assert sheet.rows[1][3].note == "Score 80.00, 95 % interval 70.0 to 90.0; 40 items"
    assert sheet.rows[1][5].note.endswith(
        "; 40 items; change -20.00, 95 % interval -30.0 to -10.0, p = .001, after correction for 24 tests = .024"
    )
    (drop,) = sheet.rows[1][7].shown
    assert (drop.exact, drop.low, drop.high, drop.n) == (40, 30, 50, 40)
    assert sheet.rows[1][7].note.endswith("p = .001, after correction for 24 tests = .024")
    assert "| 40.00 \\[30.0, 50.0\\] | 16 |" in to_markdown(sheet, intervals=True)
    assert "| 40.00 | 16 |" in to_markdown(sheet)
    assert "p < .05 after Holm's correction for 24 tests" in sheet.note
    assert len(sheet.rows) == len(TASKS)


def test_tables_mark_what_is_at_chance_and_what_never_falls() -> None:
    found = sweeps(entry(), score=0.55)
    sheet = side_effects(found, found.all[0], "corrected")
    at_chance = sheet.rows[1]
    assert (at_chance[1], at_chance[-1]) == (f"NLI {AT_CHANCE}", AT_CHANCE)
    assert f"{AT_CHANCE} The unedited" in sheet.note
    found = sweeps(entry(), fall=(0.4, 0.4, 0.0))
    sheet = side_effects(found, found.all[0], "corrected")
    assert AT_CHANCE not in sheet.note
    row = sheet.rows[1]
    assert (str(row[-2]), row[-1]) == ("0.00", NEVER)
    assert row[-2].shown[0].interval == "[-10.0, 10.0]"


def test_a_missing_stop_is_a_dash() -> None:
    found = partial(pl.col("stop") == 64, fall=(0.3, 0.3, 0.3))
    row = side_effects(found, found.all[0], "corrected").rows[1]
    assert [str(cell) for cell in row[-5:]] == ["50.00", "50.00", DASH, DASH, DASH]
    nothing = partial(pl.lit(True))
    assert {str(cell) for row in sheets(nothing)[0].rows for cell in row[2:]} == {DASH}


def test_answers_are_told_beside_scores() -> None:
    config = entry()
    frame = task_scores(config).with_columns(answered=pl.lit(30, pl.Int64))
    over = frame.filter(pl.col("stop") < 64).with_columns(
        over=pl.lit("answered"), score=pl.lit(0.9), low=pl.lit(0.8), high=pl.lit(0.95), items=pl.lit(29, pl.Int64)
    )
    found = Sweeps(config, pl.concat([frame, over]), fact_scores(config), weight_changes(config))
    sheet = answers(found, found.all[0], "corrected")
    stops = ["After edits 4", "After edits 16", "After edits 64"]
    assert [str(column) for column in sheet.columns] == ["Backbone", "Task", "Items", "Prompts", "Unedited", *stops]
    shown = ["75.00 / 90.00"] * 3 + [f"75.00 / {DASH}"]
    assert [str(cell) for cell in sheet.rows[1]] == ["small", "NLI", "40", "40", *shown]
    share, score = sheet.rows[1][4].shown
    assert (share.name, share.exact, share.interval, share.n) == ("Answered", 75, "", 40)
    assert (score.name, score.exact, score.interval, score.n) == ("Score", 90, "[80.0, 95.0]", 29)
    assert {part.tone for row in sheet.rows for cell in row[4:] for part in cell.shown} == {""}
    header, row, *_ = csv.reader(io.StringIO(to_csv(sheet, intervals=True)))
    found = dict(zip(header, row, strict=True))
    assert [found[f"After edits 4 {name}"] for name in ("Answered", "Score", "Score low", "Score high")] == [
        "75.00",
        "90.00",
        "80.0",
        "95.0",
    ]
    assert r"| 75.00 / 90.00 \[80.0, 95.0\] |" in to_markdown(sheet, intervals=True)


def test_edited_facts_are_shown_for_each_evaluation_language() -> None:
    found = sweeps(entry())
    sheet = edited_facts(found, found.all[0], ("en", "zh"), "teacher_forced")
    assert [row[:2] for row in sheet.rows] == [("small", "English"), ("small", "Chinese")]
    assert [str(cell) for cell in sheet.rows[0][2:5]] == ["95.00", "79.17", "67.86"]
    assert [str(cell) for cell in sheet.rows[1][2:5]] == [DASH] * 3  # reliability is asked as edited
    assert sheet.rows[1][5].parts[0].n == 64
