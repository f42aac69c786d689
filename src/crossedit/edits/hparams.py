"""Hyperparameters: the published defaults, a block per backbone, and what the config adds."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from crossedit.errors import UserError, nearest
from crossedit.files import read_yaml

FOLDER = Path("resources/hparams")


def hparams_of(
    method: str, block: str, extra: Mapping[str, Any] | None = None, folder: Path = FOLDER
) -> dict[str, Any]:
    """Return the defaults of `<folder>/<method>.yaml`, overlaid by its block of that name (if any) and by `extra`.

    Raises UserError where the method has no file or the file is no YAML mapping.
    """
    defaults, blocks = _document(method, folder)
    return {**defaults, **blocks.get(block, {}), **(extra or {})}


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
