"""Sheets as LaTeX."""

import re
from collections.abc import Iterator
from itertools import groupby
from math import ceil
from typing import NamedTuple

from crossedit.reports.sheets.cells import Cell, Shown, joined, shown
from crossedit.reports.sheets.latex_text import escaped, needs_unicode, preamble
from crossedit.reports.sheets.model import Sheet
from crossedit.reports.sheets.pieces import LEAST, SHARE, pieces
from crossedit.reports.sheets.texts import width

_PACKAGES = r"\usepackage{array,booktabs,graphicx,xcolor}"
_COLOURS = (r"\providecolor{scorehigh}{HTML}{0B6B3A}", r"\providecolor{scorelow}{gray}{0.5}")

# Sizes of a page as LaTeX's own classes have it at 11 pt; others hold more.
_LINES, _LETTERS = 36, 75
_KEPT = 20  # tables after which all are printed
_LONGEST = 600  # letters; a longer text is no part of a printed table, and the other formats have it whole
_PARTED = re.compile(r"([+−-]?)(\d+)((?:\.\d+)?)(\**)")


def to_latex(sheet: Sheet, intervals: bool = False) -> str:
    """Return one or more `table*` of the package booktabs, none of them longer than a page.

    What is wider than a page is scaled down, and what could not be read then has its columns in several tables. The
    comment at the top says what a preamble needs.
    """
    tables = [
        table
        for number, piece in enumerate(pieces(sheet, intervals))
        for table in _Tables(piece, intervals).all(continued=number > 0)
    ]
    # TeX keeps what it has no page for yet, and has room for 52 tables.
    written = "\n\n".join(
        f"\\clearpage\n{table}" if at and not at % _KEPT else table for at, table in enumerate(tables)
    )
    return "\n".join([*_head(written), *_COLOURS, "", written, ""])


def _head(written: str) -> list[str]:
    said = ["% In the preamble:"]
    if needs_unicode(written):
        said = [
            "% pdfLaTeX doesn't know all letters of this table: compile it with LuaLaTeX. In the preamble, with fonts",
            "% that you have for Droid Sans Fallback (Chinese) and DejaVu Sans (whatever else):",
        ]
    return said + [f"% {line}" for line in (_PACKAGES, *preamble(written))]


class _Tables:
    """The tables of a sheet."""

    def __init__(self, sheet: Sheet, intervals: bool) -> None:
        self.sheet = sheet
        self.intervals = intervals
        self.long = sheet.long()
        self.spans = sheet.spans()
        self.share = max(LEAST, SHARE / max(1, sum(self.long)))
        self.line = int(self.share * _LETTERS * 0.8)  # letters of such a column, whose words don't fill it
        self.begins = sheet.begins()
        self.rooms = [_rooms(sheet.cells(place)) for place in range(len(sheet.columns))]

    def all(self, continued: bool = False) -> Iterator[str]:
        """Yield the tables; those after the first are its continuation, under the same number."""
        said = f"{self.sheet.title}. {self.sheet.note}".strip()
        label = re.sub("[^A-Za-z0-9]+", "-", self.sheet.name)
        parts = self._parts(range(len(self.sheet.rows)), room=max(8, _LINES - 3 - ceil(width(said) / _LETTERS)))
        for part in parts:
            first = part is parts[0] and not continued
            caption = said if first else f"{self.sheet.title} (continued)"
            yield "\n".join(
                [
                    r"\begin{table*}[t]",
                    *([] if first else [r"\addtocounter{table}{-1}"]),
                    r"\centering",
                    r"\resizebox{\ifdim\width>\textwidth\textwidth\else\width\fi}{!}{%",
                    rf"\begin{{tabular}}{{{self._columns()}}}",
                    r"\toprule",
                    *self._header(),
                    r"\midrule",
                    *self._body(part),
                    r"\bottomrule",
                    r"\end{tabular}}",
                    rf"\caption{{{escaped(caption)}}}",
                    *([rf"\label{{tab:{label}}}"] if first else []),
                    r"\end{table*}",
                ]
            )

    def _parts(self, rows: range, room: int, depth: int = 0) -> list[range]:
        """Return the rows of each table: cut where a label ends, an inner one only where that isn't enough."""
        height = self._height(rows)
        if len(rows) <= 1 or height <= room:
            return [rows]
        if depth >= self.sheet.labels - 1:
            room = min(room, ceil(height / ceil(height / room)) + 1)  # rows alone make parts of one size
        parts: list[range] = []
        for block in self._blocks(rows, depth):
            joined = range(parts[-1].start, block.stop) if parts else block
            if parts and self._height(joined) <= room:
                parts[-1] = joined
            else:
                parts += self._parts(block, room, depth + 1)
        return parts

    def _blocks(self, rows: range, depth: int) -> Iterator[range]:
        """Yield the rows that share their labels down to a depth; below the last label each row by itself."""
        keys = [self.sheet.rows[row][: depth + 1] if depth < self.sheet.labels - 1 else row for row in rows]
        start = rows.start
        for _, same in groupby(keys):
            stop = start + len(list(same))
            yield range(start, stop)
            start = stop

    def _height(self, rows: range) -> int:
        """Return how many lines the rows take at most."""
        lines = 0
        for row in rows:
            texts = [cell for cell, long in zip(self.sheet.rows[row], self.long, strict=True) if long]
            lines += max([1, *(ceil(width(_cut(str(text))) / self.line) for text in texts)])
            lines += self.intervals and any(part.interval for cell in self.sheet.rows[row] for part in shown(cell))
        return lines

    def _columns(self) -> str:
        wrapped = rf">{{\raggedright\arraybackslash}}p{{{self.share:.2f}\textwidth}}"
        kinds = [
            wrapped if long else "l" if place < self.sheet.labels else "c" if self.rooms[place] else "r"
            for place, long in enumerate(self.long)
        ]
        return "".join(kinds)

    def _header(self) -> list[str]:
        names = " & ".join(escaped(column.name) for column in self.sheet.columns) + r" \\"
        if not self.sheet.grouped:
            return [names]
        upper, rules, place = [], [], 1
        for name, span in self.sheet.groups:
            upper.append(rf"\multicolumn{{{span}}}{{c}}{{{escaped(name)}}}" if name else " & " * (span - 1))
            if name:
                rules.append(rf"\cmidrule(lr){{{place}-{place + span - 1}}}")
            place += span
        return [" & ".join(upper) + r" \\", " ".join(rules), names]

    def _body(self, rows: range) -> Iterator[str]:
        for number in rows:
            first = number == rows.start
            depth = self.begins[number]
            if not first and depth is not None:
                yield rf"\cmidrule{{{depth + 1}-{len(self.sheet.columns)}}}" if depth else r"\midrule"
            row = self.sheet.rows[number]
            labels = [
                escaped(_cut(str(cell)), self.line) if span or first else ""
                for cell, span in zip(row, self.spans[number], strict=False)
            ]
            numbers = list(zip(row, self.rooms, strict=True))[self.sheet.labels :]
            bounds = [" / ".join(_bounds(shown(cell))) for cell, _ in numbers]
            below = self.intervals and any("[" in bound for bound in bounds)
            yield _line([*labels, *(_cell(cell, rooms, self.line) for cell, rooms in numbers)], -3 if below else 0)
            if below:
                small = [rf"{{\tiny {bound}}}" if "[" in bound else "" for bound in bounds]
                yield _line([*[""] * len(labels), *small], 1)


