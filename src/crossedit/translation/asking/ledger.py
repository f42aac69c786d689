"""What was submitted to the Batch API, so that a process which is killed neither loses a batch nor submits it again.

    ledger = Ledger(store.folder)
    entry = ledger.intend(server, lines)        before anything is created at the server
    ledger.submitted(entry, "batch_abc")        as soon as the server has named it
    ledger.end(entry, "completed")              once its answers are stored
    ledger.on_their_way                         the entries that haven't ended

They stand in `batches/ledger.jsonl` in the store's folder; each line is on the disk when a call returns. Beside it,
until a batch ends, lies the file that was submitted for it.
"""

import json
import logging
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from crossedit import files
from crossedit.errors import UserError
from crossedit.translation.questions import Question
from crossedit.translation.store import key, storing

log = logging.getLogger(__name__)

URL: Final = "/v1/chat/completions"


@dataclass
class Entry:
    """One batch. `name` stands for what is asked in it, and is put into its metadata; `at` is in seconds since 1970."""

    name: str
    server: str
    requests: int
    at: float
    id: str | None = None
    ended: str | None = None

    def __post_init__(self) -> None:
        self.server = plain(self.server)


class Ledger:
    """The batches of a store."""

    def __init__(self, store: Path) -> None:
        self.folder = store / "batches"
        self.path = self.folder / "ledger.jsonl"
        self._entries: dict[str, Entry] = {}
        self._asked: dict[str, dict[str, tuple[dict[str, Any], int]]] = {}  # by the name of the entry, once it was read
        if self.path.exists():
            for number, text in enumerate(self.path.read_bytes().split(b"\n"), start=1):
                self._load(number, text)

    @property
    def on_their_way(self) -> list[Entry]:
        """The entries that haven't ended, oldest first; one without an id may be at the server or not."""
        return [entry for entry in self._entries.values() if entry.ended is None]

    def file_of(self, entry: Entry) -> Path:
        """Return the file that was submitted."""
        return self.folder / f"{entry.name}.jsonl"

    def asked(self, entry: Entry) -> dict[str, tuple[dict[str, Any], int]]:
        """Return (request, attempt) by the custom id of its line. Raises UserError where the file isn't there."""
        if entry.name not in self._asked:
            self._asked[entry.name] = self._read(entry)
        return self._asked[entry.name]

    def _read(self, entry: Entry) -> dict[str, tuple[dict[str, Any], int]]:
        try:
            lines = self.file_of(entry).read_bytes().splitlines()
        except OSError as error:
            raise UserError(
                f"{self.file_of(entry)}: can't be read ({error.strerror}), so nobody knows what batch {entry.id} was "
                f"asked; bring it back, or give up the answers on their way by removing {self.path}."
            ) from None
        asked = map(json.loads, lines)
        return {one["custom_id"]: (one["body"], int(one["custom_id"].partition("-")[0])) for one in asked}

    def intend(self, server: str, lines: Sequence[bytes]) -> Entry:
        """Write down that these lines are about to be submitted."""
        server, asked = plain(server), [line.decode() for line in lines]
        # What was asked before and got no answer may be asked once more; that is then another batch.
        number = 0
        while (name := files.digest(server, asked, number)) in self._entries:
            number += 1
        entry = Entry(name, server, len(lines), time.time())
        path = self.file_of(entry)
        with storing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        with files.whole(path) as temporary, storing(path), open(temporary, "wb") as file:
            file.writelines(lines)
            file.flush()
            os.fsync(file.fileno())
        self._append(name=name, server=server, requests=len(lines), at=entry.at)
        self._entries[name] = entry
        return entry

    def submitted(self, entry: Entry, batch: str) -> None:
        """Write down the id that the server gave to the batch."""
        self._append(name=entry.name, id=batch)
        entry.id = batch

    def end(self, entry: Entry, how: str) -> None:
        """Write down that nothing more comes of the batch: its state, or why it is given up."""
        self._append(name=entry.name, ended=how)
        entry.ended = how
        self.file_of(entry).unlink(missing_ok=True)
        self._asked.pop(entry.name, None)

    def drop(self, entry: Entry) -> None:
        """Take an intention back that never came to the server; the same may be intended anew, under the same name."""
        self._append(name=entry.name, dropped=True)
        del self._entries[entry.name]

    def _append(self, **said: Any) -> None:
        with storing(self.path):
            files.append_line(json.dumps(said), self.path)

    def _load(self, number: int, text: bytes) -> None:
        if not text:
            return
        try:
            said = json.loads(text)
            name = said.pop("name")
            if "server" in said:
                self._entries[name] = Entry(name, **said)
            elif "dropped" in said:
                del self._entries[name]
            else:
                (field, value), entry = next(iter(said.items())), self._entries[name]
                setattr(entry, field, value)
        except (ValueError, KeyError, TypeError, AttributeError, StopIteration):
            # A process was killed while it wrote; what the line was about shows in what the server says.
            log.info("%s: line %d is no whole entry; it is passed over.", self.path, number)


def plain(server: str) -> str:
    """Return the address of a server as it is compared."""
    return server.rstrip("/")


def name_of(request: Mapping[str, Any], attempt: int) -> str:
    """Return the custom id of an attempt of a request."""
    return f"{attempt}-{key(request, attempt)}"


def line(request: Mapping[str, Any], attempt: int) -> bytes:
    """Return a request's line in the file of a batch; `request` may hold the form of its answer."""
    said = {"custom_id": name_of(request, attempt), "method": "POST", "url": URL, "body": request}
    return json.dumps(said).encode() + b"\n"


def check_none(store: Path, questions: Iterable[Question]) -> None:
    """Raise UserError where what is next to be asked is being asked already, in a batch on its way."""
    ledger = Ledger(store)
    asked = {name for entry in ledger.on_their_way for name in ledger.asked(entry)}
    if not asked:
        return
    open_ones = [question for question in questions if question.request is not None]
    twice = sum(name_of(question.request or {}, question.attempt) in asked for question in open_ones)
    if twice:
        raise UserError(
            f"translation: batch: {twice:,} of the requests are being asked in batches on their way; set `batch: true` "
            f"again to wait for them, or give them up, though they are paid for, by removing {ledger.path}."
        )
