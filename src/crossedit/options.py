"""What command lines share: options that hold JSON, such as sections of the configuration, or several values."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from crossedit.errors import UserError

FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)


class Lists(click.Command):
    """A command whose repeatable options also take several values: `--scores a b c`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        repeatable = {
            name
            for option in self.params
            if isinstance(option, click.Option) and option.multiple
            for name in option.opts
        }
        spelled: list[str] = []
        current = ""
        for arg in args:
            if arg.startswith("--"):
                current = arg if arg in repeatable else ""
                spelled += [] if current else [arg]
            else:
                spelled += [current, arg] if current else [arg]
        return super().parse_args(ctx, spelled)


def parse_json(_: click.Context, option: click.Parameter, value: str) -> dict[str, Any]:
    """Return the option's JSON object. Raises UserError where it is none."""
    try:
        found = json.loads(value)
    except json.JSONDecodeError as error:
        raise UserError(f"{option.opts[0]}: not JSON ({error}): {value[:60]}") from None
    if not isinstance(found, dict):
        raise UserError(f"{option.opts[0]}: '{value[:60]}' is no JSON object; give a section of the configuration.")
    return found


def all_of(*options: Callable[..., Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return what adds several options to a command, as if they stood above it in this order."""

    def add(command: Callable[..., None]) -> Callable[..., None]:
        for option in reversed(options):
            command = option(command)
        return command

    return add


model_options = all_of(
    click.option("--name", required=True, help="The backbone's name in the config."),
    click.option("--entry", required=True, callback=parse_json, help="JSON: the backbone's config."),
)
