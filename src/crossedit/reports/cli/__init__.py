"""`crossedit reports`: scores become tables, figures, one page."""

import click

from crossedit.reports.cli.compare import compare
from crossedit.reports.cli.diff import diff
from crossedit.reports.cli.figures import figures
from crossedit.reports.cli.page import page, show
from crossedit.reports.cli.partial import partial
from crossedit.reports.cli.tables import collect, write_published, write_tables


@click.group()
def commands() -> None:
    """Scores -> tables, figures, one page."""


for command in (collect, compare, write_tables, write_published, figures, page, partial, show, diff):
    commands.add_command(command)
