"""Our numbers beside those that Bi-ZsRE prints in Tables 2 and 4.

beside = Beside(scores, grid, counterparts(…))
beside.sheet("bizsre")           each cell of ours, the published one, and how far they are apart
beside.agreement("bizsre")       how many published numbers lie in our intervals, by editor
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, NamedTuple

from crossedit.reports import published
from crossedit.reports.bizsre import LABELS, MEASURES, Place, cells, counted, places
from crossedit.reports.findings import listed
from crossedit.reports.grid import Grid
from crossedit.reports.naming import PROTOCOLS, language
from crossedit.reports.published import Counterparts
from crossedit.reports.scores import DASH, Estimate, Scores
from crossedit.reports.sheets import Cell, Column, Measured, Numbers, Sheet, Shown, tone

PROTOCOL = "upstream"  # the published code's way of asking
OUTSIDE = "*"
_TOKENIZER = "Chinese-LLaMA-Plus-7B"  # whose tokens published F1 counts
_HALF = 0.005 + 1e-9  # a printed number stands for all that round to it; in points


class Compared(NamedTuple):
    """A number as the paper prints it, in percent, and ours."""

    printed: str
    ours: Estimate | None
    alike: bool = True  # not where they are known to count other things

    @property
    def difference(self) -> float | None:
        """Ours less the published one in points, both with the decimals that are shown."""
        return None if self.ours is None else round(float(str(self.ours)) - float(self.printed), 2) + 0.0

    @property
    def bounded(self) -> bool:
        """Whether there is an interval of ours, in which the number may lie or not."""
        return self.alike and self.ours is not None and self.ours.bounded

    @property
    def outside(self) -> bool:
        """Whether no number that is printed so lies in our 95 % interval; never where there is none."""
        if not self.alike or self.ours is None or not self.ours.bounded:
            return False
        return not 100 * self.ours.low - _HALF <= float(self.printed) <= 100 * self.ours.high + _HALF


class Agreement(NamedTuple):
    """How near scores are to the published ones, F1 and EM of each column being two numbers."""

    bounded: int  # published numbers that we have an interval beside
    inside: int  # those that lie in it
    median: float  # of all differences without sign, in points

    @classmethod
    def of(cls, compared: Iterable[Compared]) -> "Agreement | None":
        """Return the agreement of those that have a score of ours; None where none has."""
        known = list(compared)
        apart = [abs(one.difference) for one in known if one.difference is not None]
        bounded = [one for one in known if one.bounded]
        return cls(len(bounded), sum(not one.outside for one in bounded), median(apart)) if apart else None


class Row(NamedTuple):
    """A row of Table 2, and for each of its cells F1 and EM as they are compared."""

    backbone: str
    edit_lang: str
    editor: str
    cells: tuple[Measured, ...]
    compared: tuple[tuple[Compared, ...], ...]


@dataclass(frozen=True)
class Beside:
    """Scores and what they are set beside."""

    scores: Scores
    grid: Grid
    ours: Counterparts
    f1_tokens: str = ""  # as in the configuration; empty where that isn't told

    @classmethod
    def of(cls, entry: Mapping[str, Any], scores: Scores, grid: Grid) -> "Beside":
        """Return the scores of a configuration's grid beside what the paper has of it."""
        ours = published.counterparts(entry, grid.facts, grid.backbones, grid.editors)
        return cls(scores, grid, ours, entry.get("f1_tokens", ""))

    @property
    def facts(self) -> tuple[str, ...]:
        """The facts that have a row which the paper has too; none where they weren't asked as it did."""
        asked = PROTOCOL in self.grid.protocols
        return tuple(facts for facts in self.grid.edited if asked and any(self.rows(facts)))

    def rows(self, facts: str) -> Iterator[Row]:
        """Yield the rows that the paper has too, in the order of the grid."""
        shown = self._places
        for backbone, edit_lang, editor in self.grid.rows(facts):
            pair = self.ours.find(facts, backbone, editor, edit_lang)
            if pair is None:
                continue
            own = tuple(cells(self.scores, facts, backbone, editor, edit_lang, PROTOCOL, shown))
            printed = [published.edits()[*pair, edit_lang, place.aspect, place.lang or edit_lang] for place in shown]
            alike = (self._published_tokens(backbone), True)
            compared = tuple(
                tuple(map(Compared, both, cell.parts, alike)) for both, cell in zip(printed, own, strict=True)
            )
            yield Row(backbone, edit_lang, editor, own, compared)

    def sheet(self, facts: str) -> Sheet:
        """Return Table 2 with three lines each: ours, as published, and the difference in points."""
        found = list(self.rows(facts))
        lines: list[tuple[Cell, ...]] = []
        for row in found:
            label = (row.backbone, language(row.edit_lang), row.editor)
            lines.append((*label, "ours", *row.cells))
            lines.append((*label, "published", *map(_published, row.compared)))
            lines.append((*label, "difference", *map(_difference, row.compared)))
        said = [PROTOCOLS[PROTOCOL], counted(lines), _summary(found), self._renamed(found), self._tokens()]
        return Sheet(
            name=f"published_{facts}",
            title=f"Edits of {facts} beside the published numbers (Bi-ZsRE, Tables 2 and 4): F1 / EM",
            columns=(*LABELS, Column("Numbers"), *(place.column for place in self._places)),
            rows=tuple(lines),
            labels=len(LABELS) + 1,
            note=" ".join(filter(None, said)),
        )

    def summary(self, facts: str) -> str:
        """Return in words how near the scores are to the published ones, and by editor; empty where none is there."""
        agreements = self.agreement(facts).items()
        by_editor = [f"{editor} {found.inside} of {found.bounded}" for editor, found in agreements if found.bounded]
        told = [_summary(self.rows(facts)), f"By editor: {', '.join(by_editor)}." if len(by_editor) > 1 else ""]
        return " ".join(filter(None, told))

    def agreement(self, facts: str) -> dict[str, Agreement]:
        """Return how near the scores are to the published ones, by editor; without editors that have none yet."""
        rows = list(self.rows(facts))
        found = {
            editor: Agreement.of(_all(row for row in rows if row.editor == editor)) for editor in self.grid.editors
        }
        return {editor: agreement for editor, agreement in found.items() if agreement}

    def _published_tokens(self, backbone: str) -> bool:
        """Return whether F1 of the backbone may count the published tokens; a tokenizer that is named is believed."""
        if self.f1_tokens == "own":
            return self.ours.backbones[backbone] == _TOKENIZER
        return self.f1_tokens != "characters"

    def _tokens(self) -> str:
        """Return a sentence on what F1 counts, in the paper and here."""
        published = f"Published F1 counts the tokens of {_TOKENIZER}, whatever the backbone"
        apart = "an F1 of ours that counts others is held against no interval"
        match self.f1_tokens:
            case "":
                return f"{published}."
            case "own":
                return f"{published}, ours those of the backbone's own tokenizer; {apart}."
            case "characters":
                return f"{published}, ours characters; {apart}."
            case tokenizer:
                return f"{published}, ours those of {tokenizer}, whatever the backbone."

    @property
    def _places(self) -> list[Place]:
        return places(lang for lang in self.grid.langs if lang in published.languages())

    def _renamed(self, rows: Sequence[Row]) -> str:
        """Return a sentence on those of ours that the paper calls otherwise."""
        pairs = [(row.backbone, self.ours.backbones[row.backbone]) for row in rows]
        pairs += [(row.editor, self.ours.editors[row.editor]) for row in rows]
        other = [
            f"{mine} beside {theirs}" for mine, theirs in dict.fromkeys(pairs) if not published.alike(mine, theirs)
        ]
        return f"Compared are {listed(other)}." if other else ""


