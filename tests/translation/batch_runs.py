"""Runs of batches as processes make them, and as processes are killed on the way."""

import functools
import inspect
import os
import signal

import pytest

from crossedit.translation import store
from crossedit.translation.asking import batch_api, batches, ledger
from crossedit.translation.store import Store
from crossedit.translation.translate import wanted


def questions(facts, settings):
    return [question for _, _, question in wanted(facts, settings)]


def ask(facts, settings):
    """Ask as a process does that has just begun."""
    its = questions(facts, settings)
    batches.ask(its, Store(settings.store), settings)
    return its


def all_are_settled(its):
    return all(question.request is None for question in its) and all(question.translation for question in its)


def hooked(monkeypatch, tick):
    """Let `tick` be called before and after every step that leaves a trace on the disk or at the server."""

    def around(owner, name):
        original = getattr(owner, name)

        @functools.wraps(original)
        async def awaited(*arguments, **named):
            tick()
            result = await original(*arguments, **named)
            tick()
            return result

        @functools.wraps(original)
        def called(*arguments, **named):
            tick()
            result = original(*arguments, **named)
            tick()
            return result

        monkeypatch.setattr(owner, name, awaited if inspect.iscoroutinefunction(original) else called)

    for name in ("intend", "submitted", "end", "drop", "_append"):
        around(ledger.Ledger, name)
    for name in ("_upload", "_found_or_made", "_find", "lines", "get"):
        around(batch_api.BatchApi, name)
    around(store.Store, "put")


def killed(step, facts, settings):
    """Ask in a process of its own that is killed at that step; say whether it came so far."""
    its = questions(facts, settings)  # polars doesn't work in a forked process
    child = os.fork()
    if not child:
        status = 1
        try:
            left = iter(range(step))

            def tick():
                if next(left, None) is None:
                    os.kill(os.getpid(), signal.SIGKILL)

            with pytest.MonkeyPatch.context() as monkeypatch:
                hooked(monkeypatch, tick)
                batches.ask(its, Store(settings.store), settings)
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)
