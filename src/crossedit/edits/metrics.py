"""Metrics of one answer. Each takes the answer and what it should be, as text, and returns a number from 0 to 1.

F1 counts tokens of the texts: of the backbone's tokenizer, of another one, or characters.
"""

from collections import Counter
from collections.abc import Callable, Sequence

Tokens = Callable[[str], Sequence[object]]


def exact_match(answer: str, target: str) -> float:
    """Return 1 where the two texts are the same, edge spaces aside, else 0 (Bi-ZsRE, section 3.3)."""
    return float(answer.strip() == target.strip())


def exact_match_normalised(answer: str, target: str) -> float:
    """Return 1 where the texts are the same after case folding, dropping punctuation and joining spaces, else 0."""
    return float(_normalised(answer) == _normalised(target))


def f1(answer: Sequence[object], target: Sequence[object]) -> float:
    """Return 2PR / (P + R) over the bags of tokens; 0 where nothing is shared, 1 where both are empty."""
    shared = overlap(answer, target)
    if not answer or not target:
        return float(not answer and not target)
    return 2 * shared / (len(answer) + len(target))


def f1_product(answer: Sequence[object], target: Sequence[object]) -> float:
    """Return P · R, which Bi-ZsRE's first public code calls F1 and its printed tables seem to hold."""
    shared = overlap(answer, target)
    if not answer or not target:
        return float(not answer and not target)
    return shared**2 / (len(answer) * len(target))


def overlap(answer: Sequence[object], target: Sequence[object]) -> int:
    """Return how many tokens the two bags share."""
    return (Counter(answer) & Counter(target)).total()


def characters(text: str) -> list[str]:
    """Return the text's characters without spaces: tokens that need no tokenizer."""
    return [character for character in text if not character.isspace()]


def _normalised(text: str) -> str:
    kept = "".join(character if character.isalnum() else " " for character in text.casefold())
    return " ".join(kept.split())
