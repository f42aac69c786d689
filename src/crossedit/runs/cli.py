"""`crossedit plan`, `crossedit status`, `crossedit rerun`: an experiment before, while and after it runs."""

import json
import shlex
import sys
from pathlib import Path

import click

from crossedit.options import Lists, all_of
from crossedit.runs.experiment import DEFAULT, Experiment

experiment_options = all_of(
    click.option("--configfile", multiple=True, metavar="FILE …", help=f"As for Snakemake (default: {DEFAULT})."),
    click.option("--config", "overrides", multiple=True, metavar="KEY=VALUE …", help="As for Snakemake."),
    click.option("--profile", help="The profile that the commands shown are to use, such as slurm."),
)
_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON instead.")


@click.command(cls=Lists)
@experiment_options
@_AS_JSON
def plan(configfile: tuple[str, ...], overrides: tuple[str, ...], profile: str | None, as_json: bool) -> None:
    """Show what would run now and what it takes: jobs, GPU hours, storage, the cost of translations.

    The jobs are those of `snakemake --dry-run`. Hours are known from earlier runs of the same rule, backbone and
    editor, else estimated; storage and tokens are estimated.
    """
    from crossedit.runs.plan import Plan

    found = Plan.of(Experiment.of(configfile, overrides, profile))
    if as_json:
        click.echo(json.dumps(found.document(), ensure_ascii=False, indent=1))
    else:
        from crossedit.runs.plan_terminal import show

        show(found)


@click.command(cls=Lists)
@experiment_options
@_AS_JSON
@click.option("--page", type=click.Path(path_type=Path, dir_okay=False), help="Write the same as an HTML page.")
@click.option("--fail", is_flag=True, help="End with exit code 1 where anything has failed; else it is 0.")
def status(
    configfile: tuple[str, ...],
    overrides: tuple[str, ...],
    profile: str | None,
    as_json: bool,
    page: Path | None,
    fail: bool,
) -> None:
    """Show what is done, running, failed and missing.

    For what has failed, also why, the end of its log, and the command that runs it again.
    """
    from crossedit.runs.status import Status

    found = Status.of(Experiment.of(configfile, overrides, profile))
    if page is not None:
        from crossedit.runs.page import write

        write(found, page)
        click.echo(f"The page: {page.resolve()}", err=True)
    if as_json:
        from crossedit.runs.document import document

        click.echo(json.dumps(document(found), ensure_ascii=False, indent=1))
    else:
        from crossedit.runs.terminal import show

        show(found)
    if fail and found.failed:
        sys.exit(1)


@click.command(cls=Lists)
@click.argument("cell")
@experiment_options
@click.option("--run", is_flag=True, help="Run the command, and end as it ends.")
def rerun(cell: str, configfile: tuple[str, ...], overrides: tuple[str, ...], profile: str | None, run: bool) -> None:
    """Print the command that makes one CELL again, and nothing else.

    CELL is named as by `crossedit status`: FACTS/BACKBONE/EDITOR/LANGUAGE, SWEEP/BACKBONE, SWEEP/BACKBONE/STOP, or the
    path of an output that several of them share. What it lacks is made; where it lacks nothing, it is made anew.
    """
    from crossedit.runs.chains import Chains
    from crossedit.runs.dryrun import snakemake
    from crossedit.runs.rerun import check_idle, command
    from crossedit.runs.states import Survey

    experiment = Experiment.of(configfile, overrides, profile)
    chains = Chains.of(experiment.config)
    survey = Survey(experiment.config, chains.rules)
    chain = chains.named(cell)
    check_idle(chain, survey)
    words = command(experiment, chain, survey)
    if run:
        sys.exit(snakemake(words).returncode)
    click.echo(shlex.join(words))
