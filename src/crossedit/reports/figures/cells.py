"""What figures of edits show: scores of a set of facts under the grid's protocol, means where languages are many."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from crossedit.reports.grid import Grid
from crossedit.reports.naming import FEW, Dashes, asked, f1_metric, language, union
from crossedit.reports.scores import Estimate, Scores

# Each token is asked with the right ones before it, from which the next may follow without any edit.
_FLOOR = "F1 has a floor: the unedited backbone's."
_DASHES = ((0, (4, 1.6)), (0, (1.2, 1.2)), (0, (4, 1.2, 1.2, 1.2)), (0, (6, 1.2)))


@dataclass(frozen=True)
class Edited:
    """The scores of one set of facts."""

    scores: Scores
    grid: Grid
    facts: str

    @property
    def metric(self) -> str:
        """The metric of the scores that are shown, as tables of scores name it."""
        return f1_metric(self.grid.protocol) if self.grid.metric == "f1" else "em"

    @property
    def measure(self) -> str:
        """What figures call it."""
        return self.grid.metric.upper()

    @property
    def asked(self) -> str:
        """How edits are asked, and what is to be known of F1 then."""
        said = f"{asked(self.grid.protocol)}."
        return f"{said} {_FLOOR}" if self.grid.metric == "f1" and self.grid.protocol != "generated" else said

    @property
    def backbones(self) -> tuple[str, ...]:
        """Those with rows."""
        return union(backbone for backbone, _, _ in self.grid.rows(self.facts))

    @property
    def edit_langs(self) -> tuple[str, ...]:
        """The editing languages with rows, in the grid's order."""
        found = {edit_lang for _, edit_lang, _ in self.grid.rows(self.facts)}
        return tuple(lang for lang in self.grid.edit_langs if lang in found)

    @property
    def editors(self) -> tuple[str, ...]:
        """The editors with rows, without the unedited backbone."""
        found = {editor for _, _, editor in self.grid.rows(self.facts)}
        return tuple(editor for editor in self.grid.editors if editor in found)

    def find(self, backbone: str, editor: str, edit_lang: str, aspect: str, lang: str) -> Estimate | None:
        """Return the score, if there is one."""
        return self.across(backbone, editor, edit_lang, aspect, [lang])

    def across(self, backbone: str, editor: str, edit_lang: str, aspect: str, langs: Sequence[str]) -> Estimate | None:
        """Return the score in other languages than that of the edit, of several their mean, if there is one."""
        return self.scores.across(
            langs,
            facts=self.facts,
            backbone=backbone,
            editor=editor,
            edit_lang=edit_lang,
            aspect=aspect,
            protocol=self.grid.protocol,
            metric=self.metric,
        )

    def own(self, backbone: str, editor: str, edit_lang: str, aspect: str) -> Estimate | None:
        """Return the score in the language of the edit."""
        return self.find(backbone, editor, edit_lang, aspect, edit_lang)


class Asked(NamedTuple):
    """Languages that edits are asked in: that of the edit, or others."""

    label: str
    others: tuple[str, ...]  # none: that of the edit
    line: Dashes

    def langs(self, edit_lang: str) -> tuple[str, ...]:
        """Return those of an edit in this language."""
        return tuple(lang for lang in self.others if lang != edit_lang) if self.others else (edit_lang,)


def asked_in(langs: Sequence[str]) -> tuple[Asked, ...]:
    """Return what is asked in the language of the edit, then in each other language, or in all together if many."""
    own = Asked("the language of the edit", (), "-")
    if len(langs) > FEW + 1:
        return own, Asked("other languages, mean", tuple(langs), _DASHES[0])
    return own, *(Asked(language(lang), (lang,), line) for lang, line in zip(langs, _DASHES, strict=False))
