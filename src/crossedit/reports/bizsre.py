"""The tables of Bi-ZsRE (Wang et al., Cross-Lingual Knowledge Editing in Large Language Models) in its layout."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import polars as pl

from crossedit.reports import published
from crossedit.reports.grid import Grid
from crossedit.reports.naming import ASPECTS, KINDS, PROTOCOLS, asked, f1_metric, language, method
from crossedit.reports.scores import DASH, Scores
from crossedit.reports.sheets import Cell, Column, Measured, Number, Sheet
from crossedit.reports.training_scale import Sizes

SPLITS = {"train": "training"}
_UNNAMED = "Published are the numbers of Bi-ZsRE, Table 1, which doesn't name its tokenizer."
LABELS = (Column("Backbone"), Column("Edited in"), Column("Method"))
_OWN = "In the editing language"
MEASURES = ("F1", "EM")
LENGTHS = {
    "question": Column("Question"),
    "rephrase": Column("Rephrase"),
    "answer": Column("Answer"),
    "locality_question": Column("Question", "Locality"),
    "locality_answer": Column("Answer", "Locality"),
    "portability_question": Column("Question", "Portability"),
    "portability_answer": Column("Answer", "Portability"),
}
_WORDS = (
    "Lengths in words and marks of punctuation; in scripts without spaces, as the Chinese one, each letter is a word."
)


def table_1(statistics: pl.DataFrame, facts: str, compared: bool = False) -> Sheet:
    """Return Table 1 of a TABLE_1 table: the number of records and the mean lengths of their parts in tokens.

    compared: below each line of ours stands the published one.
    """
    rows: list[tuple[Cell, ...]] = []
    for row in statistics.iter_rows(named=True):
        label = (SPLITS.get(row["split"], row["split"]).capitalize(), language(row["lang"]))
        lengths = [_length(row[name]) for name in LENGTHS]
        rows.append((*label, *(["ours"] if compared else []), Number.of(row["records"]), *lengths))
        printed = published.lengths(SPLITS.get(row["split"], row["split"]), row["lang"]) if compared else None
        if printed:
            lengths = [_length(float(printed[name]) if printed[name] else None) for name in LENGTHS]
            rows.append((*label, "published", Number.of(int(printed["examples"])), *lengths))
    tokenizers = ", ".join(statistics["tokenizer"].unique(maintain_order=True))
    numbers = [Column("Numbers")] if compared else []
    note = _WORDS if tokenizers == "words" else "Lengths in tokens."
    return Sheet(
        name=f"table_1_{facts}",
        title=f"Facts of {facts}: records and mean lengths (tokenizer: {tokenizers})",
        columns=(Column("Split"), Column("Language"), *numbers, Column("Records"), *LENGTHS.values()),
        rows=tuple(rows),
        labels=2 + len(numbers),
        note=f"{note} {_UNNAMED}" if compared else note,
    )


def _length(mean: float | None) -> Cell:
    return DASH if mean is None else Number(f"{mean:.2f}", mean)


def table_2(scores: Scores, grid: Grid, facts: str, protocol: str) -> Sheet:
    """Return Table 2: each backbone's editing languages and methods, F1 / EM of each aspect and evaluation language."""
    title = f"Edits of {facts}, {asked(protocol)}: F1 / EM"
    return _sheet(f"table_2_{facts}_{protocol}", title, scores, grid, facts, protocol, places(grid.langs))


def means(scores: Scores, grid: Grid, facts: str, protocol: str) -> Sheet:
    """Return Table 2 in short: each aspect in the editing language, and its mean over the others, as Scores.across."""
    own = [Place(Column("Reliability", _OWN), "reliability", "")]
    own += [Place(Column(aspect.capitalize(), _OWN), aspect, "") for aspect in ASPECTS[1:]]
    shared = [Column(aspect.capitalize(), "Mean of other languages") for aspect in ASPECTS[1:]]
    rows: list[tuple[Cell, ...]] = []
    for backbone, edit_lang, editor in grid.rows(facts):
        cell = (scores, facts, backbone, editor, edit_lang, protocol)
        others = [lang for lang in grid.langs if lang != edit_lang]
        elsewhere = [Place(column, column.name.lower(), "", others=others) for column in shared]
        rows.append(
            (
                backbone,
                language(edit_lang),
                method(editor),
                *cells(*cell, own),
                *cells(*cell, elsewhere),
            )
        )
    return Sheet(
        name="",  # it lies in no file
        title=f"Edits of {facts}, {asked(protocol)}, in the editing language and on average in the others: F1 / EM",
        columns=(*LABELS, *(place.column for place in own), *shared),
        rows=tuple(rows),
        labels=len(LABELS),
        note=f"{PROTOCOLS.get(protocol, '')} {counted(rows)}".strip(),
    )


