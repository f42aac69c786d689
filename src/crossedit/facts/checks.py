"""Oddities are found: within a record, between its languages, between records.

Values are compared as they stand in the file. Whatever leaves a case out is only named here; `build` does it.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence

from crossedit.facts.languages import BUDDHIST_ERA, lacks_script
from crossedit.facts.oddities import Oddity
from crossedit.facts.records import ANSWERS, FIELDS, NQ_PREFIX, QUESTIONS, REQUIRED, Case, Cases, Half

# Control and format characters; the joiners U+200C and U+200D belong to several scripts.
_INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]")
_MARKS = ("?", "？", "؟", "\u037e")
_GLUED = re.compile(r"[A-Z](?:the|what|which|who|when|where)\b")
# A sentence end that isn't an initial or a short abbreviation.
_SENTENCE_END = re.compile(r"(?<=[^\W_]{4})[.!?]\s+|\n+")

Finding = tuple[str, str, str]  # kind, field, value


def find(cases: Cases, languages: Sequence[str]) -> list[Oddity]:
    """Return the oddities of the cases in these languages, in the order of the cases and kinds."""
    found = []
    for case_id, case in cases.items():
        some = next(iter(case.values()))
        for lang in languages:
            if lang not in case:
                found.append(Oddity("language_missing", case_id, lang, "", "", some.file))
                continue
            for kind, field, value in _within(case[lang]):
                found.append(Oddity(kind, case_id, lang, field, value, case[lang].file))
        reference = _reference(case, languages)
        for lang in languages:
            if reference and lang in case and lang != reference.lang:
                for kind, field, value in _between(reference, case[lang]):
                    found.append(Oddity(kind, case_id, lang, field, value, case[lang].file))
    for lang in languages:
        found += _among([case[lang] for case in cases.values() if lang in case])
    return found


def _reference(case: Case, languages: Sequence[str]) -> Half | None:
    return next((case[lang] for lang in ("en", *languages) if lang in case and lang in languages), None)


def _within(half: Half) -> Iterator[Finding]:
    for check in (_spelling, _subject, _questions, _answers, _cond):
        yield from check(half)


def _spelling(half: Half) -> Iterator[Finding]:
    texts = half.values | {name: half.extras[name] for name in ("pred",) if name in half.extras}
    for name, value in texts.items():
        bare = value.strip()
        if not bare:
            if name in FIELDS:
                yield "required_field_empty" if name in REQUIRED else "field_empty", name, value
            continue
        if bare != value:
            yield "edge_spaces", name, value
        if "  " in bare:
            yield "double_spaces", name, value
        if _INVISIBLE.search(bare):
            yield "invisible_character", name, value
        if lacks_script(bare, half.lang):
            yield "no_own_script", name, value


def _subject(half: Half) -> Iterator[Finding]:
    subject = half.get("subject")
    if not subject:
        return
    for field in ("prompt", "rephrase"):
        text = half.get(field)
        if not text:
            continue
        times = text.count(subject)
        if not times:
            yield f"subject_not_in_{field}", field, text
            if subject.lower() in text.lower():
                yield "subject_in_other_case", field, text
        elif times > 1 and field == "prompt":
            yield "subject_twice_in_prompt", field, text
    if half.cloze:
        head = _SENTENCE_END.split(half.get("rephrase"), maxsplit=1)
        if len(head) == 2 and subject not in head[0] and subject in head[1]:
            yield "rephrase_preamble", "rephrase", half.get("rephrase")


def _questions(half: Half) -> Iterator[Finding]:
    for field in QUESTIONS:
        text = half.get(field)
        if not text:
            continue
        if not half.cloze and not text.endswith(_MARKS):
            yield "question_mark_missing", field, text
        if half.lang in ("zh", "ja") and text.endswith("?"):
            yield "half_width_mark", field, text
        if _GLUED.match(text):
            yield "glued_word", field, text
    locality = half.values.get("locality_prompt", "")
    if locality.startswith(NQ_PREFIX):
        yield "prefix_nq_question", "locality_prompt", locality
    yield from _equal(half, "prompt_equals_rephrase", "prompt", "rephrase")
    yield from _equal(half, "locality_prompt_equals_prompt", "locality_prompt", "prompt")


def _answers(half: Half) -> Iterator[Finding]:
    yield from _equal(half, "locality_answer_equals_target", "locality_answer", "target")
    yield from _equal(half, "locality_answer_equals_original", "locality_answer", "original")
    yield from _equal(half, "target_equals_portability_answer", "target", "portability_answer")
    yield from _equal(half, "target_equals_original", "target", "original")
    target, answers = half.values.get("target"), half.extras.get("answers", [])
    if target and target == half.extras.get("pred"):
        yield "target_equals_prediction", "target", target
    if target and target in answers:
        yield "target_among_answers", "target", target
    if len(answers) > 1:
        yield "several_answers", "original", " | ".join(answers)


def _equal(half: Half, kind: str, field: str, other: str) -> Iterator[Finding]:
    value = half.values.get(field)
    if value and value == half.values.get(other):
        yield kind, field, value


def _cond(half: Half) -> Iterator[Finding]:
    cond = half.extras.get("cond")
    if cond is None or "pred" not in half.extras:
        return
    if cond != f"{half.extras['pred']} >> {half.values['target']} || {half.values['prompt']}":
        yield "cond_inconsistent", "cond", cond
    if " >> " not in cond or " || " not in cond:
        yield "cond_separator_missing", "cond", cond


def _between(reference: Half, half: Half) -> Iterator[Finding]:
    for field in FIELDS:
        here, there = half.values.get(field), reference.values.get(field)
        if not here or not there:
            continue
        if here == there:
            yield "untranslated", field, here
        numbers, others = set(re.findall(r"\d+", here)), set(re.findall(r"\d+", there))
        if field in ANSWERS and numbers != others:
            yield "digits_differ", field, f"{here} ({reference.lang}: {there})"
        years = {year for year in others if len(year) == 4}
        if half.lang == "th" and any(str(int(year) + BUDDHIST_ERA) in numbers for year in years):
            yield "buddhist_year", field, f"{here} ({reference.lang}: {there})"


def _among(halves: list[Half]) -> Iterator[Oddity]:
    repeats: dict[str, tuple[str, Callable[[Half], str]]] = {
        "duplicate_prompt": ("prompt", lambda half: half.get("prompt")),
        "repeated_record": ("prompt", lambda half: f"{half.get('prompt')}\t{half.get('target')}"),
        "repeated_locality": ("locality_prompt", lambda half: half.get("locality_prompt")),
        "repeated_subject": ("subject", lambda half: half.get("subject")),
    }
    for kind, (field, value) in repeats.items():
        seen: Counter[str] = Counter()
        for half in halves:
            text = value(half)
            if text.strip() and seen[text]:
                yield Oddity(kind, half.case_id, half.lang, field, text, half.file)
            seen[text] += 1
    groups: dict[str, list[Half]] = defaultdict(list)
    for half in halves:
        groups[half.get("prompt")].append(half)
    for prompt, group in groups.items():
        if prompt and len({half.get("target") for half in group}) > 1:
            for half in group:
                yield Oddity(
                    "duplicate_prompt_conflicting_target",
                    half.case_id,
                    half.lang,
                    "target",
                    half.get("target"),
                    half.file,
                )
