"""What each fact is worth in each cell, in as little memory as many cells need.

cells = Cells.read(paths)
cells.facts        a row per fact of a cell, aspect, language and protocol: exact match and the protocol's F1
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

CELL = ("facts", "backbone", "editor", "edit_lang")
_COLUMN = (*CELL, "aspect", "lang", "protocol")
_FEW = pl.Categorical()


class Cells(NamedTuple):
    """All cells' facts and outcomes."""

    facts: pl.DataFrame  # facts, backbone, editor, edit_lang, aspect, lang, protocol, case_id, em, f1
    outcomes: pl.DataFrame

    @classmethod
    def read(cls, paths: Sequence[Path]) -> "Cells":
        """Return what the VALUES tables hold. Raises UserError where there are none, or two hold the same cell."""
        if not paths:
            raise UserError("--values: no file is named; give the values.parquet of at least one cell.")
        facts, counts = [], []
        held: dict[tuple[str, ...], Path] = {}
        for path in paths:
            frame = tables.read(path, VALUES)
            for cell in frame.select(CELL).unique().iter_rows():
                if cell in held:
                    named = ", ".join(cell)
                    raise UserError(f"--values: {held[cell]} and {path} both hold the cell {named}; name one of them.")
                held[cell] = path
            facts.append(by_fact(frame))
            counts.append(count(frame))
        return cls(pl.concat(facts), pl.concat(counts))


def by_fact(values: pl.DataFrame) -> pl.DataFrame:
    """Return the mean over each fact's questions of an aspect, as the scores of all kinds together count it."""
    product = pl.col("protocol").replace_strict(
        {name: f1_metric(name) == "f1_product" for name in values["protocol"].unique()}, return_dtype=pl.Boolean
    )
    f1 = pl.when(product).then("f1_product").otherwise("f1")
    means = values.group_by(*_COLUMN, "case_id", maintain_order=True).agg(pl.col("em").mean(), f1.mean().alias("f1"))
    return means.with_columns(pl.col(_COLUMN).cast(_FEW))


def count(values: pl.DataFrame) -> pl.DataFrame:
    """Return the OUTCOMES: how many answers came to what."""
    key = OUTCOMES.key
    return values.group_by(key, maintain_order=True).agg(pl.len().cast(pl.Int64).alias("answers"))
