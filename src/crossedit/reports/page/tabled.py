"""The tables of a page, by what they are about: the ones to read first, and those that are folded away."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from crossedit.reports import bizsre, side_effects, sweep_findings, training_scale
from crossedit.reports.beside import Beside
from crossedit.reports.findings import Finding
from crossedit.reports.grid import Grid
from crossedit.reports.plan import Planned
from crossedit.reports.scores import Scores
from crossedit.reports.sheets import Sheet
from crossedit.reports.sweeps import Sweeps


class Group(NamedTuple):
    """Tables of one kind, of some facts."""

    title: str
    facts: str
    note: str
    shown: Sequence[Sheet]
    folded: Sequence[Sheet]


class SweepReport(NamedTuple):
    """What the page says about one sweep."""

    title: str
    setting: str
    findings: Mapping[str, Sequence[Finding]]  # by backbone
    shown: Sequence[Sheet]
    folded: Sequence[Sheet]


def groups(entry: Mapping[str, Any], scores: Scores, grid: Grid) -> Iterator[Group]:
    """Yield the tables of all facts that are edited; what is asked under the grid's protocol comes first."""
    protocols = [grid.protocol, *(other for other in grid.protocols if other != grid.protocol)]
    beside = Beside.of(entry, scores, grid)
    for facts in grid.edited:
        first, *others = (bizsre.table_2(scores, grid, facts, protocol) for protocol in protocols)
        note = (
            "Each cell is F1 / EM in percent; above 80 green, below 10 grey. Locality compares with the answer before "
            "the edit, the rest with the target."
        )
        yield Group("All editors", facts, note, [first], others)
        note = "Questions about another subject, and about another relation of the edited subject."
        kinds = [bizsre.locality(scores, grid, facts, protocol) for protocol in protocols]
        yield Group("Locality by kind of question", facts, note, [], kinds)
        if facts in beside.facts:
            sheet = beside.sheet(facts)
            yield Group("Beside the published numbers", facts, sheet.note, [], [sheet])
        sizes = training_scale.sizes(entry.get("editors", {}), {editor for *_, editor in grid.rows(facts)})
        if sizes:
            scales = [bizsre.training_scale(scores, grid, facts, protocol, sizes) for protocol in protocols]
            yield Group("Training facts", facts, "What more facts to learn from are worth.", scales[:1], scales[1:])


def sweep_report(sweeps: Sweeps, sweep: Planned, grid: Grid) -> SweepReport:
    """Return what the page says about a sweep."""
    said = {backbone: sweep_findings.findings(sweeps, sweep, backbone, grid.protocol) for backbone in sweep.backbones}
    tasks = [side_effects.side_effects(sweeps, sweep, protocol) for protocol in sweep.protocols]
    answered = [side_effects.answers(sweeps, sweep, protocol) for protocol in sweep.protocols]
    edited = side_effects.edited_facts(sweeps, sweep, grid.langs, grid.protocol)
    return SweepReport(sweep.title, sweep.setting, said, tasks[:1], [*tasks[1:], *answered, edited])
