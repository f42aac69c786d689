"""Predictions: the answers after an edit, with those before it and the questions beside them.

    predictions = beside_unedited(probes, unedited, edited)      the model as an edit has made it
    predictions = unedited_predictions(probes, unedited)         the model as it is

Nothing here needs a model.
"""

import polars as pl

from crossedit.tables import ANSWERS, PREDICTIONS

ASKED = ["case_id", "aspect", "kind", "lang"]


def beside_unedited(probes: pl.DataFrame, unedited: pl.DataFrame, edited: pl.DataFrame) -> pl.DataFrame:
    """Return PREDICTIONS: the edited model's answers with the unedited ones and the questions beside them."""
    key = [*ASKED, "protocol"]
    before = unedited.select(*key, before_ids="answer_ids", before_text="answer_text")
    after = edited.rename({"answer_ids": "after_ids", "answer_text": "after_text"})
    joined = after.join(before, on=key, how="left").join(
        probes.select(*ASKED, "prompt", "target"), on=ASKED, how="left"
    )
    return joined.select(*PREDICTIONS.columns).sort(key)


def unedited_predictions(probes: pl.DataFrame, unedited: pl.DataFrame) -> pl.DataFrame:
    """Return PREDICTIONS of the backbone as it is: its answers stand both before and after."""
    return beside_unedited(probes, unedited, unedited.select(*ANSWERS.columns))
