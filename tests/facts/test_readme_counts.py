"""The oddities of the real files are found in the numbers that the data's own description counts.

A count is of rows, by kind, language and field.
"""

from pathlib import Path

import polars as pl
import pytest

from crossedit.facts.build import build
from crossedit.facts.checking import check

Count = tuple[str, str, str, int]  # kind, language, field, rows


def untranslated(lang: str, subject: int, target: int) -> list[Count]:
    return [("untranslated", lang, "subject", subject), ("untranslated", lang, "target", target)]


def no_subject(lang: str, prompt: int) -> Count:
    return ("subject_not_in_prompt", lang, "prompt", prompt)


def same_rephrase(lang: str, n: int) -> Count:
    return ("prompt_equals_rephrase", lang, "prompt", n)


def edges(lang: str, n: int) -> Count:
    return ("edge_spaces", lang, "target", n)


ENGLISH_MZSRE: list[Count] = [
    ("prefix_nq_question", "en", "locality_prompt", 743),
    ("invisible_character", "en", "locality_answer", 2),
    ("glued_word", "en", "portability_prompt", 1),
    no_subject("en", 0),
    edges("en", 9),
]
WIKIFACTDIFF: list[Count] = [
    (kind, lang, field, n)
    for lang in ("en", "second")
    for kind, field, n in (
        ("field_empty", "locality_answer", 5),
        ("locality_answer_equals_target", "locality_answer", 31),
    )
]
COUNTERFACT: list[Count] = [
    no_subject("en", 1),
    ("subject_in_other_case", "en", "prompt", 1),
    ("subject_not_in_rephrase", "en", "rephrase", 6),
    ("locality_answer_equals_original", "en", "locality_answer", 1031),
    ("target_equals_portability_answer", "en", "target", 9),
    ("duplicate_prompt_conflicting_target", "en", "target", 2),
    same_rephrase("en", 1),
    ("case_id_gaps", "", "", 1),
]
COUNTS: dict[str, list[Count]] = {
    "mzsre/mzsre_test_duplicate_enzh.json": [
        *ENGLISH_MZSRE,
        ("prefix_nq_question", "zh", "locality_prompt", 0),
        ("question_mark_missing", "zh", "locality_prompt", 743 - 473),
        no_subject("zh", 0),
        ("subject_not_in_rephrase", "zh", "rephrase", 4),
        *untranslated("zh", 381, 71),
        ("untranslated", "zh", "locality_answer", 82),
        ("untranslated", "zh", "portability_answer", 37),
        ("half_width_mark", "zh", "prompt", 7),
        ("digits_differ", "zh", "target", 48),
    ],
    "mzsre/mzsre_test_duplicate_enru.json": [
        *ENGLISH_MZSRE,
        no_subject("ru", 383),
        ("subject_in_other_case", "ru", "prompt", 383 - 356),
        ("subject_not_in_rephrase", "ru", "rephrase", 394),
        same_rephrase("ru", 194),
        *untranslated("ru", 13, 5),
        ("untranslated", "ru", "locality_answer", 28),
    ],
    "mzsre/mzsre_test_duplicate_enth.json": [
        *ENGLISH_MZSRE,
        no_subject("th", 609),
        ("subject_not_in_rephrase", "th", "rephrase", 611),
        same_rephrase("th", 123),
        ("question_mark_missing", "th", "prompt", 309),
        ("untranslated", "th", "target", 39),
        ("untranslated", "th", "locality_answer", 52),
        ("buddhist_year", "th", "target", 74),
    ],
    "bmike53/zsRE/zsre_test.json": [
        no_subject("en", 0),
        same_rephrase("en", 0),
        edges("en", 9),
        ("prefix_nq_question", "en", "locality_prompt", 0),
    ],
    "bmike53/zsRE/zsre_test_zh.json": [
        ("language_missing", "zh", "", 1),
        no_subject("zh", 17),
        *untranslated("zh", 156, 116),
        same_rephrase("zh", 228),
        edges("zh", 4),
        ("invisible_character", "en", "locality_answer", 2),
        ("invisible_character", "zh", "locality_answer", 2),
    ],
    "bmike53/zsRE/zsre_test_de.json": [
        ("language_missing", "de", "", 0),
        no_subject("de", 22),
        *untranslated("de", 595, 523),
        same_rephrase("de", 211),
        edges("de", 5),
    ],
    "bmike53/zsRE/zsre_test_ar.json": [
        no_subject("ar", 16),
        *untranslated("ar", 66, 103),
        same_rephrase("ar", 175),
        edges("ar", 5),
    ],
    "bmike53/zsRE/zsre_test_ru.json": [
        no_subject("ru", 184),
        *untranslated("ru", 106, 154),
        same_rephrase("ru", 221),
        edges("ru", 8),
    ],
    "bmike53/zsRE/zsre_test_ja.json": [
        no_subject("ja", 8),
        *untranslated("ja", 84, 91),
        same_rephrase("ja", 207),
        edges("ja", 3),
    ],
    "bmike53/CounterFact/counterfact_test.json": COUNTERFACT,
    "bmike53/CounterFact/counterfact_test_zh.json": [
        *COUNTERFACT,
        no_subject("zh", 30),
        *untranslated("zh", 193, 45),
        same_rephrase("zh", 74),
    ],
    "bmike53/CounterFact/counterfact_test_de.json": [
        *COUNTERFACT,
        no_subject("de", 78),
        *untranslated("de", 850, 540),
        same_rephrase("de", 56),
    ],
    "bmike53/CounterFact/counterfact_test_ar.json": [
        *COUNTERFACT,
        no_subject("ar", 33),
        *untranslated("ar", 60, 30),
        same_rephrase("ar", 43),
    ],
    "bmike53/WikiFactDiff/wfd_test.json": [
        same_rephrase("en", 34),
        ("repeated_subject", "en", "subject", 3),
        no_subject("en", 2),
    ],
    "bmike53/WikiFactDiff/wfd_test_zh.json": [
        *WIKIFACTDIFF,
        no_subject("second", 29),
        *untranslated("second", 216, 158),
        same_rephrase("second", 194),
        ("locality_prompt_equals_prompt", "second", "locality_prompt", 1),
        ("edge_spaces", "second", "original", 2),
        ("case_id_gaps", "", "", 1),
    ],
    "bmike53/WikiFactDiff/wfd_test_de.json": [
        *WIKIFACTDIFF,
        no_subject("second", 41),
        *untranslated("second", 705, 591),
        same_rephrase("second", 37),
    ],
    "bmike53/WikiFactDiff/wfd_test_ru.json": [
        ("language_missing", "second", "", 1),
        *WIKIFACTDIFF,
        no_subject("second", 97),
        *untranslated("second", 74, 64),
        same_rephrase("second", 44),
    ],
    "bmike53/WikiFactDiff/wfd_test_ja.json": [
        *WIKIFACTDIFF,
        no_subject("second", 30),
        *untranslated("second", 54, 12),
        same_rephrase("second", 39),
    ],
    "counterfact/counterfact-edit.json": [
        ("locality_answer_equals_original", "en", "locality_answer", 300),
        ("case_id_gaps", "", "", 1),
        no_subject("en", 0),
    ],
    "zsre/zsre_mend_train_10000.json": [
        ("prefix_nq_question", "en", "locality_prompt", 10000),
        ("double_spaces", "en", "prompt", 90),
        ("repeated_locality", "en", "locality_prompt", 472),
        ("duplicate_prompt", "en", "prompt", 0),
        ("original_unknown", "", "", 1),
    ],
    "zsre/zsre_mend_train_en_10000.txt": [("required_field_empty", "en", "target", 35)],
    "zsre/zsre_mend_train_zh_10000.txt": [
        ("required_field_empty", "zh", "target", 35),
        ("repeated_record", "zh", "prompt", 24),
        ("duplicate_prompt", "zh", "prompt", 52),
        ("no_own_script", "zh", "target", 1702),
        ("no_own_script", "zh", "prompt", 1),
    ],
    "zsre/zsre_mend_eval_chinese.json": [
        ("required_field_empty", "zh", "target", 10),
        ("target_equals_prediction", "zh", "target", 10),
        ("target_among_answers", "zh", "target", 101),
        ("duplicate_prompt", "zh", "prompt", 252),
        same_rephrase("zh", 722),
        ("subject_not_in_rephrase", "zh", "rephrase", 9),
        ("no_own_script", "zh", "locality_prompt", 201),
        ("no_own_script", "zh", "target", 493 - 10),  # the other 10 are empty
        edges("zh", 16),
        ("edge_spaces", "zh", "pred", 10),
        ("edge_spaces", "zh", "locality_prompt", 3),
        ("cond_inconsistent", "zh", "cond", 517),
        ("cond_separator_missing", "zh", "cond", 431),
        ("several_answers", "zh", "original", 3000 - 2928),
        ("prefix_nq_question", "zh", "locality_prompt", 0),
    ],
}


