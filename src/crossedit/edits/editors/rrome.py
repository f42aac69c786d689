"""R-ROME (Gupta et al., 2024, "Rebuilding ROME: Resolving Model Collapse during Sequential Model Editing").

ROME's derivation has one key k*, but its code puts two in: the mean over contexts in the direction u, and that of the
bare prompt in the denominator. Where they differ much, the denominator nears zero and the update ruins the model.
R-ROME has the same key in both places (section 4).
"""

from dataclasses import dataclass

from torch import Tensor

from crossedit.edits.editors.rome import ROME, ROMEHparams
from crossedit.edits.values import Found


@dataclass(frozen=True, kw_only=True)
class RROMEHparams(ROMEHparams):
    """enable_random_prefix_keys: the key is the mean over all contexts (R-ROME); else the bare prompt's (p-ROME)."""

    enable_random_prefix_keys: bool = True


class RROME(ROME):
    Hparams = RROMEHparams

    def association(self, found: Found) -> tuple[Tensor, Tensor, Tensor]:
        if self.hparams.enable_random_prefix_keys:
            # W k* of the mean key is the mean of the outputs, since W is linear.
            return found.key, found.key, found.before[0] + found.delta[0] - found.mean_before[0]
        return found.bare_key, found.bare_key, found.delta[0]
