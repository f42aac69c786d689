"""What is sent for one fact, and what may come back.

A record is the facts row of one case in one language, as a JSON object without its empty fields. The prompt
is the one of Bi-ZsRE (Wang et al., section 3), with the names of any two languages in it.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from crossedit.facts import languages

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

_FENCED = re.compile(r"\s*```(?:json)?[ \t]*\n(.*?)\n?\s*```\s*", re.DOTALL | re.IGNORECASE)


class Unusable(Exception):  # noqa: N818 - it says what the answer is
    """An answer that is no translation of its record; the message is the reason."""


def of_row(row: Mapping[str, Any]) -> dict[str, str]:
    """Return the record of a facts row."""
    return {field: row[field] for field in FIELDS if row[field] is not None}


def request(record: Mapping[str, str], source: str, target: str, model: str | None) -> dict[str, Any]:
    """Return the body of the chat completion that asks for the record in language `target`."""
    text = PROMPT.format(
        source=languages.name(source),
        target=languages.name(target),
        record=json.dumps(record, ensure_ascii=False),
    )
    return {"model": model, "messages": [{"role": "user", "content": text}], "temperature": 0}


def read_answer(answer: str | None, record: Mapping[str, str]) -> dict[str, str]:
    """Return the translation of `record` that the answer holds, bare or in a fenced block.

    Raises Unusable where the answer is no JSON object, where its keys aren't the record's, each once, or
    where a value is no text or is empty though the record's is not.
    """
    if not answer:
        raise Unusable("the answer has no text")
    fenced = _FENCED.fullmatch(answer)
    try:
        translation = json.loads(fenced[1] if fenced else answer, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        raise Unusable(f"not JSON ({error})") from None
    if not isinstance(translation, dict):
        raise Unusable(f"a JSON {type(translation).__name__}, not an object")
    missing = [key for key in record if key not in translation]
    unknown = [key for key in translation if key not in record]
    if missing or unknown:
        raise Unusable(f"keys missing: {', '.join(missing) or 'none'}; keys unknown: {', '.join(unknown) or 'none'}")
    for key, value in translation.items():
        if not isinstance(value, str):
            raise Unusable(f"'{key}' is {json.dumps(value, ensure_ascii=False)}, not a text")
        if record[key].strip() and not value.strip():
            raise Unusable(f"'{key}' is empty")
    return {key: translation[key].strip() for key in record}


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise Unusable(f"'{twice[0]}' is there twice")
    return dict(pairs)
