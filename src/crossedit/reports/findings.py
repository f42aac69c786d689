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
from crossedit.reports.naming import ASPECTS, compared_in, language
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
        return self.scores.find(lang=lang, **self._of(editor, aspect))

    def _of(self, editor: str, aspect: str) -> dict[str, str]:
        return {
            "facts": self.facts,
            "backbone": self.backbone,
            "editor": editor,
            "edit_lang": self.edit_lang,
            "aspect": aspect,
            "protocol": self.grid.protocol,
            "metric": "em",
        }

    def reach(self, editor: str, aspect: str, langs: Sequence[str]) -> Estimate | None:
        """Return the share in the languages, of several their mean; None where one of them has no score."""
        complete = all(self.find(editor, aspect, lang) for lang in langs)
        return self.scores.across(langs, **self._of(editor, aspect)) if complete else None

    def ranked(self, aspect: str, langs: Sequence[str]) -> list[tuple[str, Estimate]]:
        """Return the editors that have an estimate in all of the languages, the best first."""
        found = [(editor, self.reach(editor, aspect, langs)) for editor in self.grid.editors]
        return sorted(((editor, known) for editor, known in found if known), key=lambda pair: -pair[1].mean)

    def led(self, aspect: str, langs: Sequence[str]) -> "Led | None":
        """Return those that are best in the languages; None where none has an estimate."""
        ranked = self.ranked(aspect, langs)
        return Led.of(ranked, complete=len(ranked) == len(self.grid.editors)) if ranked else None

    def compared(self, aspect: str, langs: Sequence[str], first: str, second: str) -> list[Comparison]:
        """Return the paired comparisons of two editors, of several languages all or none; see compared_in."""
        of = Of(self.facts, self.backbone, "editors", aspect, self.grid.protocol, "em")
        sides = [[Side(editor, self.edit_lang, lang) for editor in (first, second)] for lang in compared_in(langs)]
        found = [self.comparisons.find(of, *pair) for pair in sides]
        known = [one for one in found if one]
        return known if len(known) == len(found) else []


class Led(NamedTuple):
    """The editors of a ranking that are best, by the share as Table 2 prints it, and the others."""

    first: list[str]
    top: Estimate
    interval: str  # in brackets, of several that differ from the lowest end to the highest; empty where any is unknown
    rest: list[tuple[str, Estimate]]
    complete: bool  # whether the ranking has all editors

    @classmethod
    def of(cls, ranked: Sequence[tuple[str, Estimate]], complete: bool) -> "Led":
        """Return them of a ranking that isn't empty."""
        top = ranked[0][1]
        equal = [str(estimate) == str(top) for _, estimate in ranked]
        first = [pair for pair, is_equal in zip(ranked, equal, strict=True) if is_equal]
        rest = [pair for pair, is_equal in zip(ranked, equal, strict=True) if not is_equal]
        return cls([editor for editor, _ in first], top, _interval([known for _, known in first]), rest, complete)

    @property
    def text(self) -> str:
        """Who is best, and with how much."""
        count, known = len(self.first), "" if self.complete else " with a score"
        if self.rest:
            who = f"{listed(self.first)} {'is' if count == 1 else 'are'} best with"
        elif count == 1:
            who = f"{self.first[0]}, the only editor{known}, has"
        else:
            who = f"{'Both' if count == 2 else f'All {count}'} editors{known} are equal with"
        return f"{who} {self.share(self.top)}{self.interval}"

    def share(self, estimate: Estimate) -> str:
        """Return an estimate of the ranking in percent, as Table 2 does where another would read as the best."""
        near = any(share(other) == share(self.top) for _, other in self.rest)
        return f"{estimate} %" if near else share(estimate)

    def span(self, found: Sequence[tuple[str, Estimate]]) -> str:
        """Return the shares of editors, of several that differ the lowest and the highest, and who has that."""
        shares = [(editor, self.share(known)) for editor, known in sorted(found, key=lambda pair: pair[1].mean)]
        (_, low), (_, high) = shares[0], shares[-1]
        return high if low == high else f"{low} to {high} ({listed([who for who, own in shares if own == high])})"


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
    """Return those of a backbone's editors."""
    if comparisons is None:
        return Comparisons.none()
    of = {"facts": facts, "backbone": backbone, "between": "editors", "protocol": protocol, "metric": "em"}
    return Comparisons(comparisons.filter(**of))


