"""What a document of JSON values has against a schema, in a sentence for who wrote it.

first_mistake({"editor": {}}, schema)        "editor: unknown field; did you mean 'editors'?"
"""

from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

from crossedit.errors import nearest


def first_mistake(document: Any, schema: Mapping[str, Any]) -> str | None:
    """Return the mistake that says most, in words; None where there is none."""
    mistake = best_match(Draft202012Validator(schema).iter_errors(document))
    return None if mistake is None else _sentence(mistake)


def _sentence(mistake: ValidationError) -> str:
    """Return the mistake in words: the field, its value, what to do."""
    # Of alternatives, what is wrong with the one that comes nearest says most.
    while mistake.context and mistake.validator in ("oneOf", "anyOf"):
        mistake = best_match(iter(mistake.context)) or mistake
        if not mistake.context:
            break
    path = ".".join(str(part) for part in mistake.absolute_path)
    field = f"{path}: " if path else ""
    value, rule = mistake.instance, mistake.validator_value
    if value is None:
        return f"{field}is empty; fill it, or leave it away."
    # Where a rule in itself says little, the grammar says it in words.
    for told in (mistake, mistake.parent):
        if told is not None and "description" in told.schema:
            # What may hold a secret isn't repeated.
            shown = "it" if told.schema.get("writeOnly") else repr(told.instance)
            return f"{field}{shown} {told.schema['description']}."
    match mistake.validator:
        case "additionalProperties":
            known = mistake.schema.get("properties", {})
            unknown = next(name for name in value if name not in known)
            return f"{path + '.' if path else ''}{unknown}: unknown field; {nearest(unknown, known)}"
        case "required":
            missing = next(name for name in rule if name not in value)
            return f"{field}`{missing}` is missing; add it."
        case "enum":
            return f"{field}'{value}' is not allowed; {nearest(str(value), [str(item) for item in rule])}"
        case "type":
            return f"{field}{value!r} must be {_TYPES[rule]}."
        case "minimum" | "exclusiveMinimum":
            bound = "at least" if mistake.validator == "minimum" else "above"
            return f"{field}{value} is too small; it must be {bound} {rule}."
        case "minItems" | "minLength" | "minProperties":
            return f"{field}is empty; name at least one."
        case "uniqueItems":
            return f"{field}{value} names something twice; remove one."
        case _:
            return f"{field}{mistake.message}."


_TYPES = {
    "object": "a mapping of fields",
    "array": "a list",
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}
