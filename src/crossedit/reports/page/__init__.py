"""The page: everything about an experiment in one file that needs nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import polars as pl

from crossedit import files
from crossedit.pages import allowed, inert
from crossedit.reports import VERSION, bizsre, sweep_findings, translation
from crossedit.reports.costs import costs, notes_of, seconds, stages
from crossedit.reports.figures.pictures import pictures
from crossedit.reports.findings import findings
from crossedit.reports.grid import Grid
from crossedit.reports.html import render
from crossedit.reports.naming import union
from crossedit.reports.outcomes import MEANINGS, WRONG
from crossedit.reports.owners import owner_of, read_json
from crossedit.reports.page import making
from crossedit.reports.page.answers import LIMIT, Answers
from crossedit.reports.page.charts import by_kind
from crossedit.reports.page.embedding import written
from crossedit.reports.page.failures import failures
from crossedit.reports.page.standing import used
from crossedit.reports.scores import Scores
from crossedit.reports.sheets import FORMATS
from crossedit.reports.sweeps import Sweeps
from crossedit.reports.tabled import EDITS, Given, Group, Section, groups

if TYPE_CHECKING:
    from crossedit.reports.left_out import LeftOut
    from crossedit.runs.page import Shown

MOST_CELLS = 8_000  # of a table that the page holds; with more, browsers take seconds to open it


@dataclass(frozen=True)
class Sources:
    """The files that a page is made of; every list may be empty."""

    table_1: Sequence[Path] = ()
    comparisons: Sequence[Path] = ()
    outcomes: Sequence[Path] = ()
    capability: Sequence[Path] = ()
    figures: Sequence[Path] = ()  # the SVG ones are shown
    predictions: Sequence[Path] = ()
    backbones: Sequence[Path] = ()  # recipe.json
    summaries: Sequence[Path] = ()  # of facts, and of translations: the model's and the people's
    results: Path | None = None  # the folder in which jobs have left their records


def write(page: str, out: Path) -> None:
    """Write a page, whole or not at all."""
    with files.whole(out) as temporary:
        temporary.write_text(written(page), encoding="utf-8")


def page(
    entry: Mapping[str, Any],
    scores: Scores,
    sweeps: Sweeps,
    sources: Sources,
    inputs: Sequence[Path],
    standing: "Shown | None" = None,
    as_of: str = "",
    left_out: "Sequence[LeftOut]" = (),
) -> str:
    """Return the page as HTML; `inputs` are the files whose digests it names.

    standing: how the experiment stands, where that is known; as_of: when, of one that isn't done;
    left_out: what is there of it and isn't shown.
    """
    grid = Grid.of(entry, scores, sweeps)
    settings = entry.get("reports") or {}
    answers = Answers.of(sources.predictions, grid, settings.get("browser_rows", LIMIT))
    summaries = {path: read_json(path) for path in sources.summaries}
    notes = notes_of(sources.predictions)
    corrected = {path: summary for path, summary in summaries.items() if "people" in summary}
    given = Given.read(sources.table_1, corrected, sources.comparisons, sources.outcomes, sources.capability)
    tabled = [_readable(group, scores, grid) for group in groups(entry, scores, grid, sweeps, given)]
    drawn = list(pictures(scores, grid, sweeps, given.comparisons, seconds(notes), entry))
    return render(
        "page.html.j2",
        grid=grid,
        run=making.run(scores, grid, sweeps),
        as_of=as_of,
        intervals=settings.get("intervals", False),
        standing=standing,
        left_out=left_out,
        used=used(sources.results) if sources.results else "",
        findings={facts: _findings(scores, grid, facts, given.comparisons) for facts in grid.edited},
        tabled={section: [group for group in tabled if group.section == section] for section in get_args(Section)},
        most_cells=MOST_CELLS,
        forms=FORMATS,
        charts={
            facts: by_kind((picture for picture in drawn if picture.facts == facts), sources.figures)
            for facts in grid.edited
        },
        sweeps=sweeps.all,
        sweep_findings={
            sweep.name: {
                backbone: sweep_findings.findings(sweeps, sweep, backbone, grid.protocol)
                for backbone in sweep.backbones
            }
            for sweep in sweeps.all
        },
        sweep_charts=by_kind((picture for picture in drawn if not picture.facts), sources.figures),
        answers=answers,
        answers_data=inert(answers.data()) if len(answers.frame) else "",
        failures={facts: failures(given.outcomes, answers, grid, facts) for facts in grid.edited},
        outcomes=WRONG,
        meanings=MEANINGS,
        facts=union(grid.facts, given.table_1),
        summaries={owner_of(path): summary for path, summary in summaries.items() if "oddities" in summary},
        translations=translation.reports(summaries),
        published_share=translation.PUBLISHED_SHARE,
        backbones={owner_of(path): read_json(path) for path in sources.backbones},
        costs=costs(notes) if notes else None,
        stages=stages(sources.results) if sources.results else None,
        entry=entry,
        report_version=VERSION,
        packages=making.packages(),
        inputs={str(path): files.digest(path) for path in inputs},
        made=making.made(notes.values()),
        allowed=allowed,
    )


def _readable(group: Group, scores: Scores, grid: Grid) -> Group:
    """Return the group; before a Table 2 that the page can't hold stand its means over languages."""
    large = [sheet for sheet in group.first if len(sheet.rows) * len(sheet.columns) > MOST_CELLS]
    if group.title != EDITS or not large:
        return group
    return group._replace(first=[bizsre.means(scores, grid, group.facts, grid.protocol), *group.first])


def _findings(scores: Scores, grid: Grid, facts: str, compared: pl.DataFrame | None) -> dict[str, Any]:
    """Return the findings by backbone and editing language, without backbones that have none."""
    said = {backbone: findings(scores, grid, facts, backbone, compared) for backbone in grid.backbones}
    return {backbone: found for backbone, found in said.items() if found}
