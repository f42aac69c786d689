"""Several files of one split become cases that each have all their languages."""

from collections.abc import Sequence

from crossedit.errors import UserError
from crossedit.facts.oddities import Oddity
from crossedit.facts.reading import Source
from crossedit.facts.records import FIELDS, Case, Cases, Half

# Files whose shared language agrees in fewer prompts than this don't hold the same cases.
SAME_CASES = 0.5


def join(sources: Sequence[Source]) -> tuple[Cases, list[Oddity]]:
    """Return the cases of all sources, and what their files say differently about the same case and language.

    They are matched by case_id where every source has case_ids, else by position, the case_ids then being those of the
    first source that has them. Where two sources hold the same language, the first one's record is kept. Raises
    UserError where lengths don't match or a shared language shows that the cases are others.
    """
    cases = _cases(sources[0])
    oddities: list[Oddity] = []
    by_position = not all(source.numbered for source in sources)
    numbering = next((source for source in sources if source.numbered), sources[0])
    for source in sources if by_position else ():
        if source.records != numbering.records:
            raise UserError(
                f"{source.path}: {source.records} records, but {numbering.path} has {numbering.records}; files without "
                "case_ids are matched by position and must be of one length."
            )
    ids = list(_cases(numbering))
    if by_position:
        cases = dict(zip(ids, cases.values(), strict=True))
    for source in sources[1:]:
        further = _cases(source)
        if by_position:
            further = dict(zip(ids, further.values(), strict=True))
        shared = [
            (cases[i][lang], half) for i, c in further.items() for lang, half in c.items() if lang in cases.get(i, {})
        ]
        _same_cases(shared, sources[0].path, source.path)
        oddities += [oddity for first, second in shared for oddity in _differences(first, second)]
        for case_id, case in further.items():
            for lang, half in case.items():
                cases.setdefault(case_id, {}).setdefault(lang, half)
    for case_id, case in cases.items():
        for half in case.values():
            half.case_id = case_id
    return cases, oddities


def _cases(source: Source) -> Cases:
    cases: dict[int, Case] = {}
    for half in source.halves:
        cases.setdefault(half.case_id, {})[half.lang] = half
    return cases


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
