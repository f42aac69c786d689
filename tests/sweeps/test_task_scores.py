"""Scores by hand, their intervals, and the paired difference between two models."""

import numpy as np
import polars as pl
import pytest
from scipy.stats import binomtest

from crossedit.edits.scores import interval
from crossedit.errors import UserError
from crossedit.sweeps.tasks.scores import compare_task, count_task, score_task
from crossedit.tables import VERDICTS

Count = tuple[bool, float, float]  # answered, gained, possible


def verdicts_of(
    counts: list[Count], parts: tuple[str, ...] = ("",), protocol: str = "corrected", metric: str = "accuracy"
) -> pl.DataFrame:
    rows = [
        {
            "task": "written",
            "protocol": protocol,
            "item": number // len(parts),
            "part": parts[number % len(parts)],
            "prompt": "?",
            "prompt_tokens": 1,
            "cut_tokens": 0,
            "asked": True,
            "generation": "!",
            "generation_ids": [1],
            "answered": answered,
            "answer": ["yes"] if answered else [],
            "wanted": ["yes" if number % 3 else "no"],
            "metric": metric,
            "gained": float(gained),
            "possible": float(possible),
        }
        for number, (answered, gained, possible) in enumerate(counts)
    ]
    return pl.DataFrame(rows, schema=VERDICTS.columns)


RIGHT, WRONG, NONE = (True, 1, 1), (True, 0, 1), (False, 0, 1)


def values(frame: pl.DataFrame, name: str) -> dict[tuple[str, str], float | None]:
    return {(row["part"], row["over"]): row[name] for row in frame.iter_rows(named=True)}


def test_unanswered_items_are_wrong_but_for_the_score_over_answered() -> None:
    scores = score_task(verdicts_of([RIGHT, RIGHT, WRONG, NONE, NONE]))
    assert values(scores, "score") == {("all", "all"): 0.4, ("all", "answered"): pytest.approx(2 / 3)}
    assert scores.select("items", "asked", "answered").rows() == [(5, 5, 3)] * 2
    # Three of five items want "yes".
    assert values(scores, "constant") == {("all", "all"): 0.6, ("all", "answered"): 0.6}


def test_every_item_is_counted_and_a_lost_one_is_missed() -> None:
    verdicts = verdicts_of(NAMES, PARTS)
    verdicts = verdicts.with_columns(
        asked=pl.Series([True, True, False, True]), cut_tokens=pl.Series([0, 3, 2, 0], dtype=pl.Int32)
    )
    items = verdicts.select("task", "item").unique()
    assert count_task(items, verdicts) == {
        "items": 2, "prompts": 4, "cut": 2, "asked": 3, "answered": 3, "scored": 2
    }  # fmt: skip
    assert count_task(items, verdicts.filter(pl.col("item") == 1))["scored"] == 1


def test_a_score_of_nothing_is_null() -> None:
    scores = score_task(verdicts_of([NONE, NONE]))
    assert values(scores, "score") == {("all", "all"): 0.0, ("all", "answered"): None}
    assert values(scores, "low")["all", "answered"] is None


def test_means_get_the_intervals_of_resampled_means() -> None:
    rng = np.random.default_rng(0)
    right = rng.random(200) < 0.3
    scores = score_task(verdicts_of([(True, float(one), 1) for one in right]), seed=1)
    low, high = interval(right[:, None].astype(float), seed=2)
    # A thousand draws each: the quantiles are alike to within two hundredths.
    assert values(scores, "low")["all", "all"] == pytest.approx(low[0], abs=0.02)
    assert values(scores, "high")["all", "all"] == pytest.approx(high[0], abs=0.02)
    assert scores.equals(score_task(verdicts_of([(True, float(one), 1) for one in right]), seed=1))


PARTS = ("LOC", "PER")
# Item 0: 1 of 1 and 1 found of LOC; 1 of 2 and 1 given of PER. Item 1: a wrong name of LOC; silence on one PER.
NAMES: list[Count] = [(True, 2, 2), (True, 2, 3), (True, 0, 1), (False, 0, 1)]


def test_parts_are_pooled_and_scored_each() -> None:
    scores = values(score_task(verdicts_of(NAMES, PARTS, metric="entity_f1")), "score")
    assert scores["all", "all"] == pytest.approx(4 / 7)
    assert scores["all", "answered"] == pytest.approx(4 / 6)
    assert scores["LOC", "all"] == pytest.approx(2 / 3)
    assert scores["PER", "all"] == pytest.approx(2 / 4)
    assert scores["PER", "answered"] == pytest.approx(2 / 3)


def test_upstream_takes_the_mean_over_parts() -> None:
    verdicts = verdicts_of(NAMES, PARTS, "upstream", "upstream_entity_hits")
    scores = score_task(verdicts)
    assert values(scores, "score")["all", "all"] == pytest.approx((2 / 3 + 2 / 4) / 2)
    assert set(scores["constant"]) == {None}


def test_the_questions_on_an_item_are_resampled_together() -> None:
    """One item: every draw is the item itself, so that nothing is known but its score."""
    scores = score_task(verdicts_of(NAMES[:2], PARTS, metric="entity_f1"))
    assert values(scores, "low")["all", "all"] is values(scores, "high")["all", "all"] is None


