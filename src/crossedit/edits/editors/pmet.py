"""PMET: Precise Model Editing in a Transformer (Li et al., 2024).

MEMIT's z is a state of the whole layer, of which the MLP is only a part. PMET moves the outputs of attention and MLP
by a δ each (section 4.1, eq. 12), so that what attention should do differently is not asked of the MLP, and then
brings only the MLP's output to its value. What is missing is shared by the root of the number of layers left (4.3).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from crossedit.backbones.backbone import Backbone
from crossedit.edits.editors.memit import MEMIT, MEMITHparams
from crossedit.edits.requests import Request
from crossedit.edits.values import Easing, find_values


@dataclass(frozen=True, kw_only=True)
class PMETHparams(MEMITHparams):
    """nll_loss_factor: what the new answer's loss counts.

    nll_loss_easing: what it counts of that once the answer's tokens are the likeliest in every context; the search
    then ends as soon as the term of kl_factor is at most kl_tolerance.
    """

    nll_loss_factor: float = 1.0
    nll_loss_easing: float = 0.1
    kl_tolerance: float = 0.01


class PMET(MEMIT):
    Hparams = PMETHparams

    def find(self, backbone: Backbone, requests: Sequence[Request], layer: int, contexts: Sequence[str]) -> Tensor:
        h = self.hparams
        found = find_values(
            backbone,
            requests,
            layer=layer,
            modules=[backbone.architecture.attention_out.format(layer), self.module(backbone, layer)],
            contexts=contexts,
            hparams=h,
            easing=Easing(h.nll_loss_factor, h.nll_loss_factor * h.nll_loss_easing, h.kl_tolerance),
        )
        return found.before[1] + found.delta[1]

    def module(self, backbone: Backbone, layer: int) -> str:
        return backbone.architecture.mlp.format(layer)

    def share(self, left: int) -> float:
        return 1 / math.sqrt(left)
