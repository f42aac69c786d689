"""What pages of one file are made with: templates, data and scripts that stand in the page itself.

Texts from models and data are only ever data in it: templates show them as text, `inert` as JSON that is nothing more,
and by `allowed` no script runs but the page's own.
"""

import base64
import hashlib
import json
import re
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup


def environment(package: str) -> Environment:
    """Return what fills the package's templates; those of this one, for all, may be included by their names."""
    return Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("crossedit")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def inert(value: Any) -> Markup:
    """Return the value as JSON that can stand in a <script> element: nothing in it ends that, or is more than data.

    Halves of letters that texts may hold are written by their numbers, since no file in UTF-8 can hold them. Raises
    ValueError for a number that is none.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(re.sub("[<>&\u2028\u2029\ud800-\udfff]", lambda mark: f"\\u{ord(mark[0]):04x}", text))


def allowed(script: str) -> str:
    """Return the source expression by which a Content-Security-Policy lets this script run, and no other."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
