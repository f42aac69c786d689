"""The rows to judge as a CSV file and as a spreadsheet."""

import csv
from pathlib import Path

from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from crossedit.facts import languages
from crossedit.files import whole
from crossedit.translation.reviews.columns import FILLED_IN, columns_of, escaped, guarded, values
from crossedit.translation.reviews.names import FIELD_NAMES, MEANINGS
from crossedit.translation.reviews.rows import Row

REVIEW = "Review"
_WIDTHS = {"source": 44, "machine": 44, "checks": 30, "proposals": 40, "corrected": 44, "by": 14, "note": 28}
_WIDTHS |= {"split": 9, "case_id": 9, "lang": 6, "field": 21, "judged": 9, "record": 19}

_INK, _LINE = "1B1F24", "DDE1E6"
_HEAD = PatternFill("solid", fgColor="E8EDF3")
_OPEN = PatternFill("solid", fgColor="FFFBE6")  # to be filled in
_FLAGGED = PatternFill("solid", fgColor="FBE3DC")
_OPEN_FLAGGED = PatternFill("solid", fgColor="FFEFD2")
_BEGIN = Border(top=Side("thin", color="8C96A1"))  # a record begins
_WRAPPED = Alignment(vertical="top", wrap_text=True)
_UNLOCKED = Protection(locked=False)
_GO_ON = Border(top=Side("hair", color=_LINE))


def write_csv(rows: list[Row], path: Path, by: str = "") -> None:
    """Write the rows as CSV in UTF-8 with a byte order mark, by which spreadsheet programs know it."""
    names = columns_of(rows)
    with whole(path) as temporary, open(temporary, "w", encoding="utf-8-sig", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(names)
        for row in rows:
            texts = values(row, by)
            lines.writerow([guarded(texts[name]) for name in names])


def write_xlsx(rows: list[Row], path: Path, by: str = "") -> None:
    """Write the rows as a spreadsheet: all cells are texts, and only what a person fills in is unlocked."""
    book = Workbook()
    steps = book.active
    assert isinstance(steps, Worksheet)
    _first_steps(steps, rows)
    sheet = book.create_sheet(REVIEW)
    names = columns_of(rows)
    for column, name in enumerate(names, start=1):
        sheet.column_dimensions[get_column_letter(column)].width = _WIDTHS[name]
        head = _put(sheet.cell(1, column), name)
        head.font, head.fill = Font(bold=True, color=_INK), _HEAD
    before = None
    for number, row in enumerate(rows, start=2):
        texts = values(row, by)
        for column, name in enumerate(names, start=1):
            cell = _put(sheet.cell(number, column), texts[name])
            cell.border = _GO_ON if row.case == before else _BEGIN
            cell.alignment = _WRAPPED
            if name in FILLED_IN:
                cell.protection = _UNLOCKED
                cell.fill = _OPEN_FLAGGED if row.checks else _OPEN
            elif row.checks:
                cell.fill = _FLAGGED
        before = row.case
    sheet.freeze_panes = sheet.cell(2, names.index("source") + 1)
    sheet.auto_filter.ref = sheet.dimensions
    _protect(sheet)
    book.active = sheet
    with whole(path) as temporary:
        book.save(temporary)


def _put(cell: Cell, text: str) -> Cell:
    """Put a text into a cell that stays the text it is, whatever it looks like."""
    cell.value = escaped(text) or None
    if text:
        cell.data_type = "s"
    cell.number_format = "@"
    return cell


def _protect(sheet: Worksheet) -> None:
    """Lock what isn't to be filled in, without a password; filters and widths may be changed."""
    sheet.protection.sheet = True
    sheet.protection.autoFilter = False
    sheet.protection.formatColumns = False
    sheet.protection.formatRows = False


def _first_steps(sheet: Worksheet, rows: list[Row]) -> None:
    """Say on a sheet of its own what to do."""
    sheet.title = "First steps"
    sheet.column_dimensions["A"].width = 100
    cases = len({row.case for row in rows})
    langs = " and ".join(sorted({languages.name(row.lang) for row in rows}))
    expert = any(row.proposals for row in rows)
    judged = "where the translation is right" if expert else "in any row of a record once you have looked at all of it"
    lines = [
        f"Review of {cases:,} records ({len(rows):,} texts) in {langs}",
        f"The texts are on the sheet “{REVIEW}”; only its yellow cells are to be filled in.",
        "corrected: how the translation should read. Leave it empty where the translation is right.",
        f"judged: write x {judged}.",
        "by: your name, in each row that you fill in; where it is empty, the name of the file stands for it.",
        "note: why, in a few words, where that helps others.",
        "Red rows: a check found something there, and says what; it may be wrong.",
    ]
    if expert:
        lines.append("proposals: who would have it how, and why. Your word stands.")
    there = {row.field for row in rows}
    lines += ["", "field: which of the record's texts it is."]
    lines += [f"{field} (“{name}”): {MEANINGS[field]}." for field, name in FIELD_NAMES.items() if field in there]
    for number, line in enumerate(lines, start=1):
        cell = sheet.cell(number, 1, line)
        cell.alignment = _WRAPPED
    sheet["A1"].font = Font(bold=True, size=14)
