"""Several files of one split become cases that each have all their languages."""

from collections.abc import Sequence

from crossedit.errors import UserError
from crossedit.facts.oddities import WHOLE_FILE, Oddity
from crossedit.facts.reading import Source
from crossedit.facts.records import FIELDS, Cases, Half

# Files whose shared language agrees in fewer prompts than this don't hold the same cases.
SAME_CASES = 0.5


def join(sources: Sequence[Source]) -> tuple[Cases, list[Oddity]]:
    """Return the cases of all sources, and the sources' oddities with what they say differently of the same thing.

    They are matched by case_id where every source has case_ids, else by position, the case_ids then being those of the
    first source that has them. Where two sources hold the same language, the first one's record is kept. Raises
    UserError where lengths don't match or a shared language shows that the cases are others.
    """
    if not all(source.numbered for source in sources):
        _number_alike(sources)
    cases: Cases = {}
    oddities: list[Oddity] = []
    for place, source in enumerate(sources):
        # Each file as a whole is told apart from the others by a negative number of its own.
        oddities += [o._replace(case_id=WHOLE_FILE - place) if o.case_id < 0 else o for o in source.oddities]
        shared = [
            (cases[half.case_id][half.lang], half) for half in source.halves if half.lang in cases.get(half.case_id, {})
        ]
        _same_cases(shared, sources[0].path, source.path)
        oddities += [oddity for first, second in shared for oddity in _differences(first, second)]
        for half in source.halves:
            cases.setdefault(half.case_id, {}).setdefault(half.lang, half)
    return cases, oddities


def _number_alike(sources: Sequence[Source]) -> None:
    """Give every source the case_ids of the first one that has them."""
    numbering = next((source for source in sources if source.numbered), sources[0])
    ids = list(dict.fromkeys(half.case_id for half in numbering.halves))
    for source in sources:
        if source.records != len(ids):
            raise UserError(
                f"{source.path}: {source.records} records, but {numbering.path} has {len(ids)}; files without case_ids "
                "are matched by position and must be of one length."
            )
        renamed = dict(zip(dict.fromkeys(half.case_id for half in source.halves), ids, strict=True))
        for half in source.halves:
            half.case_id = renamed[half.case_id]
        source.oddities = [o._replace(case_id=renamed.get(o.case_id, o.case_id)) for o in source.oddities]


def _same_cases(shared: list[tuple[Half, Half]], first: str, second: str) -> None:
    same = sum(one.get("prompt") == other.get("prompt") for one, other in shared)
    if same < SAME_CASES * len(shared):
        raise UserError(
            f"{second}: not the cases of {first}: of {len(shared)} prompts in the language of both, only {same} are "
            "the same; files of one split are joined, so name these in different facts entries."
        )


def _differences(first: Half, second: Half) -> list[Oddity]:
    return [
        Oddity("halves_differ", first.case_id, first.lang, name, second.values[name], second.file)
        for name in FIELDS
        if name in first.values and name in second.values and first.values[name] != second.values[name]
    ]
