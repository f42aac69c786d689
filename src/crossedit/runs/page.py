"""The status of an experiment as a page in one file that needs nothing else, and as a part of the report's."""

import shlex
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from crossedit.config import Cell
from crossedit.files import whole
from crossedit.reports.html import render
from crossedit.runs.states import Found
from crossedit.runs.status import Failure, Standing, Status
from crossedit.runs.words import counted, part, since, used
from crossedit.sweeps.settings import Sweep


class Grid(NamedTuple):
    """The cells of some facts: rows of editors, in columns of backbones and languages; None where there is no cell."""

    facts: str
    backbones: list[tuple[str, int]]  # with the number of their columns
    languages: list[str]  # of each column
    rows: list[tuple[str, list[Standing | None]]]


class Working(NamedTuple):
    """A job that is running, in words."""

    name: str
    part: str
    since: str


class Ended(NamedTuple):
    """A job that has failed, in words, with the end of its log and where to read more."""

    part: str
    reason: str
    said: tuple[str, ...]
    log: str | None


class Broken(NamedTuple):
    """What has failed of a cell or sweep, and the command that runs it again."""

    name: str
    jobs: list[Ended]
    command: str


class Shown(NamedTuple):
    """What templates/standing.html.j2 shows."""

    sentences: list[str]  # numbers of cells, stops and sweeps
    grids: list[Grid]
    stops: Mapping[Sweep, Mapping[int, Standing]]
    sweeps: Mapping[Sweep, Standing]
    running: list[Working]
    failed: list[Broken]


def write(status: Status, out: Path) -> None:
    """Write the page."""
    with whole(out) as temporary:
        temporary.write_text(page(status), encoding="utf-8")


def page(status: Status) -> str:
    """Return the page as HTML."""
    return render(
        "status.html.j2",
        shown=shown(status),
        used=used(status.used),
        results=status.experiment.config["results"],
        made=time.strftime("%Y-%m-%d %H:%M"),
    )


def shown(status: Status) -> Shown:
    """Return what the page shows."""
    return Shown(
        sentences=counted(status),
        grids=[_grid(status, facts) for facts in dict.fromkeys(cell.facts for cell in status.cells)],
        stops=status.stops,
        sweeps=status.sweeps,
        running=[Working(name, part(found), since(found)) for name, found in status.running],
        failed=[_broken(failure) for failure in status.failed],
    )


def _broken(failure: Failure) -> Broken:
    return Broken(failure.name, [_ended(found) for found in failure.jobs], shlex.join(failure.command))


def _ended(found: Found) -> Ended:
    return Ended(part(found), found.reason, found.said, found.log)


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
