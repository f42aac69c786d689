"""What stands under the panels of a figure: its legends and a note."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from crossedit.reports.figures.drawing import GREY, NOTE, TICK
from crossedit.reports.figures.fonts import fold, width

_LINE, _MORE, _NOTE = 0.16, 0.11, 0.125  # inches: an entry, each further line of it, a line of a note
# Times the size of letters: a piece of a line, a marker alone, between either and its text, between columns.
_PIECE, _MARKER, _SPACE, _GAP = 2.6, 1.0, 0.6, 1.3
_EDGE = 0.05  # inches


@dataclass(frozen=True)
class Below:
    """Legends one under the other, then a note, in the width of a figure."""

    legends: tuple[tuple[Line2D, ...], ...]
    columns: tuple[int, ...]  # of each legend
    heights: tuple[float, ...]  # inches of each legend
    note: str
    more: float  # inches left free above all that

    @classmethod
    def of(cls, legends: Sequence[Sequence[Line2D]], note: str, room: float, more: float = 0.0) -> "Below":
        """Return what stands in `room` inches; handles of legends carry their labels."""
        shown = [tuple(handles) for handles in legends if handles]
        columns, heights = [], []
        for handles in shown:
            beside = TICK * (_long(handles) + _SPACE) / 72
            for handle in handles:
                handle.set_label(fold(str(handle.get_label()), room - beside - 2 * _EDGE, TICK))
            widths = [max(width(line, TICK) for line in _lines(handle)) + beside for handle in handles]
            number = _columns(widths, room - 2 * _EDGE)
            rows, most = math.ceil(len(handles) / number), max(len(_lines(handle)) for handle in handles)
            columns.append(number)
            heights.append(rows * (_LINE + (most - 1) * _MORE))
        return cls(tuple(shown), tuple(columns), tuple(heights), _even(note, room - 2 * _EDGE), more)

    @property
    def height(self) -> float:
        """Inches of all of it."""
        return self.more + sum(self.heights) + self._told + _EDGE

    @property
    def _told(self) -> float:
        return _NOTE * (self.note.count("\n") + 1) + 0.03 if self.note else 0.0

    def draw(self, figure: Figure) -> None:
        """Write it at the lower edge of the figure."""
        height = figure.get_size_inches()[1]
        low = _EDGE + self._told + sum(self.heights)
        for handles, columns, own in zip(self.legends, self.columns, self.heights, strict=True):
            low -= own
            figure.legend(
                handles=list(handles),
                loc="lower center",
                bbox_to_anchor=(0.5, low / height),
                ncols=columns,
                frameon=False,
                fontsize=TICK,
                handlelength=_long(handles),
                handletextpad=_SPACE,
                columnspacing=_GAP,
                labelspacing=0.4,
                borderpad=0,
                borderaxespad=0,
            )
        if self.note:
            figure.text(
                *(0.5, _EDGE / height, self.note),
                ha="center",
                va="bottom",
                fontsize=NOTE,
                color=GREY,
                linespacing=1.35,
            )


def _long(handles: Sequence[Line2D]) -> float:
    return _MARKER if all(handle.get_linestyle() == "None" for handle in handles) else _PIECE


def _even(note: str, room: float) -> str:
    """Return the note in as few lines as it needs, all about as long."""
    folded = fold(note, room, NOTE, lines=6)
    for share in (0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6):
        narrower = fold(note, share * room, NOTE, lines=7)
        if narrower.count("\n") > folded.count("\n"):
            break
        folded = narrower
    return folded


def _lines(handle: Line2D) -> list[str]:
    return str(handle.get_label()).split("\n")


def _columns(widths: Sequence[float], room: float) -> int:
    """Return into how many columns entries of these widths go, of which a legend fills one after the other."""
    for number in dict.fromkeys(math.ceil(len(widths) / rows) for rows in range(1, len(widths))):
        rows, longer = divmod(len(widths), number)
        lengths = [rows + 1] * longer + [rows] * (number - longer)
        starts = [sum(lengths[:place]) for place in range(number)]
        needed = sum(max(widths[start : start + own]) for start, own in zip(starts, lengths, strict=True))
        if needed + (number - 1) * TICK * _GAP / 72 <= room:
            return number
    return 1
