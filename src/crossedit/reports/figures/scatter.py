"""Points with error bars, told apart by editor and editing language, in the panels of a figure."""

import math
from collections.abc import Callable, Iterable, Sequence
from statistics import fmean
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.lines import Line2D

from crossedit import UNEDITED
from crossedit.reports.figures.cells import Edited
from crossedit.reports.figures.drawing import BARS, FAINT, GREY
from crossedit.reports.figures.marks import FACES, FULL, mark, marked
from crossedit.reports.figures.panels import Panel, empty
from crossedit.reports.naming import FEW, Style, language, method
from crossedit.reports.scores import Estimate


class Spot(NamedTuple):
    """A value on an axis with its 95 % interval, NaN where none is known."""

    value: float
    low: float = math.nan
    high: float = math.nan

    @classmethod
    def percent(cls, estimate: Estimate) -> "Spot":
        """Return the estimate in percent."""
        return cls(100 * estimate.mean, 100 * estimate.low, 100 * estimate.high)


class Dot(NamedTuple):
    """A point of an editor."""

    x: Spot
    y: Spot
    editor: str
    where: str  # it edited
    style: Style
    face: float
    faint: bool = False  # one of many, whose mean is a point of its own


def dots(found: Edited, at: Callable[[str, str], tuple[Spot, Spot] | None]) -> tuple[Dot, ...]:
    """Return a point for each editor and editing language that `at` has a place for; of many languages, their mean."""
    looks, shown = found.grid.styles, []
    faces = dict(zip(found.edit_langs, FACES, strict=False))
    for editor in (UNEDITED, *found.editors):
        places = {lang: place for lang in found.edit_langs if (place := at(editor, lang))}
        if len(found.edit_langs) <= FEW:
            for lang, (x, y) in places.items():
                shown.append(Dot(x, y, editor, f"edited in {language(lang)}", looks[editor], faces[lang]))
        elif places:
            x, y = (Spot(fmean(place[axis].value for place in places.values())) for axis in (0, 1))
            shown.append(Dot(x, y, editor, f"mean of {len(places)} editing languages", looks[editor], FULL))
            for x, y in places.values():
                shown.append(Dot(Spot(x.value), Spot(y.value), editor, "", looks[editor], FULL, faint=True))
    return tuple(shown)


def editors(found: Edited, panels: Iterable[Panel[tuple[Dot, ...]]]) -> list[Line2D]:
    """Return the legend of the editors that any panel has a point of."""
    looks, there = found.grid.styles, {dot.editor for panel in panels for dot in panel.content}
    return [mark(method(editor), looks[editor]) for editor in (UNEDITED, *found.editors) if editor in there]


def languages(edit_langs: Sequence[str], panels: Iterable[Panel[tuple[Dot, ...]]]) -> list[Line2D]:
    """Return the legend of the editing languages that any panel has a point of."""
    style, there = Style(GREY, "o", "-"), {dot.where for panel in panels for dot in panel.content}
    if len(edit_langs) <= FEW:
        named = [(f"edited in {language(lang)}", face) for lang, face in zip(edit_langs, FACES, strict=False)]
        return [mark(where, style, face) for where, face in named if where in there]
    return [mark("mean of editing languages", style), small("one editing language")] if there else []


def small(label: str) -> Line2D:
    """Return a legend's entry of faint points."""
    return Line2D([], [], label=label, **_faint(Style(GREY, "o", "-")))


def _faint(style: Style) -> dict[str, Any]:
    looks = {"marker": "o", "markersize": 2, "markeredgewidth": 0, "alpha": 0.5, "linestyle": "none"}
    return {**looks, "color": style.colour}


def span(spots: Iterable[Spot], least: float = 20) -> tuple[int, int]:
    """Return the tens between which the values and their intervals lie, `least` apart or more."""
    known = [value for spot in spots for value in spot if not math.isnan(value)]
    low, high = (10 * math.floor(min(known) / 10), 10 * math.ceil(max(known) / 10)) if known else (0, 100)
    more = max(0, least - (high - low))
    return (low, int(high + more)) if high + more <= 100 else (int(low - more), high)


def limit(axis: Axis, ends: tuple[int, int]) -> None:
    """Let an axis go from end to end in round steps, with room for the markers there."""
    low, high = ends
    step = next((step for step in (5, 10, 20, 50) if (high - low) / step <= 5), 100)
    axis.set_ticks(range(step * math.ceil(low / step), high + 1, step))
    room = 0.04 * (high - low)
    axis.set_view_interval(low - room, high + room, ignore=True)


def told(panels: Iterable[Panel[tuple[Dot, ...]]]) -> str:
    """Return the points in words, but for the faint ones: all that is known of an editor together."""
    said: dict[str, dict[str, str]] = {}
    for panel in panels:
        for dot in panel.content:
            if not dot.faint:
                values = {panel.x_label: f"{dot.x.value:.3g}", panel.y_label or panel.column: f"{dot.y.value:.3g}"}
                said.setdefault(f"{panel.row}, {method(dot.editor)}, {dot.where}", {}).update(values)
    return " ".join(
        f"{about}: {', '.join(f'{name} {value}' for name, value in values.items())}." for about, values in said.items()
    )


def bars(panels: Iterable[Panel[tuple[Dot, ...]]]) -> str:
    """Return what a note says of bars, if any point has one; faint ones have none."""
    ends = (end for panel in panels for dot in panel.content if not dot.faint for end in (dot.x.low, dot.y.low))
    return "" if all(map(math.isnan, ends)) else f" {BARS}"


def draw_dots(axes: Axes, shown: Sequence[Dot]) -> None:
    """Draw the points, those of means above others."""
    axes.grid(color=FAINT, linewidth=0.4)
    axes.set_axisbelow(True)
    if not shown:
        empty(axes)
    faint: dict[str, list[Dot]] = {}
    for dot in shown:
        if dot.faint:
            faint.setdefault(dot.editor, []).append(dot)
            continue
        (x, *across), (y, *along), colour = dot.x, dot.y, dot.style.colour
        cross = ([*across, math.nan, x, x], [y, y, math.nan, *along])
        axes.plot(*cross, color=colour, linewidth=0.5, alpha=0.6, zorder=2.5)
        axes.plot([x], [y], **marked(dot.style, dot.face), clip_on=False, zorder=3)
    for many in faint.values():
        axes.plot([dot.x.value for dot in many], [dot.y.value for dot in many], **_faint(many[0].style), zorder=2)
