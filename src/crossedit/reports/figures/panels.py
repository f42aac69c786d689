"""Figures of several panels, one per backbone and sweep, whatever fills them.

    layout = Layout.of(panels)
    layout.figure(x_label, y_label, below, draw)       draw(axes, content) fills a panel

A backbone's panels stand in a line, or in several where there are many; so do those of the next below them.
"""

import math
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Generic, TypeVar

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from crossedit.reports.figures.drawing import GREY

_IN_A_LINE = 4
_ALONE, _TOGETHER, _HEIGHT = 2.8, 2.05, 1.6  # inches: width of the only panel of its line, of others, height of each
_LEFT, _RIGHT, _GAP, _BELOW = 0.58, 0.08, 0.28, 0.38  # inches around and between them
_TITLE = 0.13  # inches, of a line of a title
_LETTERS = 15  # of a title in an inch

Content = TypeVar("Content")


@dataclass(frozen=True)
class Panel(Generic[Content]):
    """One panel: the backbone and the sweep that it is of, the names of its stops, and what is in it."""

    row: str
    column: str
    stops: tuple[str, ...]
    content: Content


@dataclass(frozen=True)
class Layout(Generic[Content]):
    """Where panels stand."""

    lines: tuple[tuple[Panel[Content], ...], ...]
    wider: float  # inches that names on the left of panels need beside the usual

    @classmethod
    def of(cls, panels: Sequence[Panel[Content]], names: Sequence[str] = ()) -> "Layout[Content]":
        """Return the layout of panels that are sorted by backbone; `names` stand on the left of panels."""
        lines: list[tuple[Panel[Content], ...]] = []
        for _, group in groupby(panels, lambda panel: panel.row):
            own = list(group)
            length = math.ceil(len(own) / math.ceil(len(own) / _IN_A_LINE))
            lines += [tuple(own[start : start + length]) for start in range(0, len(own), length)]
        return cls(tuple(lines), 0.06 * max(0, max(map(len, names), default=0) - 3))

    @property
    def width(self) -> float:
        """The figure's width in inches."""
        gaps = (self._columns - 1) * (_GAP + self.wider)
        return _LEFT + self.wider + self._columns * self._panel_width + gaps + _RIGHT

    def figure(self, x_label: str, y_label: str, below: float, draw: Callable[[Axes, Panel[Content]], None]) -> Figure:
        """Return the figure with each panel drawn, and `below` inches of room under them."""
        titles = self._titles()
        above = [_TITLE * max((title.count("\n") + 1 for title in line if title), default=0) for line in titles]
        top = above[0] + 0.19
        gaps = [_GAP + (room + 0.06 if room else 0) for room in above[1:]]
        bottom = _BELOW + below
        height = top + len(self.lines) * _HEIGHT + sum(gaps) + bottom
        figure = Figure(figsize=(self.width, height))
        for down, line in enumerate(self.lines):
            low = height - top - (down + 1) * _HEIGHT - sum(gaps[:down])
            for across, panel in enumerate(line):
                start = _LEFT + self.wider + across * (self._panel_width + _GAP + self.wider)
                place = (start / self.width, low / height, self._panel_width / self.width, _HEIGHT / height)
                axes = figure.add_axes(place)
                axes.spines[["top", "right"]].set_visible(False)
                axes.spines[["left", "bottom"]].set_color(GREY)
                axes.tick_params(color=GREY, labelcolor=GREY, length=2, labelsize=6.5)
                axes.set_title(titles[down][across], fontsize=7.5, fontweight="bold")
                if across == 0:
                    axes.set_ylabel(f"{panel.row}\n{y_label}")
                if not any(len(other) > across for other in self.lines[down + 1 :]):
                    axes.set_xlabel(x_label)
                draw(axes, panel)
        return figure

    def _titles(self) -> list[list[str]]:
        """Return each panel's title, empty where the line above has the same ones."""
        wrapped = [
            [textwrap.fill(panel.column, int(_LETTERS * self._panel_width), break_on_hyphens=False) for panel in line]
            for line in self.lines
        ]
        return [
            [""] * len(line) if number and line == wrapped[number - 1] else line for number, line in enumerate(wrapped)
        ]

    @property
    def _columns(self) -> int:
        return max(map(len, self.lines))

    @property
    def _panel_width(self) -> float:
        return _ALONE if self._columns == 1 else _TOGETHER
