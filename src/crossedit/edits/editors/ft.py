"""FT-L and FT-M: fine-tuning one matrix on the new fact.

FT-L is the baseline of Meng et al. (2022) as EasyEdit runs it (`prompt_last`): every target token is asked of the one
distribution after the prompt, which can't fit answers of several tokens. FT-M (`target_new`; KnowEdit, Zhang et al.,
2024) is ordinary fine-tuning on the target's tokens. Both train the MLP output projection of the given layers with
Adam.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from crossedit.backbones.backbone import Backbone
from crossedit.edits.deltas import Delta, Dense
from crossedit.edits.editors.interface import Editor
from crossedit.edits.finetuning import Running, train_copies
from crossedit.edits.requests import Request
from crossedit.edits.rows import Rows, target_rows
from crossedit.errors import UserError, nearest
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

    def __post_init__(self) -> None:
        known = ("prompt_last", "target_new")
        if self.objective_optimization not in known:
            told = nearest(self.objective_optimization, known)
            raise UserError(f"objective_optimization: '{self.objective_optimization}' is unknown; {told}")


class FT(Editor):
    Hparams = FTHparams
    holds_many = True

    def edit(self, backbone: Backbone, requests: Sequence[Request]) -> Delta:
        return self._train(backbone, requests, owners=[0] * len(requests))[0]

    def edit_each(self, backbone: Backbone, requests: Sequence[Request]) -> list[Delta]:
        return self._train(backbone, requests, owners=list(range(len(requests))))

    def _train(self, backbone: Backbone, requests: Sequence[Request], owners: list[int]) -> list[Delta]:
        """Train one copy of the matrices per owner; `owners[i]` is the copy that request i belongs to."""
        layers = sorted(backbone.checked_layers(self.hparams.layers))
        names = [backbone.architecture.mlp_out.format(layer) for layer in layers]
        shapes = {name: matrix(backbone.module(name)).shape for name in names}
        copies = owners[-1] + 1
        bound = self.hparams.norm_constraint
        change = train_copies(
            backbone,
            self._rows(backbone, requests),
            owners,
            # Nothing is kept of the start, which is a single zero.
            {name: [torch.zeros((), device=backbone.device).expand(copies, *shape)] for name, shape in shapes.items()},
            _added,
            layer=layers[0],
            learning_rate=self.hparams.lr,
            updates=self.hparams.num_steps,
            tolerance=self.hparams.loss_tolerance,
            project=None if bound is None else lambda weight: weight.clamp(-bound, bound),
        )
        return [Delta({name: Dense(weight[copy]) for name, (weight,) in change.items()}) for copy in range(copies)]

    def _rows(self, backbone: Backbone, requests: Sequence[Request]) -> Rows:
        rows = target_rows(backbone, requests)
        if self.hparams.objective_optimization == "target_new":
            return rows
        # Every target token is read off the place of the first one, the last token of the prompt, where rows may end.
        prompts = [backbone.encode(request.prompt) for request in requests]
        last = torch.tensor([len(prompt) - 1 for prompt in prompts], device=backbone.device)
        return replace(rows, batch=backbone.batch(prompts), place_column=last[rows.place_row])


def _added(change: Sequence[Tensor], x: Tensor, running: Running) -> Tensor:
    """Return x_i ΔW_iᵀ for each row i."""
    (weight,) = change  # (copies, out, in)
    return (running.own(weight) @ x.mT).mT  # so that the gradient comes in the weight's own layout
