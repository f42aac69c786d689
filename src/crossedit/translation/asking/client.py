"""The one place that asks for chat completions, of any server that speaks their protocol.

    async with Client(settings) as client:
        sent, answer = await client.ask(question.request, question.record)

The key is read from the environment variable OPENAI_API_KEY and goes nowhere but into the requests' header.
"""

import asyncio
import json
import logging
import os
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Self, TypeVar

import openai
import tenacity
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletion

from crossedit.errors import UserError
from crossedit.translation.asking.forms import FORMS, fitting, in_form
from crossedit.translation.asking.troubles import is_the_requests, no_money, told, was_sent, words
from crossedit.translation.settings import Settings
from crossedit.translation.store import Answer

log = logging.getLogger(__name__)

T = TypeVar("T")

TRIES = 7  # of one request, where its trouble may pass: about a minute, as limits are by the minute
WAIT = 1.0  # seconds before the second try; twice as long before each further one
PATIENCE = 600.0  # seconds that a server may tell everybody to wait without answering anybody
UNKNOWN = 2  # tries of a request that is answered with what is no completion, and may be paid each time
LONG = 10.0  # seconds; a longer wait is told in the log

_UNKNOWN_FORM = (400, 404, 422, 501)  # what servers answer to a form that they don't know
_PASSING = (408, 409, 425, 429)  # and a server's own faults, from 500 on
# A server that refuses a text says so instead of answering; of some it is an error's code.
FILTERS = ("content_filter", "data_inspection_failed")
_PLACEHOLDER = 16  # a shorter key is one that a local server makes do with, such as `none`, and no secret


class NoCompletionError(Exception):
    """The server answered with something else than a chat completion; the message is what it says."""


