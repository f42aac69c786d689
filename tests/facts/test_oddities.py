"""Every kind of oddity is found where it is, and not where it isn't."""

from typing import Any

import pytest
from written import pair, zsre, zsre_zh

from crossedit.facts.build import build
from crossedit.facts.checking import check
from crossedit.facts.oddities import KINDS


def counterfact(**changes: Any) -> dict[str, Any]:
    record = {
        "subject": "Ann",
        "prompt": "Ann lives in",
        "target_new": "Rome",
        "ground_truth": "Oslo",
        "rephrase_prompt": "The home of Ann is",
        "locality_prompt": "Bob lives in",
        "locality_ground_truth": "Bonn",
    }
    return record | changes


def en_zh(english: dict[str, Any], chinese: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"en": zsre(0, **english), "zh": zsre_zh(0, **chinese)}]


MEND = {"pred": "P", "answers": ["A"], "cond": "P >> Author a || Who wrote Book 0?"}
CASES: dict[str, tuple[list[Any], list[tuple[int, str, str]]]] = {
    # kind: records, then (case_id, lang, field) of every row expected
    "required_field_empty": ([zsre(0, alt=" "), zsre(1)], [(0, "en", "target")]),
    "language_missing": ([pair(0), {"en": zsre(1)}], [(1, "zh", "")]),
    "subject_not_in_prompt": ([zsre(0, src="Who wrote that book?")], [(0, "en", "prompt")]),
    "subject_in_other_case": ([zsre(0, src="Who wrote book 0?")], [(0, "en", "prompt")]),
    "subject_not_in_rephrase": ([zsre(0, rephrase="By whom is it?")], [(0, "en", "rephrase")]),
    "subject_twice_in_prompt": ([zsre(0, src="Who wrote Book 0, Book 0?")], [(0, "en", "prompt")]),
    "repeated_subject": ([zsre(0), zsre(1, subject="Book 0", src="Is Book 0 new?")], [(1, "en", "subject")]),
    "field_empty": ([zsre(0, loc_ans="")], [(0, "en", "locality_answer")]),
    "number_for_text": ([zsre(0, alt=1984)], [(0, "en", "target")]),
    "edge_spaces": (
        [zsre(0, alt=" Author a"), zsre(1, pred="P ")],
        [(0, "en", "target"), (1, "en", "original"), (1, "en", "pred")],
    ),
    "double_spaces": ([zsre(0, src="Who  wrote Book 0?")], [(0, "en", "prompt")]),
    "invisible_character": ([zsre(0, loc_ans="40° \ufeffN")], [(0, "en", "locality_answer")]),
    "no_own_script": (en_zh({}, {"alt": "John"}), [(0, "zh", "target")]),
    "question_mark_missing": ([zsre(0, loc="what is it")], [(0, "en", "locality_prompt")]),
    "half_width_mark": (en_zh({}, {"src": "谁写了书0?"}), [(0, "zh", "prompt")]),
    "prefix_nq_question": ([zsre(0, loc="nq question: what is it?")], [(0, "en", "locality_prompt")]),
    "glued_word": ([zsre(0, rephrase="Ithe author of Book 0?")], [(0, "en", "rephrase")]),
    "rephrase_preamble": (
        [counterfact(rephrase_prompt="One person killed. The home of Ann is")],
        [(0, "en", "rephrase")],
    ),
    "prompt_equals_rephrase": ([zsre(0, rephrase="Who wrote Book 0?")], [(0, "en", "prompt")]),
    "locality_prompt_equals_prompt": ([zsre(0, loc="Who wrote Book 0?")], [(0, "en", "locality_prompt")]),
    "locality_answer_equals_target": ([zsre(0, loc_ans="Author a")], [(0, "en", "locality_answer")]),
    "locality_answer_equals_original": ([counterfact(locality_ground_truth="Oslo")], [(0, "en", "locality_answer")]),
    "target_equals_portability_answer": (
        [zsre(0, portability={"New Question": "Who?", "New Answer": "Author a"})],
        [(0, "en", "target")],
    ),
    "target_equals_original": ([counterfact(ground_truth="Rome")], [(0, "en", "target")]),
    "target_equals_prediction": ([zsre(0, pred="Author a", answers=["A"])], [(0, "en", "target")]),
    "target_among_answers": ([zsre(0, answers=["A", "Author a"])], [(0, "en", "target")]),
    "several_answers": ([zsre(0, answers=["A", "B"]), zsre(1, answers=["A"])], [(0, "en", "original")]),
    "cond_inconsistent": ([zsre(0, **MEND), zsre(1, **MEND)], [(1, "en", "cond")]),
    "cond_separator_missing": ([zsre(0, **MEND | {"cond": "P>> Author a || Who wrote Book 0?"})], [(0, "en", "cond")]),
    "duplicate_prompt": ([zsre(0), zsre(0), zsre(1)], [(1, "en", "prompt")]),
    "duplicate_prompt_conflicting_target": (
        [zsre(0), zsre(0, alt="Z"), zsre(1), zsre(1)],
        [(0, "en", "target"), (1, "en", "target")],
    ),
    "repeated_record": ([zsre(0), zsre(0, alt="Z"), zsre(0)], [(2, "en", "prompt")]),
    "repeated_locality": ([zsre(0), zsre(1, loc="What is the capital of Land 0?")], [(1, "en", "locality_prompt")]),
    "untranslated": (en_zh({}, {"alt": "Author a"}), [(0, "zh", "target")]),
    "digits_differ": (en_zh({"alt": "20th century"}, {"alt": "二十世纪"}), [(0, "zh", "target")]),
    "buddhist_year": ([{"en": zsre(0, alt="2006"), "th": zsre(0, alt="2549")}], [(0, "th", "target")]),
    "case_id_gaps": ([zsre(0, case_id=0), zsre(1, case_id=2)], [(-1, "", "")]),
    "original_unknown": ([zsre(0)], [(-1, "", "")]),
}
# Found between files or splits, each in a test of its own below.
ELSEWHERE = {"halves_differ", "file_name_language"} | {kind for kind in KINDS if "_overlap_" in kind}


