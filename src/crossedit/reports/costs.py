"""What the experiment cost: seconds per fact of its cells, time of hosts and GPUs of its stages."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from crossedit import tables
from crossedit.jobs import Record, read_record
from crossedit.reports.naming import language
from crossedit.reports.owners import Place, cell_of
from crossedit.reports.scores import DASH
from crossedit.reports.sheets import Cell, Column, Number, Sheet
from crossedit.runs.words import hours, lasting
from crossedit.usage import Used, records_below

Notes = Mapping[Path, Mapping[str, Any]]  # what predictions files say of their making

_PARTS = ("edit", "answer")
_GPU = (Column("Memory, GiB", "GPU"), Column("Busy", "GPU"))


class Seconds(NamedTuple):
    """Seconds per fact, None where they are not known."""

    edit: float | None  # finding the edit
    answer: float | None


def notes_of(paths: Sequence[Path]) -> Notes:
    """Return what predictions files say of their making."""
    return {path: tables.provenance(path) for path in paths}


def seconds(notes: Notes) -> dict[Place, Seconds]:
    """Return the seconds of each cell, those of its shards added up, from the notes on its predictions."""
    return {cell: _each(_sums(notes[path] for path in shards)) for cell, shards in _shards(notes).items()}


def _shards(paths: Iterable[Path]) -> dict[Place, list[Path]]:
    shards: dict[Place, list[Path]] = {}
    for path in paths:
        shards.setdefault(cell_of(path), []).append(path)
    return shards


def _sums(notes: Iterable[Mapping[str, Any]]) -> Counter[str]:
    """Return the seconds that shards' notes of their making tell, and the number of their facts."""
    sums: Counter[str] = Counter()
    for note in notes:
        sums.update(note.get("seconds") or {})
    return sums


def _each(sums: Counter[str]) -> Seconds:
    facts = sums["facts"]
    return Seconds(*(sums[part] / facts if facts and part in sums else None for part in _PARTS))


def costs(notes: Notes) -> Sheet:
    """Return seconds per fact of each cell, those of its shards added up; a dash where they are not known.

    Beside them is what the jobs that made the predictions took of a GPU, where any did.
    """
    rows = []
    for cell, shards in _shards(notes).items():
        sums = _sums(notes[path] for path in shards)
        facts = sums["facts"]
        each = [DASH if found is None else f"{found:.3f}" for found in _each(sums)]
        label = (cell.facts, cell.backbone, language(cell.edit_lang), cell.editor)
        device = str(notes[shards[-1]].get("device", DASH))
        used = Used.over(map(read_record, shards))
        rows.append((*label, f"{facts:g}" if facts else DASH, *each, device, _seconds(used), *_gpu(used)))
    columns = (
        Column("Facts"),
        Column("Backbone"),
        Column("Edited in"),
        Column("Method"),
        Column("Test facts"),
        Column("Finding the edit", "Seconds per fact"),
        Column("Answering", "Seconds per fact"),
        Column("Device"),
        Column("Seconds", "GPU"),
        *_GPU,
    )
    return _sheet("costs", "Seconds per fact", columns, sorted(rows), labels=4)


def stages(results: Path) -> Sheet:
    """Return what the jobs of each stage have taken, by the records in the results folder, and all of them together."""
    records: dict[str, list[Record]] = {}
    for output, record in records_below(results):
        records.setdefault(Path(output).relative_to(results).parts[0], []).append(record)
    total = [record for group in records.values() for record in group]
    used = {stage: Used.over(group) for stage, group in [*sorted(records.items()), ("together", total)]}
    columns = (Column("Stage"), Column("Jobs"), Column("Time", "Hosts"), Column("Time", "GPU"), *_GPU)
    rows = [
        (
            stage,
            str(what.jobs),
            _time(what.host_hours),
            _time(what.gpu_hours) if what.gpu_jobs else DASH,
            *_gpu(what),
        )
        for stage, what in used.items()
    ]
    return _sheet("stages", "Time of each stage, all its jobs together", columns, rows, labels=1)


def _sheet(name: str, title: str, columns: Sequence[Column], rows: Sequence[tuple[Cell, ...]], labels: int) -> Sheet:
    """Return the sheet, without the columns of GPUs where no job used one."""
    of_gpus = [place for place, column in enumerate(columns) if column.group == "GPU"]
    idle = all(row[place] == DASH for row in rows for place in of_gpus)
    kept = [place for place in range(len(columns)) if not (idle and place in of_gpus)]
    return Sheet(
        name=name,
        title=title,
        columns=tuple(columns[place] for place in kept),
        rows=tuple(tuple(row[place] for place in kept) for row in rows),
        labels=labels,
    )


def _seconds(used: Used) -> str:
    return f"{used.gpu_hours * 3600:.0f}" if used.gpu_jobs else DASH


def _time(spent: float) -> Number:
    """Return hours as such, and less than one in minutes and seconds."""
    return Number(f"{hours(spent)} h" if spent >= 1 else lasting(3600 * spent), spent)


def _gpu(used: Used) -> tuple[str, str]:
    """Return the most memory of a GPU that a job had, and the share of its time in which it worked."""
    memory = DASH if used.gpu_memory_peak is None else f"{used.gpu_memory_peak / 2**30:.1f}"
    return memory, DASH if used.utilisation is None else f"{used.utilisation:.0%}"
