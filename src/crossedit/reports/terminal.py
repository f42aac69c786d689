"""Table 2 in the terminal."""

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from crossedit.reports.sheets import Sheet

_LOG_WIDTH = 160  # where there is no terminal that has one


def show(sheet: Sheet) -> None:
    """Print the sheet, one table per outermost label; where there is little room, numbers stand above each other."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=_LOG_WIDTH)
    spans = sheet.spans()
    for start in (number for number, span in enumerate(spans) if span[0]):
        rows = range(start, start + spans[start][0])
        table = _table(sheet, rows, spans, narrow=False)
        if Measurement.get(console, console.options, table).maximum >= console.width:
            table = _table(sheet, rows, spans, narrow=True)
        console.print(Text(f"\n{sheet.title} — {sheet.rows[start][0]}", style="bold"))
        console.print(table)
    console.print(Text(sheet.note, style="dim"))


def _table(sheet: Sheet, rows: range, spans: list[list[int]], narrow: bool) -> Table:
    table = Table(box=box.SIMPLE_HEAD if narrow else box.SQUARE, padding=0 if narrow else (0, 1), pad_edge=not narrow)
    for place, column in enumerate(sheet.columns[1:], 1):
        head = Text("\n".join(filter(None, [column.group, column.name])), overflow="fold")
        table.add_column(head, justify="left" if place < sheet.labels else "right", no_wrap=place < sheet.labels)
    for number in rows:
        span, row = spans[number], sheet.rows[number]
        if number > rows.start and span[1]:
            table.add_section()
        labels = [str(cell) if shown else "" for cell, shown in zip(row, span, strict=False)]
        numbers = [str(cell).replace(" / ", "\n") if narrow else str(cell) for cell in row[sheet.labels :]]
        table.add_row(*(Text(text) for text in [*labels[1:], *numbers]))
    return table
