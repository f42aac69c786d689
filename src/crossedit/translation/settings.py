"""The `translation` part of a facts entry in the configuration."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from crossedit.errors import UserError, nearest
from crossedit.facts import languages

# What says how answers are got, and by whom they were corrected: the machine's translation doesn't change with them, so
# that nothing is made anew where one of them changes.
ASKING = (
    "base_url",
    "response_format",
    "concurrency",
    "timeout",
    "requests_per_minute",
    "tokens_per_minute",
    "budget",
    "prices",
    "batch",
    "poll",
    "offline",
)
PEOPLE = ("corrections", "expert")

# What the checks of a translation are called, and what each finds.
CHECKS = {
    "untranslated": "a question, or an answer in ordinary words, is the same in both languages",
    "script": "a text is not written in the letters of the language",
    "subject": "the subject doesn't occur exactly once in the question",
    "subject_elsewhere": "the subject of the rephrase or the portability question isn't in its translation",
    "numbers": "a number of the source is not in the translation",
    "dates": "a month of the source is not in the translation",
}

_CHOICES = {
    "response_format": ("auto", "json_schema", "json_object", "text"),
    "fenced": ("ask", "read"),
    "failed": ("leave_out", "keep_source"),
}
_SEVERITIES = ("ask", "flag")
_LEAST = {
    "attempts": 1,
    "concurrency": 1,
    "timeout": 0.001,
    "requests_per_minute": 1,
    "tokens_per_minute": 1,
    "budget": 0,
    "poll": 0.001,
}
_WHOLE = ("attempts", "concurrency")


@dataclass(frozen=True)
class Settings:
    """What is translated by whom, and where the answers are kept."""

    source: str
    targets: tuple[str, ...]
    model: Mapping[str, str] | str  # one for all splits, or one for each
    store: Path
    prompt: Path | None = None  # a text with {source}, {target} and {record}; None is Bi-ZsRE's
    attempts: int = 3  # times that a record is asked for until its answer can be used
    checks: Mapping[str, str] = field(default_factory=dict)  # by check: ask again, or only flag; all of CHECKS
    fenced: str = "ask"  # an answer in a Markdown fence: ask again, or read what stands in it
    failed: str = "leave_out"  # records without a usable answer: leave_out, or keep_source

    base_url: str = "https://api.openai.com/v1"
    response_format: str = "auto"
    concurrency: int = 4  # requests in flight
    timeout: float = 120.0  # seconds that one request may take
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None
    budget: float | None = None  # US dollars that the answers for these facts may cost, all runs together
    prices: Mapping[str, Mapping[str, float]] = field(default_factory=dict)  # by model, besides resources/prices.yaml
    batch: bool = False  # through the Batch API, at half the price, within a day
    poll: float = 60.0  # seconds between two looks at a batch
    offline: bool = False  # never ask, even where a key is set

    corrections: tuple[Path, ...] = ()  # the annotators' files
    expert: tuple[Path, ...] = ()  # the files of the one whose word stands

    def model_of(self, split: str) -> str:
        """Return the model that translates this split. Raises UserError where none is named."""
        if isinstance(self.model, str):
            return self.model
        if split not in self.model:
            raise UserError(f"translation: model: none is named for split '{split}', only for {', '.join(self.model)}.")
        return self.model[split]


def from_entry(entry: Mapping[str, Any]) -> Settings:
    """Return the settings in a config entry. Raises UserError that names the key at fault."""
    known = {field.name for field in fields(Settings)}
    for key in entry:
        if key not in known:
            raise UserError(f"translation: no such key '{key}'; {nearest(key, known)}")
    for key in ("source", "targets", "model", "store"):
        if not entry.get(key):
            raise UserError(f"translation: '{key}' is missing; it must have a value.")
    for key, least in _LEAST.items():
        value = entry.get(key, least)
        kind, name = (int, "whole number") if key in _WHOLE else (int | float, "number")
        if isinstance(value, bool) or not isinstance(value, kind) or not least <= value < math.inf:
            raise UserError(f"translation: {key} is {value!r}; it must be a {name} of at least {least}.")
    for key, choices in _CHOICES.items():
        if entry.get(key, choices[0]) not in choices:
            raise UserError(f"translation: {key} is '{entry[key]}'; {nearest(str(entry[key]), choices)}")
    targets = entry["targets"]
    if not isinstance(targets, list | tuple):
        raise UserError(f"translation: targets is {targets!r}; it must be a list of language codes.")
    for code in (entry["source"], *targets):
        languages.name(code)
    if len(set(targets)) < len(targets):
        raise UserError(f"translation: targets is {targets!r}; each language stands there once.")
    if entry["source"] in targets:
        raise UserError(f"translation: '{entry['source']}' is both source and target; take it out of targets.")
    _check_address(entry.get("base_url", Settings.base_url))
    paths = {key: _paths(entry, key) for key in PEOPLE} | {key: _path(entry, key) for key in ("store", "prompt")}
    made = {"targets": tuple(targets), "checks": _checks(entry.get("checks", "ask"))}
    return Settings(**{**entry, **made, **paths})


def _path(entry: Mapping[str, Any], key: str) -> Path | None:
    value = entry.get(key)
    if value is not None and not isinstance(value, str | Path):
        raise UserError(f"translation: {key} is {value!r}; it must be a path.")
    return Path(value) if value else None


def _paths(entry: Mapping[str, Any], key: str) -> tuple[Path, ...]:
    value = entry.get(key) or []
    named = value if isinstance(value, list | tuple) else [value]
    if not all(isinstance(path, str | Path) for path in named):
        raise UserError(f"translation: {key} is {value!r}; it must be a path, or a list of them.")
    return tuple(map(Path, named))


def _checks(said: Any) -> dict[str, str]:
    """Return what follows from each check: all have the one word, or those named have theirs and the others ask."""
    named = dict.fromkeys(CHECKS, said) if isinstance(said, str) else said
    for check, severity in named.items():
        if check not in CHECKS:
            raise UserError(f"translation: checks: no such check '{check}'; {nearest(check, CHECKS)}")
        if severity not in _SEVERITIES:
            raise UserError(f"translation: checks: '{severity}' is not what a check can do; write ask or flag.")
    return dict.fromkeys(CHECKS, "ask") | dict(named)


def _check_address(address: str) -> None:
    """Raise UserError for what is no address, or holds a password or a key: it would stand in logs and tables."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UserError(f"translation: base_url is '{address}'; it must begin with http:// or https://.")
    if parts.username or parts.password or parts.query:
        raise UserError(
            f"translation: base_url at {parts.hostname} holds a name, password or query; put the key into "
            "OPENAI_API_KEY and leave them out."
        )
