"""What every editor is: hyperparameters, materials, and two ways of editing."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor

from crossedit.backbones.backbone import Backbone
from crossedit.edits.deltas import Delta
from crossedit.edits.requests import Request, only_one
from crossedit.edits.retrieval import Pool
from crossedit.edits.training.trained import Trained
from crossedit.errors import UserError


@dataclass(frozen=True)
class Materials:
    """What editors draw on besides the backbone; each is an artefact of its own.

    contexts: texts that the backbone wrote, by their length in tokens.
    covariances: E[k kᵀ] (in, in) of the MLP output projection's input, by layer.
    pool: the facts that in-context editors take demonstrations from.
    trained: what an editor has learnt.
    """

    contexts: Mapping[int, Sequence[str]] = field(default_factory=dict)
    covariances: Mapping[int, Tensor] = field(default_factory=dict)
    pool: Pool | None = None
    trained: Trained | None = None
    _factors: dict[tuple[int, float, float], Tensor] = field(default_factory=dict, repr=False)
    _null_spaces: dict[tuple[int, float, bool], Tensor] = field(default_factory=dict, repr=False)

    def context_templates(self, lengths: Sequence[Sequence[int]]) -> list[str]:
        """Return what is put before prompts: nothing first, then `number` texts of each `length`, closed by ". "."""
        chosen = [""]
        for length, number in lengths:
            texts = self.contexts.get(length, [])
            if len(texts) < number:
                raise UserError(
                    f"context_template_length_params: {number} texts of {length} tokens are wanted, but the backbone's "
                    f"contexts hold {len(texts)}; see `contexts` of the backbone."
                )
            chosen += [f"{text}. " for text in texts[:number]]
        return chosen

    def covariance_factor(self, layer: int, ridge: float, shift: float = 0.0) -> Tensor:
        """Return the lower Cholesky factor (in, in), float64, of C + (ridge · mean(diag C) + shift) · I."""
        if (layer, ridge, shift) in self._factors:
            return self._factors[layer, ridge, shift]
        C = self._covariance(layer)
        C = C + (ridge * C.diagonal().mean() + shift) * torch.eye(len(C), dtype=C.dtype, device=C.device)
        factor, failed = torch.linalg.cholesky_ex(C)
        if failed:
            raise UserError(
                f"hyperparameters: the covariance of layer {layer} can't be inverted, since it is of too little text; "
                "set `mom2_ridge`, such as 0.01, or name more text."
            )
        self._factors[layer, ridge, shift] = factor
        return factor

    def whitened(self, layer: int, keys: Tensor, ridge: float, shift: float = 0.0) -> Tensor:
        """Return (C + (ridge · mean(diag C) + shift) · I)⁻¹ k for each of the keys (n, in), float64."""
        return torch.cholesky_solve(keys.T.double(), self.covariance_factor(layer, ridge, shift)).T

    def null_space(self, layer: int, threshold: float, relative: bool) -> Tensor:
        """Return the projection P (in, in), float64, onto the directions in which the layer's C is below a threshold.

        relative: the threshold is a share of C's mean eigenvalue. Raises UserError where no direction is below it.
        """
        if (layer, threshold, relative) in self._null_spaces:
            return self._null_spaces[layer, threshold, relative]
        values, directions = torch.linalg.eigh(self._covariance(layer))
        free = directions[:, values < threshold * (values.mean() if relative else 1.0)]  # (in, directions)
        if not free.shape[1]:
            raise UserError(
                f"hyperparameters: nullspace_threshold {threshold} leaves no direction of layer {layer} to write in: "
                f"its covariance has eigenvalues from {values[0]:.2g} to {values[-1]:.2g}, {values.mean():.2g} on "
                "average; set a larger one."
            )
        self._null_spaces[layer, threshold, relative] = free @ free.T
        return self._null_spaces[layer, threshold, relative]

    def _covariance(self, layer: int) -> Tensor:
        if layer not in self.covariances:
            raise UserError(f"layers: there is no covariance of layer {layer}; there are {sorted(self.covariances)}.")
        return self.covariances[layer].double()


class Editor(ABC):
    """A knowledge editing method.

    holds_many: whether the literature writes several facts at once with it; such an editor has an `edit` of its own.
    at_once: how many facts go through the model together where an `edit` of many is computed fact by fact.
    """

    Hparams: ClassVar[type[Any]]
    holds_many: ClassVar[bool] = False
    at_once: int = 64

    def __init__(self, hparams: Any, materials: Materials) -> None:
        self.hparams, self.materials = hparams, materials

    @abstractmethod
    def edit_each(self, backbone: Backbone, requests: Sequence[Request]) -> list[Delta]:
        """Return one delta per request, each from the pristine backbone, computed together."""

    def edit(self, backbone: Backbone, requests: Sequence[Request]) -> Delta:
        """Return one delta that holds all requests at once. UserError where the method can't hold several."""
        return self.edit_each(backbone, [only_one(requests, type(self).__name__)])[0]

    def edit_after(self, backbone: Backbone, requests: Sequence[Request], earlier: Sequence[Request]) -> Delta:
        """Return what `edit` does, for a model in which `earlier` requests are written; few methods look at those."""
        return self.edit(backbone, requests)
