"""What the backbones are able to do, as Bi-ZsRE's Table 3: benchmarks that `crossedit backbones capability` asked."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from crossedit.edits.scores import exact_bounds
from crossedit.errors import UserError
from crossedit.reports import published
from crossedit.reports.naming import union
from crossedit.reports.owners import owner_of, read_json
from crossedit.reports.scores import DASH, Estimate
from crossedit.reports.sheets import Cell, Column, Measured, Number, Sheet, tone

_Z = 1.96  # standard errors on either side of a mean, of a 95 % interval
_FIRST = "acc"  # the metric that is shown where a benchmark has several
# Metrics of lm-eval that are means over questions, each of which counts from 0 to 1.
_MEANS = {
    *("acc", "acc_all", "acc_bytes", "acc_mutual_info", "acc_norm", "em", "exact_match", "math_verify", "mc1", "mc2"),
    *("prompt_level_loose_acc", "prompt_level_strict_acc"),
}
# And others that are shares. f1 isn't among them: that of SQuAD's tasks is in percent already, others aren't.
_SHARES = {*_MEANS, "inst_level_loose_acc", "inst_level_strict_acc"}
# The paper's benchmarks by their names in lm-eval, with their names and their columns in `resources/published`.
_PRINTED = {"ceval-valid": ("C-Eval", "ceval"), "mmlu": ("MMLU", "mmlu")}
_NOTE = (
    "Shares of questions, and what is like them (acc, exact_match), are in percent, other metrics as lm-eval gives "
    "them. 95 % intervals reach 1.96 standard errors to either side; where all answers are right, or none, they are "
    "exact. lm-eval's ceval-valid asks C-Eval's validation questions, as the answers to its test questions aren't "
    "public. Published are the numbers of Bi-ZsRE, Table 3."
)


def table_3(entry: Mapping[str, Any], paths: Sequence[Path]) -> Sheet:
    """Return Table 3: each backbone's scores, beside the published ones where the paper has it, and all published ones.

    The backbones and benchmarks are those of the entry's `capability`, then whatever else capability.json files tell,
    which lie each in a folder with the backbone's name. Raises UserError for a file that is none of these.
    """
    read = {owner_of(path): _read(path) for path in paths}
    found = {backbone: said.get("tasks", {}) for backbone, said in read.items()}
    asked = entry.get("capability") or {}
    tasks = union(asked.get("tasks", ()), *found.values())
    backbones = union(asked.get("backbones", ()), found)
    theirs = published.backbones_of(entry, backbones)
    printed = {row["model"]: row for row in published.capability()}
    benchmarks = [
        _Benchmark.of(task, [measured[task] for measured in found.values() if task in measured]) for task in tasks
    ]
    rows: list[tuple[Cell, ...]] = []
    for backbone in backbones:
        measured = found.get(backbone, {})
        rows.append((backbone, "ours", *(one.measured(measured.get(one.task)) for one in benchmarks)))
        if backbone in theirs:
            rows.append((backbone, "published", *_published(printed[theirs[backbone]], tasks)))
    if any(task in _PRINTED for task in tasks):
        rows += [(name, "published", *_published(row, tasks)) for name, row in printed.items() if name not in backbones]
    return Sheet(
        name="table_3",
        title="What the backbones are able to do",
        columns=(Column("Backbone"), Column("Numbers"), *(Column(one.title) for one in benchmarks)),
        rows=tuple(rows),
        labels=2,
        note=f"{_NOTE} {_asked(read)}".strip(),
    )


def _read(path: Path) -> dict[str, Any]:
    said = read_json(path)
    tasks = said.get("tasks")
    told = {"scores", "questions"}
    if not isinstance(tasks, dict) or not all(
        isinstance(task, dict) and told <= task.keys() for task in tasks.values()
    ):
        raise UserError(f"{path}: holds no scores of benchmarks; `crossedit backbones capability` writes such a file.")
    return said


def _asked(read: Mapping[str, Mapping[str, Any]]) -> str:
    """Return how the benchmarks were asked, in a sentence for each way; where there are several, of which backbones."""
    ways: dict[tuple[Any, Any], list[str]] = {}
    for backbone, said in read.items():
        ways.setdefault((said.get("num_fewshot"), said.get("limit")), []).append(backbone)
    return " ".join(
        f"Ours{' of ' + ', '.join(backbones) if len(ways) > 1 else ''}: {shots} worked questions before each"
        f"{f', {limit} questions of each task alone' if limit else ''}."
        for (shots, limit), backbones in ways.items()
        if shots is not None
    )


class _Benchmark(NamedTuple):
    """A column: a task of lm-eval and the metric that is shown of it."""

    task: str
    metric: str  # empty where nothing is known of the task
    is_share: bool

    @classmethod
    def of(cls, task: str, found: Sequence[Mapping[str, Any]]) -> "_Benchmark":
        """Return the column for what was found of the task, of all backbones."""
        known = union(*(one["scores"] for one in found))
        metric = _FIRST if _FIRST in known else next(iter(known), _FIRST if task in _PRINTED else "")
        scores = [one["scores"][metric]["score"] for one in found if metric in one["scores"]]
        return cls(task, metric, _bare(metric) in _SHARES and not any(score < 0 or score > 1 for score in scores))

    @property
    def title(self) -> str:
        name = _PRINTED.get(self.task, (self.task,))[0]
        return f"{name}, {self.metric}" if self.metric else name

    def measured(self, found: Mapping[str, Any] | None) -> Cell:
        """Return a backbone's score: a share with its interval, any other number as it is."""
        if found is None or self.metric not in found["scores"]:
            return Measured(("score",), (None,))
        score, error = (found["scores"][self.metric][name] for name in ("score", "stderr"))
        if not self.is_share:
            return Number(f"{score:.2f}", score)
        estimate = Estimate(score, *self._interval(score, error, found["questions"]), found["questions"])
        return Measured(("score",), (estimate,), unit="questions")

    def _interval(self, score: float, error: float | None, questions: int) -> tuple[float, float]:
        """Return the 95 % interval of a share; NaN where lm-eval knows no standard error, or one that says nothing."""
        if score in (0, 1) and _bare(self.metric) in _MEANS:
            return exact_bounds(questions, int(score))
        if not error or not math.isfinite(error):
            return math.nan, math.nan
        return max(0.0, score - _Z * error), min(1.0, score + _Z * error)


def _bare(metric: str) -> str:
    """Return the metric without the filter of answers that stands behind it in brackets."""
    return metric.partition(" (")[0]


def _published(row: Mapping[str, str], tasks: Sequence[str]) -> Iterator[Cell]:
    for task in tasks:
        text = row[_PRINTED[task][1]] if task in _PRINTED else ""
        yield Number(text, float(text), "as printed", tone(float(text) / 100)) if text else DASH
