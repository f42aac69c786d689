"""The figures of a page: those that were drawn, by what they show."""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from crossedit.reports.figures.drawing import SUFFIXES, Picture
from crossedit.reports.page.embedding import address

# Kinds of figures by how their names begin; what is wide has several panels.
_KINDS = {
    "radar": "Editors at a glance",
    "training_scale": "Training facts",
    "gap": "The language gap",
    "tradeoff": "Trade-offs",
    "cost": "Cost and quality",
    "side_effects": "General abilities",
    "edited_facts": "The edited facts",
    "forgetting": "Forgetting",
    "weights": "Weights",
}
_FURTHER = "Further figures"
MOST = 12  # figures of a kind that the page holds; one of many languages may have hundreds of kilobytes
_PIXELS_PER_POINT = 1.8  # a letter of 7 points is then as high as the page's own small ones
_WIDTH = 480  # of a picture that doesn't say how wide it is
_WIDE = 640  # below it letters of two columns' width can't be read; see page.css


class Chart(NamedTuple):
    """A figure as the page holds it."""

    name: str  # of its files, without suffix
    title: str
    address: str  # a data: address with the picture in it
    width: int  # pixels at which its letters are as large as those of the other figures
    alt: str  # what it shows, for those who can't see it
    described: str  # its values in words
    forms: tuple[str, ...] = SUFFIXES  # of its files

    @property
    def wide(self) -> bool:
        """Whether narrow screens scroll it."""
        return self.width > _WIDE


class Kind(NamedTuple):
    """Figures of one kind."""

    title: str
    charts: list[Chart]
    left_out: int  # how many others have values
    unknown: list[Picture]  # those that have none


def by_kind(drawn: Iterable[Picture], figures: Sequence[Path]) -> list[Kind]:
    """Return the pictures that are among the files, the first of each kind; of the files the SVG ones count."""
    files = {path.stem: path for path in figures if path.suffix == ".svg"}
    order = [*_KINDS.values(), _FURTHER]
    there = sorted(
        (picture for picture in drawn if picture.name in files), key=lambda picture: order.index(_kind(picture.name))
    )
    kinds = [(kind, list(members)) for kind, members in groupby(there, lambda picture: _kind(picture.name))]
    return [_held(kind, members, files) for kind, members in kinds]


def _held(title: str, pictures: Sequence[Picture], files: Mapping[str, Path]) -> Kind:
    known = [picture for picture in pictures if picture.described]
    charts = [_chart(picture, files[picture.name]) for picture in known[:MOST]]
    return Kind(title, charts, len(known[MOST:]), [picture for picture in pictures if not picture.described])


def _chart(picture: Picture, path: Path) -> Chart:
    held = address(path)
    points = re.search(r'<svg[^>]* width="([\d.]+)pt"', path.read_text(encoding="utf-8"))
    width = round(float(points[1]) * _PIXELS_PER_POINT) if points else _WIDTH
    return Chart(picture.name, picture.title, held, width, picture.alt, picture.described)


def _kind(name: str) -> str:
    return next((kind for start, kind in _KINDS.items() if name.startswith(f"{start}_")), _FURTHER)