def _all(rows: Iterable[Row]) -> Iterator[Compared]:
    return (one for row in rows for cell in row.compared for one in cell)


def _summary(rows: Iterable[Row]) -> str:
    agreement = Agreement.of(_all(rows))
    if agreement is None:
        return ""
    half = f"Half of the differences are at most {agreement.median:.2f} points."
    if not agreement.bounded:
        return half
    return (
        f"{agreement.inside} of {agreement.bounded} published numbers lie in our 95 % interval; {OUTSIDE} marks those "
        f"that don't. {half}"
    )


def _published(compared: Sequence[Compared]) -> Numbers:
    parts = [
        Shown(one.printed + OUTSIDE * one.outside, tone(float(one.printed) / 100), measure, float(one.printed))
        for measure, one in zip(MEASURES, compared, strict=True)
    ]
    outside = [
        f"{measure} lies outside our 95 % interval {one.ours.interval}"
        for measure, one in zip(MEASURES, compared, strict=True)
        if one.ours and one.outside
    ]
    return Numbers(tuple(parts), "; ".join(outside) or "as printed")


def _difference(compared: Sequence[Compared]) -> Numbers:
    parts = [_apart(measure, one.difference) for measure, one in zip(MEASURES, compared, strict=True)]
    return Numbers(tuple(parts), "ours less the published number, in points")


def _apart(measure: str, difference: float | None) -> Shown:
    if difference is None:
        return Shown(DASH, name=measure)
    return Shown(f"{difference:+.2f}" if difference else "0.00", name=measure, exact=difference)
