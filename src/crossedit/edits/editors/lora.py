"""LoRA (Hu et al., 2022) and AdaLoRA (Zhang et al., 2023) as editors: low-rank changes of the attention's projections.

Beside each query and value projection stands a change of rank r that is trained on the target's tokens: (α/r) · B A in
LoRA (section 4.1), (α/r) · B diag(E) A in AdaLoRA (eq. 3), which keeps A and B near orthogonal (eq. 4). What AdaLoRA is
named after, moving ranks from one matrix to another, is left out, as in its published use for editing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from crossedit.backbones.backbone import Backbone
from crossedit.edits.deltas import Delta
from crossedit.edits.draws import generator
from crossedit.edits.editors.interface import Editor
from crossedit.edits.finetuning import Added, Parts, Running, train_copies
from crossedit.edits.requests import Request
from crossedit.edits.rows import target_rows
from crossedit.edits.terms import LowRank
from crossedit.errors import UserError
from crossedit.models import matrix


@dataclass(frozen=True, kw_only=True)
class LoRAHparams:
    """layers: those whose attention is changed; [] stands for all. rank: r. lora_alpha: α.

    lora_dropout: the share of a change's inputs that is dropped in each training step; none is when the model answers.
    init_std: standard deviation of what is drawn at the start. seed: what that and the dropout are drawn by, anew for
    every case.
    """

    layers: list[int]
    rank: int
    lora_alpha: float
    lora_dropout: float
    lr: float
    num_steps: int
    init_std: float = 0.02
    loss_tolerance: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.rank < 1:
            raise UserError(f"rank: {self.rank} is too small; write 1 or more.")
        if not 0 <= self.lora_dropout < 1:
            raise UserError(f"lora_dropout: {self.lora_dropout} is no share; write a number from 0 to below 1.")


@dataclass(frozen=True, kw_only=True)
class AdaLoRAHparams(LoRAHparams):
    """orth_reg_weight: how much the distance of A and B from orthogonality counts in the loss."""

    orth_reg_weight: float


class LoRA(Editor):
    Hparams: ClassVar[type[LoRAHparams]] = LoRAHparams
    holds_many = True

    def edit(self, backbone: Backbone, requests: Sequence[Request]) -> Delta:
        return self._train(backbone, requests, owners=[0] * len(requests))[0]

    def edit_each(self, backbone: Backbone, requests: Sequence[Request]) -> list[Delta]:
        return self._train(backbone, requests, owners=list(range(len(requests))))

    def start(self, outputs: int, inputs: int, draw: torch.Generator) -> tuple[Tensor, ...]:
        """Return a module's parts at the start: A (r, in) at random, B (out, r) zero, so that nothing is changed."""
        A = torch.randn(self.hparams.rank, inputs, generator=draw) * self.hparams.init_std
        return A, torch.zeros(outputs, self.hparams.rank)

    def factors(self, parts: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Return U (…, out, r) and V (…, in, r) of the change U Vᵀ."""
        A, B = parts
        return B * (self.hparams.lora_alpha / self.hparams.rank), A.mT

    def penalty(self, parts: Parts) -> Tensor:
        """Return what is added to the loss of each copy, (copies,) or ()."""
        return torch.zeros(())

    def _train(self, backbone: Backbone, requests: Sequence[Request], owners: list[int]) -> list[Delta]:
        """Train one set of parts per owner; `owners[i]` is the set that request i belongs to."""
        layers = sorted(backbone.checked_layers(self.hparams.layers)) or range(backbone.depth)
        names = [name.format(layer) for layer in layers for name in backbone.architecture.attention]
        firsts = [requests[owners.index(copy)] for copy in range(owners[-1] + 1)]
        trained = train_copies(
            backbone,
            target_rows(backbone, requests),
            owners,
            self._starts(backbone, names, firsts),
            self._added(backbone, requests),
            layer=layers[0],
            learning_rate=self.hparams.lr,
            updates=self.hparams.num_steps,
            tolerance=self.hparams.loss_tolerance,
            penalty=self.penalty,
        )
        changes = {name: self.factors(parts) for name, parts in trained.items()}
        return [
            Delta({name: LowRank(U[copy], V[copy]) for name, (U, V) in changes.items()}) for copy in range(len(firsts))
        ]

    def _starts(self, backbone: Backbone, names: Sequence[str], firsts: Sequence[Request]) -> Parts:
        """Return the parts of every module at the start; those of a copy are drawn by its first request."""
        draws = [generator(request, self.hparams.seed) for request in firsts]
        starts = {}
        for name in names:
            outputs, inputs = matrix(backbone.module(name)).shape
            copies = [self.start(outputs, inputs, draw) for draw in draws]
            starts[name] = [torch.stack(part).to(backbone.device) for part in zip(*copies, strict=True)]
        return starts

    def _added(self, backbone: Backbone, requests: Sequence[Request]) -> Added:
        draws = [generator(request, self.hparams.seed, use=1, device=backbone.device) for request in requests]
        kept = 1 - self.hparams.lora_dropout

        def added(parts: Sequence[Tensor], x: Tensor, running: Running) -> Tensor:
            if kept < 1:
                # Each row's own tokens alone are drawn for, so that padding makes no difference.
                drops = torch.zeros_like(x)
                for drop, (request, length) in zip(drops, running.lengths.items(), strict=True):
                    drop[:length].bernoulli_(kept, generator=draws[request]).div_(kept)
                x = x * drops
            U, V = self.factors([running.own(part) for part in parts])
            return (x @ V) @ U.mT

        return added


class AdaLoRA(LoRA):
    Hparams = AdaLoRAHparams

    def start(self, outputs: int, inputs: int, draw: torch.Generator) -> tuple[Tensor, ...]:
        r = self.hparams.rank
        shapes = ((r, inputs), (outputs, r), (r, 1))  # A, B, E
        return tuple(torch.randn(shape, generator=draw) * self.hparams.init_std for shape in shapes)

    def factors(self, parts: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        A, B, E = parts
        return super().factors([A * E, B])

    def penalty(self, parts: Parts) -> Tensor:
        """Return orth_reg_weight times the mean over all A and B of ‖A Aᵀ − I‖ and ‖Bᵀ B − I‖ (Frobenius)."""
        squares = [square for A, B, _ in parts.values() for square in (A @ A.mT, B.mT @ B)]
        identity = torch.eye(self.hparams.rank, device=squares[0].device)
        return self.hparams.orth_reg_weight * torch.stack(
            [(square - identity).norm(dim=(1, 2)) for square in squares]
        ).mean(0)
