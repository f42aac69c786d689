"""The rules by which people's judgements become one text."""

import random

import pytest

from crossedit import tables
from crossedit.errors import UserError
from crossedit.translation import records
from crossedit.translation.reviews.judgements import Judgement
from crossedit.translation.reviews.merge import merge

SUBJECT, PROMPT = "加拿大", "加拿大的首都是哪里？"


def row(case_id=1, split="test", lang="zh", **fields):
    texts = dict.fromkeys(tables.FACTS.columns) | {"subject": SUBJECT, "prompt": PROMPT, "target": "罗马", **fields}
    return texts | {"split": split, "case_id": case_id, "lang": lang, "origin": "translated", "translated_by": "gpt-4"}


def sources(*rows, target="Rome"):
    english = {"subject": "Canada", "prompt": "What is the capital of Canada?", "target": target}
    return {(row["split"], row["case_id"]): {**row, **english, "lang": "en", "origin": "source"} for row in rows}


LINES = iter(range(2, 10_000))


def says(by, text, machine=SUBJECT, field="subject", case_id=1, lang="zh", **more):
    return Judgement(f"{by}.csv: line {next(LINES)}", by, case_id, lang, field, machine, text, **more)


def looked(by, case_id=1, **more):
    return Judgement(f"{by}.csv: line {next(LINES)}", by, case_id, "zh", None, None, None, **more)


def merged(*annotators, expert=(), rows=None):
    rows = rows or [row()]
    return merge(rows, sources(*rows), annotators, expert)


def outcomes(merged):
    return {(line["field"], line["by"]): (line["outcome"], line["stands"]) for line in merged.corrections.to_dicts()}


def test_the_experts_change_stands_over_everybodys():
    found = merged(says("ann", "甲"), says("ben", "甲"), expert=[says("eve", "乙")])
    assert found.rows[0]["subject"] == "乙"
    assert outcomes(found) == {
        ("subject", "ann"): ("expert", False),
        ("subject", "ben"): ("expert", False),
        ("subject", "eve"): ("expert", True),
    }
    assert found.rows[0]["corrected_by"] == ["eve"]


def test_an_expert_who_leaves_a_field_wants_the_machines_text():
    found = merged(says("ann", "甲"), says("ben", "甲"), expert=[looked("eve")])
    assert found.rows[0]["subject"] == SUBJECT
    assert (found.rows[0]["origin"], found.rows[0]["corrected_by"]) == ("translated", None)
    assert outcomes(found)["subject", "eve"] == ("expert", True)
    assert outcomes(found)["subject", "ann"] == ("expert", False)


def test_an_expert_who_changed_one_field_and_did_not_look_at_the_record_says_nothing_of_the_others():
    found = merged(says("ann", "甲"), expert=[says("eve", "乙", PROMPT, "prompt")])
    assert (found.rows[0]["subject"], found.rows[0]["prompt"]) == ("甲", "乙")
    assert outcomes(found)["subject", "ann"] == ("agreed", True)


def test_the_expert_decides_a_conflict_for_one_of_its_sides():
    found = merged(says("ann", "甲"), says("ben", "乙"), expert=[says("eve", "乙")])
    assert found.rows[0]["corrected_by"] == ["ben", "eve"]
    assert outcomes(found)["subject", "ann"] == ("expert", False)


def test_what_all_who_judged_a_field_say_stands():
    found = merged(says("ann", "甲"), says("ben", "甲"))
    assert (found.rows[0]["subject"], found.rows[0]["origin"]) == ("甲", "corrected")
    assert found.rows[0]["corrected_by"] == found.rows[0]["checked_by"] == ["ann", "ben"]
    assert set(outcomes(found).values()) == {("agreed", True)}


def test_who_judged_the_record_and_left_a_field_wants_the_machines_text():
    found = merged(says("ann", "甲"), looked("ann"), looked("ben"))
    assert found.rows[0]["subject"] == SUBJECT
    assert set(outcomes(found).values()) == {("conflict", False)}
    kept = found.corrections.filter(by="ben")
    assert kept["corrected"].to_list() == [SUBJECT]


def test_who_changed_another_field_and_did_not_look_at_the_record_does_not_disagree():
    found = merged(says("ann", "甲"), says("ben", "乙", PROMPT, "prompt"))
    assert (found.rows[0]["subject"], found.rows[0]["prompt"]) == ("甲", "乙")
    assert found.rows[0]["corrected_by"] == ["ann", "ben"]


