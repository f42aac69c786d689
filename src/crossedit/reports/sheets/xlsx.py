"""Sheets as XLSX: the table as it reads, and a worksheet with a row per number."""

import io
import re
import zipfile
from collections.abc import Iterator
from typing import NamedTuple

from openpyxl import Workbook
from openpyxl.cell import Cell as Field
from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from crossedit.reports.sheets.model import Cell, Measured, Number, Sheet, Shown, shown
from crossedit.reports.sheets.texts import width

_MOST = 32_767  # letters of a cell
_WIDEST = 60
_BOUNDS = ("low", "high")  # of a 95 % interval
_NUMBERS = ("Column", "Score", "Number", "95 % low", "95 % high", "Of how many", "Of what", "Beside")

_INK = {"": "1B1F24", "high": "0B6B3A", "low": "737B85"}
_FONTS = {tone: Font(color=colour, bold=tone == "high") for tone, colour in _INK.items()}
_HEAD = Font(bold=True, color=_INK[""])
_LINE, _THICK = Side("thin", color="8C96A1"), Side("medium", color=_INK[""])
# Sign and digits, and what stands before and after them.
_FORMATTED = re.compile(r"([^\d.+\-−]*)([+\-−]?)([\d,]*?)(\.\d+)?([^\d.]*)")


def to_xlsx(sheet: Sheet, intervals: bool = False) -> bytes:
    """Return a workbook; the same sheet always gives the same bytes.

    Each of F1 and EM has a column, so that both can be sorted, and a number is a number with the decimals of the sheet.
    With `intervals` their bounds have columns beside them; they are in the second worksheet in any case.
    """
    book = Workbook()
    table = book.active
    assert isinstance(table, Worksheet)
    _table(table, sheet, intervals)
    _numbers(book.create_sheet("numbers"), sheet)
    return _timeless(book)


class _Place(NamedTuple):
    """A column of the worksheet: which column of the sheet it is of, which of its parts, and which bound."""

    column: int
    part: int
    name: str
    bound: str = ""


def _places(sheet: Sheet, intervals: bool) -> Iterator[_Place]:
    for column in range(len(sheet.columns)):
        measures = sheet.measures(column)
        bounded = intervals and any(part.interval for cell in sheet.cells(column) for part in shown(cell))
        for part, name in enumerate(measures):
            yield _Place(column, part, name if len(measures) > 1 or bounded else "")
            if bounded:
                yield from (_Place(column, part, bound, bound) for bound in _BOUNDS)


def _table(table: Worksheet, sheet: Sheet, intervals: bool) -> None:
    table.title = "table"
    places = list(_places(sheet, intervals))
    _text(table.cell(1, 1), sheet.title).font = Font(bold=True, size=13)
    first = _header(table, sheet, places)
    spans, widths = sheet.spans(), [len(place.name) + 4 for place in places]
    for number, (row, span) in enumerate(zip(sheet.rows, spans, strict=True)):
        for column, place in enumerate(places, 1):
            cell = row[place.column]
            field = _put(table.cell(first + number, column), cell, place, label=place.column < sheet.labels)
            if number and span and span[0] and sheet.labels > 1:
                field.border = Border(top=_LINE)
            widths[column - 1] = max(widths[column - 1], width(_said(cell, place)) + 2)
    for column, place in enumerate(places, 1):
        shared = [width for width, other in zip(widths, places, strict=True) if other.column == place.column]
        named = (len(sheet.columns[place.column].name) + 4) / len(shared)
        letter = get_column_letter(column)
        table.column_dimensions[letter].width = min(_WIDEST, max(widths[column - 1], round(named)))
    last = first + len(sheet.rows) - 1
    if sheet.note:
        _text(table.cell(last + 2, 1), sheet.note).font = _FONTS["low"]
    table.freeze_panes = table.cell(first, sheet.labels + 1)
    table.auto_filter.ref = f"A{first - 1}:{get_column_letter(len(places))}{last}"
    table.page_setup.orientation = "landscape"
    table.page_setup.fitToHeight = 0
    table.sheet_properties.pageSetUpPr.fitToPage = True
    table.print_title_rows = f"3:{first - 1}"


