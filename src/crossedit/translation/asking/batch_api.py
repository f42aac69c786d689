"""The Batch API's part of the server: files go in, batches are made of them, files come out.

async with BatchApi(settings) as api:
    batch = await api.create(entry, path)       never a second one for the same entry
    batch = await api.get(batch.id)
    for line in await api.lines(batch.output_file_id):
        answer = api.read(line, batch.id)       or the error that came instead
"""

import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import openai
from openai.types import Batch, FileObject
from openai.types.chat import ChatCompletion

from crossedit.errors import UserError
from crossedit.translation.asking.client import FILTERS, Client, NoCompletionError
from crossedit.translation.asking.ledger import URL, Entry
from crossedit.translation.store import Answer

log = logging.getLogger(__name__)

T = TypeVar("T")

_TAG = "crossedit"  # in a batch's metadata: the name of its entry
_WINDOW = 2 * 86400.0  # seconds by which the server's clock may be behind, and more
_FOR_GOOD = (400, 413, 422)  # what is said to a request that can't be answered, such as one that is too long


@dataclass(frozen=True)
class Refused:
    """What a request got for an answer: the error in words, and whether it would be the same another time."""

    reason: str
    for_good: bool = False


class BatchApi(Client):
    """Speaks with the server about batches."""

    def refusal(self, batch: Batch, reason: str) -> UserError:
        """Return what to raise where the server has looked at a batch and not begun it."""
        return UserError(f"translation: {self._settings.base_url} refuses batch {batch.id}: {self._brief(reason)}")

    async def create(self, entry: Entry, path: Path) -> Batch:
        """Return the entry's batch, made of the file unless it is there already.

        A batch may have been made though the server's word of it was lost; so it is looked for before each try.
        """
        file = await self._call(self._upload, path)
        return await self._call(self._found_or_made, entry, file)

    async def find(self, entry: Entry) -> Batch | None:
        """Return the entry's batch if the server has it."""
        return await self._call(self._find, entry)

    async def get(self, batch: str) -> Batch:
        """Return how the batch stands."""

        async def get() -> Batch:
            return _is(Batch, await self._openai.batches.retrieve(batch))

        return await self._call(get)

    async def lines(self, file: str | None) -> list[dict[str, Any]]:
        """Return the lines of an output file; none where there is no file, or the server has it no more."""
        found = []
        for number, text in enumerate(await self._call(self._content, file) if file else (), start=1):
            try:
                found += [json.loads(text)] if text.strip() else []
            except ValueError:
                log.warning("translation: line %d of file %s of a batch is no JSON; it is passed over.", number, file)
        return found

    def read(self, line: dict[str, Any], batch: str) -> Answer | Refused:
        """Return the answer in a line of an output file, or why there is none."""
        response = line.get("response") or {}
        status, body = response.get("status_code"), response.get("body") or {}
        if status == 200:
            try:
                return replace(self._answer(ChatCompletion.construct(**body)), batch=batch)
            except (NoCompletionError, TypeError):
                return Refused("no chat completion")
        error = line.get("error") or body.get("error") or {}
        code, said = error.get("code"), self._clean(str(error.get("message") or "no reason given"))
        if code in FILTERS:
            return Answer(None, finish_reason=code, refusal=said, batch=batch)
        return Refused(f"{status or code}: {said}", status in _FOR_GOOD)

    async def _upload(self, path: Path) -> str:
        made = await self._openai.files.create(file=(path.name, path.read_bytes()), purpose="batch")
        return _is(FileObject, made).id

    async def _content(self, file: str) -> list[bytes]:
        try:
            lines = (await self._openai.files.content(file)).content.split(b"\n")
        except openai.NotFoundError:
            log.warning("translation: file %s of a batch is no longer at the server.", file)
            return []
        # A file that breaks off is got again: what is missing in it would be asked, and paid, anew.
        if lines[-1].strip():
            json.loads(lines[-1])
        return lines

    async def _found_or_made(self, entry: Entry, file: str) -> Batch:
        if found := await self._find(entry):
            return found
        made = await self._openai.batches.create(
            input_file_id=file, endpoint=URL, completion_window="24h", metadata={_TAG: entry.name}
        )
        return _is(Batch, made)

    async def _find(self, entry: Entry) -> Batch | None:
        first: Batch | None = None
        async for batch in self._openai.batches.list(limit=100):
            first = first or _is(Batch, batch)
            if (batch.metadata or {}).get(_TAG) == entry.name:
                return batch
            # The newest come first, at OpenAI's; elsewhere that is not promised.
            if batch.created_at < min(entry.at - _WINDOW, first.created_at):
                break
        return None

    async def _call(self, function: Callable[..., Awaitable[T]], *arguments: Any) -> T:
        """Call it, again where its trouble may pass. Raises UserError where it doesn't."""

        async def when_allowed() -> T:
            await self._turn({})
            return await function(*arguments)

        return await self.insist(when_allowed)

    def _sentence(self, error: BaseException) -> str:
        if isinstance(error, openai.APIStatusError) and error.status_code in (404, 405, 501):
            return (
                f"answers {error.status_code} to {error.request.method} {error.request.url.path}; does it have a Batch "
                "API, and is this batch one of the key's? `batch: false` asks without one."
            )
        if isinstance(error, NoCompletionError):
            return "does not answer as a Batch API does; does base_url end as it should, often in /v1?"
        return super()._sentence(error)


def _is(kind: type[T], said: Any) -> T:
    """Return what the server said if it is of that kind."""
    if not isinstance(said, kind) or not getattr(said, "id", None):
        raise NoCompletionError(str(said))
    return said
