"""Some facts to look at: what is asked, and what each editor's model answers before and after."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from crossedit import tables
from crossedit.reports.naming import ASPECTS, KINDS
from crossedit.reports.owners import cell_of

LIMIT = 20  # facts per backbone and editing language, so that the page stays small


@dataclass
class Question:
    """A row of an example: one question with all editors' answers to it."""

    aspect: str
    lang: str
    prompt: str
    expected: str
    before: str
    after: dict[str, str] = field(default_factory=dict)  # by editor
    other_before: dict[str, str] = field(default_factory=dict)  # where an editor's model is asked otherwise before

    def right(self, editor: str) -> bool:
        """Return whether the editor's answer is what it should be: the target or, for locality, the one before."""
        return self.after[editor].strip() == self._wanted(editor).strip()

    def _wanted(self, editor: str) -> str:
        return self.other_before.get(editor, self.before) if self.aspect.startswith("Locality") else self.expected


@dataclass
class Example:
    """One fact under all editors."""

    facts: str
    backbone: str
    edit_lang: str
    case_id: int
    questions: list[Question]

    @property
    def title(self) -> str:
        """The question that was edited, else the first one."""
        return next((q.prompt for q in self.questions if q.aspect == "Reliability"), self.questions[0].prompt)

    @property
    def editors(self) -> list[str]:
        """All editors that answered one of the questions."""
        return list(dict.fromkeys(editor for question in self.questions for editor in question.after))


def examples(paths: Sequence[Path], protocol: str, limit: int = LIMIT) -> list[Example]:
    """Return the first `limit` facts of each backbone and editing language from predictions files."""
    found: dict[tuple[str, str, str, int], dict[tuple[str, str, str], Question]] = {}
    for path in paths:
        cell = cell_of(path)
        for row in _rows(path, protocol).iter_rows(named=True):
            questions = found.setdefault((cell.facts, cell.backbone, cell.edit_lang, row["case_id"]), {})
            key = (row["aspect"], row["kind"], row["lang"])
            question = questions.setdefault(key, _question(row))
            question.after[cell.editor] = row["after_text"]
            if row["before_text"] != question.before:
                question.other_before[cell.editor] = row["before_text"]
    shown: list[Example] = []
    count: dict[tuple[str, str, str], int] = {}
    for (*place, case_id), questions in sorted(found.items()):
        group = (place[0], place[1], place[2])
        count[group] = count.get(group, 0) + 1
        if count[group] <= limit:
            shown.append(Example(*group, case_id, [questions[key] for key in sorted(questions, key=_order)]))
    return shown


def _rows(path: Path, protocol: str) -> pl.DataFrame:
    return tables.read(path, tables.PREDICTIONS).filter(pl.col("protocol") == protocol)


def _question(row: dict[str, str]) -> Question:
    kind = KINDS.get(row["kind"], row["kind"])
    aspect = row["aspect"].capitalize() + (f", {kind.lower()}" if kind else "")
    return Question(aspect, row["lang"], row["prompt"], row["target_text"], row["before_text"])


def _order(key: tuple[str, str, str]) -> tuple[int, str, str]:
    aspect, kind, lang = key
    return (ASPECTS.index(aspect) if aspect in ASPECTS else len(ASPECTS), kind, lang)
