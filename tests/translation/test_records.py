import json

import pytest

from crossedit.translation import records

RECORD = {"subject": "France", "prompt": "What is the capital of France?"}
GOOD = {"subject": "法国", "prompt": "法国的首都是哪里？"}
TEXT = json.dumps(GOOD, ensure_ascii=False)


@pytest.mark.parametrize(
    "answer",
    [
        TEXT,
        json.dumps(GOOD, indent=2),
        f"\n{TEXT}\n",
        json.dumps({"prompt": " 法国的首都是哪里？\n", "subject": "法国"}),
    ],
)
def test_usable_answers(answer):
    translation = records.read_answer(answer, RECORD)
    assert translation == GOOD
    assert list(translation) == list(RECORD)


@pytest.mark.parametrize("fence", ["```json", "```JSON ", "```"])
def test_an_object_in_a_fence_is_read_only_where_that_is_wished(fence):
    answer = f"\n{fence}\n{TEXT}\n```\n"
    assert records.read_answer(answer, RECORD, fenced=True) == GOOD
    with pytest.raises(records.Unusable, match="stands in a fence"):
        records.read_answer(answer, RECORD)
    with pytest.raises(records.Unusable, match="not JSON"):
        records.read_answer(f"Here you are:{answer}", RECORD, fenced=True)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (None, "no text"),
        ("", "no text"),
        (TEXT[:-3], "not JSON"),
        (f"Here you are: {TEXT}", "not JSON"),
        (f"[{TEXT}]", "not an object"),
        ('{"subject": "法国"}', "keys missing: prompt; keys unknown: none"),
        (json.dumps({**GOOD, "主语": "法国"}), "keys unknown: 主语"),
        (json.dumps({**GOOD, "subject": " "}), "'subject' is empty"),
        (json.dumps({**GOOD, "subject": 5}), "'subject' is 5, not a text"),
        (json.dumps({**GOOD, "subject": None}), "'subject' is null, not a text"),
        (TEXT.replace("法国", "\\ud83d", 1), "'subject' holds half a character"),
        (TEXT.replace("{", '{"subject": "德国", '), "'subject' is there twice"),
    ],
)
def test_answers_that_cannot_be_used(answer, reason):
    with pytest.raises(records.Unusable, match=reason):
        records.read_answer(answer, RECORD)


def test_an_empty_field_may_stay_empty():
    assert records.read_answer('{"subject": ""}', {"subject": ""}) == {"subject": ""}


def test_the_record_has_no_empty_fields():
    row = {**dict.fromkeys(records.FIELDS), **RECORD, "lang": "en", "case_id": 1}
    assert records.of_row(row) == RECORD
