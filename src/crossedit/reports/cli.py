"""`crossedit reports`: scores become tables, figures, one page."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crossedit.claims import Job
from crossedit.options import Lists, parse_json

if TYPE_CHECKING:
    from crossedit.reports.grid import Grid
    from crossedit.reports.scores import Scores
    from crossedit.reports.sweeps import Sweeps


class ListsJob(Lists, Job):
    """Such a command that a rule calls."""


def _files(name: str, help: str) -> Any:
    return click.option(f"--{name}", multiple=True, type=click.Path(path_type=Path, dir_okay=False), help=help)


_SCORES = _files("scores", "Scores tables: those of all cells, or the collected one; none where there is else to show.")
_TABLE_1 = _files("table-1", "What `crossedit translation statistics` wrote, in a folder with the facts' name.")
_ENTRY = click.option(
    "--entry",
    default="{}",
    callback=parse_json,
    help="JSON: the configuration, or some of facts, backbones, editors, languages, evaluation_languages, protocols, "
    "include, exclude, reports, tasks, sweeps: what is shown, in its order. Default: whatever has scores.",
)
_CORRECTED = _files("corrected", "summary.json of `crossedit translation correct`, each in translation/FACTS/.")
_TASK_SCORES = _files("task-scores", "Task scores of all sweeps.")
_FACT_SCORES = _files("fact-scores", "Scores of the facts that sweeps edited.")
_WEIGHT_CHANGES = _files("weight-changes", "What sweeps changed in the weights.")
_FOLDER = click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder.")
_FILE = click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="File.")


@click.group()
def commands() -> None:
    """Scores -> tables, figures, one page."""


@commands.command(cls=ListsJob)
@_SCORES
@_FILE
def collect(scores: tuple[Path, ...], out: Path) -> None:
    """Put the scores of all cells into one table."""
    from crossedit import files, tables
    from crossedit.reports import VERSION
    from crossedit.reports.scores import collect as together

    frame = together(scores)
    inputs = {str(path): files.digest(path) for path in scores}
    tables.write(frame, tables.SCORES, out, {"stage": "reports", "version": VERSION, "inputs": inputs})


@commands.command("tables", cls=ListsJob)
@_SCORES
@_TABLE_1
@_CORRECTED
@_TASK_SCORES
@_FACT_SCORES
@_ENTRY
@_FOLDER
def write_tables(
    scores: tuple[Path, ...],
    table_1: tuple[Path, ...],
    corrected: tuple[Path, ...],
    task_scores: tuple[Path, ...],
    fact_scores: tuple[Path, ...],
    entry: dict[str, Any],
    out: Path,
) -> None:
    """Write table_1_FACTS, table_2_FACTS_PROTOCOL and locality_FACTS_PROTOCOL as .csv, .md, .tex and .html.

    For translated facts also corrections_FACTS, agreement_FACTS, likeness_FACTS and changes_FACTS; for each sweep
    side_effects_SWEEP_PROTOCOL, answers_SWEEP_PROTOCOL and edited_facts_SWEEP.
    """
    from crossedit import tables
    from crossedit.reports import bizsre, side_effects, translation
    from crossedit.reports.owners import owner_of, read_json
    from crossedit.reports.sheets import write

    sweeps = _read_sweeps(entry, task_scores, fact_scores)
    known, grid = _read(scores, entry, sweeps, others=(*table_1, *corrected))
    for path in table_1:
        write(bizsre.table_1(tables.read(path, tables.TABLE_1), owner_of(path)), out)
    for path in corrected:
        for sheet in translation.sheets(read_json(path), owner_of(path)):
            write(sheet, out)
    for facts in grid.edited:
        for protocol in grid.protocols:
            write(bizsre.table_2(known, grid, facts, protocol), out)
            write(bizsre.locality(known, grid, facts, protocol), out)
    for sheet in side_effects.sheets(sweeps, grid.langs, grid.protocol):
        write(sheet, out)


@commands.command(cls=ListsJob)
@_SCORES
@_TASK_SCORES
@_FACT_SCORES
@_WEIGHT_CHANGES
@_ENTRY
@_FOLDER
def figures(
    scores: tuple[Path, ...],
    task_scores: tuple[Path, ...],
    fact_scores: tuple[Path, ...],
    weight_changes: tuple[Path, ...],
    entry: dict[str, Any],
    out: Path,
) -> None:
    """Draw radar_FACTS_BACKBONE_LANGUAGE as .pdf, .svg and .png, each backbone and editing language.

    For each setting of sweeps also side_effects_SETTING_PROTOCOL, edited_facts_SETTING, weights_SETTING and, where
    edits follow each other, forgetting_SETTING.
    """
    from crossedit.progress import track
    from crossedit.reports import drawing, radar
    from crossedit.reports.sweep_figures import pictures

    sweeps = _read_sweeps(entry, task_scores, fact_scores, weight_changes)
    known, grid = _read(scores, entry, sweeps)
    charts = [
        (facts, *place)
        for facts in grid.edited
        for place in dict.fromkeys((backbone, edit_lang) for backbone, edit_lang, _ in grid.rows(facts))
    ]
    for facts, backbone, edit_lang in track(charts, "drawing"):
        radar.write(known, grid, facts, backbone, edit_lang, out)
    for picture in track(list(pictures(sweeps, grid.langs, grid.protocol)), "drawing sweeps"):
        drawing.write(picture.name, picture.draw, out)


@commands.command(cls=ListsJob)
@_SCORES
@_TABLE_1
@_TASK_SCORES
@_FACT_SCORES
@_WEIGHT_CHANGES
@_files("figures", "Radar charts and figures of sweeps; the .svg ones are put into the page.")
@_files("predictions", "Predictions of all cells, each in FACTS/BACKBONE/EDITOR/LANGUAGE/.")
@click.option(
    "--backbones",
    multiple=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folders of trained backbones, each BACKBONE/model with recipe.json in it.",
)
@_files("summaries", "summary.json of facts, machine.json and summary.json of translation, each in STAGE/FACTS/.")
@click.option("--results", type=click.Path(path_type=Path, file_okay=False), help="Where jobs have left their records.")
@_ENTRY
@_FILE
def page(
    scores: tuple[Path, ...],
    table_1: tuple[Path, ...],
    task_scores: tuple[Path, ...],
    fact_scores: tuple[Path, ...],
    weight_changes: tuple[Path, ...],
    figures: tuple[Path, ...],
    predictions: tuple[Path, ...],
    backbones: tuple[Path, ...],
    summaries: tuple[Path, ...],
    results: Path | None,
    entry: dict[str, Any],
    out: Path,
) -> None:
    """Write the page that shows everything; it needs no other file."""
    from crossedit.files import whole
    from crossedit.reports.page import Sources
    from crossedit.reports.page import page as html

    recipes = [folder / "recipe.json" for folder in backbones]
    swept = (*task_scores, *fact_scores, *weight_changes)
    sweeps = _read_sweeps(entry, task_scores, fact_scores, weight_changes)
    known, _ = _read(scores, entry, sweeps, others=(*table_1, *summaries))
    sources = Sources(table_1, figures, predictions, recipes, summaries, results)
    text = html(entry, known, sweeps, sources, inputs=[*scores, *table_1, *swept, *recipes, *summaries])
    with whole(out) as temporary:
        temporary.write_text(text, encoding="utf-8")


@commands.command(cls=Lists)
@_SCORES
@_TASK_SCORES
@_ENTRY
@click.option("--page", type=click.Path(path_type=Path), help="The page to name at the end.")
def show(scores: tuple[Path, ...], task_scores: tuple[Path, ...], entry: dict[str, Any], page: Path | None) -> None:
    """Print Table 2 where there are cells, and a line for each sweep and backbone."""
    from crossedit.reports import bizsre
    from crossedit.reports.sweep_findings import lines
    from crossedit.reports.terminal import show as print_sheet

    sweeps = _read_sweeps(entry, task_scores)
    known, grid = _read(scores, entry, sweeps)
    for facts in grid.edited:
        print_sheet(bizsre.table_2(known, grid, facts, grid.protocol))
    for line in lines(sweeps):
        click.echo(line)
    if page is not None:
        click.echo(f"The whole report: {page.resolve()}")


def _read(
    paths: Sequence[Path], entry: dict[str, Any], sweeps: "Sweeps", others: Sequence[Path] = ()
) -> "tuple[Scores, Grid]":
    """Return the scores of all cells, of which there need be none where there are sweeps or others, and their grid."""
    from crossedit.reports.grid import Grid
    from crossedit.reports.scores import Scores, collect

    scores = Scores(collect(paths)) if paths or not (sweeps.all or others) else Scores.none()
    return scores, Grid.of(entry, scores, sweeps)


def _read_sweeps(
    entry: dict[str, Any], tasks: Sequence[Path], facts: Sequence[Path] = (), weights: Sequence[Path] = ()
) -> "Sweeps":
    from crossedit.reports.sweeps import Sweeps

    return Sweeps.read(entry, tasks, facts, weights)
