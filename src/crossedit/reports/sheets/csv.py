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


def to_csv(sheet: Sheet, intervals: bool = False) -> str:
    """Return CSV with one line of header; every row has all its labels, and every number a column of its own.

    With `intervals` their bounds have columns beside them.
    """
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    places = list(sheet.places(intervals))
    lines.writerow([_guarded(" ".join(_names(sheet, place))) for place in places])
    lines.writerows([_text(row, place) for place in places] for row in sheet.rows)
    if not sheet.rows:
        lines.writerow([EMPTY, *[""] * (len(places) - 1)])
    return text.getvalue()


def _names(sheet: Sheet, place: Place) -> Iterator[str]:
    yield str(sheet.columns[place.column])
    if place.bound and len(sheet.measures(place.column)) > 1:
        yield place.measure
    if place.name:
        yield place.name


def _text(row: Sequence[Cell], place: Place) -> str:
    part = place.part(row)
    if place.bound:
        bound = part.low if place.bound == "low" else part.high
        return "" if bound is None else f"{bound:z.1f}"
    return _guarded(part.text) if isinstance(row[place.column], str) else part.text


def _guarded(text: str) -> str:
    return f"'{text}" if _FORMULA.match(text) else text
