"""Cells coloured by their values, with their numbers, in the panels of a figure."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from crossedit.reports.figures.below import Below
from crossedit.reports.figures.drawing import FAINT, GREY, NOTE, TICK
from crossedit.reports.figures.fonts import width
from crossedit.reports.figures.panels import POWER, Layout, Panel, empty, inches, powers, show_stops
from crossedit.reports.scores import DASH

_COLOURS = colormaps["Blues"]
_BAR = 0.5  # inches of the scale with its numbers and what they are
_NAMES_FIT = 12  # rows of cells; where there are more, colour alone tells, and only some are named
_LOST: dict[str, Any] = {"hatch": 6 * "/", "edgecolor": GREY}  # told from light colours in print without colour


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


def heat(
    panels: Sequence[Panel[Cells]], x_label: str, y_label: str, named: str, note: str = "", logarithmic: bool = False
) -> Figure:
    """Return cells coloured by value, all panels alike: from 0 to 100, or `logarithmic` between powers of ten.

    `named` says what the values are, the note under the scale what else is to be said of them.
    """
    there = [value for panel in panels for row in panel.content.values for value in row if value is not None]
    known = [value for value in there if not math.isnan(value)]
    scale = _Scale(0, 100, logarithmic=False)
    if logarithmic:
        positive = [math.log10(value) for value in known if value > 0] or [0.0]
        low = math.floor(min(positive))
        scale = _Scale(10.0**low, 10.0 ** max(math.ceil(max(positive)), low + 1), logarithmic=True)
    layout = Layout.of(panels, [name for panel in panels for name in panel.content.names], shared=False)
    if known != there:
        note = f"{note} Hatched: no number."
    below = Below.of((), note.strip() if there else "", layout.width, more=_BAR if known else 0)
    figure = layout.figure(x_label, y_label, below, lambda axes, panel: _draw_cells(axes, panel, scale))
    if known:
        _show_scale(figure, scale, f"{named} (log scale)" if logarithmic else named, below.height - _BAR)
    return figure


def _show_scale(figure: Figure, scale: _Scale, named: str, low: float) -> None:
    """Draw the scale over what is up to `low` inches."""
    whole, height = figure.get_size_inches()
    long = min(2.4, 0.6 * whole)
    bar = figure.add_axes(((1 - long / whole) / 2, (low + 0.28) / height, long / whole, 0.08 / height))
    norm = (LogNorm if scale.logarithmic else Normalize)(scale.least, scale.most)
    figure.colorbar(ScalarMappable(norm, _COLOURS), cax=bar, orientation="horizontal").outline.set_linewidth(0.5)
    if scale.logarithmic:
        least, most = (round(math.log10(end)) for end in (scale.least, scale.most))
        bar.set_xticks(*powers(least, most, long - POWER))
        bar.set_xticks(_between(least, most), minor=True)
    else:
        bar.set_xticks(range(0, 101, 20))
    bar.tick_params(length=2, width=0.5, pad=2, labelsize=NOTE)
    bar.tick_params(which="minor", length=1.2, width=0.4, labelbottom=False)
    bar.set_xlabel(named, fontsize=TICK, labelpad=2)


def _between(least: int, most: int) -> list[float]:
    """Return 2, 3, … 9 times each power of ten, unless these are too many to be told apart."""
    return [many * 10.0**power for power in range(least, most) for many in range(2, 10)] if most - least <= 5 else []


def _draw_cells(axes: Axes, panel: Panel[Cells], scale: _Scale) -> None:
    names, rows = panel.content
    axes.set_xlim(-0.5, len(panel.stops) - 0.5)
    axes.set_ylim(max(len(names), 1) - 0.5, -0.5)
    show_stops(axes, panel.stops)
    every = max(1, math.ceil(len(names) / _NAMES_FIT))
    axes.set_yticks(range(0, len(names), every), names[::every])
    axes.tick_params(length=0)
    if not any(value is not None for row in rows for value in row):
        empty(axes)
    places = [(x, y, value) for y, row in enumerate(rows) for x, value in enumerate(row) if value is not None]
    room = inches(axes) / max(len(panel.stops), 1)
    widest = max((width(_number(value), NOTE) for *_, value in places), default=0)
    numbers = len(rows) <= _NAMES_FIT and widest < 0.95 * room
    for x, y, value in places:
        lost = math.isnan(value)
        share = 0.0 if lost else scale.share(value)
        colour = FAINT if lost else _COLOURS(share)
        axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=colour, linewidth=0, **(_LOST if lost else {})))
        if numbers:
            ink = "white" if share > 0.55 else "black"
            axes.text(x, y, _number(value), ha="center", va="center", fontsize=NOTE, color=ink)


def _number(value: float) -> str:
    if math.isnan(value):
        return DASH
    return f"{value:.0f}" if value >= 10 or value == 0 else f"{value:.2g}"
