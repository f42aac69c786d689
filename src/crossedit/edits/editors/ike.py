"""IKE: In-Context Knowledge Editing (Zheng et al., 2023, "Can We Edit Factual Knowledge by In-Context Learning?").

Nothing is changed but the prompt: k demonstrations, chosen by sentence similarity and the most similar first, show
how a new fact is to be copied, carried over, or left aside; then come the new fact and the question.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from crossedit.backbones.backbone import Backbone
from crossedit.edits.deltas import Context, Delta
from crossedit.edits.editors.interface import Editor
from crossedit.edits.requests import Request
from crossedit.edits.retrieval import MINILM, new_fact
from crossedit.errors import UserError


@dataclass(frozen=True, kw_only=True)
class IKEHparams:
    """k: number of demonstrations. encoder: the sentence encoder that finds them.

    append_self_copy: whether a copy demonstration of the new fact itself comes last (Bi-ZsRE's code does so).
    """

    k: int
    encoder: str = MINILM
    append_self_copy: bool = True


class IKE(Editor):
    Hparams = IKEHparams

    def edit_each(self, backbone: Backbone, requests: Sequence[Request]) -> list[Delta]:
        pool = self.materials.pool
        if pool is None:
            raise UserError("editors: IKE needs the embeddings of its training facts; run `crossedit edits embed`.")
        deltas = []
        for request, shown in zip(requests, pool.nearest(requests, self.hparams.k), strict=True):
            head = new_fact(request.prompt, request.target)
            if self.hparams.append_self_copy:
                shown = [*shown, f"{head}{request.prompt} {request.target}\n\n"]
            lines = {lang: new_fact(request.prompt, target) for lang, target in request.targets.items()}
            deltas.append(Delta(context=Context("".join(shown), lines, request.lang)))
        return deltas
