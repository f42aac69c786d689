"""Which columns of facts are compared with each other, and how many comparisons that makes.

    compare(cells.facts, entry, seed)     -> COMPARISONS

editors      two editors (the unedited backbone is one), of the same editing and evaluation language
asked_in     the editing language and another evaluation language, of one cell
edited_in    two editing languages of one editor, each asked in itself

A family, whose p are corrected together, is all of one kind on the same facts, backbone, aspect, protocol and metric.
A column in which any value is no number is compared with nothing, as its score is shown as a dash.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations, groupby, product
from typing import Any

import numpy as np
import polars as pl

from crossedit import UNEDITED
from crossedit.reports.naming import f1_metric, union
from crossedit.reports.statistics.paired import Numbers, holm, paired
from crossedit.reports.statistics.values import Column, Part
from crossedit.tables import COMPARISONS

_METRICS = ("em", "f1")
_Ranks = Mapping[str, Mapping[str, int]]  # the places of names, by the field of a column


def compare(facts: Mapping[Part, pl.DataFrame], entry: Mapping[str, Any], seed: int) -> pl.DataFrame:
    """Return the COMPARISONS of `Cells.facts`; which of two is the first follows from the configuration's order.

    The unedited backbone is always the second.
    """
    ranks = _ranks(facts, entry)
    found = [pl.DataFrame(schema=COMPARISONS.columns)]
    for part, frame in facts.items():
        for metric in _METRICS:
            columns, values = _columns(frame, metric, ranks)
            shown = f1_metric(part.protocol) if metric == "f1" else metric
            for between, pairs in _pairs(columns).items():
                if pairs:
                    named = {**part._asdict(), "between": between, "metric": shown}
                    found.append(_family(columns, values, pairs, seed).with_columns(_constants(named)))
    return pl.concat(frame.select(*COMPARISONS.columns) for frame in found)


def _constants(named: Mapping[str, str]) -> list[pl.Expr]:
    return [pl.lit(value, pl.String).alias(name) for name, value in named.items()]


def _ranks(facts: Mapping[Part, pl.DataFrame], entry: Mapping[str, Any]) -> _Ranks:
    languages = entry.get("languages", ())
    named = {
        "editor": entry.get("editors", ()),
        "edit_lang": languages,
        "lang": entry.get("evaluation_languages", languages),
    }
    ranks = {}
    for column, names in named.items():
        known = union(names, *(frame[column].unique(maintain_order=True) for frame in facts.values()))
        ranks[column] = {name: number for number, name in enumerate(known)} | {UNEDITED: len(known)}
    return ranks


def _columns(facts: pl.DataFrame, metric: str, ranks: _Ranks) -> tuple[list[Column], Numbers]:
    """Return the columns in order, and their values (facts, columns), NaN for a fact that one hasn't."""
    lists = {Column(*row[:3]): row[3:] for row in facts.group_by(Column._fields).agg("case_id", metric).iter_rows()}
    columns = sorted(
        (column for column, (_, values) in lists.items() if np.isfinite(values).all()),
        key=lambda column: [ranks[name][value] for name, value in column._asdict().items()],
    )
    cases = facts["case_id"].unique().sort().to_numpy()
    table = np.full((len(cases), len(columns)), np.nan)
    for number, column in enumerate(columns):
        ids, values = lists[column]
        table[np.searchsorted(cases, ids), number] = values
    return columns, table


def _pairs(columns: Sequence[Column]) -> dict[str, list[tuple[int, int]]]:
    """Return the pairs of each kind of comparison, by the places of the columns, which stand in order."""
    places = range(len(columns))
    langs, cell = (lambda place: columns[place][1:]), (lambda place: columns[place][:2])
    own = [place for place in places if columns[place].lang == columns[place].edit_lang]
    elsewhere = [place for place in places if columns[place].lang != columns[place].edit_lang]
    others = {place: list(rest) for place, rest in groupby(elsewhere, key=cell)}
    return {
        "editors": [
            pair for _, some in groupby(sorted(places, key=langs), key=langs) for pair in combinations(some, 2)
        ],
        "asked_in": [pair for place in own for pair in product([place], others.get(cell(place), ()))],
        "edited_in": [
            pair for _, some in groupby(own, key=lambda place: columns[place].editor) for pair in combinations(some, 2)
        ],
    }


def _family(columns: Sequence[Column], values: Numbers, pairs: Sequence[tuple[int, int]], seed: int) -> pl.DataFrame:
    """Return what is known of the pairs that have facts in common, corrected for how many they are."""
    left, right = np.array(pairs).T
    found = paired(values, left, right, seed)
    shared = found.n > 0
    names = pl.DataFrame(columns, schema=Column._fields, orient="row")
    sides = [
        names[side[shared]].rename(lambda name, number=number: f"{name}_{number}")
        for number, side in ((1, left), (2, right))
    ]
    known = {name: numbers[shared] for name, numbers in found._asdict().items()}
    told = pl.DataFrame(
        {
            "mean_1": known["first"],
            "mean_2": known["second"],
            "difference": known["first"] - known["second"],
            **{name: known[name] for name in ("low", "high", "effect", "p", "n")},
            "p_adjusted": holm(known["p"]),
        }
    )
    family = pl.lit(len(told), pl.Int64).alias("family")
    return pl.concat([*sides, told], how="horizontal").with_columns(pl.col("effect").fill_nan(None), family)
