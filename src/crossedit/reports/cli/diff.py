"""What differs between two runs."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crossedit.errors import UserError

if TYPE_CHECKING:
    from crossedit.reports.differences import Differences, Otherwise, Run

_FEW = 20  # lines of each kind
_RUN = click.Path(path_type=Path)


def _points(_: click.Context, option: click.Parameter, value: float) -> float:
    if not (math.isfinite(value) and value >= 0):
        raise UserError(f"{option.opts[0]}: {value:g} is no number of points; give one from 0 up, such as 0.5.")
    return value


@click.command()
@click.argument("run_a", type=_RUN)
@click.argument("run_b", type=_RUN)
@click.option(
    "--threshold", type=float, callback=_points, default=0, metavar="POINTS", help="Up to it no change counts."
)
@click.option("--all", "every", is_flag=True, help="Each score that has changed, not only the largest of each cell.")
@click.option("--json", "as_json", is_flag=True, help="All of it as one JSON object.")
@click.pass_context
def diff(context: click.Context, run_a: Path, run_b: Path, threshold: float, every: bool, as_json: bool) -> None:
    """Say which cells' scores differ between two results folders (or scores.parquet), and by how much.

    Changes are those from RUN_A to RUN_B, in points, the largest first. A score over another number of facts or items
    has changed too, even if it is the same. Intervals and means over several languages, which follow from the scores in
    each, are not compared, and nothing is said of what chance would do.
    Ends with 0 where no score differs, with 1 where any does or only one run has it, as diff does.
    """
    from crossedit.reports.differences import Run, differences, made_otherwise

    runs = Run.read(run_a), Run.read(run_b)
    found, otherwise = differences(*runs, threshold), made_otherwise(*runs)
    if as_json:
        click.echo(json.dumps(_data(runs, found, otherwise, threshold), ensure_ascii=False, indent=2))
    else:
        for line in _lines(runs, found, otherwise, threshold, every):
            click.echo(line)
    context.exit(int(any(kind.any for kind in found)))


def _data(
    runs: "tuple[Run, Run]", found: "list[Differences]", otherwise: "list[Otherwise]", threshold: float
) -> dict[str, Any]:
    return {
        "a": str(runs[0].path),
        "b": str(runs[1].path),
        "threshold": threshold,
        "differ": any(one.any for one in found),
        "scores": {
            one.kind.name: {
                "cells": one.cells,
                "scores": one.scores,
                "changed": one.changed.to_dicts(),
                "only": {run: [dict(zip(one.kind.cell, cell, strict=True)) for cell in one.only[run]] for run in "ab"},
                "lone": one.lone,
            }
            for one in found
        },
        "made_otherwise": [one._asdict() for one in otherwise],
    }


def _lines(
    runs: "tuple[Run, Run]", found: "list[Differences]", otherwise: "list[Otherwise]", threshold: float, every: bool
) -> Iterator[str]:
    for name, run in zip("AB", runs, strict=True):
        yield f"{name}  {run.path}"
    few = None if every else _FEW
    if not any(one.cells for one in found):
        yield ""
        yield f"The two runs have no cell in common: {' and '.join(_lone(found))}."
        return
    for one in found:
        yield ""
        yield from _kind(one, threshold, every)
    yield ""
    if otherwise:
        yield "Made otherwise"
        for setting in otherwise[:few]:
            yield f"  {setting.setting}: {_short(setting.a)} -> {_short(setting.b)} in {_cells(setting.cells)}"
        yield from _more(otherwise, few)
    elif runs[0].made.keys() & runs[1].made.keys():
        yield "All cells that both have were made alike."
    else:
        yield "How they were made can't be compared."


def _lone(found: "list[Differences]") -> Iterator[str]:
    """Yield whose cells each run has, where no cell is in both."""
    for run in "ab":
        cells = ["/".join(cell) for one in found for cell in one.only[run]]
        yield f"{run.upper()} has {_cells(cells) if cells else 'none'}"


def _kind(one: "Differences", threshold: float, every: bool) -> Iterator[str]:
    few = None if every else _FEW
    key = list(one.kind.cell)
    largest = one.changed if every else one.changed.unique(key, keep="first", maintain_order=True)
    than = f" by more than {threshold:g} points, or are over other counts" if threshold else ""
    changed = one.changed.select(key).n_unique() if len(one.changed) else 0
    yield (
        f"{one.kind.name.capitalize()}: {len(one.changed):,} of {one.scores:,} scores differ{than}, "
        f"in {changed:,} of {one.cells:,} cells that both have"
    )
    for run in "ab":
        if one.only[run]:
            yield f"  only in {run.upper()}: {_cells(['/'.join(cell) for cell in one.only[run]], few)}"
        if one.lone[run]:
            yield f"  only in {run.upper()}: {one.lone[run]:,} scores of cells that both have"
    rows = [_row(row, one) for row in largest.head(few or len(largest)).iter_rows(named=True)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cell, where, *numbers, beside = row
        shown = [cell.ljust(widths[0]), where.ljust(widths[1])]
        shown += [text.rjust(width) for text, width in zip(numbers, widths[2:], strict=False)]
        yield f"  {'  '.join([*shown, beside])}".rstrip()
    yield from _more(range(len(largest)), few)


def _row(row: dict[str, Any], one: "Differences") -> list[str]:
    values = ["no number" if row[run] is None else f"{100 * row[run]:.2f}" for run in "ab"]
    change = "" if row["change"] is None else f"{row['change'] + 0:+.2f}"
    where = " ".join(str(row[name]) for name in one.kind.where if row[name] not in ("", "all"))
    beside = "" if row["n_a"] == row["n_b"] else f"of {row['n_a']:,} -> {row['n_b']:,}"
    return ["/".join(row[name] for name in one.kind.cell), where, values[0], "->", values[1], change, beside]


def _cells(cells: list[str], few: int | None = 1) -> str:
    shown = ", ".join(cells[:few])
    more = len(cells) - len(cells[:few])
    return f"{shown} and {more:,} more" if more else shown


def _more(everything: Any, few: int | None) -> Iterator[str]:
    if few is not None and len(everything) > few:
        yield f"  … {len(everything) - few:,} more: --all"


def _short(value: Any) -> str:
    text = "nothing" if value is None else json.dumps(value, ensure_ascii=False)
    return f"{text[:59]}…" if len(text) > 60 else text
