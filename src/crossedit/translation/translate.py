"""From a facts table in one language to one that also holds its translations.

First every record is looked up in the store; only where answers are missing is a server asked. What it says is stored
before it is read, so a run that is stopped goes on where it was.

A case stands in the new table in all languages or in none: where one of its translations fails, the failure is listed
with its reasons, and the whole case is left out, or keeps the source language's texts there, as the settings say.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl

from crossedit.errors import UserError
from crossedit.tables import FACTS
from crossedit.translation import records
from crossedit.translation.questions import Question, question_of
from crossedit.translation.records import Row
from crossedit.translation.settings import Settings
from crossedit.translation.store import Store

# Drives questions to their end; settled ones are among them, for what they have cost counts.
Ask = Callable[[Sequence[Question], Store, Settings], None]


@dataclass(frozen=True)
class Translated:
    """The translated rows (facts), the failures, and what was asked and answered.

    asked: the number of answers got by this run; the others were stored before, or by another one meanwhile.
    """

    rows: list[Row]
    failures: list[Row]
    questions: list[Question]
    asked: int


def translate(facts: pl.DataFrame, settings: Settings, ask: Ask | None = None) -> Translated:
    """Translate the source language's rows into every target language that their case doesn't hold yet.

    `ask` gets missing answers; by default it asks the settings' server. Raises UserError where answers are missing and
    it may not be asked (offline, or no OPENAI_API_KEY), where the server refuses, or where the budget is spent.
    """
    store = Store(settings.store)
    needed = wanted(facts, settings)
    questions = list({question.key: question for _, _, question in needed}.values())
    for question in questions:
        question.replay(store)
    missing = [question for question in questions if question.request is not None]
    if missing:
        (ask or _way(settings, missing, len(questions)))(questions, store, settings)

    rows, failures = [], []
    for row, target, question in needed:
        case = {"split": row["split"], "case_id": row["case_id"], "lang": target}
        made = case | {"relation": row["relation"], **dict.fromkeys(records.FIELDS)}
        if question.translation is not None:
            rows.append(made | question.translation | {"origin": "translated", "translated_by": _by(question)})
        else:
            failures.append({**case, "model": question.first["model"], "reasons": question.reasons})
            if settings.failed == "keep_source":
                rows.append(made | question.record | {"origin": "untranslated"})
    asked = sum(
        store.has_put(question.first, attempt)
        for question in questions
        for attempt in range(1, len(question.answers) + 1)
    )
    return Translated(rows, failures, questions, asked)


def wanted(facts: pl.DataFrame, settings: Settings) -> list[tuple[Row, str, Question]]:
    """Return (row, target language, question) for each row of the source language that a target language lacks.

    Rows that ask for the same share their question. Raises UserError where no row is in the source language.
    """
    prompt = records.prompt_of(settings)
    held = set(facts.select("split", "case_id", "lang").iter_rows())
    sources = records.sources(facts, settings.source)
    asked: dict[str, Question] = {}
    found = []
    for target in settings.targets:
        for row in sources:
            if (row["split"], row["case_id"], target) not in held:
                question = question_of(row, target, settings, prompt)
                found.append((row, target, asked.setdefault(question.key, question)))
    return found


def assemble(facts: pl.DataFrame, rows: list[Row], failures: list[Row]) -> pl.DataFrame:
    """Return the facts table of the given and the translated rows, without the cases that have no row in a language."""
    every = pl.concat([facts.select(*FACTS.columns), pl.DataFrame(rows, schema=FACTS.columns)])
    kept = set(every.select("split", "case_id", "lang").iter_rows())
    failed = {case[:2] for row in failures if (case := (row["split"], row["case_id"], row["lang"])) not in kept}
    keep = [case not in failed for case in every.select("split", "case_id").iter_rows()]
    return every.filter(pl.Series(keep, dtype=pl.Boolean))


def _by(question: Question) -> str:
    answer = question.answers[-1]
    if answer.recorded_from:
        return f"recorded from {answer.recorded_from}"
    return answer.answered_by or str(question.first["model"])


def _way(settings: Settings, missing: list[Question], total: int) -> Ask:
    """Return what asks the server, or say in one sentence why nothing can be asked."""
    models = ", ".join(sorted({question.first["model"] for question in missing}))
    lack = f"translation: {len(missing)} of {total} records have no answer in {settings.store}"
    if settings.offline:
        raise UserError(f"{lack}, and `offline` is set; without it {models} at {settings.base_url} would be asked.")
    if not os.environ.get("OPENAI_API_KEY"):
        raise UserError(
            f"{lack}; set OPENAI_API_KEY to ask {models} at {settings.base_url} (any text if it wants none)."
        )
    if settings.batch:
        from crossedit.translation.asking.batches import ask
    else:
        from crossedit.translation.asking.live import ask
    return ask
