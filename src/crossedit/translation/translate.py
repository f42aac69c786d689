"""From a facts table in one language to one that also holds its translations.

First every record is looked up in the store; only where answers are missing is a client made and a server
asked. What was asked is stored before it is read, so a run that is stopped goes on where it was.

A case stands in the new table in all languages or in none: where one of its translations fails, the whole
case is left out and the failure is listed with its reason.
"""

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from typing import Any, Protocol

import polars as pl

from crossedit import progress
from crossedit.errors import UserError
from crossedit.facts import languages
from crossedit.files import digest
from crossedit.tables import FACTS
from crossedit.translation import records
from crossedit.translation.settings import Settings
from crossedit.translation.store import Answer, Store

Row = dict[str, Any]


class Asks(Protocol):
    """Whatever answers a request: `client.Client`, or another way to a model."""

    def ask(self, request: Mapping[str, Any]) -> Answer: ...


@dataclass(frozen=True)
class Job:
    """One request, which serves every row that asks for the same."""

    request: dict[str, Any]
    record: dict[str, str]

    @property
    def key(self) -> str:
        return digest(self.request)


@dataclass
class Outcome:
    """What became of a job: its translation, or why each answer so far can't be used."""

    answers: list[Answer] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    translation: dict[str, str] | None = None
    asked: int = 0


@dataclass(frozen=True)
class Translated:
    """The translated rows (facts), the failures, and the outcome of every job by its key."""

    rows: list[Row]
    failures: list[Row]
    outcomes: dict[str, Outcome]


def translate(facts: pl.DataFrame, settings: Settings, client: Callable[[], Asks] | None = None) -> Translated:
    """Translate the source language's rows into every target language that their case doesn't hold yet.

    `client` makes what is asked for missing answers; by default a `Client` of the settings' server. Raises
    UserError where answers are missing and it may not be asked (offline, or no OPENAI_API_KEY), or where the
    server refuses.
    """
    store = Store(settings.store)
    if settings.source not in facts["lang"]:
        there = ", ".join(facts["lang"].unique().sort()) or "none"
        raise UserError(f"translation: source: no facts in '{settings.source}'; the table's languages are: {there}.")
    needed = wanted(facts, settings)
    jobs = {job.key: job for _, _, job in needed}
    outcomes = {key: settle(job, store, settings.attempts) for key, job in jobs.items()}
    missing = [key for key, outcome in outcomes.items() if not settled(outcome, settings.attempts)]
    if missing:
        asks = client() if client else _client(settings, [jobs[key] for key in missing], len(jobs))
        for key, outcome in _ask([jobs[key] for key in missing], store, asks, settings):
            outcomes[key] = outcome

    rows, failures = [], []
    for row, target, wanted_job in needed:
        outcome = outcomes[wanted_job.key]
        case = {"split": row["split"], "case_id": row["case_id"], "lang": target}
        if outcome.translation is None:
            failures.append({**case, "model": wanted_job.request["model"], "reasons": outcome.reasons})
        else:
            absent = dict.fromkeys(records.FIELDS)
            rows.append({**case, "relation": row["relation"], **absent, **outcome.translation, "origin": "translated"})
    return Translated(rows, failures, outcomes)


def wanted(facts: pl.DataFrame, settings: Settings) -> list[tuple[Row, str, Job]]:
    """Return (row, target language, job) for each row of the source language that a target language lacks."""
    held = set(facts.select("split", "case_id", "lang").iter_rows())
    sources = [row for row in facts.iter_rows(named=True) if row["lang"] == settings.source]
    return [
        (row, target, job(row, target, settings))
        for target in settings.targets
        for row in sources
        if (row["split"], row["case_id"], target) not in held
    ]


def job(row: Mapping[str, Any], target: str, settings: Settings) -> Job:
    """Return what has to be asked for this row of the source language."""
    record = records.of_row(row)
    return Job(records.request(record, settings.source, target, settings.model_of(row["split"])), record)


def settle(job: Job, store: Store, attempts: int, asks: Asks | None = None) -> Outcome:
    """Go through the attempts until an answer can be used; ask for what is not stored, given `asks`."""
    outcome = Outcome()
    for attempt in range(1, attempts + 1):
        answer = store.get(job.request, attempt)
        if answer is None:
            if asks is None:
                break
            answer = asks.ask(job.request)
            store.put(job.request, attempt, answer)
            outcome.asked += 1
        outcome.answers.append(answer)
        try:
            outcome.translation = records.read_answer(answer.answer, job.record)
            break
        except records.Unusable as reason:
            outcome.reasons.append(str(reason))
    return outcome


def assemble(facts: pl.DataFrame, rows: list[Row], failures: list[Row]) -> pl.DataFrame:
    """Return the facts table of the given and the translated rows, without the cases that failed."""
    failed = {(row["split"], row["case_id"]) for row in failures}
    every = pl.concat([facts.select(*FACTS.columns), pl.DataFrame(rows, schema=FACTS.columns)])
    keep = [case not in failed for case in every.select("split", "case_id").iter_rows()]
    return every.filter(pl.Series(keep, dtype=pl.Boolean))


def settled(outcome: Outcome, attempts: int) -> bool:
    """Return whether nothing more is asked: there is a translation, or every attempt has failed."""
    return outcome.translation is not None or len(outcome.reasons) == attempts


def _client(settings: Settings, missing: list[Job], total: int) -> Asks:
    """Return a client, or say in one sentence why nothing can be asked."""
    models = ", ".join(sorted({job.request["model"] for job in missing}))
    lack = f"translation: {len(missing)} of {total} records have no answer in {settings.store}"
    if settings.offline:
        raise UserError(f"{lack}, and `offline` is set; without it {models} at {settings.base_url} would be asked.")
    if not os.environ.get("OPENAI_API_KEY"):
        raise UserError(
            f"{lack}; set OPENAI_API_KEY to ask {models} at {settings.base_url} (any text if it wants none)."
        )
    from crossedit.translation.client import Client

    return Client(settings.base_url, settings.timeout)


def _ask(jobs: list[Job], store: Store, asks: Asks, settings: Settings) -> Iterator[tuple[str, Outcome]]:
    """Settle the jobs, a few at a time; on an error let those in flight end, start no other, and raise it."""
    stopped = threading.Event()  # set where the error happens, before that thread could take the next job

    def work(job: Job) -> Outcome | None:
        if stopped.is_set():
            return None
        try:
            return settle(job, store, settings.attempts, asks)
        except BaseException:
            stopped.set()
            raise

    pool = ThreadPoolExecutor(settings.concurrency)
    futures = {pool.submit(work, job): job.key for job in jobs}
    names = ", ".join(languages.name(target) for target in settings.targets)
    try:
        for future in progress.track(as_completed(futures), f"Translating to {names}", total=len(futures)):
            outcome = future.result()
            if outcome is not None:
                yield futures[future], outcome
    finally:
        pool.shutdown(cancel_futures=True)
