"""All tables of a report, by where its page shows them: what the command line writes and the page shows.

given = Given.read(table_1, corrected, comparisons, outcomes, capability)      files, of which there may be none
groups(entry, scores, grid, sweeps, given)                                     -> Group, Group, …
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

import polars as pl

from crossedit import tables
from crossedit.reports import bizsre, side_effects, significance, training_scale, translation
from crossedit.reports.beside import Beside
from crossedit.reports.capability import table_3
from crossedit.reports.grid import Grid
from crossedit.reports.naming import union
from crossedit.reports.outcomes import errors
from crossedit.reports.owners import owner_of
from crossedit.reports.plan import Planned
from crossedit.reports.scores import Scores
from crossedit.reports.sheets import Sheet
from crossedit.reports.sweeps import Sweeps

Section = Literal["facts", "translation", "backbones", "scores", "failures", "side-effects"]  # of the page

EDITS = "All editors"
_SCORES = (
    "Each cell is F1 / EM in percent; above 80 green, below 10 grey. Columns are by the language that questions are "
    "asked in; for reliability it is that of the edit. Locality compares with the answer before the edit, the rest "
    "with the target."
)
_KINDS = "Questions about another subject, and about another relation of the edited subject."
_APART = "Paired over the facts that both have, and corrected for the number of comparisons."


@dataclass(frozen=True)
class Given:
    """What tables are made of besides scores and sweeps; of what isn't there, nothing is made."""

    table_1: Mapping[str, pl.DataFrame] = field(default_factory=dict)  # TABLE_1, by facts
    corrected: Mapping[str, translation.Said] = field(default_factory=dict)  # what people did, by facts
    comparisons: pl.DataFrame | None = None  # COMPARISONS
    outcomes: pl.DataFrame | None = None  # OUTCOMES
    capability: Sequence[Path] = ()

    @classmethod
    def read(
        cls,
        table_1: Sequence[Path],
        corrected: Mapping[Path, translation.Said],
        comparisons: Sequence[Path],
        outcomes: Sequence[Path],
        capability: Sequence[Path],
    ) -> "Given":
        """Return what the files hold; those of corrections are read already.

        Raises UserError where one can't be used, or two hold the same.
        """
        return cls(
            {owner_of(path): tables.read(path, tables.TABLE_1) for path in table_1},
            translation.people_of(corrected),
            tables.read_all(comparisons, tables.COMPARISONS) if comparisons else None,
            tables.read_all(outcomes, tables.OUTCOMES) if outcomes else None,
            capability,
        )


class Group(NamedTuple):
    """Tables of one kind, of some facts or a sweep: the ones to read first, and the others."""

    section: Section
    title: str
    facts: str  # empty where they are of none
    note: str
    first: Sequence[Sheet]
    others: Sequence[Sheet]

    @property
    def sheets(self) -> list[Sheet]:
        """All of them."""
        return [*self.first, *self.others]


def groups(entry: Mapping[str, Any], scores: Scores, grid: Grid, sweeps: Sweeps, given: Given) -> Iterator[Group]:
    """Yield all tables of a report; what is asked under the grid's protocol comes first."""
    beside = Beside.of(entry, scores, grid)
    for facts in union(grid.facts, given.table_1):
        if facts in given.table_1:
            lengths = bizsre.table_1(given.table_1[facts], facts, compared=facts in beside.ours.facts)
            yield Group("facts", "Facts", facts, "", [lengths], [])
    for facts, people in given.corrected.items():
        *found, changes = translation.sheets(people, facts)
        yield Group("translation", "Translation", facts, "", found, [changes])
    if given.capability or "capability" in entry:
        yield Group("backbones", "Backbones", "", "", [table_3(entry, given.capability)], [])
    for facts in grid.edited:
        yield from _of_edits(entry, scores, grid, beside, given, facts)
    for sweep in sweeps.all:
        yield _of_sweep(sweeps, sweep, grid)


def _of_edits(
    entry: Mapping[str, Any], scores: Scores, grid: Grid, beside: Beside, given: Given, facts: str
) -> Iterator[Group]:
    protocols = [grid.protocol, *(other for other in grid.protocols if other != grid.protocol)]
    edits = [bizsre.table_2(scores, grid, facts, protocol) for protocol in protocols]
    yield Group("scores", EDITS, facts, _SCORES, edits[:1], edits[1:])
    if facts in beside.facts:
        summary = beside.summary(facts)
        yield Group("scores", "Beside the published numbers", facts, summary, [], [beside.sheet(facts)])
    if given.comparisons is not None:
        apart = [significance.editors(given.comparisons, grid, facts)]
        if grid.crosses(facts):
            apart.append(significance.languages(given.comparisons, grid, facts))
        yield Group("scores", "How far editors and languages are apart", facts, _APART, [], apart)
    sizes = training_scale.sizes(entry.get("editors", {}), {editor for *_, editor in grid.rows(facts)})
    if sizes:
        scales = [bizsre.training_scale(scores, grid, facts, protocol, sizes) for protocol in protocols]
        worth = "What more facts to learn from are worth."
        yield Group("scores", "Training facts", facts, worth, scales[:1], scales[1:])
    kinds = [bizsre.locality(scores, grid, facts, protocol) for protocol in protocols]
    yield Group("scores", "Locality by kind of question", facts, _KINDS, [], kinds)
    if given.outcomes is not None:
        wrong = [errors(given.outcomes, grid, facts, protocol) for protocol in protocols]
        yield Group("failures", "Wrong answers by type of error", facts, "", [], wrong)


def _of_sweep(sweeps: Sweeps, sweep: Planned, grid: Grid) -> Group:
    tasks = [side_effects.side_effects(sweeps, sweep, protocol) for protocol in sweep.protocols]
    answered = [side_effects.answers(sweeps, sweep, protocol) for protocol in sweep.protocols]
    edited = side_effects.edited_facts(sweeps, sweep, grid.langs, grid.protocol)
    return Group("side-effects", sweep.title, "", "", tasks[:1], [*tasks[1:], *answered, edited])
