"""What is collected of cells, and the tables."""

from pathlib import Path
from typing import Any

import click

from crossedit.reports.cli.options import (
    CAPABILITY,
    COMPARISONS,
    CORRECTED,
    ENTRY,
    FACT_SCORES,
    FILE,
    FOLDER,
    OUTCOMES,
    SCORES,
    TABLE_1,
    TASK_SCORES,
    ListsJob,
    read,
    read_sweeps,
)


@click.command(cls=ListsJob)
@SCORES
@FILE
def collect(scores: tuple[Path, ...], out: Path) -> None:
    """Put the scores of all cells into one table."""
    from crossedit import files, tables
    from crossedit.reports import VERSION
    from crossedit.reports.scores import collect as together

    frame = together(scores)
    inputs = {str(path): files.digest(path) for path in scores}
    tables.write(frame, tables.SCORES, out, {"stage": "reports", "version": VERSION, "inputs": inputs})


@click.command("tables", cls=ListsJob)
@SCORES
@COMPARISONS
@OUTCOMES
@TABLE_1
@CORRECTED
@TASK_SCORES
@FACT_SCORES
@CAPABILITY
@ENTRY
@FOLDER
def write_tables(
    scores: tuple[Path, ...],
    comparisons: tuple[Path, ...],
    outcomes: tuple[Path, ...],
    table_1: tuple[Path, ...],
    corrected: tuple[Path, ...],
    task_scores: tuple[Path, ...],
    fact_scores: tuple[Path, ...],
    capability: tuple[Path, ...],
    entry: dict[str, Any],
    out: Path,
) -> None:
    """Write table_1_FACTS, table_2_FACTS_PROTOCOL and locality_FACTS_PROTOCOL as .csv, .md, .tex, .html and .xlsx.

    Of what was compared, editors_FACTS and languages_FACTS; of what came of the edits, errors_FACTS_PROTOCOL.
    Where a paper has facts, backbones and editors too, also published_FACTS; where editors differ in `train_size`,
    training_scale_FACTS_PROTOCOL; where backbones were asked benchmarks, table_3.
    For translated facts also corrections_FACTS, agreement_FACTS, likeness_FACTS and changes_FACTS; for each sweep
    side_effects_SWEEP_PROTOCOL, answers_SWEEP_PROTOCOL and edited_facts_SWEEP. Tables that an earlier run has left in
    the folder, and that are none of these, go.
    """
    from crossedit.reports.earlier import remove
    from crossedit.reports.owners import read_json
    from crossedit.reports.sheets import FORMATS, write
    from crossedit.reports.tabled import Given, groups

    sweeps = read_sweeps(entry, task_scores, fact_scores)
    known, grid = read(scores, entry, sweeps, others=(*table_1, *corrected, *capability))
    given = Given.read(table_1, {path: read_json(path) for path in corrected}, comparisons, outcomes, capability)
    intervals = entry.get("reports", {}).get("intervals", False)
    names: list[str] = []
    for group in groups(entry, known, grid, sweeps, given):
        for sheet in group.sheets:
            write(sheet, out, intervals)
            names.extend(f"{sheet.name}.{form}" for form in FORMATS)
    remove(out, "tables", names)


@click.command("published")
@FOLDER
def write_published(out: Path) -> None:
    """Write the tables of Bi-ZsRE and KnowEdit as the papers print them."""
    from crossedit.reports.printed import sheets
    from crossedit.reports.sheets import write

    for sheet in sheets():
        write(sheet, out)
