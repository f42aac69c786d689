"""Where the words of a text are, in any script."""

import unicodedata

# Scripts that put no space between words: their letters are counted one by one.
_UNSPACED = (
    *("CJK", "IDEOGRAPHIC", "HIRAGANA", "KATAKANA", "HALFWIDTH KATAKANA", "BOPOMOFO"),
    *("THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN"),
)
_ZERO_WIDTH_SPACE = "\u200b"


def spans(text: str) -> list[tuple[int, int]]:
    """Return where each word and each mark of punctuation begins and ends; without spaces each letter is a word.

    A combining mark belongs to the letter before it, and so does what only says how letters join (as in Persian and the
    scripts of India).
    """
    found: list[tuple[int, int]] = []
    inside = False
    for place, character in enumerate(text):
        category = unicodedata.category(character)
        if category[0] == "M" or (category == "Cf" and character != _ZERO_WIDTH_SPACE):
            # What it follows grows by it, if anything does.
            if found and found[-1][1] == place:
                found[-1] = (found[-1][0], place + 1)
        elif category[0] not in "LN":
            inside = False
            if category[0] in "PS":
                found.append((place, place + 1))
        elif unspaced(character):
            inside = False
            found.append((place, place + 1))
        elif inside:
            found[-1] = (found[-1][0], place + 1)
        else:
            inside = True
            found.append((place, place + 1))
    return found


def unspaced(letter: str) -> bool:
    """Return whether the letter is of a script that puts no space between words."""
    return unicodedata.name(letter, "").startswith(_UNSPACED)