def best(ranking: Ranking, aspect: str) -> Finding | None:
    """Say which editors are best in the editing language, and which others may be as good."""
    own = [ranking.edit_lang]
    led = ranking.led(aspect, own)
    if not led:
        return None
    text = f"{led.text}.{_as_good(ranking, aspect, own, led)}"
    if aspect == "locality":
        held = {editor: ranking.find(editor, "reliability", ranking.edit_lang) for editor in led.first}
        weak = [f"{share(known)} of {editor}'s" for editor, known in held.items() if known and known.mean < WEAK]
        if weak:
            text += f" But only {listed(weak)} edits hold."
    elif before := ranking.find(UNEDITED, aspect, ranking.edit_lang):
        text += f" Unedited: {share(before)}."
    return Finding(aspect.capitalize(), text)


def _as_good(ranking: Ranking, aspect: str, langs: Sequence[str], led: Led) -> str:
    """Return which others may be as good as the best.

    By the paired test where they were compared, corrected for all comparisons; else by their intervals.
    """
    compared = {editor: ranking.compared(aspect, langs, led.first[0], editor) for editor, _ in led.rest}
    text = ""
    if same := [editor for editor, found in compared.items() if found and not any(one.significant for one in found)]:
        where = " in any other language" if len(compared_in(langs)) > 1 else ""
        text += f" Not significantly different{where}: {listed(same)}."
    if close := [editor for editor, estimate in led.rest if not compared[editor] and estimate.high >= led.top.low]:
        text += f" Close behind, with overlapping intervals: {listed(close)}."
    return text


def gap(ranking: Ranking) -> Finding | None:
    """Say how far edits reach into other languages: those that reach furthest, beside the best in their own."""
    aspect, own = "generality", language(ranking.edit_lang)
    asked = [lang for lang in ranking.grid.langs if lang != ranking.edit_lang]
    langs = [lang for lang in asked if any(ranking.find(one, aspect, lang) for one in ranking.grid.editors)]
    led, home = ranking.led(aspect, langs), ranking.led(aspect, [ranking.edit_lang])
    if not led:
        return None
    where = language(langs[0]) if len(langs) == 1 else f"{len(langs)} other languages, on average"
    text = f"{led.text} of rephrased questions right in {where}"
    at_home = [(editor, known) for editor in led.first if (known := ranking.find(editor, aspect, ranking.edit_lang))]
    text += f"; in {own} {home.span(at_home)}." if home and at_home else "."
    text += _as_good(ranking, aspect, langs, led)
    if before := ranking.reach(UNEDITED, aspect, langs):
        text += f" Unedited: {share(before)}."
    if home and not set(led.first) & set(home.first):
        reached = [(editor, known) for editor in home.first if (known := ranking.reach(editor, aspect, langs))]
        if reached:
            best_at_home = f"{listed(home.first)} with {home.share(home.top)}"
            text += f" Best in {own}: {best_at_home}, and {led.span(reached)} in {where}."
    return Finding("Across languages", text)


def _interval(found: Sequence[Estimate]) -> str:
    """Return the interval of estimates that print alike, in brackets."""
    if not all(known.bounded for known in found):
        return ""
    ends = found[0]._replace(low=min(known.low for known in found), high=max(known.high for known in found))
    same = len({known.interval for known in found}) == 1
    return f" ({ends.interval})" if same else f" (intervals within {ends.interval})"


def share(estimate: Estimate) -> str:
    """Return the estimate in percent."""
    return f"{100 * estimate.mean:.1f} %"


def listed(items: Sequence[str]) -> str:
    """Return the items as an enumeration: `a, b and c`."""
    return " and ".join(filter(None, [", ".join(items[:-1]), items[-1]]))
