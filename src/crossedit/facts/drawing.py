"""Which cases a split gets: a seeded draw, spread evenly over the relations."""

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence

from crossedit.errors import UserError, nearest
from crossedit.facts.oddities import Oddity
from crossedit.facts.records import Cases

SPLITS = ("train", "validation", "test")
# The test split is drawn first, so that it stays the same where the other sizes change.
_ORDER = ("test", "validation", "train")


def draw(cases: Cases, sizes: Mapping[str, int | str], seed: int, where: str) -> dict[str, list[int]]:
    """Return disjoint lists of case_ids, in the order of `cases`, by split; `all` takes what the others leave.

    A split takes from each relation its share of what the splits before it (test, validation, train) have left, to
    within one case. Raises UserError where a size is no size, or where
    more is asked for than there is.
    """
    for split, size in sizes.items():
        if split not in SPLITS:
            raise UserError(f"{where}: splits: no split is called '{split}'; {nearest(split, SPLITS)}")
        if size != "all" and (isinstance(size, bool) or not isinstance(size, int) or size < 0):
            raise UserError(f"{where}: splits.{split} is {size!r}; it must be a number of cases, or all.")
    if list(sizes.values()).count("all") > 1:
        raise UserError(f"{where}: splits: only one split can be `all`, since it takes what the others leave.")
    numbers = {split: size for split, size in sizes.items() if isinstance(size, int)}
    asked = sum(numbers.values())
    if asked > len(cases):
        raise UserError(
            f"{where}: splits: {asked} cases are asked for, but only {len(cases)} can be used; ask for fewer."
        )
    rng = random.Random(seed)
    row = _by_relation(cases, rng)
    drawn: dict[str, list[int]] = {}
    for split in sorted(sizes, key=_ORDER.index):
        chosen = _evenly(row, numbers.get(split, len(cases) - asked), rng)
        row = [case_id for case_id in row if case_id not in chosen]
        drawn[split] = [case_id for case_id in cases if case_id in chosen]
    return drawn


def _by_relation(cases: Cases, rng: random.Random) -> list[int]:
    """Return the case_ids, shuffled, but those of one relation side by side."""
    relations: dict[str | None, list[int]] = defaultdict(list)
    for case_id in rng.sample(list(cases), len(cases)):
        relations[next(iter(cases[case_id].values())).relation].append(case_id)
    return [case_id for members in relations.values() for case_id in members]


def _evenly(row: list[int], count: int, rng: random.Random) -> set[int]:
    """Return a systematic sample: `count` members at equal distances, from a random start."""
    start = rng.random()
    return {row[int((place + start) * len(row) / count)] for place in range(count)}


def overlaps(splits: Mapping[str, Cases], languages: Sequence[str]) -> list[tuple[str, Oddity]]:
    """Return (split, oddity) for each record whose prompt or subject stands in another split too, in both splits."""
    found = []
    pairs = [("train", "validation"), ("train", "test"), ("validation", "test")]
    for first, second in pairs:
        for field in ("prompt", "subject"):
            for lang in languages:
                held = {
                    split: {case[lang].get(field) for case in splits.get(split, {}).values()}
                    for split in (first, second)
                }
                both = held[first] & held[second]
                for split in (first, second):
                    for case_id, case in splits.get(split, {}).items():
                        half = case[lang]
                        if half.get(field) in both:
                            kind = f"{first}_{second}_overlap_{field}"
                            found.append((split, Oddity(kind, case_id, lang, field, half.get(field), half.file)))
    return found
