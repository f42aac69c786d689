"""From an entry of the configuration to the facts table, the oddities and the summary.

built = build(entry, ["en", "zh"], seed=0)
built.facts, built.oddities, built.summary
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from crossedit.errors import UserError, nearest
from crossedit.facts import VERSION
from crossedit.facts.checks import find
from crossedit.facts.drawing import SPLITS, draw, overlaps
from crossedit.facts.joining import join
from crossedit.facts.languages import code
from crossedit.facts.layouts import LINES
from crossedit.facts.oddities import KINDS, Oddity, leaves_out
from crossedit.facts.originals import derange
from crossedit.facts.reading import Source, read
from crossedit.facts.records import FIELDS, PROBES, Case, Cases
from crossedit.facts.relations import name_relations
from crossedit.files import digest
from crossedit.tables import FACTS, ODDITIES

POOL = "pool"  # the split, in the oddities table, of cases that no split has drawn
_CHOICES = {"originals": ("source", "derange"), "subject_missing": ("leave_out", "keep")}


@dataclass(frozen=True)
class Built:
    """What `build` returns: two tables (FACTS, ODDITIES), a summary and the provenance, both fit for JSON."""

    facts: pl.DataFrame
    oddities: pl.DataFrame
    summary: dict[str, Any]
    provenance: dict[str, Any]


def build(entry: dict[str, Any], languages: Sequence[str], seed: int) -> Built:
    """Return the facts of one entry of `facts` in the configuration, in the languages named.

    The entry has `files`, from which all splits are drawn, or some of `train`, `validation` and `test`; further
    `file_languages`, `splits`, `originals` and `subject_missing`, as the comments of config.yaml say. Raises
    UserError for whatever is wrong with the entry or its files.
    """
    languages = _languages(languages)
    choices = {name: _choice(entry, name) for name in _CHOICES}
    lists = _lists(entry)
    sizes = dict(entry.get("splits") or ({"test": "all"} if POOL in lists else {}))
    _known_files(entry, lists)
    splits: dict[str, Cases] = {}
    found: list[tuple[str, Oddity]] = []
    summary: dict[str, Any] = {"languages": languages, "seed": seed, "files": [], "cases": {}, "read": 0, "left_out": 0}
    for name, paths in lists.items():
        sources = [_source(path, entry, languages, seed) for path in paths]
        cases, oddities = _usable(sources, languages, choices["subject_missing"], summary)
        name_relations(cases)
        if choices["originals"] == "derange":
            filled = derange(cases, languages, seed)
            summary["originals"] = {key: summary.get("originals", {}).get(key, 0) + n for key, n in filled.items()}
        wanted = sizes if name == POOL else {name: sizes.get(name, "all")}
        drawn = draw(cases, wanted, seed, ", ".join(paths))
        split_of = {case_id: split for split, ids in drawn.items() for case_id in ids}
        splits |= {split: {case_id: cases[case_id] for case_id in ids} for split, ids in drawn.items()}
        found += [(split_of.get(oddity.case_id, name), oddity) for oddity in oddities]
    found += overlaps(splits, languages)
    facts = _facts(splits, languages)
    if not facts.height:
        raise UserError(f"{', '.join(paths)}: no fact is left; `crossedit facts check` says what is wrong with each.")
    odd = oddities_table(found, choices["subject_missing"])
    summary["cases"] = {split: len(splits[split]) for split in SPLITS if split in splits}
    summary["relations"] = facts["relation"].n_unique()
    summary["oddities"] = count(odd)
    inputs = {path: _digest(Path(path)) for paths in lists.values() for path in paths}
    provenance = {"version": VERSION, "entry": entry, "languages": languages, "seed": seed, "inputs": inputs}
    return Built(facts, odd, summary, provenance)


def count(oddities: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """Return for each kind found its rows, cases, cases left out, meaning and rule, in the order of KINDS."""
    rows = oddities.group_by("kind").agg(
        pl.len().alias("rows"),
        pl.struct("split", "case_id").n_unique().alias("cases"),
        pl.struct("split", "case_id").filter("left_out").n_unique().alias("left_out"),
    )
    numbers = {row["kind"]: row for row in rows.iter_rows(named=True)}
    return {
        kind: {**numbers[kind], "meaning": about.meaning, "rule": about.rule}
        for kind, about in KINDS.items()
        if kind in numbers
    }


def _languages(languages: Sequence[str]) -> list[str]:
    if not languages:
        raise UserError("languages: none is named; name at least one.")
    return list(dict.fromkeys(code(name, "languages") for name in languages))


def _choice(entry: dict[str, Any], name: str) -> str:
    known = _CHOICES[name]
    value = entry.get(name, known[0])
    if value not in known:
        raise UserError(f"facts entry: {name} is '{value}'; {nearest(str(value), known)}")
    return str(value)


def _lists(entry: dict[str, Any]) -> dict[str, list[str]]:
    """Return the paths by split, or under POOL."""
    named = [split for split in SPLITS if entry.get(split)]
    if bool(entry.get("files")) == bool(named):
        raise UserError("facts entry: it needs either `files`, or some of `train`, `validation` and `test`, not both.")
    lists = {POOL: entry["files"]} if not named else {split: entry[split] for split in named}
    return {name: [paths] if isinstance(paths, str) else list(paths) for name, paths in lists.items()}


def _known_files(entry: dict[str, Any], lists: dict[str, list[str]]) -> None:
    paths = [path for several in lists.values() for path in several]
    for path in entry.get("file_languages") or {}:
        if path not in paths:
            raise UserError(f"facts entry: file_languages names '{path}', which isn't read; {nearest(path, paths)}")
    for split in set(entry.get("splits") or {}) - {POOL} if POOL not in lists else ():
        if split not in lists:
            raise UserError(f"facts entry: splits.{split} is given, but no files for `{split}`; name them.")


def _source(path: str, entry: dict[str, Any], languages: Sequence[str], seed: int) -> Source:
    source = read(path, (entry.get("file_languages") or {}).get(path), languages, seed)
    if source.layout == LINES.title:
        raise UserError(f"{path}: holds questions and answers without subjects, which can be checked but not edited.")
    return source


def _usable(
    sources: Sequence[Source], languages: Sequence[str], subject_missing: str, summary: dict[str, Any]
) -> tuple[Cases, list[Oddity]]:
    """Join the sources and leave out what can't be used; what is read is counted in `summary`."""
    held = list(dict.fromkeys(lang for source in sources for lang in source.languages))
    for lang in languages:
        if lang not in held:
            paths = ", ".join(source.path for source in sources)
            raise UserError(
                f"{paths}: no record is in '{lang}' (there are: {', '.join(held)}); add a file that has it."
            )
    cases, oddities = join(sources)
    cases = {case_id: {lang: case[lang] for lang in languages if lang in case} for case_id, case in cases.items()}
    cases = {case_id: case for case_id, case in cases.items() if case}
    oddities = [oddity for oddity in oddities if oddity.lang in ("", *languages)] + find(cases, languages)
    unusable = {oddity.case_id for oddity in oddities if leaves_out(oddity.kind, subject_missing)}
    summary["files"] += [
        {"path": s.path, "layout": s.layout, "records": s.records, "languages": s.languages} for s in sources
    ]
    summary["read"] += len(cases)
    summary["left_out"] += len(unusable)
    return {case_id: case for case_id, case in cases.items() if case_id not in unusable}, oddities


