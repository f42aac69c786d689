"""Asking that is told to end: by a signal, in a job or in a notebook."""

import asyncio
import json
import os
import signal
import threading
import time
from dataclasses import replace

import pytest
from server import translated

from crossedit.translation.asking import live
from crossedit.translation.asking.loops import drive
from crossedit.translation.store import Store
from crossedit.translation.translate import translate

pytestmark = pytest.mark.usefixtures("quick")


class _ToldError(Exception):
    pass


@pytest.fixture
def told(monkeypatch):
    """A process in which SIGTERM is an exception, as in the jobs of rules; gives what sends a signal after a time."""

    def end(*_):
        raise _ToldError

    before = signal.signal(signal.SIGTERM, end)
    timers = []

    def send(number, seconds):
        timers.append(threading.Timer(seconds, os.kill, (os.getpid(), number)))
        timers[-1].start()

    yield send
    for timer in timers:
        timer.join()
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def told_amid(told, server, made):
    """Give what sends a signal once as many requests as wished are on their way, which are answered when it is heeded.

    So that no machine is too slow for it.
    """
    heeded = threading.Event()

    def heed(record):
        if "told to end" in record.msg:
            heeded.set()
        return True

    def send(number):
        all_sent = threading.Barrier(made.concurrency, lambda: os.kill(os.getpid(), number))

        def answer(record, language):
            if not heeded.is_set():
                all_sent.wait(30)
                heeded.wait(30)
            return translated(record, language)

        server.answer = answer

    live.log.addFilter(heed)
    yield send
    live.log.removeFilter(heed)
    server.answer = translated


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


def test_a_second_interrupt_in_a_notebook_waits_for_nothing(server, key, facts, made, told):
    server.troubles = ["hanging"] * 9
    told(signal.SIGINT, 0.2)
    told(signal.SIGINT, 0.3)
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        _interrupted(lambda: translate(facts(9), made))
    assert time.monotonic() - start < server.hangs


def test_what_names_no_end_is_cancelled_by_an_interrupt(told):
    told(signal.SIGINT, 0.1)
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        _interrupted(lambda: drive(asyncio.sleep(30)))
    assert time.monotonic() - start < 10


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
    assert len(translate(facts(9), made).rows) == 9
    assert not server.asked_again.total()


def test_the_second_signal_ends_it_at_once(server, key, facts, made, told):
    server.troubles = ["hanging"] * 9
    told(signal.SIGINT, 0.2)
    told(signal.SIGINT, 0.3)
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        translate(facts(9), made)
    assert time.monotonic() - start < 1


def test_answers_on_their_way_are_not_waited_for_longer_than_a_grace(server, key, facts, made, told, monkeypatch):
    monkeypatch.setattr(live, "GRACE", 0.2)
    server.troubles = [None, "hanging"] * 9
    told(signal.SIGTERM, 0.2)
    start = time.monotonic()
    with pytest.raises(_ToldError):
        translate(facts(9), replace(made, concurrency=2))
    assert time.monotonic() - start < 1
    lines = (made.store / "answers.jsonl").read_text().splitlines()
    assert all(json.loads(line)["answer"] for line in lines), "nothing is half-written"
