"""Which cell, backbone or facts a file is about: its place in the results folder says it."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from crossedit.errors import UserError


class Place(NamedTuple):
    """The names of a cell."""

    facts: str
    backbone: str
    editor: str
    edit_lang: str


def cell_of(path: Path) -> Place:
    """Return the cell of a file that lies in edits/FACTS/BACKBONE/EDITOR/LANGUAGE/."""
    names = path.parts[-5:-1]
    if len(names) < 4:
        raise UserError(f"{path}: it must lie in a folder FACTS/BACKBONE/EDITOR/LANGUAGE/, which says what it is of.")
    return Place(*names)


def owner_of(path: Path) -> str:
    """Return the facts or backbone of a file that lies in its folder, or in the `model` folder there."""
    folder = path.parent.parent if path.parent.name == "model" else path.parent
    if not folder.name:
        raise UserError(f"{path}: it must lie in a folder that has the name of what it is of.")
    return folder.name


def read_json(path: Path) -> dict[str, Any]:
    """Return the file's JSON object. Raises UserError where it is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file.") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not JSON ({error}).") from None
    if not isinstance(found, dict):
        raise UserError(f"{path}: holds no JSON object.")
    return found
