"""The schemas of the tables that stages hand to each other."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import polars as pl


@dataclass(frozen=True)
class Table:
    """A kind of table: its columns in order, the columns that may hold nulls, and the key."""

    name: str
    columns: dict[str, pl.DataType | type[pl.DataType]]
    key: tuple[str, ...]
    nullable: tuple[str, ...] = ()

    def only(self, columns: Iterable[str]) -> "Table":
        """Return the table with its key and some of its columns."""
        kept = {*self.key, *columns}
        return replace(self, columns={name: dtype for name, dtype in self.columns.items() if name in kept})


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
        "low": pl.Float64,  # 95 % interval over facts; NaN where there is none
        "high": pl.Float64,
        "n": pl.Int64,
    },
    key=("facts", "backbone", "editor", "edit_lang", "aspect", "kind", "lang", "protocol", "metric"),
)

# What a fact's answers are worth, one by one: what SCORES are means of.
VALUES = Table(
    name="values",
    columns={
        "facts": pl.String,
        "backbone": pl.String,
        "editor": pl.String,
        "edit_lang": pl.String,
        "case_id": pl.Int64,
        "aspect": pl.String,
        "kind": pl.String,
        "lang": pl.String,
        "protocol": pl.String,
        "em": pl.Float64,  # each metric 0 to 1
        "em_normalised": pl.Float64,
        "f1": pl.Float64,
        "f1_product": pl.Float64,
        "outcome": pl.String,  # right, or what is wrong: edits/outcomes.py
    },
    key=("facts", "backbone", "editor", "edit_lang", "case_id", "aspect", "kind", "lang", "protocol"),
)

OUTCOMES = Table(
    name="outcomes",
    columns={
        "facts": pl.String,
        "backbone": pl.String,
        "editor": pl.String,
        "edit_lang": pl.String,
        "aspect": pl.String,
        "lang": pl.String,
        "protocol": pl.String,
        "outcome": pl.String,
        "answers": pl.Int64,  # with this outcome
    },
    key=("facts", "backbone", "editor", "edit_lang", "aspect", "lang", "protocol", "outcome"),
)

# Paired comparisons of two cells, or of two columns of one, over the facts that both have.
COMPARISONS = Table(
    name="comparisons",
    columns={
        "facts": pl.String,
        "backbone": pl.String,
        "between": pl.String,  # editors, asked_in (evaluation languages) or edited_in (editing languages)
        "aspect": pl.String,
        "protocol": pl.String,
        "metric": pl.String,
        "editor_1": pl.String,
        "edit_lang_1": pl.String,
        "lang_1": pl.String,
        "editor_2": pl.String,
        "edit_lang_2": pl.String,
        "lang_2": pl.String,
        "mean_1": pl.Float64,  # 0 to 1, over the facts that both have
        "mean_2": pl.Float64,
        "difference": pl.Float64,  # mean_1 - mean_2
        "low": pl.Float64,  # 95 % bootstrap interval of the difference, facts resampled
        "high": pl.Float64,
        "effect": pl.Float64,  # difference over the standard deviation of the facts' differences; null where that is 0
        "p": pl.Float64,  # of a paired permutation test, two-sided
        "p_adjusted": pl.Float64,  # after Holm's correction for the comparisons of the family
        "family": pl.Int64,  # how many comparisons were corrected together
        "n": pl.Int64,  # facts
    },
    key=(
        *("facts", "backbone", "between", "aspect", "protocol", "metric"),
        *("editor_1", "edit_lang_1", "lang_1", "editor_2", "edit_lang_2", "lang_2"),
    ),
    nullable=("effect",),
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
        "low": pl.Float64,  # 95 % interval over items; null where there is none
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
