"""Files become records whose fields are checked one by one, so that a mistake names file, line, field and value.

for record in json_lines(path):
    record.text("question"), record.texts("answer"), record.one_of("label", {"entailment": "true", …})
"""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossedit.errors import UserError, nearest
from crossedit.facts.reading import content, parsed

_KINDS = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}


@dataclass(frozen=True)
class Record:
    """The fields of one record, and where it stands."""

    where: str
    values: Mapping[str, Any]

    def get(self, name: str) -> Any:
        """Return a field as it is. Raises UserError where there is none."""
        if name not in self.values:
            raise UserError(f"{self.where}: lacks `{name}`; {nearest(name, map(str, self.values))}")
        return self.values[name]

    def text(self, name: str) -> str:
        """Return a field's text without edge spaces, its line breaks as LF. Raises UserError for anything but text."""
        text = self._text(self.get(name), f"`{name}`")
        if not text:
            raise UserError(f"{self.where}: `{name}` is empty; it must be text.")
        return text

    def texts(self, name: str) -> list[str]:
        """Return a field that is a list of texts, at least one. Raises UserError for anything else."""
        value = self.get(name)
        if not isinstance(value, list) or not value:
            raise UserError(f"{self.where}: `{name}` is {_shown(value)}; it must be a list of at least one text.")
        texts = [self._text(one, f"`{name}` number {number}") for number, one in enumerate(value, start=1)]
        if not all(texts):
            raise UserError(f"{self.where}: `{name}` number {texts.index('') + 1} is empty; it must be text.")
        return texts

    def one_of(self, name: str, meanings: Mapping[Any, str]) -> str:
        """Return what a field's value means. Raises UserError where it is none of those known."""
        value = self.get(name)
        # True would pass for 1.
        known = [key for key in meanings if type(key) is type(value) and key == value]
        if not known:
            choices = " or ".join(json.dumps(key) for key in meanings)
            raise UserError(f"{self.where}: `{name}` is {_shown(value)}; it must be {choices}.")
        return meanings[known[0]]

    def _text(self, value: Any, name: str) -> str:
        if not isinstance(value, str):
            raise UserError(f"{self.where}: {name} is {_shown(value)}; it must be text.")
        return value.replace("\r\n", "\n").strip()


def _shown(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return f"{_KINDS.get(type(value), type(value).__name__)} ({str(value)[:40]})"
    return repr(value)[:60]


def lines(path: Path, blank: bool = False) -> Iterator[tuple[str, str]]:
    """Yield ("file:line", line) of a text file, its blank lines only if `blank`.

    Raises UserError where the file can't be read.
    """
    for number, line in enumerate(_content(path).split("\n"), start=1):
        if blank or line.strip():
            yield f"{path}:{number}", line.removesuffix("\r")


def json_records(path: Path) -> Iterator[Record]:
    """Yield the records of a file that holds one JSON object per line, or one JSON list of them."""
    text = _content(path)
    if not text.lstrip().startswith("["):
        for where, line in lines(path):
            yield _record(where, parsed(line, where))
        return
    for number, value in enumerate(parsed(text, str(path))):
        yield _record(f"{path}, record {number}", value)


def literal_record(path: Path) -> Record:
    """Return the record of a file that holds one JSON object, or one Python dictionary of literals."""
    text = _content(path)
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        value = _literal(text, path)
    return _record(str(path), value)


def _literal(text: str, path: Path) -> Any:
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        raise UserError(
            f"{path}: neither a JSON object nor a Python dictionary of texts and lists ({str(error).splitlines()[0]})."
        ) from None


def tab_records(path: Path, names: Mapping[str, str]) -> Iterator[Record]:
    """Yield the records of a file with tabs between its columns and their names in its first line.

    names: a field by the column's name in that line. Quotation marks are letters like any other: a reader that pairs
    them swallows lines.
    """
    rows = lines(path)
    where, first = next(rows, (str(path), ""))
    header = first.split("\t")
    for name in names:
        if name not in header:
            raise UserError(f"{where}: its columns are {header}, without '{name}'; {nearest(name, header)}")
    for where, line in rows:
        values = line.split("\t")
        if len(values) != len(header):
            raise UserError(
                f"{where}: {len(values)} columns, but the first line names {len(header)} ({', '.join(header)}); "
                "put one tab between two columns."
            )
        row = dict(zip(header, values, strict=True))
        yield Record(where, {field: row[name] for name, field in names.items()})


def numbered(folder: Path, pattern: str) -> list[Path]:
    """Return the folder's files of a pattern in the order of the numbers in their names. Raises UserError for none."""
    found = sorted(folder.glob(pattern), key=lambda path: [int(digits) for digits in re.findall(r"\d+", path.name)])
    if not found:
        raise UserError(f"{folder}: a folder without a file {pattern}; name the folder that has them.")
    return found


def _record(where: str, value: Any) -> Record:
    if not isinstance(value, dict):
        raise UserError(f"{where}: is {_shown(value)}; it must be an object with named fields.")
    return Record(where, value)


def _content(path: Path) -> str:
    text = content(path)
    if not text.strip():
        raise UserError(f"{path}: the file is empty; it should hold a task's items.")
    return text
