"""Sheets as HTML."""

from crossedit.reports.html import render
from crossedit.reports.sheets.model import Sheet


def to_html(sheet: Sheet, intervals: bool = False) -> str:
    """Return a whole HTML document that holds the table, which can be sorted and filtered; it needs no other file."""
    return render("sheet.html.j2", sheet=sheet, intervals=intervals)
