"""What can be told of a translation without knowing either language: is it one, and did it keep what it must?"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from crossedit.facts import languages
from crossedit.facts.records import NQ_PREFIX, QUESTIONS
from crossedit.translation.numbers import missing_months, missing_numbers

_ABOUT_SUBJECT = ("rephrase", "same_subject_prompt", "portability_prompt")
_WORD = re.compile(r"[^\W\d_]{4}")


class Finding(NamedTuple):
    """One fault: which check found it, in which field, and what it says in a few words."""

    check: str
    field: str
    message: str


def find(record: Mapping[str, str], translation: Mapping[str, str], source: str, target: str) -> list[Finding]:
    """Return what is wrong with the translation of a record; both languages are ISO 639-1 codes.

    The translation has the record's fields, which are columns of the facts table.
    """
    found: list[Finding] = []
    for field, text in record.items():
        found += _of_text(field, text, translation[field], source, target)
    return found + list(_of_subject(record, translation))


def _of_text(field: str, text: str, translation: str, source: str, target: str) -> Iterator[Finding]:
    if text.removeprefix(NQ_PREFIX) == translation.removeprefix(NQ_PREFIX):
        if field in QUESTIONS or _in_words(text, target):
            yield Finding("untranslated", field, f"'{field}' is still in {languages.name(source)}")
    elif (_foreign(translation, target) and not _foreign(text, target)) or (
        field in QUESTIONS and languages.lacks_script(translation, target)
    ):
        yield Finding("script", field, f"'{field}' is not written in {languages.name(target)} letters")
    for number in missing_numbers(text, translation, source, target):
        yield Finding("numbers", field, f"'{field}' lacks the number {number}")
    for month in missing_months(text, translation, source, target):
        yield Finding("dates", field, f"'{field}' lacks the month {month}")


def _of_subject(record: Mapping[str, str], translation: Mapping[str, str]) -> Iterator[Finding]:
    """Find where the translation's subject isn't in its texts as often as the record's own is in them."""
    before, after = record.get("subject"), translation.get("subject")
    if not before or not after:
        return
    times = translation.get("prompt", "").count(after)
    if record.get("prompt", "").count(before) == 1 != times:
        how = f"stands {times} times in 'prompt', not once" if times else "is not in 'prompt'"
        yield Finding("subject", "prompt", f"the subject '{after}' {how}")
    for field in _ABOUT_SUBJECT:
        if before in record.get(field, "") and after not in translation[field]:
            yield Finding("subject_elsewhere", field, f"the subject '{after}' is not in '{field}'")


def _in_words(text: str, target: str) -> bool:
    """Return whether a text is one of words, not of names or units, and in other letters than the language's."""
    return text.islower() and bool(_WORD.search(text)) and not languages.fits(target, languages.main_script([text]))


def _foreign(text: str, lang: str) -> bool:
    """Return whether another script than the language's has more letters in a text; Latin ones may stand in any."""
    if text.isascii():
        return False
    counts = {script: len(letters.findall(text)) for script, letters in languages.SCRIPTS.items()}
    counts[languages.LATIN] = sum(unicodedata.name(letter, "").startswith("LATIN") for letter in text)
    own = sum(count for script, count in counts.items() if languages.fits(lang, script))
    others = [
        count for script, count in counts.items() if not languages.fits(lang, script) and script != languages.LATIN
    ]
    return max(others, default=0) > own
