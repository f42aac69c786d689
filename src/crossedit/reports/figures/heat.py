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

from crossedit.reports.figures.below import Below
from crossedit.reports.figures.drawing import FAINT, NOTE, TICK
from crossedit.reports.figures.fonts import width
from crossedit.reports.figures.panels import Layout, Panel, inches, show_stops
from crossedit.reports.scores import DASH

_COLOURS = colormaps["Blues"]
_NAMES_FIT = 12  # rows of cells; where there are more, colour alone tells, and only some are named


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
    layout = Layout.of(panels, [name for panel in panels for name in panel.content.names], shared=False)
    figure = layout.figure(
        x_label, y_label, Below.of((), "", layout.width, more=0.34), lambda axes, panel: _draw_cells(axes, panel, scale)
    )
    if known:
        _show_scale(figure, scale, logarithmic, named if known == there else f"{named} ({DASH}: no number)")
    return figure


def _show_scale(figure: Figure, scale: _Scale, logarithmic: bool, named: str) -> None:
    whole, height = figure.get_size_inches()
    long = min(2.4, 0.6 * whole)
    bar = figure.add_axes(((1 - long / whole) / 2, 0.24 / height, long / whole, 0.08 / height))
    norm = (LogNorm if logarithmic else Normalize)(scale.least, scale.most)
    figure.colorbar(ScalarMappable(norm, _COLOURS), cax=bar, orientation="horizontal").outline.set_linewidth(0.5)
    bar.set_xticks([scale.least, scale.most], [_number(scale.least), _number(scale.most)])
    bar.set_xticks([], minor=True)
    bar.tick_params(length=2, width=0.5, pad=2, labelsize=NOTE)
    bar.set_xlabel(named, fontsize=TICK, labelpad=-5)


def _draw_cells(axes: Axes, panel: Panel[Cells], scale: _Scale) -> None:
    names, rows = panel.content
    axes.set_xlim(-0.5, len(panel.stops) - 0.5)
    axes.set_ylim(max(len(names), 1) - 0.5, -0.5)
    show_stops(axes, panel.stops)
    every = max(1, math.ceil(len(names) / _NAMES_FIT))
    axes.set_yticks(range(0, len(names), every), names[::every])
    axes.tick_params(length=0)
    places = [(x, y, value) for y, row in enumerate(rows) for x, value in enumerate(row) if value is not None]
    room = inches(axes) / max(len(panel.stops), 1)
    widest = max((width(_number(value), NOTE) for *_, value in places), default=0)
    numbers = len(rows) <= _NAMES_FIT and widest < 0.95 * room
    for x, y, value in places:
        lost = math.isnan(value)
        share = 0.0 if lost else scale.share(value)
        colour = FAINT if lost else _COLOURS(share)
        axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=colour, linewidth=0))
        if numbers:
            ink = "white" if share > 0.55 else "black"
            axes.text(x, y, _number(value), ha="center", va="center", fontsize=NOTE, color=ink)


def _number(value: float) -> str:
    if math.isnan(value):
        return DASH
    return f"{value:.0f}" if value >= 10 or value == 0 else f"{value:.2g}"
