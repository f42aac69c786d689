"""Paired statistics: as scipy finds them on small samples, and as people worked them out by hand."""

import numpy as np
import pytest
from scipy import stats

from crossedit.reports.statistics import paired as numbers
from crossedit.reports.statistics.paired import FLIPS, Paired, holm, paired


def pair(first: np.ndarray, second: np.ndarray, seed: int = 0) -> Paired:
    """Return the comparison of two columns."""
    return paired(np.stack([first, second], axis=1), np.array([0]), np.array([1]), seed)


def permuted(differences: np.ndarray) -> float:
    """Return scipy's exact p: every sign of every difference is tried."""
    found = stats.permutation_test((differences,), np.sum, permutation_type="samples", n_resamples=np.inf)
    return float(found.pvalue)


@pytest.mark.parametrize(
    ("more", "less", "p"), [(5, 0, 2 / 32), (3, 1, 10 / 16), (1, 1, 1), (0, 0, 1), (0, 12, 2 / 4096)]
)
def test_of_exact_matches_it_is_mcnemars_exact_test(more: int, less: int, p: float) -> None:
    first = np.array([1.0] * more + [0.0] * less + [1.0, 0.0, 0.0])
    second = np.array([0.0] * more + [1.0] * less + [1.0, 0.0, 0.0])
    found = pair(first, second).p[0]
    assert found == pytest.approx(p)
    if more + less:
        assert found == pytest.approx(stats.binomtest(more, more + less).pvalue)
        assert found == pytest.approx(permuted(first - second))


def test_of_other_values_it_is_the_permutation_test_up_to_its_flips() -> None:
    rng = np.random.default_rng(1)
    for shift in (0.0, 0.2, 0.4):
        first, second = rng.random(12) + shift, rng.random(12)
        exact, found = permuted(first - second), pair(first, second).p[0]
        assert abs(found - exact) < 4 * np.sqrt(exact * (1 - exact) / FLIPS) + 1 / FLIPS


def test_flips_whose_sum_is_the_same_count_whatever_their_last_digits() -> None:
    """Sums of tenths are no whole tenths in floating point; of whole numbers they are exact."""
    tenths = np.array([-4, -6, 4, 6, 9, 0, 0, 9])
    exact = permuted(tenths.astype(float))
    found = pair(np.maximum(tenths, 0) / 10, np.maximum(-tenths, 0) / 10).p[0]
    assert abs(found - exact) < 4 * np.sqrt(exact * (1 - exact) / FLIPS)


def test_the_bound_by_hand() -> None:
    # S is 20 + 10 and the sum of squares 20 + 5, so S² / 2 Σd² is 900 / 50.
    first = np.array([1.0] * 20 + [0.5] * 20)
    assert pair(first, np.zeros(40)).p[0] == pytest.approx(2 * np.exp(-18))


def test_what_flips_cannot_tell_is_bounded() -> None:
    rng = np.random.default_rng(2)
    first, second = rng.random(300) + 0.5, rng.random(300)
    differences = first - second
    found = pair(first, second).p[0]
    # By the normal distribution, which the bound is above.
    normal = 2 * stats.norm.sf(abs(differences.sum()) / np.sqrt((differences**2).sum()))
    assert normal < found < 1 / (FLIPS + 1)
    for shift in (0.5, 1, 1.5):
        small = rng.normal(shift, 1, 14)
        assert permuted(small) <= 2 * np.exp(-(small.sum() ** 2) / (2 * (small**2).sum()))


