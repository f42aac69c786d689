"""The numbers that the papers print (`resources/published/`), and which of ours they are beside.

    rows("bizsre_tables_2_4")                 a dict of texts per line of the file, as printed
    ours = counterparts(config)
    ours.find("bizsre", "llama", "ROME", "en")     ("Chinese-LLaMA-2-7B", "ROME"), or None where no paper has that
    compared(config)                          the facts of which a table beside the published numbers is made

Nothing here needs polars, as the rules ask it too.
"""

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from crossedit.config import cells, train_size
from crossedit.errors import UserError, nearest
from crossedit.files import listed
from crossedit.reports.naming import union

FOLDER = Path("resources/published")
SOURCES = {
    "Bi-ZsRE": "Wang et al., Cross-Lingual Knowledge Editing in Large Language Models",
    "KnowEdit": "Zhang et al., A Comprehensive Study of Knowledge Editing for Large Language Models",
}
FACTS = "bizsre"  # what the facts of Bi-ZsRE are called unless the configuration says otherwise
_LENGTHS, _CAPABILITY, _EDITS = "bizsre_table_1", "bizsre_table_3", "bizsre_tables_2_4"
# Its FT asks every token of the distribution after the prompt, which is called FT-L since.
_METHODS = {"ftl": "FT"}


@cache
def rows(name: str) -> tuple[dict[str, str], ...]:
    """Return the lines of `resources/published/<name>.csv`. Raises UserError where there is no such file."""
    path = FOLDER / f"{name}.csv"
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return tuple(csv.DictReader(file))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; run crossedit in its own folder, which has it.") from None


@dataclass(frozen=True)
class Counterparts:
    """Which facts are Bi-ZsRE's, and what it calls our backbones and editors; those that it hasn't are missing."""

    facts: tuple[str, ...]
    backbones: Mapping[str, str]
    editors: Mapping[str, str]

    def find(self, facts: str, backbone: str, editor: str, edit_lang: str) -> tuple[str, str] | None:
        """Return the paper's backbone and method; None where it has no numbers of such edits."""
        pair = (self.backbones.get(backbone, ""), self.editors.get(editor, ""))
        return pair if facts in self.facts and (*pair, edit_lang) in _edited() else None


def counterparts(
    entry: Mapping[str, Any], facts: Iterable[str] = (), backbones: Iterable[str] = (), editors: Iterable[str] = ()
) -> Counterparts:
    """Return the counterparts of the names in a configuration, of which every key may be missing, and of further ones.

    Names are equal but for case and punctuation. An editor goes by its `method`, and where it isn't called so it must
    have that method's own hyperparameters, all training facts and no `rect`. What `reports.published` says stands
    before that. Raises UserError for a name there that the configuration or the paper doesn't have.
    """
    settings = _settings(entry)
    own = union(entry.get("facts", ()), facts)
    told = listed(settings.get("facts") or [])
    for name in told:
        _check("reports.published.facts", name, own)
    described: Mapping[str, Mapping[str, Any]] = entry.get("editors", {})
    methods = {name: _method(name, described.get(name, {})) for name in union(described, editors)}
    return Counterparts(
        facts=tuple(told) or tuple(name for name in own if alike(name, FACTS)),
        backbones=backbones_of(entry, backbones),
        editors=_named("editors", methods, "method", settings),
    )


def backbones_of(entry: Mapping[str, Any], names: Iterable[str] = ()) -> dict[str, str]:
    """Return what the paper calls the backbones of a configuration, and further ones; those that it hasn't are missing.

    Raises UserError for a name in `reports.published.backbones` that the configuration or the paper doesn't have.
    """
    theirs = _theirs("backbone")
    alike = {name: theirs.get(_folded(name)) for name in union(entry.get("backbones", ()), names)}
    return _named("backbones", alike, "backbone", _settings(entry))


def compared(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the facts of a configuration that have a cell which the paper has too, asked as the paper did."""
    ours = counterparts(config)  # first, since a wrong name in `reports.published` is to be told before any job runs
    if "upstream" not in config["protocols"]:
        return ()
    found = {cell.facts for cell in cells(config) if ours.find(*cell)}
    return tuple(name for name in config["facts"] if name in found)


def alike(name: str, other: str) -> bool:
    """Return whether the names are equal but for case and punctuation."""
    return _folded(name) == _folded(other)


@cache
def edits() -> dict[tuple[str, ...], tuple[str, str]]:
    """Return F1 and EM of Tables 2 and 4 by backbone, method, editing language, aspect and evaluation language."""
    key = ("backbone", "method", "edit_language", "aspect", "evaluation_language")
    return {tuple(row[column] for column in key): (row["f1"], row["em"]) for row in rows(_EDITS)}


def lengths(split: str, lang: str) -> dict[str, str] | None:
    """Return Bi-ZsRE's line of Table 1 for that split, as it calls it; None where it has none."""
    found = (row for row in rows(_LENGTHS) if (row["split"], row["language"]) == (split, lang))
    return next(found, None)


def capability() -> tuple[dict[str, str], ...]:
    """Return the lines of Bi-ZsRE's Table 3: `model`, `ceval` and `mmlu`."""
    return rows(_CAPABILITY)


@cache
def languages() -> tuple[str, ...]:
    """Return the paper's evaluation languages."""
    return tuple(dict.fromkeys(row["evaluation_language"] for row in rows(_EDITS)))


@cache
def _edited() -> frozenset[tuple[str, ...]]:
    return frozenset(key[:3] for key in edits())


def _settings(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = entry.get("reports", {}).get("published", {})
    return found


def _theirs(column: str) -> dict[str, str]:
    """Return the paper's names by themselves without case and punctuation."""
    return {_folded(row[column]): row[column] for row in rows(_EDITS)}


def _method(name: str, entry: Mapping[str, Any]) -> str | None:
    """Return what the paper calls an editor; None where it hasn't that."""
    method = _folded(entry.get("method", name))
    theirs = _theirs("method") | _METHODS
    if method not in theirs or "rect" in entry or train_size(entry) is not None:
        return None
    called_so = theirs.get(_folded(name)) == theirs[method]
    return theirs[method] if called_so or not entry.get("hparams") else None


def _named(part: str, alike: Mapping[str, str | None], column: str, settings: Mapping[str, Any]) -> dict[str, str]:
    """Return the paper's names by ours: what the settings say, else those alike."""
    theirs = _theirs(column)
    found = {mine: other for mine, other in alike.items() if other}
    for mine, other in (settings.get(part) or {}).items():
        _check(f"reports.published.{part}", mine, alike)
        if _folded(other) not in theirs:
            hint = nearest(other, theirs.values())
            raise UserError(f"reports.published.{part}.{mine}: the paper has no '{other}'; {hint}")
        found[mine] = theirs[_folded(other)]
    return found


def _check(where: str, name: str, known: Iterable[str]) -> None:
    """Raise UserError where the name is not among those of the configuration."""
    if name not in known:
        raise UserError(f"{where}: '{name}' is unknown; {nearest(name, known)}")


def _folded(name: str) -> str:
    """Return the name without case and punctuation."""
    return re.sub(r"[\W_]+", "", name).casefold()
