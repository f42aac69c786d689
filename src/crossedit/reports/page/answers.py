"""All answers of cells as one table, and as the compact JSON value that the page's browser of facts reads.

answers = Answers.of(predictions, grid, limit=100_000)
answers.frame        a row per answer, with what came of it
answers.data()       the same as columns of numbers, which stand for texts and names in lists beside them
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from crossedit import tables
from crossedit.edits.outcomes import CHANGED, ERRORS, RIGHT, UNCHANGED, outcome
from crossedit.reports.grid import Grid
from crossedit.reports.naming import ASPECTS, KINDS, language, union
from crossedit.reports.owners import cell_of

LIMIT = 100_000  # answers that a page holds where the configuration says nothing
OUTCOMES = (RIGHT, *ERRORS, UNCHANGED, CHANGED)
_TEXTS = {"prompt": "prompt", "target": "target_text", "before": "before_text", "after": "after_text"}
_GROUP = ("facts", "backbone", "edit_lang")
# By which names they are sorted, so that the answers to one fact stand together.
_ORDER = ("backbone", "edit_lang", "facts", "case_id", "aspect", "kind", "lang", "editor")
_QUESTION = ("facts", "case_id", "aspect", "kind", "lang", "prompt", "target")
_CELL = ("backbone", "edit_lang", "editor")


@dataclass(frozen=True)
class Answers:
    """Answers of cells under the grid's protocol: all there are, or those to the first facts.

    frame: names are of Enum type, in the grid's order; texts are without spaces around them. cases: to how many facts
    of each set, backbone and editing language; None where all answers are there.
    """

    frame: pl.DataFrame
    there_are: int  # answers in the files
    cases: int | None

    @classmethod
    def of(cls, paths: Sequence[Path], grid: Grid, limit: int = LIMIT) -> "Answers":
        """Return the answers in predictions files: at most `limit`, to as many facts of each group as that lets in."""
        none = pl.DataFrame(schema=dict.fromkeys((*_ORDER, *_TEXTS), pl.String) | {"case_id": pl.Int64})
        frame = pl.concat([none, *(_rows(path, grid.protocol) for path in paths)], how="diagonal")
        shown, cases = _first(frame, limit)
        return cls(_named(_judged(shown), grid).sort(_ORDER), len(frame), cases)

    def data(self) -> dict[str, Any]:
        """Return the value for the page's script; see templates/answers.js for how it is read."""
        texts = pl.concat([self.frame[name] for name in _TEXTS]).unique(maintain_order=True)
        numbered = self.frame.with_columns(pl.col(*_TEXTS).cast(pl.Enum(texts)))
        slots = numbered.select("aspect", "kind").unique().sort("aspect", "kind").with_row_index("slot")
        questions = numbered.select(_QUESTION).unique(maintain_order=True).with_row_index("question")
        cases = questions.select("facts", "case_id").unique(maintain_order=True).with_row_index("case")
        cells = numbered.select(_CELL).unique(maintain_order=True).with_row_index("cell")
        answers = numbered.join(questions, on=_QUESTION, maintain_order="left")
        answers = answers.join(cells, on=_CELL, maintain_order="left")
        questions = questions.join(cases, on=("facts", "case_id"), maintain_order="left")
        questions = questions.join(slots, on=("aspect", "kind"), maintain_order="left")
        named = ("facts", "backbone", "edit_lang", "editor", "lang", "outcome")
        names = {name: _categories(numbered, name) for name in named}
        return {
            "names": names | {"slot": [slot_key(*row[1:]) for row in slots.rows()]},
            "words": {
                "languages": {code: language(code) for code in union(names["edit_lang"], names["lang"])},
                "slots": [slot_name(*row[1:]) for row in slots.rows()],
            },
            "texts": texts.to_list(),
            "cases": _columns(cases, "facts", "case_id"),
            "questions": _columns(questions, "case", "slot", "lang", "prompt", "target"),
            "cells": _columns(cells, *_CELL),
            "answers": _columns(answers, "cell", "question", "before", "after", "outcome"),
        }


def slot_key(aspect: str, kind: str) -> str:
    """Return how the page's addresses call an aspect, or one kind of its questions."""
    return f"{aspect}.{kind}" if kind else aspect


def slot_name(aspect: str, kind: str) -> str:
    """Return an aspect, or one kind of its questions, in words."""
    return f"{aspect.capitalize()}, {KINDS.get(kind, kind).lower()}" if kind else aspect.capitalize()


def _rows(path: Path, protocol: str) -> pl.DataFrame:
    names = {name: pl.lit(value) for name, value in cell_of(path)._asdict().items()}
    texts = {name: pl.col(column).str.strip_chars() for name, column in _TEXTS.items()}
    frame = tables.read(path, tables.PREDICTIONS, only=_TEXTS.values(), where=pl.col("protocol") == protocol)
    return frame.select("case_id", "aspect", "kind", "lang", **names, **texts)


def _first(frame: pl.DataFrame, limit: int) -> tuple[pl.DataFrame, int | None]:
    """Return the answers to so many first facts of each group that they are at most `limit`, and how many facts."""
    if len(frame) <= limit:
        return frame, None
    sizes = frame.group_by(*_GROUP, "case_id").len().sort(*_GROUP, "case_id")
    sizes = sizes.with_columns(place=pl.int_range(pl.len()).over(_GROUP))
    totals = sizes.group_by("place").agg(pl.col("len").sum()).sort("place")["len"].cum_sum()
    cases = int((totals <= limit).sum())
    kept = sizes.filter(pl.col("place") < cases)
    return frame.join(kept, on=(*_GROUP, "case_id"), how="semi"), cases


def _judged(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the answers with what came of each, which is asked once of those that are alike."""
    told = ("aspect", "after", "target", "before", "lang")
    different = frame.select(told).unique(maintain_order=True)
    judged = different.with_columns(
        outcome=pl.Series([outcome(*row) for row in different.iter_rows()], dtype=pl.String)
    )
    return frame.join(judged, on=told, how="left")


def _named(frame: pl.DataFrame, grid: Grid) -> pl.DataFrame:
    """Return the answers with names as numbers in the grid's order, those that it hasn't behind."""
    known = {
        "facts": grid.facts,
        "backbone": grid.backbones,
        "edit_lang": grid.edit_langs,
        "editor": grid.editors,
        "lang": grid.langs,
        "aspect": ASPECTS,
        "kind": ("", *KINDS),
        "outcome": OUTCOMES,
    }
    there = {name: set(frame[name]) for name in known}
    ordered = {
        name: [each for each in union(names, sorted(there[name])) if each in there[name]]
        for name, names in known.items()
    }
    return frame.with_columns(pl.col(name).cast(pl.Enum(names)) for name, names in ordered.items())


def _categories(frame: pl.DataFrame, name: str) -> list[str]:
    kind = frame.schema[name]
    assert isinstance(kind, pl.Enum)
    return kind.categories.to_list()


def _columns(frame: pl.DataFrame, *names: str) -> dict[str, list[int]]:
    """Return columns of whole numbers; those of names become the names' places."""
    return {name: frame[name].to_physical().to_list() for name in names}
