"""The one place that talks to a translation server, any that speaks the chat completions protocol.

The key is read from the environment variable OPENAI_API_KEY and goes nowhere but into the request's header.
"""

import json
import os
from collections.abc import Mapping
from typing import Any

import openai
import tenacity
from openai.types.chat import ChatCompletion

from crossedit.errors import UserError
from crossedit.translation.store import Answer

# Worth another try: too many requests, a server's own fault, no or a cut connection, a time limit.
_PASSING = (
    openai.RateLimitError,
    openai.InternalServerError,
    openai.APIConnectionError,
    json.JSONDecodeError,
)


class Client:
    """Asks for chat completions; threads may share it."""

    def __init__(self, base_url: str, timeout: float, tries: int = 6, wait: float = 1.0) -> None:
        """Take the key from the environment. `timeout` and the first `wait` are in seconds."""
        self.base_url = base_url
        self._key = os.environ["OPENAI_API_KEY"]
        self._openai = openai.OpenAI(api_key=self._key, base_url=base_url, timeout=timeout, max_retries=0)
        self._again = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_PASSING),
            stop=tenacity.stop_after_attempt(tries),
            wait=tenacity.wait_exponential_jitter(multiplier=wait, max=60, jitter=wait),
            reraise=True,
        )

    def ask(self, request: Mapping[str, Any]) -> Answer:
        """Return the server's answer to the request body, however useful it is.

        Raises UserError where the server refuses, or where passing troubles outlast every try.
        """
        try:
            completion = self._again(self._openai.chat.completions.create, **request)
        except (openai.AuthenticationError, openai.PermissionDeniedError) as error:
            # The server's own words are not repeated here: they may quote the key.
            raise self._error(f"refuses the key in OPENAI_API_KEY ({error.status_code}); set another one.") from None
        except openai.APIStatusError as error:
            raise self._error(f"answers {error.status_code}: {error.message}") from None
        except (openai.APIError, json.JSONDecodeError) as error:
            raise self._error(f"can't be asked: {error}") from None
        if not isinstance(completion, ChatCompletion) or not completion.choices:
            raise self._error("does not answer with a chat completion; does base_url end as it should, often in /v1?")
        choice = completion.choices[0]
        usage = completion.usage.model_dump(exclude_none=True) if completion.usage else None
        return Answer(choice.message.content, choice.finish_reason, usage, completion.model)

    def _error(self, message: str) -> UserError:
        first = (message.splitlines() or [""])[0].replace(self._key, "***")
        return UserError(f"translation: {self.base_url} {first}")
