from dataclasses import fields
from pathlib import Path

import pytest

from crossedit.errors import UserError
from crossedit.translation import settings
from crossedit.translation.settings import CHECKS

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
        ({"budget": "20 $"}, r"budget is '20 \$'; it must be a number of at least 0"),
        ({"requests_per_minute": 0}, "requests_per_minute is 0; it must be a number of at least 1"),
        ({"concurrency": 2.5}, "concurrency is 2.5; it must be a whole number of at least 1"),
        ({"concurrency": True}, "concurrency is True"),
        ({"response_format": "json_scheme"}, "response_format is 'json_scheme'; did you mean 'json_schema'"),
        ({"fenced": "yes"}, "fenced is 'yes'; known are: ask, read"),
        ({"failed": "drop"}, "failed is 'drop'; known are: keep_source, leave_out"),
        ({"checks": "warn"}, "'warn' is not what a check can do; write ask or flag"),
        ({"checks": {"numbers": "off"}}, "'off' is not what a check can do"),
        ({"checks": {"number": "flag"}}, "no such check 'number'; did you mean 'numbers'"),
        ({"base_url": "localhost:8000/v1"}, "base_url is 'localhost:8000/v1'; it must begin with http:// or https://"),
        ({"base_url": "https://"}, "base_url is 'https://'"),
        ({"base_url": "https://me:secret@example.org/v1"}, "at example.org holds a name, password or query"),
        ({"base_url": "https://example.org/v1?api-key=secret"}, "at example.org holds a name, password or query"),
    ],
)
def test_wrong_settings(change, sentence):
    with pytest.raises(UserError, match=sentence) as caught:
        settings.from_entry({**ENTRY, **change})
    assert "secret" not in str(caught.value)


def test_a_split_without_a_model():
    made = settings.from_entry({**ENTRY, "model": {"test": "gpt-4"}})
    assert made.model_of("test") == "gpt-4"
    with pytest.raises(UserError, match="none is named for split 'train', only for test"):
        made.model_of("train")


def test_checks_ask_unless_they_are_told_otherwise():
    assert set(settings.from_entry(ENTRY).checks.values()) == {"ask"}
    assert set(settings.from_entry({**ENTRY, "checks": "flag"}).checks.values()) == {"flag"}
    one = settings.from_entry({**ENTRY, "checks": {"numbers": "flag"}}).checks
    assert [check for check, severity in one.items() if severity == "flag"] == ["numbers"]
    assert one.keys() == CHECKS.keys()


def test_files_are_paths_and_one_file_of_corrections_needs_no_list():
    made = settings.from_entry({**ENTRY, "corrections": "ann.csv", "expert": "expert.xlsx", "prompt": None})
    assert (made.store, made.corrections, made.expert, made.prompt) == (
        Path("answers"),
        (Path("ann.csv"),),
        (Path("expert.xlsx"),),
        None,
    )


def test_keys_that_only_say_how_to_ask_are_settings():
    names = {field.name for field in fields(settings.Settings)}
    assert set(settings.ASKING) < names
    assert set(settings.PEOPLE) < names
    assert not set(settings.ASKING) & set(settings.PEOPLE)
