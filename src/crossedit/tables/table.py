"""What a table's schema says."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import polars as pl

Columns = dict[str, pl.DataType | type[pl.DataType]]  # in order


@dataclass(frozen=True)
class Table:
    """A kind of table: its columns in order, the columns that may hold nulls, and the key."""

    name: str
    columns: Columns
    key: tuple[str, ...]
    nullable: tuple[str, ...] = ()

    def only(self, columns: Iterable[str]) -> "Table":
        """Return the table with its key and some of its columns."""
        kept = {*self.key, *columns}
        return replace(self, columns={name: dtype for name, dtype in self.columns.items() if name in kept})
