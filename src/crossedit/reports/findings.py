"""What the scores say, in sentences: nothing that a reader could not check in Table 2 and the table of editors.

All are of exact match under the grid's protocol.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import polars as pl

from crossedit import UNEDITED
from crossedit.reports.comparisons import Comparison, Comparisons, Of, Side
from crossedit.reports.grid import Grid
from crossedit.reports.naming import ASPECTS, language
from crossedit.reports.scores import Estimate, Scores

WEAK = 0.5  # reliability below which good locality only means that little was edited


class Finding(NamedTuple):
    """A sentence and what it is about."""

    about: str
    text: str


@dataclass(frozen=True)
class Ranking:
    """All editors' cells of one backbone and editing language, which are ranked by aspect."""

    scores: Scores
    grid: Grid
    facts: str
    backbone: str
    edit_lang: str
    comparisons: Comparisons

    def find(self, editor: str, aspect: str, lang: str) -> Estimate | None:
        """Return the share of exact matches, if there is one."""
        return self.scores.find(
            facts=self.facts,
            backbone=self.backbone,
            editor=editor,
            edit_lang=self.edit_lang,
            aspect=aspect,
            lang=lang,
            protocol=self.grid.protocol,
            metric="em",
        )

    def ranked(self, aspect: str) -> list[tuple[str, Estimate]]:
        """Return the editors that have an estimate in the editing language, the best first."""
        found = [(editor, self.find(editor, aspect, self.edit_lang)) for editor in self.grid.editors]
        return sorted(((editor, known) for editor, known in found if known), key=lambda pair: -pair[1].mean)

    def compare(self, aspect: str, *editors: str) -> Comparison | None:
        """Return the paired comparison of two editors in the editing language, if there is one."""
        of = Of(self.facts, self.backbone, "editors", aspect, self.grid.protocol, "em")
        first, second = (Side(editor, self.edit_lang, self.edit_lang) for editor in editors)
        return self.comparisons.find(of, first, second)


def findings(
    scores: Scores, grid: Grid, facts: str, backbone: str, comparisons: pl.DataFrame | None = None
) -> dict[str, list[Finding]]:
    """Return the findings about a backbone by editing language, without languages that have no scores yet.

    comparisons: a COMPARISONS table, where cells were compared.
    """
    compared = _own(comparisons, facts, backbone, grid.protocol)
    said = {}
    for edit_lang in grid.edit_langs:
        ranking = Ranking(scores, grid, facts, backbone, edit_lang, compared)
        if found := [finding for finding in (*(best(ranking, aspect) for aspect in ASPECTS), gap(ranking)) if finding]:
            said[edit_lang] = found
    return said


def _own(comparisons: pl.DataFrame | None, facts: str, backbone: str, protocol: str) -> Comparisons:
    """Return those of a backbone's editors in their editing languages."""
    if comparisons is None:
        return Comparisons.none()
    of = {"facts": facts, "backbone": backbone, "between": "editors", "protocol": protocol, "metric": "em"}
    return Comparisons(comparisons.filter(**of).filter(pl.col("lang_1") == pl.col("edit_lang_1")))


def best(ranking: Ranking, aspect: str) -> Finding | None:
    """Say which editor is best in the editing language, and which others may be as good.

    By the paired test where they were compared, corrected for all comparisons; else by their intervals.
    """
    ranked = ranking.ranked(aspect)
    if not ranked:
        return None
    (first, top), *rest = ranked
    text = f"{first} is best with {share(top)}{f' ({top.interval})' if top.bounded else ''}."
    compared = {editor: ranking.compare(aspect, first, editor) for editor, _ in rest}
    if same := [editor for editor, found in compared.items() if found and not found.significant]:
        text += f" Not significantly different: {listed(same)}."
    if close := [editor for editor, estimate in rest if not compared[editor] and estimate.high >= top.low]:
        text += f" Close behind, with overlapping intervals: {listed(close)}."
    if aspect == "locality":
        held = ranking.find(first, "reliability", ranking.edit_lang)
        if held and held.mean < WEAK:
            text += f" But only {share(held)} of its edits hold."
    elif before := ranking.find(UNEDITED, aspect, ranking.edit_lang):
        text += f" Unedited: {share(before)}."
    return Finding(aspect.capitalize(), text)


def gap(ranking: Ranking) -> Finding | None:
    """Say how far the edits of the editor with the best generality reach into other languages."""
    ranked = ranking.ranked("generality")
    if not ranked:
        return None
    first, own = ranked[0]
    reached = []
    for lang in ranking.grid.langs:
        across, before = (ranking.find(editor, "generality", lang) for editor in (first, UNEDITED))
        if across and lang != ranking.edit_lang:
            beside = f" (unedited {share(before)})" if before else ""
            reached.append(f"{share(across)} in {language(lang)}{beside}")
    if not reached:
        return None
    text = f"{first} answers {share(own)} of rephrased questions right in {language(ranking.edit_lang)}, "
    return Finding("Across languages", f"{text}{listed(reached)}.")


def share(estimate: Estimate) -> str:
    """Return the estimate in percent."""
    return f"{100 * estimate.mean:.1f} %"


def listed(items: Sequence[str]) -> str:
    """Return the items as an enumeration: `a, b and c`."""
    return " and ".join(filter(None, [", ".join(items[:-1]), items[-1]]))
