"""Sheets that are too wide for a printed page, in several."""

from collections.abc import Iterator
from dataclasses import replace

from crossedit.reports.sheets.cells import Cell, shown
from crossedit.reports.sheets.model import Sheet
from crossedit.reports.sheets.texts import width

SHARE, LEAST = 0.6, 0.22  # of the page's width: for all columns of long texts together, and for each
_PAGE, _GAP = 65, 2.2  # the page's width, and the space between columns, in digits
_TINY = 0.55  # size of the letters of intervals, which stand below their numbers
_SMALLEST = 0.4  # of the letters' size on the page; what is smaller than such 4.4 pt can't be read in print


def pieces(sheet: Sheet, intervals: bool = False) -> list[Sheet]:
    """Return the sheet in as many as are needed for letters that can be read, each with all its labels.

    It is cut between groups of columns, and within a group where that alone is too wide.
    """
    if not sheet.rows:
        return [sheet]
    widths = _widths(sheet, intervals)
    room = _PAGE / _SMALLEST - sum(widths[: sheet.labels])
    parts: list[range] = []
    for block in _blocks(sheet, widths, room):
        joined = range(parts[-1].start, block.stop) if parts else block
        if parts and sum(widths[joined.start : joined.stop]) <= room:
            parts[-1] = joined
        else:
            parts.append(block)
    return [_piece(sheet, part) for part in parts] if len(parts) > 1 else [sheet]


def _blocks(sheet: Sheet, widths: list[float], room: float) -> Iterator[range]:
    """Yield the columns of numbers that belong together: those of a group, if there is room for it."""
    start = 0
    for name, span in sheet.groups:
        block = range(max(start, sheet.labels), start + span)
        if name and sum(widths[block.start : block.stop]) <= room:
            yield block
        else:
            yield from (range(column, column + 1) for column in block)
        start += span


def _piece(sheet: Sheet, columns: range) -> Sheet:
    places = [*range(sheet.labels), *columns]
    rows = [tuple(row[place] for place in places) for row in sheet.rows]
    return replace(sheet, columns=tuple(sheet.columns[place] for place in places), rows=tuple(rows))


def _widths(sheet: Sheet, intervals: bool) -> list[float]:
    """Return about how many digits each column is wide, with the space beside it."""
    share = max(LEAST, SHARE / max(1, sum(sheet.long())))
    return [
        _GAP + (share * _PAGE if long else max(width(column.name), *(_width(cell, intervals) for cell in cells)))
        for column, long, cells in zip(sheet.columns, sheet.long(), zip(*sheet.rows, strict=True), strict=True)
    ]


def _width(cell: Cell, intervals: bool) -> float:
    parts = shown(cell)
    bounds = " / ".join(part.interval for part in parts if not part.bracketed) if intervals else ""
    return max(width(str(cell)), _TINY * len(bounds))
