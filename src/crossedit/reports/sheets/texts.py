"""Text of models and data as it can stand in a table, the same in every format."""

import re
import unicodedata

_JOINERS = "\u200c\u200d"  # they shape the letters beside them
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")


def plain(text: str) -> str:
    """Return the text in one line, with marks that nobody would see by their numbers, such as `<U+200B>`.

    Control characters end lines and cells or are forbidden in files, and an order of writing (bidi) that isn't closed
    turns around all that follows it. Dropped they would make texts look the same that aren't, as an answer that is
    wrong by nothing but a zero-width space. Joiners stay where a script needs them.
    """
    if not text.isprintable():
        text = "".join(_shown(letter, before) for before, letter in zip(" " + text, text, strict=False))
    return " ".join(text.split())


def _shown(letter: str, before: str) -> str:
    if letter.isspace() or not _unseen(letter) or (letter in _JOINERS and not before.isascii()):
        return letter
    return f"<U+{ord(letter):04X}>"


def _unseen(letter: str) -> bool:
    if "\u0600" <= letter <= "\u08ff":
        return False  # marks of Arabic and Syriac numbers count as controls, and are seen
    return unicodedata.category(letter) in ("Cc", "Cf", "Cs") or ord(letter) & 0xFFFE == 0xFFFE


def width(text: str) -> int:
    """Return how much room the text takes, in Latin letters; Chinese ones take that of two."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def right_to_left(text: str) -> bool:
    """Return whether some of the text is written from right to left."""
    return _RIGHT_TO_LEFT.search(text) is not None
