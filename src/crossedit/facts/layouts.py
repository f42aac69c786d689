"""The layouts of dataset files: recognised by what stands in them, never by the file's name.

A layout says which key of a record becomes which column of the facts table. A flat file is a list of records of one
language; a nested one a list of `{language: record}`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from crossedit.errors import UserError
from crossedit.facts.languages import code, is_code
from crossedit.facts.oddities import Oddity
from crossedit.facts.records import Half


@dataclass(frozen=True)
class Layout:
    """How records are written: columns by key, and where the answer before the edit stands (first one found)."""

    title: str
    nested: bool
    columns: dict[str, str]
    originals: tuple[str, ...]
    cloze: bool = False

    def required(self) -> list[str]:
        """The keys that every record must have."""
        return [key for key, column in self.columns.items() if column in ("subject", "prompt", "target")]


_ZSRE = {
    "subject": "subject", "src": "prompt", "rephrase": "rephrase", "alt": "target", "loc": "locality_prompt",
    "loc_ans": "locality_answer",
}  # fmt: skip
_PORTABILITY = {"New Question": "portability_prompt", "New Answer": "portability_answer"}

ZSRE = Layout("EasyEdit/ZsRE, flat", False, _ZSRE, ("answers", "pred"))
PAIRS = Layout("Bi-ZsRE test or MzsRE pairs", True, _ZSRE, ("answers", "pred"))
BMIKE = Layout("BMIKE-53", True, {**_ZSRE, "port": "portability_prompt", "port_ans": "portability_answer"}, ("old",))
COUNTERFACT = Layout(
    "CounterFact in EasyEdit's layout",
    False,
    {
        "subject": "subject", "prompt": "prompt", "rephrase_prompt": "rephrase", "target_new": "target",
        "locality_prompt": "locality_prompt", "locality_ground_truth": "locality_answer",
    },
    ("ground_truth",),
    cloze=True,
)  # fmt: skip
LINES = Layout("question<TAB>answer lines", False, {"question": "prompt", "answer": "target"}, ())

Read = tuple[Layout, list[Half], bool, list[Oddity]]


def recognised(data: Any, path: str) -> Read:
    """Return the layout of the parsed JSON, its halves, whether it has case_ids, and the reader's oddities.

    Halves of a flat file have no language yet. Raises UserError naming the record and the key where something is
    missing, or of a wrong type, or the layout is none of those known.
    """
    if not isinstance(data, list):
        raise UserError(f"{path}: holds {_kind(data)}, not a list of records.")
    if not data:
        raise UserError(f"{path}: the list is empty; there is no record to read.")
    for number, record in enumerate(data):
        if not isinstance(record, dict):
            raise UserError(f"{path}: record {number} is {_kind(record)}, not an object with fields.")
    layout = _layout(data, path)
    by_language = list(_by_language(data, path)) if layout.nested else [{"": record} for record in data]
    numbered = any("case_id" in record for languages in by_language for record in languages.values())
    halves: list[Half] = []
    oddities: list[Oddity] = []
    seen: dict[int, int] = {}
    for number, languages in enumerate(by_language):
        case_id = _case_id(languages, number, path) if numbered else number
        if case_id in seen:
            raise UserError(
                f"{path}: records {seen[case_id]} and {number} both have case_id {case_id}; it must tell them apart."
            )
        seen[case_id] = number
        for lang, record in languages.items():
            half, noted = _half(record, layout, case_id, lang, f"{path}: record {number}", path)
            halves.append(half)
            oddities += noted
    return layout, halves, numbered, oddities


def question_answer_lines(text: str, path: str) -> Read:
    """Return what `recognised` does, for lines of `question<TAB>answer`; case_id is the line's number from 0."""
    lines = text.splitlines()
    if not lines:
        raise UserError(f"{path}: the file is empty; it should hold lines of question<TAB>answer.")
    halves = []
    for number, line in enumerate(lines):
        cells = line.split("\t")
        if len(cells) != 2:
            raise UserError(f"{path}: line {number + 1} has {len(cells) - 1} tabs; it should be question<TAB>answer.")
        halves.append(Half(number, "", path, {"prompt": cells[0], "target": cells[1]}))
    return LINES, halves, False, []


