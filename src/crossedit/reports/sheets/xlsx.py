"""Sheets as XLSX: the table as it reads, and a worksheet with a row per number."""

import io
import re
import zipfile
from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from openpyxl import Workbook
from openpyxl.cell import Cell as Field
from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from crossedit.reports.sheets.model import Cell, Measured, Number, Sheet, Shown, shown
from crossedit.reports.sheets.texts import width

_LETTERS = 32_767  # that a cell holds
_NARROW, _WIDE = 8, 60  # columns, in letters
_TITLE, _HEADER = 1, 3  # lines
_NUMBERS = ("Column", "Measure", "Number", "95 % low", "95 % high", "Of how many", "Of what", "Beside")

_INK = {"": "1B1F24", "high": "0B6B3A", "low": "737B85"}
_FONTS = {tone: Font(color=colour, bold=tone == "high") for tone, colour in _INK.items()}
_HEAD, _TITLES = Font(bold=True, color=_INK[""]), Font(bold=True, size=13, color=_INK[""])
_BEGIN, _GROUP = Border(top=Side("thin", color="8C96A1")), Border(bottom=Side("thin", color="8C96A1"))
_END = Border(bottom=Side("medium", color=_INK[""]))
# What stands before a number, its sign, its digits, and what stands after it.
_PARTED = re.compile(r"([^\d.+\-−\"]*)([+\-−]?)([\d,]*)(\.\d+)?([^\d.\"]*)")


def to_xlsx(sheet: Sheet, intervals: bool = False) -> bytes:
    """Return a workbook; the same sheet always gives the same bytes.

    Each of F1 and EM has a column, so that the rows can be sorted by both, and a number is a number that shows as many
    decimals as the sheet. With `intervals` their bounds have columns beside them; the second worksheet always has them.
    """
    book = Workbook()
    table = book.active
    assert isinstance(table, Worksheet)
    table.title = "table"
    _table(table, sheet, list(_places(sheet, intervals)))
    _numbers(book.create_sheet("numbers"), sheet)
    return _timeless(book)


class _Place(NamedTuple):
    """A column of the worksheet: which part of which column of the sheet it shows, or which bound of that part."""

    column: int
    part: int
    name: str  # beneath that of the column; empty where the column has no parts
    bound: str = ""


def _places(sheet: Sheet, intervals: bool) -> Iterator[_Place]:
    for column in range(len(sheet.columns)):
        measures = sheet.measures(column)
        bounded = intervals and any(part.interval for cell in sheet.cells(column) for part in shown(cell))
        for part, name in enumerate(measures):
            yield _Place(column, part, name if len(measures) > 1 or bounded else "")
            if bounded:
                yield from (_Place(column, part, bound, bound) for bound in ("low", "high"))


