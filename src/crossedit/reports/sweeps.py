"""The tables of all sweeps in one place, and looking something up in them.

sweeps = Sweeps.read(entry, task_scores, fact_scores, weight_changes)      the configuration, then whatever has scores
sweeps.task(sweep, backbone, "rte", "corrected", stop=10)                  -> TaskScore, or None where there is none
sweeps.fact(sweep, backbone, stop=10, aspect="reliability", lang="en", protocol="teacher_forced")  -> Estimate, or None
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from crossedit import tables
from crossedit.reports.naming import union
from crossedit.reports.plan import Planned, by_protocol, planned
from crossedit.reports.scores import Estimate
from crossedit.reports.statistics.paired import holm

EVERYTHING = "all"  # parts of items together; items whether answered or not; locality of every kind
ANSWERED = "answered"  # items in whose generation an answer was found
SIGNIFICANT = 0.05  # p below which a change is not taken for chance
SO_FAR = 0  # edited_by of all facts edited so far
_TESTED = ("sweep", "backbone", "stop", "task", "protocol")  # the columns by which a task's score is known


class Change(NamedTuple):
    """By how much a score differs from that of the unedited model; negative is a fall."""

    mean: float
    low: float  # 95 % interval; NaN where there is none
    high: float
    p: float  # two-sided, of a permutation test
    p_adjusted: float  # after Holm's correction for the family's tests
    family: int  # how many these are: of all tasks at all stops of the sweep, on one backbone and under one protocol

    @property
    def falls(self) -> bool:
        """Whether it is below 0, with the whole of its interval if there is one, and the test agrees.

        Where few items change, the interval alone finds falls that may well be chance.
        """
        return self.mean < 0 and not self.high >= 0 and self.p_adjusted < SIGNIFICANT


class TaskScore(NamedTuple):
    """A model's score on a task."""

    score: Estimate
    change: Change | None
    constant: float | None  # the score of always giving the most frequent right answer
    asked: int  # prompts that were put to the model
    answered: int  # those in whose generation an answer was found
    over_answered: Estimate | None  # the score over the items with one alone


class Sweeps:
    """TASK_SCORES, FACT_SCORES and WEIGHT_CHANGES by sweep; `all` names the sweeps in the order of the report."""

    def __init__(
        self, entry: Mapping[str, Any], tasks: pl.DataFrame, facts: pl.DataFrame, weights: pl.DataFrame
    ) -> None:
        self._facts = _facts(facts)
        self._weights = _weights(weights)
        self.langs, self.protocols = (union(facts[name]) for name in ("lang", "protocol"))  # that facts are asked in
        named = {sweep.name: sweep for sweep in planned(entry)}
        found = pl.concat([frame.select("sweep") for frame in (tasks, facts, weights)])["sweep"]
        names = dict.fromkeys([*named, *found.unique(maintain_order=True)])
        self.all = tuple(_completed(name, named.get(name), tasks, facts, weights) for name in names)
        self._tasks = _tasks(tasks, self.all)

    @classmethod
    def read(
        cls, entry: Mapping[str, Any], tasks: Sequence[Path], facts: Sequence[Path], weights: Sequence[Path]
    ) -> "Sweeps":
        """Return the tables of all files. Raises UserError where one can't be used, or two hold the same."""
        return cls(
            entry,
            tables.read_all(tasks, tables.TASK_SCORES),
            tables.read_all(facts, tables.FACT_SCORES),
            tables.read_all(weights, tables.WEIGHT_CHANGES),
        )

    def task(self, sweep: str, backbone: str, task: str, protocol: str, stop: int) -> TaskScore | None:
        """Return the score over all items at a stop, 0 being the unedited model; None where it isn't known."""
        return self._tasks.get((sweep, backbone, stop, task, protocol))

    def fact(
        self,
        sweep: str,
        backbone: str,
        stop: int,
        aspect: str,
        lang: str,
        protocol: str,
        edited_by: int = SO_FAR,
    ) -> Estimate | None:
        """Return the share of exact matches on edited facts; None where it isn't known."""
        return self._facts.get((sweep, backbone, stop, edited_by, aspect, lang, protocol))

    def weights(self, sweep: str, backbone: str) -> dict[tuple[int, int], float]:
        """Return by (layer, stop) the relative change of the layer's most changed matrix, NaN where one has none."""
        return self._weights.get((sweep, backbone), {})