def _facts(splits: dict[str, Cases], languages: Sequence[str]) -> pl.DataFrame:
    rows = [
        {"split": split, "case_id": case_id, "lang": lang, "origin": "source", **_row(case, lang)}
        for split in SPLITS
        for case_id, case in splits.get(split, {}).items()
        for lang in languages
    ]
    return pl.DataFrame(rows, schema=FACTS.columns)


def _row(case: Case, lang: str) -> dict[str, str | None]:
    half = case[lang]
    row: dict[str, str | None] = {name: half.get(name) or None for name in FIELDS}
    for question, answer in PROBES:
        if row[question] is None or row[answer] is None:
            row[question] = row[answer] = None
    return row | {"relation": half.relation}


def oddities_table(found: list[tuple[str, Oddity]], subject_missing: str) -> pl.DataFrame:
    """Return the ODDITIES table of (split, oddity) pairs under the entry's `subject_missing`."""
    rows = [
        {**oddity._asdict(), "split": split, "left_out": leaves_out(oddity.kind, subject_missing)}
        for split, oddity in found
    ]
    # A third file may differ from the first in the same place as the second.
    return pl.DataFrame(rows, schema=ODDITIES.columns).unique(ODDITIES.key, keep="first", maintain_order=True)


def _digest(path: Path) -> str:
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    return digest(*files)
