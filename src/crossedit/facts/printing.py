"""What `crossedit facts` prints."""

import polars as pl
from rich.console import Console
from rich.table import Table
from rich.text import Text

from crossedit.facts.build import Built, count
from crossedit.facts.checking import Checked

_EXAMPLE = 60  # characters of a value that are shown
_LOG_WIDTH = 140  # where there is no terminal that has one


def say_checked(checked: Checked) -> None:
    """Print layout, records, languages, a table of oddities, and what would be left out."""
    source = checked.source
    console = _console()
    console.print(f"{source.path}", style="bold", highlight=False)
    console.print(f"layout: {source.layout}; {source.records} records; languages: {', '.join(source.languages)}")
    _print_oddities(console, checked.oddities)
    if not checked.editable:
        console.print("It names no subjects, so that its lines can be checked but can't become facts.")
    elif checked.left == source.records:
        console.print(f"All {source.records} cases can be used.")
    else:
        out = source.records - checked.left
        console.print(f"{out} of {source.records} cases would be left out, {checked.left} used.")


def say_built(built: Built) -> None:
    """Print what was read, what was left out, and the cases of each split."""
    summary = built.summary
    console = _console()
    for file in summary["files"]:
        languages = ", ".join(file["languages"])
        console.print(f"{file['path']}: {file['layout']}; {file['records']} records; {languages}", highlight=False)
    splits = ", ".join(f"{split} {n}" for split, n in summary["cases"].items())
    console.print(f"read {summary['read']} cases, left out {summary['left_out']}; drawn: {splits}")
    _print_oddities(console, built.oddities)


def _console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=_LOG_WIDTH)


def _print_oddities(console: Console, oddities: pl.DataFrame) -> None:
    if not oddities.height:
        console.print("Nothing odd was found.")
        return
    table = Table("oddity", "rows", "where", "meaning, example, rule", title="What is odd", title_justify="left")
    for kind, about in count(oddities).items():
        rows = oddities.filter(kind=kind)
        places = list(rows.group_by("lang", "field", maintain_order=True).len().iter_rows())
        table.add_row(
            Text(kind, style="bold", no_wrap=True),
            Text("\n".join(str(n) for _, _, n in places), justify="right"),
            Text("\n".join(f"{lang} {field}".strip() or "file" for lang, field, _ in places), no_wrap=True),
            Text(f"{about['meaning']}\n{_example(rows)}\n-> {about['rule']}"),
            end_section=True,
        )
    console.print(table)


def _example(rows: pl.DataFrame) -> str:
    case_id, value = rows.select("case_id", "value").row(0)
    # As it would stand in source code where it is not to be seen otherwise.
    shown = value if value.isprintable() and value == value.strip() else repr(value)
    shown = shown if len(shown) <= _EXAMPLE else f"{shown[: _EXAMPLE - 1]}…"
    return shown if case_id < 0 else f"case {case_id}: {shown}"
