"""EMMET: Equality-constrained Mass Model Editing in a Transformer (Gupta, Sajnani & Anumanchipalli, 2024).

ROME and MEMIT have the same objective, preserving old associations and memorising new ones; ROME memorises under an
equality constraint, MEMIT as a sum of least squares. EMMET keeps the equality for many facts at once (eq. 11):

    Δ = R (Kᵀ C⁻¹ K)⁻¹ Kᵀ C⁻¹
"""

from dataclasses import dataclass

from torch import Tensor

from crossedit.edits.editors.memit import MEMIT, MEMITHparams


@dataclass(frozen=True, kw_only=True)
class EMMETHparams(MEMITHparams):
    """emmet_lambda: what is added to the diagonal of Kᵀ C⁻¹ K; 0 is the equality itself.

    update_norm_lambda: what is added to the diagonal of mom2_update_weight · C.
    """

    emmet_lambda: float = 0.1
    update_norm_lambda: float = 0.0


class EMMET(MEMIT):
    Hparams = EMMETHparams

    def metric(self, layer: int, keys: Tensor) -> Tensor:
        """Return (λC + update_norm_lambda · I)⁻¹ k for keys (n, in)."""
        h = self.hparams
        if not h.mom2_adjustment:
            return keys / (h.mom2_update_weight + h.update_norm_lambda)
        shift = h.update_norm_lambda / h.mom2_update_weight
        return self.materials.whitened(layer, keys, h.mom2_ridge, shift) / h.mom2_update_weight

    def damping(self) -> float:
        damping: float = self.hparams.emmet_lambda
        return damping
