"""Metrics: what each answer gained of what was possible. A score is the sum of the gained over that of the possible.

With one item counting 1 this is the mean; with entities it is the F1 over all of them.
"""

import re
import string
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from crossedit.sweeps.tasks.parsers import letters, number
from crossedit.sweeps.tasks.said import Answer, Metric, Said

ROUGES = ("rouge1", "rouge2", "rougeL")
_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)
_SENTENCE_ENDS = re.compile(r"(?<=[.!?])\s+")


def per_item(measure: Callable[[str, Sequence[str]], float]) -> Metric:
    """Return the metric that gives each item what `measure` gives its answer, and 0 where there is none."""

    def metric(said: Sequence[Said], answers: Sequence[Answer]) -> list[tuple[float, float]]:
        return [
            (measure(answer[0], one.wanted) if answer else 0.0, 1.0) for one, answer in zip(said, answers, strict=True)
        ]

    return metric


def equal(answer: str, wanted: Sequence[str]) -> float:
    """Return 1 where the answer is one of those wanted, else 0."""
    return float(answer in wanted)


def equal_number(answer: str, wanted: Sequence[str]) -> float:
    """Return 1 where the answer is the same number as one of those wanted, else 0."""
    return float(answer in map(number, wanted))


def exact_match(answer: str, wanted: Sequence[str]) -> float:
    """Return 1 where the answer, whole or up to the end of one of its sentences, is one of those wanted, else 0.

    Compared after `normalised`. A model that wasn't tuned to answer goes on talking after it has answered, hence the
    sentences; where a full stop belongs to a name, a later end or the whole answer still matches.
    """
    ends = [found.start() for found in _SENTENCE_ENDS.finditer(answer)]
    said = {normalised(answer[:end]) for end in (*ends, len(answer))}
    return float(any(normalised(one) in said for one in wanted))


def normalised(text: str) -> str:
    """Return the text in lower case without punctuation, articles and double spaces, as SQuAD's evaluation does."""
    bare = text.lower().translate(_PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", bare).split())


def rouge(answer: str, wanted: Sequence[str]) -> float:
    """Return the mean F1 of ROUGE-1, -2 and -L (rouge-score, no stemming) with the nearest of `wanted`."""
    return max(sum(part.fmeasure for part in _scorer().score(one, answer).values()) / len(ROUGES) for one in wanted)


@cache
def _scorer() -> Any:
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(ROUGES)


def entity_f1(said: Sequence[Said], answers: Sequence[Answer]) -> list[tuple[float, float]]:
    """Return twice the names that are right, of the number of names given and wanted: F1 = 2 TP / (given + wanted).

    Names are compared as sets per item and entity type, without case, spaces and punctuation. seqeval counts spans of
    tagged tokens; names that were generated have no places in the sentence, and tags could not show one that isn't in
    it. Where each name stands once in its sentence the two are the same number. A name joined of two by "and" is taken
    apart unless it is wanted as it stands.
    """
    counts = []
    for one, answer in zip(said, answers, strict=True):
        wanted = {letters(name) for name in one.wanted}
        given = set()
        for name in answer or []:
            whole = letters(name) in wanted
            given |= {letters(part) for part in ([name] if whole else re.split(r"\band\b", name))} - {""}
        counts.append((2.0 * len(given & wanted), float(len(given) + len(wanted))))
    return counts


METRICS: dict[str, Metric] = {
    "accuracy": per_item(equal),
    "r4@1": per_item(equal),  # of four answers the first-ranked one is right
    "solve_rate": per_item(equal_number),
    "exact_match": per_item(exact_match),
    "rouge": per_item(rouge),
    "entity_f1": entity_f1,
}
