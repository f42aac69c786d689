"""A cell of the grid through EasyEdit: edit a fact, ask its questions, undo, one fact after the other."""

import time
from collections.abc import Sequence

import polars as pl

from crossedit.backbones.backbone import Backbone
from crossedit.edits.cell import untouched
from crossedit.edits.easyeditor.engine import EasyEditor
from crossedit.edits.predictions import beside_unedited
from crossedit.edits.requests import Request, asked_after, language_of
from crossedit.progress import track


def run_cell(
    backbone: Backbone,
    editor: EasyEditor,
    requests: Sequence[Request],
    probes: pl.DataFrame,
    unedited: pl.DataFrame,
    protocols: Sequence[str],
) -> tuple[pl.DataFrame, dict[str, float]]:
    """Return what `crossedit.edits.cell.run_cell` returns, with EasyEdit finding the edits.

    The seconds of undoing an edit are in neither number. Raises UserError where EasyEdit fails.
    """
    probes = probes.filter(asked_after(language_of(requests)))
    parts = []
    seconds = {"edit": 0.0, "answer": 0.0}
    with untouched(backbone), editor.at_work(backbone) as edited:
        for request in track(requests, "editing"):
            begun = time.perf_counter()
            with edited(request) as ask:
                seconds["edit"] += time.perf_counter() - begun
                begun = time.perf_counter()
                own = probes.filter(pl.col("case_id") == request.case_id)
                parts += [ask(own, protocol) for protocol in protocols]
                seconds["answer"] += time.perf_counter() - begun
    return beside_unedited(probes, unedited, pl.concat(parts)), seconds
