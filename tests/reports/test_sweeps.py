"""What is read out of the sweeps' tables: which tasks can show harm, from when on they fall, and what isn't known."""

import csv
import io
import math
from pathlib import Path

import polars as pl
import pytest
from made_sweeps import SWEEPS, TASKS, entry, fact_scores, sheets, sweeps, task_scores, weight_changes

from crossedit import tables
from crossedit.errors import UserError
from crossedit.reports import contents, plan
from crossedit.reports.courses import Course, course
from crossedit.reports.figures.sweeps import pictures
from crossedit.reports.scores import DASH
from crossedit.reports.sheets import to_csv, to_markdown
from crossedit.reports.sheets.cells import shown
from crossedit.reports.side_effects import AT_CHANCE, NEVER, answers, edited_facts, side_effects
from crossedit.reports.sweep_findings import findings, lines
from crossedit.reports.sweeps import Sweeps


def rte(found: Sweeps) -> Course:
    return course(found, found.all[0], "small", "rte", "corrected")


def partial(missing: pl.Expr, **scores: object) -> Sweeps:
    """Return the sweep ROME without the task scores that `missing` names."""
    config = entry()
    return Sweeps(config, task_scores(config, **scores).filter(~missing), fact_scores(config), weight_changes(config))


@pytest.mark.parametrize(
    ("score", "constant", "shows"),
    [(0.65, 0.5, True), (0.59, 0.5, False), (0.65, 0.55, False), (0.2, None, True), (0.14, None, False)],
)
def test_harm_shows_only_where_the_interval_lies_above_chance(
    score: float, constant: float | None, shows: bool
) -> None:
    assert rte(sweeps(entry(), score=score, constant=constant)).shows_harm is shows


@pytest.mark.parametrize(("score", "shows"), [(0.65, None), (0.5, False), (0.0, False)])
def test_a_score_without_an_interval_is_shown_but_says_little_of_harm(score: float, shows: bool | None) -> None:
    config = entry()
    frame = task_scores(config, score=score, constant=0.5).with_columns(low=None, high=None)
    frame = frame.with_columns(pl.col("low", "high").cast(pl.Float64))
    task = rte(Sweeps(config, frame, fact_scores(config), weight_changes(config)))
    assert task.before is not None
    assert (task.before.score.mean, task.before.score.interval) == (score, "")
    assert task.shows_harm is shows


@pytest.mark.parametrize(
    ("fall", "first"),
    [
        ((0.2, 0.3, 0.4), 4),
        ((0.05, 0.3, 0.4), 16),
        ((0.3, 0.05, 0.4), 64),  # at 16 the interval reaches 0, so that what was before doesn't count
        ((0.3, 0.3, 0.05), None),
        ((-0.1, -0.3, -0.4), None),  # a rise
        ((0.0, 0.0, 0.1), None),  # the interval ends at 0
    ],
)
def test_a_fall_is_significant_from_where_all_later_intervals_lie_below_0(
    fall: tuple[float, ...], first: int | None
) -> None:
    assert rte(sweeps(entry(), fall=fall)).falls_from == first


@pytest.mark.parametrize(
    ("p", "first"),
    [
        ({64: 0.049}, 4),
        ({4: 0.06}, 16),
        ({16: 0.05}, 64),
        ({64: 0.2}, None),
    ],
)
def test_a_fall_is_significant_only_where_the_test_agrees_with_the_interval(
    p: dict[int, float], first: int | None
) -> None:
    assert rte(with_p(p)).falls_from == first


def test_a_small_p_without_an_interval_below_0_is_no_fall() -> None:
    assert rte(sweeps(entry(), fall=(0.05, 0.05, 0.05), p=0.001)).falls_from is None


def test_where_nothing_was_tested_nothing_is_known() -> None:
    task = rte(with_p({16: None}))
    assert not task.complete
    assert task.falls_from is None


