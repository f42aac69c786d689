"""Scores of verdicts, and how they differ from those of the unedited model.

    count_task(items, verdicts)           how many were asked, answered, scored
    score_task(verdicts)                  over all items, and over those answered
    compare_task(verdicts, unedited)      the paired difference: the same items, before and after

A score is the sum of what was gained over the sum of what was possible. Items are what is resampled: the several
questions on one item stay together.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from crossedit.edits.scores import RESAMPLES, exact_bounds, exact_bounds_of_difference
from crossedit.errors import UserError
from crossedit.sweeps.tasks.task import CORRECTED

ALL = "all"
ANSWERED = "answered"
PERMUTATIONS = 2048
NOT_RIGHT_OR_WRONG = ("rouge", "upstream_rouge", "entity_f1", "upstream_entity_hits")


@dataclass(frozen=True)
class _Cell:
    """Verdicts of one score: (items, parts) of what was gained and what was possible, over all or those answered."""

    part: str
    over: str
    gained: np.ndarray
    possible: np.ndarray
    pooled: bool  # else the mean over parts of each part's score

    def scores(self, draws: np.ndarray) -> np.ndarray:
        """Return the score of each draw (draws, items), how often each item is in it; nan where nothing is possible."""
        return self._ratio(draws @ self.gained, draws @ self.possible)

    def mixed(self, other: "_Cell", swapped: np.ndarray) -> np.ndarray:
        """Return the score with the other's verdicts on the items that are swapped (draws, items), true or false."""
        kept = ~swapped
        return self._ratio(kept @ self.gained + swapped @ other.gained, kept @ self.possible + swapped @ other.possible)

    def interval(self, draws: np.ndarray) -> tuple[float | None, float | None]:
        """Return the 95 % interval of the score, of the bootstrap or, where that is blind, the exact one.

        Where nothing or all that is possible was gained, every draw says the same. Then the exact one is known if the
        same is possible on each item, so that the score is a mean over items of values from 0 to 1. Else there is none.
        """
        low, high = _interval(self.scores(draws))
        if low is None or high is None or high - low > 1e-9:
            return low, high
        each = self._each()
        for end in (0, 1):
            if each is not None and (each == end).all():
                return exact_bounds(len(each), end)
        return None, None

    def change(self, before: "_Cell", draws: np.ndarray) -> tuple[float | None, float | None]:
        """Return the 95 % interval of the change since `before`, of the bootstrap or, where that is blind, exact.

        Where all items change by as much, every draw says the same; what is exact then is known as in `interval`.
        """
        low, high = _interval(self.scores(draws) - before.scores(draws))
        if low is None or high is None or high - low > 1e-9:
            return low, high
        now, then = self._each(), before._each()
        if now is None or then is None or (self.possible != before.possible).any():
            return None, None
        low, high = exact_bounds_of_difference(len(now), now[0] - then[0])
        return _number(low), _number(high)

    def _each(self) -> np.ndarray | None:
        """Return each item's score, where the same is possible on each and so the score is their mean; else None."""
        asked = self.possible.any(axis=1)
        possible = self.possible[asked]
        return self._ratio(self.gained[asked], possible) if (possible == possible[0]).all() else None

    def _ratio(self, gained: np.ndarray, possible: np.ndarray) -> np.ndarray:
        """Return the scores of (draws, parts); a part in which nothing is possible says nothing."""
        if self.pooled:
            gained, possible = gained.sum(1, keepdims=True), possible.sum(1, keepdims=True)
        known = possible > 0
        ratio = np.divide(gained, possible, out=np.zeros_like(gained), where=known)
        counted = known.sum(1)
        return np.divide(ratio.sum(1), counted, out=np.full(len(ratio), np.nan), where=counted > 0)


def count_task(items: pl.DataFrame, verdicts: pl.DataFrame) -> dict[str, int]:
    """Return how far ITEMS came in their VERDICTS.

    items: how many there are; prompts: made of them, one each or one per part; cut: prompts that were shortened; asked:
    those that fit the model; answered: those in whose generation the parser found an answer; scored: items with a
    verdict, which are all unless something was lost.
    """
    return {
        "items": len(items),
        "prompts": len(verdicts),
        "cut": int((verdicts["cut_tokens"] > 0).sum()),
        "asked": int(verdicts["asked"].sum()),
        "answered": int(verdicts["answered"].sum()),
        "scored": items.join(verdicts, on=["task", "item"], how="semi").height,
    }


def score_task(verdicts: pl.DataFrame, seed: int = 0) -> pl.DataFrame:
    """Return the scores of the VERDICTS of one task, protocol and model.

    One row per part (all of them together first) and per what is scored over (`all` items, unanswered ones counting as
    wrong, which is the score to read; or those `answered`), with columns task, protocol, metric, part, over, score,
    low, high (95 % interval: 2.5 % and 97.5 % quantiles of resampled scores, or exact where nothing or all was gained;
    null where there is none), items, asked, answered (numbers of prompts) and constant, the score of always giving the
    most frequent right answer, which no ability is needed for (null where answers are no single texts). A score is null
    where there is nothing to score.

    Where an item is asked for several parts, `corrected` pools them (entity F1 over all four types, as CoNLL-2003's
    evaluation does) and `upstream` takes the mean of their scores.
    """
    draws = _draws(verdicts, seed)
    rows = []
    for cell in _cells(verdicts):
        mine = verdicts if cell.part == ALL else verdicts.filter(pl.col("part") == cell.part)
        low, high = cell.interval(draws)
        counts = {"items": len(draws[0]), "asked": mine["asked"].sum(), "answered": mine["answered"].sum()}
        score = _number(cell.scores(np.ones((1, len(draws[0]))))[0])
        named = {**_names(verdicts), "part": cell.part, "over": cell.over}
        rows.append({**named, "score": score, "low": low, "high": high, **counts, "constant": _constant(verdicts)})
    return pl.DataFrame(rows, schema_overrides=dict.fromkeys(("score", "low", "high", "constant"), pl.Float64))


