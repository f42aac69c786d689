"""Command line options that hold JSON: sections of the configuration, names of a cell."""

import json
from typing import Any

import click

from crossedit.errors import UserError


def parse_json(_: click.Context, option: click.Parameter, value: str) -> dict[str, Any]:
    """Return the option's JSON object. Raises UserError where it is none."""
    try:
        found = json.loads(value)
    except json.JSONDecodeError as error:
        raise UserError(f"--{option.name}: not JSON ({error}): {value[:60]}") from None
    if not isinstance(found, dict):
        raise UserError(f"--{option.name}: '{value[:60]}' is no JSON object; give a section of the configuration.")
    return found
