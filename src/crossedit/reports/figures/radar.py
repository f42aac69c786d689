"""The radar chart of Bi-ZsRE's Fig. 2: what the editors of one backbone and editing language do, as polygons."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.projections.polar import PolarAxes

from crossedit import UNEDITED
from crossedit.reports.figures.drawing import FAINT, GREY, Picture
from crossedit.reports.grid import Grid
from crossedit.reports.naming import ASPECTS, Style, f1_metric, language, method, styles
from crossedit.reports.scores import Scores

WIDTH = 3.4  # inches: one column of a two-column page
_LEGEND = 7  # points

_NAMES_FIT = 13  # spokes; where there are more, languages go by their codes

Axis = tuple[str, str]  # aspect, evaluation language


def name(facts: str, backbone: str, edit_lang: str) -> str:
    """Return the name of the chart's files, without suffix."""
    return f"radar_{facts}_{backbone}_{edit_lang}"


def axes_of(grid: Grid, edit_lang: str) -> list[Axis]:
    """Return the spokes: reliability in the editing language, the other aspects in each evaluation language."""
    return [(ASPECTS[0], edit_lang), *((aspect, lang) for aspect in ASPECTS[1:] for lang in grid.langs)]


def editors_of(grid: Grid, facts: str, backbone: str, edit_lang: str) -> list[str]:
    """Return whose polygons the chart has, the unedited backbone first."""
    return [editor for *place, editor in grid.rows(facts) if place == [backbone, edit_lang]]


def values(
    scores: Scores, facts: str, backbone: str, editor: str, edit_lang: str, axes: Sequence[Axis], protocol: str
) -> list[float]:
    """Return F1 in percent on each axis, NaN where there is no score."""
    found = [
        scores.find(
            facts=facts,
            backbone=backbone,
            editor=editor,
            edit_lang=edit_lang,
            aspect=aspect,
            lang=lang,
            protocol=protocol,
            metric=f1_metric(protocol),
        )
        for aspect, lang in axes
    ]
    return [math.nan if estimate is None else 100 * estimate.mean for estimate in found]


def pictures(scores: Scores, grid: Grid, facts: str) -> Iterator[Picture]:
    """Yield the chart of each backbone and editing language."""
    for backbone, edit_lang in dict.fromkeys((backbone, edit_lang) for backbone, edit_lang, _ in grid.rows(facts)):
        yield picture(scores, grid, facts, backbone, edit_lang)


def picture(scores: Scores, grid: Grid, facts: str, backbone: str, edit_lang: str) -> Picture:
    """Return the chart under the grid's protocol."""
    title = f"{backbone}, edited in {language(edit_lang)}"
    axes, told = axes_of(grid, edit_lang), []
    for editor in editors_of(grid, facts, backbone, edit_lang):
        found = values(scores, facts, backbone, editor, edit_lang, axes, grid.protocol)
        points = zip(axes, found, strict=True)
        said = (
            f"{aspect} in {language(lang)} {'missing' if math.isnan(value) else f'{value:.0f}'}"
            for (aspect, lang), value in points
        )
        told.append(f"{method(editor)}: {', '.join(said)}.")
    return Picture(
        name(facts, backbone, edit_lang),
        title,
        " ".join([f"Radar chart of F1, {title}.", *told]),
        lambda: draw(scores, grid, facts, backbone, edit_lang),
        facts,
    )


