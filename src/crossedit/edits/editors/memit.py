"""MEMIT: Mass-Editing Memory in a Transformer (Meng et al., 2023).

For each fact, gradient descent finds the state z of the subject's last token at the output of the last edited layer
that makes the model give the new answer (section 4.2, eq. 16). From the lowest edited layer up, what is then missing
of z is shared evenly among the layers left (eq. 20), and each MLP output projection is changed so that it adds its
share at the facts' keys (eq. 19) and as little as possible elsewhere (eq. 14):

    Δ = R Kᵀ (λC + K Kᵀ)⁻¹
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from crossedit.backbones.backbone import Backbone
from crossedit.edits.deltas import Delta
from crossedit.edits.editors.interface import Editor
from crossedit.edits.keys import spread
from crossedit.edits.requests import Request
from crossedit.edits.values import ValueHparams, find_values


@dataclass(frozen=True, kw_only=True)
class MassHparams(ValueHparams):
    """What MEMIT and its relatives share. layers: those to edit; the last one is where z is found.

    mom2_adjustment: whether C is the covariance of the layer's keys; the identity if not.
    context_template_length_params: [[length in tokens, number of texts], …] of the texts before the prompt.
    bare_prompt_share: what the prompt without such a text counts in the mean key; null: as much as with each (eq. 19);
    the published code has 0.5.
    """

    layers: list[int]
    mom2_adjustment: bool
    context_template_length_params: list[list[int]] = field(default_factory=lambda: [[10, 5]])
    bare_prompt_share: float | None = None


@dataclass(frozen=True, kw_only=True)
class MEMITHparams(MassHparams):
    """mom2_update_weight: λ, how much keeping the old associations weighs. mom2_ridge: what is added to C's diagonal,
    as a share of its mean, where C is of too little text to be inverted alone.
    """

    mom2_update_weight: float
    mom2_ridge: float = 0.0


class MEMIT(Editor):
    Hparams: ClassVar[type[MassHparams]] = MEMITHparams
    holds_many = True

    def edit_each(self, backbone: Backbone, requests: Sequence[Request]) -> list[Delta]:
        return self._write(backbone, requests, together=False)

    def edit(self, backbone: Backbone, requests: Sequence[Request]) -> Delta:
        return self._write(backbone, requests, together=True)[0]

    def find(self, backbone: Backbone, requests: Sequence[Request], layer: int, contexts: Sequence[str]) -> Tensor:
        """Return z (F, H), what the output of `module` in that layer is to be at each subject's last token."""
        module = self.module(backbone, layer)
        found = find_values(backbone, requests, layer=layer, modules=[module], contexts=contexts, hparams=self.hparams)
        return found.before[0] + found.delta[0]

    def module(self, backbone: Backbone, layer: int) -> str:
        """Return the module whose output z is."""
        return backbone.architecture.layer.format(layer)

    def share(self, left: int) -> float:
        """Return the part of what is missing that a layer takes where `left` layers are left, itself among them."""
        return 1 / left

    def metric(self, layer: int, keys: Tensor) -> Tensor:
        """Return (λC)⁻¹ k for keys (n, in), so that the adjusted keys are (λC + K Kᵀ)⁻¹ K."""
        h = self.hparams
        whitened = self.materials.whitened(layer, keys, h.mom2_ridge) if h.mom2_adjustment else keys
        return whitened / h.mom2_update_weight

    def damping(self) -> float:
        return 1.0

    def _write(
        self, backbone: Backbone, requests: Sequence[Request], together: bool, earlier: Sequence[Request] = ()
    ) -> list[Delta]:
        layers = sorted(set(backbone.checked_layers(self.hparams.layers)))
        contexts = self.materials.context_templates(self.hparams.context_template_length_params)
        size = self.at_once if together else len(requests)
        kept, parts = (
            [group[start : start + size] for start in range(0, len(group), size)] for group in (earlier, requests)
        )
        return spread(
            backbone,
            [*kept, *parts],
            layers=layers,
            module=self.module(backbone, layers[-1]),
            target=torch.cat([self.find(backbone, part, layers[-1], contexts) for part in parts]),
            contexts=contexts,
            bare_share=self.hparams.bare_prompt_share,
            share=self.share,
            metric=self.metric,
            damping=self.damping(),
            together=together,
            kept=len(earlier),
        )
