"""The radar chart of Bi-ZsRE's Fig. 2: what the editors of one backbone and editing language do, as polygons."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.projections.polar import PolarAxes

from crossedit import UNEDITED
from crossedit.reports.figures.below import Below
from crossedit.reports.figures.cells import Edited
from crossedit.reports.figures.drawing import COLUMN, FAINT, GREY, LEAST, TICK, TITLE, Picture
from crossedit.reports.figures.fonts import fold
from crossedit.reports.figures.marks import FULL, marked
from crossedit.reports.figures.panels import empty
from crossedit.reports.naming import ASPECTS, FEW, Style, language, method

_EDGE, _LINE = 0.05, 0.13  # inches: around all, and of a line of the title
_CIRCLE = 0.68  # of the figure's width
_NAMES, _ASPECTS = 108, 119  # percent of the circle's radius: where spokes and aspects are named


class Spoke(NamedTuple):
    """An aspect asked in a language, or in several of which the mean is shown."""

    aspect: str
    langs: tuple[str, ...]
    name: str


@dataclass(frozen=True)
class Chart:
    """The chart of one backbone and editing language."""

    found: Edited
    backbone: str
    edit_lang: str

    @property
    def others(self) -> tuple[str, ...]:
        """The evaluation languages but that of the edit."""
        return tuple(lang for lang in self.found.grid.langs if lang != self.edit_lang)

    @property
    def spokes(self) -> list[Spoke]:
        """Reliability in the editing language, the other aspects in each evaluation language.

        Beyond FEW others, these have their mean, as in the short form of Table 2.
        """
        if len(self.others) > FEW:
            own, mean_of = ((self.edit_lang,), "own language"), (self.others, "others, mean")
            return [Spoke(ASPECTS[0], *own), *(Spoke(aspect, *of) for aspect in ASPECTS[1:] for of in (own, mean_of))]
        asked_in = [(ASPECTS[0], self.edit_lang)]
        asked_in += [(aspect, lang) for aspect in ASPECTS[1:] for lang in self.found.grid.langs]
        return [Spoke(aspect, (lang,), language(lang)) for aspect, lang in asked_in]

    @property
    def editors(self) -> list[str]:
        """Those with rows, the unedited backbone first."""
        place = (self.backbone, self.edit_lang)
        return [editor for *other, editor in self.found.grid.rows(self.found.facts) if tuple(other) == place]

    @property
    def title(self) -> str:
        """What it is of."""
        return f"{self.backbone}, edited in {language(self.edit_lang)}"

    def values(self, editor: str) -> list[float]:
        """Return the score in percent on each spoke, NaN where there is none."""
        place = (self.backbone, editor, self.edit_lang)
        found = [self.found.across(*place, spoke.aspect, spoke.langs) for spoke in self.spokes]
        return [math.nan if estimate is None else 100 * estimate.mean for estimate in found]

    def picture(self) -> Picture:
        """Return the chart under the grid's protocol."""
        facts = self.found.facts
        name = f"radar_{facts}_{self.backbone}_{self.edit_lang}"
        alt = (
            f"Radar chart of {self.title}, a polygon for each editor and a spoke for each aspect and language: "
            f"{self.found.measure} in percent, {self.found.asked}"
        )
        known = [editor for editor in self.editors if not all(map(math.isnan, self.values(editor)))]
        return Picture(name, self.title, alt, " ".join(map(self._told, known)), self.draw, facts)

    def _told(self, editor: str) -> str:
        """Return the editor's values in words."""
        said = {
            f"{aspect} in {name}": value
            for (aspect, _, name), value in zip(self.spokes, self.values(editor), strict=True)
        }
        points = (f"{spoke} {'missing' if math.isnan(value) else f'{value:.0f}'}" for spoke, value in said.items())
        return f"{method(editor)}: {', '.join(points)}."

    def draw(self) -> Figure:
        """Return the figure."""
        look = self.found.grid.styles
        polygons = {editor: self.values(editor) for editor in self.editors}
        polygons = {editor: values for editor, values in polygons.items() if not all(map(math.isnan, values))}
        legend = [_line(look[editor], [], [], label=method(editor)) for editor in polygons]
        note = f"{self.found.facts}: {self.found.measure} in %, {self.found.asked}"
        if len(self.others) > FEW and polygons:
            note += f" Others, mean: of the {len(self.others)} other languages, those without a score left out."
        below = Below.of([legend], note, COLUMN)
        title = fold(self.title, COLUMN - 2 * _EDGE, TITLE, "bold")
        side = _CIRCLE * COLUMN  # inches of the circle's width
        rim = (_ASPECTS / 100 - 1) * side / 2 + 2 * _EDGE
        bottom = rim + below.height
        height = bottom + side + rim + _LINE * (title.count("\n") + 1) + _EDGE
        figure = Figure(figsize=(COLUMN, height))
        bounds = ((1 - _CIRCLE) / 2, bottom / height, _CIRCLE, side / height)
        polar = figure.add_axes(bounds, projection="polar")
        assert isinstance(polar, PolarAxes)
        angles = [2 * math.pi * place / len(self.spokes) for place in range(len(self.spokes))]
        _frame(polar, self.spokes, angles)
        if not polygons:
            empty(polar)
        for editor, values in polygons.items():
            # Gaps stay where a value is missing.
            line = _line(look[editor], [*angles, angles[0]], [*values, values[0]], clip_on=False)
            line.set(label=method(editor), zorder=2 if editor == UNEDITED else 3)
            polar.add_line(line)
        figure.text(0.5, 1 - _EDGE / height, title, ha="center", va="top", fontsize=TITLE, fontweight="bold")
        below.draw(figure)
        return figure