@pytest.mark.parametrize(("tasks", "adjusted"), [(["rte"], [0.03, 0.04, 0.04]), (["rte", "sst2"], [0.06, 0.08, 0.08])])
def test_the_p_of_a_sweep_are_corrected_for_all_its_tasks_and_stops(tasks: list[str], adjusted: list[float]) -> None:
    task = rte(with_p({4: 0.01, 16: 0.02, 64: 0.03}, tasks))
    changes = [change for change in task.changes if change]
    assert [change.p for change in changes] == [0.01, 0.02, 0.03]
    assert [change.p_adjusted for change in changes] == pytest.approx(adjusted)
    assert {change.family for change in changes} == {3 * len(tasks)}
    assert task.falls_from == (4 if len(tasks) == 1 else None)


def test_each_backbone_sweep_and_protocol_is_corrected_by_itself() -> None:
    config = entry(["ROME", "MEMIT-single"], backbones=["small", "large"], tasks=["rte"])
    config["tasks"]["rte"] = {"protocols": ["corrected", "upstream"]}
    frame = pl.concat([task_scores(config, p=0.01, protocol=protocol) for protocol in ("corrected", "upstream")])
    found = Sweeps(config, frame, fact_scores(config), weight_changes(config))
    places = [(sweep, name, asked) for sweep in found.all for name in sweep.backbones for asked in sweep.protocols]
    assert len(places) == 8
    for sweep, backbone, protocol in places:
        changes = course(found, sweep, backbone, "rte", protocol).changes
        assert [(one.p_adjusted, one.family) for one in changes if one] == [(pytest.approx(0.03), 3)] * 3


def test_tests_that_are_not_there_yet_are_corrected_for() -> None:
    other = (pl.col("task") != "rte") | (pl.col("stop") == 16)
    (first, missing, last), whole = rte(partial(other, p=0.002)).changes, rte(sweeps(entry(), p=0.002)).change
    assert missing is None
    for change in (first, last, whole):
        assert change is not None
        assert (change.p_adjusted, change.family) == (pytest.approx(0.048), 24)


@pytest.mark.parametrize(("p", "first"), [(0.001, 4), (0.2, None)])
def test_without_an_interval_the_test_alone_decides(p: float, first: int | None) -> None:
    config = entry(tasks=["rte"])
    frame = task_scores(config, fall=(0.2, 0.3, 0.4), p=p).with_columns(
        pl.lit(None, pl.Float64).alias(name) for name in ("change_low", "change_high")
    )
    found = Sweeps(config, frame, fact_scores(config), weight_changes(config))
    assert rte(found).complete
    assert rte(found).falls_from == first
    row = side_effects(found, found.all[0], "corrected").rows[0]
    assert [str(cell) for cell in row[-2:]] == ["40.00", NEVER if first is None else "4"]
    assert not any(part.interval for part in shown(row[-2]))
    assert "change -20.00, p " in row[4].note


def with_p(p: dict[int, float | None], tasks: list[str] | None = None) -> Sweeps:
    """Return the sweep ROME, whose intervals all lie below 0, with these p at its stops."""
    config = entry(tasks=tasks or ["rte"])
    frame = task_scores(config, fall=(0.3, 0.3, 0.3)).with_columns(
        change_p=pl.col("stop").replace_strict(p, default=pl.col("change_p"))
    )
    return Sweeps(config, frame, fact_scores(config), weight_changes(config))


@pytest.mark.parametrize("stop", [4, 16, 64])
def test_nothing_is_called_significant_before_all_stops_are_known(stop: int) -> None:
    task = rte(partial(pl.col("stop") == stop, fall=(0.3, 0.3, 0.3)))
    assert not task.complete
    assert task.falls_from is None


def test_only_scores_over_all_items_and_parts_count() -> None:
    frame = task_scores(entry())
    other = frame.with_columns(pl.lit(0.1).alias("score"))
    empty = Sweeps(
        entry(),
        pl.concat([other.with_columns(over=pl.lit("answered")), other.with_columns(part=pl.lit("person"))]),
        fact_scores(entry()),
        weight_changes(entry()),
    )
    assert rte(empty).before is None


def test_a_score_that_is_null_is_not_known() -> None:
    config = entry()
    frame = task_scores(config).with_columns(pl.lit(None, pl.Float64).alias("score"))
    found = Sweeps(config, frame, fact_scores(config), weight_changes(config))
    assert rte(found).before is None
    assert rte(found).shows_harm is None


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