class RefusedError(UserError):
    """The server doesn't answer this request, but may answer others; `reason` says why, after the server's name."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


_TROUBLES = (openai.APIError, TimeoutError, json.JSONDecodeError, UnicodeDecodeError, NoCompletionError)


class Client:
    """Asks for chat completions; tasks of one event loop share it.

    flying: the tasks whose request is with the server. Once `ended` is set, nothing is tried again.
    """

    def __init__(
        self,
        settings: Settings,
        pace: Callable[[Mapping[str, Any]], Awaitable[None]] | None = None,
        lost: Callable[[Mapping[str, Any]], None] | None = None,
    ) -> None:
        """Take the key from the environment; UserError where it is none.

        pace: returns when a request may be sent, each time that it is; lost: told of each that was sent in vain.
        """
        self.flying: set[asyncio.Task[Any] | None] = set()
        self.ended = False
        self._settings = settings
        self._server = settings.base_url
        self._pace = pace
        self._lost = lost
        self._key = os.environ["OPENAI_API_KEY"].strip()
        if not (self._key.isascii() and self._key.isprintable()):
            raise UserError("translation: OPENAI_API_KEY holds characters that no key has; set it again.")
        # What these libraries tell for debugging holds headers, and a server may quote the key in its own.
        for library in ("httpcore2", "httpx2"):
            logging.getLogger(library).setLevel(logging.WARNING)
        self._openai = openai.AsyncOpenAI(api_key=self._key, base_url=settings.base_url, timeout=None, max_retries=0)
        self._again = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception(lambda error: self._may_pass(error) and told(error) is None),
            stop=_enough,
            wait=tenacity.wait_exponential_jitter(multiplier=WAIT, max=60, jitter=WAIT),
            reraise=True,
        )
        self._quiet_until = 0.0  # by the loop's clock, as is the next
        self._answered: float | None = None  # when it last was
        self._form: dict[str, str] = {}  # by model: the form that it is known to take

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._openai.close()

    async def ask(self, request: Mapping[str, Any], keys: Iterable[str]) -> tuple[dict[str, Any], Answer]:
        """Return the request as it was sent, its answer to have these keys, and what the server said to it.

        Raises UserError where the server refuses, or where passing troubles outlast every try: RefusedError where it
        may be for this request alone.
        """
        return await self.insist(self._try, request, list(keys))

    async def insist(self, call: Callable[..., Awaitable[T]], *arguments: Any) -> T:
        """Return what the call returns, made again where its trouble may pass. Raises UserError where it doesn't."""
        try:
            return await self._again.copy()(self._when_welcome, call, *arguments)
        except _TROUBLES as error:
            sentence, of_all = self._sentence(error), not self._is_the_requests(error)
        # Not within `except`: what the error holds, the key in it, would come along as this one's context.
        message = f"translation: {self._server} {sentence}"
        raise UserError(message) if of_all else RefusedError(message, sentence)

    async def _when_welcome(self, call: Callable[..., Awaitable[T]], *arguments: Any) -> T:
        """Make the call, again whenever the server has named a time: that is no try, as long as it answers anybody."""
        begun = self._now()
        while True:
            try:
                return await call(*arguments)
            except openai.APIStatusError as error:
                seconds = told(error)
                if seconds is None or not self._may_pass(error):
                    raise
                if self._now() + seconds - max(begun, self._answered or 0.0) > PATIENCE:
                    raise
                if self._now() + seconds > max(self._quiet_until, self._now()) + LONG:
                    log.warning("%s asks to wait for %.0f s; nothing is asked till then.", self._server, seconds)
                # Every other request waits as well.
                self._quiet_until = max(self._quiet_until, self._now() + seconds)

    async def _try(self, request: Mapping[str, Any], keys: list[str]) -> tuple[dict[str, Any], Answer]:
        """Ask once, or once in each form until the server knows one."""
        forms = self._forms(request)
        for form in forms[:-1]:
            try:
                return await self._in_form(form, request, keys)
            except openai.APIStatusError as error:
                if error.status_code not in _UNKNOWN_FORM or self.ended:
                    raise
        return await self._in_form(forms[-1], request, keys)

    def _forms(self, request: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the forms to be tried for an answer."""
        if self._settings.response_format != "auto":
            return (self._settings.response_format,)
        if known := self._form.get(request["model"]):
            return (known,)
        return fitting(request)

    async def _in_form(self, form: str, request: Mapping[str, Any], keys: list[str]) -> tuple[dict[str, Any], Answer]:
        sent = in_form(form, request, keys)
        answer = await self._send(sent)
        model = request["model"]
        if model not in self._form and answer.finish_reason not in FILTERS:
            self._form[model] = form
            if self._settings.response_format == "auto" and form != FORMS[0]:
                log.warning("%s: %s knows no json_schema; it is asked for %s.", self._server, model, form)
        return sent, answer

    async def _send(self, body: dict[str, Any]) -> Answer:
        """Return the answer to one HTTP request, sent when it is its turn."""
        await self._turn(body)
        task = asyncio.current_task()
        self.flying.add(task)
        try:
            # The library's own limit is on each read, which a server that drips would never reach.
            async with asyncio.timeout(self._settings.timeout):
                completion = await self._openai.chat.completions.create(**body)
            answer = self._answer(completion)
        except openai.APIStatusError as error:
            if not isinstance(error, openai.BadRequestError) or error.code not in FILTERS:
                raise
            return Answer(None, finish_reason=error.code, refusal=self._clean(words(error)))
        except _TROUBLES as error:
            if self._lost and was_sent(error):
                self._lost(body)
            raise
        finally:
            self.flying.discard(task)
        self._answered = self._now()
        return answer

    def _answer(self, completion: object) -> Answer:
        """Return what is kept of a completion. Raises NoCompletionError where it is none."""
        if not isinstance(completion, ChatCompletion):
            raise NoCompletionError(str(completion))
        usage = completion.usage
        try:
            choice = completion.choices[0]
            return Answer(
                self._clean(choice.message.content),
                choice.finish_reason,
                _counts(usage) if isinstance(usage, CompletionUsage) else None,
                self._clean(completion.model),
                refusal=self._clean(choice.message.refusal),
            )
        except (AttributeError, IndexError, TypeError):
            # The library takes whatever has braces; some servers put an error there.
            raise NoCompletionError(str(getattr(completion, "error", completion))) from None

    async def _turn(self, body: Mapping[str, Any]) -> None:
        """Wait while the server has told any request to, and for the pace."""
        while True:
            while (seconds := self._quiet_until - self._now()) > 0:
                await asyncio.sleep(seconds + random.uniform(0, min(seconds, WAIT)))
            if self._pace:
                await self._pace(body)
            if self._quiet_until <= self._now():
                return

    def _may_pass(self, error: BaseException) -> bool:
        if self.ended or not isinstance(error, _TROUBLES):
            return False
        if isinstance(error, openai.APIStatusError):
            return not no_money(error) and (error.status_code in _PASSING or error.status_code >= 500)
        if isinstance(error, NoCompletionError):
            return self._answered is not None  # otherwise the address is wrong
        return True

    def _is_the_requests(self, error: BaseException) -> bool:
        if isinstance(error, NoCompletionError):
            return self._answered is not None
        return is_the_requests(error)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _sentence(self, error: BaseException) -> str:
        """Return what has happened and what to do, after the server's address."""
        match error:
            case openai.APIStatusError(status_code=401 | 403) if error.status_code == 401 or self._answered is None:
                # The server's own words are not repeated here: they may quote a part of the key.
                or_this = ", or this request" if error.status_code == 403 else ""
                return f"refuses the key in OPENAI_API_KEY ({error.status_code}){or_this}; set another one."
            case openai.APIStatusError() if no_money(error):
                return (
                    "has no money left on this key's account (insufficient_quota); pay some in or set another key, "
                    "then run this again: what was answered is stored."
                )
            case openai.APIStatusError():
                said = f"answers {error.status_code}: {self._brief(words(error))}"
                if error.status_code == 404:
                    said += "; does base_url end as it should, and is the model there?"
                if seconds := told(error):
                    said += f"; it asks to wait for {seconds:.0f} s, then run this again: what was answered is stored."
                return said
            case NoCompletionError():
                said = self._brief(str(error))
                return f"answers with no chat completion ({said}); does base_url end as it should, often in /v1?"
            case TimeoutError():
                limit = f"{self._settings.timeout:g}"
                return f"has not answered within {limit} s, {TRIES} times; raise `timeout`, or ask fewer at once."
            case json.JSONDecodeError() | UnicodeDecodeError():
                return "sends answers that break off or are no JSON."
            case _:
                cause = f" ({error.__cause__})" if error.__cause__ else ""
                return self._brief(f"can't be asked: {error}{cause}")

    def _brief(self, text: str) -> str:
        """Return the first line of what a server says, without the key."""
        return (self._without_key(text).strip().splitlines() or [""])[0].strip()[:300]

    def _clean(self, text: str | None) -> str | None:
        """Return the text as it can be stored: without the key, without halves of characters."""
        return None if text is None else self._without_key(text).encode("utf-8", "replace").decode()

    def _without_key(self, text: str) -> str:
        return text.replace(self._key, "***") if len(self._key) >= _PLACEHOLDER else text


def _enough(state: tenacity.RetryCallState) -> bool:
    """Say whether a request is tried no more."""
    error = state.outcome.exception() if state.outcome else None
    return state.attempt_number >= (UNKNOWN if isinstance(error, NoCompletionError) else TRIES)


def _counts(usage: CompletionUsage) -> dict[str, Any]:
    """Return the tokens that the server counts, without what is no number."""
    said = usage.model_dump(mode="json", exclude_none=True, warnings=False)
    return {name: count for name, count in said.items() if isinstance(count, int | float | dict)}
