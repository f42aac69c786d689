"""A table that is to be read by people: columns, rows, and cells of texts and numbers."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from crossedit.reports.scores import DASH, Estimate
from crossedit.reports.sheets.texts import plain, width

LONG = 40  # letters of a text from which on it goes on in further lines

_NUMBER = re.compile(r"([<>≤≥=~≈ ]*)([+\-−]?)((?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+)")


class Shown(NamedTuple):
    """A number's text, and whether it is `high` (above 80) or `low` (below 10), which Bi-ZsRE's tables colour."""

    text: str
    tone: str = ""
    interval: str = ""  # in brackets, where there is one

    @property
    def value(self) -> float | None:
        """The number that the text begins with; None where it begins with none."""
        found = _NUMBER.match(self.text)
        if not found:
            return None
        value = float(found[3].replace(",", ""))
        return -value if found[2] in ("-", "−") else value

    def told(self, intervals: bool) -> str:
        """Return the text, with its interval beside it where intervals are wanted."""
        return f"{self.text} {self.interval}" if intervals and self.interval else self.text


@dataclass(frozen=True)
class Measured:
    """A cell of scores, such as F1 and EM, that are shown beside each other; None where there is no score."""

    names: tuple[str, ...]
    parts: tuple[Estimate | None, ...]
    unit: str = "facts"  # what they are means over
    beside: str = ""  # what else is to be known of them

    def __post_init__(self) -> None:
        known = tuple(part if part and math.isfinite(part.mean) else None for part in self.parts)
        object.__setattr__(self, "parts", known)

    def __str__(self) -> str:
        return " / ".join(part.text for part in self.shown)

    @property
    def shown(self) -> list[Shown]:
        """The parts as text; a single dash where there is no score at all."""
        return [_shown(part) for part in self.parts] if any(self.parts) else [_shown(None)]

    @property
    def known(self) -> list[tuple[str, Estimate]]:
        """The scores that there are, with their names."""
        return [(name, part) for name, part in zip(self.names, self.parts, strict=True) if part]

    @property
    def count(self) -> str:
        """How much the scores are means over; nothing where there is no score."""
        return f"{self.known[0][1].n} {self.unit}" if self.known else ""

    @property
    def note(self) -> str:
        """What is to be known beside the numbers: their intervals and how much they are of."""
        said = [f"{name} {part}, 95 % interval {part.interval}" for name, part in self.known]
        return "; ".join(filter(None, [*said, self.count, self.beside])) if said else "no score"

    @property
    def below(self) -> list[str]:
        """What stands below the numbers where there is room: their intervals, how much they are of, what is beside."""
        named = zip(self.names, map(_shown, self.parts), strict=True)
        several = len(self.names) > 1
        intervals = [f"{name} {part.interval}" if several else part.interval for name, part in named if part.interval]
        return list(filter(None, [*intervals, self.count, self.beside]))


def _shown(part: Estimate | None) -> Shown:
    if part is None:
        return Shown(DASH)
    bounded = math.isfinite(part.low) and math.isfinite(part.high)
    return Shown(str(part), tone(part.mean), f"[{100 * part.low:.1f}, {100 * part.high:.1f}]" if bounded else "")


def tone(share: float) -> str:
    """Return how Bi-ZsRE's tables colour a score: `high`, `low` or not at all."""
    return "high" if share > 0.8 else "low" if share < 0.1 else ""


@dataclass(frozen=True)
class Number:
    """A number that is no score, such as a difference, as it is to be read."""

    text: str
    value: float | None  # to sort by; None where there is none
    note: str = ""  # what is to be known beside it
    tone: str = ""  # high, low or nothing, as the scores of Bi-ZsRE's tables

    def __post_init__(self) -> None:
        if self.value is not None and not math.isfinite(self.value):
            object.__setattr__(self, "text", DASH)
            object.__setattr__(self, "value", None)

    def __str__(self) -> str:
        return self.text

    @property
    def shown(self) -> list[Shown]:
        """The text alone."""
        return [Shown(self.text, self.tone)]

    @property
    def below(self) -> list[str]:
        """What stands below the number where there is room."""
        return [self.note] if self.note else []


