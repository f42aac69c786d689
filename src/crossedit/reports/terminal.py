"""Table 2 in the terminal."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from crossedit.reports.sheets import Sheet

_LOG_WIDTH = 160  # where there is no terminal that has one


def show(sheet: Sheet) -> None:
    """Print the sheet, one table per outermost label."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=_LOG_WIDTH)
    spans = sheet.spans()
    starts = [number for number, span in enumerate(spans) if span[0]]
    for start in starts:
        rows = range(start, start + spans[start][0])
        table = Table(title=Text(f"{sheet.title} — {sheet.rows[start][0]}", style="bold"), title_justify="left")
        for place, column in enumerate(sheet.columns[1:], 1):
            head = Text("\n".join(filter(None, [column.group, column.name])))
            table.add_column(head, justify="left" if place < sheet.labels else "right", no_wrap=place < sheet.labels)
        for number in rows:
            span, row = spans[number], sheet.rows[number]
            if number > start and span[1]:
                table.add_section()
            labels = [str(cell) if span[place] else "" for place, cell in enumerate(row[: sheet.labels])][1:]
            table.add_row(*(Text(text) for text in labels), *(Text(str(cell)) for cell in row[sheet.labels :]))
        console.print(table)
    console.print(Text(sheet.note, style="dim"))
