"""Parsers: the answer in what a model generated after a prompt.

Each reads the generation alone, never the prompt. `decided` tells when the rest of a generation doesn't matter, so that
it needn't be generated: the answer is then the same as that of the whole text.
"""

import re
from collections.abc import Sequence

from crossedit.sweeps.tasks.said import Answer, Parser, Said

_WORD = re.compile(r"[^\W_]+")
_NUMBER = re.compile(r"-?(?:\d{1,3}(?:,\d{3}(?!\d))+|\d+)(?:\.\d+)?")
_PART_OF_NUMBER = re.compile(r"(?:,\d{0,2}|\.)?")  # what may still become part of the number before it
_SEPARATORS = re.compile(r"[,;|]")
_NOTHING = {"none", "no", "nothing", "na", "null", "noentity", "noentities"}


def choice(choices: Sequence[str]) -> Parser:
    """Read the one of `choices` that is the first word; single letters count only as they are written."""
    cased = all(len(name) == 1 for name in choices)

    def fold(word: str) -> str:
        return word if cased else word.casefold()

    known = {fold(name): name for name in choices}

    def parse(said: Said) -> Answer:
        word = _WORD.search(said.text)
        name = word and known.get(fold(word[0]))
        return [name] if name else None

    def decided(text: str) -> bool:
        word = _WORD.search(text)
        # Until something follows the word, it may go on.
        return word is not None and (
            word.end() < len(text) or not any(name.startswith(fold(word[0])) for name in known)
        )

    return Parser(parse, decided)


def first_number(_: Sequence[str]) -> Parser:
    """Read the first number in Arabic numerals, without thousands separators and final zeros after the point."""

    def parse(said: Said) -> Answer:
        found = number(said.text)
        return None if found is None else [found]

    def decided(text: str) -> bool:
        found = _NUMBER.search(text)
        return found is not None and not _PART_OF_NUMBER.fullmatch(text, found.end())

    return Parser(parse, decided)


def number(text: str) -> str | None:
    """Return the first number of the text in one spelling: "$1,080.50" is 1080.5."""
    found = _NUMBER.search(text)
    if not found:
        return None
    whole, point, rest = found[0].replace(",", "").partition(".")
    sign = "-" * whole.startswith("-")
    value = (whole.lstrip("-").lstrip("0") or "0") + (point + rest).rstrip("0").rstrip(".")
    return value if value == "0" else sign + value


def line(_: Sequence[str]) -> Parser:
    """Read the whole text, up to where the stop rule cut it."""

    def parse(said: Said) -> Answer:
        text = said.text.strip()
        return [text] if text else None

    return Parser(parse)


def entities(_: Sequence[str]) -> Parser:
    """Read a list of names with commas, semicolons or bars between them; "none" is a list of none."""

    def parse(said: Said) -> Answer:
        if not said.text.strip():
            return None
        names = [re.sub(r"^and\b", "", name.strip()).strip() for name in _SEPARATORS.split(said.text)]
        return [name for name in names if letters(name) and letters(name) not in _NOTHING]

    return Parser(parse)


def letters(name: str) -> str:
    """Return the name without case, spaces and punctuation, as entities are compared."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())


PARSERS = {"choice": choice, "first_number": first_number, "line": line, "entities": entities}
