"""The demo's facts: a folder of entities (CSV) and of relations with their templates (relations.yaml) becomes facts.

    read_demo(folder, seed)       the facts to edit, in every language of the folder
    training_texts(folder)        what else a backbone has to read: statements, second steps, whole hops
    read_texts(path)              the same from a file, such as the worked items of a task

The folder is a small knowledge graph (`demo_world`). Each fact is an edge of it; the portability question follows the
graph one step on from the new answer.
"""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from crossedit.errors import UserError
from crossedit.facts.demo_world import Entity, Fact, World, read_world
from crossedit.tables import FACTS

_GIVEN_ELSEWHERE = ("split", "origin", "translated_by", "corrected_by", "checked_by")
TEXTS = {
    "kind": pl.String,  # statement, attribute, hop, or a task's name
    "lang": pl.String,
    "case_id": pl.Int64,  # null for attributes, which belong to no single fact
    "text_prompt": pl.String,
    "text_answer": pl.String,
}


def read_demo(folder: Path, seed: int) -> pl.DataFrame:
    """Return the folder's facts, one row per fact and language: FACTS without `split`, `origin` and the lineage.

    Wordings, new answers and locality pairs are drawn by `seed`, for each fact on its own; the entities are the same
    in every language. `same_subject_prompt` and `same_subject_answer` are null where the subject has no other relation.
    Raises UserError for a folder that doesn't hold together.
    """
    world = read_world(Path(folder))
    facts = world.facts()
    rows = [row for fact in facts for row in _rows(world, facts, fact, seed)]
    schema = {name: dtype for name, dtype in FACTS.columns.items() if name not in _GIVEN_ELSEWHERE}
    return pl.DataFrame(rows, schema=schema)


def training_texts(folder: Path) -> pl.DataFrame:
    """Return texts that a facts table doesn't hold, with the columns of TEXTS; all are true (before any edit).

    statement   the beginning of a sentence about a fact's subject, and the original answer that ends it
    attribute   the second step asked about each answer that a fact has or may be given
    hop         a fact's portability question, answered from the original answer
    """
    world = read_world(Path(folder))
    attributes = {}
    rows: list[tuple[str, str, int | None, str, str]] = []
    for fact in world.facts():
        relation, original = fact.relation, fact.answers[0]
        assert relation.hop is not None
        attributes[relation.hop, original] = world.second(relation, original)[0]
        for lang in world.languages:
            subject = world.names[fact.subject][lang]
            hop_answer = world.names[world.second(relation, original)[0]][lang]
            for template in relation.statements[lang]:
                prompt, answer = _fill(template, subject), world.names[original][lang]
                rows.append(("statement", lang, fact.case_id, prompt, answer))
            for template in relation.hop_questions[lang]:
                rows.append(("hop", lang, fact.case_id, _fill(template, subject), hop_answer))
    for (name, entity), value in attributes.items():
        for lang in world.languages:
            for template in world.relations[name].questions[lang]:
                prompt, answer = _fill(template, world.names[entity][lang]), world.names[value][lang]
                rows.append(("attribute", lang, None, prompt, answer))
    return pl.DataFrame(rows, schema=TEXTS, orient="row")


def read_texts(path: Path) -> pl.DataFrame:
    """Return texts that were written as lines of JSON. Raises UserError where there are none, or others."""
    try:
        return pl.read_ndjson(path, schema=TEXTS)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; it should hold texts to train on (`crossedit sweeps texts`).") from None
    except pl.exceptions.PolarsError as error:
        raise UserError(f"{path}: not lines of JSON with {', '.join(TEXTS)} ({str(error).splitlines()[0]}).") from None


def _rows(world: World, facts: list[Fact], fact: Fact, seed: int) -> Iterator[dict[str, Any]]:
    relation, subject, original = fact.relation, fact.subject, fact.answers[0]
    # A generator of its own for each fact: a new relation leaves the draws of the others as they are.
    rng = random.Random(f"{seed}/{relation.name}/{subject.name}")
    target = _target(world, fact, rng)
    other = _other_subject(world, facts, fact, target, rng)
    siblings = [sibling for sibling in facts if sibling.subject == subject and sibling is not fact]
    sibling = rng.choice(siblings) if siblings else None
    for lang in world.languages:
        names = {entity: world.names[entity][lang] for entity in world.names}
        prompt, rephrase = rng.sample(relation.questions[lang], 2)
        yield {
            "case_id": fact.case_id,
            "lang": lang,
            "relation": relation.name,
            "subject": names[subject],
            "prompt": _fill(prompt, names[subject]),
            "target": names[target],
            "original": names[original],
            "rephrase": _fill(rephrase, names[subject]),
            "locality_prompt": _fill(rng.choice(other.relation.questions[lang]), names[other.subject]),
            "locality_answer": names[other.answers[0]],
            "same_subject_prompt": sibling and _fill(rng.choice(sibling.relation.questions[lang]), names[subject]),
            "same_subject_answer": sibling and names[sibling.answers[0]],
            "portability_prompt": _fill(rng.choice(relation.hop_questions[lang]), names[subject]),
            "portability_answer": names[world.second(relation, target)[0]],
        }


def _target(world: World, fact: Fact, rng: random.Random) -> Entity:
    """Draw the new answer, if possible one from which the hop leads elsewhere than from the original."""
    false = world.new_answers(fact)
    before = set(world.second(fact.relation, fact.answers[0]))
    elsewhere = [answer for answer in false if not before & set(world.second(fact.relation, answer))]
    return rng.choice(elsewhere or false)


def _other_subject(world: World, facts: list[Fact], fact: Fact, target: Entity, rng: random.Random) -> Fact:
    """Draw the fact of the locality pair, as often from the same relation as from another.

    It has nothing in common with the edit: neither subject, nor original, nor new answer.
    """
    taken = world.called(fact.subject, fact.answers[0], target)
    apart = [other for other in facts if not taken & world.called(other.subject, other.answers[0])]
    if not apart:
        raise UserError(
            f"relation {fact.relation.name}: the edit of '{fact.subject.name}' to '{target.name}' leaves no fact for "
            "its locality pair, about another subject and with another answer; add some."
        )
    same = rng.random() < 0.5
    alike = [other for other in apart if (other.relation is fact.relation) == same]
    return rng.choice(alike or apart)


def _fill(template: str, subject: str) -> str:
    return template.replace("{subject}", subject)