def _table(table: Worksheet, sheet: Sheet, places: list[_Place]) -> None:
    _text(_field(table, _TITLE, 1), sheet.title).font = _TITLES
    first = _header(table, sheet, places)
    for line, (row, begins) in enumerate(zip(sheet.rows, sheet.begins(), strict=True), first):
        for column, place in enumerate(places, 1):
            field = _put(_field(table, line, column), row[place.column], place, label=place.column < sheet.labels)
            if begins is not None and place.column >= begins:
                field.border = _BEGIN
    last = first + len(sheet.rows) - 1
    if sheet.note:
        _text(_field(table, last + 2, 1), sheet.note).font = _FONTS["low"]
    table.freeze_panes = f"{get_column_letter(sheet.labels + 1)}{first}"
    table.auto_filter.ref = f"A{first - 1}:{get_column_letter(len(places))}{last}"
    for column, place in enumerate(places, 1):
        several = sum(other.column == place.column for other in places)
        named = width(place.name) if place.name else 0
        texts = [width(_part(cell, place).text) for cell in sheet.cells(place.column) if not place.bound]
        most = max([_NARROW, named, width(sheet.columns[place.column].name) // several, *texts])
        table.column_dimensions[get_column_letter(column)].width = min(_WIDE, most + 3)  # the filter's button


def _header(table: Worksheet, sheet: Sheet, places: list[_Place]) -> int:
    """Write the lines of the header and return the line after them."""
    columns = [sheet.columns[place.column] for place in places]
    lines: list[list[tuple[object, str]]] = []
    if sheet.grouped:
        lines.append([(column.group, column.group) for column in columns])
    if any(place.name for place in places):
        lines.append([(place.column, columns[at].name if place.name else "") for at, place in enumerate(places)])
    for line, names in enumerate(lines, _HEADER):
        _spread(table, line, names)
    last = _HEADER + len(lines)
    for at, place in enumerate(places, 1):
        field = _text(_field(table, last, at), place.name or columns[at - 1].name)
        field.font, field.border = _HEAD, _END
        field.alignment = Alignment(horizontal="left" if place.column < sheet.labels else "right")
    return last + 1


def _spread(table: Worksheet, line: int, names: list[tuple[object, str]]) -> None:
    """Write a line of the header in which neighbours that are the same share a field."""
    column = 1
    for (_, name), same in groupby(names):
        span = len(list(same))
        if name:
            field = _text(_field(table, line, column), name)
            field.font, field.alignment = _HEAD, Alignment(horizontal="center")
            for place in range(column, column + span):
                table.cell(line, place).border = _GROUP
            table.merge_cells(start_row=line, end_row=line, start_column=column, end_column=column + span - 1)
        column += span


def _put(field: Field, cell: Cell, place: _Place, label: bool) -> Field:
    """Put a part of a cell, or a bound of it, into a field: as a number where it reads as one."""
    part, estimate = _part(cell, place), cell.parts[place.part] if isinstance(cell, Measured) else None
    if place.bound:
        field.value = _percent(getattr(estimate, place.bound)) if estimate else None
        field.number_format, field.font = "0.0", _FONTS["low"]
        return field
    value = _exact(cell, place.part, part)
    form = None if label or value is None else _format(part.text, value)
    if form is None:
        long = width(part.text) > _WIDE
        _text(field, part.text)
        field.alignment = Alignment("left" if label or long else "right", vertical="top", wrap_text=long)
    else:
        field.value, field.number_format, field.alignment = value, form, Alignment(vertical="top")
    field.font = _FONTS[part.tone]
    return field


def _part(cell: Cell, place: _Place) -> Shown:
    parts = shown(cell)
    return parts[min(place.part, len(parts) - 1)]  # one dash stands for all of them


def _exact(cell: Cell, place: int, part: Shown) -> float | None:
    """Return the number that a part's text is rounded from, where that is known, else the one that it shows."""
    if isinstance(cell, Measured):
        estimate = cell.parts[place]
        return _percent(estimate.mean) if estimate else None
    return cell.value if isinstance(cell, Number) and cell.value is not None else part.value


def _percent(share: float) -> float:
    return round(100 * share, 10)


def _format(text: str, value: float) -> str | None:
    """Return the format by which the number reads as the text; None where the text says more, or less."""
    found = _PARTED.fullmatch(text)
    if not found or not (found[3] or found[4]):
        return None
    before, sign, whole, decimals, after = (part or "" for part in found.groups())
    read = Shown(f"{sign}{whole}{decimals}").value
    if read is None or abs(read - value) > 0.51 * 0.1 ** max(0, len(decimals) - 1):
        return None
    digits = f"{'#,##0' if ',' in whole else '0' if whole else ''}{re.sub('[0-9]', '0', decimals)}"
    before, after = (f'"{part}"' if part else "" for part in (before, after))
    plain = f"{before}{digits}{after}"
    return f"{before}+{digits}{after};{before}-{digits}{after};{plain}" if sign == "+" else plain


def _numbers(table: Worksheet, sheet: Sheet) -> None:
    """Write every number of the sheet in a row of its own, with its labels, its interval and what it is of."""
    names = [*map(str, sheet.columns[: sheet.labels]), *_NUMBERS]
    for column, name in enumerate(names, 1):
        field = _text(_field(table, 1, column), name)
        field.font, field.border = _HEAD, _END
        table.column_dimensions[get_column_letter(column)].width = max(14, width(name) + 4)
    line = 1
    for row in sheet.rows:
        labels = [str(cell) for cell in row[: sheet.labels]]
        for place, cell in enumerate(row[sheet.labels :], sheet.labels):
            for found in _said(cell, sheet.measures(place)):
                line += 1
                for column, value in enumerate([*labels, str(sheet.columns[place]), *found], 1):
                    field = _field(table, line, column)
                    if isinstance(value, str):
                        _text(field, value)
                    else:
                        field.value = value
    table.freeze_panes = f"{get_column_letter(sheet.labels + 1)}2"
    table.auto_filter.ref = f"A1:{get_column_letter(len(names))}{line}"


_Said = tuple[str, float, float | None, float | None, int | None, str, str]


def _said(cell: Cell, measures: tuple[str, ...]) -> Iterator[_Said]:
    """Yield name, number, bounds, count, what it counts and what is beside, of each number in a cell."""
    if isinstance(cell, Measured):
        for name, known in cell.known:
            bounds = (_percent(known.low), _percent(known.high))
            yield name, _percent(known.mean), *bounds, known.n, cell.unit, cell.beside
        return
    for place, (name, part) in enumerate(zip(measures, shown(cell), strict=False)):
        value = _exact(cell, place, part)
        if value is not None and (isinstance(cell, Number) or _format(part.text, value)):
            yield name, value, None, None, None, "", cell.note if isinstance(cell, Number) else ""


def _field(table: Worksheet, line: int, column: int) -> Field:
    field = table.cell(line, column)
    assert isinstance(field, Field)
    return field


def _text(field: Field, text: str) -> Field:
    """Put a text into a field that stays the text it is, whatever it looks like."""
    field.value = text[:_LETTERS] or None
    if text:
        field.data_type = "s"  # else what begins with = would be a formula
        field.number_format = "@"
    return field


def _timeless(book: Workbook) -> bytes:
    """Return the file without the times at which it and its parts were written."""
    written, fixed = io.BytesIO(), io.BytesIO()
    book.save(written)
    with zipfile.ZipFile(written) as source, zipfile.ZipFile(fixed, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "docProps/core.xml":
                content = re.sub(rb"<dcterms:(created|modified).*?</dcterms:\1>", b"", content)
            target.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return fixed.getvalue()
