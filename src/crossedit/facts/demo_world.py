"""The demo's folder as a small knowledge graph: entities, relations between them, and their templates.

    world = read_world(folder)
    world.facts()                 the facts that can be edited

An entity is a row of the CSV file of its kind. A relation `kind.column` leads from each entity of a kind to answers,
which are entities again. A relation with a hop is edited: the hop is the relation that leads on from its answers.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from crossedit.errors import UserError, nearest
from crossedit.files import read_yaml

_MARKS = ("?", "？", "؟")
_PLAIN = {"answers", "questions"}
_EDITED = {"statements", "hop", "hop_questions"}

Templates = dict[str, tuple[str, ...]]  # language -> wordings


@dataclass(frozen=True)
class Entity:
    """A row of a CSV file: its kind is the file's name, its name the one in the folder's first language."""

    kind: str
    name: str


@dataclass(frozen=True)
class Relation:
    """One entry of relations.yaml. `hop` is the relation of the second step; None where the relation isn't edited."""

    name: str
    subjects: str
    column: str
    answers: str
    questions: Templates
    statements: Templates
    hop: str | None
    hop_questions: Templates


@dataclass(frozen=True)
class Fact:
    """A subject of an edited relation and its true answers: the first is the original, the others hold as well."""

    case_id: int
    relation: Relation
    subject: Entity
    answers: tuple[Entity, ...]


@dataclass(frozen=True)
class World:
    """The whole folder: names by entity and language, true answers by relation and entity."""

    languages: tuple[str, ...]
    relations: dict[str, Relation]
    names: dict[Entity, dict[str, str]]
    answers: dict[str, dict[Entity, tuple[Entity, ...]]]

    def facts(self) -> list[Fact]:
        """Return the facts that can be edited, numbered in the order of relations.yaml and the CSV files."""
        edited = [relation for relation in self.relations.values() if relation.hop]
        known = [(relation, *item) for relation in edited for item in self.answers[relation.name].items()]
        return [Fact(case_id, *fact) for case_id, fact in enumerate(known)]

    def new_answers(self, fact: Fact) -> list[Entity]:
        """Return what the fact may be edited to: the originals of its relation that don't hold for it, each once."""
        pool = dict.fromkeys(answers[0] for answers in self.answers[fact.relation.name].values())
        true = self.called(*fact.answers)
        return [answer for answer in pool if not true & self.called(answer)]

    def second(self, relation: Relation, answer: Entity) -> tuple[Entity, ...]:
        """Return where the hop of an edited relation leads from `answer`."""
        assert relation.hop is not None
        return self.answers[relation.hop][answer]

    def called(self, *entities: Entity) -> set[str]:
        """Return all names of the entities, in every language."""
        return {name for entity in entities for name in self.names[entity].values()}


def read_world(folder: Path) -> World:
    """Return the checked contents of a folder.

    Each answer of an edited relation has the attribute that the relation's hop asks for, for each fact there is a new
    answer, and each subject stands exactly once in its questions.
    Raises UserError, naming file, row and field, where the folder doesn't hold together.
    """
    path = folder / "relations.yaml"
    languages, relations = _relations(path)
    columns: dict[str, list[str]] = {relation.answers: [] for relation in relations.values()}
    for relation in relations.values():
        columns.setdefault(relation.subjects, []).append(relation.column)
    sheets = {kind: _sheet(folder / f"{kind}.csv", languages, columns[kind]) for kind in sorted(columns)}
    names = {
        Entity(kind, row[languages[0]]): {lang: row[lang] for lang in languages}
        for kind, rows in sheets.items()
        for row in rows
    }
    answers = {name: _answers(folder, relation, sheets, languages[0]) for name, relation in relations.items()}
    world = World(languages, relations, names, answers)
    for fact in world.facts():
        relation = fact.relation
        hop = relation.hop
        for lang, template in _asked(relation):
            subject = names[fact.subject][lang]
            if template.replace("{subject}", subject).count(subject) != 1:
                raise UserError(
                    f"{path}: relations.{relation.name}: '{template}' names the subject '{subject}' a second time; "
                    "say it in other words."
                )
        if hop and fact.answers[0] not in answers[hop]:
            kind, column = hop.split(".")
            raise UserError(
                f"{folder / kind}.csv: '{fact.answers[0].name}' has an empty '{column}', the hop of "
                f"{relation.name} (subject '{fact.subject.name}'); fill it in."
            )
        if not world.new_answers(fact):
            raise UserError(
                f"{folder / fact.subject.kind}.csv: '{fact.subject.name}': every answer in column "
                f"'{relation.column}' is true for it, so there is none to edit it to; add subjects with others."
            )
    return world


def _asked(relation: Relation) -> Iterator[tuple[str, str]]:
    for templates in (relation.questions, relation.hop_questions):
        for lang, wordings in templates.items():
            for template in wordings:
                yield lang, template


