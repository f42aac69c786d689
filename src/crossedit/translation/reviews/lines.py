"""The lines of a CSV file or a spreadsheet, as texts by column."""

import csv
import datetime
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import BadZipFile

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from crossedit.errors import UserError, nearest
from crossedit.translation.reviews.columns import EXPERT, unescaped, unguarded

_PLAIN = ("General", "@", "0")  # formats in which a number is shown as it is


class Line(NamedTuple):
    """One line: where it stands, and the text in each of the file's columns, empty where there is none."""

    where: str
    texts: dict[str, str]


def of_csv(path: Path) -> list[Line]:
    """Return the lines of a CSV file in UTF-8. Raises UserError where it is none, or its columns aren't ours."""
    data = path.read_bytes()
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data:
        raise UserError(f"{path}: it is in UTF-16; save it again as “CSV UTF-8”, or as an .xlsx file.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UserError(
            f"{path}: not a CSV file in UTF-8: line {line} is in another encoding, perhaps GBK or Windows-1252; "
            "save it again as “CSV UTF-8”, or as an .xlsx file."
        ) from None
    delimiter = max(",;\t", key=lambda mark: sum(name.strip() in EXPERT for name in _header(text, mark)))
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    found = []
    begin = 1
    try:
        for cells in lines:
            found.append((f"{path}: line {begin}", [unguarded(cell) for cell in cells]))
            begin = lines.line_num + 1
    except csv.Error as error:
        raise UserError(
            f"{path}: line {begin}: not a CSV file ({error}); put quotes around texts, each doubled inside."
        ) from None
    return list(_lines(path, found))


def of_xlsx(path: Path) -> list[Line]:
    """Return the lines of a spreadsheet's one sheet that has our columns.

    Raises UserError where there is no such sheet or more than one, and for a cell that holds no text.
    """
    try:
        book = load_workbook(path)
    except (BadZipFile, InvalidFileException, KeyError, ValueError, OSError) as error:
        raise UserError(f"{path}: not a spreadsheet ({error}); save it again as an .xlsx file.") from None
    sheets = [sheet for sheet in book.worksheets if "case_id" in [_shown(cell) for cell in sheet[1]]]
    if len(sheets) != 1:
        names = ", ".join(f"'{sheet.title}'" for sheet in sheets or book.worksheets)
        what = f"{len(sheets)} sheets have" if sheets else "no sheet has"
        raise UserError(
            f"{path}: {what} a column case_id in the first row ({names}); leave the one that was filled in."
        )
    sheet = sheets[0]
    found = [(f"{path}: row {row[0].row}", [_text(cell, path) for cell in row]) for row in sheet.iter_rows()]
    return list(_lines(path, found))


def _header(text: str, delimiter: str) -> list[str]:
    return next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])


def _lines(path: Path, found: list[tuple[str, list[str]]]) -> Iterator[Line]:
    """Give the lines below the header; those without any text are passed over."""
    while found and not any(cell.strip() for cell in found[0][1]):
        del found[0]
    names = [name.strip() for name in found[0][1]] if found else []
    while names and not names[-1]:
        names.pop()
    for name in names:
        if name not in EXPERT:
            raise UserError(
                f"{path}: no such column '{name}'; {nearest(name, EXPERT)} Remarks have their place in `note`; take "
                "the column out."
            )
        if names.count(name) > 1:
            raise UserError(f"{path}: the column '{name}' is there twice; leave one of them.")
    needed = ["case_id", "lang"]
    needed += ["field", "machine"] if "corrected" in names else ["corrected"] if "judged" not in names else []
    if missing := [name for name in needed if name not in names]:
        raise UserError(f"{path}: columns missing: {', '.join(missing)}; they are all needed.")
    for where, cells in found[1:]:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) < len(names) or any(cell.strip() for cell in cells[len(names) :]):
            raise UserError(
                f"{where}: it doesn't have as many columns as the header; put quotes around texts with commas, and "
                "remarks into `note`."
            )
        yield Line(where, dict(zip(names, cells, strict=False)))


def _text(cell: Any, path: Path) -> str:
    """Return a cell's text; a number that is shown as it is becomes one."""
    if what := _no_text(cell):
        where = f"{path}: cell {cell.coordinate}"
        raise UserError(f"{where}: it holds {what}, not a text; format the cell as text and write it again.")
    return _shown(cell)


def _no_text(cell: Any) -> str | None:
    value = cell.value
    if cell.data_type == "f":
        return f"the formula '{value}'"
    if cell.data_type == "e":
        return f"the error {value}"
    if isinstance(value, datetime.date | datetime.time | datetime.timedelta):
        return f"a date or time ({value})"
    if isinstance(value, int | float) and not isinstance(value, bool) and cell.number_format not in _PLAIN:
        return f"the number {value} in the format '{cell.number_format}'"
    return None


def _shown(cell: Any) -> str:
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return unescaped(str(value))
