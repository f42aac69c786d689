"""All tables of what was edited, by what they are about: what the command line writes and the page shows."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import polars as pl

from crossedit.reports import bizsre, side_effects, significance, sweep_findings, training_scale
from crossedit.reports.beside import Beside
from crossedit.reports.findings import Finding
from crossedit.reports.grid import Grid
from crossedit.reports.outcomes import errors
from crossedit.reports.plan import Planned
from crossedit.reports.scores import Scores
from crossedit.reports.sheets import Sheet
from crossedit.reports.sweeps import Sweeps

EDITS = "All editors"
ERRORS = "Wrong answers by type of error"
_SCORES = (
    "Each cell is F1 / EM in percent; above 80 green, below 10 grey. Locality compares with the answer before the "
    "edit, the rest with the target."
)
_KINDS = "Questions about another subject, and about another relation of the edited subject."
_APART = "Paired over the facts that both have, and corrected for the number of comparisons."


class Group(NamedTuple):
    """Tables of one kind, of some facts: the ones to read first, and the others."""

    title: str
    facts: str
    note: str
    first: Sequence[Sheet]
    others: Sequence[Sheet]

    @property
    def sheets(self) -> list[Sheet]:
        """All of them."""
        return [*self.first, *self.others]


class SweepReport(NamedTuple):
    """What is said about one sweep."""

    title: str
    setting: str
    findings: Mapping[str, Sequence[Finding]]  # by backbone
    first: Sequence[Sheet]
    others: Sequence[Sheet]


def groups(
    entry: Mapping[str, Any],
    scores: Scores,
    grid: Grid,
    beside: Beside,
    comparisons: pl.DataFrame | None,
    outcomes: pl.DataFrame | None,
) -> Iterator[Group]:
    """Yield the tables of all facts that are edited; what is asked under the grid's protocol comes first.

    comparisons, outcomes: COMPARISONS and OUTCOMES tables; None where there is none, and then nothing is made of it.
    """
    protocols = [grid.protocol, *(other for other in grid.protocols if other != grid.protocol)]
    for facts in grid.edited:
        edits = [bizsre.table_2(scores, grid, facts, protocol) for protocol in protocols]
        yield Group(EDITS, facts, _SCORES, edits[:1], edits[1:])
        if facts in beside.facts:
            yield Group("Beside the published numbers", facts, beside.summary(facts), [], [beside.sheet(facts)])
        if comparisons is not None:
            apart = [significance.editors(comparisons, grid, facts)]
            if grid.crosses(facts):
                apart.append(significance.languages(comparisons, grid, facts))
            yield Group("How far editors and languages are apart", facts, _APART, [], apart)
        sizes = training_scale.sizes(entry.get("editors", {}), {editor for *_, editor in grid.rows(facts)})
        if sizes:
            scales = [bizsre.training_scale(scores, grid, facts, protocol, sizes) for protocol in protocols]
            yield Group("Training facts", facts, "What more facts to learn from are worth.", scales[:1], scales[1:])
        kinds = [bizsre.locality(scores, grid, facts, protocol) for protocol in protocols]
        yield Group("Locality by kind of question", facts, _KINDS, [], kinds)
        if outcomes is not None:
            wrong = [errors(outcomes, grid, facts, protocol) for protocol in protocols]
            yield Group(ERRORS, facts, "", [], wrong)


def sweep_report(sweeps: Sweeps, sweep: Planned, grid: Grid) -> SweepReport:
    """Return what is said about a sweep."""
    said = {backbone: sweep_findings.findings(sweeps, sweep, backbone, grid.protocol) for backbone in sweep.backbones}
    tasks = [side_effects.side_effects(sweeps, sweep, protocol) for protocol in sweep.protocols]
    answered = [side_effects.answers(sweeps, sweep, protocol) for protocol in sweep.protocols]
    edited = side_effects.edited_facts(sweeps, sweep, grid.langs, grid.protocol)
    return SweepReport(sweep.title, sweep.setting, said, tasks[:1], [*tasks[1:], *answered, edited])
