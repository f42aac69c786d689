"""What each fact is worth in each cell, in as little memory as many cells need.

cells = Cells.read(paths, protocol)
cells.facts        by what is compared together: a row per fact and column, exact match and the protocol's F1
cells.outcomes     OUTCOMES
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import polars as pl

from crossedit import tables
from crossedit.edits.requests import asked_after
from crossedit.edits.scores import elsewhere
from crossedit.errors import UserError
from crossedit.reports.naming import FEW, f1_metric
from crossedit.tables import OUTCOMES, VALUES

_CELL = ("facts", "backbone", "editor", "edit_lang")
_NAMES = pl.Categorical()  # names, of many rows


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
    lang: str  # or `others`


class Cells(NamedTuple):
    """All cells' facts and outcomes."""

    facts: dict[Part, pl.DataFrame]  # editor, edit_lang, lang, case_id, em, f1
    outcomes: pl.DataFrame

    @classmethod
    def read(cls, paths: Sequence[Path], protocol: str = "") -> "Cells":
        """Return what the VALUES tables hold, facts of one protocol or of all, outcomes of all.

        Raises UserError where there are no tables, or two hold the same cell.
        """
        if not paths:
            raise UserError("--values: no file is named; give the values.parquet of at least one cell.")
        facts: dict[Part, list[pl.DataFrame]] = {}
        counts = [pl.DataFrame(schema=OUTCOMES.columns)]
        held: dict[tuple[str, ...], Path] = {}
        for path, frame in _by_language(paths):
            for cell in frame.select(_CELL).unique().iter_rows():
                if cell in held:
                    named = ", ".join(cell)
                    raise UserError(f"--values: {held[cell]} and {path} both hold the cell {named}; name one of them.")
                held[cell] = path
            asked = frame.filter(protocol=protocol) if protocol else frame
            means = together(by_fact(asked)).with_columns(pl.col(Column._fields).cast(_NAMES))
            for part, rows in means.partition_by(Part._fields, as_dict=True, include_key=False).items():
                facts.setdefault(Part(*part), []).append(rows)
            counts.append(count(frame))
        return cls({part: pl.concat(frames) for part, frames in facts.items()}, pl.concat(counts))


def _by_language(paths: Iterable[Path]) -> Iterator[tuple[Path, pl.DataFrame]]:
    """Yield VALUES of one editing language at a time: they may be very many.

    What stands there without one is the unedited backbone's, and counts in each language whose edits are asked for.
    """
    for path in paths:
        for (lang,), frame in tables.read(path, VALUES).partition_by("edit_lang", as_dict=True).items():
            if lang:
                yield path, frame
                continue
            for each in frame.filter(aspect="reliability")["lang"].unique(maintain_order=True):
                yield path, frame.filter(asked_after(each)).with_columns(edit_lang=pl.lit(each))


def by_fact(values: pl.DataFrame) -> pl.DataFrame:
    """Return the mean over each fact's questions of an aspect, as the scores of all kinds together count it."""
    product = pl.col("protocol").is_in(
        [name for name in values["protocol"].unique() if f1_metric(name) == "f1_product"]
    )
    f1 = pl.when(product).then("f1_product").otherwise("f1")
    key = (*Part._fields, *Column._fields, "case_id")
    return values.group_by(key, maintain_order=True).agg(pl.col("em").mean(), f1.mean().alias("f1"))


def together(facts: pl.DataFrame) -> pl.DataFrame:
    """Return cells' facts with their mean over the other languages beside these, in their place where more than FEW.

    Each of very many languages compared with each would need more memory and time than it tells anybody.
    """
    within = (*Part._fields, "editor", "edit_lang")
    away = pl.col("lang") != pl.col("edit_lang")
    many = away & (pl.col("lang").filter(away).n_unique().over(within) > FEW)
    return pl.concat([facts.filter(~many), elsewhere(facts.filter(away), within, ("em", "f1"))])


def count(values: pl.DataFrame) -> pl.DataFrame:
    """Return the OUTCOMES: how many answers came to what."""
    return values.group_by(OUTCOMES.key, maintain_order=True).agg(pl.len().cast(pl.Int64).alias("answers"))
