import pytest

from crossedit.errors import UserError
from crossedit.translation import settings

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