def _header(table: Worksheet, sheet: Sheet, places: list[_Place]) -> int:
    """Write the header from the third line on and return the line after it."""
    deep = any(place.name for place in places)
    line = 3
    if sheet.grouped:
        runs = [name for name, span in sheet.groups for _ in range(span)]
        _spread(table, line, [(_group_of(sheet, place.column), runs[place.column]) for place in places])
        line += 1
    if deep:
        over = [len(sheet.measures(place.column)) > 1 or bool(place.name) for place in places]
        named = zip(places, over, strict=True)
        _spread(
            table,
            line,
            [(place.column, sheet.columns[place.column].name if several else "") for place, several in named],
        )
        line += 1
    for column, place in enumerate(places, 1):
        field = _text(table.cell(line, column), place.name or sheet.columns[place.column].name)
        field.font, field.border = _HEAD, Border(bottom=_THICK)
        field.alignment = Alignment(horizontal="left" if place.column < sheet.labels else "right", wrap_text=True)
    return line + 1


def _group_of(sheet: Sheet, column: int) -> int:
    """Return which of the groups of the header a column belongs to."""
    ends, end = [], 0
    for _, span in sheet.groups:
        end += span
        ends.append(end)
    return next(group for group, end in enumerate(ends) if column < end)


def _spread(table: Worksheet, line: int, names: list[tuple[int, str]]) -> None:
    """Write a line of the header; neighbours of the same name and number share a field."""
    start = 0
    while start < len(names):
        end = start
        while end + 1 < len(names) and names[end + 1] == names[start]:
            end += 1
        if names[start][1]:
            field = _text(table.cell(line, start + 1), names[start][1])
            field.font, field.alignment = _HEAD, Alignment(horizontal="center")
            for column in range(start, end + 1):
                table.cell(line, column + 1).border = Border(bottom=_LINE)
            if end > start:
                table.merge_cells(start_row=line, end_row=line, start_column=start + 1, end_column=end + 1)
        start = end + 1


def _said(cell: Cell, place: _Place) -> str:
    parts = shown(cell)
    if place.bound or (place.part >= len(parts) > 1):
        return ""
    return parts[min(place.part, len(parts) - 1)].text


def _put(field: Field, cell: Cell, place: _Place, label: bool) -> Field:
    """Put a part of a cell into a field: as a number where it reads as one."""
    if place.bound:
        return _bound(field, cell, place)
    parts = shown(cell)
    if len(parts) > 1 and place.part >= len(parts):
        return field
    part = parts[min(place.part, len(parts) - 1)]  # one dash stands for all of them
    if label:
        return _text(field, part.text, wrap=True)
    exact = _exact(cell, place.part)
    form = _form(part.text, part.value if exact is None else exact)
    if form is None:
        _text(field, part.text, wrap=width(part.text) > _WIDEST)
        long = width(part.text) > _WIDEST
        field.alignment = Alignment(horizontal="left" if long else "right", vertical="top", wrap_text=long)
    else:
        field.value = part.value if exact is None else exact
        field.number_format = form
        field.alignment = Alignment(vertical="top")
    field.font = _FONTS[part.tone]
    return field


def _bound(field: Field, cell: Cell, place: _Place) -> Field:
    part = cell.parts[place.part] if isinstance(cell, Measured) else None
    if part is not None:
        field.value = _percent(getattr(part, place.bound))
        field.number_format, field.font = "0.0", _FONTS["low"]
    return field


def _exact(cell: Cell, part: int) -> float | None:
    """Return the number that the text of a part is rounded from, where it is known."""
    if isinstance(cell, Measured):
        estimate = cell.parts[part]
        return None if estimate is None else _percent(estimate.mean)
    return cell.value if isinstance(cell, Number) else None