@pytest.mark.parametrize("name", COUNTS)
def test_counts_of(name: str, editing: Path) -> None:
    checked = check(str(editing / name))
    second = checked.source.languages[-1]
    for kind, lang, field, n in COUNTS[name]:
        lang = second if lang == "second" else lang
        found = checked.oddities.filter(kind=kind, lang=lang, field=field).height
        assert found == n, f"{kind} {lang} {field}"


def test_the_groups_of_equal_prompts(editing: Path) -> None:
    checked = check(str(editing / "zsre/zsre_mend_eval_chinese.json"))
    prompts = {half.case_id: half.get("prompt") for half in checked.source.halves}
    repeated = checked.oddities.filter(kind="duplicate_prompt")["case_id"]
    conflicting = checked.oddities.filter(kind="duplicate_prompt_conflicting_target")["case_id"]
    assert len({prompts[case_id] for case_id in repeated}) == 186
    assert len({prompts[case_id] for case_id in conflicting}) == 146


def test_the_english_halves_of_wikifactdiff_differ_once(editing: Path) -> None:
    files = [str(editing / f"bmike53/WikiFactDiff/wfd_test{end}.json") for end in ("", "_zh", "_de")]
    built = build({"test": files, "subject_missing": "keep"}, ["en", "zh", "de"], seed=0)
    assert built.oddities.filter(kind="halves_differ").select("lang", "field").rows() == [("en", "prompt")]
    assert built.facts.height == 3 * 784


