"""Which columns of facts are compared with each other, and how many comparisons that makes.

    compare(cells.facts, entry, seed)     -> COMPARISONS

editors      two editors (the unedited backbone is one), of the same editing and evaluation language
asked_in     the editing language and another evaluation language, of one cell
edited_in    two editing languages of one editor, each asked in itself

A family, whose p are corrected together, is all of one kind on the same facts, backbone, aspect, protocol and metric.
A column in which any value is no number is compared with nothing, as its score is shown as a dash.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations, groupby, product
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from crossedit import UNEDITED
from crossedit.reports.naming import f1_metric, union
from crossedit.reports.statistics.paired import Numbers, holm, paired
from crossedit.tables import COMPARISONS

_PART = ("facts", "backbone", "aspect", "protocol")
_METRICS = ("em", "f1")


class _Column(NamedTuple):
    """Of which column of facts something is."""

    editor: str
    edit_lang: str
    lang: str


_Pair = tuple[_Column, _Column]


def compare(facts: pl.DataFrame, entry: Mapping[str, Any], seed: int) -> pl.DataFrame:
    """Return the COMPARISONS of `Cells.facts`; which of two is the first follows from the configuration's order.

    The unedited backbone is always the second.
    """
    named = {
        "editor": entry.get("editors", ()),
        "edit_lang": entry.get("languages", ()),
        "lang": entry.get("evaluation_languages", entry.get("languages", ())),
    }
    ranks = {}
    for column, names in named.items():
        known = union(names, facts[column].unique(maintain_order=True))
        ranks[column] = {name: number for number, name in enumerate(known)} | {UNEDITED: len(known)}
    found = [pl.DataFrame(schema=COMPARISONS.columns)]
    for part in facts.partition_by(_PART, maintain_order=True):
        for metric in _METRICS:
            found += _families(part, metric, ranks, seed)
    return pl.concat(found)


def _families(
    part: pl.DataFrame, metric: str, ranks: Mapping[str, Mapping[str, int]], seed: int
) -> Iterator[pl.DataFrame]:
    """Yield the comparisons of a part's facts by a metric, a kind of comparison at a time."""
    columns, values = _columns(part, metric, ranks)
    kinds = _pairs(columns)
    numbers = {column: number for number, column in enumerate(columns)}
    for between, pairs in kinds.items():
        if not pairs:
            continue
        left, right = np.array([[numbers[column] for column in pair] for pair in pairs]).T
        found = paired(values, left, right, seed)
        shared = found.n > 0
        if not shared.any():
            continue
        told = {name: column[shared] for name, column in found._asdict().items()}
        protocol = part["protocol"][0]
        constant = {name: part[name][0] for name in _PART}
        constant |= {"between": between, "metric": f1_metric(protocol) if metric == "f1" else metric}
        sides = {
            f"{name}_{side}": [getattr(pair[side - 1], name) for pair, kept in zip(pairs, shared, strict=True) if kept]
            for side in (1, 2)
            for name in _Column._fields
        }
        yield (
            pl.DataFrame(
                sides
                | {"mean_1": told["first"], "mean_2": told["second"], "difference": told["first"] - told["second"]}
                | {name: told[name] for name in ("low", "high", "effect", "p", "n")}
                | {"p_adjusted": holm(told["p"])}
            )
            .with_columns(
                pl.col("effect").fill_nan(None),
                family=pl.lit(int(shared.sum()), pl.Int64),
                **{name: pl.lit(value, pl.String) for name, value in constant.items()},
            )
            .select(*COMPARISONS.columns)
        )


def _columns(part: pl.DataFrame, metric: str, ranks: Mapping[str, Mapping[str, int]]) -> tuple[list[_Column], Numbers]:
    """Return the part's columns in order, and their values (facts, columns), NaN for a fact that one hasn't."""
    lists = part.group_by(_Column._fields).agg("case_id", metric).rows()
    known = {_Column(*row[:3]): (row[3], np.array(row[4])) for row in lists}
    columns = sorted(
        (column for column, (_, values) in known.items() if np.isfinite(values).all()),
        key=lambda column: [ranks[name][value] for name, value in column._asdict().items()],
    )
    cases = part["case_id"].unique().sort().to_numpy()
    table = np.full((len(cases), len(columns)), np.nan)
    for number, column in enumerate(columns):
        ids, values = known[column]
        table[np.searchsorted(cases, ids), number] = values
    return columns, table


def _pairs(columns: Iterable[_Column]) -> dict[str, list[_Pair]]:
    """Return the pairs of each kind of comparison; the columns stand in order."""
    columns = list(columns)
    by_langs = sorted(columns, key=lambda column: column[1:])  # keeps the order of editors
    by_cell = [list(cell) for _, cell in groupby(columns, key=lambda column: column[:2])]
    own = [column for column in columns if column.lang == column.edit_lang]
    return {
        "editors": [
            pair for _, some in groupby(by_langs, key=lambda column: column[1:]) for pair in combinations(some, 2)
        ],
        "asked_in": [
            pair
            for cell in by_cell
            for pair in product(
                [column for column in cell if column.lang == column.edit_lang],
                [column for column in cell if column.lang != column.edit_lang],
            )
        ],
        "edited_in": [
            pair for _, some in groupby(own, key=lambda column: column.editor) for pair in combinations(some, 2)
        ],
    }
