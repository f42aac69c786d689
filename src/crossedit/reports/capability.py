"""What the backbones are able to do, as Bi-ZsRE's Table 3: benchmarks that `crossedit backbones capability` asked."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from crossedit.errors import UserError
from crossedit.reports import published
from crossedit.reports.naming import union
from crossedit.reports.owners import owner_of, read_json
from crossedit.reports.scores import DASH, Estimate
from crossedit.reports.sheets import Cell, Column, Measured, Number, Sheet, tone

_Z = 1.96  # standard errors on either side of a mean, of a 95 % interval
_FIRST = "acc"  # the metric that is shown where a benchmark has several
# The paper's benchmarks by their names in lm-eval, with their names and their columns in `resources/published`.
_PRINTED = {"ceval-valid": ("C-Eval", "ceval"), "mmlu": ("MMLU", "mmlu")}
_NOTE = (
    "In percent; 95 % intervals reach 1.96 standard errors to either side. lm-eval's ceval-valid asks C-Eval's "
    "validation questions, as the answers to its test questions aren't public. Published are the numbers of Bi-ZsRE, "
    "Table 3."
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
    rows: list[tuple[Cell, ...]] = []
    for backbone in backbones:
        measured = found.get(backbone, {})
        rows.append((backbone, "ours", *(_measured(measured.get(task)) for task in tasks)))
        if backbone in theirs:
            rows.append((backbone, "published", *_published(printed[theirs[backbone]], tasks)))
    if any(task in _PRINTED for task in tasks):
        rows += [(name, "published", *_published(row, tasks)) for name, row in printed.items() if name not in backbones]
    return Sheet(
        name="table_3",
        title="What the backbones are able to do",
        columns=(Column("Backbone"), Column("Numbers"), *(Column(_PRINTED.get(task, (task,))[0]) for task in tasks)),
        rows=tuple(rows),
        labels=2,
        note=f"{_NOTE} {_asked(read.values())}".strip(),
    )


def _read(path: Path) -> dict[str, Any]:
    said = read_json(path)
    tasks = said.get("tasks")
    if not isinstance(tasks, dict) or not all(isinstance(task, dict) and "scores" in task for task in tasks.values()):
        raise UserError(f"{path}: holds no scores of benchmarks; `crossedit backbones capability` writes such a file.")
    return said


def _asked(read: Iterable[Mapping[str, Any]]) -> str:
    """Return how the benchmarks were asked, in a sentence for each way."""
    ways = dict.fromkeys((said.get("num_fewshot"), said.get("limit")) for said in read)
    return " ".join(
        f"Ours: {shots} worked questions before each{f', {limit} questions of each task alone' if limit else ''}."
        for shots, limit in ways
        if shots is not None
    )


def _measured(found: Mapping[str, Any] | None) -> Cell:
    """Return the score of a benchmark, as it is where it is no share."""
    scores = found["scores"] if found else {}
    metric = _FIRST if _FIRST in scores else next(iter(scores), _FIRST)
    if found is None or metric not in scores:
        return Measured((metric,), (None,))
    score, error = scores[metric]["score"], scores[metric]["stderr"]
    if score > 1:
        return Number(f"{score:.2f}", score, metric)
    # Where lm-eval knows no standard error there is no interval.
    low, high = (math.nan, math.nan) if error is None else (max(0.0, score - _Z * error), min(1.0, score + _Z * error))
    return Measured((metric,), (Estimate(score, low, high, found["questions"]),), unit="questions")


def _published(row: Mapping[str, str], tasks: Sequence[str]) -> Iterator[Cell]:
    for task in tasks:
        text = row[_PRINTED[task][1]] if task in _PRINTED else ""
        yield Number(text, float(text), "as printed", tone(float(text) / 100)) if text else DASH