def charts(found: Edited) -> Iterator[Chart]:
    """Yield the chart of each backbone and editing language."""
    for backbone, edit_lang in dict.fromkeys((backbone, lang) for backbone, lang, _ in found.grid.rows(found.facts)):
        yield Chart(found, backbone, edit_lang)


def _frame(polar: PolarAxes, spokes: Sequence[Spoke], angles: Sequence[float]) -> None:
    """Draw rings, spokes and their names: languages along the rim, aspects along a wider one."""
    polar.set_theta_zero_location("N")
    polar.set_theta_direction(-1)
    polar.set_ylim(0, 100)
    polar.set_axis_off()
    around = [*angles, angles[0]]
    for ring in (20, 40, 60, 80, 100):
        colour, width = (GREY, 0.8) if ring == 100 else (FAINT, 0.5)
        polar.plot(around, [ring] * len(around), color=colour, linewidth=width, zorder=0, clip_on=False)
        looks: dict[str, Any] = {"fontsize": LEAST, "color": GREY, "ha": "right", "va": "center", "zorder": 4}
        said = polar.annotate(str(ring), (0, ring), (-2, 0), textcoords="offset points", **looks)
        said.set_path_effects([withStroke(linewidth=1.5, foreground="white")])
    for angle in angles:
        polar.plot([angle, angle], [0, 100], color=FAINT, linewidth=0.5, zorder=0)
    for spoke, angle in zip(spokes, angles, strict=True):
        _along_rim(polar, angle, _NAMES, spoke.name, fontsize=TICK, color=GREY)
    for aspect in ASPECTS:
        own = [angle for spoke, angle in zip(spokes, angles, strict=True) if spoke.aspect == aspect]
        middle = sum(own) / len(own)
        _along_rim(polar, middle, _ASPECTS, aspect.capitalize(), fontsize=TITLE, fontweight="bold")


def _along_rim(polar: PolarAxes, angle: float, radius: float, text: str, **font: Any) -> None:
    """Write the text across its spoke, never upside down."""
    turned = -math.degrees(angle)
    upright = turned if math.cos(math.radians(turned)) > -1e-6 else turned + 180
    polar.text(angle, radius, text, rotation=upright, rotation_mode="anchor", ha="center", va="center", **font)


def _line(style: Style, angles: Sequence[float], values: Sequence[float], **settings: Any) -> Line2D:
    looks = {**marked(style, FULL, 0.4), "marker": style.marker, "markeredgecolor": "white", "linestyle": style.line}
    return Line2D(angles, values, color=style.colour, linewidth=1.1, **looks, **settings)
