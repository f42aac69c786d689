"""IKE: In-Context Knowledge Editing (Zheng et al., 2023, "Can We Edit Factual Knowledge by In-Context Learning?").

Nothing is changed but the prompt: k demonstrations, chosen by sentence similarity and the most similar first, show
how a new fact is to be copied, carried over, or left aside; then come the new fact and the question.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from crossedit.backbones.backbone import Backbone
from crossedit.edits.deltas import Context, Delta
from crossedit.edits.editors.interface import Editor
from crossedit.edits.requests import Request
from crossedit.edits.retrieval import MINILM, Layout, Pool, new_fact
from crossedit.errors import UserError


@dataclass(frozen=True, kw_only=True)
class IKEHparams:
    """k: number of demonstrations. encoder: the sentence encoder that finds them.

    append_self_copy: whether a copy demonstration of the new fact itself comes last (Bi-ZsRE's code does so).
    pool_prompt, nq_prefix: how demonstrations are laid out; see `Layout`.
    """

    k: int
    encoder: str = MINILM
    append_self_copy: bool = True
    pool_prompt: str = "{}"
    nq_prefix: Literal["removeprefix", "lstrip"] = "removeprefix"


class IKE(Editor):
    Hparams = IKEHparams

    def edit_each(self, backbone: Backbone, requests: Sequence[Request]) -> list[Delta]:
        deltas = []
        for request, shown in zip(requests, self._pool().nearest(requests, self.hparams.k), strict=True):
            if self.hparams.append_self_copy:
                head = new_fact(request.prompt, request.target)
                shown = [*shown, f"{head}{request.prompt} {request.target}\n\n"]
            lines = {lang: new_fact(request.prompt, target) for lang, target in request.targets.items()}
            context = Context("".join(shown), lines, request.lang)
            check_length(backbone, request, context, f"lower IKE's k ({self.hparams.k})")
            deltas.append(Delta(context=context))
        return deltas

    def _pool(self) -> Pool:
        pool = self.materials.pool
        if pool is None:
            raise UserError("editors: IKE needs the embeddings of its training facts; run `crossedit edits embed`.")
        wanted = Layout(self.hparams.pool_prompt, self.hparams.nq_prefix)
        if pool.layout != wanted:
            raise UserError(
                f"hyperparameters of IKE: {wanted} is wanted, but the training facts were embedded with {pool.layout}; "
                "run `crossedit edits embed` again."
            )
        return pool


def check_length(backbone: Backbone, request: Request, context: Context, remedy: str) -> None:
    """Raise UserError where a context, the request's own question and its answer are too long for the backbone."""
    limit = getattr(backbone.model.config, "max_position_embeddings", None)
    prompt = context.prefix() + request.prompt
    length = len(backbone.encode(prompt)) + len(backbone.continuation(request.prompt, request.target))
    if limit is not None and length > limit:
        raise UserError(
            f"facts: case {request.case_id} ({request.lang}): its context, question and answer have "
            f"{length} tokens, but backbone '{backbone.name}' has {limit} positions; {remedy}."
        )
