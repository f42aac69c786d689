"""What differs between cells more than chance would have it."""

from pathlib import Path
from typing import Any

import click

from crossedit.reports.cli.options import ENTRY, FILE, ListsJob, files


@click.command(cls=ListsJob, outputs=("out", "outcomes"))
@files("values", "Values tables of all cells, as `crossedit edits score` and `score-unedited` wrote them.")
@ENTRY
@click.option("--seed", default=0, show_default=True)
@FILE
@click.option(
    "--outcomes",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where to write what came of the edits, answer by answer, counted.",
)
def compare(values: tuple[Path, ...], entry: dict[str, Any], seed: int, out: Path, outcomes: Path) -> None:
    """Compare editors and languages fact by fact, and count what came of the edits.

    Compared are answers under the protocol that the report shows first, reports.protocol of --entry. Where edits were
    asked in more than three other languages, each fact's mean over these is.
    """
    from crossedit import files, tables
    from crossedit.reports import VERSION
    from crossedit.reports.statistics.comparing import compare as compared
    from crossedit.reports.statistics.comparing import order, shown_protocol
    from crossedit.reports.statistics.paired import FLIPS, RESAMPLES
    from crossedit.reports.statistics.values import Cells

    cells = Cells.read(values, shown_protocol(entry))
    protocol = shown_protocol(entry, [part.protocol for part in cells.facts])
    inputs = {str(path): files.digest(path) for path in values}
    made = {"stage": "reports", "version": VERSION, "inputs": inputs, "seed": seed}
    tables.write(cells.outcomes, tables.OUTCOMES, outcomes, made)
    told = {"protocol": protocol, "order": order(entry), "flips": FLIPS, "resamples": RESAMPLES}
    tables.write(compared(cells.facts, entry, seed), tables.COMPARISONS, out, made | told)
