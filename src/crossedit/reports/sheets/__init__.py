"""A table that is to be read by people, and how it is written as CSV, Markdown, LaTeX, HTML and XLSX.

Sheet(name, title, columns, rows, labels)      columns are Columns; a cell is a text, Measured, a Number or Numbers
write(sheet, folder)                           name.csv, .md, .tex, .html and .xlsx
write(sheet, folder, intervals=True)           with the 95 % interval beside each score
"""

from collections.abc import Callable
from pathlib import Path

from crossedit.files import whole
from crossedit.reports.sheets.cells import Cell, Measured, Number, Numbers, Shown, bounds, in_percent, tone
from crossedit.reports.sheets.csv import to_csv
from crossedit.reports.sheets.html import to_html
from crossedit.reports.sheets.latex import to_latex
from crossedit.reports.sheets.markdown import to_markdown
from crossedit.reports.sheets.model import Column, Sheet

__all__ = [
    "FORMATS",
    "Cell",
    "Column",
    "Measured",
    "Number",
    "Numbers",
    "Sheet",
    "Shown",
    "bounds",
    "in_percent",
    "to_csv",
    "to_html",
    "to_latex",
    "to_markdown",
    "tone",
    "write",
]

_FORMS: dict[str, Callable[[Sheet, bool], str]] = {
    "csv": to_csv,
    "md": to_markdown,
    "tex": to_latex,
    "html": to_html,
}
FORMATS = (*_FORMS, "xlsx")  # as suffixes


def write(sheet: Sheet, folder: Path, intervals: bool = False) -> None:
    """Write the sheet in all formats into the folder, with an interval beside each score where they are wanted."""
    from crossedit.reports.sheets.xlsx import to_xlsx  # openpyxl takes as long as all the rest

    for suffix, form in _FORMS.items():
        with whole(folder / f"{sheet.name}.{suffix}") as temporary:
            temporary.write_text(form(sheet, intervals), encoding="utf-8")
    with whole(folder / f"{sheet.name}.xlsx") as temporary:
        temporary.write_bytes(to_xlsx(sheet, intervals))
