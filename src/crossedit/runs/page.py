"""The status of an experiment as a page in one file that needs nothing else."""

import shlex
import time
from pathlib import Path
from typing import NamedTuple

from crossedit.config import Cell
from crossedit.files import whole
from crossedit.reports.html import render
from crossedit.runs.states import State
from crossedit.runs.status import STATES, Standing, Status
from crossedit.runs.words import counted, part, since, used

# How the page's style sheet draws each state; its words stand beside.
_TONES: dict[State, str] = {"done": "right", "running": "high", "failed": "wrong", "missing": "low"}


class Grid(NamedTuple):
    """The cells of some facts: rows of editors, in columns of backbones and languages; None where there is no cell."""

    facts: str
    backbones: list[tuple[str, int]]  # with the number of their columns
    languages: list[str]  # of each column
    rows: list[tuple[str, list[Standing | None]]]


def write(status: Status, out: Path) -> None:
    """Write the page."""
    with whole(out) as temporary:
        temporary.write_text(page(status), encoding="utf-8")


def page(status: Status) -> str:
    """Return the page as HTML."""
    return render(
        "status.html.j2",
        status=status,
        grids=[_grid(status, facts) for facts in dict.fromkeys(cell.facts for cell in status.cells)],
        sentences=[*counted(status), used(status.used)],
        made=time.strftime("%Y-%m-%d %H:%M"),
        states=STATES,
        tones=_TONES,
        part=part,
        since=since,
        command=shlex.join,
    )


def _grid(status: Status, facts: str) -> Grid:
    places = list(dict.fromkeys((cell.backbone, cell.language) for cell in status.cells if cell.facts == facts))
    backbones = dict.fromkeys(backbone for backbone, _ in places)
    # The languages of a backbone stand together.
    columns = [place for backbone in backbones for place in places if place[0] == backbone]
    editors = dict.fromkeys(cell.editor for cell in status.cells if cell.facts == facts)
    return Grid(
        facts=facts,
        backbones=[(backbone, sum(place[0] == backbone for place in places)) for backbone in backbones],
        languages=[language for _, language in columns],
        rows=[
            (editor, [status.cells.get(Cell(facts, place[0], editor, place[1])) for place in columns])
            for editor in editors
        ],
    )
