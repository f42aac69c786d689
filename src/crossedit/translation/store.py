"""Answers, kept by the digest of what was asked, so that nothing is asked twice.

    store = Store(folder)
    store.get(request, attempt)           the answer that is kept for this request, or None
    store.put(request, attempt, answer)   on the disk when it returns
    with store.asking(): …                no other process asks meanwhile

The folder holds JSON lines files, one answer a line with its whole request; all of them are read, and new
answers are appended to `answers.jsonl`. A process killed while it appends leaves half a line, which is passed
over; any other line that is no answer is an error, as what it stood for would be asked, and paid for, again.

An attempt is identified by the model, what was said first, and its number. Not by what was said after an answer that
can't be used: that depends on the checks and on their words. Nor by the form that the answer was to have
(`response_format`), which servers offer or don't. An answer that was written for the project and given by no model is
kept with `model: null` and `recorded_from`; it stands in for the answer of whichever model is asked.
"""

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from crossedit.errors import UserError
from crossedit.files import append_line, digest

log = logging.getLogger(__name__)


_BEGIN = b'{"request"'  # of every line
# What a line may hold beside the request, the attempt and the answer.
_MORE = {
    "finish_reason": str,
    "usage": dict,
    "answered_by": str,
    "recorded_from": str,
    "refusal": str,
    "batch": str,
}


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
    opening = {name: value for name, value in request.items() if name != "response_format"}
    return digest(opening | {"messages": request["messages"][:1]}, attempt)


def line(request: Mapping[str, Any], attempt: int, answer: Answer) -> str:
    """Return the store's line for an answer, without what is unknown."""
    known = {key: value for key, value in asdict(answer).items() if value is not None or key == "answer"}
    return json.dumps({"request": request, "attempt": attempt, **known}, ensure_ascii=False)


@contextmanager
def storing(path: Path) -> Iterator[None]:
    """Within it what the system says against writing is a UserError about the file."""
    try:
        yield
    except OSError as error:
        raise UserError(
            f"{path}: can't be written ({error.strerror or error}); what was answered before is kept; make room, or "
            "give permission, and run this again."
        ) from None


class Store:
    """The answers in a folder. Threads and processes may put answers into it at the same time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._answers: dict[str, Answer] = {}
        self._own: set[str] = set()  # the keys of those that were put by this object
        self._sizes: dict[Path, int] = {}  # of the files as they were read
        self._torn: dict[Path, int] = {}  # the lines at the end of files that are no whole ones
        self._read()

    def __len__(self) -> int:
        return len(self._answers)

    def get(self, request: Mapping[str, Any], attempt: int) -> Answer | None:
        """Return the answer to this attempt of the request, given by its model or recorded, or None."""
        recorded = {**request, "model": None}
        return self._answers.get(key(request, attempt)) or self._answers.get(key(recorded, attempt))

    def put(self, request: Mapping[str, Any], attempt: int, answer: Answer) -> None:
        """Append the answer to the folder's `answers.jsonl` and wait until it is on the disk."""
        with storing(self._path):
            append_line(line(request, attempt, answer), self._path)
        self._answers[key(request, attempt)] = answer
        self._own.add(key(request, attempt))

    def has_put(self, request: Mapping[str, Any], attempt: int) -> bool:
        """Return whether the answer was put here, not found."""
        return key(request, attempt) in self._own

    @property
    def _path(self) -> Path:
        return self.folder / "answers.jsonl"

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Within it no other process asks for answers to put here; what others have put is there to be got."""
        lock = FileLock(self.folder / ".asking.lock")
        try:
            with storing(self._path):
                self.folder.mkdir(parents=True, exist_ok=True)
                try:
                    lock.acquire(timeout=0)
                except Timeout:
                    log.warning("%s: another run is asking for answers; this one waits for it to end.", self.folder)
                    lock.acquire(poll_interval=0.5)
                open(self._path, "ab").close()  # before anything is paid for
            self._read()
            for path, number in self._torn.items():
                log.warning("%s: line %d, the last, is no whole answer; it is asked again.", path, number)
            yield
        finally:
            lock.release()

    def _read(self) -> None:
        """Load the files that are new or have changed."""
        for path in sorted(self.folder.glob("*.jsonl")):
            try:
                size = path.stat().st_size
                if size != self._sizes.get(path):
                    self._load(path)
                    self._sizes[path] = size
            except OSError as error:
                raise UserError(f"{path}: can't be read ({error.strerror}).") from None

    def _load(self, path: Path) -> None:
        self._torn.pop(path, None)
        lines = path.read_bytes().split(b"\n")
        for number, text in enumerate(lines, start=1):
            if not text.strip():
                continue
            kept = _parsed(text)
            if kept is not None:
                request, attempt, answer = kept
                self._answers[key(request, attempt)] = answer
            elif _is_torn(text):
                log.info("%s: line %d is no whole answer; it is passed over.", path, number)
                if number == len(lines):
                    self._torn[path] = number
            else:
                raise UserError(
                    f"{path}: line {number} is no answer as they are written there; put it back as it was, or take it "
                    "out, and what it answered is asked again."
                )


def _parsed(text: bytes) -> tuple[dict[str, Any], int, Answer] | None:
    """Return what `line` has made the line of: request, attempt and answer; None where it has made no such line."""
    try:
        said: Any = json.loads(text.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    match said:
        case {
            "request": {"model": str() | None, "messages": [{"content": str()}, *_]} as request,
            "attempt": int(attempt),
            "answer": str() | None,
            **more,
        } if more.keys() <= _MORE.keys() and all(isinstance(said[name], _MORE[name]) for name in map(str, more)):
            del said["request"], said["attempt"]
            return request, attempt, Answer(**said)
    return None


def _is_torn(text: bytes) -> bool:
    """Return whether a line that can't be read is the beginning of one of these, as a killed process leaves it."""
    if not (text.startswith(_BEGIN) or _BEGIN.startswith(text)):
        return False
    try:
        json.loads(text.decode())
    except UnicodeDecodeError as error:
        return error.end == len(text) and "end of data" in error.reason
    except (ValueError, RecursionError):
        return True
    return False  # JSON of another kind
