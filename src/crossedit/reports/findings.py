"""What the scores say, in sentences: nothing that a reader could not check in Table 2."""

from collections.abc import Sequence

from crossedit.reports.grid import Grid
from crossedit.reports.naming import language, method
from crossedit.reports.scores import UNEDITED, Estimate, Scores

_ASKED = {
    "reliability": "The edited question itself is answered as edited",
    "generality": "Rephrased, it is",
    "locality": "What is not to change stays the same",
    "portability": "A question one step further is answered as the edit demands",
}


def findings(scores: Scores, grid: Grid, facts: str, backbone: str) -> dict[str, list[str]]:
    """Return for each editing language the sentences about it, by exact match under the grid's protocol."""
    rows = [place for place in grid.rows(facts) if place[0] == backbone]
    said = {}
    for edit_lang in grid.edit_langs:
        editors = [editor for _, lang, editor in rows if lang == edit_lang]
        look = _Look(scores, grid, facts, backbone, edit_lang, editors)
        sentences = [best(look, aspect) for aspect in _ASKED] + [gap(look)]
        if found := [sentence for sentence in sentences if sentence]:
            said[edit_lang] = found
    return said


class _Look:
    """The exact-match estimates of one backbone and editing language."""

    def __init__(
        self, scores: Scores, grid: Grid, facts: str, backbone: str, edit_lang: str, editors: Sequence[str]
    ) -> None:
        self.scores, self.grid, self.editors = scores, grid, editors
        self.facts, self.backbone, self.edit_lang = facts, backbone, edit_lang

    def one(self, editor: str, aspect: str, lang: str) -> Estimate | None:
        """Return the estimate of one editor, if there is one."""
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

    def all(self, aspect: str, lang: str) -> dict[str, Estimate]:
        """Return the estimates of all editors that have one, the best first; the unedited backbone is none."""
        found = {editor: self.one(editor, aspect, lang) for editor in self.editors if editor != UNEDITED}
        known = [(editor, estimate) for editor, estimate in found.items() if estimate]
        return dict(sorted(known, key=lambda item: -item[1].mean))


def best(look: _Look, aspect: str) -> str | None:
    """Return which editor is best in the editing language, and which ones can't be told apart from it."""
    found = look.all(aspect, look.edit_lang)
    if not found:
        return None
    (first, top), *rest = found.items()
    close = [editor for editor, estimate in rest if estimate.high >= top.low]
    tail = f"; the intervals of {_listed(close)} overlap with its" if close else ""
    text = f"{_ASKED[aspect]} most often with {first}: {top} % (95 % interval {top.interval}){tail}."
    held = look.one(first, "reliability", look.edit_lang)
    if aspect == "locality" and held and held.mean < 0.5:
        text += f" But {first} makes only {held} % of its edits hold."
    before = look.one(UNEDITED, aspect, look.edit_lang)
    if aspect != "locality" and before:
        text += f" Unedited: {before} %."
    return text


def gap(look: _Look) -> str | None:
    """Return how much less often an edit is known in other languages, for the editor with the best generality."""
    own = look.all("generality", look.edit_lang)
    others = [lang for lang in look.grid.langs if lang != look.edit_lang]
    if not own or not others:
        return None
    first, top = next(iter(own.items()))
    reached = []
    for lang in others:
        across, before = look.one(first, "generality", lang), look.one(UNEDITED, "generality", lang)
        if across:
            reached.append(f"{across} % in {language(lang)}" + (f" (unedited: {before} %)" if before else ""))
    if not reached:
        return None
    return f"Across languages, {first}'s edits are known in rephrased questions in {top} % of cases in " + (
        f"{language(look.edit_lang)}, but {_listed(reached)}."
        if len(reached) == 1
        else f"{language(look.edit_lang)}, {_listed(reached)}."
    )


def _listed(items: Sequence[str]) -> str:
    names = [method(item) for item in items]
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
