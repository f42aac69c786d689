"""What editors give up for what: reliability, locality and portability against each other, in the edit's language."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from crossedit.reports.figures.below import Below
from crossedit.reports.figures.cells import Edited
from crossedit.reports.figures.drawing import Picture
from crossedit.reports.figures.panels import PERCENT, Layout, Panel
from crossedit.reports.figures.scatter import Dot, Spot, bars, dots, draw_dots, editors, languages, limit, span, told

_ASPECTS = ("reliability", "locality", "portability")

Panels = Sequence[Panel[tuple[Dot, ...]]]


def picture(found: Edited) -> Picture:
    """Return the figure, with a row of panels per backbone."""
    panels = [
        Panel(backbone, "", (), _dots(found, backbone, across, along), across.capitalize(), along.capitalize())
        for backbone in found.backbones
        for across, along in combinations(_ASPECTS, 2)
    ]
    title = f"Reliability, locality and portability against each other, {found.facts}"
    alt = f"{title}: {found.measure} in percent in the language of the edit, {found.asked}"
    return Picture(f"tradeoff_{found.facts}", title, alt, told(panels), lambda: _draw(found, panels), found.facts)


def _dots(found: Edited, backbone: str, across: str, along: str) -> tuple[Dot, ...]:
    def at(editor: str, edit_lang: str) -> tuple[Spot, Spot] | None:
        x, y = (found.own(backbone, editor, edit_lang, aspect) for aspect in (across, along))
        return (Spot.percent(x), Spot.percent(y)) if x and y else None

    return dots(found, at)


def _draw(found: Edited, panels: Panels) -> Figure:
    def unit(aspect: str) -> str:
        return f"{aspect}, {found.measure} in %"

    labelled = [replace(panel, x_label=unit(panel.x_label), y_label=unit(panel.y_label)) for panel in panels]
    ends = {
        label: span(
            spot
            for panel in labelled
            for dot in panel.content
            for name, spot in ((panel.x_label, dot.x), (panel.y_label, dot.y))
            if name == label
        )
        for label in (unit(aspect.capitalize()) for aspect in _ASPECTS)
    }

    def draw(axes: Axes, panel: Panel[tuple[Dot, ...]]) -> None:
        draw_dots(axes, panel.content)
        limit(axes.xaxis, ends[panel.x_label])
        limit(axes.yaxis, ends[panel.y_label])

    layout = Layout.of(labelled, PERCENT, shared=False)
    note = f"{found.facts}: in the language of the edit, {found.asked}{bars(panels)}"
    if any(panel.content for panel in panels):
        note += " The axes of an aspect go as far as its values."
    legends = [editors(found, panels), languages(found.edit_langs, panels)]
    return layout.figure("", "", Below.of(legends, note, layout.width), draw)
