import json

import pytest

from crossedit.errors import UserError
from crossedit.translation import records, settings

RECORD = {"subject": "France", "prompt": "What is the capital of France?"}
GOOD = {"subject": "法国", "prompt": "法国的首都是哪里？"}
TEXT = json.dumps(GOOD, ensure_ascii=False)


@pytest.mark.parametrize(
    "answer",
    [
        TEXT,
        json.dumps(GOOD, indent=2),
        f"```json\n{TEXT}\n```",
        f"```\n{TEXT}\n```\n",
        f"\n{TEXT}\n",
        json.dumps({"prompt": " 法国的首都是哪里？\n", "subject": "法国"}),
    ],
)
def test_usable_answers(answer):
    translation = records.read_answer(answer, RECORD)
    assert translation == GOOD
    assert list(translation) == list(RECORD)


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


ENTRY = {"source": "en", "targets": ["zh"], "model": "gpt-4", "store": "answers"}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"tagets": ["zh"]}, "no such key 'tagets'; did you mean 'targets'"),
        ({"store": None}, "'store' is missing"),
        ({"targets": []}, "'targets' is missing"),
        ({"targets": "zh"}, "must be a list"),
        ({"targets": ["zz"]}, "'zz' is no language code"),
        ({"source": "english"}, "'english' is no language code"),
        ({"targets": ["en"]}, "both source and target"),
        ({"attempts": 0}, "attempts is 0"),
        ({"concurrency": "four"}, "concurrency is 'four'"),
        ({"timeout": -1}, "timeout is -1"),
    ],
)
def test_wrong_settings(change, sentence):
    with pytest.raises(UserError, match=sentence):
        settings.from_entry({**ENTRY, **change})


def test_a_split_without_a_model():
    made = settings.from_entry({**ENTRY, "model": {"test": "gpt-4"}})
    assert made.model_of("test") == "gpt-4"
    with pytest.raises(UserError, match="none is named for split 'train', only for test"):
        made.model_of("train")
