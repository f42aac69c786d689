"""The tables that stages hand to each other: their schemas, and how they are read and written.

    write(frame, FACTS, path, provenance={"seed": 0})     whole or not at all, checked first
    read(path, FACTS)                                     checked again
    read_all(paths, SCORES)                               of several files together
    provenance(path)                                      what the file says of its making

Each table is a parquet file with a declared schema. A required column has no nulls, and the key columns tell the rows
apart.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl

from crossedit.errors import UserError
from crossedit.files import whole
from crossedit.tables.edits import ANSWERS, COMPARISONS, OUTCOMES, PREDICTIONS, PROBES, SCORES, VALUES
from crossedit.tables.facts import CORRECTIONS, FACTS, ODDITIES, TABLE_1
from crossedit.tables.sweeps import FACT_SCORES, ITEMS, TASK_SCORES, VERDICTS, WEIGHT_CHANGES
from crossedit.tables.table import Table

__all__ = [
    "ANSWERS",
    "COMPARISONS",
    "CORRECTIONS",
    "FACTS",
    "FACT_SCORES",
    "ITEMS",
    "ODDITIES",
    "OUTCOMES",
    "PREDICTIONS",
    "PROBES",
    "SCORES",
    "TABLE_1",
    "TASK_SCORES",
    "VALUES",
    "VERDICTS",
    "WEIGHT_CHANGES",
    "Table",
    "check",
    "provenance",
    "read",
    "read_all",
    "write",
]


def check(frame: pl.DataFrame, table: Table, path: Path | str) -> pl.DataFrame:
    """Return `frame` with its columns in the order of `table`.

    Raises UserError, naming file, column and row, where a column is missing, unknown or of another type, where a
    required value is null, or where two rows have the same key.
    """
    where = f"{path}: {table.name} table"
    _check_columns(frame.schema, table, where)
    frame = frame.select(*table.columns)
    for name in table.columns:
        if name not in table.nullable and frame[name].null_count():
            row = frame[name].is_null().arg_max()
            raise UserError(f"{where}: column '{name}' is empty in row {row}; it must have a value.")
    twice = frame.select(table.key).is_duplicated()
    if twice.any():
        row = twice.arg_max()
        raise UserError(f"{where}: row {row} is there twice (key {frame.select(table.key).row(row)}).")
    return frame


def _check_columns(there: Mapping[str, pl.DataType], table: Table, where: str) -> None:
    missing = [name for name in table.columns if name not in there]
    unknown = [name for name in there if name not in table.columns]
    if missing or unknown:
        raise UserError(f"{where}: columns missing: {missing or 'none'}; columns unknown: {unknown or 'none'}.")
    for name, dtype in table.columns.items():
        if there[name] != dtype:
            raise UserError(f"{where}: column '{name}' is {there[name]}, not {dtype}.")


def write(frame: pl.DataFrame, table: Table, path: Path | str, provenance: Mapping[str, Any]) -> None:
    """Check `frame` and write it as parquet with `provenance` (JSON values) in the file's metadata."""
    frame = check(frame, table, path)
    packages = {name: version(name) for name in ("crossedit", "polars")}
    note = json.dumps({"table": table.name, "packages": packages, **provenance}, ensure_ascii=False)
    with whole(path) as temporary:
        frame.write_parquet(temporary, metadata={"crossedit": note})


def read(
    path: Path | str, table: Table, only: Iterable[str] | None = None, where: pl.Expr | None = None
) -> pl.DataFrame:
    """Return the checked table in the file. Raises UserError where there is no such file or it isn't this table.

    only: which columns to take beside the key; what others the file has or lacks, as one of another version may, is
    not asked. where: which rows to take, the others not being read where the file is in their order.
    """
    taken = table if only is None else table.only(only)
    with _found(path, f"a {table.name} table"):
        rows = pl.scan_parquet(path)
        there = {name: dtype for name, dtype in rows.collect_schema().items() if only is None or name in taken.columns}
        _check_columns(there, taken, f"{path}: {table.name} table")
        frame = (rows if where is None else rows.filter(where)).select(*there).collect()
    return check(frame, taken, path)


def read_all(paths: Sequence[Path], table: Table) -> pl.DataFrame:
    """Return the rows of all files, of which there may be none. Raises UserError where two of them hold the same."""
    frames = [read(path, table) for path in paths]
    named = ", ".join(map(str, paths[:3])) + (", …" if len(paths) > 3 else "")
    return check(pl.concat([pl.DataFrame(schema=table.columns), *frames]), table, named)


def provenance(path: Path | str) -> dict[str, Any]:
    """Return what the table's file says of its making, as given to `write`. Raises UserError where there is no such."""
    with _found(path, "a table"):
        told = pl.read_parquet_metadata(path).get("crossedit", "{}")
    note: dict[str, Any] = json.loads(told)
    return note


@contextmanager
def _found(path: Path | str, what: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; it should hold {what}.") from None
    except pl.exceptions.ComputeError as error:
        raise UserError(f"{path}: not a parquet file ({str(error).splitlines()[0]}).") from None
