"""The artefact of a training: what was trained, on what, and how it went."""

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from crossedit.backbones.backbone import weights_digest
from crossedit.edits.training.state import Curve
from crossedit.errors import UserError
from crossedit.files import whole

COLUMNS = ("step", "training_loss", "edit_success", "locality", "loss")


@dataclass(frozen=True)
class Trained:
    """What an editor has learnt. manifest: its method, the digest of its backbone's weights, and more."""

    tensors: Mapping[str, Tensor]
    manifest: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """16 hexadecimal digits that stand for the artefact."""
        found: str = self.manifest["digest"]
        return found

    def fill(self, network: nn.Module, method: str, weights: str) -> None:
        """Give the network what was learnt. Raises UserError where it is of another method, backbone or shape."""
        if self.manifest["method"] != method:
            raise UserError(f"trained: is of {self.manifest['method']}, not of {method}; run `crossedit edits train`.")
        if self.manifest["backbone"]["weights"] != weights:
            name = self.manifest["backbone"]["name"]
            raise UserError(f"trained: {method} was trained for other weights (backbone '{name}'); train it again.")
        try:
            network.load_state_dict(self.tensors)
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[-1].strip()
            raise UserError(f"trained: {method} was trained with other hyperparameters ({reason})") from error

    def save(self, folder: Path, curve: Curve) -> None:
        """Write a folder: `trained.safetensors`, `manifest.json`, `curve.csv`."""
        with whole(folder) as temporary:
            temporary.mkdir()
            save_file(dict(self.tensors), temporary / "trained.safetensors")
            text = json.dumps(dict(self.manifest), ensure_ascii=False, indent=1)
            (temporary / "manifest.json").write_text(text, encoding="utf-8")
            with (temporary / "curve.csv").open("w", encoding="utf-8", newline="") as file:
                table = csv.DictWriter(file, COLUMNS)
                table.writeheader()
                table.writerows(curve)

    @classmethod
    def of(cls, network: nn.Module, manifest: Mapping[str, Any]) -> "Trained":
        """Return the artefact of a trained network; the manifest gets its digest."""
        # Copies, since safetensors refuses tensors that share their memory.
        tensors = {name: tensor.detach().cpu().clone() for name, tensor in network.state_dict().items()}
        return cls(tensors, {**manifest, "digest": weights_digest(network)})

    @classmethod
    def load(cls, folder: Path) -> "Trained":
        """Read an artefact. Raises UserError where the folder holds none."""
        try:
            manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
            return cls(load_file(folder / "trained.safetensors"), manifest)
        except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError, SafetensorError) as error:
            raise UserError(f"{folder}: holds nothing trained ({error}); run `crossedit edits train`.") from error
