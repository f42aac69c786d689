"""Curves with error bars against stops, in the panels of a figure.

Stops stand at equal distances, as the papers draw them: 1, 10, 100 and 1000 edits then all have room.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from crossedit.reports.figures.below import Below
from crossedit.reports.figures.drawing import BARS, FAINT
from crossedit.reports.figures.marks import FULL, HOLLOW, handle, marked
from crossedit.reports.figures.panels import Layout, Panel, empty, show_stops
from crossedit.reports.naming import Style
from crossedit.reports.scores import Estimate

_DASHED = (0, (3, 2))
_SPREAD, _ROOM = 0.76, 8  # of the way to the next stop: what lines of one stop take; as if for so many at least


class Line(NamedTuple):
    """A curve: one estimate per stop of its panel, None where it isn't known."""

    label: str
    style: Style
    points: tuple[Estimate | None, ...]
    filled: tuple[bool, ...]  # markers; others are hollow
    faint: bool = False
    without: frozenset[int] = frozenset()  # places of stops that it hasn't; the curve goes on past them


def curves(
    panels: Sequence[Panel[tuple[Line, ...]]],
    x_label: str,
    y_label: str,
    note: str = "",
    legends: Sequence[Sequence[Line2D]] | None = None,
) -> Figure:
    """Return curves in percent, with the note under them, and the legends if not just one of the lines' labels.

    The note says of bars what is to be said; labels are those of lines that have a point.
    """
    if any(point and point.bounded for line in known(panels) for point in line.points):
        note = f"{note} {BARS}".strip()
    if legends is None:
        shown = {line.label: line.style for line in known(panels)}
        legends = [[handle(*each) for each in shown.items()]]
    layout = Layout.of(panels)
    return layout.figure(x_label, y_label, Below.of(legends, note, layout.width), _draw_lines)


def known(panels: Sequence[Panel[tuple[Line, ...]]]) -> list[Line]:
    """Return the lines that have a point."""
    return [line for panel in panels for line in panel.content if any(line.points)]


def told(panels: Sequence[Panel[tuple[Line, ...]]]) -> str:
    """Return the curves in words."""
    said = []
    for panel in panels:
        for line in panel.content:
            points = [
                f"{'missing' if point is None else f'{100 * point.mean:.0f}'} at {stop}"
                for place, (stop, point) in enumerate(zip(panel.stops, line.points, strict=True))
                if place not in line.without
            ]
            if any(line.points):
                chance = " (at chance unedited)" if line.faint else ""
                said.append(f"{panel.row}, {panel.column}: {line.label} {', '.join(points)}{chance}.")
    return " ".join(said)


def _draw_lines(axes: Axes, panel: Panel[tuple[Line, ...]]) -> None:
    axes.set_xlim(-0.5, max(len(panel.stops) - 0.5, 0.5))
    axes.set_ylim(-3, 103)
    axes.set_yticks(range(0, 101, 20))
    show_stops(axes, panel.stops)
    axes.grid(axis="y", color=FAINT, linewidth=0.4)
    axes.set_axisbelow(True)
    for place in range(len(panel.stops)):  # what stands side by side in a band is of one stop
        axes.axvspan(place - 0.42, place + 0.42, color=FAINT, alpha=0.25, linewidth=0, zorder=0)
    if not known([panel]):
        empty(axes)
    for place, line in enumerate(panel.content):
        aside = _SPREAD * (place - (len(panel.content) - 1) / 2) / max(len(panel.content), _ROOM)
        _curve(axes, line, aside)


def _curve(axes: Axes, line: Line, aside: float) -> None:
    """Draw the estimates with gaps where one is missing, and their intervals as bars."""
    colour, width = line.style.colour, 0.7 if line.faint else 1.1
    own = [place for place in range(len(line.points)) if place not in line.without]
    points = [line.points[place] for place in own]
    x = [place + aside for place in own]
    y = [math.nan if point is None else 100 * point.mean for point in points]
    axes.plot(x, y, color=colour, linestyle=_DASHED if line.faint else line.style.line, linewidth=width)
    bounded = [(at, point) for at, point in zip(x, points, strict=True) if point and point.bounded]
    bars = [(at, 100 * point.low, 100 * point.high) for at, point in bounded]
    places, lows, highs = zip(*bars, strict=True) if bars else ((), (), ())
    axes.vlines(places, lows, highs, colors=colour, linewidth=0.5, alpha=0.7)
    for face in (FULL, HOLLOW):
        looks = marked(line.style, face, min(width, 0.8))
        shown = [
            height if line.filled[place] == (face == FULL) else math.nan for place, height in zip(own, y, strict=True)
        ]
        axes.plot(x, shown, **looks, clip_on=False, zorder=3)