def test_the_english_halves_of_mzsre_agree(editing: Path) -> None:
    files = [str(editing / f"mzsre/mzsre_test_duplicate_en{lang}.json") for lang in ("zh", "ru", "th")]
    built = build({"test": files, "subject_missing": "keep"}, ["en", "zh", "ru", "th"], seed=0)
    assert built.oddities.filter(kind="halves_differ").is_empty()
    assert built.facts.height == 4 * 743


def test_what_stands_in_two_splits(editing: Path) -> None:
    mzsre = str(editing / "mzsre/mzsre_test_duplicate_enzh.json")
    chinese = {"validation": str(editing / "zsre/zsre_mend_eval_chinese.json"), "test": mzsre}
    found = build(chinese, ["zh"], seed=0).oddities
    left_out = found.filter(pl.col("left_out"))["case_id"].to_list()
    held = set(found.filter(kind="validation_test_overlap_prompt", split="validation")["case_id"]) - set(left_out)
    assert len(held) == 289
    english = {"train": str(editing / "zsre/zsre_mend_train_10000.json"), "test": mzsre}
    found = build(english, ["en"], seed=0).oddities
    assert found.filter(kind="train_test_overlap_prompt").is_empty()
    assert found.filter(kind="train_test_overlap_subject", split="test").height == 13


def test_no_real_file_is_said_to_hold_another_language(editing: Path) -> None:
    for path in editing.glob("bmike53/*/*_test*.json"):
        assert check(str(path)).oddities.filter(kind="file_name_language").is_empty()
