"""How every figure is written: as PDF, SVG and PNG that are the same bytes for the same scores."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from crossedit.files import whole
from crossedit.reports.figures import fonts

SUFFIXES = ("pdf", "svg", "png")
COLUMN, PAGE = 3.3, 6.9  # inches: the width of a figure in one column of a paper, or over both
TITLE, LABEL, TICK, NOTE, LEAST = 7.5, 7, 6.5, 6, 5.5  # points, at these widths
GREY, FAINT = "#555555", "#c8c8c8"
BARS = "Bars: 95 % intervals."  # what a note says where a bar is drawn

# Without times and random names in them, files of the same scores are the same.
_SETTINGS: dict[Any, Any] = {
    "font.size": LABEL,
    "text.parse_math": False,
    "pdf.fonttype": 42,
    "svg.fonttype": "path",
    "svg.hashsalt": "crossedit",
    "lines.solid_joinstyle": "round",
}
_METADATA: dict[str, dict[str, str | None]] = {
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    "svg": {"Date": None, "Creator": None},
    "png": {"Software": None},
}


@dataclass(frozen=True)
class Picture:
    """A figure before it is drawn."""

    name: str  # of its files, without suffix
    title: str
    alt: str  # what it shows, and of what, in a sentence or two for those who can't see it
    described: str  # its values in words; empty where it has none
    draw: Callable[[], Figure]
    facts: str = ""  # that it is of; empty where it is of sweeps
    lacking: str = ""  # which values it hasn't and why, in a sentence


@contextmanager
def settings() -> Iterator[None]:
    """Give the block in which figures are made: whatever matplotlibrc a user has, they look the same."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update({"font.family": list(fonts.families()), **_SETTINGS})
        yield


def write(picture: Picture, folder: Path) -> None:
    """Draw a picture and write it in all formats into the folder."""
    with settings():
        figure = picture.draw()
        for suffix in SUFFIXES:
            with whole(folder / f"{picture.name}.{suffix}") as temporary:
                figure.savefig(temporary, dpi=300, metadata=_METADATA[suffix])