def test_where_annotators_differ_nobodys_word_stands():
    found = merged(says("ann", "甲"), says("ben", "乙"), says("ann", "丙", PROMPT, "prompt"))
    assert (found.rows[0]["subject"], found.rows[0]["prompt"]) == (SUBJECT, "丙")
    assert outcomes(found)["subject", "ann"] == outcomes(found)["subject", "ben"] == ("conflict", False)
    assert found.rows[0]["corrected_by"] == ["ann"]
    assert found.rows[0]["checked_by"] == ["ann", "ben"]


def test_a_record_found_right_is_checked_and_not_corrected():
    found = merged(looked("ann"), looked("ben"), rows=[row(1), row(2)])
    assert found.rows == [row(1) | {"checked_by": ["ann", "ben"]}, row(2)]
    assert found.corrections.is_empty()


def test_a_field_judged_right_says_the_same_as_a_record_judged_and_left():
    by_field, by_record = (merged(says("ann", "甲"), word) for word in (says("ben", SUBJECT), looked("ben")))
    assert by_field.corrections.equals(by_record.corrections)


def test_a_change_of_mind_back_to_the_machines_text_is_no_correction():
    found = merged(says("ann", SUBJECT))
    assert found.corrections.is_empty()
    assert (found.rows[0]["origin"], found.rows[0]["corrected_by"]) == ("translated", None)


def test_who_changed_what_and_why_is_kept():
    found = merged(says("ann", "甲", note="not the usual name"), looked("ben"), expert=[says("eve", "甲")])
    tables.check(found.corrections, tables.CORRECTIONS, "corrections")
    assert found.corrections.row(0, named=True) == {
        "split": "test",
        "case_id": 1,
        "lang": "zh",
        "field": "subject",
        "by": "ann",
        "role": "annotator",
        "source": "Canada",
        "machine": SUBJECT,
        "corrected": "甲",
        "note": "not the usual name",
        "outcome": "expert",
        "stands": True,
    }
    assert found.corrections["by"].to_list() == ["ann", "ben", "eve"]


def test_one_person_may_be_annotator_and_expert():
    found = merged(says("ann", "甲"), says("ben", "乙"), expert=[says("ann", "甲")])
    tables.check(found.corrections, tables.CORRECTIONS, "corrections")
    assert found.rows[0]["corrected_by"] == ["ann"]


def test_the_order_of_judgements_changes_nothing():
    said = [
        *(
            says("ann", "甲"),
            says("ben", "乙"),
            says("cat", "丙", PROMPT, "prompt"),
            says("ann", "丙", PROMPT, "prompt"),
        ),
        *(says("ben", "丁", case_id=2), says("ben", "戊", "罗马", "target", case_id=2)),
    ]
    expert = [says("eve", "乙"), says("eve", "己", "罗马", "target")]
    rows = [row(1), row(2)]
    first = merged(*said, expert=expert, rows=rows)
    for seed in range(5):
        random.Random(seed).shuffle(said)
        again = merged(*said, expert=expert[::-1], rows=rows)
        assert again.rows == first.rows
        assert again.corrections.equals(first.corrections)


def test_the_rows_given_are_left_as_they_are():
    rows = [row()]
    merged(says("ann", "甲"), rows=rows)
    assert rows == [row()]


def test_a_judgement_of_another_text_is_refused_with_all_others():
    said = [says("ann", "甲"), says("ann", "丙", "别的", "prompt"), says("ben", "丁", "别的", "prompt")]
    with pytest.raises(UserError) as error:
        merged(*said)
    assert str(error.value) == (
        f"{said[1].where}: case 1, prompt (zh): machine is '别的', but the translation reads '{PROMPT}'; "
        "judge it anew, in a further file of the same person, or take it out. "
        f"Likewise {said[2].where}: case 1, prompt (zh): machine is '别的', but the translation reads '{PROMPT}'. "
        "Nothing is merged."
    )


def test_a_judgement_of_a_field_that_the_record_lacks_is_refused():
    with pytest.raises(UserError, match=r"case 1, rephrase .*: the record has no such field"):
        merged(says("ann", "甲", machine="乙", field="rephrase"))
    with pytest.raises(UserError, match="the record has no such field"):
        merged(says("ann", "甲", machine=None, field="rephrase"))