def locality(scores: Scores, grid: Grid, facts: str, protocol: str) -> Sheet:
    """Return Table 2's locality by kind of question: of another subject, or another relation of the edited one."""
    kinds = [
        Place(Column(name, language(lang)), "locality", lang, kind)
        for lang in grid.langs
        for kind, name in KINDS.items()
    ]
    title = f"Locality of edits of {facts} by kind, {asked(protocol)}: F1 / EM"
    return _sheet(f"locality_{facts}_{protocol}", title, scores, grid, facts, protocol, kinds)


def training_scale(scores: Scores, grid: Grid, facts: str, protocol: str, sizes: Sizes) -> Sheet:
    """Return Table 2 of the editors of `training_scale.sizes` alone, by how many training facts they may use."""
    shown = places(grid.langs)
    edited = list(grid.rows(facts))
    rows: list[tuple[Cell, ...]] = [
        (
            backbone,
            language(edit_lang),
            group,
            "all" if size is None else f"{size:,}",
            *cells(scores, facts, backbone, editor, edit_lang, protocol, shown),
        )
        for backbone, edit_lang in dict.fromkeys((backbone, edit_lang) for backbone, edit_lang, _ in edited)
        for group, editors in sizes.items()
        for editor, size in editors
        if (backbone, edit_lang, editor) in edited
    ]
    return Sheet(
        name=f"training_scale_{facts}_{protocol}",
        title=f"Edits of {facts} by the number of training facts, {asked(protocol)}: F1 / EM",
        columns=(*LABELS, Column("Training facts"), *(place.column for place in shown)),
        rows=tuple(rows),
        labels=len(LABELS) + 1,
        note=f"{PROTOCOLS.get(protocol, '')} {counted(rows)}".strip(),
    )


class Place(NamedTuple):
    """What a column of scores is of."""

    column: Column
    aspect: str
    lang: str  # the evaluation language; empty for the row's editing language
    kind: str = "all"
    others: Sequence[str] | None = None  # evaluation languages of which the mean is shown instead


def places(langs: Iterable[str]) -> list[Place]:
    """Return the columns of Table 2: reliability, then the other aspects in each evaluation language."""
    others = [
        Place(Column(aspect.capitalize(), language(lang)), aspect, lang) for lang in langs for aspect in ASPECTS[1:]
    ]
    return [Place(Column("Reliability"), "reliability", ""), *others]


def cells(
    scores: Scores, facts: str, backbone: str, editor: str, edit_lang: str, protocol: str, places: Iterable[Place]
) -> Iterator[Measured]:
    """Yield F1 and EM of each column, where the cell has them."""
    for place in places:
        parts = [
            scores.across(
                [place.lang or edit_lang] if place.others is None else place.others,
                facts=facts,
                backbone=backbone,
                editor=editor,
                edit_lang=edit_lang,
                aspect=place.aspect,
                kind=place.kind,
                protocol=protocol,
                metric=metric,
            )
            for metric in (f1_metric(protocol), "em")
        ]
        yield Measured(MEASURES, tuple(parts))


def counted(rows: Iterable[tuple[Cell, ...]]) -> str:
    """Return a sentence that says of how many facts the numbers are."""
    counts = {part.n for row in rows for cell in row if isinstance(cell, Measured) for part in cell.parts if part}
    if not counts:
        return "There is no score yet."
    few, many = min(counts), max(counts)
    return f"Each number is of {many} facts." if few == many else f"Each number is of {few} to {many} facts."


def _sheet(
    name: str, title: str, scores: Scores, grid: Grid, facts: str, protocol: str, shown: Sequence[Place]
) -> Sheet:
    """Return a sheet with a row per row of the grid."""
    rows: list[tuple[Cell, ...]] = [
        (
            backbone,
            language(edit_lang),
            method(editor),
            *cells(scores, facts, backbone, editor, edit_lang, protocol, shown),
        )
        for backbone, edit_lang, editor in grid.rows(facts)
    ]
    return Sheet(
        name=name,
        title=title,
        columns=(*LABELS, *(place.column for place in shown)),
        rows=tuple(rows),
        labels=len(LABELS),
        note=f"{PROTOCOLS.get(protocol, '')} {counted(rows)}".strip(),
    )
