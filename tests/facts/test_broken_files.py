"""A broken file, or a wrong entry, gets one clear sentence that names the file and the trouble."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from written import pair, zsre, zsre_zh

from crossedit.errors import UserError
from crossedit.facts import layouts
from crossedit.facts.build import build
from crossedit.facts.checking import check
from crossedit.facts.cli import commands

GOOD = [zsre(i) for i in range(20)]
PAIRS = [pair(i) for i in range(20)]


def but(number: int, **changes: Any) -> list[dict[str, Any]]:
    """GOOD with one record changed."""
    return [zsre(i, **changes) if i == number else record for i, record in enumerate(GOOD)]


def half_but(number: int, lang: str, half: Any) -> list[dict[str, Any]]:
    return [{**record, lang: half} if i == number else record for i, record in enumerate(PAIRS)]


BROKEN = {
    "not JSON": ('[\n {"subject": "x",\n  "src" "y"}]', "line 3, column 9"),
    "JSON Lines": ('{"subject": "x"}\n{"subject": "y"}\n', "looks like JSON Lines; put its records into one JSON list"),
    "CSV": ("subject,src,alt\nx,Who?,He\n", "looks like a table, as in CSV; make it a JSON list of records"),
    "no text at all": (" \n", "the file is empty"),
    "an object": ({"data": GOOD}, "holds an object, not a list"),
    "an empty list": ([], "the list is empty"),
    "a list of texts": (["Who?"], "record 0 is text, not an object"),
    "no known layout": (
        [{"question": "Who?", "answer": "He"}],
        "its keys are `answer`, `question`, where records need `subject`, `src`, `alt` (EasyEdit/ZsRE, flat) or "
        "`subject`, `prompt`, `target_new` (CounterFact in EasyEdit's layout); rename them",
    ),
    "no known layout of a language": (
        [{"en": {"question": "Who?"}}],
        "its keys are `question`, where records need `subject`, `src`, `alt` (BMIKE-53); rename them",
    ),
    "a key missing": (but(17, src=None), "record 17 lacks `src`"),
    "a list for a text": (but(3, alt=["a", "b"]), "record 3: `alt` is a list, not text"),
    "true for a text": (but(3, rephrase=True), "record 3: `rephrase` is true or false, not text"),
    "answers no list": (but(4, answers="a"), "record 4: `answers` is not a list of texts"),
    "pred no text": (but(4, answers=["a"], pred=["b"]), "record 4: `pred` is a list, not text"),
    "portability no object": (but(5, portability="Where?"), "record 5: `portability` is text"),
    "portability unfinished": (but(5, portability={"New Question": "Where?"}), "`portability` lacks `New Answer`"),
    "a case_id missing": ([zsre(0, case_id=0), zsre(1)], "record 1 lacks `case_id`"),
    "a case_id twice": ([zsre(0, case_id=7), zsre(1, case_id=7)], "records 0 and 1 both have case_id 7"),
    "a case_id of text": ([zsre(0, case_id="7")], "`case_id` is '7', not a whole number"),
    "two case_ids": (
        [{"en": zsre(0, case_id=1), "zh": zsre_zh(0, case_id=2)}],
        "`case_id` differs between its languages (1 and 2)",
    ),
    "an unknown language": (half_but(6, "zhh", zsre_zh(6)), "record 6: 'zhh' is no language code; did you mean 'zh'?"),
    "one language twice": (half_but(6, "zh-cn", zsre_zh(6)), "record 6 names one language twice"),
    "a half of text": (half_but(2, "zh", "谁？"), "record 2: 'zh' is text, not a record"),
    "a key missing in a half": (half_but(9, "zh", zsre_zh(9, alt=None)), "record 9 (zh) lacks `alt`"),
    "an empty pair": ([*PAIRS, {}], "record 20 is empty"),
    "demonstrations": ([{"en": {"id": 1, "type": "copy", "new_fact": "a", "prompt": "b"}}], "demonstrations"),
    "not UTF-8": ("[]".encode("utf-16"), "not UTF-8 (byte 0 is 0xff)"),
    "letters of no one language": ([zsre(0, src="Кто написал Book 0?")], "cyrillic letters fit none"),
}


@pytest.mark.parametrize(("data", "says"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_gets_one_sentence(data: Any, says: str, put: Any) -> None:
    path = put(data)
    with pytest.raises(UserError) as error:
        check(path)
    message = str(error.value)
    assert says in message
    assert message.startswith(path)
    assert "\n" not in message
    assert message.endswith((".", "?"))


def test_the_layouts_that_the_page_shows_are_those_that_are_read(put: Any) -> None:
    page = (Path(__file__).parents[2] / "docs/facts.md").read_text(encoding="utf-8")
    examples = re.findall(r"```json\n(.+?)```", page, re.DOTALL)
    found = [check(put(example)) for example in examples]
    known = (layouts.ZSRE, layouts.COUNTERFACT, layouts.PAIRS, layouts.BMIKE)
    assert [one.source.layout for one in found] == [layout.title for layout in known]
    assert all(one.oddities.is_empty() for one in found)


def test_lines_need_one_tab(put: Any) -> None:
    with pytest.raises(UserError, match=r"line 2 has 0 tabs"):
        check(put("Who?\tHe\nWho else?\n", "pairs.txt"))


def test_a_missing_file_is_answered_with_the_nearest(put: Any) -> None:
    path = put(GOOD, "zsre_train.json")
    with pytest.raises(UserError, match=r"no such file; did you mean 'zsre_train.json'"):
        check(path.replace("train", "tran"))
    with pytest.raises(UserError, match=r"no such file; name a file that is there\.$"):
        check(path.replace("zsre_train.json", "x"))


def test_a_byte_order_mark_is_no_mistake(put: Any) -> None:
    assert check(put(b"\xef\xbb\xbf" + json.dumps(GOOD).encode())).source.records == 20


def test_a_language_that_the_letters_deny(put: Any) -> None:
    with pytest.raises(UserError, match="to be 'zh', but most prompts are in latin letters"):
        check(put(GOOD), "zh")
    with pytest.raises(UserError, match="--language: 'xx' is no language code"):
        check(put(GOOD), "xx")


ENTRIES = {
    "no files": ({}, "either `files`, or some of"),
    "files twice": ({"files": ["{}"], "test": ["{}"]}, "either `files`, or some of"),
    "an unknown choice": ({"files": ["{}"], "originals": "derang"}, "originals is 'derang'; did you mean 'derange'?"),
    "an unknown split": ({"files": ["{}"], "splits": {"tets": 3}}, "no split is called 'tets'; did you mean 'test'?"),
    "a negative size": ({"files": ["{}"], "splits": {"test": -3}}, "splits.test is -3"),
    "two with all": ({"files": ["{}"], "splits": {"test": "all", "train": "all"}}, "only one split can be `all`"),
    "too many cases": ({"files": ["{}"], "splits": {"test": 21}}, "21 cases are asked for, but only 20 can be used"),
    "a size without files": ({"test": ["{}"], "splits": {"train": 3}}, "splits.train is given, but no files"),
    "a language of no file": ({"files": ["{}"], "file_languages": {"other.json": "en"}}, "names 'other.json'"),
}


@pytest.mark.parametrize(("entry", "says"), ENTRIES.values(), ids=ENTRIES)
def test_a_wrong_entry_gets_one_sentence(entry: dict[str, Any], says: str, put: Any) -> None:
    path = put(PAIRS)
    entry = json.loads(
        json.dumps(entry).replace("{}", path).replace(json.dumps(path), json.dumps(path)) if entry else "{}"
    )
    with pytest.raises(UserError) as error:
        build(entry, ["en", "zh"], seed=0)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_what_can_not_be_built(put: Any) -> None:
    english, chinese = put(GOOD, "en.json"), put([zsre_zh(i) for i in range(19)], "zh.json")
    other = put([zsre(i + 100) for i in range(20)], "other.json")
    lines = put("Who?\tHe\n", "pairs.txt")
    for entry, says in (
        ({"files": english}, r"no record is in 'zh' \(there are: en\)"),
        ({"files": [english, chinese]}, "19 records, but .*en.json has 20"),
        ({"files": [english, chinese, other]}, "19 records"),
        ({"files": [english, other]}, "not the cases of .*en.json: of 20 prompts .*, only 0 are the same"),
        ({"files": lines}, "without subjects"),
    ):
        languages = ["en", "zh"] if chinese in entry["files"] or "zh" in says else ["en"]
        with pytest.raises(UserError, match=says):
            build(entry, languages, seed=0)
    empty = put([zsre(0, alt="")], "empty.json")
    with pytest.raises(UserError, match="no fact is left"):
        build({"files": empty}, ["en"], seed=0)


def test_a_wrong_entry_option_is_no_traceback(tmp_path: Any) -> None:
    options = ["--languages", "en", "--facts", "f", "--oddities", "o", "--summary", "s"]
    for entry, says in (("{", "not JSON"), ("[]", "is no JSON object")):
        error = CliRunner().invoke(commands, ["build", "--entry", entry, *options]).exception
        assert isinstance(error, UserError)
        assert says in str(error)
