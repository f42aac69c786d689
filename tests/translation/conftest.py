"""A server on this machine, and facts to translate by it."""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from server import Server, running

from crossedit.tables import FACTS
from crossedit.translation import settings
from crossedit.translation.asking import client

KEY = "sk-not-a-real-key-0123456789"


@pytest.fixture
def server() -> Iterator[Server]:
    with running(Server()) as server:
        yield server


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the waits between two tries be short."""
    monkeypatch.setattr(client, "WAIT", 0.01)
    monkeypatch.setattr(client, "TRIES", 4)


@pytest.fixture
def patient(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the time for an answer be over when the server hangs, and not before, so that no machine is too slow.

    For one request at a time.
    """
    limits: list[tuple[asyncio.AbstractEventLoop, asyncio.Timeout]] = []

    def timeout(_: float) -> asyncio.Timeout:
        limits.append((asyncio.get_running_loop(), asyncio.timeout(None)))
        return limits[-1][1]

    def hung() -> None:
        loop, limit = limits[-1]
        loop.call_soon_threadsafe(lambda: limit.reschedule(loop.time()))

    monkeypatch.setattr(client, "asyncio", SimpleNamespace(**{**vars(asyncio), "timeout": timeout}))
    server.hung = hung


@pytest.fixture
def logged() -> Iterator[Callable[[logging.Logger, str], threading.Event]]:
    """Give what returns an event that is set when a log gets a message with these words."""
    looks = []

    def event(log: logging.Logger, words: str) -> threading.Event:
        came = threading.Event()

        def look(record: logging.LogRecord) -> bool:
            if words in record.getMessage():
                came.set()
            return True

        log.addFilter(look)
        looks.append((log, look))
        return came

    yield event
    for log, look in looks:
        log.removeFilter(look)


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    return KEY


@pytest.fixture
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


@pytest.fixture
def facts() -> Callable[..., pl.DataFrame]:
    """Give what makes a table of `count` English facts; the last third is the test split."""

    def make(count: int = 6) -> pl.DataFrame:
        rows = []
        for case in range(count):
            row: dict[str, Any] = dict.fromkeys(FACTS.columns)
            row |= {
                "split": "train" if case < count - count // 3 else "test",
                "case_id": case,
                "lang": "en",
                "relation": "capital",
                "subject": f"France {case}",
                "prompt": f"What is the capital of France {case}?",
                "target": "Rome",
                "original": "Paris",
                "rephrase": f"France {case} has which capital?",
                "origin": "source",
            }
            rows.append(row)
        return pl.DataFrame(rows, schema=FACTS.columns)

    return make


@pytest.fixture
def entry(tmp_path: Any, server: Server) -> dict[str, Any]:
    """A config entry that asks the server on this machine."""
    return {
        "source": "en",
        "targets": ["zh"],
        "model": {"train": "gpt-3.5-turbo", "test": "gpt-4"},
        "base_url": server.url,
        "store": str(tmp_path / "store"),
    }


@pytest.fixture
def made(entry: dict[str, Any]) -> settings.Settings:
    """The same as settings."""
    return settings.from_entry(entry)
