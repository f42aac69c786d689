"""Cells coloured by their values, with their numbers, in the panels of a figure."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from crossedit.reports.figures.drawing import FAINT
from crossedit.reports.figures.panels import Layout, Panel
from crossedit.reports.scores import DASH

_COLOURS = colormaps["Blues"]
_NUMBERS_FIT = 12  # rows or columns of cells; where there are more, colour alone tells


class Cells(NamedTuple):
    """Rows of values with the rows' names: None where there is none yet, NaN where it is no number."""

    names: tuple[str, ...]
    values: tuple[tuple[float | None, ...], ...]


class _Scale(NamedTuple):
    """What is coloured least and most, and whether colours are of logarithms."""

    least: float
    most: float
    logarithmic: bool

    def share(self, value: float) -> float:
        """Return where the value stands between least (0) and most (1)."""
        if not self.logarithmic:
            return (value - self.least) / (self.most - self.least)
        return math.log(value / self.least) / math.log(self.most / self.least) if value > 0 else 0.0


def heat(panels: Sequence[Panel[Cells]], x_label: str, y_label: str, named: str, logarithmic: bool = False) -> Figure:
    """Return cells coloured by value, all panels alike: from 0 to 100, or `logarithmic` from the least to the most.

    `named` says what the values are.
    """
    there = [value for panel in panels for row in panel.content.values for value in row if value is not None]
    known = [value for value in there if not math.isnan(value)]
    scale = _Scale(0, 100, logarithmic=False)
    if logarithmic:
        positive = [value for value in known if value > 0] or [1.0]
        least = min(positive)
        scale = _Scale(least, max(positive) if max(positive) > least else 10 * least, logarithmic=True)
    layout = Layout.of(panels, [name for panel in panels for name in panel.content.names])
    figure = layout.figure(x_label, y_label, 0.42, lambda axes, panel: _draw_cells(axes, panel, scale))
    if known:
        height = figure.get_size_inches()[1]
        bar = figure.add_axes((0.25, 0.3 / height, 0.5, 0.08 / height))
        norm = (LogNorm if logarithmic else Normalize)(scale.least, scale.most)
        figure.colorbar(ScalarMappable(norm, _COLOURS), cax=bar, orientation="horizontal")
        bar.set_xticks([scale.least, scale.most], [_number(scale.least), _number(scale.most)])
        bar.set_xticks([], minor=True)
        bar.tick_params(length=2, labelsize=6)
        bar.set_xlabel(named if known == there else f"{named} ({DASH}: no number)", fontsize=6.5, labelpad=-6)
    return figure


def _draw_cells(axes: Axes, panel: Panel[Cells], scale: _Scale) -> None:
    names, rows = panel.content
    axes.set_xlim(-0.5, len(panel.stops) - 0.5)
    axes.set_ylim(max(len(names), 1) - 0.5, -0.5)
    axes.set_xticks(range(len(panel.stops)), panel.stops)
    every = max(1, math.ceil(len(names) / _NUMBERS_FIT))
    axes.set_yticks(range(0, len(names), every), names[::every])
    axes.tick_params(length=0)
    numbers = len(rows) <= _NUMBERS_FIT and len(panel.stops) <= _NUMBERS_FIT
    places = [(x, y, value) for y, row in enumerate(rows) for x, value in enumerate(row) if value is not None]
    for x, y, value in places:
        lost = math.isnan(value)
        share = 0.0 if lost else scale.share(value)
        colour = FAINT if lost else _COLOURS(share)
        axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=colour, linewidth=0))
        if numbers:
            ink = "white" if share > 0.55 else "black"
            axes.text(x, y, _number(value), ha="center", va="center", fontsize=6, color=ink)


def _number(value: float) -> str:
    if math.isnan(value):
        return DASH
    return f"{value:.0f}" if value >= 10 or value == 0 else f"{value:.2g}"
