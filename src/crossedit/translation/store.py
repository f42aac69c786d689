"""Answers, kept by the digest of what was asked, so that nothing is asked twice.

    store = Store(folder)
    store.get(request, attempt)           the answer that is kept for this request, or None
    store.put(request, attempt, answer)   on the disk when it returns
    with store.asking(): …                no other process asks meanwhile

The folder holds JSON lines files, one answer a line with its whole request; all of them are read, and new
answers are appended to `answers.jsonl`. A process killed while it appends leaves half a line, which is passed
over with a warning.

A request is identified by the model, the messages and the number of the attempt, because an answer that can't be
used is asked for again; not by the form that the answer was to have (`response_format`), which servers offer or don't.
An answer that was written for the project and given by no model is kept
with `model: null` and `recorded_from`; it stands in for the answer of whichever model is asked.
"""

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from crossedit.files import append_line, digest

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer:
    """What a server said, unparsed."""

    answer: str | None
    finish_reason: str | None = None
    usage: dict[str, Any] | None = None  # tokens, as the server counts them
    answered_by: str | None = None  # the model as the server names it
    recorded_from: str | None = None  # where the answer was taken from when no model gave it
    refusal: str | None = None  # what the model said instead, where the server tells it apart
    batch: str | None = None  # the batch that the answer came in, which costs less


def key(request: Mapping[str, Any], attempt: int) -> str:
    """Return what identifies an attempt of a request."""
    return digest({name: value for name, value in request.items() if name != "response_format"}, attempt)


def line(request: Mapping[str, Any], attempt: int, answer: Answer) -> str:
    """Return the store's line for an answer, without what is unknown."""
    known = {key: value for key, value in asdict(answer).items() if value is not None or key == "answer"}
    return json.dumps({"request": request, "attempt": attempt, **known}, ensure_ascii=False)


class Store:
    """The answers in a folder. Threads and processes may put answers into it at the same time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._answers: dict[str, Answer] = {}
        self._sizes: dict[Path, int] = {}  # of the files as they were read
        self._read()

    def __len__(self) -> int:
        return len(self._answers)

    def get(self, request: Mapping[str, Any], attempt: int) -> Answer | None:
        """Return the answer to this attempt of the request, given by its model or recorded, or None."""
        recorded = {**request, "model": None}
        return self._answers.get(key(request, attempt)) or self._answers.get(key(recorded, attempt))

    def put(self, request: Mapping[str, Any], attempt: int, answer: Answer) -> None:
        """Append the answer to the folder's `answers.jsonl` and wait until it is on the disk."""
        append_line(line(request, attempt, answer), self.folder / "answers.jsonl")
        self._answers[key(request, attempt)] = answer

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Within it no other process asks for answers to put here; what others have put is there to be got."""
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.folder / ".asking.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            log.warning("%s: another run is asking for answers; this one waits for it to end.", self.folder)
            lock.acquire(poll_interval=0.5)
        try:
            self._read()
            yield
        finally:
            lock.release()

    def _read(self) -> None:
        """Load the files that are new or have changed."""
        for path in sorted(self.folder.glob("*.jsonl")):
            size = path.stat().st_size
            if size != self._sizes.get(path):
                self._load(path)
                self._sizes[path] = size

    def _load(self, path: Path) -> None:
        for number, text in enumerate(path.read_bytes().split(b"\n"), start=1):
            if not text:
                continue
            try:
                kept = json.loads(text)
                asked = key(kept.pop("request"), kept.pop("attempt"))
                self._answers[asked] = Answer(**kept)
            except (ValueError, KeyError, TypeError, AttributeError):
                log.warning("%s: line %d is no whole answer; it is passed over and asked again.", path, number)
