"""Figures of several panels, a row of them per backbone and a column per sweep, and what fills a panel.

    lines(panels, x_label, y_label)      curves with error bars against stops
    heat(panels, x_label, y_label)       coloured cells with their numbers

Stops stand at equal distances, as the paper draws them: 1, 10, 100 and 1000 edits then all have room.
"""

import math
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from crossedit.reports.drawing import FAINT, GREY
from crossedit.reports.naming import Style
from crossedit.reports.scores import Estimate

_ALONE, _TOGETHER, _HEIGHT = 2.8, 2.05, 1.6  # inches: width of the only panel, of one of several, height of each
_LEFT, _RIGHT, _TOP, _GAP, _BELOW = 0.58, 0.08, 0.32, 0.28, 0.38  # inches around and between them
_LINE = 0.16  # inches, of a legend or a note
_COLOURS = colormaps["Blues"]
_DASHED = (0, (3, 2))
_NUMBERS_FIT = 12  # rows or columns of cells; where there are more, colour alone tells


class Line(NamedTuple):
    """A curve: one estimate per stop of its panel, None where it isn't known."""

    label: str
    style: Style
    points: tuple[Estimate | None, ...]
    filled: tuple[bool, ...]  # markers; others are hollow
    faint: bool = False


class Cells(NamedTuple):
    """Rows of values, None where there is none, with the rows' names."""

    names: tuple[str, ...]
    values: tuple[tuple[float | None, ...], ...]


Content = TypeVar("Content", tuple[Line, ...], Cells)


@dataclass(frozen=True)
class Panel(Generic[Content]):
    """One panel: the backbone and the sweep that it is of, the names of its stops, and what is in it."""

    row: str
    column: str
    stops: tuple[str, ...]
    content: Content


def lines(panels: Sequence[Panel[tuple[Line, ...]]], x_label: str, y_label: str, note: str = "") -> Figure:
    """Return curves in percent, with a legend and the note under them."""
    shown = {line.label: line.style for panel in panels for line in panel.content}
    width = _width(panels)
    fit = int(width / (0.5 + 0.055 * max(map(len, shown), default=1)))  # inches of the longest entry
    columns = max(1, min(fit, len(shown)))
    told = textwrap.wrap(note, int(19 * width))
    legend, lowest = _LINE * math.ceil(len(shown) / columns), _LINE * len(told)
    figure = _figure(panels, x_label, y_label, legend + lowest + 0.04, _draw_lines)
    height = figure.get_size_inches()[1]
    if shown:
        figure.legend(
            handles=[_handle(*each) for each in shown.items()],
            loc="lower center",
            bbox_to_anchor=(0.5, lowest / height),
            ncols=columns,
            frameon=False,
            fontsize=6.5,
            handlelength=3,
            columnspacing=1.2,
            borderaxespad=0,
        )
    figure.text(0.5, 0.04 / height, "\n".join(told), ha="center", va="bottom", fontsize=6, color=GREY, linespacing=1.5)
    return figure


def _draw_lines(axes: Axes, panel: Panel[tuple[Line, ...]]) -> None:
    axes.set_xlim(-0.4, max(len(panel.stops) - 0.6, 0.4))
    axes.set_ylim(-3, 103)
    axes.set_yticks(range(0, 101, 20))
    axes.set_xticks(range(len(panel.stops)), panel.stops)
    axes.grid(axis="y", color=FAINT, linewidth=0.4)
    axes.set_axisbelow(True)
    for place, line in enumerate(panel.content):
        aside = 0.5 * (place - (len(panel.content) - 1) / 2) / max(len(panel.content), 8)  # so that bars stand apart
        _curve(axes, line, aside)


def _curve(axes: Axes, line: Line, aside: float) -> None:
    """Draw the estimates with gaps where one is missing, and their intervals as bars."""
    colour, width = line.style.colour, 0.7 if line.faint else 1.2
    x = [place + aside for place in range(len(line.points))]
    y = [math.nan if point is None else 100 * point.mean for point in line.points]
    axes.plot(x, y, color=colour, linestyle=_DASHED if line.faint else line.style.line, linewidth=width)
    for at, point, filled in zip(x, line.points, line.filled, strict=True):
        if point is None:
            continue
        axes.plot([at, at], [100 * point.low, 100 * point.high], color=colour, linewidth=0.5, alpha=0.7)
        face = colour if filled else "white"
        axes.plot([at], [100 * point.mean], **_marker(line.style, face, width), clip_on=False, zorder=3)