def test_the_bound_is_taken_only_where_no_flip_comes_as_far(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that no level is passed more often than by flips alone, or than by the bound alone."""
    first, second = np.random.default_rng(8).random((2, 300, 2)) + np.array([[[0.5]], [[0.0]]])
    by_flips = np.array([2, 1]) / (FLIPS + 1)
    monkeypatch.setattr(numbers, "_by_flips", lambda differences, seed: by_flips)
    found = paired(np.hstack([first, second]), np.array([0, 1]), np.array([2, 3]), seed=0).p
    assert found[0] == by_flips[0]
    assert 0 < found[1] < by_flips[1]


def test_chance_alone_is_significant_as_often_as_it_may_be() -> None:
    rng = np.random.default_rng(3)
    pairs = 400
    found = paired(rng.normal(size=(40, 2 * pairs)), np.arange(pairs), np.arange(pairs, 2 * pairs), seed=0)
    for level in (0.01, 0.05, 0.5):
        assert (found.p < level).sum() <= stats.binom.ppf(0.999, pairs, level)
    assert (found.p < 0.5).sum() >= stats.binom.ppf(0.001, pairs, 0.5)
    inside = ((found.low < 0) & (found.high > 0)).sum()
    assert stats.binom.ppf(0.001, pairs, 0.93) <= inside <= stats.binom.ppf(0.999, pairs, 0.95)


def test_the_interval_is_scipys_bootstrap_of_the_differences() -> None:
    rng = np.random.default_rng(4)
    first, second = rng.random(200), rng.random(200)
    found = pair(first, second)
    scipys = stats.bootstrap((first - second,), np.mean, n_resamples=9999, method="percentile", rng=0)
    assert found.low[0] == pytest.approx(scipys.confidence_interval.low, abs=0.01)
    assert found.high[0] == pytest.approx(scipys.confidence_interval.high, abs=0.01)
    assert found.effect[0] == pytest.approx((first - second).mean() / (first - second).std(ddof=1))


def test_a_pair_turned_round_is_the_same_with_the_other_sign() -> None:
    values = np.random.default_rng(5).random((30, 2))
    there, back = paired(values, np.array([0]), np.array([1]), 0), paired(values, np.array([1]), np.array([0]), 0)
    assert there.p == pytest.approx(back.p)
    assert there.low == pytest.approx(-back.high, abs=1e-6)
    assert there.effect == pytest.approx(-back.effect)


def test_a_fact_that_one_lacks_is_left_out_of_the_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(6)
    values = rng.random((20, 4)).round(1)
    values[3, 0] = values[[1, 5], 1] = values[:, 3] = np.nan
    left, right = np.array([0, 0, 1, 0]), np.array([1, 2, 2, 3])
    found = paired(values, left, right, seed=0)
    assert found.n.tolist() == [17, 19, 18, 0]
    assert np.isnan(found.p[3])
    for number in range(3):
        some = values[~np.isnan(values[:, [left[number], right[number]]]).any(1)]
        alone = pair(some[:, left[number]], some[:, right[number]])
        assert [field[number] for field in found] == pytest.approx([field[0] for field in alone], abs=1e-6)
    monkeypatch.setattr(numbers, "_AT_ONCE", 1)
    monkeypatch.setattr(numbers, "_ROWS", 100)
    for whole, piecewise in zip(found, paired(values, left, right, seed=0), strict=True):
        assert piecewise == pytest.approx(whole, nan_ok=True, abs=1e-6)


def test_nothing_differs_or_all_by_as_much() -> None:
    same = pair(np.ones(9), np.ones(9))
    assert same.p[0] == 1
    assert np.isnan(same.effect[0])
    apart = pair(np.ones(9), np.zeros(9))
    assert apart.p[0] == 2 / 2**9
    assert np.isnan(apart.effect[0])
    one = pair(np.array([0.7]), np.array([0.2]))
    assert (one.p[0], one.n[0]) == (1, 1)


def test_where_all_facts_differ_by_as_much_the_interval_is_exact_or_there_is_none() -> None:
    """Facts that would differ otherwise may have been missed by chance, as often as in 2.5 % of samples."""
    zero, one, half = np.zeros(64), np.ones(64), np.full(64, 0.5)
    missed = stats.binomtest(0, 64).proportion_ci(method="exact").high
    for first, second in ((one, one), (half, half)):
        found = pair(first, second)
        assert (found.low[0], found.high[0]) == (pytest.approx(-missed), pytest.approx(missed))
    for first, second, sign in ((one, zero, 1), (zero, one, -1)):
        found = pair(first, second)
        # Those missed may differ by as much in the other direction.
        ends = sorted([sign, sign * (1 - 2 * missed)])
        assert (found.low[0], found.high[0]) == pytest.approx(ends)
    for first in (half, half / 3):
        assert np.isnan([pair(first, zero).low[0], pair(first, zero).high[0]]).all()
    assert pair(half, np.array([0.0] * 63 + [1.0])).low[0] < 0.5


@pytest.mark.parametrize("seen", [0, 1])
def test_the_exact_interval_of_a_difference_holds_at_its_bound(seen: int) -> None:
    """At the mean that is its end, chance shows nothing but `seen` in at most 2.5 % of samples."""
    n = 20
    first, second = np.full(n, float(seen)), np.zeros(n)
    low = pair(first, second).low[0]
    others = (seen - low) / (seen + 1)  # the share of facts that differ by -1, the furthest from what was seen
    assert (1 - others) ** n == pytest.approx(0.025)


def test_holm_by_hand() -> None:
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm(np.array([0.5, 0.6, 0.9])) == pytest.approx([1, 1, 1])
    assert holm(np.array([0.02, 0.02])) == pytest.approx([0.04, 0.04])
    assert holm(np.array([0.2])) == pytest.approx([0.2])
