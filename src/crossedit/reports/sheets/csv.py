"""Sheets as CSV."""

import csv
import io
import re

from crossedit.reports.sheets.model import Measured, Number, Sheet, told

# A spreadsheet program runs what looks like a formula in a CSV file, and texts of models and data may look as they
# like. The apostrophe is what such programs know as "this is text"; the exact texts are in the parquet tables, and the
# sheet's XLSX needs no such mark. What has no letters can't do anything: a negative number stays one.
_FORMULA = re.compile(r"[=+\-@＝＋－＠](?!(?:[-+\d.,%()\[\]/ ]|\bto\b)*$)")


def to_csv(sheet: Sheet, intervals: bool = False) -> str:
    """Return CSV with one line of header; every row has all its labels."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow([_guarded(str(column)) for column in sheet.columns])
    for row in sheet.rows:
        texts = zip(row, told(row, intervals), strict=True)
        lines.writerow([text if isinstance(cell, Measured | Number) else _guarded(text) for cell, text in texts])
    return text.getvalue()


def _guarded(text: str) -> str:
    return f"'{text}" if _FORMULA.match(text) else text
