"""How data, pictures and scripts become parts of a page that needs nothing else."""

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

from markupsafe import Markup

from crossedit.errors import UserError


def inert(value: Any) -> Markup:
    """Return the value as JSON that can stand in a <script> element: nothing in it ends that, or is more than data.

    Halves of letters that texts may hold are written by their numbers, since no file in UTF-8 can hold them. Raises
    ValueError for a number that is none.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(re.sub("[<>&\u2028\u2029\ud800-\udfff]", lambda mark: f"\\u{ord(mark[0]):04x}", text))


def written(page: str) -> str:
    """Return the page with a sign in the place of what no file in UTF-8 can hold."""
    return re.sub("[\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", page)


def digest(script: str) -> str:
    """Return the source expression by which a Content-Security-Policy lets this script run, and no other."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def address(path: Path) -> str:
    """Return the SVG file as an address that holds the picture itself. Raises UserError where there is none."""
    try:
        picture = base64.b64encode(path.read_bytes()).decode()
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; draw it with `crossedit reports figures`.") from None
    return f"data:image/svg+xml;base64,{picture}"
