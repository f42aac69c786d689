"""What quality costs: seconds to find an edit against the four aspects, in the edit's language."""

import math
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from crossedit.reports.costs import Seconds
from crossedit.reports.figures.below import Below
from crossedit.reports.figures.cells import Edited
from crossedit.reports.figures.drawing import Picture
from crossedit.reports.figures.panels import POWER, Layout, Panel, inches, powers
from crossedit.reports.figures.scatter import Dot, Spot, bars, dots, draw_dots, editors, languages, limit, told
from crossedit.reports.naming import ASPECTS
from crossedit.reports.owners import Place

_WITHOUT = "What is learnt or prepared once for all facts is not in the seconds, nor is answering."

_X = "Seconds per edit"

Panels = Sequence[Panel[tuple[Dot, ...]]]


def picture(found: Edited, costs: Mapping[Place, Seconds]) -> Picture:
    """Return the figure, with a row of panels per backbone; a cell whose seconds aren't known is left out."""
    panels = [
        Panel(backbone, aspect.capitalize(), (), _dots(found, costs, backbone, aspect), _X)
        for backbone in found.backbones
        for aspect in ASPECTS
    ]
    title = f"Seconds to find an edit against scores, {found.facts}"
    note = f"{found.facts}: in the language of the edit, {found.asked}{bars(panels)} {_WITHOUT}"
    unknown = _unknown(found, costs)
    lacking = f"Seconds are not known of {', '.join(unknown)}." if unknown else ""
    note = f"{note} {lacking}".strip()
    alt = f"{title}: {found.measure} in percent in the language of the edit, {found.asked}"
    values = told(panels)
    described = f"{values} {note}" if values else ""
    name = f"cost_{found.facts}"
    return Picture(name, title, alt, described, lambda: _draw(found, panels, note), found.facts, lacking)


def _dots(found: Edited, costs: Mapping[Place, Seconds], backbone: str, aspect: str) -> tuple[Dot, ...]:
    def at(editor: str, edit_lang: str) -> tuple[Spot, Spot] | None:
        seconds = _seconds(found, costs, backbone, editor, edit_lang)
        score = found.own(backbone, editor, edit_lang, aspect)
        return (Spot(seconds), Spot.percent(score)) if seconds and score else None

    return dots(found, at)


def _seconds(found: Edited, costs: Mapping[Place, Seconds], backbone: str, editor: str, edit_lang: str) -> float | None:
    known = costs.get(Place(found.facts, backbone, editor, edit_lang))
    return known.edit if known else None


def _unknown(found: Edited, costs: Mapping[Place, Seconds]) -> list[str]:
    """Return the editors that have scores in a cell whose seconds are not known, or are none at all."""
    return [
        editor
        for editor in found.editors
        if any(
            found.own(backbone, editor, edit_lang, ASPECTS[0])
            and not _seconds(found, costs, backbone, editor, edit_lang)
            for backbone in found.backbones
            for edit_lang in found.edit_langs
        )
    ]


def _draw(found: Edited, panels: Panels, note: str) -> Figure:
    known = [math.log10(dot.x.value) for panel in panels for dot in panel.content] or [0.0]
    low, high = math.floor(min(known)), max(math.ceil(max(known)), math.floor(min(known)) + 1)

    def draw(axes: Axes, panel: Panel[tuple[Dot, ...]]) -> None:
        draw_dots(axes, panel.content)
        limit(axes.yaxis, (0, 100))
        axes.set_xscale("log")
        room = inches(axes) - POWER
        aside = (high - low) * POWER / 2 / room
        axes.set_xlim(10 ** (low - aside), 10 ** (high + aside))
        axes.set_xticks(*powers(low, high, room))
        axes.set_xticks([], minor=True)

    layout = Layout.of(panels)
    legends = [editors(found, panels), languages(found.edit_langs, panels)]
    return layout.figure(_X, f"{found.measure} in %", Below.of(legends, note, layout.width), draw)