def _marker(style: Style, face: str, width: float) -> dict[str, Any]:
    size = 5.5 if style.marker == "*" else 3.8
    looks = {"marker": style.marker, "markersize": size, "markerfacecolor": face, "markeredgecolor": style.colour}
    return {**looks, "markeredgewidth": min(width, 0.8), "linestyle": "none"}


def _handle(label: str, style: Style) -> Line2D:
    looks = {**_marker(style, style.colour if style.line == "-" else "white", 0.8), "linestyle": style.line}
    return Line2D([], [], color=style.colour, linewidth=1.2, label=label, **looks)


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
    known = [value for panel in panels for row in panel.content.values for value in row if value is not None]
    scale = _Scale(0, 100, logarithmic=False)
    if logarithmic:
        positive = [value for value in known if value > 0] or [1.0]
        least = min(positive)
        scale = _Scale(least, max(positive) if max(positive) > least else 10 * least, logarithmic=True)
    figure = _figure(panels, x_label, y_label, 0.42, lambda axes, panel: _draw_cells(axes, panel, scale))
    if known:
        height = figure.get_size_inches()[1]
        bar = figure.add_axes((0.25, 0.3 / height, 0.5, 0.08 / height))
        norm = (LogNorm if logarithmic else Normalize)(scale.least, scale.most)
        figure.colorbar(ScalarMappable(norm, _COLOURS), cax=bar, orientation="horizontal")
        bar.set_xticks([scale.least, scale.most], [_number(scale.least), _number(scale.most)])
        bar.set_xticks([], minor=True)
        bar.tick_params(length=2, labelsize=6)
        bar.set_xlabel(named, fontsize=6.5, labelpad=-6)
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
        share = scale.share(value)
        axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=_COLOURS(share), linewidth=0))
        if numbers:
            ink = "white" if share > 0.55 else "black"
            axes.text(x, y, _number(value), ha="center", va="center", fontsize=6, color=ink)


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 10 or value == 0 else f"{value:.2g}"


def _figure(
    panels: Sequence[Panel[Any]], x_label: str, y_label: str, below: float, draw: Callable[[Axes, Any], None]
) -> Figure:
    """Return a figure with each panel in its row and column, and `below` inches of room under them."""
    by_place = {(panel.row, panel.column): panel for panel in panels}
    rows, columns = (list(dict.fromkeys(names)) for names in zip(*by_place, strict=True))
    panel_width = _panel_width(len(columns))
    bottom = _BELOW + below
    left, gap = _beside(panels)
    width = _width(panels)
    height = _TOP + len(rows) * _HEIGHT + (len(rows) - 1) * _GAP + bottom
    figure = Figure(figsize=(width, height))
    for down, row in enumerate(rows):
        for across, column in enumerate(columns):
            start = left + across * (panel_width + gap)
            low = bottom + (len(rows) - 1 - down) * (_HEIGHT + _GAP)
            axes = figure.add_axes((start / width, low / height, panel_width / width, _HEIGHT / height))
            axes.spines[["top", "right"]].set_visible(False)
            axes.tick_params(color=GREY, labelcolor=GREY, length=2, labelsize=6.5)
            axes.spines[["left", "bottom"]].set_color(GREY)
            if across == 0:
                axes.set_ylabel(f"{row}\n{y_label}")
            if down == 0:
                axes.set_title(textwrap.fill(column, int(18 * panel_width)), fontsize=7.5, fontweight="bold")
            if down == len(rows) - 1:
                axes.set_xlabel(x_label)
            if (row, column) in by_place:
                draw(axes, by_place[row, column])
            else:
                _leave_empty(axes)
    return figure


def _panel_width(columns: int) -> float:
    return _ALONE if columns == 1 else _TOGETHER


def _beside(panels: Sequence[Panel[Any]]) -> tuple[float, float]:
    """Return the inches left of all panels and between two, which names of rows of cells may widen."""
    names = [name for panel in panels if isinstance(panel.content, Cells) for name in panel.content.names]
    wider = 0.06 * max(0, max(map(len, names), default=0) - 3)
    return _LEFT + wider, _GAP + wider


def _width(panels: Sequence[Panel[Any]]) -> float:
    """Return the figure's width in inches."""
    columns = len({panel.column for panel in panels})
    left, gap = _beside(panels)
    return left + columns * _panel_width(columns) + (columns - 1) * gap + _RIGHT


def _leave_empty(axes: Axes) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    axes.text(0.5, 0.5, "not run", ha="center", va="center", color=GREY, transform=axes.transAxes)