def draw(scores: Scores, grid: Grid, facts: str, backbone: str, edit_lang: str) -> Figure:
    """Return the chart under the grid's protocol."""
    axes, look = axes_of(grid, edit_lang), styles(grid.editors)
    polygons = {
        editor: values(scores, facts, backbone, editor, edit_lang, axes, grid.protocol)
        for editor in editors_of(grid, facts, backbone, edit_lang)
    }
    polygons = {editor: shown for editor, shown in polygons.items() if not all(map(math.isnan, shown))}
    legend_lines = math.ceil(len(polygons) / _names_a_line(list(map(method, polygons))))
    top, side, bottom = 0.5, 0.68 * WIDTH, 0.38 + 0.16 * legend_lines  # inches, of which `side` is the circle's width
    height = top + side + bottom
    figure = Figure(figsize=(WIDTH, height))
    bounds = ((WIDTH - side) / 2 / WIDTH, bottom / height, side / WIDTH, side / height)
    polar = figure.add_axes(bounds, projection="polar")
    assert isinstance(polar, PolarAxes)
    angles = [2 * math.pi * place / len(axes) for place in range(len(axes))]
    _frame(polar, axes, angles, names=len(axes) <= _NAMES_FIT)
    for editor, shown in polygons.items():
        _polygon(polar, angles, shown, look[editor], method(editor))
    title = f"{backbone}, edited in {language(edit_lang)}"
    figure.text(0.5, 1 - 0.04 / height, title, ha="center", va="top", fontsize=8, fontweight="bold")
    if polygons:
        columns = math.ceil(len(polygons) / legend_lines)
        figure.legend(
            loc="lower center", ncols=columns, frameon=False, fontsize=_LEGEND, handlelength=3.2, columnspacing=1.4
        )
    return figure


def _names_a_line(names: Sequence[str]) -> int:
    """Return how many of the names fit beside each other under the chart, each with a piece of its line."""
    letters = max(map(len, names), default=0)
    inches = _LEGEND * (5.4 + 0.6 * letters) / 72  # of the line, the gaps, and letters of average width
    return max(1, min(4, int(WIDTH / inches)))


def _frame(polar: PolarAxes, axes: Sequence[Axis], angles: Sequence[float], names: bool) -> None:
    """Draw rings, spokes and their names: languages along the rim, aspects along a wider one."""
    polar.set_theta_zero_location("N")
    polar.set_theta_direction(-1)
    polar.set_ylim(0, 100)
    polar.set_axis_off()
    around = [*angles, angles[0]]
    for ring in (20, 40, 60, 80, 100):
        colour, width = (GREY, 0.8) if ring == 100 else (FAINT, 0.5)
        polar.plot(around, [ring] * len(around), color=colour, linewidth=width, zorder=0, clip_on=False)
        polar.annotate(
            str(ring), (0, ring), (-2, 0), textcoords="offset points", fontsize=5, color=GREY, ha="right", va="center"
        )
    for angle in angles:
        polar.plot([angle, angle], [0, 100], color=FAINT, linewidth=0.5, zorder=0)
    for (_, lang), angle in zip(axes, angles, strict=True):
        _along_rim(polar, angle, 108, language(lang) if names else lang, fontsize=6.5, color=GREY)
    for aspect in ASPECTS:
        own = [angle for (of, _), angle in zip(axes, angles, strict=True) if of == aspect]
        _along_rim(polar, sum(own) / len(own), 119, aspect.capitalize(), fontsize=7.5, fontweight="bold")


def _along_rim(polar: PolarAxes, angle: float, radius: float, text: str, **font: Any) -> None:
    """Write the text across its spoke, never upside down."""
    turned = -math.degrees(angle)
    upright = turned if math.cos(angle) > -1e-6 else turned + 180
    polar.text(angle, radius, text, rotation=upright, rotation_mode="anchor", ha="center", va="center", **font)


def _polygon(polar: PolarAxes, angles: Sequence[float], shown: Sequence[float], style: Style, label: str) -> None:
    """Draw one closed line, with gaps where a value is missing."""
    polar.plot(
        [*angles, angles[0]],
        [*shown, shown[0]],
        color=style.colour,
        linestyle=style.line,
        linewidth=1.2,
        marker=style.marker or None,
        markersize=4,
        markeredgecolor="white",
        markeredgewidth=0.4,
        label=label,
        clip_on=False,
        zorder=2 if label == method(UNEDITED) else 3,
    )
