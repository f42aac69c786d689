"""Markers of points and lines, in figures and in their legends."""

from typing import Any

from matplotlib.colors import to_hex, to_rgb
from matplotlib.lines import Line2D

from crossedit.reports.naming import Style

FULL, HOLLOW, PALE = 1.0, 0.0, 0.4  # how much of a style's colour a marker's face has
FACES = (FULL, HOLLOW, PALE)  # of the first language, of the second, of the third
_SHIELD = ((-1.0, 1.0), (1.0, 1.0), (1.0, 0.0), (0.0, -1.0), (-1.0, 0.0), (-1.0, 1.0))  # of a style without marker


def marked(style: Style, face: float, edge: float = 0.8) -> dict[str, Any]:
    """Return how a style's marker looks that has such a face."""
    size = 5.5 if style.marker == "*" else 3.8 if isinstance(style.marker, str) else 4.2  # points
    return {
        "marker": style.marker or _SHIELD,
        "markersize": size,
        "markerfacecolor": _mixed(style.colour, face),
        "markeredgecolor": style.colour,
        "markeredgewidth": edge,
        "linestyle": "none",
    }


def _mixed(colour: str, share: float) -> str:
    """Return the colour mixed with white."""
    red, green, blue = (share * part + (1 - share) for part in to_rgb(colour))
    return to_hex((red, green, blue))


def handle(label: str, style: Style) -> Line2D:
    """Return a legend's entry of a line: its marker is hollow where the line isn't solid."""
    looks = {**marked(style, FULL if style.line == "-" else HOLLOW), "linestyle": style.line}
    return Line2D([], [], color=style.colour, linewidth=1.1, label=label, **looks)


def mark(label: str, style: Style, face: float = FULL) -> Line2D:
    """Return a legend's entry of a point."""
    return Line2D([], [], label=label, **marked(style, face))
