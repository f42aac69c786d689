"""What a server, or the way to it, says where it gives no answer."""

import email.utils
import html
import json
import math
import re
import time

import httpx2
import openai

# An answer of these says nothing about the one request: the key, the money, the address or the rate is at fault.
_OF_ALL = (401, 402, 404, 429)
_SCRIPT = re.compile(r"<(script|style)\b.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")


def told(error: BaseException) -> float | None:
    """Return the seconds that the server has told the request to wait, or None."""
    if not isinstance(error, openai.APIStatusError):
        return None
    headers = error.response.headers
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers[name]) * scale
        except (KeyError, ValueError):
            continue
        return seconds if 0 < seconds < math.inf else None
    try:
        seconds = email.utils.parsedate_to_datetime(headers["retry-after"]).timestamp() - time.time()
    except (KeyError, ValueError, OverflowError):
        return None
    return seconds if seconds > 0 else None


def no_money(error: openai.APIStatusError) -> bool:
    """Return whether the account behind the key is empty."""
    return "insufficient_quota" in (error.code, error.type)


def is_the_requests(error: BaseException) -> bool:
    """Return whether another request may be answered where this one is not."""
    if isinstance(error, openai.APIStatusError):
        return not no_money(error) and error.status_code not in _OF_ALL
    return was_sent(error)


def was_sent(error: BaseException) -> bool:
    """Return whether the request came to the server, which may have made an answer, and takes money for it."""
    return not isinstance(error.__cause__, httpx2.ConnectError | httpx2.ConnectTimeout)


def words(error: openai.APIStatusError) -> str:
    """Return what the server says: the message in its answer, else the answer's text, of a page without its tags."""
    said = error.body
    if isinstance(said, dict):
        named = (said.get(name) for name in ("message", "detail", "error"))
        said = next((text for text in named if text and isinstance(text, str)), json.dumps(said, ensure_ascii=False))
    text = said if isinstance(said, str) else ""
    if _TAG.search(text):
        text = html.unescape(_TAG.sub(" ", _SCRIPT.sub(" ", text)))
    return text.strip() or error.message
