"""The tables that stages hand to each other: their schemas, and how they are read and written.

    write(frame, FACTS, path, provenance={"seed": 0})     whole or not at all, checked first
    read(path, FACTS)                                     checked again
    provenance(path)                                      what the file says of its making

Each table is a parquet file with a declared schema. A required column has no nulls, and the key columns tell the rows
apart.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl

from crossedit.errors import UserError
from crossedit.files import whole


@dataclass(frozen=True)
class Table:
    """A kind of table: its columns in order, the columns that may hold nulls, and the key."""

    name: str
    columns: dict[str, pl.DataType | type[pl.DataType]]
    key: tuple[str, ...]
    nullable: tuple[str, ...] = ()


_IDS = pl.List(pl.Int32)

FACTS = Table(
    name="facts",
    columns={
        "split": pl.String,  # train, validation or test
        "case_id": pl.Int64,  # the same in every language
        "lang": pl.String,  # ISO 639-1 code
        "relation": pl.String,  # where the source names one
        "subject": pl.String,
        "prompt": pl.String,  # the question that is edited
        "target": pl.String,  # the new answer
        "original": pl.String,  # the answer before the edit
        "rephrase": pl.String,
        "locality_prompt": pl.String,  # about another subject
        "locality_answer": pl.String,
        "same_subject_prompt": pl.String,  # another relation of the edited subject (KnowEdit: relation specificity)
        "same_subject_answer": pl.String,
        "portability_prompt": pl.String,
        "portability_answer": pl.String,
        "origin": pl.String,  # source, translated, corrected, or untranslated: the source language's texts
        # The lineage of a translation.
        "translated_by": pl.String,  # the model, as its server names it
        "corrected_by": pl.List(pl.String),  # the people whose words stand in the row
        "checked_by": pl.List(pl.String),  # all who have judged it
    },
    key=("split", "case_id", "lang"),
    nullable=(
        "relation",
        "original",
        "rephrase",
        "locality_prompt",
        "locality_answer",
        "same_subject_prompt",
        "same_subject_answer",
        "portability_prompt",
        "portability_answer",
        "translated_by",
        "corrected_by",
        "checked_by",
    ),
)

# What people said of translated texts, and which word stands: a row for each judgement of a text that somebody changed.
CORRECTIONS = Table(
    name="corrections",
    columns={
        "split": pl.String,
        "case_id": pl.Int64,
        "lang": pl.String,
        "field": pl.String,
        "by": pl.String,
        "role": pl.String,  # annotator or expert
        "source": pl.String,  # the text in the source language
        "machine": pl.String,  # the text that was judged
        "corrected": pl.String,  # how the person would have it; the machine's where it was found right
        "note": pl.String,  # why
        "outcome": pl.String,  # agreed, expert, or conflict: nobody's word stands, the machine's text is kept
        "stands": pl.Boolean,  # whether the facts table has this person's text
    },
    key=("split", "case_id", "lang", "field", "by", "role"),
    nullable=("note",),
)

ODDITIES = Table(
    name="oddities",
    columns={
        "file": pl.String,
        "kind": pl.String,
        "split": pl.String,
        "case_id": pl.Int64,
        "lang": pl.String,
        "field": pl.String,
        "value": pl.String,  # what stands there
        "left_out": pl.Boolean,  # whether the row (or its whole case) is missing from the facts table because of it
    },
    key=("kind", "split", "case_id", "lang", "field"),
    nullable=("value",),
)

# Table 1 of Bi-ZsRE: mean lengths in tokens.
TABLE_1 = Table(
    name="table_1",
    columns={
        "split": pl.String,
        "lang": pl.String,
        "tokenizer": pl.String,  # what counted the tokens
        "records": pl.Int64,
        "question": pl.Float64,
        "rephrase": pl.Float64,
        "answer": pl.Float64,  # the new one
        "locality_question": pl.Float64,
        "locality_answer": pl.Float64,
        "portability_question": pl.Float64,
        "portability_answer": pl.Float64,
    },
    key=("split", "lang", "tokenizer"),
    nullable=(
        "rephrase",
        "locality_question",
        "locality_answer",
        "portability_question",
        "portability_answer",
    ),
)

# A probe is one question put to a model with its expected answer. It has no editing language: the reliability probe
# of a language is the one asked when that language is edited.
PROBES = Table(
    name="probes",
    columns={
        "case_id": pl.Int64,
        "aspect": pl.String,  # reliability, generality, locality or portability
        "kind": pl.String,  # locality: other_subject or same_subject; else empty
        "lang": pl.String,
        "prompt": pl.String,
        "target": pl.String,
        "prompt_ids": _IDS,
        "target_ids": _IDS,
    },
    key=("case_id", "aspect", "kind", "lang"),
)

ANSWERS = Table(
    name="answers",
    columns={
        "case_id": pl.Int64,
        "aspect": pl.String,
        "kind": pl.String,
        "lang": pl.String,
        "protocol": pl.String,  # teacher_forced, generated or upstream
        "target_ids": _IDS,  # as this protocol sees the target
        "target_text": pl.String,
        "answer_ids": _IDS,
        "answer_text": pl.String,
    },
    key=("case_id", "aspect", "kind", "lang", "protocol"),
)

PREDICTIONS = Table(
    name="predictions",
    columns={
        "case_id": pl.Int64,
        "aspect": pl.String,
        "kind": pl.String,
        "lang": pl.String,
        "protocol": pl.String,
        "prompt": pl.String,
        "target": pl.String,
        "target_ids": _IDS,
        "target_text": pl.String,
        "before_ids": _IDS,
        "before_text": pl.String,
        "after_ids": _IDS,
        "after_text": pl.String,
    },
    key=("case_id", "aspect", "kind", "lang", "protocol"),
)


SCORES = Table(
    name="scores",
    columns={
        "facts": pl.String,
        "backbone": pl.String,
        "editor": pl.String,  # "unedited" for the backbone as it is
        "edit_lang": pl.String,
        "aspect": pl.String,
        "kind": pl.String,  # "all" for every kind together
        "lang": pl.String,  # evaluation language
        "protocol": pl.String,
        "metric": pl.String,  # em, em_normalised, f1, f1_product
        "mean": pl.Float64,  # 0 to 1
        "low": pl.Float64,  # 95 % bootstrap interval over facts
        "high": pl.Float64,
        "n": pl.Int64,
    },
    key=("facts", "backbone", "editor", "edit_lang", "aspect", "kind", "lang", "protocol", "metric"),
)


# An item of a general-ability task: a record of its file, before any prompt is made of it.
ITEMS = Table(
    name="items",
    columns={
        "task": pl.String,  # a file of resources/tasks
        "item": pl.Int64,  # its place among the items of its files, from 0
        "origin": pl.String,  # file and line
        "fields": pl.List(pl.Struct({"name": pl.String, "value": pl.String})),  # what prompts are filled with
        "answers": pl.List(pl.String),  # what is right, any of them; for named entities one tag per token
    },
    key=("task", "item"),
)

VERDICTS = Table(
    name="verdicts",
    columns={
        "task": pl.String,
        "protocol": pl.String,  # corrected or upstream
        "item": pl.Int64,
        "part": pl.String,  # where an item is asked several times, what for; else empty
        "prompt": pl.String,  # as it was asked
        "prompt_tokens": pl.Int32,
        "cut_tokens": pl.Int32,  # by how much the prompt was shortened to fit the model's positions
        "asked": pl.Boolean,  # whether it fits at all
        "generation": pl.String,
        "generation_ids": _IDS,  # an end token included
        "answered": pl.Boolean,  # whether the parser found an answer
        "answer": pl.List(pl.String),  # as parsed; empty where there is none
        "wanted": pl.List(pl.String),
        "metric": pl.String,
        "gained": pl.Float64,  # the score of any items is the sum of `gained` over the sum of `possible`
        "possible": pl.Float64,
    },
    key=("task", "protocol", "item", "part"),
)

# What the tables of a sweep begin with: which edited model a row is about. A sweep edits a backbone more and more; its
# stops are where it is looked at.
_CHECKPOINT: dict[str, pl.DataType | type[pl.DataType]] = {
    "sweep": pl.String,
    "backbone": pl.String,
    "editor": pl.String,
    "setting": pl.String,  # instance-sequential, batch-single or batch-sequential
    "batch_size": pl.Int64,  # facts per edit; of batch-single, where it is what is swept, null
    "stop": pl.Int64,  # number of edits; of batch-single, of facts in the one edit; 0 is the unedited model
    "edited_facts": pl.Int64,
}

TASK_SCORES = Table(
    name="task_scores",
    columns={
        **_CHECKPOINT,
        "task": pl.String,
        "protocol": pl.String,  # corrected or upstream
        "metric": pl.String,
        "part": pl.String,  # all, or one of the parts that items are asked for
        "over": pl.String,  # all items (unanswered ones count as wrong), or those answered
        "score": pl.Float64,  # 0 to 1; null where there is nothing to score
        "low": pl.Float64,  # 95 % bootstrap interval over items
        "high": pl.Float64,
        "constant": pl.Float64,  # the score of always giving the most frequent right answer; null where there is none
        "change": pl.Float64,  # score less that of the unedited model on the same items
        "change_low": pl.Float64,  # 95 % interval, both models resampled together
        "change_high": pl.Float64,
        "change_p": pl.Float64,  # of a paired permutation test, two-sided
        "items": pl.Int64,
        "asked": pl.Int64,  # numbers of prompts
        "answered": pl.Int64,
    },
    key=("sweep", "backbone", "stop", "task", "protocol", "part", "over"),
    nullable=("batch_size", "score", "low", "high", "constant", "change", "change_low", "change_high", "change_p"),
)

FACT_SCORES = Table(
    name="fact_scores",
    columns={
        **_CHECKPOINT,
        "facts": pl.String,
        "edit_lang": pl.String,
        "edited_by": pl.Int64,  # of the facts edited between the stop before and this one; 0: of all edited so far
        "aspect": pl.String,
        "kind": pl.String,
        "lang": pl.String,
        "protocol": pl.String,
        "metric": pl.String,
        "mean": pl.Float64,
        "low": pl.Float64,
        "high": pl.Float64,
        "n": pl.Int64,
    },
    key=("sweep", "backbone", "stop", "edited_by", "aspect", "kind", "lang", "protocol", "metric"),
    nullable=("batch_size",),
)

WEIGHT_CHANGES = Table(
    name="weight_changes",
    columns={
        **_CHECKPOINT,
        "module": pl.String,
        "layer": pl.Int64,
        "norm": pl.Float64,  # Frobenius norm of the change; null where it is no number any more
        "relative": pl.Float64,  # the same, divided by the norm of the unedited matrix
    },
    key=("sweep", "backbone", "stop", "module"),
    nullable=("batch_size", "norm", "relative"),
)


def check(frame: pl.DataFrame, table: Table, path: Path | str) -> pl.DataFrame:
    """Return `frame` with its columns in the order of `table`.

    Raises UserError, naming file, column and row, where a column is missing, unknown or of another type, where a
    required value is null, or where two rows have the same key.
    """
    where = f"{path}: {table.name} table"
    missing = [name for name in table.columns if name not in frame.columns]
    unknown = [name for name in frame.columns if name not in table.columns]
    if missing or unknown:
        raise UserError(f"{where}: columns missing: {missing or 'none'}; columns unknown: {unknown or 'none'}.")
    frame = frame.select(*table.columns)
    for name, dtype in table.columns.items():
        if frame.schema[name] != dtype:
            raise UserError(f"{where}: column '{name}' is {frame.schema[name]}, not {dtype}.")
        if name not in table.nullable and frame[name].null_count():
            row = frame[name].is_null().arg_max()
            raise UserError(f"{where}: column '{name}' is empty in row {row}; it must have a value.")
    twice = frame.select(table.key).is_duplicated()
    if twice.any():
        row = twice.arg_max()
        raise UserError(f"{where}: row {row} is there twice (key {frame.select(table.key).row(row)}).")
    return frame


def write(frame: pl.DataFrame, table: Table, path: Path | str, provenance: Mapping[str, Any]) -> None:
    """Check `frame` and write it as parquet with `provenance` (JSON values) in the file's metadata."""
    frame = check(frame, table, path)
    packages = {name: version(name) for name in ("crossedit", "polars")}
    note = json.dumps({"table": table.name, "packages": packages, **provenance}, ensure_ascii=False)
    with whole(path) as temporary:
        frame.write_parquet(temporary, metadata={"crossedit": note})


def read(path: Path | str, table: Table) -> pl.DataFrame:
    """Return the checked table in the file. Raises UserError where there is no such file or it isn't this table."""
    try:
        frame = pl.read_parquet(path)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; it should hold a {table.name} table.") from None
    except pl.exceptions.ComputeError as error:
        raise UserError(f"{path}: not a parquet file ({str(error).splitlines()[0]}).") from None
    return check(frame, table, path)


def provenance(path: Path | str) -> dict[str, Any]:
    """Return what the table's file says of its making, as given to `write`."""
    note: dict[str, Any] = json.loads(pl.read_parquet_metadata(path).get("crossedit", "{}"))
    return note
