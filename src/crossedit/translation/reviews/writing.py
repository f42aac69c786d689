"""The files that a person gets: the same rows in four forms, to take whichever they like."""

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
    csv, xlsx, html, tasks, interface = paths = _new(folder, name)
    sheets.write_csv(rows, csv, by)
    sheets.write_xlsx(rows, xlsx, by)
    page.write(rows, html, by)
    label_studio.write_tasks(rows, tasks)
    label_studio.write_interface(rows, interface)
    return paths


def write_each(rows: list[Row], folder: Path, people: Sequence[str] = ()) -> list[Path]:
    """Write the forms of each language, LANG.csv …, or, where people are named, of each of them, LANG.NAME.csv …

    Raises UserError, before anything is written, for a name that no file can have, and where a file exists.
    """
    for person in people:
        if not person.strip() or person.strip(". ") != person or set(person) & set('/\\:*?"<>|\0\n'):
            raise UserError(f"review: '{person}' can't stand in the name of a file; write it in letters and digits.")
    langs, named = dict.fromkeys(row.lang for row in rows), dict.fromkeys(people or [""])
    names = {(lang, person): f"{lang}.{person}" if person else lang for lang in langs for person in named}
    for name in names.values():
        _new(folder, name)
    return [
        path
        for (lang, person), name in names.items()
        for path in write([row for row in rows if row.lang == lang], folder, name, person)
    ]


def _new(folder: Path, name: str) -> list[Path]:
    paths = [folder / f"{name}{suffix}" for suffix in SUFFIXES]
    for path in paths:
        if path.exists():
            raise UserError(
                f"{path}: it exists, and somebody's work may be in it; move it away or name another folder."
            )
    return paths
