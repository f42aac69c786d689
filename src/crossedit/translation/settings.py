"""The `translation` part of a facts entry in the configuration."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from crossedit.errors import UserError, nearest
from crossedit.facts import languages


@dataclass(frozen=True)
class Settings:
    """What is translated by whom, and where the answers are kept."""

    source: str
    targets: tuple[str, ...]
    model: Mapping[str, str] | str  # one for all splits, or one for each
    store: Path
    base_url: str = "https://api.openai.com/v1"
    corrections: Path | None = None
    offline: bool = False  # never ask, even where a key is set
    attempts: int = 3  # times that a record is asked for until its answer can be used
    concurrency: int = 4  # requests in flight
    timeout: float = 120.0  # seconds that one request may take

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
    for key, least in (("attempts", 1), ("concurrency", 1), ("timeout", 0.001)):
        value = entry.get(key, least)
        if isinstance(value, bool) or not isinstance(value, int | float) or value < least:
            raise UserError(f"translation: {key} is {value!r}; it must be a number of at least {least}.")
    targets = entry["targets"]
    if not isinstance(targets, list | tuple):
        raise UserError(f"translation: targets is {targets!r}; it must be a list of language codes.")
    for code in (entry["source"], *targets):
        languages.name(code)
    if entry["source"] in targets:
        raise UserError(f"translation: '{entry['source']}' is both source and target; take it out of targets.")
    paths = {key: Path(entry[key]) for key in ("store", "corrections") if entry.get(key)}
    return Settings(**{**entry, "targets": tuple(targets), "corrections": None, **paths})
