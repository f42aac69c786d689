"""The server, which speaks the Batch API as well, and misbehaves in it where it is told to.

    with running(BatchServer(share=0.3)) as server:
        server.ends = ["expired"]               how the next batches end, one after the other
        server.calls = {"create": ["lost"]}     what happens to the next HTTP calls of a kind
    server.twice                                what was submitted though it was answered or on its way

A batch goes on by a state whenever it is looked at. The lines of its output come in another order than it was asked.
"""

import itertools
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes
from typing import Any
from urllib.parse import parse_qs, urlsplit

from server import UNUSABLE, Reply, Server, key_of

# Instead of a completion: an error that a request gets for an answer.
ERRORS = ("error line", "no response", "no completion", "torn line")


@dataclass
class Kept:
    """A batch, with the lines that were asked."""

    said: dict[str, Any]
    asked: list[dict[str, Any]]
    states: list[str] = field(default_factory=list)


class BatchServer(Server):
    """Runs batches; a `share` of their requests has one of `kinds` for an answer.

    An HTTP status among their troubles is an error line's.
    ends: how the next batches end, `completed` where nothing is said: `expired` and `cancelled` when half of them is
    answered, `expired at once`, `failed`, `too many tokens`, or `no files` where their output is lost. calls: by kind
    of call (upload, create, list, get, content) what happens to the next ones: nothing, an HTTP status before anything
    is done, or it is done and the connection `lost`, or `cut` within the answer.
    """

    def __init__(self, share: float = 0.0, seed: int = 0, kinds: tuple[str, ...] = (*UNUSABLE, *ERRORS)) -> None:
        super().__init__(share, seed, kinds)
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, Kept] = {}
        self.ends: list[str] = []
        self.calls: dict[str, list[int | str | None]] = {}
        self.called: Counter[str] = Counter()
        self.wait = 2  # looks at a batch until it ends
        self.oldest_first = False
        self._number = itertools.count()
        self.tokens: int | None = None  # of all batches on their way, a line counting as one
        self.submitted: Counter[str] = Counter()  # by key
        self.twice: list[str] = []
        self.on_create: Callable[[Kept], None] = lambda kept: None

    def reply(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Reply:
        """Return the answer to a call of the Batch API, or of another kind."""
        parts = urlsplit(path)
        steps = parts.path.removeprefix("/v1/").split("/")
        match (method, *steps):
            case ("POST", "files"):
                kind, done = "upload", lambda: self._upload(headers, body)
            case ("POST", "batches"):
                kind, done = "create", lambda: self._create(json.loads(body))
            case ("GET", "batches"):
                kind, done = "list", lambda: self._list(parse_qs(parts.query))
            case ("GET", "batches", name):
                kind, done = "get", lambda: self._get(name)
            case ("GET", "files", name, "content"):
                kind, done = "content", lambda: self._content(name)
            case _:
                return super().reply(method, path, headers, body)
        with self.lock:
            self.headers.append({name.lower(): value for name, value in headers.items()}["authorization"])
            self.called[kind] += 1
            waiting = self.calls.get(kind, [])
            trouble = waiting.pop(0) if waiting else None
            if isinstance(trouble, int):
                return Reply(trouble, {"error": {"message": f"trouble with {headers.get('Authorization')}"}})
            reply = done()
            reply.trouble = {"lost": "cut connection", "cut": "cut body"}.get(str(trouble))
            return reply

    def _upload(self, headers: dict[str, str], body: bytes) -> Reply:
        kind = {name.lower(): value for name, value in headers.items()}["content-type"]
        parts = message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body).get_payload()
        named = {part.get_param("name", header="content-disposition"): part.get_payload(decode=True) for part in parts}
        assert named["purpose"] == b"batch"
        return Reply(200, {"id": self._file(named["file"]), "object": "file", "purpose": "batch"})

    def _file(self, data: bytes) -> str:
        name = f"file-{len(self.files)}"
        self.files[name] = data
        return name

    def _create(self, said: dict[str, Any]) -> Reply:
        asked = [json.loads(text) for text in self.files[said["input_file_id"]].splitlines()]
        assert (said["endpoint"], said["completion_window"]) == ("/v1/chat/completions", "24h")
        assert len({one["custom_id"] for one in asked}) == len(asked)
        assert len({one["body"]["model"] for one in asked}) == 1, "a batch is for one model"
        on_their_way = [kept for kept in self.batches.values() if kept.states]
        end = self.ends.pop(0) if self.ends else "completed"
        if self.tokens is not None and len(asked) + sum(len(kept.asked) for kept in on_their_way) > self.tokens:
            end = "too many tokens"
        pending = {key_of(one["body"]) for kept in on_their_way for one in kept.asked}
        for one in asked:
            key = key_of(one["body"])
            self.submitted[key] += 1
            if key in pending or self.paid[key]:
                self.twice.append(key)
        batch = {
            "id": f"batch_{next(self._number)}",
            "object": "batch",
            "status": "validating",
            "created_at": int(time.time()),
            "request_counts": {"total": len(asked), "completed": 0, "failed": 0},
            **said,
        }
        kept = self.batches[batch["id"]] = Kept(batch, asked, ["in_progress"] * self.wait + [end])
        self.on_create(kept)
        return Reply(200, batch)

    def _list(self, query: dict[str, list[str]]) -> Reply:
        every = [kept.said for kept in self.batches.values()]
        every = every if self.oldest_first else every[::-1]
        after = query.get("after", [None])[0]
        first = next((at + 1 for at, batch in enumerate(every) if batch["id"] == after), 0)
        last = first + int(query["limit"][0])
        return Reply(200, {"object": "list", "data": every[first:last], "has_more": last < len(every)})

    def _get(self, name: str) -> Reply:
        if name not in self.batches:
            return Reply(404, {"error": {"message": f"no batch {name}"}})
        kept = self.batches[name]
        if kept.states:
            state = kept.states.pop(0)
            kept.said["status"] = state
            if not kept.states:
                self._end(kept, state)
        return Reply(200, kept.said)

    def _end(self, kept: Kept, how: str) -> None:
        self.happened[how] += 1
        if how in ("failed", "too many tokens"):
            code = "token_limit_exceeded" if how == "too many tokens" else "invalid_json_line"
            errors = {"object": "list", "data": [{"code": code, "line": 1, "message": f"{how}: line 1"}]}
            kept.said |= {"status": "failed", "errors": errors}
            return
        answered = {"expired": len(kept.asked) // 2, "cancelled": len(kept.asked) // 2, "expired at once": 0}
        number = answered.get(how, len(kept.asked))
        lines = [self._line(one) for one in kept.asked[:number]]
        state = how.split()[0] if how != "no files" else "completed"
        for one in kept.asked[number:]:
            error = {"code": f"batch_{state}", "message": "not executed in time"}
            lines.append((False, json.dumps({"custom_id": one["custom_id"], "response": None, "error": error})))
        kept.said |= {"status": state}
        for good, name in ((True, "output_file_id"), (False, "error_file_id")):
            texts = [text for fine, text in reversed(lines) if fine is good]
            if texts:
                kept.said[name] = self._file("\n".join(texts).encode() + b"\n")
        if how == "no files":
            self.files.pop(kept.said.get("output_file_id", ""), None)

    def _line(self, one: dict[str, Any]) -> tuple[bool, str]:
        """Return whether a request was answered, and the line that says so."""
        key = key_of(one["body"])
        self.requests.append(one["body"])
        trouble = self._trouble(key, one["body"])
        self._came[key] += 1
        said = {"id": "batch_req_1", "custom_id": one["custom_id"], "response": None, "error": None}
        if trouble:
            self.happened[str(trouble)] += 1
        match trouble:
            case "error line":
                body = {"error": {"message": "The server had an error.", "code": "server_error"}}
                return False, json.dumps(said | {"response": {"status_code": 500, "body": body}})
            case int(status):
                body = {"error": {"message": "trouble"}}
                return False, json.dumps(said | {"response": {"status_code": status, "body": body}})
            case "no response":
                return False, json.dumps(said | {"error": {"code": "request_timeout", "message": "too slow"}})
            case "no completion":
                return True, json.dumps(said | {"response": {"status_code": 200, "body": {"error": "?"}}})
            case "torn line":
                return True, json.dumps(said)[:20]
        self.paid[key] += 1
        body = self.completion(one["body"], trouble if isinstance(trouble, str) else None)
        return True, json.dumps(said | {"response": {"status_code": 200, "body": body}}, ensure_ascii=False)

    def _content(self, name: str) -> Reply:
        if name not in self.files:
            return Reply(404, {"error": {"message": f"no file {name}"}})
        return Reply(200, self.files[name])
