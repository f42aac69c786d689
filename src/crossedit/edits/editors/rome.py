"""ROME: Rank-One Model Editing (Meng et al., 2022, "Locating and Editing Factual Associations in GPT").

The MLP's output projection W of one layer is read as a memory of keys and values. The subject's key k* is the mean
input of W at the subject's last token (section 3.1, step 1, eq. 3); the value v* that makes the model give the new
answer is found by gradient descent (step 2, eq. 4); W then gets the rank-one update that writes v* at k* (step 3, eq.
2).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from torch import Tensor

from crossedit.backbones.backbone import Backbone
from crossedit.edits.deltas import Delta, LowRank
from crossedit.edits.editors.interface import Editor
from crossedit.edits.requests import Request
from crossedit.edits.values import Found, ValueHparams, find_values
from crossedit.errors import UserError


@dataclass(frozen=True, kw_only=True)
class ROMEHparams(ValueHparams):
    """layers: the one layer to edit. mom2_adjustment: whiten the key by the covariance C (the paper's C⁻¹k*);
    mom2_ridge: what is added to C's diagonal, as a share of its mean, where C is of too little text to be inverted
    alone.

    context_template_length_params: [[length in tokens, number of texts], …] of the texts before the prompt.
    """

    layers: list[int]
    mom2_adjustment: bool
    mom2_ridge: float = 0.0
    context_template_length_params: list[list[int]] = field(default_factory=lambda: [[5, 10], [10, 10]])


class ROME(Editor):
    Hparams = ROMEHparams

    def edit_each(self, backbone: Backbone, requests: Sequence[Request]) -> list[Delta]:
        layers = backbone.checked_layers(self.hparams.layers)
        if len(layers) != 1:
            raise UserError(f"hyperparameters of {type(self).__name__}: layers is {layers}; it edits one layer only.")
        (layer,) = layers
        found = find_values(
            backbone,
            requests,
            layer=layer,
            modules=[backbone.architecture.mlp.format(layer)],
            contexts=self.materials.context_templates(self.hparams.context_template_length_params),
            hparams=self.hparams,
        )
        direction, key, missing = self.association(found)  # (F, in), (F, in), (F, out)
        u = direction
        if self.hparams.mom2_adjustment:
            u = self.materials.whitened(layer, direction, self.hparams.mom2_ridge).float()
        u = u / u.norm(dim=1, keepdim=True)
        # (W + v uᵀ) k = v* where v makes up for what is missing of v* at k.
        v = missing / (key * u).sum(1, keepdim=True)  # (F, out)
        module = backbone.architecture.mlp_out.format(layer)
        return [Delta({module: LowRank(U=v[fact, :, None], V=u[fact, :, None])}) for fact in range(len(requests))]

    def association(self, found: Found) -> tuple[Tensor, Tensor, Tensor]:
        """Return what becomes u, the key at which v* is written, and v* - W k there.

        As published, u is of the mean key, but v* is written at the key of the bare prompt, where v* - W k is δ.
        """
        return found.key, found.bare_key, found.delta[0]
