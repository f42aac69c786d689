"""The edited facts themselves, asked of a checkpoint: do all edits so far hold?

predictions = probe(backbone, checkpoint, probes, unedited, "teacher_forced")
"""

import polars as pl

from crossedit.backbones.answers import answer
from crossedit.backbones.backbone import Backbone
from crossedit.edits.cell import untouched
from crossedit.edits.deltas import merged
from crossedit.edits.predictions import beside_unedited
from crossedit.edits.requests import asked_after
from crossedit.sweeps.checkpoints import Checkpoint


def probe(
    backbone: Backbone, checkpoint: Checkpoint, probes: pl.DataFrame, unedited: pl.DataFrame, protocol: str
) -> pl.DataFrame:
    """Return the PREDICTIONS of the model as it is after all the checkpoint's edits, for the facts in them.

    probes, unedited: the PROBES and ANSWERS of the backbone; reliability is asked in the editing language only.
    """
    own = pl.col("case_id").is_in(checkpoint.cases)
    asked = probes.filter(own & asked_after(checkpoint.made_of["language"]))
    with untouched(backbone), merged(backbone, checkpoint.delta):
        edited = answer(backbone, asked, protocol)
    return beside_unedited(asked, unedited, edited)
