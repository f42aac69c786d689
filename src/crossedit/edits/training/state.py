"""What a training that was killed goes on from: one safetensors file with everything that its next step depends on."""

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from crossedit.files import whole

# A row per validation.
Curve = list[dict[str, float | None]]


@dataclass
class State:
    """How far a training is: episodes so far, its curve, and the best network by now (lower values are better)."""

    step: int = 0
    best_step: int = 0
    best_value: float = math.inf
    curve: Curve = field(default_factory=list)
    best: dict[str, Tensor] = field(default_factory=dict)

    def save(self, path: Path, digest: str, network: nn.Module, optimiser: torch.optim.Optimizer) -> None:
        """Write the state, the network and the optimiser, in the place of what was there before."""
        moments = optimiser.state_dict()["state"]
        tensors = {
            **{f"network/{name}": tensor for name, tensor in network.state_dict().items()},
            **{f"best/{name}": tensor for name, tensor in self.best.items()},
            **{f"optimiser/{number}/{name}": value for number, kept in moments.items() for name, value in kept.items()},
        }
        told = {name: value for name, value in vars(self).items() if name != "best"}
        with whole(path) as temporary:
            # Copies, since safetensors refuses tensors that share their memory.
            copies = {name: tensor.detach().cpu().clone() for name, tensor in tensors.items()}
            save_file(copies, temporary, metadata={"digest": digest, "state": json.dumps(told)})

    @classmethod
    def load(cls, path: Path, digest: str, network: nn.Module, optimiser: torch.optim.Optimizer) -> "State | None":
        """Fill network and optimiser from the file. Returns None, filling nothing, where it is of another training."""
        try:
            with safe_open(path, framework="pt") as stored:
                told = stored.metadata()
                if told.get("digest") != digest:
                    return None
                tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118 - no dict
        except (FileNotFoundError, SafetensorError):
            return None
        parts: dict[str, dict[str, Tensor]] = {"network": {}, "best": {}, "optimiser": {}}
        for name, tensor in tensors.items():
            part, rest = name.split("/", 1)
            parts[part][rest] = tensor
        network.load_state_dict(parts["network"])
        moments: dict[int, dict[str, Any]] = {}
        for name, tensor in parts["optimiser"].items():
            number, kind = name.split("/")
            moments.setdefault(int(number), {})[kind] = tensor
        optimiser.load_state_dict({**optimiser.state_dict(), "state": moments})
        return cls(**json.loads(told["state"]), best=parts["best"])
