"""Answers through the Batch API: at half the price, within a day.

What is next to be asked of each question goes into batches, one model in each; their answers are stored, then read, and
what has to be asked again goes into the next round. Records that get nothing but errors, while others of their model
are answered, are given up for this run. A process may be killed at any point: the ledger says which batches are on
their way, and those are waited for, whatever is asked besides them by then.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from openai.types import Batch
from rich.progress import Progress

from crossedit.errors import UserError
from crossedit.progress import bar
from crossedit.translation.asking.batch_api import BatchApi, Refused
from crossedit.translation.asking.forms import in_form
from crossedit.translation.asking.ledger import Entry, Ledger, line, name_of, plain
from crossedit.translation.asking.loops import drive
from crossedit.translation.asking.prices import Budget
from crossedit.translation.questions import Question
from crossedit.translation.settings import Settings
from crossedit.translation.store import Answer, Store

log = logging.getLogger(__name__)

REQUESTS = 50_000  # in one batch at most
BYTES = 100_000_000  # in its file at most
TRIES = 3  # of a request that gets errors for an answer, and of rounds without any answer
_ENDED = ("completed", "failed", "expired", "cancelled")
_TOO_MANY_TOKENS = "token_limit_exceeded"


def ask(questions: Sequence[Question], store: Store, settings: Settings) -> None:
    """Drive the questions to their end. Settled ones among them count for the budget.

    Raises UserError where the server refuses a batch or answers nothing at all that a model is asked, and where the
    budget doesn't allow another request. Batches that are on their way then are found again by the next run.
    """
    with store.asking():
        for question in questions:
            question.replay(store)
        drive(_Run(questions, store, settings).all())


class _Run:
    """One run of `ask`."""

    def __init__(self, questions: Sequence[Question], store: Store, settings: Settings) -> None:
        self._questions = questions
        self._store = store
        self._settings = settings
        self._server = plain(settings.base_url)
        self._api = BatchApi(settings)
        self._budget = Budget(settings, questions)
        self._ledger = Ledger(store.folder)
        self._waiting: dict[str, Question] = {}  # those not settled, by the name of what is next to be asked
        for question in questions:
            self._wait_for(question)
        self._most = REQUESTS
        self._too_large: tuple[int, UserError] | None = None  # requests of a batch that was, and what it would end in
        self._errors: Counter[str] = Counter()  # how often each request got an error for an answer
        self._reasons: dict[str, str] = {}  # the last of them
        self._reason = ""  # why the last request without an answer has none

    async def all(self) -> None:
        """Go from round to round until every question is settled."""
        with bar("translation", len(self._questions)) as progress:
            async with self._api:
                await self._recover()
                in_vain = 0
                while True:
                    await self._submit()
                    if not self._awaited():
                        break
                    in_vain = 0 if await self._collect(progress) or self._halved() else in_vain + 1
                    if in_vain == TRIES:
                        raise UserError(
                            f"translation: batch: {TRIES} times in a row no batch at {self._settings.base_url} brought "
                            f"an answer ({self._reason}); run this again later, or with `batch: false`."
                        )
        self._give_up()

    def _give_up(self) -> None:
        """Give up what got nothing but errors, unless it is all that a model was asked: then it isn't the records."""
        answered = {
            question.first["model"]
            for question in self._questions
            if any(answer.recorded_from is None for answer in question.answers)
        }
        for name, question in self._waiting.items():
            if (model := question.first["model"]) not in answered:
                raise UserError(
                    f"translation: batch: {self._settings.base_url} answers nothing that {model} is asked, the last "
                    f"with {self._reasons[name]}; what others were asked is stored."
                )
        for name, question in self._waiting.items():
            question.give_up(f"the server answers {self._reasons[name]}")
        if self._waiting:
            log.warning(
                "translation: %d records get errors for answers, the last %s; they are listed as failed, and asked "
                "again by the next run.",
                *(len(self._waiting), self._reason),
            )

    def _wait_for(self, question: Question) -> None:
        if question.request is not None:
            self._waiting[name_of(question.request, question.attempt)] = question

    async def _recover(self) -> None:
        """Find the batches of earlier runs that are on their way, or make sure that they never came to the server."""
        for entry in self._ledger.on_their_way:
            if entry.server != self._server:
                self._check_free(entry)
            elif entry.id is None:
                if found := await self._api.find(entry):
                    self._ledger.submitted(entry, found.id)
                else:
                    self._ledger.drop(entry)
        for entry in self._ours():
            for name in self._ledger.asked(entry):
                if question := self._waiting.get(name):
                    self._budget.reserve(question.request or {}, owed=True)

    def _check_free(self, entry: Entry) -> None:
        twice = sum(name in self._waiting for name in self._ledger.asked(entry))
        if twice:
            raise UserError(
                f"translation: base_url: {twice:,} of the requests are being asked in a batch at {entry.server}; ask "
                f"there to get its answers, or give them up, though they are paid for, by removing {self._ledger.path}."
            )

    def _ours(self) -> list[Entry]:
        """Return the batches that are on their way at this server."""
        return [entry for entry in self._ledger.on_their_way if entry.server == self._server]

    def _awaited(self) -> list[Entry]:
        """Return those of them that something waits for."""
        return [entry for entry in self._ours() if any(name in self._waiting for name in self._ledger.asked(entry))]

    async def _submit(self) -> None:
        """Submit what is next to be asked and isn't on its way, as far as the budget goes."""
        asked = {name for entry in self._ours() for name in self._ledger.asked(entry)}
        fresh: list[Question] = []
        for name, question in self._waiting.items():
            if name in asked or self._errors[name] >= TRIES:
                continue
            if not self._budget.reserve(question.request or {}):
                if not fresh and not self._awaited():
                    raise self._budget.exhausted(self._done, len(self._questions))
                break
            fresh.append(question)
        for lines in self._parts(fresh):
            entry = self._ledger.intend(self._server, lines)
            batch = await self._api.create(entry, self._ledger.file_of(entry))
            self._ledger.submitted(entry, batch.id)

    def _parts(self, questions: Sequence[Question]) -> Iterator[list[bytes]]:
        """Yield the lines of one batch after the other: of one model, and within the server's limits."""
        by_model: dict[str, list[Question]] = {}
        for question in questions:
            by_model.setdefault(question.first["model"], []).append(question)
        for its in by_model.values():
            lines: list[bytes] = []
            size = 0
            for question in its:
                new = line(self._formed(question), question.attempt)
                if lines and (len(lines) == self._most or size + len(new) > BYTES):
                    yield lines
                    lines, size = [], 0
                lines.append(new)
                size += len(new)
            yield lines

    def _formed(self, question: Question) -> dict[str, object]:
        """Return the request with the form of its answer; nothing can be tried here, so `auto` is what all know."""
        form = self._settings.response_format
        return in_form("text" if form == "auto" else form, question.request or {}, question.record)

    async def _collect(self, bar: Progress) -> bool:
        """Wait until no batch is on its way that something waits for; say whether anything came of them."""
        came = False
        self._too_large = None
        while self._awaited():
            progress = 0
            for entry in self._ours():
                batch = await self._api.get(entry.id or "")
                if batch.status in _ENDED:
                    came |= await self._take(entry, batch)
                elif batch.request_counts:
                    progress += batch.request_counts.completed
            awaited = self._awaited()
            self._show(bar, len(awaited), progress)
            if awaited:
                await asyncio.sleep(self._settings.poll)
        return came

    async def _take(self, entry: Entry, batch: Batch) -> bool:
        """Store the answers of a batch that has ended, then read them; say whether it was done, or any came of it."""
        asked = self._ledger.asked(entry)
        answers: dict[str, Answer] = {}
        errors: dict[str, Refused] = {}
        for said in await self._lines(batch):
            name = said.get("custom_id")
            if name not in asked or name in answers:
                log.warning("translation: batch %s answers what it wasn't asked, or twice: %s.", batch.id, name)
                continue
            answer = self._api.read(said, batch.id)
            if isinstance(answer, Refused):
                errors[name] = answer
                continue
            request, attempt = asked[name]
            answers[name] = self._store.get(request, attempt) or answer
            if answers[name] is answer:
                self._store.put(request, attempt, answer)
        for name in asked:
            if question := self._waiting.pop(name, None):
                self._budget.book(question.request or {}, answers.get(name))
                if name in answers:
                    question.take(answers[name])
                else:
                    self._count(name, batch, errors.get(name))
                self._wait_for(question)
        self._ledger.end(entry, batch.status)
        if batch.status == "failed":
            self._refused(entry, batch)
        return bool(answers) or batch.status == "completed"

    def _count(self, name: str, batch: Batch, error: Refused | None) -> None:
        """Keep why a request has no answer; it is an error of its own where the batch was done."""
        done = batch.status == "completed"
        self._reason = error.reason if error else "with nothing" if done else batch.status
        if done:
            self._errors[name] += TRIES if error and error.for_good else 1
            self._reasons[name] = self._reason

    async def _lines(self, batch: Batch) -> list[dict[str, Any]]:
        """Return what a batch's files say; a file that has broken off between two lines is got again."""
        least = batch.request_counts.completed if batch.request_counts else 0
        for _ in range(TRIES):
            lines = [
                line for file in (batch.output_file_id, batch.error_file_id) for line in await self._api.lines(file)
            ]
            if len(lines) >= least:
                break
        return lines

    def _refused(self, entry: Entry, batch: Batch) -> None:
        """Raise what the server says of a batch that it has not begun, unless smaller ones or a later time may do."""
        errors = (batch.errors.data if batch.errors else None) or []
        code, said = (errors[0].code, errors[0].message) if errors else (None, None)
        error = self._api.refusal(batch, said or "no reason given")
        if code != _TOO_MANY_TOKENS:
            raise error
        if self._too_large is None or entry.requests < self._too_large[0]:
            self._too_large = entry.requests, error

    def _halved(self) -> bool:
        """Say whether smaller batches may be taken where a round's were too large, and none brought an answer."""
        if self._too_large is None:
            return False
        requests, error = self._too_large
        if requests == 1:
            raise error
        self._most = requests // 2
        log.warning("translation: batches are too large for the server; %d requests are asked at once.", self._most)
        return True

    @property
    def _done(self) -> int:
        return sum(question.request is None for question in self._questions)

    def _show(self, bar: Progress, batches: int, progress: int) -> None:
        spent = f", ${self._budget.spent:,.2f}" if self._budget.priced else ""
        said = f"translation, {batches} batch{'' if batches == 1 else 'es'}{spent}"
        bar.update(bar.task_ids[0], completed=self._done + progress, description=said)