def _completed(
    name: str, sweep: Planned | None, tasks: pl.DataFrame, facts: pl.DataFrame, weights: pl.DataFrame
) -> Planned:
    """Return the sweep with whatever the tables hold beside what the configuration names."""
    own_tasks, own_facts, own_weights = (frame.filter(pl.col("sweep") == name) for frame in (tasks, facts, weights))
    shared = ("backbone", "editor", "setting", "batch_size", "stop")
    rows = pl.concat([frame.select(shared) for frame in (own_tasks, own_facts, own_weights)])
    if sweep is None:
        first = rows.row(0, named=True)
        sweep = Planned(name, first["editor"], first["setting"], first["batch_size"], (), "", (), {})
    named = [(protocol, task) for protocol, tasks in sweep.tasks.items() for task in tasks]
    return replace(
        sweep,
        stops=tuple(sorted({*sweep.stops, *rows["stop"]} - {0})),
        language=sweep.language or next(iter(own_facts["edit_lang"]), ""),
        backbones=union(sweep.backbones, rows["backbone"]),
        tasks=by_protocol([*named, *own_tasks.select("protocol", "task").unique(maintain_order=True).iter_rows()]),
    )


def _tasks(frame: pl.DataFrame, sweeps: Sequence[Planned]) -> dict[tuple[Any, ...], TaskScore]:
    every = frame.filter(part=EVERYTHING)
    answered, scored = (every.filter(over=over) for over in (ANSWERED, EVERYTHING))
    over_answered = {tuple(row[name] for name in _TESTED): _estimate(row) for row in answered.iter_rows(named=True)}
    corrected = _corrected(scored, sweeps)
    found = {}
    for row in scored.iter_rows(named=True):
        score = _estimate(row)
        if score:
            key = tuple(row[name] for name in _TESTED)
            change = (row["change"], *_interval(row["change_low"], row["change_high"]), row["change_p"])
            constant = row["constant"] if _known(row["constant"]) else None
            found[key] = TaskScore(
                score,
                Change(*change, *corrected[key]) if key in corrected and _known(row["change"]) else None,
                constant,
                row["asked"],
                row["answered"],
                over_answered.get(key),
            )
    return found


def _corrected(scored: pl.DataFrame, sweeps: Sequence[Planned]) -> dict[tuple[Any, ...], tuple[float, int]]:
    """Return each test's p after Holm's correction, and for how many tests it is.

    Tests that aren't there yet count with a p of 1; whatever they bring, the others' can only become less by it.
    """
    planned = {sweep.name: sweep for sweep in sweeps}
    found = {}
    tests = scored.filter(pl.col("stop") > 0, pl.col("change_p").is_finite())
    for (sweep, _, protocol), part in tests.group_by("sweep", "backbone", "protocol"):
        family = planned[sweep].tests(protocol)
        p = np.pad(part["change_p"].to_numpy(), (0, family - len(part)), constant_values=1)
        for key, adjusted in zip(part.select(_TESTED).iter_rows(), holm(p).tolist(), strict=False):
            found[key] = adjusted, family
    return found


def _estimate(row: Mapping[str, Any]) -> Estimate | None:
    """Return the score of a row of TASK_SCORES; None where it has none."""
    interval = _interval(row["low"], row["high"])
    return Estimate(row["score"], *interval, row["items"]) if _known(row["score"]) else None


def _interval(low: float | None, high: float | None) -> tuple[float, float]:
    if low is None or high is None or not _known(low, high):
        return math.nan, math.nan
    return low, high


def _facts(frame: pl.DataFrame) -> dict[tuple[Any, ...], Estimate]:
    key = ("sweep", "backbone", "stop", "edited_by", "aspect", "lang", "protocol")
    known = frame.filter(pl.col("mean").is_finite(), kind=EVERYTHING, metric="em")
    estimates = known.select("mean", "low", "high", "n").iter_rows()
    return {place: Estimate(*found) for place, found in zip(known.select(key).iter_rows(), estimates, strict=True)}


def _weights(frame: pl.DataFrame) -> dict[tuple[str, str], dict[tuple[int, int], float]]:
    found: dict[tuple[str, str], dict[tuple[int, int], float]] = {}
    relative = pl.col("relative")
    most = frame.group_by("sweep", "backbone", "layer", "stop").agg(
        # What is no number in one matrix is more than what others have changed by.
        pl.when(relative.is_finite().fill_null(False).all()).then(relative.max()).otherwise(math.nan)
    )
    for sweep, backbone, layer, stop, change in most.sort("sweep", "backbone", "layer", "stop").iter_rows():
        found.setdefault((sweep, backbone), {})[layer, stop] = change
    return found


def _known(*values: float | None) -> bool:
    return all(value is not None and math.isfinite(value) for value in values)
