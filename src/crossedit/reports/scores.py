"""The scores of all cells in one place, and looking one up.

scores = Scores(collect(paths))
scores.find(facts="demo", backbone="demo-bi", editor="ROME", edit_lang="en", aspect="reliability", lang="en",
            protocol="teacher_forced", metric="em")        -> Estimate, or None where there is none
"""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

import polars as pl

from crossedit import tables
from crossedit.errors import UserError
from crossedit.facts.languages import others

DASH = "–"  # stands where there is no score


class Estimate(NamedTuple):
    """A mean over `n` facts with its 95 % interval, all from 0 to 1; the interval is NaN where none is known."""

    mean: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return percent(self.mean)

    @property
    def bounded(self) -> bool:
        """Whether its interval is known."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    @property
    def interval(self) -> str:
        """The interval in percent; empty where none is known."""
        return f"{100 * self.low:z.1f} to {100 * self.high:z.1f}" if self.bounded else ""


def percent(share: float) -> str:
    """Return the share as percent with the two decimals of the papers."""
    return f"{100 * share:z.2f}"


def mean(found: Iterable[Estimate | None]) -> Estimate | None:
    """Return the mean of the estimates that are known, the only one as it is; of several, no interval is known."""
    known = [estimate for estimate in found if estimate is not None]
    if len(known) < 2:
        return known[0] if known else None
    return Estimate(fmean(one.mean for one in known), math.nan, math.nan, max(one.n for one in known))


class Scores:
    """A SCORES table by its key."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self.frame = frame
        known = frame.filter(pl.col("mean").is_finite())
        keys = known.select(tables.SCORES.key).iter_rows()
        estimates = known.select("mean", "low", "high", "n").iter_rows()
        self._known = {key: Estimate(*estimate) for key, estimate in zip(keys, estimates, strict=True)}

    @classmethod
    def none(cls) -> "Scores":
        """Return the scores of an experiment without cells."""
        return cls(pl.DataFrame(schema=tables.SCORES.columns))

    def find(
        self,
        *,
        facts: str,
        backbone: str,
        editor: str,
        edit_lang: str,
        aspect: str,
        lang: str,
        protocol: str,
        metric: str,
        kind: str = "all",
    ) -> Estimate | None:
        """Return the estimate, or None where the cell has no such score or it is no number."""
        return self._known.get((facts, backbone, editor, edit_lang, aspect, kind, lang, protocol, metric))

    def across(self, langs: Sequence[str], **of: str) -> Estimate | None:
        """Return the estimate in the other languages than that of the edit, of several their mean.

        It is that over the facts asked in all that have a score, with its interval, where the scores have it; else the
        mean of theirs.
        """
        found = [known for lang in langs if (known := self.find(lang=lang, **of))]
        return self.find(lang=others(len(found)), **of) or mean(found)

    def names(self, column: str) -> list[str]:
        """Return the column's values in their order of appearance."""
        return self.frame[column].unique(maintain_order=True).to_list()


def collect(paths: Sequence[Path]) -> pl.DataFrame:
    """Return the SCORES of all files together. Raises UserError where there are none, or two files hold the same."""
    if not paths:
        raise UserError("--scores: no file is named; give the scores.parquet of at least one cell.")
    frame = tables.read_all(paths, tables.SCORES)
    if frame.is_empty():
        raise UserError(f"{paths[0]}: no score is in there; run the cells first (snakemake edits).")
    return frame
