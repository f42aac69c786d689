"""Paired differences of columns of facts: how large they are, and whether chance would do as much.

    found = paired(values, left, right, seed)      values (facts, columns); columns left[i] and right[i] are a pair
    holm(found.p)                                  p, corrected for how many pairs there are

A fact is counted in a pair where both columns have it.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crossedit.edits.scores import exact_bounds_of_difference

Numbers = NDArray[np.float64]

FLIPS = 9999
RESAMPLES = 1000
_AT_ONCE = 2048  # pairs, and
_ROWS = 1024  # flips, so that memory stays bounded
_ROUNDING = 1e-4  # of sums of as many single-precision numbers as there are facts


class Paired(NamedTuple):
    """What is known of each pair; without facts in common all but `n` is NaN."""

    first: Numbers  # means
    second: Numbers
    low: Numbers  # 95 % interval of the difference of means, NaN where there is none
    high: Numbers
    effect: Numbers  # the difference in standard deviations of the facts' differences, d_z; NaN where these are all one
    p: Numbers
    n: NDArray[np.int64]  # facts


def paired(values: Numbers, left: NDArray[np.int64], right: NDArray[np.int64], seed: int) -> Paired:
    """Return the comparison of columns `left` with columns `right` of values (facts, columns) from 0 to 1, or NaN.

    The p is two-sided, of the permutation test in which each fact's difference may as well have the other sign. Where
    all differences that aren't 0 are of one size, as those of exact matches are, it is the binomial distribution's
    (McNemar's exact test). Else it is (b + 1) / (FLIPS + 1), b being how many of FLIPS random flips give a sum S of the
    differences d as large. Where none does, which leaves 1 / (FLIPS + 1), it is Hoeffding's bound of it,
    2 exp(-S² / 2 Σd²), if that is less. Taking the smaller there keeps every level α: from 1 / (FLIPS + 1) on, p ≤ α
    says the same as without the bound; below, it says that the bound is at most α.

    The interval is from the 2.5 % to the 97.5 % quantile of the means of resampled facts. That says nothing where all
    differences are the same; there it is `exact_bounds_of_difference`.
    """
    first, second, low, high, effect, p = np.full((6, len(left)), np.nan)
    found = Paired(first, second, low, high, effect, p, np.zeros(len(left), np.int64))
    for rows, pairs in _same_facts(~np.isnan(values), left, right):
        kept = values[rows]
        for start in range(0, len(pairs), _AT_ONCE):
            some = pairs[start : start + _AT_ONCE]
            compared = _compared(kept[:, left[some]], kept[:, right[some]], seed)
            for field, numbers in zip(found, compared, strict=True):
                field[some] = numbers
    return found


def holm(p: Numbers) -> Numbers:
    """Return the p after Holm's correction: the smallest times their number, the next times one less, none falling."""
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(steps, 1)
    return adjusted


def _same_facts(
    known: NDArray[np.bool_], left: NDArray[np.int64], right: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.int64]]]:
    """Yield the facts that both columns of some pairs have, and these pairs; known: (facts, columns)."""
    kinds: dict[bytes, int] = {}  # columns of one kind have the same facts
    kind = np.array([kinds.setdefault(column.tobytes(), len(kinds)) for column in known.T])
    both = kind[left] * len(kinds) + kind[right]
    for number in np.unique(both):
        pairs = np.flatnonzero(both == number)
        rows = known[:, left[pairs[0]]] & known[:, right[pairs[0]]]
        if rows.any():
            yield rows, pairs


def _compared(first: Numbers, second: Numbers, seed: int) -> Paired:
    """Return the comparison of two arrays (facts, pairs)."""
    differences = first - second
    mean, n = differences.mean(0), len(differences)
    resampled = differences.T.astype(np.float32) @ _draws(n, seed).T / n  # (pairs, resamples)
    low, high = np.quantile(resampled, (0.025, 0.975), axis=1)
    for pair in np.flatnonzero(np.ptp(differences, axis=0) <= 1e-9):
        low[pair], high[pair] = exact_bounds_of_difference(n, differences[0, pair])
    deviation = differences.std(0, ddof=1) if n > 1 else np.zeros_like(mean)
    varies = deviation > 1e-9
    effect = np.divide(mean, deviation, out=np.full_like(mean, np.nan), where=varies)
    return Paired(first.mean(0), second.mean(0), low, high, effect, _p(differences, seed), np.full(len(mean), n))


def _p(differences: Numbers, seed: int) -> Numbers:
    from scipy.special import bdtr  # it takes a moment to import

    sizes = np.abs(differences)
    counted = sizes > 1e-9
    more, less = (counted & (differences > 0)).sum(0), (counted & (differences < 0)).sum(0)
    p = np.minimum(1, 2 * bdtr(np.minimum(more, less), more + less, 0.5))
    smallest = np.where(counted, sizes, np.inf).min(0)
    uneven = np.flatnonzero(counted.any(0) & (sizes.max(0) - smallest > 1e-9))
    p[uneven] = _by_flips(differences[:, uneven], seed)
    least = uneven[p[uneven] <= 1 / (FLIPS + 1)]
    sums, squares = differences[:, least].sum(0), (differences[:, least] ** 2).sum(0)
    p[least] = np.minimum(p[least], 2 * np.exp(-(sums**2) / (2 * squares)))
    return p


def _by_flips(differences: Numbers, seed: int) -> Numbers:
    as_large = np.ones(differences.shape[1])  # the differences as they are belong to the flips
    sums = np.abs(differences.sum(0)) - _ROUNDING
    single = differences.astype(np.float32)
    signs = _signs(len(differences), seed)
    for start in range(0, FLIPS, _ROWS):
        as_large += (np.abs(signs[start : start + _ROWS].astype(np.float32) @ single) >= sums).sum(0)
    return as_large / (FLIPS + 1)


@lru_cache(maxsize=2)
def _signs(facts: int, seed: int) -> NDArray[np.int8]:
    """Return FLIPS rows of as many signs as there are facts."""
    return np.random.default_rng(seed).integers(0, 2, (FLIPS, facts), dtype=np.int8) * np.int8(2) - np.int8(1)


@lru_cache(maxsize=2)
def _draws(facts: int, seed: int) -> NDArray[np.float32]:
    """Return how often each fact is in each resampling, (RESAMPLES, facts)."""
    return np.random.default_rng(seed).multinomial(facts, np.full(facts, 1 / facts), RESAMPLES).astype(np.float32)
