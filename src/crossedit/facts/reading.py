"""A file becomes records: opened, decoded, parsed, its layout recognised.

source = read("mzsre_test_duplicate_enzh.json", None, ["en", "zh"], seed=0)
source.layout, source.languages, source.halves
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crossedit.errors import UserError, nearest
from crossedit.facts import layouts
from crossedit.facts.languages import CODES, GUESSES, code, fits, main_script
from crossedit.facts.oddities import WHOLE_FILE, Oddity
from crossedit.facts.records import FIELDS, Half


@dataclass
class Source:
    """What one file (or the demo's folder) holds."""

    path: str
    layout: str
    halves: list[Half]
    numbered: bool  # the file has case_ids; else they are positions
    oddities: list[Oddity] = field(default_factory=list)  # what only the reader can see

    @property
    def languages(self) -> list[str]:
        """The languages, in the order of their first record."""
        return list(dict.fromkeys(half.lang for half in self.halves))

    @property
    def records(self) -> int:
        """The number of cases."""
        return len({half.case_id for half in self.halves})


def read(path: str, language: str | None, wanted: Sequence[str], seed: int) -> Source:
    """Return what the file holds.

    `language` is that of a file which doesn't say it. Without it, it is the one of `wanted` that the letters of the
    prompts fit; where none is wanted, the one that most likely has such letters. Raises UserError with one sentence
    for whatever can't be read.
    """
    where = Path(path)
    if where.is_dir():
        return _demo(where, path, seed)
    text = content(where)
    if where.suffix in (".txt", ".tsv"):
        layout, records, numbered, oddities = layouts.question_answer_lines(text, path)
    else:
        if not text.strip():
            raise UserError(f"{path}: the file is empty; it should hold a list of records.")
        layout, records, numbered, oddities = layouts.recognised(_list(text, path), path)
    if not layout.nested:
        prompts = [half.values["prompt"] for half in records]
        language = _language(path, prompts, language, wanted)
        for half in records:
            half.lang = language
        oddities = [oddity._replace(lang=language) if oddity.field else oddity for oddity in oddities]
    source = Source(path, layout.title, records, numbered, oddities)
    source.oddities += _file_oddities(source)
    return source


def content(path: Path) -> str:
    """Return the text of a UTF-8 file. Raises UserError where it is not there or can't be read."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(f"{path}: no such file{_neighbour(path)}") from None
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path}: not UTF-8 (byte {error.start} is {error.object[error.start]:#04x}); save it as UTF-8."
        ) from None
    except OSError as error:
        raise UserError(f"{path}: can't be read: {error.strerror}.") from None


def _list(text: str, path: str) -> Any:
    """Return the JSON value of a data file. Of what is known as another format the UserError says so."""
    first, more, _ = text.strip().partition("\n")
    if more and first.startswith("{") and first.rstrip().endswith("}"):
        raise UserError(f"{path}: looks like JSON Lines; put its records into one JSON list, as docs/facts.md shows.")
    if first[0] not in '[{"' and ("," in first or "\t" in first):
        raise UserError(f"{path}: looks like a table, as in CSV; make it a JSON list of records, see docs/facts.md.")
    return parsed(text, path)


def parsed(text: str, where: str) -> Any:
    """Return the JSON value of the text that stands at `where`. Raises UserError where it is not JSON."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(f"{where}: not JSON: line {error.lineno}, column {error.colno}: {error.msg}.") from None


def _neighbour(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f", nor is there a folder {folder}; name a file that is there."
    beside = [other.name for other in folder.iterdir() if not other.name.startswith(".")]
    return f"; {nearest(path.name, beside, 'name a file that is there.')}"


def _demo(folder: Path, path: str, seed: int) -> Source:
    if not (folder / "relations.yaml").exists():
        raise UserError(f"{path}: a folder without relations.yaml; name a data file, or the demo's folder.")
    from crossedit.facts.demo import read_demo

    halves = [
        Half(
            case_id=row["case_id"],
            lang=row["lang"],
            file=path,
            values={name: row[name] for name in FIELDS if row.get(name) is not None},
            relation=row["relation"],
        )
        for row in read_demo(folder, seed).iter_rows(named=True)
    ]
    return Source(path, "the demo's entities and templates", halves, numbered=True)


def _language(path: str, prompts: list[str], given: str | None, wanted: Sequence[str]) -> str:
    """Return the language of a flat file: the one given, else the one of `wanted` that its letters fit."""
    script = main_script(prompts)
    if given is not None:
        lang = code(given, path)
        if not fits(lang, script):
            raise UserError(f"{path}: its language is to be '{lang}', but most prompts are in {script} letters.")
        return lang
    candidates = (
        [lang for lang in wanted if fits(lang, script)] if wanted else [GUESSES[script]] if script in GUESSES else []
    )
    if len(candidates) != 1:
        raise UserError(
            f"{path}: doesn't say its language, and its {script} letters fit {' and '.join(candidates) or 'none'} of "
            "those wanted; name it (file_languages in the configuration, --language on the command line)."
        )
    return candidates[0]


def _file_oddities(source: Source) -> list[Oddity]:
    found = []

    def note(kind: str, value: str) -> None:
        found.append(Oddity(kind, WHOLE_FILE, "", "", value, source.path))

    ids = list(dict.fromkeys(half.case_id for half in source.halves))
    if ids != list(range(len(ids))):
        note("case_id_gaps", f"{len(ids)} from {min(ids)} to {max(ids)}")
    if not any("original" in half.values for half in source.halves):
        note("original_unknown", "")
    ending = Path(source.path).stem.rpartition("_")[2]
    if len(ending) == 2 and ending in CODES and set(source.languages) - {"en"} != {ending} - {"en"}:
        note("file_name_language", f"{ending}: {', '.join(source.languages)}")
    return found
