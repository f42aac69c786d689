"""A server on this machine that speaks the chat completions protocol, and misbehaves where it is told to.

    with running(Server(share=0.3, seed=0)) as server:
        …                                       asks at server.url
    server.paid, server.asked_again             what it has answered, and what it was asked for after it had

Everything it knows is in this process, so it outlives the clients that ask it. What is wrong with a request's answer
follows from the seed, the request and how often it has come.
"""

import json
import random
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from crossedit.files import digest

# No answer was made for these; whoever asks may ask again.
UNPAID = ("429", "429 with Retry-After", "429 with a date", "500")
# An answer was made, but doesn't arrive.
LOST = ("hanging", "dripping", "cut connection", "cut body")
# An answer arrives that can't be used.
UNUSABLE = ("truncated", "wrong keys", "prose", "refusal", "duplicate keys", "wrong language", "fenced")
TROUBLES = (*UNPAID, *LOST, *UNUSABLE)

TRANSLATED = {
    "German": {"Paris": "Paris", "France": "Frankreich", "Italy": "Italien", "Rome": "Rom"},
    "Chinese": {
        "Paris": "巴黎", "France": "法国", "Italy": "意大利", "Rome": "罗马",
        "What is the capital of ": "首都是哪座城市：", " has which capital?": "的首都叫什么？",
    },
}  # fmt: skip


@dataclass
class Reply:
    """One HTTP answer. `trouble` is what the handler does with it: see LOST."""

    status: int
    body: dict[str, Any] | bytes
    headers: dict[str, str] = field(default_factory=dict)
    trouble: str | None = None


