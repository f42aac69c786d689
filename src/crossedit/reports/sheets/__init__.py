"""A table that is to be read by people, and how it is written as CSV, Markdown, LaTeX and HTML."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from crossedit.files import whole
from crossedit.reports.html import render
from crossedit.reports.scores import DASH, Estimate


@dataclass(frozen=True)
class Measured:
    """A cell of scores, such as F1 and EM, that are shown beside each other; None where there is no score."""

    names: tuple[str, ...]
    parts: tuple[Estimate | None, ...]
    unit: str = "facts"  # what they are means over
    beside: str = ""  # what else is to be known of them

    def __str__(self) -> str:
        return " / ".join(part.text for part in self.shown)

    @property
    def shown(self) -> list["Shown"]:
        """The parts as text; a single dash where there is no score at all."""
        return [_shown(part) for part in self.parts] if any(self.parts) else [_shown(None)]

    @property
    def note(self) -> str:
        """What is to be known beside the numbers: their intervals and how much they are of."""
        known = [(name, part) for name, part in zip(self.names, self.parts, strict=True) if part]
        said = [f"{name} {part}, 95 % interval {part.interval}" for name, part in known]
        return "; ".join(filter(None, [*said, f"{known[0][1].n} {self.unit}", self.beside])) if known else "no score"


class Shown(NamedTuple):
    """A number's text, and whether it is `high` (above 80) or `low` (below 10), which Bi-ZsRE's tables colour."""

    text: str
    tone: str


def _shown(part: Estimate | None) -> Shown:
    if part is None:
        return Shown(DASH, "")
    return Shown(str(part), tone(part.mean))


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

    def __str__(self) -> str:
        return self.text

    @property
    def shown(self) -> list[Shown]:
        """The text alone."""
        return [Shown(self.text, self.tone)]


Cell = str | Measured | Number


@dataclass(frozen=True)
class Column:
    """A column's name and the name that it shares with its neighbours, if any."""

    name: str
    group: str = ""

    def __str__(self) -> str:
        return f"{self.group} {self.name}".strip()


@dataclass(frozen=True)
class Sheet:
    """Columns and rows; the first `labels` columns say what a row is of, the rest are numbers."""

    name: str  # of its files, without suffix
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    labels: int
    note: str = ""

    @property
    def groups(self) -> list[tuple[str, int]]:
        """The upper line of the header: names with the number of columns that they span."""
        return [(name, len(list(columns))) for name, columns in groupby(self.columns, lambda column: column.group)]

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


def write(sheet: Sheet, folder: Path) -> None:
    """Write the sheet in all formats into the folder."""
    for suffix, form in {"csv": to_csv, "md": to_markdown, "tex": to_latex, "html": to_html}.items():
        with whole(folder / f"{sheet.name}.{suffix}") as temporary:
            temporary.write_text(form(sheet), encoding="utf-8")


def to_csv(sheet: Sheet) -> str:
    """Return CSV with one line of header; every row has all its labels."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([map(str, sheet.columns), *(map(str, row) for row in sheet.rows)])
    return text.getvalue()


def to_markdown(sheet: Sheet) -> str:
    """Return a pipe table under the title; every row has all its labels."""

    def line(cells: Iterable[object]) -> str:
        return f"| {' | '.join(_markdown(str(cell)) for cell in cells)} |"

    rule = "|" + "".join("---|" if place < sheet.labels else "---:|" for place in range(len(sheet.columns)))
    lines = [f"**{_markdown(sheet.title)}**", "", line(sheet.columns), rule, *map(line, sheet.rows)]
    return "\n".join([*lines, "", *([_markdown(sheet.note), ""] if sheet.note else [])])


def to_latex(sheet: Sheet) -> str:
    """Return a `table*` of the package booktabs, as wide as the page."""
    spans = sheet.spans()
    body = []
    for number, (row, shown) in enumerate(zip(sheet.rows, spans, strict=True)):
        if number and sheet.labels > 1:
            outermost = next((depth for depth, span in enumerate(shown) if span), 0)
            if outermost == 0:
                body.append(r"\midrule")
            elif outermost < sheet.labels - 1:
                body.append(rf"\cmidrule{{{outermost + 1}-{len(row)}}}")
        labels = [cell if span else "" for cell, span in zip(row, shown, strict=False)]
        body.append(_latex_line([*labels, *row[sheet.labels :]]))
    return "\n".join(
        [
            "% needs \\usepackage{booktabs,graphicx}",
            r"\begin{table*}[t]",
            r"\centering",
            r"\resizebox{\textwidth}{!}{%",
            rf"\begin{{tabular}}{{{'l' * sheet.labels}{'c' * (len(sheet.columns) - sheet.labels)}}}",
            r"\toprule",
            *_latex_header(sheet),
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}}",
            rf"\caption{{{_latex(f'{sheet.title}. {sheet.note}'.strip())}}}",
            rf"\label{{tab:{re.sub('[^A-Za-z0-9]+', '-', sheet.name)}}}",
            r"\end{table*}",
            "",
        ]
    )


def to_html(sheet: Sheet) -> str:
    """Return a whole HTML document that holds the table."""
    return render("sheet.html.j2", sheet=sheet)


def _markdown(text: str) -> str:
    escaped = re.sub(r"([\\`*_{}\[\]<>|~#])", r"\\\1", text.replace("&", "&amp;"))
    return " ".join(escaped.split())


def _latex_header(sheet: Sheet) -> list[str]:
    lines = []
    if any(name for name, _ in sheet.groups):
        upper, rules, place = [], [], 1
        for name, span in sheet.groups:
            upper.append(rf"\multicolumn{{{span}}}{{c}}{{{_latex(name)}}}" if name else " & " * (span - 1))
            if name:
                rules.append(rf"\cmidrule(lr){{{place}-{place + span - 1}}}")
            place += span
        lines = [" & ".join(upper) + r" \\", " ".join(rules)]
    return [*lines, _latex_line([column.name for column in sheet.columns])]


def _latex_line(cells: Sequence[object]) -> str:
    return " & ".join(_latex(str(cell)) for cell in cells) + r" \\"


_LATEX = {
    **{mark: f"\\{mark}" for mark in "&%$#_{}"},
    '"': r"{''}",
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "[": "{[}",  # else an optional argument of the line break before it
    "]": "{]}",
    "*": "{*}",
    "–": "--",
    "×": r"$\times$",
    "†": r"$\dagger$",
}


def _latex(text: str) -> str:
    return " ".join("".join(_LATEX.get(letter, letter) for letter in text).split())
