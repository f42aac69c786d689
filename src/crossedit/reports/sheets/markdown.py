"""Sheets as Markdown."""

import re
from collections.abc import Iterable

from crossedit.reports.sheets.cells import told
from crossedit.reports.sheets.model import Sheet
from crossedit.reports.sheets.texts import right_to_left

_ISOLATED = "\u2068{}\u2069"


def to_markdown(sheet: Sheet, intervals: bool = False) -> str:
    """Return a pipe table under the title; every row has all its labels."""
    rule = "|" + "".join("---|" if place < sheet.labels else "---:|" for place in range(len(sheet.columns)))
    rows = [_line(told(row, intervals)) for row in sheet.rows]
    lines = [f"**{_escaped(sheet.title)}**", "", _line(map(str, sheet.columns)), rule, *rows]
    return "\n".join([*lines, "", *([_escaped(sheet.note), ""] if sheet.note else [])])


def _line(texts: Iterable[str]) -> str:
    return f"| {' | '.join(map(_cell, texts))} |"


def _cell(text: str) -> str:
    # Where the table is read as it stands, text from right to left would draw the numbers after it to its other side.
    return _ISOLATED.format(_escaped(text)) if right_to_left(text) else _escaped(text)


def _escaped(text: str) -> str:
    return re.sub(r"([\\`*_{}\[\]<>|~#$])", r"\\\1", text.replace("&", "&amp;"))