def _layout(data: list[dict[str, Any]], path: str) -> Layout:
    first = data[0]
    if all(is_code(key) for key in first) and first:
        inner = [record for item in data for record in item.values() if isinstance(record, dict)]
        keys = {key for record in inner for key in record}
        if {"new_fact", "prompt"} <= keys:
            raise UserError(f"{path}: holds BMIKE-53's in-context demonstrations, which are no facts to edit.")
        layout = PAIRS if "portability" in keys else BMIKE
    else:
        keys = {key for record in data for key in record}
        layout = COUNTERFACT if "target_new" in keys else ZSRE
    missing = [key for key in layout.required() if key not in keys]
    if missing:
        known = [layout] if layout.nested else [ZSRE, COUNTERFACT]
        needed = " or ".join(f"{_listed(one.required())} ({one.title})" for one in known)
        raise UserError(
            f"{path}: its layout is none of those known: its keys are {_listed(sorted(keys)[:8])}, where records need "
            f"{needed}; rename them, as docs/facts.md shows."
        )
    return layout


def _by_language(data: list[dict[str, Any]], path: str) -> Iterator[dict[str, dict[str, Any]]]:
    for number, item in enumerate(data):
        where = f"{path}: record {number}"
        if not item:
            raise UserError(f"{where} is empty; it should be {{language: record}}.")
        languages = {code(key, where): record for key, record in item.items()}
        if len(languages) < len(item):
            raise UserError(f"{where} names one language twice ({_listed(list(item))}).")
        for key, record in item.items():
            if not isinstance(record, dict):
                raise UserError(f"{where}: '{key}' is {_kind(record)}, not a record.")
        yield languages


def _case_id(languages: dict[str, dict[str, Any]], number: int, path: str) -> int:
    ids = []
    for record in languages.values():
        if "case_id" not in record:
            raise UserError(f"{path}: record {number} lacks `case_id`, which other records have.")
        value = record["case_id"]
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise UserError(f"{path}: record {number}: `case_id` is {value!r}, not a whole number from 0.")
        ids.append(value)
    if len(set(ids)) > 1:
        raise UserError(f"{path}: record {number}: `case_id` differs between its languages ({ids[0]} and {ids[1]}).")
    return ids[0]


def _half(
    record: dict[str, Any], layout: Layout, case_id: int, lang: str, where: str, path: str
) -> tuple[Half, list[Oddity]]:
    where = f"{where} ({lang})" if lang else where
    for key in layout.required():
        if key not in record:
            raise UserError(f"{where} lacks `{key}`, which {layout.title} has in every record.")
    values: dict[str, str] = {}
    oddities: list[Oddity] = []

    def take(key: str, column: str, value: Any) -> None:
        if isinstance(value, int | float) and not isinstance(value, bool):
            oddities.append(Oddity("number_for_text", case_id, lang, column, str(value), path))
        elif value is not None and not isinstance(value, str):
            raise UserError(f"{where}: `{key}` is {_kind(value)}, not text.")
        values[column] = "" if value is None else str(value)

    for key, column in layout.columns.items():
        if key in record:
            take(key, column, record[key])
    portability = record.get("portability", {})
    if not isinstance(portability, dict):
        raise UserError(f"{where}: `portability` is {_kind(portability)}, not an object with a `New Question`.")
    for key, column in _PORTABILITY.items() if "portability" in record else ():
        if key not in portability:
            raise UserError(f"{where}: `portability` lacks `{key}`.")
        take(f"portability.{key}", column, portability[key])
    answers = record.get("answers", [])
    if not isinstance(answers, list) or not all(isinstance(answer, str) for answer in answers):
        raise UserError(f"{where}: `answers` is not a list of texts.")
    for key in layout.originals:
        value = record.get(key)
        if key == "answers":
            value = answers[0] if answers else None
        if value is not None and "original" not in values:
            take(key, "original", value)
    extras = {key: record[key] for key in ("pred", "answers", "cond") if record.get(key) is not None}
    for key in ("pred", "cond"):
        if key in extras and not isinstance(extras[key], str):
            raise UserError(f"{where}: `{key}` is {_kind(extras[key])}, not text.")
    return Half(case_id, lang, path, values, extras, cloze=layout.cloze), oddities


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def _listed(keys: list[str]) -> str:
    return ", ".join(f"`{key}`" for key in keys)
