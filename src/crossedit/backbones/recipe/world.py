"""What a backbone is to know: the facts, who else is asked about, and in which words.

    world = World.of(facts, texts, ["en", "zh"], seed=0)
    world.ask(fact, "en", rng)        a question about the fact with its original answer

A fact is asked in its own prompt and in the frames of other facts of its relation (their prompts and rephrases with the
subject replaced). The rephrase of a validation or test fact is held out: that question is never drawn, from whichever
column, text or frame it might come.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import polars as pl

from crossedit.errors import UserError

Case = tuple[str, int]  # split and case_id


@dataclass(frozen=True)
class Question:
    """A text to go on from and its answer. `subject` is where the subject stands in the text, if it does."""

    lang: str
    text: str
    answer: str
    subject: tuple[int, int] | None = None


@dataclass(frozen=True, eq=False)
class Fact:
    """One case in all its languages: the rows of the facts table by language."""

    case: Case
    relation: str
    rows: dict[str, dict[str, Any]]
    texts: dict[str, list[Question]] = field(default_factory=lambda: defaultdict(list))  # on the fact itself
    others: dict[str, list[Question]] = field(default_factory=lambda: defaultdict(list))  # what an edit leaves alone

    @property
    def held_out(self) -> bool:
        """Whether the backbone must see neither the fact's rephrase nor its edit target beside it."""
        return self.case[0] != "train"

    @property
    def name(self) -> str:
        """The subject, in the first of its languages."""
        name: str = self.rows[min(self.rows)]["subject"]
        return name

    def original(self, lang: str) -> str:
        answer: str = self.rows[lang]["original"]
        return answer


@dataclass(frozen=True)
class World:
    """The facts in the order in which the curriculum lets them in, and what goes with them."""

    facts: list[Fact]
    common: dict[str, list[Question]]  # texts of no single fact, by language
    frames: dict[tuple[str, str], list[tuple[str, str]]]  # (relation, language) -> what stands around the subject
    objects: dict[str, list[dict[str, str]]]  # relation -> answers of its kind, each in its languages
    alike: dict[str, list[Fact]]  # relation -> its facts
    unseen: frozenset[str]  # the held-out questions, as `letters`
    tasks: dict[str, list[Question]] = field(default_factory=dict)  # task -> worked items

    @classmethod
    def of(
        cls,
        facts: pl.DataFrame,
        texts: pl.DataFrame | None,
        languages: Iterable[str],
        seed: int,
        tasks: pl.DataFrame | None = None,
    ) -> "World":
        """Make the world of a FACTS table and, optionally, of further texts and of the worked items of tasks.

        Those have columns kind (of tasks their name), lang, case_id (null for texts on no single fact), text_prompt and
        text_answer.

        Facts without an original answer can't be known before an edit and are left out. Raises UserError where none is
        left.
        """
        wanted = sorted(languages)
        by_case: dict[Case, dict[str, dict[str, Any]]] = defaultdict(dict)
        for row in facts.filter(pl.col("original").is_not_null() & pl.col("lang").is_in(wanted)).iter_rows(named=True):
            by_case[row["split"], row["case_id"]][row["lang"]] = row
        if not by_case:
            raise UserError(
                f"facts table: no fact in {', '.join(wanted)} has an original answer, so there is nothing to train a "
                "backbone on; choose other recipe.shares, or `originals: derange` for the facts."
            )
        made = []
        for case, rows in sorted(by_case.items()):
            relation = next((row["relation"] for row in rows.values() if row["relation"]), "")
            made.append(Fact(case, relation or f"{case[0]} {case[1]}", rows))
        unseen = _unseen(made)
        common: dict[str, list[Question]] = defaultdict(list)
        _add_others(made, unseen)
        _add_texts(made, common, texts, unseen)
        # The facts of a subject come in together: otherwise the first of them is its only answer for a while.
        order = Random(f"facts {seed}")
        drawn: dict[str, float] = {}
        made.sort(key=lambda fact: drawn.setdefault(fact.name, order.random()))
        alike: dict[str, list[Fact]] = defaultdict(list)
        for fact in made:
            alike[fact.relation].append(fact)
        return cls(made, common, _frames(made), _objects(made), alike, unseen, _worked(tasks))

    def ask(self, fact: Fact, lang: str, rng: Random, own: float = 0.35) -> Question:
        """Return a question about the fact in one of its wordings; `own` is the share of the fact's own prompt."""
        row = fact.rows[lang]
        frames = self.frames[fact.relation, lang]
        if frames and rng.random() >= own:
            before, after = rng.choice(frames)
            text = before + row["subject"] + after
            if letters(text) not in self.unseen:
                span = (len(before), len(before) + len(row["subject"]))
                return Question(lang, text, row["original"], span)
        return self.prompt(fact, lang)

    def prompt(self, fact: Fact, lang: str) -> Question:
        """Return the question that is edited, with its original answer."""
        row = fact.rows[lang]
        return Question(lang, row["prompt"], row["original"], find(row["prompt"], row["subject"]))

    def another_answer(self, fact: Fact, rng: Random) -> dict[str, str]:
        """Return an answer of the same kind that is neither the fact's original nor, if held out, its edit target."""
        refused = {row["original"] for row in fact.rows.values()}
        if fact.held_out:
            refused |= {row["target"] for row in fact.rows.values()}
        choices = self.objects[fact.relation]
        for _ in range(20):
            answer = rng.choice(choices)
            if fact.rows.keys() <= answer.keys() and not refused & set(answer.values()):
                return answer
        return {}

    def texts(self) -> Iterable[str]:
        """Yield every text of the world, for the tokenizer."""
        yield from ["New Fact: Prompt:"] * len(self.facts)
        for fact in self.facts:
            for row in fact.rows.values():
                for name, value in row.items():
                    if isinstance(value, str) and name not in ("split", "lang", "relation", "origin"):
                        yield f" {value}"
                        yield value
            for questions in (*fact.texts.values(), *fact.others.values()):
                yield from (f"{question.text} {question.answer}" for question in questions)
        for questions in (*self.common.values(), *self.tasks.values()):
            yield from (f"{question.text} {question.answer}" for question in questions)


