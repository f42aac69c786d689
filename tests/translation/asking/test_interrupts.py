"""Asking that is told to end: by a signal, in a job or in a notebook."""

import asyncio
import json
import os
import signal
import threading
from concurrent.futures import wait

import pytest
from server import translated

from crossedit.translation.asking import live, loops
from crossedit.translation.store import Store
from crossedit.translation.translate import translate

pytestmark = pytest.mark.usefixtures("quick")


class _ToldError(Exception):
    pass


@pytest.fixture
def terminable():
    """A process in which SIGTERM is an exception, as in the jobs of rules."""

    def end(*_):
        raise _ToldError

    before = signal.signal(signal.SIGTERM, end)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def told_amid(terminable, server, made, logged):
    """Give what sends a signal once as many requests as wished are on their way, which are answered when it is heeded.

    Before each answer `then` is called. So that no machine is too slow for it.
    """
    heeded = logged(live.log, "told to end")

    def send(number, then=lambda: None):
        all_sent = threading.Barrier(made.concurrency, lambda: os.kill(os.getpid(), number))

        def answer(record, language):
            if not heeded.is_set():
                all_sent.wait(60)
                heeded.wait(60)
            then()
            return translated(record, language)

        server.answer = answer

    return send


@pytest.fixture
def told_twice(told_amid, server, monkeypatch):
    """Give what sends two interrupts, the second when the first is heeded, and then holds all answers.

    before: called before the second.
    """
    monkeypatch.setattr(live, "GRACE", 600)

    def send(before=lambda: None):
        first = threading.Lock()

        def interrupt_and_hold():
            if first.acquire(blocking=False):
                before()
                os.kill(os.getpid(), signal.SIGINT)
            server.closed.wait(60)

        told_amid(signal.SIGINT, interrupt_and_hold)

    return send


@pytest.fixture
def looked_up(monkeypatch):
    """Give what returns when the thread that waits for the asking in another one is where it heeds interrupts."""
    looks = threading.Event()

    def look(*given, **named):
        looks.set()
        return wait(*given, **named)

    def next_look():
        looks.clear()
        assert looks.wait(60)

    monkeypatch.setattr(loops, "wait", look)
    return next_look


def _interrupted(translating):
    """Call it within an event loop that, as a notebook's, lets interrupts be raised."""

    async def cell():
        return translating()

    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(cell())
    finally:
        loop.close()


@pytest.mark.parametrize(("number", "raised"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, _ToldError)])
def test_an_interrupt_in_a_notebook_ends_the_asking(server, key, facts, made, told_amid, number, raised):
    told_amid(number)
    with pytest.raises(raised):
        _interrupted(lambda: translate(facts(9), made))
    assert len(server.requests) == len(Store(made.store)) == 4, "those on their way are stored, and no other is sent"


def test_a_second_interrupt_in_a_notebook_waits_for_nothing(server, key, facts, made, told_twice, looked_up):
    told_twice(before=looked_up)
    with pytest.raises(KeyboardInterrupt):
        _interrupted(lambda: translate(facts(9), made))
    assert server.flying == made.concurrency, "the server holds them still"


def test_what_names_no_end_is_cancelled_by_an_interrupt(looked_up):
    ended = []

    async def asking():
        looked_up()
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(60)
        ended.append("by itself")

    with pytest.raises(KeyboardInterrupt):
        _interrupted(lambda: loops.drive(asking()))
    assert not ended


@pytest.mark.parametrize(("number", "raised"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, _ToldError)])
def test_answers_on_their_way_are_stored_when_the_run_is_told_to_end(
    server, key, facts, made, told_amid, number, raised, caplog
):
    told_amid(number)
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(raised):
        translate(facts(9), made)
    assert len(server.requests) == len(Store(made.store)) == 4
    assert "4 answers on their way" in caplog.text
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
    server.answer = translated
    assert len(translate(facts(9), made).rows) == 9
    assert not server.asked_again.total()


def test_the_second_signal_ends_it_at_once(server, key, facts, made, told_twice):
    told_twice()
    with pytest.raises(KeyboardInterrupt):
        translate(facts(9), made)
    assert server.flying == made.concurrency, "the server holds them still"


def test_answers_on_their_way_are_not_waited_for_longer_than_a_grace(server, key, facts, made, told_amid, monkeypatch):
    monkeypatch.setattr(live, "GRACE", 0.2)
    first = threading.Lock()
    told_amid(signal.SIGTERM, lambda: first.acquire(blocking=False) or server.closed.wait(60))
    with pytest.raises(_ToldError):
        translate(facts(9), made)
    assert server.flying >= made.concurrency - 1, "the server holds all but one still"
    lines = (made.store / "answers.jsonl").read_text().splitlines()
    assert all(json.loads(line)["answer"] for line in lines), "nothing is half-written"
