"""The page: everything about an experiment in one file that needs nothing else."""

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from crossedit import files, tables
from crossedit.errors import UserError
from crossedit.reports import VERSION, bizsre, side_effects, sweep_findings, translation
from crossedit.reports.costs import costs, seconds, stages
from crossedit.reports.examples import Example, examples
from crossedit.reports.figures.drawing import Picture
from crossedit.reports.figures.pictures import pictures
from crossedit.reports.findings import Finding, findings
from crossedit.reports.grid import Grid
from crossedit.reports.html import render
from crossedit.reports.naming import union
from crossedit.reports.owners import owner_of, read_json
from crossedit.reports.plan import Planned
from crossedit.reports.scores import Scores
from crossedit.reports.sheets import Sheet
from crossedit.reports.sweeps import Sweeps

_MAKING = ("backbone", "facts", "seed", "device", "torch", "packages")
_PACKAGES = ("crossedit", "torch", "transformers", "polars", "snakemake", "matplotlib")


@dataclass(frozen=True)
class Sources:
    """The files that a page is made of; every list may be empty."""

    table_1: Sequence[Path] = ()
    figures: Sequence[Path] = ()  # the SVG ones are shown
    predictions: Sequence[Path] = ()
    backbones: Sequence[Path] = ()  # recipe.json
    summaries: Sequence[Path] = ()  # of facts, and of translations: the model's and the people's
    results: Path | None = None  # the folder in which jobs have left their records


class Chart(NamedTuple):
    """A figure as the page holds it."""

    title: str
    address: str  # a data: address with the picture in it
    described: str  # for those who can't see it
    facts: str  # that it is of; empty where it is of sweeps


class FactsReport(NamedTuple):
    """What the page says about one set of facts."""

    name: str
    findings: dict[str, dict[str, list[Finding]]]  # by backbone and editing language
    table_1: Sheet | None
    table_2: list[Sheet]  # the grid's protocol first; none where no cell edits them
    locality: list[Sheet]
    charts: list[Chart]
    examples: list[Example]


class SweepReport(NamedTuple):
    """What the page says about one sweep."""

    title: str
    setting: str
    findings: dict[str, list[Finding]]  # by backbone
    side_effects: list[Sheet]  # the first is that of the findings
    details: list[Sheet]  # what was answered, and the edited facts


def page(entry: Mapping[str, Any], scores: Scores, sweeps: Sweeps, sources: Sources, inputs: Sequence[Path]) -> str:
    """Return the page as HTML; `inputs` are the files whose digests it names."""
    grid = Grid.of(entry, scores, sweeps)
    shown = examples(sources.predictions, grid.protocol)
    statistics = {owner_of(path): tables.read(path, tables.TABLE_1) for path in sources.table_1}
    figures = {path.stem: path for path in sources.figures if path.suffix == ".svg"}
    none_compared = pl.DataFrame(schema=tables.COMPARISONS.columns)
    drawn = pictures(scores, grid, sweeps, none_compared, seconds(sources.predictions), entry)
    charts = list(_charts(drawn, figures))
    return render(
        "page.html.j2",
        grid=grid,
        facts=[
            _facts_report(name, scores, grid, statistics.get(name), charts, shown)
            for name in dict.fromkeys([*grid.facts, *statistics])
        ],
        sweeps=[_sweep_report(sweeps, sweep, grid) for sweep in sweeps.all],
        sweep_charts=[chart for chart in charts if not chart.facts],
        backbones={owner_of(path): read_json(path) for path in sources.backbones},
        summaries={owner_of(path): said for path in sources.summaries if "oddities" in (said := read_json(path))},
        translations=translation.reports(sources.summaries),
        published_share=translation.PUBLISHED_SHARE,
        costs=costs(sources.predictions) if sources.predictions else None,
        stages=stages(sources.results) if sources.results else None,
        named=union(grid.backbones if grid.edited else (), *(sweep.backbones for sweep in sweeps.all)),
        edit_langs=union(
            grid.edit_langs if grid.edited else (), (sweep.language for sweep in sweeps.all if sweep.language)
        ),
        counts=_counts(scores),
        entry=entry,
        report_version=VERSION,
        packages={name: found for name in _PACKAGES if (found := _installed(name))},
        inputs={str(path): files.digest(path) for path in inputs},
        made=_made(sources.predictions),
    )


def _facts_report(
    name: str,
    scores: Scores,
    grid: Grid,
    statistics: pl.DataFrame | None,
    charts: Sequence[Chart],
    shown: Sequence[Example],
) -> FactsReport:
    protocols = [grid.protocol, *(other for other in grid.protocols if other != grid.protocol)]
    if name not in grid.edited:
        protocols = []
    said = {backbone: findings(scores, grid, name, backbone) for backbone in grid.backbones}
    return FactsReport(
        name=name,
        findings={backbone: found for backbone, found in said.items() if found},
        table_1=None if statistics is None else bizsre.table_1(statistics, name),
        table_2=[bizsre.table_2(scores, grid, name, protocol) for protocol in protocols],
        locality=[bizsre.locality(scores, grid, name, protocol) for protocol in protocols],
        charts=[chart for chart in charts if chart.facts == name],
        examples=[example for example in shown if example.facts == name],
    )


def _charts(drawn: Iterable[Picture], figures: Mapping[str, Path]) -> Iterator[Chart]:
    for picture in drawn:
        if picture.name in figures:
            yield Chart(picture.title, _address(figures[picture.name]), picture.described, picture.facts)


def _sweep_report(sweeps: Sweeps, sweep: Planned, grid: Grid) -> SweepReport:
    said = {backbone: sweep_findings.findings(sweeps, sweep, backbone, grid.protocol) for backbone in sweep.backbones}
    return SweepReport(
        title=sweep.title,
        setting=sweep.setting,
        findings=said,
        side_effects=[side_effects.side_effects(sweeps, sweep, protocol) for protocol in sweep.protocols],
        details=[
            *(side_effects.answers(sweeps, sweep, protocol) for protocol in sweep.protocols),
            side_effects.edited_facts(sweeps, sweep, grid.langs, grid.protocol),
        ],
    )


def _address(path: Path) -> str:
    """Return the SVG file as an address that holds the picture itself."""
    try:
        picture = base64.b64encode(path.read_bytes()).decode()
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; draw it with `crossedit reports figures`.") from None
    return f"data:image/svg+xml;base64,{picture}"


def _counts(scores: Scores) -> dict[str, int]:
    frame = scores.frame
    cells = frame.select("facts", "backbone", "editor", "edit_lang").n_unique()
    return {"cells": cells, "facts": max(frame["n"], default=0)}


def _made(predictions: Sequence[Path]) -> list[dict[str, Any]]:
    """Return what cells say of their making, once where it is the same."""
    notes: list[dict[str, Any]] = []
    for path in predictions:
        note = tables.provenance(path)
        kept = {key: value for key, value in note.items() if key in _MAKING}
        if kept not in notes:
            notes.append(kept)
    return notes


def _installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