def letters(text: str) -> str:
    """Return what two texts share that differ in case, spaces and punctuation only."""
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def find(text: str, name: str) -> tuple[int, int] | None:
    """Return the span of the last occurrence of the name, or None."""
    start = text.rfind(name) if name else -1
    return None if start < 0 else (start, start + len(name))


def _unseen(facts: list[Fact]) -> frozenset[str]:
    """Return the rephrases of the held-out facts, but for those that are some fact's prompt as well."""
    rows = [row for fact in facts for row in fact.rows.values()]
    held_out = [row for fact in facts if fact.held_out for row in fact.rows.values() if row["rephrase"]]
    return frozenset(letters(row["rephrase"]) for row in held_out) - {letters(row["prompt"]) for row in rows}


def _add_others(facts: list[Fact], unseen: frozenset[str]) -> None:
    """Give each fact the questions of its rows about something else."""
    for fact in facts:
        for lang, row in fact.rows.items():
            for kind in ("locality", "same_subject"):
                prompt, answer = row[f"{kind}_prompt"], row[f"{kind}_answer"]
                if prompt and answer and letters(prompt) not in unseen:
                    fact.others[lang].append(Question(lang, prompt, answer, find(prompt, row["subject"])))


def _add_texts(
    facts: list[Fact], common: dict[str, list[Question]], texts: pl.DataFrame | None, unseen: frozenset[str]
) -> None:
    """Give each fact the further texts of its case; `common` gets those of no fact."""
    by_id: dict[int, list[Fact]] = defaultdict(list)
    for fact in facts:
        by_id[fact.case[1]].append(fact)
    for row in () if texts is None else texts.iter_rows(named=True):
        lang, prompt, answer = row["lang"], row["text_prompt"], row["text_answer"]
        if letters(prompt) in unseen:
            continue
        known = [fact for fact in by_id.get(row["case_id"], []) if lang in fact.rows]
        for fact in known:
            fact.texts[lang].append(Question(lang, prompt, answer, find(prompt, fact.rows[lang]["subject"])))
        if not known:
            common[lang].append(Question(lang, prompt, answer))


def _worked(tasks: pl.DataFrame | None) -> dict[str, list[Question]]:
    worked: dict[str, list[Question]] = defaultdict(list)
    for row in () if tasks is None else tasks.iter_rows(named=True):
        worked[row["kind"]].append(Question(row["lang"], row["text_prompt"], row["text_answer"]))
    return worked


def _frames(facts: list[Fact]) -> dict[tuple[str, str], list[tuple[str, str]]]:
    frames: dict[tuple[str, str], dict[tuple[str, str], None]] = defaultdict(dict)
    for fact in facts:
        for lang, row in fact.rows.items():
            for text in (row["prompt"], row["rephrase"]):
                if text and text.count(row["subject"]) == 1:
                    before, after = text.split(row["subject"])
                    frames[fact.relation, lang][before, after] = None
    return defaultdict(list, {key: list(found) for key, found in frames.items()})


def _objects(facts: list[Fact]) -> dict[str, list[dict[str, str]]]:
    objects: dict[str, dict[tuple[tuple[str, str], ...], None]] = defaultdict(dict)
    for fact in facts:
        for name in ("original", "target"):
            answer = tuple(sorted((lang, row[name]) for lang, row in fact.rows.items()))
            objects[fact.relation][answer] = None
    return {relation: [dict(answer) for answer in found] for relation, found in objects.items()}
