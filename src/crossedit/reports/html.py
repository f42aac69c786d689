"""The templates of the HTML files. Whatever is put into them is shown as text."""

import json
from functools import cache
from typing import Any

from jinja2 import Environment

from crossedit import pages
from crossedit.reports.naming import asked, language


def render(template: str, **values: Any) -> str:
    """Return the template, filled."""
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> Environment:
    environment = pages.environment("crossedit.reports")
    environment.filters |= {"language": language, "asked": asked, "json": _json}
    return environment


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
