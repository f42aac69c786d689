"""What each fact is worth in each cell, in as little memory as many cells need.

cells = Cells.read(paths)
cells.facts        by what is compared together: a row per fact and column, exact match and the protocol's F1
cells.outcomes     OUTCOMES
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import polars as pl

from crossedit import tables
from crossedit.errors import UserError
from crossedit.reports.naming import f1_metric
from crossedit.tables import OUTCOMES, VALUES

_CELL = ("facts", "backbone", "editor", "edit_lang")
_FEW = pl.Categorical()


class Part(NamedTuple):
    """Of what columns of facts are compared with each other."""

    facts: str
    backbone: str
    aspect: str
    protocol: str


class Column(NamedTuple):
    """Of what a column of facts is, within its part."""

    editor: str
    edit_lang: str
    lang: str


class Cells(NamedTuple):
    """All cells' facts and outcomes."""

    facts: dict[Part, pl.DataFrame]  # editor, edit_lang, lang, case_id, em, f1
    outcomes: pl.DataFrame

    @classmethod
    def read(cls, paths: Sequence[Path]) -> "Cells":
        """Return what the VALUES tables hold. Raises UserError where there are none, or two hold the same cell."""
        if not paths:
            raise UserError("--values: no file is named; give the values.parquet of at least one cell.")
        facts: dict[Part, list[pl.DataFrame]] = {}
        counts = []
        held: dict[tuple[str, ...], Path] = {}
        for path in paths:
            frame = tables.read(path, VALUES)
            for cell in frame.select(_CELL).unique().iter_rows():
                if cell in held:
                    named = ", ".join(cell)
                    raise UserError(f"--values: {held[cell]} and {path} both hold the cell {named}; name one of them.")
                held[cell] = path
            for part, rows in by_fact(frame).partition_by(Part._fields, as_dict=True, include_key=False).items():
                facts.setdefault(Part(*part), []).append(rows)
            counts.append(count(frame))
        return cls({part: pl.concat(frames) for part, frames in facts.items()}, pl.concat(counts))


def by_fact(values: pl.DataFrame) -> pl.DataFrame:
    """Return the mean over each fact's questions of an aspect, as the scores of all kinds together count it."""
    product = pl.col("protocol").is_in(
        [name for name in values["protocol"].unique() if f1_metric(name) == "f1_product"]
    )
    f1 = pl.when(product).then("f1_product").otherwise("f1")
    key = (*Part._fields, *Column._fields, "case_id")
    means = values.group_by(key, maintain_order=True).agg(pl.col("em").mean(), f1.mean().alias("f1"))
    return means.with_columns(pl.col(Column._fields).cast(_FEW))


def count(values: pl.DataFrame) -> pl.DataFrame:
    """Return the OUTCOMES: how many answers came to what."""
    return values.group_by(OUTCOMES.key, maintain_order=True).agg(pl.len().cast(pl.Int64).alias("answers"))
