"""How every figure is written: as PDF, SVG and PNG that are the same bytes for the same scores."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from crossedit.files import whole

SUFFIXES = ("pdf", "svg", "png")
GREY, FAINT = "#555555", "#c8c8c8"

# Without times and random names in them, files of the same scores are the same.
SETTINGS: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 7,
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
    described: str  # all its values, for those who can't see it
    draw: Callable[[], Figure]
    facts: str = ""  # that it is of; empty where it is of sweeps


def write(picture: Picture, folder: Path) -> None:
    """Draw a picture and write it in all formats into the folder."""
    with matplotlib.rc_context(SETTINGS):
        figure = picture.draw()
        for suffix in SUFFIXES:
            with whole(folder / f"{picture.name}.{suffix}") as temporary:
                figure.savefig(temporary, dpi=300, metadata=_METADATA[suffix])