class Server(ThreadingHTTPServer):
    """Answers chat completions with `answer(record, language)`; counts and keeps what it was asked.

    never: what happens to each request for a record, by its subject: one of TROUBLES, an HTTP status, or a Reply.
    troubles: what happens to the next of the others, in order: the same, or None. Then a `share` of the requests has
    one of `kinds`, by the seed. `known_forms` are the response formats that it takes. To speak more, override `reply`.
    """

    request_queue_size = 256
    daemon_threads = True

    def __init__(self, share: float = 0.0, seed: int = 0, kinds: tuple[str, ...] = TROUBLES) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.share, self.seed, self.kinds = share, seed, kinds
        self.troubles: list[str | int | Reply | None] = []
        self.never: dict[str, str | int | Reply] = {}  # by subject: the trouble with each request for it
        self.answer: Callable[[dict[str, str], str], str | None] = translated
        self.known_forms: tuple[str, ...] = ("text", "json_object", "json_schema")
        self.seconds = 0.0  # that it thinks about an answer
        self.together = 1  # requests; none is answered before so many have come
        self.hangs = 60.0  # seconds at most
        self.hung: Callable[[], None] = lambda: None  # called when an answer hangs
        self.closed = threading.Event()  # set when nobody asks any more, for all that hangs
        self.retry_after = "0.2"  # seconds
        self.usage: tuple[int, int] = (10, 5)
        self.lock = threading.Lock()
        self.requests: list[dict[str, Any]] = []  # every body that was asked
        self.times: list[float] = []  # when, by time.monotonic
        self.headers: list[str] = []
        self.paid: Counter[str] = Counter()  # by key: answers made, whether or not they arrived
        self.answered: Counter[str] = Counter()  # by key: answers that were sent in full
        self.asked_again: Counter[str] = Counter()  # by key: requests that came after their answer was sent in full
        self.happened: Counter[str] = Counter()  # by trouble
        self.flying = self.most_flying = 0
        self._came: Counter[str] = Counter()
        self._are_together = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Be quiet where a client was killed."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def reply(self, method: str, path: str, headers: Message, body: bytes) -> Reply:
        """Return the answer to any HTTP request."""
        if (method, path) != ("POST", "/v1/chat/completions"):
            return Reply(404, {"error": {"message": f"no {method} {path} here"}})
        return self.complete(json.loads(body), headers)

    def complete(self, request: dict[str, Any], headers: Message) -> Reply:
        """Return a chat completion, or what goes wrong instead."""
        key = key_of(request)
        with self.lock:
            self.requests.append(request)
            self.times.append(time.monotonic())
            self.headers.append(headers.get("Authorization", ""))
            self.asked_again[key] += self.answered[key] > 0
            trouble = self._trouble(key, request)
            self._came[key] += 1
            if isinstance(trouble, str):
                self.happened[trouble] += 1
            if len(self.requests) >= self.together:
                self._are_together.set()
        self._are_together.wait(60)
        form = request.get("response_format", {}).get("type", "text")
        if form not in self.known_forms:
            return Reply(400, {"error": {"message": f"response_format {form} is not known"}})
        if isinstance(trouble, Reply):
            return trouble
        if isinstance(trouble, int):
            return Reply(trouble, {"error": {"message": f"trouble with {headers.get('Authorization')}"}})
        match trouble:
            case "429" | "500":
                return Reply(int(trouble), {"error": {"message": "come again"}})
            case "429 with Retry-After":
                return Reply(429, {"error": {"message": "come again"}}, {"Retry-After": self.retry_after})
            case "429 with a date":
                return Reply(429, {"error": {"message": "come again"}}, {"Retry-After": formatdate(time.time() + 1)})
        with self.lock:
            self.paid[key] += 1
        time.sleep(self.seconds)
        return Reply(200, self.completion(request, trouble), trouble=trouble if trouble in LOST else None)

    def completion(self, request: dict[str, Any], trouble: str | None = None) -> dict[str, Any]:
        """Return the body of a chat completion, with something wrong in it where wished."""
        record, language = asked_for(request)
        message: dict[str, Any] = {"role": "assistant", "content": self.answer(record, language)}
        content, finish = message["content"] or "", "stop"
        match trouble:
            case "truncated":
                message["content"], finish = content[: len(content) // 2], "length"
            case "wrong keys":
                message["content"] = content.replace('"subject"', '"Subjekt"')
            case "prose":
                message["content"] = f"Here is the translation:\n{content}\nI hope this helps!"
            case "refusal":
                message = {"role": "assistant", "content": None, "refusal": "I can't help with that."}
            case "duplicate keys":
                message["content"] = content.replace("{", '{"subject": "?", ', 1)
            case "wrong language":
                message["content"] = json.dumps(record)
            case "fenced":
                message["content"] = f"```json\n{content}\n```"
        prompt, completion = self.usage
        return {
            "id": "1",
            "object": "chat.completion",
            "created": 1,
            "model": f"{request['model']}-0613",
            "choices": [{"index": 0, "finish_reason": finish, "message": message}],
            "usage": {
                "prompt_tokens": prompt,
                "completion_tokens": completion,
                "total_tokens": prompt + completion,
            },
        }

    def _trouble(self, key: str, request: dict[str, Any]) -> str | int | Reply | None:
        if self.never and (trouble := self.never.get(asked_for(request)[0]["subject"])):
            return trouble
        if self.troubles:
            return self.troubles.pop(0)
        chance = random.Random(digest(self.seed, key, self._came[key]))
        return chance.choice(self.kinds) if chance.random() < self.share else None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each answer waits 40 ms
    server: Server

    def _do(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        if len(body) < length:  # the client was killed while it asked
            self.close_connection = True
            return
        with self.server.lock:
            self.server.flying += 1
            self.server.most_flying = max(self.server.most_flying, self.server.flying)
        try:
            reply = self.server.reply(self.command, self.path, self.headers, body)
        finally:  # before it is answered, as whoever has the answer may ask the next
            with self.server.lock:
                self.server.flying -= 1
        try:
            self._send(reply, body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    do_GET = do_POST = do_DELETE = _do  # noqa: N815

    def _send(self, reply: Reply, asked: bytes) -> None:
        data = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body, ensure_ascii=False).encode()
        if reply.trouble:
            self.close_connection = True
        if reply.trouble == "hanging":
            self.server.hung()
            self.server.closed.wait(self.server.hangs)
        if reply.trouble in ("hanging", "cut connection"):
            return
        self.send_response(reply.status)
        for name, value in ({"Content-Type": "application/json"} | reply.headers).items():
            self.send_header(name, value)
        if reply.trouble == "cut body":  # nothing says how long it should have been
            self.send_header("Connection", "close")
            self.end_headers()
            # In the middle of a character, where there is one of several bytes.
            self.wfile.write(data[: next((at + 1 for at, byte in enumerate(data) if byte > 127), len(data) // 2)])
            return
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if reply.trouble == "dripping":  # no read is ever slow
            until = time.monotonic() + self.server.hangs
            for place, byte in enumerate(data[:-1]):
                self.wfile.write(bytes([byte]))
                if place == 1:
                    self.server.hung()
                if self.server.closed.wait(0.05) or time.monotonic() > until:
                    return
        self.wfile.write(data)
        self.wfile.flush()
        if reply.status == 200 and self.path.endswith("/chat/completions"):
            with self.server.lock:
                self.server.answered[key_of(json.loads(asked))] += 1

    def log_message(self, format: str, *args: Any) -> None:
        """Be quiet."""


def key_of(request: dict[str, Any]) -> str:
    """Return what tells requests apart: model and messages, whatever the form of the answer."""
    return digest(request["model"], request["messages"])


def asked_for(request: dict[str, Any]) -> tuple[dict[str, str], str]:
    """Return the record that a request holds, and the English name of the language that it is to be translated to."""
    text = request["messages"][0]["content"]
    start, end = text.index("{"), text.rindex("}") + 1
    language = re.search(r"\bto ([A-Z]\w+)", text[:start])
    assert language, text
    return json.loads(text[start:end]), language[1]


def translated(record: dict[str, str], language: str) -> str:
    """Answer with the record in the language, as far as this server knows it."""
    return json.dumps({key: _replace(value, language) for key, value in record.items()}, ensure_ascii=False)


def _replace(text: str, language: str) -> str:
    for word, other in TRANSLATED[language].items():
        text = text.replace(word, other)
    return text


@contextmanager
def running(server: Server) -> Iterator[Server]:
    """Serve as long as the block runs."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.closed.set()
        server.shutdown()
        server.server_close()
        thread.join()
