"""What a model said to a prompt, and the forms of a parser and a metric."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Said:
    """A generation and what it answers.

    text is cut at the first stop string, whole is not; closed: whether the model ended it by itself, with an end token.
    """

    prompt: str
    text: str
    whole: str
    closed: bool
    part: str  # what the item was asked for, where it is asked several times
    wanted: Sequence[str]


Answer = list[str] | None  # None where the text holds no answer
Metric = Callable[
    [Sequence[Said], Sequence[Answer]], list[tuple[float, float]]
]  # what each gained of what was possible


def up_to_stop(text: str, stops: Sequence[str]) -> str:
    """Return the text up to the first stop string; line breaks and spaces before the first word stop nothing."""
    start = len(text) - len(text.lstrip())
    places = [place for stop in stops if (place := text.find(stop, start)) >= 0]
    return text[: min(places)] if places else text


def never(_: str) -> bool:
    """No text is complete before the generation ends."""
    return False


@dataclass(frozen=True)
class Parser:
    """parse: the answer in a generation. decided(text): whether more text can't change the answer any more."""

    parse: Callable[[Said], Answer]
    decided: Callable[[str], bool] = never
