"""A server on this machine that speaks the chat completions protocol, and facts to translate."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import polars as pl
import pytest

from crossedit.tables import FACTS
from crossedit.translation import settings

KEY = "sk-not-a-real-key-0123456789"

TRANSLATED = {
    "German": {"Paris": "Paris", "France": "Frankreich", "Italy": "Italien", "Rome": "Rom"},
    "Chinese": {"Paris": "巴黎", "France": "法国", "Italy": "意大利", "Rome": "罗马"},
}


class Server(ThreadingHTTPServer):
    """Answers with `answer(record, language)` after the statuses in `troubles` are used up; counts what is asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[dict[str, Any]] = []
        self.headers: list[str] = []
        self.troubles: list[int] = []
        self.answer: Callable[[dict[str, str], str], str | None] = translated
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.requests.append(body)
            self.server.headers.append(self.headers["Authorization"])
            status = self.server.troubles.pop(0) if self.server.troubles else 200
        if status == 0:  # a cut connection
            self.close_connection = True
            return
        if status != 200:
            self._send(status, {"error": {"message": f"trouble with {self.headers['Authorization']}"}})
            return
        sentence, record = body["messages"][0]["content"].split("\n", 1)
        language = sentence.split(" to ")[1].split(" and ")[0]
        message = {"role": "assistant", "content": self.server.answer(json.loads(record), language)}
        choices = [{"index": 0, "finish_reason": "stop", "message": message}]
        usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
        kind = {"id": "1", "object": "chat.completion", "created": 1, "model": body["model"] + "-0613"}
        self._send(200, {**kind, "choices": choices, "usage": usage})

    def _send(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Be quiet."""


def translated(record: dict[str, str], language: str) -> str:
    """Answer with the record in the language, as far as this server knows it."""
    words = TRANSLATED[language]
    return json.dumps({key: _replace(value, words) for key, value in record.items()}, ensure_ascii=False)


def _replace(text: str, words: dict[str, str]) -> str:
    for word, other in words.items():
        text = text.replace(word, other)
    return text


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


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
