"""Tables of what backbones and edits answer, of what that is worth, and of what is compared."""

import polars as pl

from crossedit.tables.table import Columns, Table

_IDS = pl.List(pl.Int32)

# What the tables of edits begin with: which cell a row is of.
_CELL: Columns = {
    "facts": pl.String,
    "backbone": pl.String,
    "editor": pl.String,  # "unedited" for the backbone as it is
    "edit_lang": pl.String,  # in VALUES empty for the backbone as it is, whose answers are the same before any edit
}

# Which question about a fact a row is of.
_QUESTION: Columns = {
    "case_id": pl.Int64,
    "aspect": pl.String,  # reliability, generality, locality or portability
    "kind": pl.String,  # locality: other_subject or same_subject; else empty
    "lang": pl.String,
}

# A probe is one question put to a model with its expected answer. It has no editing language: the reliability probe
# of a language is the one asked when that language is edited.
PROBES = Table(
    name="probes",
    columns={
        **_QUESTION,
        "prompt": pl.String,
        "target": pl.String,
        "prompt_ids": _IDS,
        "target_ids": _IDS,
    },
    key=tuple(_QUESTION),
)

ANSWERS = Table(
    name="answers",
    columns={
        **_QUESTION,
        "protocol": pl.String,  # teacher_forced, generated or upstream
        "target_ids": _IDS,  # as this protocol sees the target
        "target_text": pl.String,
        "answer_ids": _IDS,
        "answer_text": pl.String,
    },
    key=(*_QUESTION, "protocol"),
)

PREDICTIONS = Table(
    name="predictions",
    columns={
        **_QUESTION,
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
    key=(*_QUESTION, "protocol"),
)


SCORES = Table(
    name="scores",
    columns={
        **_CELL,
        "aspect": pl.String,
        "kind": pl.String,  # "all" for every kind together
        # The evaluation language; "3 others" for the mean over all besides that of the edit that the
        # aspect is asked in, of the facts that are asked in each of them.
        "lang": pl.String,
        "protocol": pl.String,
        "metric": pl.String,  # em, em_normalised, f1, f1_product
        "mean": pl.Float64,  # 0 to 1
        "low": pl.Float64,  # 95 % interval over facts; NaN where there is none
        "high": pl.Float64,
        "n": pl.Int64,
    },
    key=(*_CELL, "aspect", "kind", "lang", "protocol", "metric"),
)

# What a fact's answers are worth, one by one: what SCORES are means of.
VALUES = Table(
    name="values",
    columns={
        **_CELL,
        **_QUESTION,
        "protocol": pl.String,
        "em": pl.Float64,  # each metric 0 to 1
        "em_normalised": pl.Float64,
        "f1": pl.Float64,
        "f1_product": pl.Float64,
        "outcome": pl.String,  # right, or what is wrong: edits/outcomes.py
    },
    key=(*_CELL, *_QUESTION, "protocol"),
)

OUTCOMES = Table(
    name="outcomes",
    columns={
        **_CELL,
        "aspect": pl.String,
        "lang": pl.String,
        "protocol": pl.String,
        "outcome": pl.String,
        "answers": pl.Int64,  # with this outcome
    },
    key=(*_CELL, "aspect", "lang", "protocol", "outcome"),
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
        "lang_1": pl.String,  # or "3 others", as in SCORES
        "editor_2": pl.String,
        "edit_lang_2": pl.String,
        "lang_2": pl.String,
        "mean_1": pl.Float64,  # 0 to 1, over the facts that both have
        "mean_2": pl.Float64,
        "difference": pl.Float64,  # mean_1 - mean_2
        "low": pl.Float64,  # 95 % interval of the difference, facts resampled; NaN where there is none
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
