"""What differs between two runs: whose scores have changed and by how much, and what was made otherwise.

a, b = Run.read(Path("older")), Run.read(Path("results"))     results folders, or scores.parquet files
differences(a, b, threshold=0.5)                              of cells, and of the tasks and facts of sweeps
made_otherwise(a, b)                                          settings that differ, and in which cells
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from crossedit import tables
from crossedit.errors import UserError
from crossedit.facts.languages import is_language
from crossedit.tables import FACT_SCORES, SCORES, TASK_SCORES, Table

_CELLS = ("edits/*/*/*/*/scores.parquet", "edits/*/*/unedited.parquet")
_COLLECTED = "reports/scores.parquet"
_ROUNDING = 1e-9  # in points
# What says nothing of how something was made: what it is, what came of it, how long it took, on which of the facts.
_UNTOLD = frozenset({"table", "predictions", "unedited", "inputs", "seconds", "shard", "checkpoints", "stops"})


@dataclass(frozen=True, eq=False)
class Kind:
    """A kind of scores."""

    name: str
    table: Table
    cell: tuple[str, ...]  # the columns that name a cell
    value: str  # the column of scores, 0 to 1
    n: str  # that of what they are means over

    @property
    def where(self) -> list[str]:
        """The columns that tell the scores of a cell apart."""
        return [name for name in self.table.key if name not in self.cell]


EDITS = Kind("edits", SCORES, ("facts", "backbone", "editor", "edit_lang"), "mean", "n")
TASKS = Kind("sweeps' tasks", TASK_SCORES, ("sweep", "backbone"), "score", "items")
FACTS = Kind("sweeps' facts", FACT_SCORES, ("sweep", "backbone"), "mean", "n")


class Run(NamedTuple):
    """The scores of a run, and how its cells were made."""

    path: Path
    scores: dict[Kind, pl.DataFrame]  # of a file those of edits alone; without means over languages
    made: dict[tuple[str, str], dict[str, Any]]  # by cell and kind of file: settings such as editor.hparams.v_lr

    @classmethod
    def read(cls, path: Path) -> "Run":
        """Return what lies in a results folder, or in a SCORES file. Raises UserError where there is no score."""
        if path.is_file():
            found = {EDITS: [path]}
        elif path.is_dir():
            cells = [file for pattern in _CELLS for file in sorted(path.glob(pattern))]
            # What was collected may be older than the cells, or be all that was kept.
            collected = [file for file in [path / _COLLECTED] if file.exists()]
            found = {
                EDITS: cells or collected,
                TASKS: sorted(path.glob("sweeps/*/*/tasks.parquet")),
                FACTS: sorted(path.glob("sweeps/*/*/facts.parquet")),
            }
        else:
            raise UserError(f"{path}: no such folder or file; name two results folders, or two scores.parquet.")
        if not any(found.values()):
            raise UserError(f"{path}: no score is in there; name a folder of results, with edits/ or sweeps/ in it.")
        scores = {kind: _read(files, kind) for kind, files in found.items()}
        files = [*found[EDITS], *found.get(TASKS, [])]
        files += [beside for file in files for beside in sorted(file.parent.glob("predictions.*.parquet"))[:1]]
        return cls(path, scores, dict(_settings(file, path) for file in files))


class Differences(NamedTuple):
    """What differs in one kind of scores."""

    kind: Kind
    cells: int  # that both runs have
    scores: int  # that both have
    changed: pl.DataFrame  # the key, a, b, change in points, n_a and n_b; the largest changes first, then other counts
    only: dict[str, list[tuple[str, ...]]]  # cells that only `a` has, or only `b`
    lone: dict[str, int]  # scores that only one has, of cells that both have

    @property
    def any(self) -> bool:
        """Whether anything differs."""
        return len(self.changed) > 0 or any(self.only.values()) or any(self.lone.values())


class Otherwise(NamedTuple):
    """A setting that differs."""

    setting: str
    a: Any
    b: Any
    cells: list[str]  # in which it does


def differences(a: Run, b: Run, threshold: float = 0) -> list[Differences]:
    """Return what differs in each kind of scores that either run has; changes up to the threshold don't count.

    threshold: in points. A score that is no number has changed where it is one in the other run, and any score that is
    the mean over another number of facts or items. Intervals aren't compared.
    """
    shared = [kind for kind in a.scores if kind in b.scores]
    kinds = [kind for kind in shared if len(a.scores[kind]) or len(b.scores[kind])]
    return [_differences(kind, a.scores[kind], b.scores[kind], threshold) for kind in kinds]


def made_otherwise(a: Run, b: Run) -> list[Otherwise]:
    """Return the settings that differ in files that both runs have, those of the most cells first."""
    found: dict[tuple[str, str, str], Otherwise] = {}
    for cell, file in sorted(a.made.keys() & b.made.keys()):
        one, other = a.made[cell, file], b.made[cell, file]
        for name in sorted(one.keys() | other.keys()):
            pair = one.get(name), other.get(name)
            if pair[0] != pair[1]:
                shown = json.dumps(pair[0], sort_keys=True), json.dumps(pair[1], sort_keys=True)
                found.setdefault((name, *shown), Otherwise(name, *pair, [])).cells.append(cell)
    return sorted(found.values(), key=lambda one: -len(one.cells))


def _differences(kind: Kind, a: pl.DataFrame, b: pl.DataFrame, threshold: float) -> Differences:
    key = list(kind.table.key)
    sides = [
        frame.select(*key, pl.col(kind.value).fill_nan(None).alias(name), pl.col(kind.n).alias(f"n_{name}"))
        for name, frame in (("a", a), ("b", b))
    ]
    joined = sides[0].join(sides[1], on=key, how="full", coalesce=True)
    both = joined.filter(pl.col("n_a").is_not_null(), pl.col("n_b").is_not_null())
    both = both.with_columns(change=100 * (pl.col("b") - pl.col("a")))
    size = pl.col("change").abs()
    unlike = pl.col("a").is_null() != pl.col("b").is_null()
    over_others = pl.col("n_a") != pl.col("n_b")
    changed = both.filter(unlike | over_others | (size > threshold + _ROUNDING))
    changed = changed.sort(pl.when(unlike).then(float("inf")).otherwise(size.fill_null(0)), descending=True)
    cells = [set(frame.select(kind.cell).iter_rows()) for frame in (a, b)]
    shared = pl.DataFrame(sorted(cells[0] & cells[1]), schema=dict.fromkeys(kind.cell, pl.String), orient="row")
    lone = joined.join(shared, on=kind.cell, how="semi")
    return Differences(
        kind=kind,
        cells=len(shared),
        scores=len(both),
        changed=changed.select(*key, "a", "b", "change", "n_a", "n_b"),
        only={"a": sorted(cells[0] - cells[1]), "b": sorted(cells[1] - cells[0])},
        lone={"a": lone["n_b"].null_count(), "b": lone["n_a"].null_count()},
    )


def _read(paths: Sequence[Path], kind: Kind) -> pl.DataFrame:
    only = (kind.value, kind.n)
    table = kind.table.only(only)
    frames = [pl.DataFrame(schema=table.columns), *(tables.read(path, kind.table, only) for path in paths)]
    found = tables.check(pl.concat(frames), table, ", ".join(map(str, paths[:3])))
    if kind is not EDITS:
        return found
    # Means over other languages follow from what is asked in each, and older tables have none.
    return found.filter(pl.col("lang").is_in(list(filter(is_language, found["lang"].unique()))))


def _settings(file: Path, run: Path) -> tuple[tuple[str, str], dict[str, Any]]:
    """Return the cell and the kind of file, and what the file says of its making."""
    said = tables.provenance(file)
    told = [pair for note in (said, *said.get("checkpoints", [])[:1]) for pair in _flat(note)]
    cell = file.name if file == run else str(file.parent.relative_to(run if run.is_dir() else run.parent))
    return (cell, said.get("table", "")), {name: value for name, value in told if name.split(".")[0] not in _UNTOLD}


def _flat(note: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in note.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value
