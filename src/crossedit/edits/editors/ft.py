"""FT-L and FT-M: fine-tuning one matrix on the new fact.

FT-L is the baseline of Meng et al. (2022) as EasyEdit runs it (`prompt_last`): every target token is asked of the one
distribution after the prompt, which can't fit answers of several tokens. FT-M (`target_new`; KnowEdit, Zhang et al.,
2024) is ordinary fine-tuning on the target's tokens. Both train the MLP output projection of the given layers with
Adam.
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from crossedit.backbones.backbone import Backbone
from crossedit.backbones.tail import Tail
from crossedit.edits.deltas import Delta, Dense
from crossedit.edits.editors.interface import Editor
from crossedit.edits.optimise import minimise_each
from crossedit.edits.requests import Request
from crossedit.edits.rows import Rows, target_rows
from crossedit.errors import UserError
from crossedit.models import matrix


@dataclass(frozen=True, kw_only=True)
class FTHparams:
    """objective_optimization: prompt_last (FT-L) or target_new (FT-M).

    norm_constraint: no weight moves by more than this (L∞); None, as published for LLaMA and Baichuan, sets no bound.
    """

    layers: list[int]
    lr: float
    num_steps: int
    objective_optimization: Literal["prompt_last", "target_new"]
    norm_constraint: float | None = None
    loss_tolerance: float = 1e-2


class FT(Editor):
    Hparams = FTHparams
    holds_many = True

    def edit(self, backbone: Backbone, requests: Sequence[Request]) -> Delta:
        return self._train(backbone, requests, owners=[0] * len(requests))[0]

    def edit_each(self, backbone: Backbone, requests: Sequence[Request]) -> list[Delta]:
        return self._train(backbone, requests, owners=list(range(len(requests))))

    def _train(self, backbone: Backbone, requests: Sequence[Request], owners: list[int]) -> list[Delta]:
        """Train one copy of the matrices per owner; `owners[i]` is the copy that request i belongs to."""
        rows = self._rows(backbone, requests)
        layers = sorted(backbone.checked_layers(self.hparams.layers))
        names = [backbone.architecture.mlp_out.format(layer) for layer in layers]
        shapes = [matrix(backbone.module(name)).shape for name in names]
        if len(set(shapes)) > 1:
            raise UserError(f"layers: {layers} have output projections of different shapes; edit them one by one.")
        owner = torch.tensor(owners, device=backbone.device)  # (rows,): a request is a row
        copies = owners[-1] + 1
        size = torch.bincount(owner, minlength=copies)
        tail = Tail(backbone, rows.batch, layers[0])
        state = (torch.arange(copies, device=owner.device), owner, rows, tail)

        def losses(change: Tensor, active: Tensor) -> Tensor:
            nonlocal state
            if len(active) < len(state[0]):
                kept = torch.isin(state[1], active).nonzero()[:, 0]
                state = (active, state[1][kept], state[2].select(kept), state[3].select(kept))
            _, belongs, picked, part = state
            slot = torch.searchsorted(active, belongs)  # (rows,): the row's place among the active copies
            with _changed(backbone, dict(zip(names, change.unbind(1), strict=True)), slot):
                hidden = part()
            per_row = picked.losses(backbone.head(hidden[picked.place_row, picked.place_column]))
            return per_row.new_zeros(len(active)).index_add(0, slot, per_row) / size[active]

        bound = self.hparams.norm_constraint
        change, _ = minimise_each(
            losses,
            torch.zeros(copies, len(names), *shapes[0], device=backbone.device),
            learning_rate=self.hparams.lr,
            updates=self.hparams.num_steps,
            tolerance=self.hparams.loss_tolerance,
            project=None if bound is None else lambda x, active: x.clamp(-bound, bound),
        )
        return [
            Delta({name: Dense(change[copy, number]) for number, name in enumerate(names)}) for copy in range(copies)
        ]

    def _rows(self, backbone: Backbone, requests: Sequence[Request]) -> Rows:
        rows = target_rows(backbone, requests, needs_subject=False)
        if self.hparams.objective_optimization == "target_new":
            return rows
        # Every target token is read off the place of the first one, the last token of the prompt.
        first = torch.zeros_like(rows.fact)
        first = first.scatter_reduce(0, rows.place_row, rows.place_column, "amin", include_self=False)
        return Rows(**{**vars(rows), "place_column": first[rows.place_row]})


def _changed(backbone: Backbone, change: Mapping[str, Tensor], slot: Tensor) -> ExitStack:
    """Return a context in which row i of a module's output gets x_i ΔW_{slot[i]}ᵀ added, with gradients to ΔW."""
    hooks = ExitStack()
    for name, weight in change.items():  # (copies, out, in)

        def add(_: nn.Module, args: tuple[Tensor, ...], output: Tensor, weight: Tensor = weight) -> Tensor:
            x = args[0].to(weight.dtype)  # what is trained is float32, whatever the backbone's dtype
            if len(weight) == len(x):  # one row per copy: no gathering
                added = x @ weight.transpose(1, 2)
            elif len(weight) == 1:
                added = x @ weight[0].T
            else:
                added = x @ weight[slot].transpose(1, 2)
            return output + added.to(output.dtype)

        hooks.callback(backbone.module(name).register_forward_hook(add).remove)
    return hooks
