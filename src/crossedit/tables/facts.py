"""Tables of facts and of their translation."""

import polars as pl

from crossedit.tables.table import Table

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
