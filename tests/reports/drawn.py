"""Figures as they are drawn, and what is wrong with their texts."""

import math
from collections.abc import Iterator
from itertools import combinations

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text

from crossedit.reports.figures import drawing

LEAST = 5.5  # points of the smallest text
_TOUCH = 0.5  # pixels that texts may share

Corners = list[tuple[float, float]]


def drawn(picture: drawing.Picture) -> Figure:
    """Return the figure as `write` makes it."""
    with drawing.settings():
        figure = picture.draw()
        figure.set_dpi(300)  # at fewer dots, letters are squeezed between them
        figure.draw_without_rendering()
    return figure


def faults(figure: Figure) -> list[str]:
    """Return what of a figure can't be read: small texts, those that leave it or overlap; a width that no page has."""
    found = []
    if round(figure.get_figwidth(), 6) not in (drawing.COLUMN, drawing.PAGE):
        found.append(f"{figure.get_figwidth()} inches wide")
    shown = [(text, corners(text)) for text in texts(figure)]
    for text, place in shown:
        if text.get_fontsize() < LEAST:
            found.append(f"{text.get_text()!r} is too small")
        if not all(0 <= x <= figure.bbox.x1 and 0 <= y <= figure.bbox.y1 for x, y in place):
            found.append(f"{text.get_text()!r} leaves the figure")
    for (one, first), (other, second) in combinations(shown, 2):
        if near(first, second) and overlap(first, second):
            found.append(f"{one.get_text()!r} and {other.get_text()!r} overlap")
    return found


def texts(figure: Figure) -> Iterator[Text]:
    """Yield all texts that are seen."""
    for text in _all_texts(figure):
        if text.get_text().strip() and text.get_visible():
            yield text


def _all_texts(figure: Figure) -> Iterator[Text]:
    yield from figure.texts
    for legend in figure.legends:
        yield from legend.get_texts()
    for axes in figure.axes:
        yield axes.title
        yield from axes.texts
        if axes.axison:
            yield from _axis_texts(axes)


def _axis_texts(axes: Axes) -> Iterator[Text]:
    for axis in (axes.xaxis, axes.yaxis):
        yield axis.label
        yield from _tick_texts(axis)


def _tick_texts(axis: Axis) -> Iterator[Text]:
    low, high = sorted(axis.get_view_interval())
    for minor in (False, True):
        for place, text in zip(axis.get_ticklocs(minor=minor), axis.get_ticklabels(minor=minor), strict=False):
            if low <= place <= high:
                yield text


def corners(text: Text) -> Corners:
    """Return the corners of the text's turned box in pixels."""
    turned = text.get_rotation()
    box = text.get_window_extent()
    text.set_rotation(0)
    flat = text.get_window_extent()
    text.set_rotation(turned)
    angle, (x, y) = math.radians(turned), ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2)
    wide, high = flat.width / 2 - _TOUCH, flat.height / 2 - _TOUCH
    return [
        (x + dx * math.cos(angle) - dy * math.sin(angle), y + dx * math.sin(angle) + dy * math.cos(angle))
        for dx, dy in ((-wide, -high), (wide, -high), (wide, high), (-wide, high))
    ]


def near(first: Corners, second: Corners) -> bool:
    """Return whether the upright boxes around two shapes overlap."""
    pairs = [[[corner[axis] for corner in shape] for shape in (first, second)] for axis in (0, 1)]
    return all(max(min(one), min(other)) < min(max(one), max(other)) for one, other in pairs)


def overlap(first: Corners, second: Corners) -> bool:
    """Return whether two convex shapes overlap: no line along a side of either keeps them apart."""
    for shape in (first, second):
        for (x0, y0), (x1, y1) in zip(shape, [*shape[1:], shape[0]], strict=True):
            normal = (y0 - y1, x1 - x0)
            spans = [[x * normal[0] + y * normal[1] for x, y in points] for points in (first, second)]
            if max(spans[0]) <= min(spans[1]) or max(spans[1]) <= min(spans[0]):
                return False
    return True
