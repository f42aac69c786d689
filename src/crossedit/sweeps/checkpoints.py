"""Checkpoints: what a model has become after some edits, kept as the sum of their deltas.

checkpoint = Checkpoint.load(folder, backbone)
with merged(backbone, checkpoint.delta): …        the model as it is after the edits
checkpoint.save(folder)                           tensors of the changed modules only, and who was edited
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossedit.backbones.backbone import Backbone
from crossedit.edits.deltas import Delta
from crossedit.errors import UserError
from crossedit.files import whole
from crossedit.models import matrix
from crossedit.sweeps.manifest import MANIFEST, manifest


@dataclass(frozen=True)
class Checkpoint:
    """The sum of all deltas so far. cases: the facts in them, in the order in which they were edited.

    made_of: what decides about the edits (backbone, method, hyperparameters, seed, …), in JSON values.
    """

    delta: Delta
    edits: int
    batch_size: int
    cases: Sequence[int]
    made_of: Mapping[str, Any]

    @property
    def place(self) -> dict[str, int]:
        """Which of its sweep's checkpoints it is."""
        return {"edits": self.edits, "batch_size": self.batch_size}

    @property
    def origin(self) -> dict[str, Any]:
        """What is said of it in the provenance of what is asked of it."""
        return {"checkpoint": self.place, "made_of": dict(self.made_of)}

    def save(self, folder: Path, backbone: Backbone, seconds: float) -> None:
        """Write a folder: `delta/` (safetensors and manifest), and `checkpoint.json`, which also says by how much each
        matrix has changed, and how many seconds its last edits took."""
        manifest = {
            **self.place,
            "cases": list(self.cases),
            "made_of": dict(self.made_of),
            "changes": weight_changes(backbone, self.delta),
            "seconds": round(seconds, 3),
        }
        with whole(folder) as temporary:
            temporary.mkdir()
            self.delta.save(temporary / "delta")
            (temporary / MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False, indent=1), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, backbone: Backbone) -> "Checkpoint":
        """Read a checkpoint. Raises UserError where there is none, or one of another backbone."""
        told = manifest(folder)
        weights = told["made_of"]["backbone"]["weights"]
        if weights != backbone.digest:
            raise UserError(
                f"{folder}: is a checkpoint of other weights ({weights}) than those of '{backbone.name}' "
                f"({backbone.digest}); make it again."
            )
        delta = Delta.load(folder / "delta", backbone.device)
        return cls(delta, told["edits"], told["batch_size"], told["cases"], told["made_of"])


def weight_changes(backbone: Backbone, delta: Delta) -> list[dict[str, Any]]:
    """Return for each changed matrix W: module, layer, `norm` ‖ΔW‖ (Frobenius) and `relative` ‖ΔW‖ / ‖W‖.

    Both are None where a collapsed model has no such number.
    """
    rows = []
    for name, term in sorted(delta.terms.items()):
        weight = matrix(backbone.module(name)).float()
        norm = term.dense(*weight.shape).norm().item()
        known = math.isfinite(norm)
        layer = re.search(r"\.(\d+)\.", name)
        rows.append(
            {
                "module": name,
                "layer": int(layer[1]) if layer else -1,
                "norm": norm if known else None,
                "relative": norm / weight.norm().item() if known else None,
            }
        )
    return rows
