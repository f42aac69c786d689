"""Editing on and on: each edit is found on the model as edited so far.

    requests = in_order(requests, seed)
    checkpoint = edit_on(backbone, editor, requests, batch_size=1, edits=20, made_of={…}, journal=folder, start=earlier)

Settings of Gu et al. (2024): one fact per edit (instance-sequential), one edit of many facts (batch-single), or many
edits of several facts each (batch-sequential). Each edit's delta is written to a journal as soon as it is found, so
that a run that was killed does none of them twice, and ends with the same tensors.
"""

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from crossedit.backbones.backbone import Backbone
from crossedit.edits.deltas import Delta, merged
from crossedit.edits.editors.interface import Editor
from crossedit.edits.requests import Request
from crossedit.errors import UserError
from crossedit.files import digest
from crossedit.progress import track
from crossedit.sweeps.checkpoints import Checkpoint
from crossedit.sweeps.journal import Journal


def in_order(requests: Sequence[Request], seed: int) -> list[Request]:
    """Return the requests in the order in which sweeps of that seed edit them."""
    return random.Random(f"sweep {seed}").sample(requests, len(requests))


def edit_on(
    backbone: Backbone,
    editor: Editor,
    requests: Sequence[Request],
    *,
    batch_size: int,
    edits: int,
    made_of: Mapping[str, Any],
    journal: Path,
    start: Checkpoint | None = None,
) -> Checkpoint:
    """Return the model after `edits` edits of `batch_size` requests each, taken in their order.

    start: where an earlier stop of the same sweep has come to; the edits go on from there. made_of: what decides about
    the edits, in JSON values; both `start` and what is found in the journal must be of the same. The weights are as
    before afterwards. Raises UserError where there are too few requests, where the editor makes no change of weights,
    and where `start` is of another sweep.
    """
    wanted = batch_size * edits
    if wanted > len(requests):
        raise UserError(
            f"sweeps: {edits} edits of {batch_size} facts need {wanted} test facts, but there are {len(requests)}; "
            "draw more in facts.splits.test, or lower `stops`."
        )
    weights = backbone.digest  # of the pristine weights: trained editors ask for it while edits are merged
    made_of = {**made_of, "backbone": {**made_of["backbone"], "weights": weights}}
    if start and (dict(start.made_of), start.batch_size) != (made_of, batch_size):
        raise UserError("--start: is a checkpoint of another sweep; name an earlier stop of this one.")
    if start and start.edits >= edits:
        raise UserError(f"--start: has {start.edits} edits already, but --edits is {edits}; name an earlier stop.")
    cases = [request.case_id for request in requests[:wanted]]
    pages = Journal(journal / digest(made_of, batch_size, cases), backbone.device)
    done, delta = pages.read(start.edits if start else 0, start.delta if start else Delta())
    for number in track(range(done, edits), "editing"):
        earlier, later = number * batch_size, (number + 1) * batch_size
        with merged(backbone, delta):
            step = _found(editor, backbone, requests[earlier:later], requests[:earlier])
        delta = pages.write(number, step, delta)
    return Checkpoint(delta, edits, batch_size, cases, made_of)


def _found(editor: Editor, backbone: Backbone, requests: Sequence[Request], earlier: Sequence[Request]) -> Delta:
    try:
        step = editor.edit_after(backbone, requests, earlier)
    except UserError as error:
        if not earlier:
            raise
        # An unedited model is no reason any more, a collapsed one may be.
        raise UserError(
            f"{error} {len(earlier)} facts had been edited before; if that was too much for the model, let `stops` end "
            "there."
        ) from error
    if step.context or step.gated:
        raise UserError(
            f"sweeps: {type(editor).__name__} makes no change of weights, which is what sweeps add up; choose another "
            "editor."
        )
    return step
