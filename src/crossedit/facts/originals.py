"""Answers before the edit, for sources that have none: the new answers of other facts of the same relation.

A backbone that is trained on them has something to unlearn, and the answer is one that fits the question.
"""

import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from scipy.cluster.hierarchy import DisjointSet

from crossedit.facts.records import Cases


def derange(cases: Cases, languages: Sequence[str], seed: int) -> dict[str, int]:
    """Fill `original` of every case that lacks it in some language, and return how many were filled from where.

    Within a relation the targets are deranged: each case gets the target of another case, the same one in every
    language, and never one that equals its own in any language. Where one target has more than half of the
    relation, no derangement exists: the cases beyond that take a target of the others too, which then is used more
    than once. Cases whose relation has but one target, or that have no relation, are deranged together with those
    of similar targets (kind and length, then kind, then all). Only where all targets are the same is anything left.
    """
    left = [i for i, case in cases.items() if any(not case[lang].get("original") for lang in languages)]
    counts: dict[str, int] = {}
    for source, key in _pools(cases, languages[0]):
        groups: dict[object, list[int]] = defaultdict(list)
        for case_id in left:
            groups[key(case_id)].append(case_id)
        partners: dict[int, int] = {}
        for name in sorted(groups, key=repr):
            if name is not None:
                partners |= partners_of(_classes(groups[name], cases, languages), random.Random(f"{seed} {name!r}"))
        for case_id, partner in partners.items():
            for lang in languages:
                cases[case_id][lang].values["original"] = cases[partner][lang].get("target")
        left = [case_id for case_id in left if case_id not in partners]
        counts[source] = len(partners)
    return {**counts, "unknown": len(left)}


def partners_of(classes: Iterable[Sequence[int]], rng: random.Random) -> dict[int, int]:
    """Return for each member one of another class; a permutation where no class has more than half of the members.

    The members are laid out class by class, the largest first, and shifted by the size of the largest, which leads
    every one out of its own class. Fewer than two classes give nothing.
    """
    shuffled = [rng.sample(list(members), len(members)) for members in classes]
    rng.shuffle(shuffled)
    shuffled.sort(key=len, reverse=True)
    if len(shuffled) < 2:
        return {}
    others = [member for members in shuffled[1:] for member in members]
    extra, first = shuffled[0][len(others) :], shuffled[0][: len(others)]
    row = first + others
    partners = {member: row[(place + len(first)) % len(row)] for place, member in enumerate(row)}
    return partners | {member: others[place % len(others)] for place, member in enumerate(extra)}


def _pools(cases: Cases, lang: str) -> list[tuple[str, Callable[[int], object]]]:
    return [
        ("relation", lambda i: cases[i][lang].relation),
        ("similar", lambda i: _likeness(cases[i][lang].get("target"))),
        ("kind", lambda i: _likeness(cases[i][lang].get("target"))[0]),
        ("all", lambda i: "all"),
    ]


def _likeness(target: str) -> tuple[str, int]:
    """Return a target's kind (number, date or code, name, word) and its length in powers of two."""
    if not re.search(r"[^\W\d_]", target):
        kind = "number"
    elif re.search(r"\d", target):
        kind = "date"
    else:
        kind = "word" if target[0].islower() else "name"
    return kind, len(target).bit_length()


def _classes(ids: Sequence[int], cases: Cases, languages: Sequence[str]) -> list[list[int]]:
    """Return the ids in classes whose targets are the same in some language, upper and lower case aside."""
    joined: DisjointSet[int] = DisjointSet(ids)
    first: dict[tuple[str, str], int] = {}
    for case_id in ids:
        for lang in languages:
            joined.merge(case_id, first.setdefault((lang, cases[case_id][lang].get("target").casefold()), case_id))
    return [sorted(members) for members in joined.subsets()]