@pytest.mark.parametrize("field", ["subject", None])
def test_a_judgement_of_a_record_whose_source_has_changed_is_refused(field):
    rows, before = [row()], records.fingerprint(sources(row())["test", 1])
    word = says("ann", "甲", record=before) if field else looked("ann", record=before)
    assert merge(rows, sources(*rows), [word], []).rows[0]["checked_by"] == ["ann"]
    with pytest.raises(UserError, match=r"ann\.csv: line \d+: case 1, .*: the source's record has changed since"):
        merge(rows, sources(*rows, target="Milan"), [word], [])
    with pytest.raises(UserError, match="the source's record has changed since"):
        merge(rows, sources(*rows, target="Milan"), [], [word])


def test_of_several_texts_that_one_person_judged_the_present_one_counts():
    said = [says("ann", "甲"), says("ann", "法兰西", "法国")]
    assert merged(*said, rows=[row(subject="法国")]).rows[0]["subject"] == "法兰西"
    assert merged(*said).rows[0]["subject"] == "甲"
    with pytest.raises(UserError, match=f"machine is '{SUBJECT}' and '法国', but the translation reads '别的'"):
        merged(*said, rows=[row(subject="别的")])


def test_of_several_source_records_that_one_person_judged_the_present_one_counts():
    rows, other = [row()], sources(row(), target="Milan")["test", 1]
    record = records.fingerprint(sources(row())["test", 1])
    said = [says("ann", "甲", record=record), says("ann", "乙", record=records.fingerprint(other))]
    assert merge(rows, sources(*rows), said, []).rows[0]["subject"] == "甲"
    assert merge(rows, {("test", 1): other}, said, []).rows[0]["subject"] == "乙"


def test_the_same_word_twice_is_one_and_two_words_are_refused():
    assert merged(says("ann", "甲"), says("ann", "甲", note="why")).corrections["note"].to_list() == ["why"]
    said = [says("ann", "甲"), says("ann", "乙")]
    with pytest.raises(UserError, match=r"case 1, subject: ann says '乙', but '甲' in ann\.csv: line \d+; leave one"):
        merged(*said)


def test_two_experts_who_differ_are_refused():
    with pytest.raises(UserError, match=r"case 1, subject: '甲', but '乙' in .*; only one expert's word can stand"):
        merged(expert=[says("eve", "甲"), says("eva", "乙")])


def test_cases_that_are_not_drawn_are_listed():
    said = [says("ann", "甲"), says("ann", "甲", case_id=7), looked("ann", case_id=7)]
    assert merged(*said).elsewhere == [said[1].where, said[2].where]
    with pytest.raises(UserError, match=r"ann\.csv: line \d+: none of the judged cases is in the facts"):
        merged(*said, rows=[row(5)])
    assert merge([], {}, said, []).elsewhere == [word.where for word in said]


def test_a_further_file_with_the_present_text_settles_what_was_judged_of_an_earlier_one():
    found = merged(says("ann", "甲", "早先的"), says("ann", "乙"))
    assert found.rows[0]["subject"] == "乙"


def test_the_same_text_may_be_made_up_of_other_characters():
    rows = [row(subject="Vie\u0302\u0323t Nam", lang="vi")]
    found = merged(says("ann", "nước Việt", "Vi\u1ec7t Nam", lang="vi"), rows=rows)
    assert found.rows[0]["subject"] == "nước Việt"


def test_another_draw_may_have_put_a_judged_record_into_another_split():
    there = [row(split="train")]
    record = records.fingerprint(sources(*there)["train", 1])
    assert merged(says("ann", "甲", split="test", record=record), rows=there).rows[0]["subject"] == "甲"
    with pytest.raises(UserError, match="none of the judged cases is in the facts"):
        merged(says("ann", "甲", split="test", record="another"), rows=there)


def test_a_split_tells_equal_case_ids_apart():
    rows = [row(1, "train"), row(1, "test")]
    with pytest.raises(UserError, match=r"case 1 is in several splits \(train, test\); name one"):
        merged(says("ann", "甲"), rows=rows)
    found = merged(says("ann", "甲", split="test"), rows=rows)
    assert [row["origin"] for row in found.rows] == ["translated", "corrected"]


def test_a_language_that_nothing_is_translated_into_is_refused():
    with pytest.raises(UserError, match="nothing is translated into 'de'; known are: zh"):
        merged(says("ann", "甲", lang="de"))


def test_a_text_kept_in_the_source_language_can_be_translated_by_hand():
    kept = row(subject="Canada") | {"origin": "untranslated", "translated_by": None}
    found = merged(says("ann", SUBJECT, machine="Canada"), rows=[kept])
    assert (found.rows[0]["subject"], found.rows[0]["origin"]) == (SUBJECT, "corrected")
