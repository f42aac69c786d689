"""Our covariances in the layout in which EasyEdit looks for its own, so that both engines share them."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from torch import Tensor

# What the files' names say: text, number of samples, precision. They hold the text that the backbone's entry names.
DATASET, SAMPLES, PRECISION = "wikipedia", 100_000, "float32"


def statistics_file(folder: Path, model: str, module: str) -> Path:
    """Return where EasyEdit looks for the second moments of what goes into a module."""
    return folder / model / f"{DATASET}_stats" / f"{module}_{PRECISION}_mom2_{SAMPLES}.npz"


def write_statistics(folder: Path, model: str, moments: Mapping[str, Tensor]) -> None:
    """Write the second moments (in, in) of each module's input, by the module's name."""
    for module, moment in moments.items():
        path = statistics_file(folder, model, module)
        path.parent.mkdir(parents=True, exist_ok=True)
        # EasyEdit keeps a sum and how many keys are in it; a mean is the sum over one.
        fields = {"mom2.count": 1, "mom2.mom2": moment.float().cpu().numpy(), "sample_size": SAMPLES}
        np.savez(path, allow_pickle=False, **{name: np.asarray(value) for name, value in fields.items()})