Cell = str | Measured | Number


def shown(cell: Cell) -> list[Shown]:
    """Return the parts of any cell."""
    return [Shown(cell)] if isinstance(cell, str) else cell.shown


def _value(cell: Cell) -> float | None:
    return cell.value if isinstance(cell, Number) and cell.value is not None else shown(cell)[0].value


@dataclass(frozen=True)
class Column:
    """A column's name and the name that it shares with its neighbours, if any."""

    name: str
    group: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", plain(self.name))
        object.__setattr__(self, "group", plain(self.group))

    def __str__(self) -> str:
        return f"{self.group} {self.name}".strip()


@dataclass(frozen=True)
class Sheet:
    """Columns and rows; the first `labels` columns say what a row is of, the rest are numbers.

    Whatever texts it is given, it holds them as they can stand in a table (`texts.plain`).
    """

    name: str  # of its files, without suffix
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    labels: int
    note: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "title", plain(self.title))
        object.__setattr__(self, "note", plain(self.note))
        rows = tuple(tuple(plain(cell) if isinstance(cell, str) else cell for cell in row) for row in self.rows)
        object.__setattr__(self, "rows", rows)

    @property
    def groups(self) -> list[tuple[str, int]]:
        """The upper line of the header: names with the number of columns that they span."""
        return [(name, len(list(columns))) for name, columns in groupby(self.columns, lambda column: column.group)]

    @property
    def grouped(self) -> bool:
        """Whether the header has an upper line."""
        return any(column.group for column in self.columns)

    @property
    def measured(self) -> bool:
        """Whether there are scores with intervals in it."""
        return any(part.interval for row in self.rows for cell in row for part in shown(cell))

    def cells(self, place: int) -> list[Cell]:
        """Return the cells of a column."""
        return [row[place] for row in self.rows]

    def measures(self, place: int) -> tuple[str, ...]:
        """Return what the numbers of a column are called, such as F1 and EM; one empty name where nothing says it."""
        cells = self.cells(place)
        named = next((cell.names for cell in cells if isinstance(cell, Measured)), ())
        count = max([1, len(named), *(len(shown(cell)) for cell in cells)])
        return named if count == len(named) else ("",) * count

    def long(self) -> list[bool]:
        """Return for each column whether it holds texts of more than a line."""
        return [
            any(isinstance(cell, str) and width(cell) > LONG for cell in self.cells(place))
            for place in range(len(self.columns))
        ]

    def values(self) -> list[list[float | None]]:
        """Return the number that each cell is sorted by, the first one of several; None where it shows none."""
        return [[_value(cell) for cell in row] for row in self.rows]

    def begins(self) -> list[int | None]:
        """Return for each row after the first the depth of the outermost label that begins with it.

        None where no line is to be drawn above it: no label of that depth spans several rows.
        """
        spans = self.spans()
        several = [any(span[depth] > 1 for span in spans) for depth in range(self.labels)]
        outermost = (next((depth for depth, span in enumerate(row) if span), None) for row in spans)
        return [
            None if not place or depth is None or not several[depth] else depth for place, depth in enumerate(outermost)
        ]

    def spans(self) -> list[list[int]]:
        """Return for each row how many rows each label spans; 0 where a row above already says it."""
        spans = [[1] * self.labels for _ in self.rows]
        for depth in range(self.labels - 1):
            start = 0
            for _, same in groupby(row[: depth + 1] for row in self.rows):
                count = len(list(same))
                for place in range(start, start + count):
                    spans[place][depth] = count if place == start else 0
                start += count
        return spans


def told(cells: Sequence[Cell], intervals: bool) -> list[str]:
    """Return each cell as one text, with intervals where they are wanted."""
    return [" / ".join(part.told(intervals) for part in shown(cell)) for cell in cells]
