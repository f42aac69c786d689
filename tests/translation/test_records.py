import json
import time

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
        (TEXT[:-3], r"not JSON \(from character \d+ on\)$"),
        (f"Here you are: {TEXT}", "not JSON"),
        (f"[{TEXT}]", "not an object"),
        ('{"subject": "法国"}', "keys missing: prompt; keys unknown: none"),
        (json.dumps({**GOOD, "主语": "法国"}), "keys unknown: 主语"),
        (json.dumps({**GOOD, "subject": " "}), "'subject' is empty"),
        (json.dumps({**GOOD, "subject": 5}), "'subject' is 5, not a text"),
        (json.dumps({**GOOD, "subject": None}), "'subject' is null, not a text"),
        (json.dumps({**GOOD, "subject": [1]}), "'subject' is a list, not a text"),
        (TEXT.replace("法国", "\\ud83d", 1), "'subject' holds half a character"),
        (TEXT.replace("{", '{"subject": "德国", '), "'subject' is there twice"),
        ('{"subject": ' + "1" * 5000, r"not JSON \(a number or its brackets"),
        ("[" * 100_000, r"not JSON \(a number or its brackets"),
    ],
)
def test_answers_that_cannot_be_used(answer, reason):
    with pytest.raises(records.Unusable, match=reason):
        records.read_answer(answer, RECORD)


@pytest.mark.parametrize(
    "answer",
    [
        "```json\n" + "\n" * 200_000,
        "```\n" + "\n ```" * 50_000 + "x",
        "{" + ",".join(f'"{n}": 1' for n in range(50_000)) + "}",
    ],
    ids=["newlines", "fences", "keys"],
)
def test_answers_that_run_away_are_read_at_once(answer):
    begun = time.process_time()
    with pytest.raises(records.Unusable) as reason:
        records.read_answer(answer, RECORD, fenced=True)
    assert time.process_time() - begun < 10
    assert len(str(reason.value)) <= 1001


def test_a_reason_can_be_sent_whatever_it_quotes():
    with pytest.raises(records.Unusable, match=r"keys unknown: [?]") as reason:
        records.read_answer(json.dumps({**GOOD, "\ud83d": "x"}), RECORD)
    assert str(reason.value).encode()
    assert reason.value.kinds == ("keys unknown",)


def test_an_empty_field_may_stay_empty():
    assert records.read_answer('{"subject": ""}', {"subject": ""}) == {"subject": ""}


def test_the_record_has_no_empty_fields():
    row = {**dict.fromkeys(records.FIELDS), **RECORD, "lang": "en", "case_id": 1}
    assert records.of_row(row) == RECORD


def test_a_fingerprint_is_of_the_records_texts():
    row = {**dict.fromkeys(records.FIELDS), **RECORD, "lang": "en", "case_id": 1}
    assert records.fingerprint(row) == records.fingerprint({**row, "case_id": 2})
    assert records.fingerprint(row) != records.fingerprint({**row, "prompt": "Which capital has France?"})


def test_asked_again_the_talk_goes_on():
    first = records.request(RECORD, "en", "zh", "gpt-4")
    second = records.again(first, "Sorry.", "not JSON", "zh")
    assert second["messages"][:2] == [*first["messages"], {"role": "assistant", "content": "Sorry."}]
    assert "This can't be used: not JSON.\n" in second["messages"][2]["content"]
    assert "translated to Chinese" in second["messages"][2]["content"]
    assert {name: second[name] for name in ("model", "temperature")} == {"model": "gpt-4", "temperature": 0}


@pytest.mark.parametrize("answer", ["", "x" * 5000])
def test_what_was_not_said_and_what_ran_away_is_no_part_of_the_talk(answer):
    first = records.request(RECORD, "en", "zh", "gpt-4")
    second = records.again(first, answer, "no text", "zh")
    assert second["messages"][0] == first["messages"][0]
    assert [message["role"] for message in second["messages"]] == ["user", "user"]


@pytest.fixture
def prompt_file(tmp_path):
    def make(text, **how):
        path = tmp_path / "prompt.txt"
        path.write_text(text, encoding="utf-8", **how)
        return settings.from_entry({"source": "en", "targets": ["zh"], "model": "m", "store": "s", "prompt": path})

    return make


def test_a_prompt_file_may_hold_braces_and_so_may_records(prompt_file):
    prompt = records.prompt_of(prompt_file('{source}→{target}, as {"key": "…"}:\n{record}'))
    request = records.request({"subject": "{source} {0}"}, "en", "zh", "gpt-4", prompt)
    assert request["messages"][0]["content"] == 'English→Chinese, as {"key": "…"}:\n{"subject": "{source} {0}"}'


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{source} {record}", r"prompt.txt: \{target\} stands in it 0 times"),
        ("{source} {target} {record} {record}", r"prompt.txt: \{record\} stands in it 2 times"),
    ],
)
def test_prompt_files_that_lack_something(prompt_file, text, sentence):
    with pytest.raises(UserError, match=sentence):
        records.prompt_of(prompt_file(text))


def test_prompt_files_that_cannot_be_read(prompt_file):
    made = prompt_file("")
    made.prompt.write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match="can't be read as the prompt"):
        records.prompt_of(made)
    made.prompt.unlink()
    with pytest.raises(UserError, match="can't be read as the prompt"):
        records.prompt_of(made)
