"""`crossedit`: one group of commands per stage of the experiment, and commands for the experiment as a whole.

The functions only parse arguments; what they do is in the packages. Heavy imports happen inside them, so that a command
that needs no model starts at once.
"""

import gc
import importlib
import sys

import click

from crossedit.errors import UserError

STAGES = ("facts", "translation", "backbones", "edits", "sweeps", "reports")
RUNS = ("plan", "status", "rerun")


class Stages(click.Group):
    """Load a stage's commands only when that stage is named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*RUNS, *STAGES, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name in STAGES:
            group: click.Group = importlib.import_module(f"crossedit.{name}.cli").commands
            return group
        if name in RUNS:
            command: click.Command = getattr(importlib.import_module("crossedit.runs.cli"), name)
            return command
        return super().get_command(ctx, name)


@click.group(cls=Stages)
@click.version_option(package_name="crossedit")
def commands() -> None:
    """Measure what edits of facts really do to a language model."""


def main() -> None:
    """Run the command line; a mistake of the user's is one sentence and exit code 2."""
    # A model library makes half a million objects when it is imported, which all stay. To search them for garbage while
    # they become more, and again at the end, takes a third of a small job's time. Young objects are still searched.
    gc.set_threshold(700, 10, 1000)
    try:
        commands()
    except UserError as error:
        click.echo(f"crossedit: {error}", err=True)
        sys.exit(2)
    finally:
        gc.freeze()
