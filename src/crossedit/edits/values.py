"""Finding the value that makes a model give a new answer: step 2 of ROME, and of MEMIT and its relatives.

A vector δ is added to a module's output at the subject's last token, and moved by gradient descent until the model
gives the new answer in every context, while what it says of the subject in general ("Paris is a …") stays. Only what
depends on δ is computed again: the tokens from the subject's last one on, in the layers from the module's on.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, fields, replace
from itertools import pairwise

import torch
from torch import Tensor

from crossedit.backbones.backbone import Backbone, Batch
from crossedit.backbones.prefix import Prefix
from crossedit.backbones.tail import Tail
from crossedit.edits.optimise import minimise_each
from crossedit.edits.requests import Request
from crossedit.edits.rows import Rows, target_rows
from crossedit.edits.states import added, plus, seen
from crossedit.errors import UserError

# Facts of about the same length go together, so that little is computed of padding: in at most so many groups, each
# of at least so many tokens.
GROUPS, GROUP_TOKENS = 4, 1024

# What the subject is in general, asked of the model before and after (Meng et al., 2022, eq. 4, second term).
ESSENCE = {"en": "{} is a", "zh": "{}是一个"}


@dataclass(frozen=True)
class ValueHparams:
    """Hyperparameters of the search for a value, with the names of the published code.

    v_loss_layer: the layer whose states the answer is read off, through the final norm and the head (None: the last).
    """

    v_lr: float
    v_num_grad_steps: int
    v_weight_decay: float
    clamp_norm_factor: float
    kl_factor: float
    v_loss_tolerance: float = 5e-2
    v_loss_layer: int | None = None


@dataclass(frozen=True)
class Easing:
    """What the answer's loss counts, before and after the answer's tokens are the likeliest in every context (PMET).

    kl: after that, the search ends as soon as the essence's term of the loss is no more than this.
    """

    before: float
    after: float
    kl: float


@dataclass(frozen=True)
class Found:
    """What the search found for F facts and M modules at hidden width H and MLP width I.

    delta (M, F, H): what is to be added; before (M, F, H): the modules' outputs at the bare prompt's subject;
    mean_before (M, F, H): their mean over all contexts; key (F, I): mean input of the layer's MLP output projection
    over all contexts; bare_key (F, I): at the bare prompt; updates (F,): gradient steps taken.
    """

    delta: Tensor
    before: Tensor
    mean_before: Tensor
    key: Tensor
    bare_key: Tensor
    updates: Tensor

    @classmethod
    def joined(cls, parts: Sequence["Found"], order: Tensor) -> "Found":
        """Return what was found in several parts; `order` (F,) are the places of the joined parts' facts."""
        joined = {}
        for item in fields(cls):
            tensors = [getattr(part, item.name) for part in parts]
            dim = max(tensors[0].ndim - 2, 0)  # the facts', which only the width comes after
            joined[item.name] = torch.cat(tensors, dim).index_select(dim, order.argsort())
        return cls(**joined)


def find_values(
    backbone: Backbone,
    requests: Sequence[Request],
    *,
    layer: int,
    modules: Sequence[str],
    contexts: Sequence[str],
    hparams: ValueHparams,
    easing: Easing | None = None,
) -> Found:
    """Find a δ at the output of each module, which belong to decoder layer `layer`, for all requests together.

    contexts: texts before the prompt; the empty one, the bare prompt, must be among them. The loss of a fact is the
    mean over contexts of the target's mean token loss, which `easing` may weigh, plus kl_factor · KL(new ‖ before) at
    the subject's last token in the subject's essence, plus v_weight_decay · ‖δ‖ / ‖before‖² (as published) of every δ;
    ‖δ‖ is kept within clamp_norm_factor · ‖before‖. Raises UserError for a loss layer below `layer`.
    """
    groups = _alike(backbone, requests, len(contexts))
    parts = [
        _search(
            backbone,
            [requests[number] for number in group],
            layer=layer,
            modules=modules,
            contexts=contexts,
            hparams=hparams,
            easing=easing,
        )
        for group in groups
    ]
    return Found.joined(parts, torch.tensor([number for group in groups for number in group], device=backbone.device))


