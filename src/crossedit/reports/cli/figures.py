"""The figures."""

from pathlib import Path
from typing import Any

import click

from crossedit.reports.cli.options import (
    ENTRY,
    FACT_SCORES,
    FOLDER,
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
@ENTRY
@FOLDER
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
    from crossedit.reports.figures import drawing, radar
    from crossedit.reports.figures.sweeps import pictures

    sweeps = read_sweeps(entry, task_scores, fact_scores, weight_changes)
    known, grid = read(scores, entry, sweeps)
    charts = [
        (facts, *place)
        for facts in grid.edited
        for place in dict.fromkeys((backbone, edit_lang) for backbone, edit_lang, _ in grid.rows(facts))
    ]
    for facts, backbone, edit_lang in track(charts, "drawing"):
        radar.write(known, grid, facts, backbone, edit_lang, out)
    for picture in track(list(pictures(sweeps, grid.langs, grid.protocol)), "drawing sweeps"):
        drawing.write(picture.name, picture.draw, out)
