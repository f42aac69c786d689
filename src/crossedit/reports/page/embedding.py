"""How pictures become parts of a page, and the page a file."""

import base64
import re
from pathlib import Path

from crossedit.errors import UserError


def written(page: str) -> str:
    """Return the page with a sign in the place of what no file in UTF-8 can hold."""
    return re.sub("[\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", page)


def address(path: Path) -> str:
    """Return the SVG file as an address that holds the picture itself. Raises UserError where there is none."""
    try:
        picture = base64.b64encode(path.read_bytes()).decode()
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; draw it with `crossedit reports figures`.") from None
    return f"data:image/svg+xml;base64,{picture}"
