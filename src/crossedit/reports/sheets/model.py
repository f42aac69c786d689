"""A table that is to be read by people: columns, and rows of cells."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from crossedit.reports.scores import DASH
from crossedit.reports.sheets.cells import Cell, Shown, part, shown
from crossedit.reports.sheets.texts import plain, width

LONG = 40  # letters of a text from which on it goes on in further lines
EMPTY = "There is nothing to show."


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


class Place(NamedTuple):
    """Which part of which column of a sheet a column of numbers shows, or which bound of that part."""

    column: int
    measure: str  # the part's name
    first: bool  # of its column
    name: str  # beneath that of the column; empty where the column has but one part
    bound: str = ""  # low, high or neither

    def part(self, row: Sequence[Cell]) -> Shown:
        """Return the part of a row."""
        return part(row[self.column], self.measure, self.first)


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
        object.__setattr__(self, "note", plain(self.note if self.rows else f"{EMPTY} {self.note}"))
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

    @property
    def known(self) -> bool:
        """Whether any number is there."""
        numbers = (cell for row in self.rows for cell in row[self.labels :])
        return any(part.text not in ("", DASH) for cell in numbers for part in shown(cell))

    @property
    def choices(self) -> tuple[str, ...]:
        """What the numbers are called, such as F1 and EM, where any column has several."""
        several = [names for place in range(self.labels, len(self.columns)) if len(names := self.measures(place)) > 1]
        return tuple(dict.fromkeys(name for names in several for name in names))

    def cells(self, place: int) -> list[Cell]:
        """Return the cells of a column."""
        return [row[place] for row in self.rows]

    def measures(self, place: int) -> tuple[str, ...]:
        """Return what the numbers of a column are called, such as F1 and EM; one empty name where nothing says it."""
        parts = sorted(map(shown, self.cells(place)), key=len, reverse=True)
        return tuple(dict.fromkeys(one.name for cell in parts for one in cell if one.name)) or ("",)

    def places(self, intervals: bool) -> Iterator[Place]:
        """Yield the columns of a format in which every number has one of its own, and its bounds where wanted."""
        for column in range(len(self.columns)):
            names = self.measures(column)
            for name in names:
                place = Place(column, name, name == names[0], name if len(names) > 1 else "")
                if intervals and any(place.part(row).interval for row in self.rows):
                    yield place._replace(name=name)
                    yield from (place._replace(name=bound, bound=bound) for bound in ("low", "high"))
                else:
                    yield place

    def long(self) -> list[bool]:
        """Return for each column whether it holds texts of more than a line."""
        return [
            any(isinstance(cell, str) and width(cell) > LONG for cell in self.cells(place))
            for place in range(len(self.columns))
        ]

    def values(self) -> list[list[tuple[float | None, ...]]]:
        """Return the number that each cell is sorted by, where its column has several one for each of the choices.

        None stands where it shows none.
        """
        choices = self.choices
        several = [place >= self.labels and len(self.measures(place)) > 1 for place in range(len(self.columns))]
        return [
            [
                tuple(part(cell, name, name == choices[0]).value for name in choices)
                if many
                else (shown(cell)[0].value,)
                for cell, many in zip(row, several, strict=True)
            ]
            for row in self.rows
        ]

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
