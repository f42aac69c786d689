"""Fonts of the figures, and how much room texts take in them.

matplotlib's own DejaVu Sans comes first. What it lacks of Chinese is in the font of reports/fonts; characters that
neither has are looked for in fonts that the machine may have.
"""

import dataclasses
import re
from functools import cache
from pathlib import Path

from matplotlib.font_manager import FontProperties, fontManager
from matplotlib.textpath import text_to_path

FONT = Path(__file__).parents[1] / "fonts/crossedit-han.ttf"
_OWN = ("DejaVu Sans", "Crossedit Han")
_ELSEWHERE = (
    *("Noto Sans CJK SC", "Noto Sans CJK JP", "Source Han Sans SC", "WenQuanYi Micro Hei", "Droid Sans Fallback"),
    *("PingFang SC", "Hiragino Sans GB", "Heiti SC", "Microsoft YaHei", "SimHei", "Arial Unicode MS", "Noto Sans"),
)
_BOLD = 600  # the least weight that counts as bold
_BREAKS = re.compile(r"(?<=[\s\-_./,;:、，])")  # after which a line may end
_CUT = "…"


@cache
def families() -> tuple[str, ...]:
    """Return the fonts to look for characters in; all are there. The machine's cache of fonts isn't touched."""
    fontManager.addfont(FONT)
    found = {entry.name for entry in fontManager.ttflist}
    there = (*_OWN, *(name for name in _ELSEWHERE if name in found))
    for name in there:
        of_it = [entry for entry in fontManager.ttflist if entry.name == name]
        # One that is never bold also stands among bold letters; matplotlib would complain of that each time.
        if not any(isinstance(entry.weight, int) and entry.weight >= _BOLD for entry in of_it):
            fontManager.ttflist.append(dataclasses.replace(of_it[0], weight=700))
    return there


def width(text: str, size: float, weight: str = "normal") -> float:
    """Return the inches of a line of text whose size is in points."""
    return _width(text, weight) * size / 72


@cache
def _width(text: str, weight: str) -> float:
    """Return the width as a share of the letters' size."""
    size = 100.0  # at which rounding is of no weight
    measured, _, _ = text_to_path.get_text_width_height_descent(
        text, FontProperties(family=list(families()), size=size, weight=weight), ismath=False
    )
    return float(measured) / size


def fold(text: str, room: float, size: float, weight: str = "normal", lines: int = 3) -> str:
    """Return the text in lines of at most `room` inches; what no line has room for is left out, and … stands for it."""
    folded = [""]
    for word in _BREAKS.split(" ".join(text.split())):
        if width((folded[-1] + word).rstrip(), size, weight) <= room:
            folded[-1] += word
            continue
        folded.append("")
        for letter in word:
            if folded[-1] and width(folded[-1] + letter, size, weight) > room:
                folded.append("")
            folded[-1] += letter
    told = [line.strip() for line in folded if line.strip()]
    if len(told) > lines:
        last = told[lines - 1]
        while last and width(last + _CUT, size, weight) > room:
            last = last[:-1]
        told = [*told[: lines - 1], last + _CUT]
    return "\n".join(told)
