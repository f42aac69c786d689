"""Tables of sweeps: items of tasks, verdicts, and what is told of each stop."""

import polars as pl

from crossedit.tables.table import Columns, Table

_IDS = pl.List(pl.Int32)

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
_CHECKPOINT: Columns = {
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
        "change_low": pl.Float64,  # 95 % interval, both models resampled together; null where there is none
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
