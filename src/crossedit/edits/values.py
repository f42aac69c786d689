"""Finding the value that makes a model give a new answer: step 2 of ROME, and of MEMIT and its relatives.

A vector δ is added to a module's output at the subject's last token, and moved by gradient descent until the model
gives the new answer in every context, while what it says of the subject in general ("Paris is a …") stays.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from crossedit.backbones.backbone import Backbone, Batch
from crossedit.backbones.tail import Tail
from crossedit.edits.optimise import minimise_each
from crossedit.edits.requests import Request
from crossedit.edits.rows import Rows, target_rows
from crossedit.models import first_tensor

# What the subject is in general, asked of the model before and after (Meng et al., 2022, eq. 4, second term).
ESSENCE = {"en": "{} is a", "zh": "{}是一个"}


@dataclass(frozen=True)
class ValueHparams:
    """Hyperparameters of the search for a value, with the names of the published code."""

    v_lr: float
    v_num_grad_steps: int
    v_weight_decay: float
    clamp_norm_factor: float
    kl_factor: float
    v_loss_tolerance: float = 5e-2


@dataclass(frozen=True)
class Found:
    """What the search found for F facts at hidden width H and MLP width I.

    delta (F, H): what is to be added; before (F, H): the module's output at the bare prompt's subject;
    key (F, I): mean input of the MLP's output projection over all contexts; bare_key (F, I): at the bare prompt;
    updates (F,): gradient steps taken.
    """

    delta: Tensor
    before: Tensor
    key: Tensor
    bare_key: Tensor
    updates: Tensor


def find_values(
    backbone: Backbone,
    requests: Sequence[Request],
    *,
    layer: int,
    module: str,
    contexts: Sequence[str],
    hparams: ValueHparams,
) -> Found:
    """Find δ at the output of `module`, which belongs to decoder layer `layer`, for all requests together.

    contexts: texts before the prompt; the empty one, the bare prompt, must be among them. The loss of a fact is the
    mean over contexts of the target's mean token loss, plus kl_factor · KL(new ‖ before) at the end of the subject's
    essence, plus v_weight_decay · ‖δ‖ / ‖before‖² (as published); ‖δ‖ is kept within clamp_norm_factor · ‖before‖.
    """
    rows = target_rows(backbone, requests, contexts)
    essence, essence_rows = _essence_rows(backbone, requests)
    key_module = backbone.architecture.mlp_out.format(layer)
    with _recorded(backbone, key_module, module) as seen:
        tail = Tail(backbone, rows.batch, layer)
    at_subject = (torch.arange(len(rows.fact), device=rows.fact.device), rows.subject)
    keys, outputs = seen.inputs[at_subject].float(), seen.outputs[at_subject].float()
    before = outputs[rows.bare]  # (F, H): one bare row per fact, facts in order

    essence_tail = Tail(backbone, essence, layer)
    with torch.no_grad():
        reference = _next_token(backbone, essence_tail, essence_rows)  # (F, vocabulary) log-probabilities

    limit = hparams.clamp_norm_factor * before.norm(dim=1)  # (F,)
    current = _Current(torch.arange(len(requests), device=rows.fact.device), rows, tail, essence_tail)

    def losses(delta: Tensor, active: Tensor) -> Tensor:
        current.keep(active)
        picked = current.rows
        slot = torch.searchsorted(active, picked.fact)  # the row's place among the active facts
        with _added(backbone, module, delta[slot], picked.subject):
            hidden = current.tail()
            logits = backbone.head(hidden[picked.place_row, picked.place_column])
        per_row = picked.losses(logits)
        nll = delta.new_zeros(len(active)).index_add(0, slot, per_row) / len(contexts)
        with _added(backbone, module, delta, essence_rows[active]):
            new = _next_token(backbone, current.essence, essence_rows[active])
        divergence = (new.exp() * (new - reference[active])).sum(1)
        decay = delta.norm(dim=1) / before[active].norm(dim=1) ** 2
        return nll + hparams.kl_factor * divergence + hparams.v_weight_decay * decay

    def clamp(delta: Tensor, active: Tensor) -> Tensor:
        norm = delta.norm(dim=1)
        return delta * (limit[active] / norm.clamp(min=1e-12)).clamp(max=1)[:, None]

    delta, updates = minimise_each(
        losses,
        torch.zeros_like(before),
        learning_rate=hparams.v_lr,
        # The published loop's last step only looks at the loss.
        updates=hparams.v_num_grad_steps - 1,
        tolerance=hparams.v_loss_tolerance,
        project=clamp,
    )
    count = len(requests)
    key = keys.new_zeros(count, keys.shape[1]).index_add(0, rows.fact, keys) / len(contexts)
    return Found(delta, before, key, keys[rows.bare], updates)


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


def _essence_rows(backbone: Backbone, requests: Sequence[Request]) -> tuple[Batch, Tensor]:
    """Return the batch of "{subject} is a", one row per fact, and the column of each subject's last token."""
    frames = [ESSENCE.get(request.lang, ESSENCE["en"]) for request in requests]
    texts = [frame.format(request.subject) for frame, request in zip(frames, requests, strict=True)]
    ends = [backbone.last_token(text, len(request.subject)) for text, request in zip(texts, requests, strict=True)]
    batch = backbone.batch([backbone.encode(text) for text in texts])
    return batch, torch.tensor(ends, device=backbone.device)


def _next_token(backbone: Backbone, tail: Tail, columns: Tensor) -> Tensor:
    """Return log-probabilities (rows, vocabulary) of the token after each row's column."""
    hidden = tail()
    rows = torch.arange(len(hidden), device=hidden.device)
    return backbone.head(hidden[rows, columns]).log_softmax(-1)


@contextmanager
def _added(backbone: Backbone, module: str, delta: Tensor, columns: Tensor) -> Iterator[None]:
    """Within the block row i of the module's output gets delta[i] added at columns[i]."""

    def add(_: nn.Module, __: object, output: Tensor | tuple[Tensor, ...]) -> Tensor | tuple[Tensor, ...]:
        states = first_tensor(output)
        rows = torch.arange(len(states), device=states.device)
        changed = states.index_put((rows, columns), delta.to(states.dtype), accumulate=True)
        return changed if isinstance(output, Tensor) else (changed, *output[1:])

    handle = backbone.module(module).register_forward_hook(add)
    try:
        yield
    finally:
        handle.remove()


@dataclass
class _Seen:
    inputs: Tensor
    outputs: Tensor


@contextmanager
def _recorded(backbone: Backbone, inputs_of: str, outputs_of: str) -> Iterator[_Seen]:
    """Within the block, keep what goes into one module and what comes out of another, each (rows, tokens, width)."""
    seen = _Seen(torch.empty(0), torch.empty(0))

    def keep_input(_: nn.Module, args: tuple[Tensor, ...]) -> None:
        seen.inputs = args[0].detach()

    def keep_output(_: nn.Module, __: object, output: Tensor | tuple[Tensor, ...]) -> None:
        seen.outputs = first_tensor(output).detach()

    handles = [
        backbone.module(inputs_of).register_forward_pre_hook(keep_input),
        backbone.module(outputs_of).register_forward_hook(keep_output),
    ]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()
