"""Which columns of facts are compared with each other, and how many comparisons that makes.

    shown_protocol(entry, protocols)      -> the one whose columns are compared
    compare(cells.facts, entry, seed)     -> COMPARISONS

editors      two editors (the unedited backbone is one), of the same editing and evaluation language
asked_in     the editing language and another evaluation language, of one cell
edited_in    two editing languages of one editor, each asked in itself

A family, whose p are corrected together, is all of one kind on the same facts, backbone, aspect, protocol and metric;
editors asked in the language of the edit are another family than those asked in another one. What the unedited backbone
answers doesn't hang on the editing language: each two languages of it are compared once, as asked_in. With its
locality, which is 1 by definition, nothing is compared.
Where a cell was asked in more than FEW other languages, each fact's mean over them stands for these; where they are
several but no more than that, their mean is compared too, in families of its own.
A column in which any value is no number is compared with nothing, as its score is shown as a dash.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations, groupby
from typing import Any

import numpy as np
import polars as pl

from crossedit import UNEDITED
from crossedit.reports.naming import MEANS, f1_metric, protocols_of, union
from crossedit.reports.statistics.paired import Numbers, holm, paired
from crossedit.reports.statistics.values import Column, Part
from crossedit.tables import COMPARISONS

_METRICS = ("em", "f1")
Pair = tuple[int, int]  # places of columns
_Ranks = Mapping[str, Mapping[str, int]]  # the places of names, by the field of a column


def compare(facts: Mapping[Part, pl.DataFrame], entry: Mapping[str, Any], seed: int) -> pl.DataFrame:
    """Return the COMPARISONS of `Cells.facts`; which of two is the first follows from the configuration's order.

    The unedited backbone is always the second. Other protocols than the one that is shown are left out.
    """
    shown_in = shown_protocol(entry, [part.protocol for part in facts])
    facts = {part: frame for part, frame in facts.items() if part.protocol == shown_in}
    ranks = _ranks(facts, entry)
    found = [pl.DataFrame(schema=COMPARISONS.columns)]
    for part, frame in facts.items():
        if part.aspect == "locality":
            frame = frame.filter(pl.col("editor") != UNEDITED)
        for metric in _METRICS:
            columns, values = _columns(frame, metric, ranks)
            shown = f1_metric(part.protocol) if metric == "f1" else metric
            for between, pairs in _families(columns):
                if pairs:
                    named = {**part._asdict(), "between": between, "metric": shown}
                    found.append(_family(columns, values, pairs, seed).with_columns(_constants(named)))
    return pl.concat(frame.select(*COMPARISONS.columns) for frame in found)


def shown_protocol(entry: Mapping[str, Any], protocols: Iterable[str] = ()) -> str:
    """Return the protocol that the entry shows first, else the first of those given; empty where there is none."""
    named = (entry.get("reports") or {}).get("protocol")
    return named or next(iter(protocols_of(entry, protocols)), "")


def order(entry: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the entry's names, by whose order one of two is the first, by the field of a column."""
    languages = entry.get("languages", ())
    named = {
        "editor": entry.get("editors", ()),
        "edit_lang": languages,
        "lang": entry.get("evaluation_languages", languages),
    }
    return {column: list(names) for column, names in named.items()}


def _constants(named: Mapping[str, str]) -> list[pl.Expr]:
    return [pl.lit(value, pl.String).alias(name) for name, value in named.items()]


def _ranks(facts: Mapping[Part, pl.DataFrame], entry: Mapping[str, Any]) -> _Ranks:
    ranks = {}
    for column, names in order(entry).items():
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


def _families(columns: Sequence[Column]) -> Iterator[tuple[str, list[Pair]]]:
    """Yield kinds of comparisons with the pairs of a family, by the places of the columns, which stand in order."""
    places = range(len(columns))
    own = [place for place in places if columns[place].lang == columns[place].edit_lang]
    away = [place for place in places if columns[place].lang != columns[place].edit_lang]
    elsewhere = [place for place in away if columns[place].lang not in MEANS]
    averaged = [place for place in away if columns[place].lang in MEANS]
    edited = [place for place in own if columns[place].editor != UNEDITED]
    for some in (own, elsewhere, averaged):
        yield "editors", list(_within(some, lambda place: columns[place][1:]))
    yield "asked_in", list(_asked_in(columns, own, elsewhere))
    if averaged:
        yield "asked_in", list(_asked_in(columns, own, averaged))
    yield "edited_in", list(_within(edited, lambda place: columns[place].editor))


def _within(places: Iterable[int], group: Callable[[int], Any]) -> Iterator[Pair]:
    """Yield all pairs of the same group."""
    for _, some in groupby(sorted(places, key=group), key=group):
        yield from combinations(some, 2)


def _asked_in(columns: Sequence[Column], own: Sequence[int], elsewhere: Sequence[int]) -> Iterator[Pair]:
    """Yield each cell's own language with its others, but of the unedited backbone no two languages again."""
    others = {cell: list(some) for cell, some in groupby(elsewhere, key=lambda place: columns[place][:2])}
    bare = {columns[place].lang: place for place in own if columns[place].editor == UNEDITED}
    if not elsewhere:  # Reliability is asked in the editing language alone, and so the unedited backbone in each.
        yield from combinations(bare.values(), 2)
    for place in own:
        for other in others.get(columns[place][:2], ()):
            again = bare.get(columns[other].lang, place) < place
            if columns[place].editor != UNEDITED or not again:
                yield place, other


def _family(columns: Sequence[Column], values: Numbers, pairs: Sequence[Pair], seed: int) -> pl.DataFrame:
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
