"""What a report is about, and in which order it is shown: the configuration's names, then whatever else has scores."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from crossedit import UNEDITED
from crossedit.config import cells as configured_cells
from crossedit.errors import UserError, nearest
from crossedit.facts.languages import is_language
from crossedit.reports.naming import PROTOCOLS, Style, protocols_of, styles, union
from crossedit.reports.scores import Scores
from crossedit.reports.sweeps import Sweeps


@dataclass(frozen=True)
class Grid:
    """Names in the order of the report, and which rows it has."""

    facts: tuple[str, ...]
    backbones: tuple[str, ...]
    editors: tuple[str, ...]  # those with rows, without the unedited backbone
    edit_langs: tuple[str, ...]
    langs: tuple[str, ...]  # evaluation languages
    protocols: tuple[str, ...]
    protocol: str  # the one that is shown first
    metric: str  # that figures of edits show, em or f1
    methods: Mapping[str, str]  # of editors, where the entry says them
    _rows: frozenset[tuple[str, str, str, str]]

    @classmethod
    def of(cls, entry: Mapping[str, Any], scores: Scores, sweeps: Sweeps | None = None) -> "Grid":
        """Return the grid of a configuration, of which every key may be missing, and of the scores.

        Where the entry names facts, backbones, editors and languages, each cell of them is a row, whether or not it has
        scores yet. Where neither says how facts are asked, the sweeps do. Raises UserError for an unknown protocol.
        """
        languages = entry.get("languages", ())
        named = [list(entry.get(section, ())) for section in ("facts", "backbones", "editors")] + [list(languages)]
        found = [scores.names(column) for column in ("facts", "backbone", "editor", "edit_lang")]
        facts, backbones, editors, edit_langs = (union(*pair) for pair in zip(named, found, strict=True))
        protocols = protocols_of(entry, scores.names("protocol"))
        protocols = protocols or (sweeps.protocols if sweeps else ()) or tuple(PROTOCOLS)[:1]
        shown = entry.get("reports") or {}
        protocol = shown.get("protocol", protocols[0])
        if protocol not in protocols:
            raise UserError(f"reports.protocol: '{protocol}' is not one that was asked; {nearest(protocol, protocols)}")
        langs = union(entry.get("evaluation_languages", languages), filter(is_language, scores.names("lang")))
        rows = set(scores.frame.select("facts", "backbone", "editor", "edit_lang").unique().iter_rows())
        if all(named):
            cells = list(configured_cells({"include": [], "exclude": [], **entry}))
            rows |= {tuple(cell) for cell in cells} | {cell._replace(editor=UNEDITED) for cell in cells}
        return cls(
            facts=facts,
            backbones=backbones,
            editors=tuple(
                name for name in editors if name != UNEDITED and name in {editor for _, _, editor, _ in rows}
            ),
            edit_langs=edit_langs,
            langs=langs or (sweeps.langs if sweeps else ()),
            protocols=protocols,
            protocol=protocol,
            metric=shown.get("metric", "em"),
            methods={
                name: str(editor["method"]) for name, editor in entry.get("editors", {}).items() if "method" in editor
            },
            _rows=frozenset(rows),
        )

    @property
    def edited(self) -> tuple[str, ...]:
        """The facts that any row is of."""
        return tuple(facts for facts in self.facts if any(self.rows(facts)))

    @property
    def styles(self) -> dict[str, Style]:
        """How editors are drawn, the unedited backbone among them."""
        return styles(self.editors, self.methods)

    def crosses(self, facts: str) -> bool:
        """Return whether there is a language besides that of an edit of the facts; see contents, which plans by it."""
        langs = {*self.langs, *self.edit_langs}
        return any(langs - {edit_lang} for _, edit_lang, _ in self.rows(facts))

    def rows(self, facts: str) -> Iterator[tuple[str, str, str]]:
        """Yield (backbone, edit_lang, editor) of each row in order, the unedited backbone before the editors."""
        for backbone in self.backbones:
            for edit_lang in self.edit_langs:
                for editor in (UNEDITED, *self.editors):
                    if (facts, backbone, editor, edit_lang) in self._rows:
                        yield backbone, edit_lang, editor