def _alike(backbone: Backbone, requests: Sequence[Request], contexts: int) -> list[list[int]]:
    """Return the requests' numbers in groups of about the same number of tokens from the subject on."""
    lengths = [
        len(backbone.encode(request.prompt[request.subject_end() :])) + len(backbone.encode(request.target))
        for request in requests
    ]
    order = sorted(range(len(requests)), key=lambda number: lengths[number])
    count = max(1, min(GROUPS, contexts * sum(lengths) // GROUP_TOKENS, len(requests)))
    cuts = [len(order) * number // count for number in range(count + 1)]
    return [order[start:stop] for start, stop in pairwise(cuts)]


def _search(
    backbone: Backbone,
    requests: Sequence[Request],
    *,
    layer: int,
    modules: Sequence[str],
    contexts: Sequence[str],
    hparams: ValueHparams,
    easing: Easing | None,
) -> Found:
    """Find the values of requests that go through the model in one batch."""
    stop = _loss_layer(backbone, layer, hparams.v_loss_layer)
    whole = backbone.architecture.layer.format(layer)
    # What is added to the output of the layer itself is added to the input of the next one.
    start = layer + 1 if list(modules) == [whole] else layer
    rows = target_rows(backbone, requests, contexts, begin="subject")
    with seen(backbone, backbone.architecture.mlp_out.format(layer), modules, column=0) as states:
        tail = Tail(backbone, rows.batch, start, stop)
    outputs = torch.stack(states.outputs)  # (M, rows, H)
    before = outputs[:, rows.bare]  # (M, F, H): one bare row per fact, facts in order
    rows = replace(rows, batch=replace(rows.batch, past=None))  # the tail has it

    def answer(tail: Tail, delta: Tensor) -> Tensor:
        """Return the states after the final norm where δ (rows, M, H) is added at the first token of the rows."""
        if start > layer:
            return tail(plus(tail.hidden, delta[:, 0]))
        with ExitStack() as hooks:
            for number, module in enumerate(modules):
                hooks.enter_context(added(backbone, module, delta[:, number]))
            return tail()

    essence = Tail(backbone, _essence(backbone, requests), start, stop)
    with torch.no_grad():
        reference = backbone.head(essence()[:, 0]).log_softmax(-1)  # (F, vocabulary)

    norm = before.norm(dim=2).T  # (F, M)
    count = len(requests)
    current = _Current(torch.arange(count, device=rows.fact.device), rows, tail, essence)
    factor = torch.full((count,), easing.before if easing else 1.0, device=rows.fact.device)

    def losses(delta: Tensor, active: Tensor) -> Tensor:
        current.keep(active)
        picked = current.rows
        slot = torch.searchsorted(active, picked.fact)  # the row's place among the active facts
        hidden = answer(current.tail, delta[slot])
        logits = backbone.head(hidden[picked.place_row, picked.place_column])
        nll = delta.new_zeros(len(active)).index_add(0, slot, picked.losses(logits)) / len(contexts)
        new = backbone.head(answer(current.essence, delta)[:, 0]).log_softmax(-1)
        divergence = hparams.kl_factor * (new.exp() * (new - reference[active])).sum(1)
        decay = (delta.norm(dim=2) / norm[active] ** 2).sum(1)
        loss = factor[active] * nll + divergence + hparams.v_weight_decay * decay
        if easing is None:
            return loss
        missed = (~picked.answered(logits)).to(delta.dtype)
        held = delta.new_zeros(len(active)).index_add(0, slot, missed) == 0
        factor[active] = torch.where(held, easing.after, easing.before)
        # Below every tolerance: the search for that fact ends.
        return loss.where(~(held & (divergence <= easing.kl)), -torch.inf)

    def clamp(delta: Tensor, active: Tensor) -> Tensor:
        limit = hparams.clamp_norm_factor * norm[active]  # (A, M)
        return delta * (limit / delta.norm(dim=2).clamp(min=1e-12)).clamp(max=1)[:, :, None]

    delta, updates = minimise_each(
        losses,
        before.new_zeros(count, len(modules), before.shape[2]),
        learning_rate=hparams.v_lr,
        # The published loop's last step only looks at the loss.
        updates=hparams.v_num_grad_steps - 1,
        tolerance=hparams.v_loss_tolerance,
        project=clamp,
    )
    return Found(
        delta=delta.transpose(0, 1),
        before=before,
        mean_before=outputs.unflatten(1, (count, -1)).mean(2),
        key=states.keys.unflatten(0, (count, -1)).mean(1),
        bare_key=states.keys[rows.bare],
        updates=updates,
    )


class _Current:
    """The part of the batch that still runs; facts that have converged leave it."""

    def __init__(self, active: Tensor, rows: Rows, tail: Tail, essence: Tail) -> None:
        self.active, self.rows, self.tail, self.essence = active, rows, tail, essence

    def keep(self, active: Tensor) -> None:
        if len(active) == len(self.active):
            return
        kept = torch.isin(self.rows.fact, active).nonzero()[:, 0]
        self.rows, self.tail = self.rows.select(kept), self.tail.select(kept)
        self.essence = self.essence.select(torch.isin(self.active, active).nonzero()[:, 0])
        self.active = active


def _essence(backbone: Backbone, requests: Sequence[Request]) -> Batch:
    """Return the last token of each subject, at which "{subject} is a" is asked, after what comes before it.

    What comes after it doesn't reach it, but may decide how the subject is cut into tokens.
    """
    frames = [ESSENCE.get(request.lang, ESSENCE["en"]) for request in requests]
    texts = [frame.format(request.subject) for frame, request in zip(frames, requests, strict=True)]
    ends = [backbone.last_token(text, len(request.subject)) for text, request in zip(texts, requests, strict=True)]
    rows = [backbone.encode(text)[: end + 1] for text, end in zip(texts, ends, strict=True)]
    return backbone.batch([row[-1:] for row in rows], past=Prefix.of(backbone, [row[:-1] for row in rows]))


def _loss_layer(backbone: Backbone, layer: int, loss_layer: int | None) -> int | None:
    if loss_layer is None:
        return None
    if not layer <= loss_layer < backbone.depth:
        raise UserError(
            f"v_loss_layer: {loss_layer} must be between the edited layer {layer} and the last one, "
            f"{backbone.depth - 1}, of backbone '{backbone.name}'; set it in the editor's hparams."
        )
    return loss_layer
