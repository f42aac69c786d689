"""The tables of Bi-ZsRE (Wang et al., Cross-Lingual Knowledge Editing in Large Language Models) in its layout."""

from collections.abc import Iterator

import polars as pl

from crossedit.reports.grid import Grid
from crossedit.reports.naming import ASPECTS, KINDS, PROTOCOLS, f1_metric, language, method
from crossedit.reports.scores import DASH, Scores
from crossedit.reports.sheets import Cell, Column, Measured, Sheet

_LABELS = (Column("Backbone"), Column("Edited in"), Column("Method"))
_LENGTHS = {
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


def table_1(statistics: pl.DataFrame, facts: str) -> Sheet:
    """Return Table 1 of a TABLE_1 table: the number of records and the mean lengths of their parts in tokens."""
    rows = [
        (
            {"train": "training"}.get(row["split"], row["split"]).capitalize(),
            language(row["lang"]),
            f"{row['records']:,}",
            *(DASH if row[name] is None else f"{row[name]:.2f}" for name in _LENGTHS),
        )
        for row in statistics.iter_rows(named=True)
    ]
    counted = ", ".join(statistics["tokenizer"].unique(maintain_order=True))
    return Sheet(
        name=f"table_1_{facts}",
        title=f"Facts of {facts}: records and mean lengths (tokenizer: {counted})",
        columns=(Column("Split"), Column("Language"), Column("Records"), *_LENGTHS.values()),
        rows=tuple(rows),
        labels=2,
        note=_WORDS if counted == "words" else "Lengths in tokens.",
    )


def table_2(scores: Scores, grid: Grid, facts: str, protocol: str) -> Sheet:
    """Return Table 2: each backbone's editing languages and methods, F1 / EM of each aspect and evaluation language."""
    columns = [(Column("Reliability"), "reliability", "all", "")]
    for lang in grid.langs:
        columns += [(Column(aspect.capitalize(), language(lang)), aspect, "all", lang) for aspect in ASPECTS[1:]]
    title = f"Edits of {facts}, asked {protocol.replace('_', '-')}: F1 / EM"
    return _sheet(f"table_2_{facts}_{protocol}", title, scores, grid, facts, protocol, columns)


def locality(scores: Scores, grid: Grid, facts: str, protocol: str) -> Sheet:
    """Return Table 2's locality by kind of question: of another subject, or another relation of the edited one."""
    columns = [
        (Column(name, language(lang)), "locality", kind, lang) for lang in grid.langs for kind, name in KINDS.items()
    ]
    title = f"Locality of edits of {facts} by kind, asked {protocol.replace('_', '-')}: F1 / EM"
    return _sheet(f"locality_{facts}_{protocol}", title, scores, grid, facts, protocol, columns)


def _sheet(
    name: str,
    title: str,
    scores: Scores,
    grid: Grid,
    facts: str,
    protocol: str,
    columns: list[tuple[Column, str, str, str]],
) -> Sheet:
    """Return a sheet with a row per row of the grid; a column without language is of the row's editing language."""

    def cells(backbone: str, edit_lang: str, editor: str) -> Iterator[Measured]:
        for _, aspect, kind, lang in columns:
            parts = [
                scores.find(
                    facts=facts,
                    backbone=backbone,
                    editor=editor,
                    edit_lang=edit_lang,
                    aspect=aspect,
                    kind=kind,
                    lang=lang or edit_lang,
                    protocol=protocol,
                    metric=metric,
                )
                for metric in (f1_metric(protocol), "em")
            ]
            yield Measured(("F1", "EM"), tuple(parts))

    rows: list[tuple[Cell, ...]] = [
        (backbone, language(edit_lang), method(editor), *cells(backbone, edit_lang, editor))
        for backbone, edit_lang, editor in grid.rows(facts)
    ]
    return Sheet(
        name=name,
        title=title,
        columns=(*_LABELS, *(column for column, *_ in columns)),
        rows=tuple(rows),
        labels=len(_LABELS),
        note=f"{PROTOCOLS.get(protocol, '')} {_facts(rows)}".strip(),
    )


def _facts(rows: list[tuple[Cell, ...]]) -> str:
    """Return a sentence that says of how many facts the numbers are."""
    counts = {part.n for row in rows for cell in row if isinstance(cell, Measured) for part in cell.parts if part}
    if not counts:
        return "There is no score yet."
    few, many = min(counts), max(counts)
    return f"Each number is of {many} facts." if few == many else f"Each number is of {few} to {many} facts."
