"""What can be told of a translation without knowing either language: is it one, and did it keep what it must?"""

from collections.abc import Mapping
from typing import NamedTuple

CHECKS = {
    "untranslated": "a question is the same in both languages",
    "script": "a text has no letter of the language's script",
    "subject": "the subject doesn't occur exactly once in the question",
    "subject_elsewhere": "the subject of the rephrase or the portability question isn't in its translation",
    "numbers": "a number of the source is not in the translation",
    "dates": "a month of the source is not in the translation",
}


class Finding(NamedTuple):
    """One fault: which check found it, in which field, and what it says in a few words."""

    check: str
    field: str
    message: str


def find(record: Mapping[str, str], translation: Mapping[str, str], source: str, target: str) -> list[Finding]:
    """Return what is wrong with the translation of a record; both languages are ISO 639-1 codes."""
    return []
