"""The bundled demo: its recorded answers and corrections give its facts in Chinese, without key or network."""

import json
from pathlib import Path

import polars as pl
import pytest
import yaml

from crossedit.facts.build import build
from crossedit.translation import corrections, settings
from crossedit.translation.translate import assemble, translate

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", params=[0, 1])
def replayed(request):
    """The demo of the default configuration with each of the recorded seeds: source, translated, merged."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        patch.delenv("OPENAI_API_KEY", raising=False)
        entry = yaml.safe_load(Path("config.yaml").read_text(encoding="utf-8"))["facts"]["demo"]
        made = settings.from_entry({**entry["translation"], "offline": True})
        source = build(entry, [made.source], request.param).facts
        both = build(entry, [made.source, *made.targets], request.param).facts
        translated = translate(source, made)
        merged = corrections.merge(translated.rows, corrections.read(made.corrections))
    return source, both, translated, merged


def test_the_corrected_answers_are_the_demos_own_chinese(replayed):
    source, both, translated, merged = replayed
    table = assemble(source, merged.rows, translated.failures)
    by_key = pl.col("split", "case_id", "lang")
    assert table.drop("origin").sort(by_key).equals(both.drop("origin").sort(by_key))


def test_some_records_had_to_be_corrected_about_as_many_as_in_the_paper(replayed):
    _, _, translated, merged = replayed
    corrected = sum(row["origin"] == "corrected" for row in merged.rows)
    assert 0.03 < corrected / len(translated.rows) < 0.09
    assert len(merged.by) == 3


def test_the_subject_is_once_in_each_corrected_question(replayed):
    for row in replayed[3].rows:
        assert row["prompt"].count(row["subject"]) == 1, row
        assert row["rephrase"].count(row["subject"]) == 1, row


def test_no_entry_claims_that_a_model_was_asked():
    files = list((ROOT / "resources/demo/translations").glob("*.jsonl"))
    assert sum(path.stat().st_size for path in files) < 2_000_000
    for path in files:
        for line in path.read_text(encoding="utf-8").splitlines():
            kept = json.loads(line)
            assert kept["recorded_from"] == "resources/demo/facts"
            assert kept["request"]["model"] is None
            assert "answered_by" not in kept
            assert "usage" not in kept
