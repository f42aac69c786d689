"""The status of an experiment in the terminal. What is to be seen first stands last, above the prompt."""

import shlex
from collections.abc import Iterator, Sequence
from itertools import groupby

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from crossedit.config import Cell
from crossedit.runs.states import Found, State
from crossedit.runs.status import Failure, Standing, Status
from crossedit.runs.words import counted, part, since, used

_LOG_WIDTH = 160  # where there is no terminal that has one
_LINES = 6  # of a log
_SIGNS: dict[State, str] = {"done": "✓", "running": "▶", "failed": "✗", "missing": "·"}
# Where the terminal can't write such signs.
_LETTERS: dict[State, str] = {"done": "ok", "running": "run", "failed": "FAIL", "missing": "-"}
_STYLES: dict[State, str] = {"done": "green", "running": "cyan", "failed": "bold red", "missing": "dim"}

Place = tuple[str, str]  # a column of the grid: backbone and language


def show(status: Status, console: Console | None = None) -> None:
    """Print the grid, the sweeps, what runs, what has failed with log and command, and how many are done."""
    if console is None:
        console = Console()
        if not console.is_terminal:
            console = Console(width=_LOG_WIDTH)
    signs = _SIGNS if console.encoding.startswith("utf") else _LETTERS
    for facts in dict.fromkeys(cell.facts for cell in status.cells):
        for table in _grid(status, facts, console, signs):
            console.print(Text(f"\n{facts}: facts edited one at a time", style="bold"))
            console.print(table)
    if status.stops:
        console.print(Text("\nSweeps", style="bold"))
        console.print(_sweeps(status, signs))
    legend = [Text(f"{sign} {state}", _STYLES[state]) for state, sign in signs.items()]
    console.print(Text("   ").join([*legend, Text("2/4: two of four shards, or of a stop's tables", "dim")]))
    if status.running:
        console.print(Text("\nRunning", style="bold"))
    for name, found in status.running:
        console.print(
            Text.assemble((f"{signs['running']} {name}", "cyan"), f"  {part(found)}  {since(found)}"), soft_wrap=True
        )
    if status.failed:
        console.print(Text("\nFailed", style="bold"))
    # What fails for the same reason is told once.
    for _, alike in groupby(status.failed, key=lambda failure: [(job.reason, job.said) for job in failure.jobs]):
        for told in _failures(list(alike), signs):
            console.print(told, soft_wrap=True)
    console.print()
    # What Snakemake would make anew since something has changed, only Snakemake knows.
    for line in (*counted(status), used(status.used), "Done is what is there; `crossedit plan` says what would run."):
        console.print(Text(line), soft_wrap=True)


def _grid(status: Status, facts: str, console: Console, signs: dict[State, str]) -> Iterator[Table]:
    """Yield the cells of some facts, editors by backbones and languages, in as many tables as the width needs."""
    cells = {cell: standing for cell, standing in status.cells.items() if cell.facts == facts}
    places = list(dict.fromkeys((cell.backbone, cell.language) for cell in cells))
    while places:
        number = len(places)
        while (table := _table(cells, facts, places[:number], signs)) and number > 1:
            if Measurement.get(console, console.options, table).maximum < console.width:
                break
            number -= 1
        yield table
        places = places[number:]


def _table(cells: dict[Cell, Standing], facts: str, places: Sequence[Place], signs: dict[State, str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False, show_edge=False)
    table.add_column("Editor")
    before = None
    for backbone, language in places:
        # A backbone is named once, above the first of its languages.
        table.add_column(Text(f"{'' if backbone == before else backbone}\n{language}"), no_wrap=True)
        before = backbone
    for editor in dict.fromkeys(cell.editor for cell in cells):
        standings = [cells.get(Cell(facts, backbone, editor, language)) for backbone, language in places]
        if any(standings):
            table.add_row(Text(editor), *(_sign(standing, signs) if standing else Text() for standing in standings))
    return table


def _sweeps(status: Status, signs: dict[State, str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False, show_edge=False)
    for head in ("Sweep", "Backbone", "Stops", "Tables"):
        table.add_column(head)
    for sweep, stops in status.stops.items():
        # A stop stays on one line; lines break between stops.
        said = [Text(f"{stop}\N{NO-BREAK SPACE}") + _sign(standing, signs) for stop, standing in stops.items()]
        tables = status.sweeps.get(sweep)
        together = Text("  ").join(said)
        table.add_row(Text(sweep.sweep), Text(sweep.backbone), together, _sign(tables, signs) if tables else Text())
    return table


def _sign(standing: Standing, signs: dict[State, str]) -> Text:
    progress = f"\N{NO-BREAK SPACE}{standing.progress}" if standing.progress else ""
    return Text(f"{signs[standing.state]}{progress}", style=_STYLES[standing.state])


def _failures(alike: Sequence[Failure], signs: dict[State, str]) -> Iterator[Text]:
    for failure in alike:
        yield Text(f"{signs['failed']} {failure.name}", style=_STYLES["failed"])
    for found in alike[0].jobs:
        yield from _told(found)
    for failure in alike:
        yield Text.assemble(("  again: ", "dim"), shlex.join(failure.command))


def _told(found: Found) -> Iterator[Text]:
    yield Text.assemble((f"  {part(found)}: ", "dim"), found.reason)
    for line in found.said[-_LINES:]:
        yield Text(f"  | {line}", style="dim")
    if found.log:
        yield Text(f"  log: {found.log}", style="dim")
