"""All figures of a report, each before it is drawn: what the command line draws and the page shows."""

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from crossedit.reports.costs import Seconds
from crossedit.reports.figures import cost, gap, radar, tradeoff, training_scale
from crossedit.reports.figures import sweeps as of_sweeps
from crossedit.reports.figures.cells import Edited
from crossedit.reports.figures.drawing import Picture
from crossedit.reports.grid import Grid
from crossedit.reports.owners import Place
from crossedit.reports.scores import Scores
from crossedit.reports.sweeps import Sweeps


def pictures(
    scores: Scores,
    grid: Grid,
    sweeps: Sweeps,
    comparisons: pl.DataFrame | None,
    costs: Mapping[Place, Seconds],
    entry: Mapping[str, Any],
) -> Iterator[Picture]:
    """Yield the figures of all facts, then those of sweeps, which have no `facts`.

    `comparisons` is a COMPARISONS table, None where nothing was compared; `costs` is what `costs.seconds` returns,
    empty where no predictions are at hand. Neither changes which figures there are.
    """
    for facts in grid.edited:
        found = Edited(scores, grid, facts)
        yield from (chart.picture() for chart in radar.charts(found))
        yield from training_scale.pictures(found, entry)
        if grid.crosses(facts):
            yield gap.picture(found, comparisons)
        yield tradeoff.picture(found)
        yield cost.picture(found, costs)
    yield from of_sweeps.pictures(sweeps, grid.langs, grid.protocol)
