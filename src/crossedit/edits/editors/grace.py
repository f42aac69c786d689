"""GRACE: General Retrieval Adaptors for Continual Editing (Hartvigsen et al., 2023, "Aging with GRACE").

A codebook stands at one module: a key is the module's input at a prompt's last token, its value is trained until the
model, with the module's output replaced by it at that token, gives the new answer (section 3.1). At a prompt whose
input is within ε of a key, the nearest one's value replaces the output; elsewhere the model is as it was.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from crossedit.backbones.backbone import Backbone
from crossedit.backbones.tail import Tail
from crossedit.edits.deltas import Codebook, Delta
from crossedit.edits.draws import generator
from crossedit.edits.editors.interface import Editor
from crossedit.edits.optimise import minimise_each
from crossedit.edits.requests import Request
from crossedit.edits.rows import target_rows
from crossedit.edits.states import seen
from crossedit.errors import UserError


@dataclass(frozen=True, kw_only=True)
class GRACEHparams:
    """layers: the one layer whose MLP gets the codebook, at its projection `module`.

    eps: how far a key reaches. val_init: values start at random (cold) or at the module's own output (warm).
    loss_tolerance: a value whose loss is below it is trained no further; the published code trains all `n_iter` steps.
    seed: what cold values are drawn by, for each case anew.
    """

    layers: list[int]
    module: Literal["mlp_in", "mlp_out"]
    edit_lr: float
    n_iter: int
    eps: float
    val_init: Literal["cold", "warm"] = "cold"
    loss_tolerance: float = 0.0
    seed: int = 0


class GRACE(Editor):
    Hparams = GRACEHparams
    holds_many = True

    def edit_each(self, backbone: Backbone, requests: Sequence[Request]) -> list[Delta]:
        name = self._module(backbone)
        keys, values = self._entries(backbone, requests, name)
        radius = torch.full((1,), float(self.hparams.eps), device=keys.device)
        return [Delta({name: Codebook(keys[fact, None], values[fact, None], radius)}) for fact in range(len(requests))]

    def edit(self, backbone: Backbone, requests: Sequence[Request]) -> Delta:
        """Return a codebook of all facts, entered one after the other (section 3.1, algorithm 1).

        A key near an entry of the same answer widens that entry; near one of another answer, both shrink to half the
        distance between them.
        """
        name = self._module(backbone)
        keys, values = self._entries(backbone, requests, name)
        kept: list[int] = []
        radii: list[float] = []
        for number, request in enumerate(requests):
            distances = (keys[kept] - keys[number]).norm(dim=1)  # (n,)
            nearest = int(distances.argmin()) if kept else -1
            if kept and distances[nearest] <= self.hparams.eps + radii[nearest]:
                distance = float(distances[nearest])
                if requests[kept[nearest]].target == request.target:
                    radii[nearest] = max(radii[nearest], distance)
                    continue
                # The earlier entry stays a little inside the half, so that no point is in both.
                radii[nearest] = distance / 2 - 1e-5
                radii.append(distance / 2)
            else:
                radii.append(float(self.hparams.eps))
            kept.append(number)
        return Delta({name: Codebook(keys[kept], values[kept], torch.tensor(radii, device=keys.device))})

    def _module(self, backbone: Backbone) -> str:
        layers = backbone.checked_layers(self.hparams.layers)
        if len(layers) != 1:
            raise UserError(f"hyperparameters of GRACE: layers is {layers}; its codebook stands at exactly one layer.")
        places = {"mlp_in": backbone.architecture.mlp_in[0], "mlp_out": backbone.architecture.mlp_out}
        if self.hparams.module not in places:
            raise UserError(f"hyperparameters of GRACE: module is '{self.hparams.module}'; write mlp_in or mlp_out.")
        return places[self.hparams.module].format(layers[0])

    def _entries(self, backbone: Backbone, requests: Sequence[Request], name: str) -> tuple[Tensor, Tensor]:
        """Return keys (F, in) and trained values (F, out), float32."""
        rows = target_rows(backbone, requests, begin="answer")
        with seen(backbone, name, [name], column=0) as states:  # where the rows begin: at the prompts' last tokens
            tail = Tail(backbone, rows.batch, self.hparams.layers[0])
        (outputs,) = states.outputs
        state = (rows, tail)

        def losses(values: Tensor, active: Tensor) -> Tensor:
            nonlocal state
            if len(active) < len(state[0].fact):
                kept = torch.isin(state[0].fact, active).nonzero()[:, 0]
                state = (state[0].select(kept), state[1].select(kept))
            picked, part = state
            with _replaced(backbone, name, values):
                hidden = part()
            return picked.losses(backbone.head(hidden[picked.place_row, picked.place_column]))

        start = outputs if self.hparams.val_init == "warm" else self._drawn(requests, outputs)
        values, _ = minimise_each(
            losses,
            start,
            learning_rate=self.hparams.edit_lr,
            updates=self.hparams.n_iter,
            tolerance=self.hparams.loss_tolerance,
        )
        return states.keys, values

    def _drawn(self, requests: Sequence[Request], like: Tensor) -> Tensor:
        """Return values drawn from [0, 1), each by its own fact, so that no fact depends on its company."""
        width = like.shape[1]
        drawn = [torch.rand(width, generator=generator(request, self.hparams.seed)) for request in requests]
        return torch.stack(drawn).to(like)


@contextmanager
def _replaced(backbone: Backbone, name: str, values: Tensor) -> Iterator[None]:
    """Within the block, row i of the module's output is values[i] at its first token."""

    def replace(_: nn.Module, __: object, output: Tensor) -> Tensor:
        return torch.cat([values[:, None].to(output.dtype), output[:, 1:]], 1)

    handle = backbone.module(name).register_forward_hook(replace)
    try:
        yield
    finally:
        handle.remove()
