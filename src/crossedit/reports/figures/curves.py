"""Curves with error bars against stops, in the panels of a figure.

Stops stand at equal distances, as the paper draws them: 1, 10, 100 and 1000 edits then all have room.
"""

import math
import textwrap
from collections.abc import Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from crossedit.reports.figures.drawing import FAINT, GREY
from crossedit.reports.figures.panels import Layout, Panel
from crossedit.reports.naming import Style
from crossedit.reports.scores import Estimate

_LINE = 0.16  # inches, of a legend or a note
_DASHED = (0, (3, 2))


class Line(NamedTuple):
    """A curve: one estimate per stop of its panel, None where it isn't known."""

    label: str
    style: Style
    points: tuple[Estimate | None, ...]
    filled: tuple[bool, ...]  # markers; others are hollow
    faint: bool = False


def curves(panels: Sequence[Panel[tuple[Line, ...]]], x_label: str, y_label: str, note: str = "") -> Figure:
    """Return curves in percent, with a legend and the note under them."""
    shown = {line.label: line.style for panel in panels for line in panel.content}
    layout = Layout.of(panels)
    fit = int(layout.width / (0.5 + 0.055 * max(map(len, shown), default=1)))  # inches of the longest entry
    columns = max(1, min(fit, len(shown)))
    told = textwrap.wrap(note, int(19 * layout.width))
    legend, lowest = _LINE * math.ceil(len(shown) / columns), _LINE * len(told)
    figure = layout.figure(x_label, y_label, legend + lowest + 0.04, _draw_lines)
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
    for place in range(len(panel.stops)):  # what stands side by side in a band is of one stop
        axes.axvspan(place - 0.38, place + 0.38, color=FAINT, alpha=0.25, linewidth=0, zorder=0)
    for place, line in enumerate(panel.content):
        aside = 0.64 * (place - (len(panel.content) - 1) / 2) / max(len(panel.content), 8)  # so that bars stand apart
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