def _line(cells: list[str], space: int = 0) -> str:
    return " & ".join(cells) + r" \\" + (f"[{space}pt]" if space else "")


def _bounds(parts: list[Shown]) -> list[str]:
    return [part.interval.replace("-", "$-$") or "--" for part in parts if not part.bracketed]


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


class _Room(NamedTuple):
    """How much room a column's numbers of one name take: a sign, digits before the point, marks behind."""

    sign: bool
    digits: int
    marks: int
    widest: str

    @classmethod
    def of(cls, texts: list[str]) -> "_Room":
        """Return what the numbers need to be lined up."""
        found = [match for match in map(_PARTED.fullmatch, texts) if match]
        return cls(
            any(match[1] for match in found),
            max((len(match[2]) for match in found), default=0),
            max((len(match[4]) for match in found), default=0),
            max(texts, key=width),
        )


def _rooms(cells: list[Cell]) -> dict[str, _Room]:
    """Return the room of each of a column's numbers by its name; empty where nothing needs to be lined up."""
    texts: dict[str, list[str]] = {}
    for part in (part for cell in cells for part in shown(cell) if part.name):
        texts.setdefault(part.name, []).append(part.text)
    return {name: _Room.of(found) for name, found in texts.items()}


def _cell(cell: Cell, rooms: dict[str, _Room], line: int) -> str:
    parts = shown(cell)
    texts = [
        _padded(part, rooms[part.name]) if part.name else _coloured(_cut(part.text), part.tone, line) for part in parts
    ]
    lacking = [f" ({rooms[part.name].widest})" for part in parts if part.bracketed and not part.text]
    return joined(parts, texts) + "".join(map(_phantom, lacking))


def _padded(part: Shown, room: _Room) -> str:
    found = _PARTED.fullmatch(part.text)
    if not found:
        return _coloured(part.text, part.tone)
    before = "+" * (room.sign and not found[1]) + "0" * (room.digits - len(found[2]))
    after = "*" * (room.marks - len(found[4]))
    return f"{_phantom(before)}{_coloured(part.text, part.tone)}{_phantom(after)}"


def _phantom(text: str) -> str:
    return rf"\phantom{{{text}}}" if text else ""


def _coloured(text: str, tone: str, line: int = _LETTERS) -> str:
    latex = escaped(re.sub(r"^-(?=[\d.])", "−", text), line)
    return rf"\textcolor{{score{tone}}}{{{latex}}}" if tone else latex
