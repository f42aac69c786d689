"""Sheets as XLSX: the table as it reads, and a worksheet with a row per number."""

import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import groupby
from typing import NamedTuple
from xml.sax.saxutils import escape

from openpyxl import Workbook
from openpyxl.cell import Cell as Field
from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from crossedit.reports.sheets.cells import Cell, Shown, shown
from crossedit.reports.sheets.model import Place, Sheet
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
    rows = _table(table, sheet, list(sheet.places(intervals)))
    return _written(book, [rows, _numbers(book.create_sheet("numbers"), sheet)])


def _table(table: Worksheet, sheet: Sheet, places: list[Place]) -> str:
    """Write the header, and return the rows below it."""
    _text(_field(table, _TITLE, 1), sheet.title).font = _TITLES
    first = _header(table, sheet, places)
    styles = _Styles(table)
    widths = [width(place.name) for place in places]
    lines = []
    for line, (row, begins) in enumerate(zip(sheet.rows, sheet.begins(), strict=True), first):
        fields = []
        for column, place in enumerate(places):
            part = place.part(row)
            value, style = _put(part, place, label=place.column < sheet.labels)
            lined = begins is not None and place.column >= begins
            fields.append(_raw(value, styles[style._replace(begins=True) if lined else style]))
            if not place.bound:
                widths[column] = max(widths[column], width(part.text))
        lines.append(f'<row r="{line}">{"".join(fields)}</row>')
    last = first + len(sheet.rows) - 1
    if sheet.note:
        lines.append(f'<row r="{last + 2}">{_raw(sheet.note, styles[_Style("low", horizontal="left")])}</row>')
    table.freeze_panes = f"{get_column_letter(sheet.labels + 1)}{first}"
    table.auto_filter.ref = f"A{first - 1}:{get_column_letter(len(places))}{last}"
    _print(table, first - 1)
    several = Counter(place.column for place in places)
    for column, place in enumerate(places):
        named = width(sheet.columns[place.column].name) // several[place.column]
        most = max(_NARROW, named, widths[column])
        table.column_dimensions[get_column_letter(column + 1)].width = min(_WIDE, most + 3)  # the filter's button
    return "".join(lines)


class _Style(NamedTuple):
    """How a field of the table looks."""

    tone: str
    number_format: str = "@"
    horizontal: str | None = None
    wraps: bool = False
    begins: bool = False  # whether a line is drawn above it


class _Styles(dict[_Style, int]):
    """The numbers of a workbook's styles, each of which is made once."""

    def __init__(self, table: Worksheet) -> None:
        self._table = table

    def __missing__(self, style: _Style) -> int:
        field = Field(self._table, 1, 1)
        field.font = _FONTS[style.tone]
        field.number_format = style.number_format
        field.alignment = Alignment(style.horizontal, vertical="top", wrap_text=style.wraps)
        if style.begins:
            field.border = _BEGIN
        self[style] = field.style_id
        return self[style]


def _header(table: Worksheet, sheet: Sheet, places: list[Place]) -> int:
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
            # The worksheet's own method goes through all borders again.
            table.merged_cells.add(f"{get_column_letter(column)}{line}:{get_column_letter(column + span - 1)}{line}")
        column += span


def _put(part: Shown, place: Place, label: bool) -> tuple[str | float | None, _Style]:
    """Return what stands in a field for a part of a cell, or a bound of it: a number where it reads as one."""
    if place.bound:
        return (part.low if place.bound == "low" else part.high), _Style("low", "0.0")
    form = None if label or part.value is None else _format(part.text, part.value)
    if form:
        return part.value, _Style(part.tone, form)
    long = width(part.text) > _WIDE
    return part.text, _Style(part.tone, horizontal="left" if label or long else "right", wraps=long)


@cache
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


def _print(sheet: Worksheet, head: int) -> None:
    """Have the worksheet printed on paper as wide as it is, with its head, so many rows, on every page."""
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0  # as many pages as it takes
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.print_title_rows = f"1:{head}"


def _numbers(table: Worksheet, sheet: Sheet) -> str:
    """Write the header of the second worksheet, and return its rows: a number each, with all that is known of it."""
    names = [*map(str, sheet.columns[: sheet.labels]), *_NUMBERS]
    for column, name in enumerate(names, 1):
        field = _text(_field(table, 1, column), name)
        field.font, field.border = _HEAD, _END
        table.column_dimensions[get_column_letter(column)].width = max(14, width(name) + 4)
    lines: list[str] = []
    for row in sheet.rows:
        labels = "".join(_raw(str(cell)) for cell in row[: sheet.labels])
        for named, cell in zip(sheet.columns[sheet.labels :], row[sheet.labels :], strict=True):
            of = labels + _raw(str(named))
            lines += [f"<row>{of}{''.join(map(_raw, found))}</row>" for found in _known(cell)]
    table.freeze_panes = f"{get_column_letter(sheet.labels + 1)}2"
    table.auto_filter.ref = f"A1:{get_column_letter(len(names))}{1 + len(lines)}"
    _print(table, 1)
    return "".join(lines)


def _raw(value: str | float | None, style: int = 0) -> str:
    """Return a field as it stands in the file."""
    styled = f' s="{style}"' if style else ""
    if value is None or value == "":
        return f"<c{styled}/>"
    if isinstance(value, str):
        return f'<c{styled} t="inlineStr"><is><t>{escape(value[:_LETTERS])}</t></is></c>'
    return f"<c{styled}><v>{value!r}</v></c>"


def _known(cell: Cell) -> Iterator[tuple[str | float | None, ...]]:
    """Yield name, number, bounds, count, what it counts and what is beside, of each number in a cell."""
    unit, beside = ("", "") if isinstance(cell, str) else (cell.unit, cell.beside)
    for part in shown(cell):
        if part.exact is not None or (part.value is not None and _format(part.text, part.value)):
            bounds = (part.low, part.high, part.n)
            said = "; ".join(filter(None, [part.note, beside]))
            yield part.name, part.value, *bounds, "" if part.n is None else unit, said


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


def _written(book: Workbook, rows: Sequence[str]) -> bytes:
    """Return the file with further rows in each worksheet, and without the times at which it was written.

    In a wide table there are ten thousands of fields, and openpyxl would take ten times as long for them.
    """
    written, fixed = io.BytesIO(), io.BytesIO()
    book.save(written)
    further = {f"xl/worksheets/sheet{number}.xml": text.encode() for number, text in enumerate(rows, 1)}
    with zipfile.ZipFile(written) as source, zipfile.ZipFile(fixed, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "docProps/core.xml":
                content = re.sub(rb"<dcterms:(created|modified).*?</dcterms:\1>", b"", content)
            if name in further:
                content = re.sub(rb"<dimension[^>]*/>", b"", content)  # it is that of the header
                content = content.replace(b"</sheetData>", further[name] + b"</sheetData>")
            target.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return fixed.getvalue()
