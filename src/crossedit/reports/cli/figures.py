"""The figures."""

from pathlib import Path
from typing import Any

import click

from crossedit.reports.cli.options import (
    COMPARISONS,
    ENTRY,
    FACT_SCORES,
    FOLDER,
    PREDICTIONS,
    SCORES,
    TASK_SCORES,
    WEIGHT_CHANGES,
    ListsJob,
    read,
    read_sweeps,
)


@click.command(cls=ListsJob)
@SCORES
@TASK_SCORES
@FACT_SCORES
@WEIGHT_CHANGES
@COMPARISONS
@PREDICTIONS
@ENTRY
@FOLDER
def figures(
    scores: tuple[Path, ...],
    task_scores: tuple[Path, ...],
    fact_scores: tuple[Path, ...],
    weight_changes: tuple[Path, ...],
    comparisons: tuple[Path, ...],
    predictions: tuple[Path, ...],
    entry: dict[str, Any],
    out: Path,
) -> None:
    """Draw radar_FACTS_BACKBONE_LANGUAGE, gap_FACTS, tradeoff_FACTS and cost_FACTS as .pdf, .svg and .png.

    Intervals of the language gap are from --comparisons, seconds from --predictions. Where editors differ in nothing
    but train_size, there is training_scale_FACTS_BACKBONE; for each setting of sweeps side_effects_SETTING_PROTOCOL,
    edited_facts_SETTING, weights_SETTING and, where edits follow each other, forgetting_SETTING. Figures that an
    earlier run has left in the folder, and that are none of these, go.
    """
    from crossedit import tables
    from crossedit.progress import track
    from crossedit.reports.costs import notes_of, seconds
    from crossedit.reports.earlier import remove
    from crossedit.reports.figures.drawing import SUFFIXES, write
    from crossedit.reports.figures.pictures import pictures

    sweeps = read_sweeps(entry, task_scores, fact_scores, weight_changes)
    known, grid = read(scores, entry, sweeps)
    compared = tables.read_all(comparisons, tables.COMPARISONS) if comparisons else None
    drawn = list(pictures(known, grid, sweeps, compared, seconds(notes_of(predictions)), entry))
    for picture in track(drawn, "drawing"):
        write(picture, out)
    remove(out, "figures", (f"{picture.name}.{suffix}" for picture in drawn for suffix in SUFFIXES))