def _relations(path: Path) -> tuple[tuple[str, ...], dict[str, Relation]]:
    try:
        content = read_yaml(path)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; a demo's folder has one.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not YAML in UTF-8 ({' '.join(str(error).split())}).") from None
    languages, entries = (content.get(key) if isinstance(content, dict) else None for key in ("languages", "relations"))
    if not isinstance(languages, list) or not languages or not isinstance(entries, dict):
        raise UserError(f"{path}: should hold `languages`, a list of codes, and `relations`, a mapping.")
    languages = tuple(languages)
    return languages, {name: _relation(path, name, entry, languages, entries) for name, entry in entries.items()}


def _relation(path: Path, name: str, entry: Any, languages: tuple[str, ...], entries: Mapping[str, Any]) -> Relation:
    where = f"{path}: relations.{name}"
    subjects, _, column = str(name).partition(".")
    if not subjects or not column:
        raise UserError(f"{where}: a relation is called KIND.COLUMN, such as countries.capital.")
    if not isinstance(entry, dict):
        raise UserError(f"{where}: should be a mapping with {', '.join(sorted(_PLAIN))}.")
    needed = _PLAIN | (_EDITED if _EDITED & set(entry) else set())
    for field in entry:
        if field not in needed:
            raise UserError(f"{where}.{field}: no such field; {nearest(str(field), _PLAIN | _EDITED)}")
    for field in sorted(needed - set(entry)):
        raise UserError(f"{where}: '{field}' is missing.")
    hop = f"{entry['answers']}.{entry['hop']}" if "hop" in entry else None
    if hop and hop not in entries:
        raise UserError(f"{where}.hop: there is no relation '{hop}'; {nearest(hop, entries)}")
    least = 2 if hop else 1
    return Relation(
        name=name,
        subjects=subjects,
        column=column,
        answers=str(entry["answers"]),
        questions=_templates(f"{where}.questions", entry["questions"], languages, least),
        statements=_templates(f"{where}.statements", entry["statements"], languages, 1, False) if hop else {},
        hop=hop,
        hop_questions=_templates(f"{where}.hop_questions", entry["hop_questions"], languages, 1) if hop else {},
    )


def _templates(where: str, entry: Any, languages: tuple[str, ...], least: int, questions: bool = True) -> Templates:
    if not isinstance(entry, dict) or set(entry) != set(languages):
        raise UserError(f"{where}: should have one block of templates for each of {', '.join(languages)}.")
    found = {lang: tuple(line.strip() for line in str(entry[lang]).splitlines() if line.strip()) for lang in languages}
    for lang, templates in found.items():
        if len(set(templates)) < max(least, len(templates)):
            raise UserError(f"{where}.{lang}: needs at least {least} templates, one a line, all different.")
        for template in templates:
            if template.count("{subject}") != 1:
                raise UserError(f"{where}.{lang}: '{template}' should have {{subject}} exactly once.")
            if questions and not template.endswith(_MARKS):
                raise UserError(f"{where}.{lang}: '{template}' should end with a question mark.")
    return found


def _sheet(path: Path, languages: tuple[str, ...], columns: list[str]) -> list[dict[str, str]]:
    """Return the rows of an entities' file, whose columns are the languages and the relations of its kind."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header, *lines = [[cell.strip() for cell in line] for line in csv.reader(file)]
    except FileNotFoundError:
        raise UserError(f"{path}: no such file, but relations.yaml names this kind of entity.") from None
    except (ValueError, csv.Error) as error:
        raise UserError(f"{path}: not a CSV file in UTF-8 with a head line ({error}).") from None
    for column in (*languages, *columns):
        if column not in header:
            raise UserError(f"{path}: column '{column}' is missing.")
    for column in header:
        if column not in (*languages, *columns):
            raise UserError(f"{path}: column '{column}' is no relation; {nearest(column, (*languages, *columns))}")
    taken: set[tuple[str, str]] = set()
    for number, line in enumerate(lines, start=2):
        if len(line) != len(header):
            raise UserError(f"{path}: row {number} has {len(line)} fields, the head line {len(header)}.")
        row = dict(zip(header, line, strict=True))
        for lang in languages:
            if not row[lang]:
                raise UserError(f"{path}: row {number}: '{lang}' is empty; every entity has a name in each language.")
            if (lang, row[lang]) in taken:
                raise UserError(f"{path}: row {number}: '{lang}' is '{row[lang]}', a name that stands there twice.")
            taken.add((lang, row[lang]))
    return [dict(zip(header, line, strict=True)) for line in lines]


def _answers(
    folder: Path, relation: Relation, sheets: Mapping[str, list[dict[str, str]]], first: str
) -> dict[Entity, tuple[Entity, ...]]:
    known = {row[first] for row in sheets[relation.answers]}
    found = {}
    for number, row in enumerate(sheets[relation.subjects], start=2):
        answers = [name.strip() for name in row[relation.column].split(";") if name.strip()]
        for name in answers:
            if name not in known:
                raise UserError(
                    f"{folder / relation.subjects}.csv: row {number}: {relation.column} is '{name}', which is not in "
                    f"{relation.answers}.csv; {nearest(name, known)}"
                )
        if answers:
            found[Entity(relation.subjects, row[first])] = tuple(Entity(relation.answers, name) for name in answers)
    return found