def test_of_nothing_and_of_all_right_the_interval_is_exact() -> None:
    for one, right in ((WRONG, 0), (RIGHT, 80)):
        found = score_task(verdicts_of([one] * 80 + [NONE] * (80 if one is WRONG else 0)))
        for row, items in zip(found.iter_rows(named=True), (160 if one is WRONG else 80, 80), strict=True):
            exact = binomtest(right, items).proportion_ci(method="exact")
            assert (row["low"], row["high"]) == (pytest.approx(exact.low), pytest.approx(exact.high))
    # Entities of which an item has one, another two, are no mean over items.
    none = score_task(verdicts_of([(True, 0, 1), (True, 0, 1), (True, 0, 2), (True, 0, 1)], PARTS, metric="entity_f1"))
    assert (values(none, "score")["all", "all"], values(none, "low")["all", "all"]) == (0, None)
    same = score_task(verdicts_of([(True, 0.3, 1)] * 9, metric="rouge"))
    assert values(same, "low")["all", "all"] is values(same, "high")["all", "all"] is None


def test_of_a_change_of_nothing_or_everything_the_interval_is_exact() -> None:
    missed = binomtest(0, 80).proportion_ci(method="exact").high
    right, wrong = verdicts_of([RIGHT] * 80), verdicts_of([WRONG] * 80)
    mixed = verdicts_of([RIGHT, WRONG] * 40)
    rouge = verdicts_of([(True, 0.3, 1), (True, 0.7, 1)] * 40, metric="rouge")
    for after, before, ends in (
        (wrong, right, (-1, 2 * missed - 1)),
        (right, wrong, (1 - 2 * missed, 1)),
        (mixed, mixed, (-missed, missed)),
        (rouge, rouge, (-missed, missed)),
    ):
        for row in compare_task(after, before).iter_rows(named=True):
            assert (row["low"], row["high"]) == pytest.approx(ends)


def test_of_other_changes_of_all_by_as_much_there_is_no_interval() -> None:
    even = [verdicts_of([(True, gained, 1)] * 80, metric="rouge") for gained in (0.3, 0.5)]
    names = verdicts_of(NAMES, PARTS, metric="entity_f1")  # no mean over items
    for after, before, change in ((*even, -0.2), (names, names, 0)):
        row = compare_task(after, before).filter(part="all", over="all").row(0, named=True)
        assert (row["change"], row["low"], row["high"]) == (pytest.approx(change), None, None)
        assert row["p"] is not None


def test_the_order_of_verdicts_does_not_matter() -> None:
    verdicts = verdicts_of(NAMES, PARTS)
    assert score_task(verdicts[::-1]).equals(score_task(verdicts))


def test_a_change_is_paired() -> None:
    """Two models that differ on one item in forty are surely alike; resampled apart, they might not be."""
    before = [RIGHT, WRONG] * 20
    after = [WRONG, *before[1:]]
    change = compare_task(verdicts_of(after), verdicts_of(before))
    row = change.filter(pl.col("over") == "all").row(0, named=True)
    assert (row["before"], row["after"], row["change"]) == (0.5, pytest.approx(0.475), pytest.approx(-0.025))
    assert -0.1 <= row["low"] <= row["change"] <= row["high"] <= 0
    scores = score_task(verdicts_of(after)).row(0, named=True)
    assert scores["high"] - scores["low"] > 2 * (row["high"] - row["low"])


def test_a_collapse_is_below_nothing_and_no_change_is_none() -> None:
    before = verdicts_of([RIGHT, RIGHT, WRONG] * 10)
    gone = verdicts_of([NONE] * 30)
    row = compare_task(gone, before).filter(pl.col("over") == "all").row(0, named=True)
    assert row["change"] == pytest.approx(-2 / 3)
    assert row["high"] < 0
    answered = compare_task(gone, before).filter(pl.col("over") == "answered").row(0, named=True)
    assert (answered["before"], answered["after"], answered["change"]) == (pytest.approx(2 / 3), None, None)
    same = compare_task(before, before)
    assert set(same["change"]) == {0.0}


@pytest.mark.parametrize("other", [verdicts_of([RIGHT] * 3), verdicts_of([RIGHT] * 2, protocol="upstream")])
def test_other_items_are_not_compared(other: pl.DataFrame) -> None:
    with pytest.raises(UserError, match="are not on the same items"):
        compare_task(verdicts_of([RIGHT] * 2), other)


def test_no_verdicts_are_refused() -> None:
    with pytest.raises(UserError, match="there are none to score"):
        score_task(verdicts_of([]))


@pytest.mark.parametrize(("lost", "gained"), [(4, 0), (6, 0), (7, 2), (30, 10)])
def test_the_permutation_test_of_right_and_wrong_is_that_of_signs(lost: int, gained: int) -> None:
    """Of items that are right or wrong only those that change say anything: McNemar's exact test."""
    before = [RIGHT] * (80 - gained) + [WRONG] * gained
    after = [WRONG] * lost + [RIGHT] * (80 - lost)
    row = compare_task(verdicts_of(after), verdicts_of(before)).filter(pl.col("over") == "all").row(0, named=True)
    exact = binomtest(lost, lost + gained).pvalue
    assert row["p"] == pytest.approx(exact, rel=1e-9 if lost + gained <= 11 else 0.2, abs=2e-3)


def test_no_change_is_surely_none() -> None:
    verdicts = verdicts_of([RIGHT, WRONG] * 5)
    assert set(compare_task(verdicts, verdicts)["p"]) == {1.0}


def test_upstream_leaves_out_a_part_in_which_nothing_is_possible() -> None:
    verdicts = verdicts_of([(True, 1, 2), (True, 0, 0)], PARTS, "upstream", "upstream_entity_hits")
    assert values(score_task(verdicts), "score")["all", "all"] == pytest.approx(0.5)
