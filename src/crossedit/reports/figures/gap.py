"""How far edits lag behind in other languages: generality in the language of the edit less that in others."""

import math
from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean
from typing import Any, NamedTuple

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from crossedit import UNEDITED
from crossedit.facts.languages import others
from crossedit.reports.comparisons import Comparisons, Of, Side
from crossedit.reports.figures.below import Below
from crossedit.reports.figures.cells import Edited
from crossedit.reports.figures.drawing import GREY, TICK, Picture
from crossedit.reports.figures.fonts import fold
from crossedit.reports.figures.marks import FACES, FULL
from crossedit.reports.figures.panels import Layout, Panel
from crossedit.reports.figures.scatter import Dot, Spot, bars, draw_dots, languages, limit, small, span
from crossedit.reports.naming import FEW, Style, language, method

_ASPECT = "generality"
_ROW, _LINE = 0.18, 0.11  # inches of an editor's row, and of each further line of its name
_NAMES = 1.4  # inches that names may have
_SPREAD = 0.5  # of a row: what its editing languages take


class Gap(NamedTuple):
    """The difference between an editing language and others: each that is known, and their mean."""

    each: tuple[Spot, ...]
    mean: Spot


Gaps = Mapping[tuple[str, str, str], Gap]  # by backbone, editor and editing language, where any is known
Panels = Sequence[Panel[tuple[Dot, ...]]]


def picture(found: Edited, comparisons: pl.DataFrame | None) -> Picture:
    """Return the figure, with a panel per backbone; where a difference isn't in COMPARISONS, it has no interval."""
    gaps = _gaps(found, comparisons)
    there = {editor for _, editor, _ in gaps}
    editors = [editor for editor in (UNEDITED, *found.editors) if editor in there]
    panels = [Panel("", backbone, (), tuple(_dots(found, gaps, backbone, editors))) for backbone in found.backbones]
    said = [
        f"{panel.column}, {method(dot.editor)}, {dot.where}: {dot.x.value:z.0f}"
        + ("." if math.isnan(dot.x.low) else f" ({dot.x.low:z.0f} to {dot.x.high:z.0f}).")
        for panel in panels
        for dot in panel.content
        if not dot.faint
    ]
    title = f"Language gap of generality, {found.facts}"
    alt = (
        f"{title}: {found.measure} in the language of the edit less that in other languages, in percentage points, "
        f"{found.asked}"
    )
    return Picture(f"gap_{found.facts}", title, alt, " ".join(said), lambda: _draw(found, panels, editors), found.facts)


def _gaps(found: Edited, comparisons: pl.DataFrame | None) -> Gaps:
    """Return each difference: as it was compared over the facts that both have, else that of the scores."""
    about: dict[str, Any] = {"facts": found.facts, "between": "asked_in", "aspect": _ASPECT}
    about |= {"protocol": found.grid.protocol, "metric": found.metric}
    compared = Comparisons.none() if comparisons is None else Comparisons(comparisons.filter(**about))

    def paired(backbone: str, editor: str, edit_lang: str, lang: str) -> Spot | None:
        own, other = (Side(editor, edit_lang, asked) for asked in (edit_lang, lang))
        known = compared.find(Of(backbone=backbone, **about), own, other)
        return Spot(100 * known.difference, 100 * known.low, 100 * known.high) if known else None

    def apart(backbone: str, editor: str, edit_lang: str, lang: str) -> Spot | None:
        first, second = (found.find(backbone, editor, edit_lang, _ASPECT, asked) for asked in (edit_lang, lang))
        return Spot(100 * (first.mean - second.mean)) if first and second else None

    gaps = {}
    for backbone, edit_lang, editor in found.grid.rows(found.facts):
        place = (backbone, editor, edit_lang)
        elsewhere = [lang for lang in found.grid.langs if lang != edit_lang]
        each = [spot for lang in elsewhere if (spot := paired(*place, lang) or apart(*place, lang))]
        if each:
            mean = each[0] if len(each) == 1 else paired(*place, others(len(each)))
            gaps[place] = Gap(tuple(each), mean or Spot(fmean(spot.value for spot in each)))
    return gaps


def _dots(found: Edited, gaps: Gaps, backbone: str, editors: Sequence[str]) -> Iterator[Dot]:
    """Yield the differences of each editor, from the top; where there are several in one place, their mean too."""
    looks, langs = found.grid.styles, found.edit_langs
    faces = dict(zip(langs, FACES, strict=False))
    for row, editor in enumerate(editors):
        known = {lang: here for lang in langs if (here := gaps.get((backbone, editor, lang)))}
        if len(langs) > FEW:
            means = tuple(here.mean for here in known.values())
            if means:
                gap = Gap(means, Spot(fmean(spot.value for spot in means)))
                where = f"mean of {len(known)} editing languages"
                yield from _together(gap, row, editor, where, looks[editor], FULL)
            continue
        for place, lang in enumerate(langs):
            aside = _SPREAD * (place - (len(langs) - 1) / 2) / len(langs)
            where = f"edited in {language(lang)}"
            if lang in known:
                yield from _together(known[lang], row + aside, editor, where, looks[editor], faces[lang])


def _together(gap: Gap, row: float, editor: str, where: str, style: Style, face: float) -> Iterator[Dot]:
    """Yield a point where there is one difference, else small ones and their mean."""
    if len(gap.each) > 1:
        yield from (Dot(spot, Spot(row), editor, "", style, FULL, faint=True) for spot in gap.each)
    yield Dot(gap.mean, Spot(row), editor, where, style, face)


def _draw(found: Edited, panels: Panels, editors: Sequence[str]) -> Figure:
    names = [fold(method(editor), _NAMES, TICK) for editor in editors]
    longest = max((name.count("\n") for name in names), default=0)
    ends = span([Spot(0), *(dot.x for panel in panels for dot in panel.content)])

    def draw(axes: Axes, panel: Panel[tuple[Dot, ...]]) -> None:
        draw_dots(axes, panel.content)
        limit(axes.xaxis, ends)
        axes.axvline(0, color=GREY, linewidth=0.8, zorder=1)
        axes.set_ylim(max(len(editors), 1) - 0.5, -0.5)
        axes.set_yticks(range(len(editors)), names)
        axes.tick_params(axis="y", length=0, labelcolor="black")

    layout = Layout.of(
        panels,
        [line for name in names for line in name.split("\n")],
        high=(_ROW + _LINE * longest) * max(len(editors), 3),
    )
    note = f"{found.facts}: generality in the language of the edit less that in others, {found.asked}"
    points = [dot for panel in panels for dot in panel.content]
    if not points:
        note += " There is no score in another language."
    note += bars(panels)
    legend = languages(found.edit_langs, panels)
    if len(found.edit_langs) <= FEW and any(dot.faint for dot in points):
        legend.append(small("one other language"))
    below = Below.of([legend], note, layout.width)
    return layout.figure(f"Language gap in {found.measure}, percentage points", "", below, draw)
