"""What is sent for one fact, and what may come back.

A record is the facts row of one case in one language, as a JSON object without its empty fields. The prompt
is the one of Bi-ZsRE (Wang et al., section 3), with the names of any two languages in it.
"""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

import polars as pl

from crossedit.errors import UserError
from crossedit.facts import languages
from crossedit.files import digest
from crossedit.translation.settings import Settings

# The translated columns of the facts table; they are the keys of a record, in this order.
FIELDS = (
    "subject",
    "prompt",
    "target",
    "original",
    "rephrase",
    "locality_prompt",
    "locality_answer",
    "same_subject_prompt",
    "same_subject_answer",
    "portability_prompt",
    "portability_answer",
)

PROMPT = """\
Please translate the following JSON data from {source} to {target} and keep the format unchanged:
{record}"""

# After an answer that can't be used: what is wrong with it.
AGAIN = """\
This can't be used: {reason}.
Answer again with the one JSON object alone, with the same keys and every value translated to {target}."""

_FENCE = "```"
_LONGEST = 1000  # characters of a reason: it is sent, and listed
_TOO_LONG = 4  # times what was asked first; such an answer has run away, and may be more than a model can take


Row = dict[str, Any]  # of a facts table


class Unusable(Exception):  # noqa: N818 - it says what the answer is
    """An answer that is no translation of its record; the message is the reason.

    kinds: the same without what is particular to the record, to be counted by.
    """

    def __init__(self, reason: str, *kinds: str) -> None:
        # What it quotes may hold half a character, which can't be sent.
        text = reason.encode("utf-8", "replace").decode()
        super().__init__(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…")
        self.kinds = tuple(dict.fromkeys(kinds)) or (text,)


def sources(facts: pl.DataFrame, lang: str) -> list[dict[str, Any]]:
    """Return the rows of a facts table in the language that is translated. Raises UserError where there is none."""
    rows = facts.filter(lang=lang).to_dicts()
    if not rows:
        there = ", ".join(facts["lang"].unique().sort()) or "none"
        raise UserError(f"translation: source: no facts in '{lang}'; the table's languages are: {there}.")
    return rows


def of_row(row: Mapping[str, Any]) -> dict[str, str]:
    """Return the record of a facts row."""
    return {field: row[field] for field in FIELDS if row[field] is not None}


def fingerprint(row: Mapping[str, Any]) -> str:
    """Return what stands for a row's record: a judgement of its translation holds as long as it is the same."""
    return digest(of_row(row))


def prompt_of(settings: Settings) -> str:
    """Return the prompt, to be filled in. Raises UserError for a file without {source}, {target} or {record}."""
    if settings.prompt is None:
        return PROMPT
    try:
        text = settings.prompt.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{settings.prompt}: can't be read as the prompt of translations ({error}).") from None
    for name in ("{source}", "{target}", "{record}"):
        if text.count(name) != 1:
            times = text.count(name)
            raise UserError(f"{settings.prompt}: {name} stands in it {times} times; it must stand there once.")
    return text


def request(
    record: Mapping[str, str], source: str, target: str, model: str | None, prompt: str = PROMPT
) -> dict[str, Any]:
    """Return the body of the chat completion that asks for the record in language `target`."""
    # One after the other, the record last: braces in a prompt file or a record mean nothing.
    text = prompt.replace("{source}", languages.name(source)).replace("{target}", languages.name(target))
    text = text.replace("{record}", json.dumps(record, ensure_ascii=False))
    return {"model": model, "messages": [{"role": "user", "content": text}], "temperature": 0}


def again(request: Mapping[str, Any], answer: str, reason: str, target: str) -> dict[str, Any]:
    """Return the request that follows on an answer that can't be used: the talk so far, and what is wrong with it.

    An answer that is many times as long as what was asked is left out.
    """
    wish = AGAIN.format(reason=reason, target=languages.name(target))
    # A server refuses an empty turn; what was asked first is then asked with the wish.
    fits = 0 < len(answer) <= _TOO_LONG * len(request["messages"][0]["content"])
    said = [{"role": "assistant", "content": answer}] if fits else []
    return {**request, "messages": [*request["messages"], *said, {"role": "user", "content": wish}]}


def read_answer(answer: str | None, record: Mapping[str, str], fenced: bool = False) -> dict[str, str]:
    """Return the translation of `record` that the answer holds; `fenced`: in a Markdown fence as well.

    Raises Unusable where the answer is no JSON object, where its keys aren't the record's, each once, or
    where a value is no text or is empty though the record's is not.
    """
    if not answer:
        raise Unusable("the answer has no text")
    inside = _unfenced(answer)
    if inside is not None and not fenced:
        raise Unusable("the JSON object stands in a fence")
    translation = _parsed(answer if inside is None else inside)
    if not isinstance(translation, dict):
        raise Unusable(f"a JSON {type(translation).__name__}, not an object")
    missing = [key for key in record if key not in translation]
    unknown = [key for key in translation if key not in record]
    if missing or unknown:
        kinds = ["keys missing"] * bool(missing) + ["keys unknown"] * bool(unknown)
        named = f"keys missing: {', '.join(missing) or 'none'}; keys unknown: {', '.join(unknown) or 'none'}"
        raise Unusable(named, *kinds)
    for key, value in translation.items():
        if not isinstance(value, str):
            said = f"a {type(value).__name__}" if isinstance(value, list | dict) else json.dumps(value)
            raise Unusable(f"'{key}' is {said}, not a text", "a value is no text")
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise Unusable(f"'{key}' holds half a character", "half a character")
        if record[key].strip() and not value.strip():
            raise Unusable(f"'{key}' is empty", "a text is empty")
    return {key: translation[key].strip() for key in record}


def _unfenced(answer: str) -> str | None:
    """Return what stands in an answer that is one Markdown fence; None where it is none."""
    text = answer.strip()
    if len(text) < 2 * len(_FENCE) or not (text.startswith(_FENCE) and text.endswith(_FENCE)):
        return None
    head, newline, inside = text.removeprefix(_FENCE).removesuffix(_FENCE).partition("\n")
    return inside if newline and head.strip().lower() in ("", "json") else None


def _parsed(text: str) -> Any:
    # The reasons are in words of our own: the parser's differ between versions of Python.
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        raise Unusable(f"not JSON (from character {error.pos + 1} on)", "not JSON") from None
    except (ValueError, RecursionError):
        raise Unusable("not JSON (a number or its brackets find no end)", "not JSON") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    twice = sorted(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
    if twice:
        raise Unusable(f"'{twice[0]}' is there twice", "a key twice")
    return dict(pairs)
