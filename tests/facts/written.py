"""Small written records in the layouts of real files."""

from typing import Any


def zsre(number: int = 0, **changes: Any) -> dict[str, Any]:
    """One English record of the ZsRE layout, with changes; None takes a key away."""
    record = {
        "subject": f"Book {number}",
        "src": f"Who wrote Book {number}?",
        "rephrase": f"By whom is Book {number}?",
        "alt": f"Author {chr(97 + number % 26)}",
        "loc": f"What is the capital of Land {number}?",
        "loc_ans": f"Town {number}",
    }
    return {key: value for key, value in {**record, **changes}.items() if value is not None}


def zsre_zh(number: int = 0, **changes: Any) -> dict[str, Any]:
    """The same in Chinese."""
    record = {
        "subject": f"书{number}",
        "src": f"谁写了书{number}？",
        "rephrase": f"书{number}是谁的作品？",
        "alt": f"作者{chr(0x7532 + number)}",
        "loc": f"国{number}的首都是哪里？",
        "loc_ans": f"城{number}",
    }
    return {key: value for key, value in {**record, **changes}.items() if value is not None}


def pair(number: int = 0) -> dict[str, Any]:
    """One record of the MzsRE layout."""
    english = {"New Question": f"Where was the author of Book {number} born?", "New Answer": f"Village {number}"}
    chinese = {"New Question": f"书{number}的作者出生在哪里？", "New Answer": f"村{number}"}
    return {"en": zsre(number, portability=english), "zh": zsre_zh(number, portability=chinese)}
