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
from crossedit.reports.figures.cells import F1
from crossedit.reports.figures.drawing import COLUMN, FAINT, GREY, LEAST, PAGE, TICK, TITLE, Picture
from crossedit.reports.figures.fonts import fold
from crossedit.reports.figures.marks import FULL, marked
from crossedit.reports.naming import ASPECTS, Style, asked, language, method

_EDGE, _LINE = 0.05, 0.13  # inches: around all, and of a line of the title

Spoke = tuple[str, str]  # aspect, evaluation language


class Size(NamedTuple):
    """How a chart of many or few spokes is laid out."""

    width: float  # inches of the figure
    share: float  # of it that the circle takes
    langs: float  # where languages are named, in percent of the circle's radius
    aspects: float
    named: bool  # languages by their names, across their spokes; else by their codes
    across: bool

    @classmethod
    def of(cls, spokes: int) -> "Size":
        """Return the size that leaves room for each spoke's language."""
        few = spokes <= 13
        if spokes <= 40:
            return cls(COLUMN, 0.68, 108, 119, few, True)
        return cls(PAGE, 0.8, 104, 110, False, False)


@dataclass(frozen=True)
class Chart:
    """The chart of one backbone and editing language."""

    found: F1
    backbone: str
    edit_lang: str

    @property
    def spokes(self) -> list[Spoke]:
        """Reliability in the editing language, the other aspects in each evaluation language."""
        langs = self.found.grid.langs
        return [(ASPECTS[0], self.edit_lang), *((aspect, lang) for aspect in ASPECTS[1:] for lang in langs)]

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
        """Return F1 in percent on each spoke, NaN where there is no score."""
        found = [self.found.find(self.backbone, editor, self.edit_lang, *spoke) for spoke in self.spokes]
        return [math.nan if estimate is None else 100 * estimate.mean for estimate in found]

    def picture(self) -> Picture:
        """Return the chart under the grid's protocol."""
        facts = self.found.facts
        name = f"radar_{facts}_{self.backbone}_{self.edit_lang}"
        alt = (
            f"Radar chart of {self.title}: F1 in percent, {asked(self.found.grid.protocol)}, "
            "a polygon for each editor and a spoke for each aspect and language."
        )
        return Picture(name, self.title, alt, " ".join(map(self._told, self.editors)), self.draw, facts)

    def _told(self, editor: str) -> str:
        """Return the editor's values in words; of languages that have no room for their names, the mean."""
        values = dict(zip(self.spokes, self.values(editor), strict=True))
        if Size.of(len(values)).named:
            said = {f"{aspect} in {language(lang)}": value for (aspect, lang), value in values.items()}
        else:
            own = {spoke: value for spoke, value in values.items() if spoke[1] == self.edit_lang}
            said = {f"{aspect} in {language(lang)}": value for (aspect, lang), value in own.items()}
            for aspect in ASPECTS[1:]:
                others = [value for spoke, value in values.items() if spoke[0] == aspect and spoke not in own]
                known = [value for value in others if not math.isnan(value)]
                said[f"{aspect} in {len(known)} others"] = sum(known) / len(known) if known else math.nan
        points = (f"{spoke} {'missing' if math.isnan(value) else f'{value:.0f}'}" for spoke, value in said.items())
        return f"{method(editor)}: {', '.join(points)}."

    def draw(self) -> Figure:
        """Return the figure."""
        look, size = self.found.grid.styles, Size.of(len(self.spokes))
        polygons = {editor: self.values(editor) for editor in self.editors}
        polygons = {editor: values for editor, values in polygons.items() if not all(map(math.isnan, values))}
        legend = [_line(look[editor], [], [], label=method(editor)) for editor in polygons]
        note = f"{self.found.facts}: F1 in %, {asked(self.found.grid.protocol)}."
        below = Below.of([legend], note, size.width)
        title = fold(self.title, size.width - 2 * _EDGE, TITLE, "bold")
        side = size.share * size.width  # inches of the circle's width
        rim = (size.aspects / 100 - 1) * side / 2 + 2 * _EDGE
        bottom = rim + below.height
        height = bottom + side + rim + _LINE * (title.count("\n") + 1) + _EDGE
        figure = Figure(figsize=(size.width, height))
        bounds = ((1 - size.share) / 2, bottom / height, size.share, side / height)
        polar = figure.add_axes(bounds, projection="polar")
        assert isinstance(polar, PolarAxes)
        angles = [2 * math.pi * place / len(self.spokes) for place in range(len(self.spokes))]
        _frame(polar, self.spokes, angles, size)
        for editor, values in polygons.items():
            # Gaps stay where a value is missing.
            line = _line(look[editor], [*angles, angles[0]], [*values, values[0]], clip_on=False)
            line.set(label=method(editor), zorder=2 if editor == UNEDITED else 3)
            line.set_markevery(math.ceil(len(angles) / 40))
            polar.add_line(line)
        figure.text(0.5, 1 - _EDGE / height, title, ha="center", va="top", fontsize=TITLE, fontweight="bold")
        below.draw(figure)
        return figure


def charts(found: F1) -> Iterator[Chart]:
    """Yield the chart of each backbone and editing language."""
    for backbone, edit_lang in dict.fromkeys((backbone, lang) for backbone, lang, _ in found.grid.rows(found.facts)):
        yield Chart(found, backbone, edit_lang)


def _frame(polar: PolarAxes, spokes: Sequence[Spoke], angles: Sequence[float], size: Size) -> None:
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
    every = math.ceil(len(spokes) / 165)  # as many as have room beside each other
    for (_, lang), angle in list(zip(spokes, angles, strict=True))[::every]:
        named, points = language(lang) if size.named else lang, TICK if size.across else LEAST
        _along_rim(polar, angle, size.langs, named, size.across, fontsize=points, color=GREY)
    for aspect in ASPECTS:
        own = [angle for (of, _), angle in zip(spokes, angles, strict=True) if of == aspect]
        middle = sum(own) / len(own)
        _along_rim(polar, middle, size.aspects, aspect.capitalize(), True, fontsize=TITLE, fontweight="bold")


def _along_rim(polar: PolarAxes, angle: float, radius: float, text: str, across: bool, **font: Any) -> None:
    """Write the text across its spoke or along it, never upside down."""
    turned = -math.degrees(angle) + (0 if across else 90)
    upright = turned if math.cos(math.radians(turned)) > -1e-6 else turned + 180
    polar.text(angle, radius, text, rotation=upright, rotation_mode="anchor", ha="center", va="center", **font)


def _line(style: Style, angles: Sequence[float], values: Sequence[float], **settings: Any) -> Line2D:
    looks = {**marked(style, FULL, 0.4), "marker": style.marker, "markeredgecolor": "white", "linestyle": style.line}
    return Line2D(angles, values, color=style.colour, linewidth=1.1, **looks, **settings)
