"""What editors that learn make of more training facts, as Bi-ZsRE's Fig. 3 shows it: a figure of each backbone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure

from crossedit.reports.figures.cells import Asked, Edited, asked_in
from crossedit.reports.figures.curves import Line, curves, known, told
from crossedit.reports.figures.drawing import GREY, Picture
from crossedit.reports.figures.marks import handle
from crossedit.reports.figures.panels import Panel
from crossedit.reports.naming import ASPECTS, FEW, Style, language
from crossedit.reports.scores import mean
from crossedit.reports.training_scale import Sizes, sizes


def pictures(found: Edited, entry: Mapping[str, Any]) -> Iterator[Picture]:
    """Yield the figure of each backbone; none where no editors of the configuration differ in training facts alone."""
    groups = sizes(entry.get("editors") or {}, found.editors)
    if groups:
        for backbone in found.backbones:
            yield _Scales(found, groups, backbone).picture()


@dataclass(frozen=True)
class _Scales:
    """The scores of a backbone by method and number of training facts."""

    found: Edited
    groups: Sizes
    backbone: str

    def picture(self) -> Picture:
        """Return the figure, with a row of panels per editing language, or one of their mean where they are many."""
        found, title = self.found, f"{self.found.measure} by number of training facts, {self.backbone}"
        langs = found.edit_langs
        rows = [(lang,) for lang in langs] if len(langs) <= FEW else [langs]
        panels = [self._panel(edit_langs, aspect) for edit_langs in rows for aspect in ASPECTS]
        alt = f"{title}, in percent, {found.asked}"
        name = f"training_scale_{found.facts}_{self.backbone}"
        return Picture(name, title, alt, told(panels), lambda: self._draw(panels), found.facts)

    def _panel(self, edit_langs: Sequence[str], aspect: str) -> Panel[tuple[Line, ...]]:
        row = f"Edited in {language(edit_langs[0])}" if len(edit_langs) == 1 else f"Mean of {len(edit_langs)} languages"
        places = [place for place in self._asked if any(map(place.langs, edit_langs))]
        lines = [
            self._line(method, edit_langs, aspect, place)
            for method in self.groups
            for place in (places if aspect != ASPECTS[0] else places[:1])
        ]
        return Panel(row, aspect.capitalize(), tuple(map(_short, self._stops)), tuple(lines))

    def _line(self, method: str, edit_langs: Sequence[str], aspect: str, place: Asked) -> Line:
        editors = {size: editor for editor, size in reversed(self.groups[method])}
        points = tuple(
            mean(
                self.found.across(self.backbone, editors[size], edit_lang, aspect, langs)
                for edit_lang in edit_langs
                if (langs := place.langs(edit_lang))
            )
            if size in editors
            else None
            for size in self._stops
        )
        return Line(
            _label(method, place),
            self._styles[method]._replace(line=place.line),
            points,
            (not place.others,) * len(points),
            without=frozenset(number for number, size in enumerate(self._stops) if size not in editors),
        )

    def _draw(self, panels: Sequence[Panel[tuple[Line, ...]]]) -> Figure:
        there = {line.label for line in known(panels)}
        every = [(method, place) for method in self.groups for place in self._asked]
        drawn = [(method, place) for method, place in every if _label(method, place) in there]
        methods = [
            handle(method, self._styles[method]._replace(line="-"))
            for method in dict.fromkeys(method for method, _ in drawn)
        ]
        places = [
            handle(f"asked in {place.label}", Style(GREY, "o", place.line))
            for place in self._asked
            if place in {place for _, place in drawn}
        ]
        note = f"{self.found.facts} on {self.backbone}, {self.found.asked}"
        return curves(panels, "Training facts", f"{self.found.measure} in %", note, [methods, places])

    @property
    def _asked(self) -> tuple[Asked, ...]:
        return asked_in(self.found.grid.langs)

    @property
    def _stops(self) -> list[int | None]:
        """The numbers of training facts of all methods; None is all of them, and comes last."""
        every = {size for group in self.groups.values() for _, size in group}
        return sorted(every, key=lambda size: (size is None, size or 0))

    @property
    def _styles(self) -> dict[str, Style]:
        """How methods are drawn: as the first of their editors is in other figures."""
        looks, order = self.found.grid.styles, self.found.grid.editors
        firsts = {method: min((name for name, _ in group), key=order.index) for method, group in self.groups.items()}
        return {method: looks[name] for method, name in firsts.items()}


def _label(method: str, place: Asked) -> str:
    return f"{method} asked in {place.label}"


def _short(size: int | None) -> str:
    """Return the number as it fits under a panel, such as `500` or `3k`."""
    if size is None:
        return "all"
    return f"{size / 1000:g}k" if size >= 1000 and size % 100 == 0 else str(size)
