"""The page, and what the terminal shows."""

from pathlib import Path
from typing import Any

import click

from crossedit.options import Lists
from crossedit.reports.cli.options import (
    CAPABILITY,
    COMPARISONS,
    ENTRY,
    FACT_SCORES,
    FILE,
    OUTCOMES,
    PREDICTIONS,
    SCORES,
    TABLE_1,
    TASK_SCORES,
    WEIGHT_CHANGES,
    ListsJob,
    files,
    read,
    read_sweeps,
)


@click.command(cls=ListsJob)
@SCORES
@TABLE_1
@COMPARISONS
@OUTCOMES
@TASK_SCORES
@FACT_SCORES
@WEIGHT_CHANGES
@CAPABILITY
@files("figures", "What `crossedit reports figures` drew; the .svg ones are put into the page.")
@PREDICTIONS
@click.option(
    "--backbones",
    multiple=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folders of trained backbones, each BACKBONE/model with recipe.json in it.",
)
@files("summaries", "summary.json of facts, machine.json and summary.json of translation, each in STAGE/FACTS/.")
@click.option(
    "--results",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Where jobs have left their records; with a whole configuration as --entry they say how it stands.",
)
@click.option(
    "--configfile", multiple=True, metavar="FILE …", help="As Snakemake was given: what commands on the page name."
)
@ENTRY
@FILE
def page(
    scores: tuple[Path, ...],
    table_1: tuple[Path, ...],
    comparisons: tuple[Path, ...],
    outcomes: tuple[Path, ...],
    task_scores: tuple[Path, ...],
    fact_scores: tuple[Path, ...],
    weight_changes: tuple[Path, ...],
    capability: tuple[Path, ...],
    figures: tuple[Path, ...],
    predictions: tuple[Path, ...],
    backbones: tuple[Path, ...],
    summaries: tuple[Path, ...],
    results: Path | None,
    configfile: tuple[str, ...],
    entry: dict[str, Any],
    out: Path,
) -> None:
    """Write the page that shows everything; it needs no other file."""
    from crossedit.reports.page import Sources, write
    from crossedit.reports.page import page as html
    from crossedit.reports.page.standing import standing

    recipes = [folder / "recipe.json" for folder in backbones]
    swept = (*task_scores, *fact_scores, *weight_changes)
    sweeps = read_sweeps(entry, task_scores, fact_scores, weight_changes)
    known, _ = read(scores, entry, sweeps, others=(*table_1, *summaries, *capability))
    sources = Sources(table_1, comparisons, outcomes, capability, figures, predictions, recipes, summaries, results)
    inputs = [*scores, *table_1, *comparisons, *outcomes, *swept, *capability, *recipes, *summaries]
    write(html(entry, known, sweeps, sources, inputs, standing(entry, results, configfile)), out)


@click.command(cls=Lists)
@SCORES
@TASK_SCORES
@ENTRY
@click.option("--page", type=click.Path(path_type=Path), help="The page to name at the end.")
def show(scores: tuple[Path, ...], task_scores: tuple[Path, ...], entry: dict[str, Any], page: Path | None) -> None:
    """Print Table 2 where there are cells, and a line for each sweep and backbone."""
    from crossedit.reports import bizsre
    from crossedit.reports.sweep_findings import lines
    from crossedit.reports.terminal import show as print_sheet

    sweeps = read_sweeps(entry, task_scores)
    known, grid = read(scores, entry, sweeps)
    for facts in grid.edited:
        print_sheet(bizsre.table_2(known, grid, facts, grid.protocol))
    for line in lines(sweeps):
        click.echo(line)
    if page is not None:
        click.echo(f"The whole report: {page.resolve()}")
