"""Answers by chat completions, several at a time.

An answer is on the disk before it is read, and nothing happens in between; so a run that is killed loses at most the
answers that are on their way.
"""

import asyncio
import json
import logging
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from crossedit.errors import UserError
from crossedit.progress import bar
from crossedit.translation.asking.client import Client, RefusedError
from crossedit.translation.asking.ledger import check_none
from crossedit.translation.asking.loops import drive
from crossedit.translation.asking.pace import Pace
from crossedit.translation.asking.prices import Budget, money
from crossedit.translation.questions import Question
from crossedit.translation.settings import Settings
from crossedit.translation.store import Store

log = logging.getLogger(__name__)

GRACE = 10.0  # seconds that answers on their way, which are paid for, have to arrive once the run is told to end
IN_A_ROW = 5  # records that the server refuses, without an answer in between: then it isn't them


def ask(questions: Sequence[Question], store: Store, settings: Settings) -> None:
    """Drive the questions to their end. Settled ones among them count for the budget.

    Records that the server refuses while it answers others are given up. Raises UserError where it refuses them all, or
    where the budget doesn't allow another request, after those in flight have ended. A signal to end is heeded when
    answers that are on their way are stored.
    """
    with store.asking():
        for question in questions:
            question.replay(store)
        check_none(store.folder, questions)
        run = _Run(questions, store, settings)
        drive(run.all(), lambda: run.told(signal.SIGINT))
        if run.signal:
            signal.raise_signal(run.signal)


class _Run:
    """One run of `ask`, within one event loop."""

    def __init__(self, questions: Sequence[Question], store: Store, settings: Settings) -> None:
        self.signal: int | None = None  # the one that has told the run to end
        self._waiting = iter([question for question in questions if question.request is not None])
        self._store = store
        self._settings = settings
        self._budget = Budget(settings, questions)
        self._pace = Pace(settings)
        self._client = Client(settings, self._allow, self._lost)
        self._tasks: set[asyncio.Task[None]] = set()
        self._error: Exception | None = None
        self._landed = asyncio.Event()
        self._refused: dict[str, list[tuple[Question, RefusedError]]] = {}  # by model, since it last answered
        given = [(question, answer) for question in questions for answer in question.answers]
        self._answering = {question.first["model"] for question, answer in given if answer.recorded_from is None}
        self._all = len(questions)
        self._done = sum(question.request is None for question in questions)

    async def all(self) -> None:
        """Ask until every question is settled, or something ends the run."""
        with bar("translation", self._all) as self._bar, _signals(self.told):
            self._show()
            async with self._client:
                self._tasks = {asyncio.create_task(self._work()) for _ in range(self._settings.concurrency)}
                await asyncio.gather(*self._tasks, return_exceptions=True)
            if not self._client.ended:
                self._judge()
        if self._error:
            raise self._error

    async def _work(self) -> None:
        """Take one question after the other and drive each to its end."""
        for question in self._waiting:
            try:
                while question.request is not None:
                    if self._client.ended:
                        return
                    await self._ask(question, question.request)
            except RefusedError as error:
                self._refuse(question, error)
            except Exception as error:
                self._fail(error)
            else:
                self._settled()

    async def _ask(self, question: Question, request: Mapping[str, Any]) -> None:
        answer = None
        try:
            sent, answer = await self._client.ask(request, question.record)
            self._store.put(sent, question.attempt, answer)
            question.take(answer)
            self._pace.settle(request, answer)
        finally:
            self._budget.book(request, answer)
            self._landed.set()
        self._answering.add(request["model"])
        self._give_up(request["model"])

    async def _allow(self, request: Mapping[str, Any]) -> None:
        """Return when a try may be sent: its price is put aside, and it is its turn.

        Those in flight may cost less than is put aside for them, so they are waited for.
        """
        while not self._budget.reserve(request):
            if not self._budget.in_flight:
                raise self._budget.exhausted(self._done, self._all)
            self._landed.clear()
            await self._landed.wait()
        await self._pace(request)

    def _lost(self, request: Mapping[str, Any]) -> None:
        self._budget.lose(request)
        self._landed.set()

    def _refuse(self, question: Question, error: RefusedError) -> None:
        """Set a question aside until its model answers another; end the run where several in a row are set aside."""
        refused = self._refused.setdefault(question.first["model"], [])
        refused.append((question, error))
        if len(refused) == IN_A_ROW:
            self._fail(UserError(f"{error} ({IN_A_ROW} records in a row, the last {_name(question)})"))

    def _judge(self) -> None:
        """In the end, give up what is set aside, unless the model has never answered."""
        for model, refused in list(self._refused.items()):
            if model in self._answering:
                self._give_up(model)
            else:
                question, error = refused[0]
                self._error = self._error or UserError(f"{error} (asked for {_name(question)})")

    def _give_up(self, model: str) -> None:
        """Let what is set aside fail, as the model answers others."""
        for question, error in self._refused.pop(model, []):
            log.warning("translation: %s is given up: the server %s", _name(question), error.reason)
            question.give_up(f"the server {error.reason}")
            self._settled()

    def _settled(self) -> None:
        self._done += 1
        self._show()

    def _fail(self, error: Exception) -> None:
        self._error = self._error or error
        self._end()

    def _end(self) -> None:
        """Start no other request, and let those in flight end."""
        self._client.ended = True
        for task in self._tasks - self._client.flying - {asyncio.current_task()}:
            task.cancel()

    def told(self, number: int) -> None:
        """End by a signal; by a second one at once."""
        self._end()
        if self.signal is None and self._client.flying:
            log.warning("told to end; %d answers on their way may arrive within %g s.", len(self._client.flying), GRACE)
            asyncio.get_running_loop().call_later(GRACE, self._drop)
        else:
            self._drop()
        self.signal = number

    def _drop(self) -> None:
        for task in self._tasks:
            task.cancel()

    def _show(self) -> None:
        spent = f", {money(self._budget.spent)}" if self._budget.priced else ""
        self._bar.update(self._bar.task_ids[0], completed=self._done, description=f"translation{spent}")


def _name(question: Question) -> str:
    """Return what people know a record by, and the language that it is to be in."""
    said = question.record.get("subject") or json.dumps(question.record, ensure_ascii=False)
    return f"'{said[:60]}' in {question.target}"


@contextmanager
def _signals(told: Callable[[int], None]) -> Iterator[None]:
    """Within it signals that would end the process call `told` instead."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    before = {number: handler for number, handler in before.items() if handler not in (None, signal.SIG_IGN)}
    for number in before:
        loop.add_signal_handler(number, told, number)
    try:
        yield
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)
