"""AlphaEdit (Fang et al., 2025, "AlphaEdit: Null-Space Constrained Knowledge Editing for Language Models").

MEMIT, but each change is projected onto the null space of the layer's covariance, so that what the layer answers to
the keys that it has seen stays as it is (section 3.2); preserving them then needs no weight of its own (eq. 14):

    Δ = R Kᵀ P (K Kᵀ P + L2 · I)⁻¹

Where edits are made one after the other, the keys K_p of the earlier ones are kept too: K Kᵀ then is K Kᵀ + K_p K_pᵀ,
with the keys that they have in the model as edited so far.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from crossedit.backbones.backbone import Backbone
from crossedit.edits.deltas import Delta
from crossedit.edits.editors.memit import MEMIT, MassHparams
from crossedit.edits.requests import Request
from crossedit.errors import UserError


@dataclass(frozen=True, kw_only=True)
class AlphaEditHparams(MassHparams):
    """nullspace_threshold: eigenvalues of C below it count as nothing; nullspace_relative: it is a share of their mean.

    L2: the weight of the change's own norm. mom2_adjustment must be true, since the null space is that of C.
    """

    nullspace_threshold: float
    nullspace_relative: bool = False
    L2: float


class AlphaEdit(MEMIT):
    Hparams = AlphaEditHparams

    def edit_after(self, backbone: Backbone, requests: Sequence[Request], earlier: Sequence[Request]) -> Delta:
        return self._write(backbone, requests, together=True, earlier=earlier)[0]

    def metric(self, layer: int, keys: Tensor) -> Tensor:
        """Return P k for keys (n, in), so that the adjusted keys are (P K Kᵀ + L2 · I)⁻¹ P K."""
        h = self.hparams
        if not h.mom2_adjustment:
            raise UserError("hyperparameters of AlphaEdit: mom2_adjustment is false; its null space is that of C.")
        return keys @ self.materials.null_space(layer, h.nullspace_threshold, h.nullspace_relative)

    def damping(self) -> float:
        damping: float = self.hparams.L2
        return damping
