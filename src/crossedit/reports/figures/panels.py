"""Figures of several panels, whatever fills them.

    layout = Layout.of(panels, names)
    layout.figure(x_label, y_label, below, draw)       draw(axes, panel) fills a panel
    empty(axes)                                        says in a panel that it has no value

The panels of a row stand in a line, or in several where there are many; so do those of the next below them. A figure
has the width of one column of a paper where all stand one below the other, else that of both.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Generic, TypeVar

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from crossedit.reports.figures.below import Below
from crossedit.reports.figures.drawing import COLUMN, GREY, LABEL, PAGE, TICK, TITLE
from crossedit.reports.figures.fonts import fold, width

PERCENT = ("100",)  # the names on the left of panels that show scores
_IN_A_LINE = 4
_HEIGHT, _LOWEST, _ALL = 1.5, 0.9, 8.0  # inches: a panel, a panel at least, the panels of all rows if they fit
_LEAST = 1.2  # inches of its width
_EDGE, _GAP, _APART = 0.05, 0.16, 0.12  # inches: around all panels, between two, between names and panel
_BELOW = 0.23  # inches under a line of panels, of its ticks
_LINE = 0.13  # inches of a line of a title or label
POWER = 0.42  # inches that the name of a power of ten may need

Content = TypeVar("Content")


@dataclass(frozen=True)
class Panel(Generic[Content]):
    """One panel: the row and the column that it stands in, the names of its stops, and what is in it."""

    row: str
    column: str
    stops: tuple[str, ...]
    content: Content
    x_label: str = ""  # where the panels' differ
    y_label: str = ""


@dataclass(frozen=True)
class Layout(Generic[Content]):
    """Where panels stand, all in inches."""

    lines: tuple[tuple[Panel[Content], ...], ...]
    rows: tuple[str, ...]  # each line's name, in lines of text
    names: float  # of the names left of panels
    shared: bool  # whether only the first panel of a line has them
    between: float  # from a panel to the next
    high: float  # of a panel
    wide: float

    @classmethod
    def of(
        cls,
        panels: Sequence[Panel[Content]],
        names: Sequence[str] = PERCENT,
        shared: bool = True,
        high: float | None = None,
    ) -> "Layout[Content]":
        """Return the layout of panels that are sorted by row.

        names: what stands on the left of panels; of the first in a line only if the others have the same (`shared`).
        high: inches of each panel, by default as many as leave several rows of them on a page.
        """
        named = max((width(name, TICK) for name in names), default=0) + _APART
        labelled = any(panel.y_label for panel in panels)
        between = _GAP + (0 if shared else named) + (_LINE if labelled else 0)
        rows = [tuple(group) for _, group in groupby(panels, lambda panel: panel.row)]
        high = high or max(_LOWEST, min(_HEIGHT, _ALL / len(rows)))
        titles = [fold(row[0].row, high, TITLE, "bold") for row in rows]
        left = _left(titles, named)
        needed = max([_LEAST, *(_needed(panel.stops) for panel in panels)])
        many = max(map(len, rows))
        fit = int((PAGE - left - _EDGE + between) / (needed + between))
        most = max(1, min(_IN_A_LINE, fit, many))
        lines, told = [], []
        for row, title in zip(rows, titles, strict=True):
            length = math.ceil(len(row) / math.ceil(len(row) / most))
            lines += [row[start : start + length] for start in range(0, len(row), length)]
            told += [title] * math.ceil(len(row) / length)
        columns = max(map(len, lines))
        whole = COLUMN if columns == 1 and needed <= COLUMN - left - _EDGE else PAGE
        wide = (whole - left - _EDGE - (columns - 1) * between) / columns
        return cls(tuple(lines), tuple(told), named, shared, between, high, wide)

    @property
    def width(self) -> float:
        """The figure's width."""
        columns = max(map(len, self.lines))
        return _left(self.rows, self.names) + columns * self.wide + (columns - 1) * self.between + _EDGE

    def figure(self, x_label: str, y_label: str, below: Below, draw: Callable[[Axes, Panel[Content]], None]) -> Figure:
        """Return the figure with each panel drawn, and what is below them."""
        titles = self._titles()
        above = [_LINE * max((title.count("\n") + 1 for title in line if title), default=0) for line in titles]
        top = above[0] + 0.12
        gaps = [0.28 + (room + 0.06 if room else 0) for room in above[1:]]
        x_labels = self._x_labels(x_label)
        under = _BELOW + _LINE * max(label.count("\n") + 1 for label in x_labels.values())
        height = top + len(self.lines) * self.high + sum(gaps) + under + below.height
        figure = Figure(figsize=(self.width, height))
        left = _left(self.rows, self.names)
        for down, line in enumerate(self.lines):
            low = height - top - (down + 1) * self.high - sum(gaps[:down])
            figure.text(
                *(_EDGE / self.width, (low + self.high / 2) / height, self.rows[down]),
                rotation=90,
                ha="left",
                va="center",
                fontsize=TITLE,
                fontweight="bold",
            )
            for across, panel in enumerate(line):
                start = left + across * (self.wide + self.between)
                place = (start / self.width, low / height, self.wide / self.width, self.high / height)
                axes = figure.add_axes(place)
                axes.spines[["top", "right"]].set_visible(False)
                axes.spines[["left", "bottom"]].set_color(GREY)
                axes.tick_params(color=GREY, labelcolor=GREY, length=2, labelsize=TICK)
                axes.set_title(titles[down][across], fontsize=TITLE, fontweight="bold", pad=4)
                if panel.y_label or across == 0:
                    axes.set_ylabel(panel.y_label or y_label, fontsize=LABEL)
                    axes.yaxis.set_label_coords(-(self.names + 0.02) / self.wide, 0.5)
                axes.set_xlabel(x_labels.get((down, across), ""), fontsize=LABEL)
                axes.tick_params(labelleft=across == 0 or not self.shared)
                draw(axes, panel)
        below.draw(figure)
        return figure

    def _x_labels(self, usual: str) -> dict[tuple[int, int], str]:
        """Return the labels, by line and place in it, of the panels with none below them."""
        room = self.wide + self.between - 0.1
        return {
            (down, across): fold(panel.x_label or usual, room, LABEL)
            for down, line in enumerate(self.lines)
            for across, panel in enumerate(line)
            if not any(len(other) > across for other in self.lines[down + 1 :])
        }

    def _titles(self) -> list[list[str]]:
        """Return each panel's title, empty where the line above has the same ones."""
        folded = [[fold(panel.column, self.wide, TITLE, "bold") for panel in line] for line in self.lines]
        return [
            [""] * len(line) if number and line == folded[number - 1] else line for number, line in enumerate(folded)
        ]