def _percent(share: float) -> float:
    return round(100 * share, 10)


def _form(text: str, value: float | None) -> str | None:
    """Return the format that shows the number as the text does; None where there is none."""
    found = _FORMATTED.fullmatch(text)
    if value is None or not found or not (found[3] or found[4]):
        return None
    before, sign, whole, decimals, after = found.groups()
    digits = f"{'#,##0' if ',' in whole else '0' if whole else ''}{re.sub('[0-9]', '0', decimals or '')}"
    read = Shown(f"{sign}{whole}{decimals or ''}").value
    if read is None or abs(read - value) > 0.500001 * 10.0 ** (1 - len(decimals or ".")):
        return None
    before, after = (f'"{piece}"' if piece else "" for piece in (before.replace('"', ""), after.replace('"', "")))
    plain = f"{before}{digits}{after}"
    return f"{before}+{digits}{after};{before}-{digits}{after};{plain}" if sign == "+" else plain


def _text(field: Field, text: str, wrap: bool = False) -> Field:
    """Put a text into a field that stays the text it is, whatever it looks like."""
    field.value = text[:_MOST] or None
    if text:
        field.data_type = "s"  # else what begins with = would be a formula
        field.number_format = "@"
    field.alignment = Alignment(vertical="top", wrap_text=wrap)
    return field


def _numbers(table: Worksheet, sheet: Sheet) -> None:
    """Write every number of the sheet in a row of its own, with its labels, its interval and what it is of."""
    labels = [str(column) for column in sheet.columns[: sheet.labels]]
    for column, name in enumerate([*labels, *_NUMBERS], 1):
        field = _text(table.cell(1, column), name)
        field.font, field.border = _HEAD, Border(bottom=_THICK)
        table.column_dimensions[get_column_letter(column)].width = max(12, len(name) + 4)
    line = 1
    for row in sheet.rows:
        for place, cell in enumerate(row[sheet.labels :], sheet.labels):
            for name, *values in _rows(cell, sheet.measures(place)):
                line += 1
                texts = [*map(str, row[: sheet.labels]), str(sheet.columns[place]), name, *values]
                for column, value in enumerate(texts, 1):
                    if isinstance(value, str):
                        _text(table.cell(line, column), value)
                    else:
                        table.cell(line, column).value = value
    table.freeze_panes = table.cell(2, sheet.labels + 1)
    table.auto_filter.ref = f"A1:{get_column_letter(sheet.labels + len(_NUMBERS))}{line}"


_Values = tuple[str, float, float | None, float | None, int | None, str, str]


def _rows(cell: Cell, measures: tuple[str, ...]) -> Iterator[_Values]:
    """Yield name, number, bounds, count, its unit and what is beside each number of a cell."""
    if isinstance(cell, Measured):
        for name, part in cell.known:
            yield name, _percent(part.mean), _percent(part.low), _percent(part.high), part.n, cell.unit, cell.beside
        return
    note = cell.note if isinstance(cell, Number) else ""
    for place, (name, part) in enumerate(zip(measures, shown(cell), strict=False)):
        exact = _exact(cell, place)
        value = part.value if exact is None else exact
        if value is not None and (exact is not None or _form(part.text, value)):
            yield name, value, None, None, None, "", note


def _timeless(book: Workbook) -> bytes:
    """Return the file without the times at which it and its parts were written."""
    written, fixed = io.BytesIO(), io.BytesIO()
    book.save(written)
    with zipfile.ZipFile(written) as source, zipfile.ZipFile(fixed, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "docProps/core.xml":
                content = re.sub(rb"<dcterms:(created|modified).*?</dcterms:\1>", b"", content)
            part = zipfile.ZipInfo(name)
            part.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(part, content)
    return fixed.getvalue()