def test_every_kind_is_tested() -> None:
    assert set(CASES) | ELSEWHERE == set(KINDS)


@pytest.mark.parametrize("kind", CASES)
def test_the_rows_concerned_are_found_and_no_others(kind: str, put: Any) -> None:
    records, expected = CASES[kind]
    rows = check(put(records)).oddities.filter(kind=kind)
    assert rows.select("case_id", "lang", "field").rows() == expected
    assert rows["left_out"].all() == (KINDS[kind].leaves_out != "never")


def test_a_clean_file_has_nothing_odd_but_its_missing_originals(put: Any) -> None:
    assert set(check(put([pair(i) for i in range(5)])).oddities["kind"]) == {"original_unknown"}


def test_halves_that_differ_between_files(put: Any) -> None:
    first = put([{"en": zsre(i)} for i in range(4)], "first.json")
    second = put(
        [{"en": zsre(i, **({"loc": "Why?"} if i == 2 else {})), "zh": zsre_zh(i)} for i in range(4)], "second.json"
    )
    built = build({"test": [first, second]}, ["en", "zh"], seed=0)
    row = built.oddities.filter(kind="halves_differ").row(0, named=True)
    assert (row["case_id"], row["lang"], row["field"], row["value"]) == (2, "en", "locality_prompt", "Why?")
    assert row["file"] == second
    assert built.facts.filter(case_id=2, lang="en")["locality_prompt"].item() == zsre(2)["loc"]


def test_a_language_in_a_file_name_is_no_proof(put: Any) -> None:
    for name, odd in (("a_en.json", True), ("a_de.json", True), ("a_zh.json", False)):
        found = check(put([pair(i) for i in range(3)], name)).oddities
        assert ("file_name_language" in set(found["kind"])) == odd


def test_overlaps_are_reported_in_both_splits(put: Any) -> None:
    train = put([zsre(0), zsre(1), zsre(2)], "train.json")
    test = put([zsre(8), zsre(2), zsre(9, subject="Book 1", src="Is Book 1 old?")], "test.json")
    found = build({"train": train, "test": test}, ["en"], seed=0).oddities
    rows = found.filter(kind="train_test_overlap_prompt").select("split", "case_id").rows()
    assert sorted(rows) == [("test", 1), ("train", 2)]
    assert set(found.filter(kind="train_test_overlap_subject", split="test")["value"]) == {"Book 1", "Book 2"}
