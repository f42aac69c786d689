"""Hyperparameters: the published defaults, a block per backbone, and what the config adds."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from crossedit.errors import UserError, nearest
from crossedit.files import read_yaml

FOLDER = Path("resources/hparams")
# Without any there is nothing to compute.
_AT_LEAST_ONE = frozenset(
    {"v_num_grad_steps", "num_steps", "n_iter", "steps", "batch_size", "accumulate_bs", "val_interval", "rank"}
)


def hparams_of(
    method: str, block: str, extra: Mapping[str, Any] | None = None, folder: Path = FOLDER
) -> dict[str, Any]:
    """Return the defaults of `<folder>/<method>.yaml`, overlaid by its block of that name (if any) and by `extra`.

    Raises UserError where the method has no file or the file is no YAML mapping.
    """
    defaults, blocks = _document(method, folder)
    return {**defaults, **blocks.get(block, {}), **(extra or {})}


def check_hparams(where: str, method: str, extra: Mapping[str, Any]) -> None:
    """Raise UserError for the first of an editor's own hyperparameters that its method doesn't have or can't take."""
    defaults = hparams_of(method, "")
    for field, value in extra.items():
        if field not in defaults:
            hint = nearest(field, defaults)
            raise UserError(f"{where}.{field}: {method} has no such hyperparameter; {hint}")
        default = defaults[field]
        number = type(default) in (int, float) and isinstance(value, int | float) and not isinstance(value, bool)
        if default is not None and not number and not isinstance(value, type(default)):
            raise UserError(f"{where}.{field}: {value!r} is no value for it; it must be like {default!r}.")
        # What is a whole number by default counts something, or weighs it.
        least = 1 if field in _AT_LEAST_ONE else 0
        if type(default) is int and value < least:
            raise UserError(f"{where}.{field}: {value} is too small; it must be at least {least}.")
        if field == "layers" and not all(isinstance(layer, int) and layer >= 0 for layer in value):
            raise UserError(f"{where}.layers: {value} are no layers; write whole numbers from 0, as in {default}.")


def blocks_of(method: str, folder: Path = FOLDER) -> set[str]:
    """Return the names of the method's blocks."""
    return set(_document(method, folder)[1])


def _document(method: str, folder: Path) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    path = folder / f"{method}.yaml"
    try:
        return _read(path, path.stat().st_mtime_ns)
    except FileNotFoundError:
        known = nearest(method, [other.stem for other in folder.glob("*.yaml")])
        raise UserError(f"{path}: no such file, so method '{method}' has no hyperparameters; {known}") from None
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise UserError(f"{path}: must be YAML with `defaults` and `blocks`: {error}") from error


@cache  # Snakemake asks for them for each of thousands of jobs
def _read(path: Path, _changed: int) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    document = read_yaml(path)
    return document["defaults"], document.get("blocks", {})
