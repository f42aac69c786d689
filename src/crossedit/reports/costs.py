"""What the cells cost: seconds per fact, from the provenance of their predictions."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from crossedit import tables
from crossedit.reports.naming import language
from crossedit.reports.owners import Place, cell_of
from crossedit.reports.scores import DASH
from crossedit.reports.sheets import Column, Sheet

_PARTS = ("edit", "answer")


def costs(paths: Sequence[Path]) -> Sheet:
    """Return seconds per fact of each cell, those of its shards added up; a dash where they are not known."""
    sums: dict[Place, Counter[str]] = {}
    devices: dict[Place, str] = {}
    for path in paths:
        made, cell = tables.provenance(path), cell_of(path)
        sums.setdefault(cell, Counter()).update(made.get("seconds") or {})
        devices[cell] = str(made.get("device", DASH))
    rows = []
    for cell, seconds in sums.items():
        facts = seconds["facts"]
        each = [f"{seconds[part] / facts:.3f}" if facts and part in seconds else DASH for part in _PARTS]
        label = (cell.facts, cell.backbone, language(cell.edit_lang), cell.editor)
        rows.append((*label, f"{facts:g}" if facts else DASH, *each, devices[cell]))
    return Sheet(
        name="costs",
        title="Seconds per fact",
        columns=(
            Column("Facts"),
            Column("Backbone"),
            Column("Edited in"),
            Column("Method"),
            Column("Number"),
            Column("Finding the edit", "Seconds per fact"),
            Column("Answering", "Seconds per fact"),
            Column("Device"),
        ),
        rows=tuple(sorted(rows)),
        labels=4,
    )
