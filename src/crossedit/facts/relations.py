"""Facts that ask the same thing are found by their wording.

A frame is a question with its subject replaced by a slot: "Who wrote {}?". Two facts are of one relation where a
frame of their prompts or rephrases coincides in some language, or where a chain of such facts leads from one to the
other.
A fact whose subject stands in none of its questions has no frame, and no relation.
"""

import re
from collections import Counter
from collections.abc import Iterator

from scipy.cluster.hierarchy import DisjointSet

from crossedit.facts.records import Case, Cases, Half

SLOT = "{}"


def name_relations(cases: Cases) -> None:
    """Give a relation to every case that has none: the most frequent frame of its group, in English if there is any.

    The name is the same in every language of a case.
    """
    nameless = {i: case for i, case in cases.items() if all(half.relation is None for half in case.values())}
    for group, name in _groups(nameless):
        for case_id in group:
            for half in nameless[case_id].values():
                half.relation = name


def frames(half: Half) -> Iterator[str]:
    """Yield the frames of a record's prompt and rephrase, with single spaces and without the final mark."""
    subject = half.get("subject")
    for field in ("prompt", "rephrase"):
        text = half.get(field)
        if subject and subject in text:
            frame = re.sub(r"\s+", " ", text.replace(subject, SLOT)).rstrip("?？ ")
            if frame != SLOT:
                yield frame


def _groups(cases: Cases) -> Iterator[tuple[list[int], str]]:
    joined: DisjointSet[int] = DisjointSet(cases)
    first: dict[tuple[str, str], int] = {}
    for case_id, case in cases.items():
        for frame in _frames(case):
            joined.merge(case_id, first.setdefault(_folded(frame), case_id))
    for group in joined.subsets():
        ids = sorted(group)
        counts = Counter(frame for case_id in ids for frame in _frames(cases[case_id]))
        if counts:
            lang = "en" if any(lang == "en" for lang, _ in counts) else min(lang for lang, _ in counts)
            yield ids, min((frame for frame in counts if frame[0] == lang), key=lambda f: (-counts[f], f))[1]


def _frames(case: Case) -> list[tuple[str, str]]:
    return [(lang, frame) for lang, half in case.items() for frame in frames(half)]


def _folded(frame: tuple[str, str]) -> tuple[str, str]:
    return frame[0], frame[1].casefold()
