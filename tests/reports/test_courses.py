"""Which tasks can show harm, and from when on they fall."""

import polars as pl
import pytest
from made_sweeps import entry, fact_scores, partial, sweeps, task_scores, weight_changes

from crossedit.reports.courses import Course, course
from crossedit.reports.sheets.cells import shown
from crossedit.reports.side_effects import NEVER, side_effects
from crossedit.reports.sweeps import Sweeps


def rte(found: Sweeps) -> Course:
    return course(found, found.all[0], "small", "rte", "corrected")


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
    (first, missing, last), whole = rte(partial(other, p=0.002)).changes, rte(sweeps(entry(), p=0.002)).changes[-1]
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
