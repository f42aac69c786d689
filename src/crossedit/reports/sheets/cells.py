"""What stands in a cell of a sheet: a text, or numbers with what is known of them.

Measured(names, estimates)     scores
Number(text, value)            any other number; Number.of(count)
Numbers((Shown(…), …))         several beside each other, such as the F1 and EM that a paper prints
shown(cell)                    the parts of any cell; every format is made of these
"""

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from crossedit.reports.scores import DASH, Estimate, percent

_NUMBER = re.compile(r"([<>≤≥=~≈ ]*)([+\-−]?)((?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+)")


class Shown(NamedTuple):
    """A part of a cell as it is to be read, and what is known of it, in the unit of its text."""

    text: str
    tone: str = ""  # `high` (above 80) or `low` (below 10), which Bi-ZsRE's tables colour
    name: str = ""  # such as F1; no two parts of a cell have the same
    exact: float | None = None  # what the text is rounded from
    low: float | None = None  # 95 % interval
    high: float | None = None
    n: int | None = None  # of how many it is
    note: str = ""  # what else is to be known of it
    bracketed: bool = False  # whether it stands in brackets behind the part before it

    @property
    def value(self) -> float | None:
        """The number, as exact as it is known; None where the text begins with none."""
        if self.exact is not None:
            return self.exact
        found = _NUMBER.match(self.text)
        if not found:
            return None
        value = float(found[3].replace(",", ""))
        return -value if found[2] in ("-", "−") else value

    @property
    def interval(self) -> str:
        """The interval in brackets; empty where there is none."""
        return "" if self.low is None or self.high is None else f"[{self.low:z.1f}, {self.high:z.1f}]"

    def told(self, intervals: bool) -> str:
        """Return the text, with its interval beside it where intervals are wanted."""
        return f"{self.text} {self.interval}" if intervals and self.interval else self.text

    @property
    def said(self) -> str:
        """All that is known of it in words; empty where that is no more than the text."""
        bounds = "" if self.low is None or self.high is None else f"95 % interval {self.low:z.1f} to {self.high:z.1f}"
        known = self.n is not None or self.note
        return ", ".join(filter(None, [f"{self.name} {self.text}", bounds, self.note])) if known else ""


def joined(parts: Sequence[Shown], texts: Iterable[str]) -> str:
    """Return the texts of a cell's parts as one."""
    whole = ""
    for part, text in zip(parts, texts, strict=True):
        if part.bracketed:
            whole += f" ({text})" if text else ""
        else:
            whole += f" / {text}" if whole else text
    return whole


class _Known(ABC):
    """Numbers with what is known of them."""

    unit: str
    beside: str

    @property
    @abstractmethod
    def shown(self) -> list[Shown]:
        """The parts; a single dash where there is no number at all."""

    def __str__(self) -> str:
        return joined(self.shown, [part.text for part in self.shown])

    @property
    def count(self) -> str:
        """How much the numbers are of; nothing where that isn't known."""
        counts = {part.n for part in self.shown if part.n is not None}
        few_to_many = " to ".join(str(count) for count in sorted({min(counts), max(counts)})) if counts else ""
        return f"{few_to_many} {self.unit}".strip() if counts else ""

    @property
    def note(self) -> str:
        """What is to be known beside the numbers: their intervals, how much they are of, and whatever else."""
        return "; ".join(filter(None, [*(part.said for part in self.shown), self.count, self.beside]))

    @property
    def below(self) -> list[str]:
        """What stands below the numbers where there is room."""
        several = len(self.shown) > 1
        intervals = [f"{part.name} {part.interval}" if several else part.interval for part in self.shown]
        notes = [f"{part.name} {part.note}" if several else part.note for part in self.shown if part.note]
        given = [text for part, text in zip(self.shown, intervals, strict=True) if part.interval]
        return list(filter(None, [*given, self.count, *notes, self.beside]))


@dataclass(frozen=True)
class Measured(_Known):
    """A cell of scores, such as F1 and EM, that are shown beside each other; None where there is no score."""

    names: tuple[str, ...]
    parts: tuple[Estimate | None, ...]
    unit: str = "facts"  # what they are means over
    beside: str = ""  # what else is to be known of them

    def __post_init__(self) -> None:
        known = tuple(part if part and math.isfinite(part.mean) else None for part in self.parts)
        object.__setattr__(self, "parts", known)

    @cached_property
    def shown(self) -> list[Shown]:
        """The scores in percent; a single dash where there is none."""
        return [*map(_percent, self.names, self.parts)] if any(self.parts) else [Shown(DASH)]

    @property
    def note(self) -> str:
        """What is to be known beside the scores: their intervals and how much they are of."""
        return super().note if any(self.parts) else "no score"


def _percent(name: str, part: Estimate | None) -> Shown:
    if part is None:
        return Shown(DASH, name=name)
    low, high = bounds(part.low, part.high)
    return Shown(str(part), tone(part.mean), name, in_percent(part.mean), low, high, part.n)


def in_percent(share: float) -> float:
    """Return a share in percent, without the last digits that come of reckoning."""
    return round(100 * share, 10)


def bounds(low: float, high: float) -> tuple[float | None, float | None]:
    """Return the ends of an interval in percent, None where it isn't known."""
    known = math.isfinite(low) and math.isfinite(high)
    return (in_percent(low), in_percent(high)) if known else (None, None)


def tone(share: float) -> str:
    """Return how Bi-ZsRE's tables colour a score by the number that is printed: `high`, `low` or not at all."""
    printed = float(percent(share))
    return "high" if printed > 80 else "low" if printed < 10 else ""


@dataclass(frozen=True)
class Number(_Known):
    """A number that is no score, such as a difference, as it is to be read."""

    text: str
    value: float | None  # to sort by; None where there is none
    beside: str = ""  # what is to be known of it
    tone: str = ""  # high, low or nothing, as the scores of Bi-ZsRE's tables
    unit = ""

    @classmethod
    def of(cls, count: int, beside: str = "") -> "Number":
        """Return a count, its thousands set apart."""
        return cls(f"{count:,}", count, beside)

    def __post_init__(self) -> None:
        if self.value is not None and not math.isfinite(self.value):
            object.__setattr__(self, "text", DASH)
            object.__setattr__(self, "value", None)

    @cached_property
    def shown(self) -> list[Shown]:
        """The text alone."""
        return [Shown(self.text, self.tone, exact=self.value)]


@dataclass(frozen=True)
class Numbers(_Known):
    """Numbers beside each other, such as the F1 and EM that a paper prints; the cell reads as a dash if all do."""

    parts: tuple[Shown, ...]
    beside: str = ""  # what is to be known of all
    unit: str = "facts"

    @cached_property
    def shown(self) -> list[Shown]:
        """The numbers; a single dash where none of them is there."""
        return [Shown(DASH)] if all(part.text == DASH for part in self.parts) else list(self.parts)


Cell = str | Measured | Number | Numbers


def shown(cell: Cell) -> list[Shown]:
    """Return the parts of any cell."""
    return [Shown(cell)] if isinstance(cell, str) else cell.shown


def told(cells: Sequence[Cell], intervals: bool) -> list[str]:
    """Return each cell as one text, with intervals where they are wanted."""
    return [joined(shown(cell), [part.told(intervals) for part in shown(cell)]) for cell in cells]


def part(cell: Cell, name: str, first: bool) -> Shown:
    """Return the cell's part of that name; without it its dash, or in the column's first place its text, or nothing."""
    parts = shown(cell)
    alone = parts[0] if not parts[0].name and (first or parts[0].text == DASH) else Shown("")
    return next((one for one in parts if one.name == name), alone)
