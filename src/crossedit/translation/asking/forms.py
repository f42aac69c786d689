"""The forms that a server may be asked to give an answer in, and what is written into a request for each."""

from collections.abc import Iterable, Mapping
from typing import Any

# From the strictest to none; a server is asked for the first that it knows.
FORMS = ("json_schema", "json_object", "text")


def fitting(request: Mapping[str, Any]) -> tuple[str, ...]:
    """Return those of FORMS that the request may wish for."""
    # OpenAI's servers refuse `json_object` where the messages don't say JSON.
    named = any("json" in message["content"].lower() for message in request["messages"])
    return tuple(form for form in FORMS if named or form != "json_object")


def in_form(form: str, request: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    """Return the request with the wish for an answer in one of FORMS: with `json_schema` of exactly these keys."""
    match form:
        case "json_schema":
            keys = list(keys)
            schema = {
                "type": "object",
                "properties": {key: {"type": "string"} for key in keys},
                "required": keys,
                "additionalProperties": False,
            }
            named = {"name": "translation", "strict": True, "schema": schema}
            return {**request, "response_format": {"type": form, "json_schema": named}}
        case "json_object":
            return {**request, "response_format": {"type": form}}
        case _:
            return dict(request)
