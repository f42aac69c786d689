"""Answers by chat completions, several at a time.

An answer is on the disk before it is read, and nothing happens in between; so a run that is killed loses at most the
answers that are on their way.
"""

import asyncio
import logging
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from crossedit.progress import bar
from crossedit.translation.asking.client import Client
from crossedit.translation.asking.ledger import check_none
from crossedit.translation.asking.loops import drive
from crossedit.translation.asking.pace import Pace
from crossedit.translation.asking.prices import Budget
from crossedit.translation.questions import Question
from crossedit.translation.settings import Settings
from crossedit.translation.store import Store

log = logging.getLogger(__name__)

GRACE = 10.0  # seconds that answers on their way, which are paid for, have to arrive once the run is told to end


def ask(questions: Sequence[Question], store: Store, settings: Settings) -> None:
    """Drive the questions to their end. Settled ones among them count for the budget.

    Raises UserError where the server refuses, or where the budget doesn't allow another request, after those in flight
    have ended. A signal to end is heeded when answers that are on their way are stored.
    """
    with store.asking():
        for question in questions:
            question.replay(store)
        check_none(store.folder, questions)
        run = _Run(questions, store, settings)
        drive(run.all())
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
        self._client = Client(settings, self._pace)
        self._tasks: set[asyncio.Task[None]] = set()
        self._error: Exception | None = None
        self._reserved = 0  # requests that money is put aside for
        self._landed = asyncio.Event()
        self._all = len(questions)
        self._done = sum(question.request is None for question in questions)

    async def all(self) -> None:
        """Ask until every question is settled, or something ends the run."""
        with bar("translation", self._all) as self._bar, _signals(self._told):
            self._show()
            async with self._client:
                self._tasks = {asyncio.create_task(self._work()) for _ in range(self._settings.concurrency)}
                await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._error:
            raise self._error

    async def _work(self) -> None:
        """Take one question after the other and drive each to its end."""
        for question in self._waiting:
            while question.request is not None:
                if self._client.ended:
                    return
                try:
                    await self._ask(question, question.request)
                except Exception as error:
                    self._error = self._error or error
                    self._end()
            self._done += 1
            self._show()

    async def _ask(self, question: Question, request: Mapping[str, Any]) -> None:
        await self._reserve(request)
        answer = None
        try:
            sent, answer = await self._client.ask(request, question.record)
            self._store.put(sent, question.attempt, answer)
            question.take(answer)
            self._pace.settle(request, answer)
        finally:
            self._budget.book(request, answer)
            self._reserved -= 1
            self._landed.set()

    async def _reserve(self, request: Mapping[str, Any]) -> None:
        """Put money aside. Those in flight may cost less than is put aside for them, so they are waited for."""
        while not self._budget.reserve(request):
            if not self._reserved:
                raise self._budget.exhausted(self._done, self._all)
            self._landed.clear()
            await self._landed.wait()
        self._reserved += 1

    def _end(self) -> None:
        """Start no other request, and let those in flight end."""
        self._client.ended = True
        for task in self._tasks - self._client.flying - {asyncio.current_task()}:
            task.cancel()

    def _told(self, number: int) -> None:
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
        spent = f", ${self._budget.spent:,.2f}" if self._budget.priced else ""
        self._bar.update(self._bar.task_ids[0], completed=self._done, description=f"translation{spent}")


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