def compare_task(verdicts: pl.DataFrame, unedited: pl.DataFrame, seed: int = 0) -> pl.DataFrame:
    """Return by how much each score of `score_task` differs from that of the unedited model on the same items.

    Columns task, protocol, metric, part, over, before, after, change (after - before), low, high (95 % bootstrap
    interval of the change, both models resampled together; exact where no item changes or all do from right to wrong or
    back; null where there is none), p (two-sided, of a permutation test) and items. Raises UserError where the two
    aren't verdicts on the same prompts' items.

    The interval is too narrow where few items change: four lost of eighty leave it below zero, the test at .125.
    """
    key = ["task", "protocol", "metric", "item", "part"]
    if not verdicts.select(key).sort(key).equals(unedited.select(key).sort(key)):
        raise UserError(
            f"verdicts on {_names(verdicts)} and {_names(unedited)} ({len(unedited)} prompts before, {len(verdicts)} "
            "after) are not on the same items; ask both models the same items under the same protocol."
        )
    draws = _draws(verdicts, seed)
    once = np.ones((1, len(draws[0])))
    rows = []
    for after, before in zip(_cells(verdicts), _cells(unedited), strict=True):
        low, high = after.change(before, draws)
        scores = [_number(cell.scores(once)[0]) for cell in (before, after)]
        change = None if None in scores else float(after.scores(once)[0] - before.scores(once)[0])
        named = {**_names(verdicts), "part": after.part, "over": after.over, "before": scores[0], "after": scores[1]}
        p = None if change is None else _permutation(after, before, change, seed)
        rows.append({**named, "change": change, "low": low, "high": high, "p": p, "items": len(draws[0])})
    kinds = dict.fromkeys(("before", "after", "change", "low", "high", "p"), pl.Float64)
    return pl.DataFrame(rows, schema_overrides=kinds)


def _permutation(after: _Cell, before: _Cell, change: float, seed: int) -> float:
    """Return how often a change as large comes of swapping the two models' verdicts on each item, or not, by chance.

    Of few items that differ, all swaps are tried; of many, a sample.
    """
    differs = ((after.gained != before.gained) | (after.possible != before.possible)).any(1)
    count = int(differs.sum())
    every = 2**count <= PERMUTATIONS
    if every:
        drawn = np.arange(2**count)[:, None] >> np.arange(count) & 1 == 1
    else:
        drawn = np.random.default_rng(seed).random((PERMUTATIONS, count)) < 0.5
    swapped = np.zeros((len(drawn), len(differs)), dtype=bool)
    swapped[:, differs] = drawn
    changes = after.mixed(before, swapped) - before.mixed(after, swapped)
    as_large = int((np.abs(changes) >= abs(change) - 1e-9).sum())
    # The verdicts as they are belong to the sample.
    return as_large / len(drawn) if every else (as_large + 1) / (len(drawn) + 1)


def _cells(verdicts: pl.DataFrame) -> Iterator[_Cell]:
    verdicts = verdicts.sort("item", "part")
    parts = verdicts["part"].unique().sort().to_list()
    shape = (verdicts["item"].n_unique(), len(parts))
    columns = (verdicts[name].to_numpy().reshape(shape) for name in ("gained", "possible", "answered"))
    gained, possible, answered = columns
    pooled = verdicts["protocol"][0] == CORRECTED
    for over, counted in ((ALL, np.ones(shape)), (ANSWERED, answered)):
        yield _Cell(ALL, over, gained * counted, possible * counted, pooled)
    for number, part in enumerate(parts if len(parts) > 1 else []):
        mine = slice(number, number + 1)
        for over, counted in ((ALL, np.ones(shape)), (ANSWERED, answered)):
            yield _Cell(part, over, (gained * counted)[:, mine], (possible * counted)[:, mine], pooled)


def _draws(verdicts: pl.DataFrame, seed: int) -> np.ndarray:
    """Return how often each item is in each bootstrap sample, (RESAMPLES, items)."""
    if verdicts.is_empty():
        raise UserError("verdicts: there are none to score; ask a task with at least one item.")
    items = verdicts["item"].n_unique()
    return np.random.default_rng(seed).multinomial(items, np.full(items, 1 / items), RESAMPLES).astype(float)


def _interval(scores: np.ndarray) -> tuple[float | None, float | None]:
    known = scores[~np.isnan(scores)]
    if not len(known):
        return None, None
    low, high = np.quantile(known, (0.025, 0.975))
    return float(low), float(high)


def _number(score: float) -> float | None:
    return None if np.isnan(score) else float(score)


def _names(verdicts: pl.DataFrame) -> dict[str, Any]:
    return {name: verdicts[name][0] for name in ("task", "protocol", "metric")}


def _constant(verdicts: pl.DataFrame) -> float | None:
    """Return how often the most frequent right answer is right, where an answer is right or wrong."""
    if verdicts["metric"][0] in NOT_RIGHT_OR_WRONG:
        return None
    counts = Counter(text for wanted in verdicts["wanted"].to_list() for text in set(wanted))
    return max(counts.values()) / len(verdicts)
