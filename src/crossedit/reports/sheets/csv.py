"""Sheets as CSV."""

import csv
import io
import re
from collections.abc import Iterator, Sequence

from crossedit.reports.sheets.cells import Cell
from crossedit.reports.sheets.model import EMPTY, Place, Sheet

# A spreadsheet program runs what looks like a formula in a CSV file, and texts of models and data may look as they
# like. The apostrophe is what such programs know as "this is text"; the exact texts are in the parquet tables, and the
# sheet's XLSX needs no such mark. A number by itself can't do anything, nor with others in brackets behind it.
_FORMULA = re.compile(r"[=+\-@＝＋－＠](?!(?:[\d.,% ]|\((?:[-+\d.,%/ ]|\bto\b)*\))*$)")


# A number, with thousands apart for people, and what marks it.
_MARKED = re.compile(r"([+\-−]?)((?:[\d,]*\.)?\d[\d,]*)(.*)")


def to_csv(sheet: Sheet, intervals: bool = False) -> str:
    """Return CSV with one line of header; every row has all its labels, and every number a column of its own.

    What marks numbers, such as stars, has a column beside them, and with `intervals` their bounds have.
    """
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    columns = list(_columns(sheet, intervals))
    lines.writerow([_guarded(name) for name, _ in columns])
    lines.writerows([texts[row] for _, texts in columns] for row in range(len(sheet.rows)))
    if not sheet.rows:
        lines.writerow([EMPTY, *[""] * (len(columns) - 1)])
    return text.getvalue()


def _columns(sheet: Sheet, intervals: bool) -> Iterator[tuple[str, list[str]]]:
    """Yield the name and the texts of each column."""
    for place in sheet.places(intervals):
        name = " ".join(_names(sheet, place))
        found = [_parted(row, place) for row in sheet.rows]
        yield name, [text for text, _ in found]
        if any(mark for _, mark in found):
            yield f"{name} mark", [mark for _, mark in found]


def _names(sheet: Sheet, place: Place) -> Iterator[str]:
    yield str(sheet.columns[place.column])
    if place.bound and len(sheet.measures(place.column)) > 1:
        yield place.measure
    if place.name:
        yield place.name


def _parted(row: Sequence[Cell], place: Place) -> tuple[str, str]:
    """Return what stands in a column, and what marks it where it is a number."""
    part = place.part(row)
    if place.bound:
        bound = part.low if place.bound == "low" else part.high
        return "" if bound is None else f"{bound:z.1f}", ""
    if isinstance(row[place.column], str):
        return _guarded(part.text), ""
    found = _MARKED.fullmatch(part.text)
    if not found:
        return part.text, ""
    sign, digits, mark = found.groups()
    return sign.replace("−", "-") + digits.replace(",", ""), mark.strip()


def _guarded(text: str) -> str:
    return f"'{text}" if _FORMULA.match(text) else text
