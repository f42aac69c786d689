"""The files that a person gets: the same rows in four forms, to take whichever they like."""

import unicodedata
from collections.abc import Sequence
from pathlib import Path

from crossedit.errors import UserError
from crossedit.translation.reviews import label_studio, page, sheets
from crossedit.translation.reviews.rows import Row

SUFFIXES = (".csv", ".xlsx", ".html", ".label-studio.json", ".label-studio.xml")


def write(rows: list[Row], folder: Path, name: str, by: str = "") -> list[Path]:
    """Write the forms, each whole, and return their paths: NAME with each of the suffixes.

    The rows are of one language; `by` is the person who will judge them, where known. Raises UserError where one of the
    files exists: a person's work may be in it.
    """
    return _write(rows, _new(folder, name), by)


def _write(rows: list[Row], paths: list[Path], by: str) -> list[Path]:
    csv, xlsx, html, tasks, interface = paths
    sheets.write_csv(rows, csv, by)
    sheets.write_xlsx(rows, xlsx, by)
    page.write(rows, html, by)
    label_studio.write_tasks(rows, tasks)
    label_studio.write_interface(rows, interface)
    return paths


def write_each(rows: list[Row], folder: Path, people: Sequence[str] = ()) -> list[Path]:
    """Write the forms of each language, LANG.csv …, or, where people are named, of each of them, LANG.NAME.csv …

    Raises UserError, before anything is written, for a name that no file can have, for two that a disk may take for
    one, and where a file exists.
    """
    spelled: dict[str, str] = {}
    for person in people:
        if not person.strip() or person.strip(". ") != person or set(person) & set('/\\:*?"<>|\0\n'):
            raise UserError(f"review: '{person}' can't stand in the name of a file; write it in letters and digits.")
        if (other := spelled.setdefault(unicodedata.normalize("NFC", person).casefold(), person)) != person:
            raise UserError(
                f"review: '{other}' and '{person}' would share a file on some disks; give one of them another name."
            )
    langs, named = dict.fromkeys(row.lang for row in rows), dict.fromkeys(people or [""])
    places = {
        (lang, person): _new(folder, f"{lang}.{person}" if person else lang) for lang in langs for person in named
    }
    return [
        path
        for (lang, person), paths in places.items()
        for path in _write([row for row in rows if row.lang == lang], paths, person)
    ]


def _new(folder: Path, name: str) -> list[Path]:
    paths = [folder / f"{name}{suffix}" for suffix in SUFFIXES]
    for path in paths:
        if path.exists():
            raise UserError(
                f"{path}: it exists, and somebody's work may be in it; move it away or name another folder."
            )
    return paths