def inches(axes: Axes) -> float:
    """Return how wide a panel is."""
    return float(axes.get_window_extent().width / axes.figure.dpi)


def empty(axes: Axes) -> None:
    """Say in a panel that has none of its values that this is so."""
    looks: dict[str, Any] = {"fontsize": TICK, "color": GREY, "ha": "center", "va": "center", "zorder": 5}
    said = axes.text(0.5, 0.5, "no value", transform=axes.transAxes, **looks)
    said.set_path_effects([withStroke(linewidth=2, foreground="white")])


def powers(low: int, high: int, room: float) -> tuple[list[float], list[str]]:
    """Return the powers of ten from 10^low to 10^high, and the names of those that have room in so many inches."""
    every = math.ceil((high - low) * POWER / room)
    values = [10.0**power for power in range(low, high + 1)]
    return values, ["" if place % every else f"{value:g}" for place, value in enumerate(values)]


def show_stops(axes: Axes, stops: Sequence[str]) -> None:
    """Name the stops, which stand at 0, 1, 2, …, under the panel: all, or every second, third, … if they need room."""
    every = max(1, math.ceil(_needed(stops) / inches(axes)))
    axes.set_xticks(range(0, len(stops), every), stops[::every])


def _needed(stops: Sequence[str]) -> float:
    return len(stops) * (max((width(stop, TICK) for stop in stops), default=0) + 0.05)


def _left(rows: Sequence[str], names: float) -> float:
    """Return the inches on the left of a line: its name, the label, the names of what is in the panel."""
    titles = max((row.count("\n") + 1 for row in rows if row), default=0)
    return _EDGE + titles * _LINE + _LINE + names
