"""What a checkpoint says of itself, in the `checkpoint.json` of its folder. Nothing here needs a model."""

import json
from pathlib import Path
from typing import Any

from crossedit.errors import UserError

MANIFEST = "checkpoint.json"


def manifest(folder: Path) -> dict[str, Any]:
    """Return what a checkpoint says of itself, without its tensors. Raises UserError where the folder holds none."""
    try:
        told: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError) as error:
        raise UserError(f"{folder}: holds no checkpoint ({error}); run `crossedit sweeps edit`.") from error
    return told
