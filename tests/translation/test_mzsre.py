"""Real records: MzsRE's English halves through a server that answers with their Chinese ones."""

import json
import os
from pathlib import Path

import polars as pl
import pytest

from crossedit.facts.build import build
from crossedit.translation import records, settings
from crossedit.translation.translate import assemble, translate

DATA = Path(os.environ.get("CROSSEDIT_DATA", Path(__file__).parents[2] / "../shared/data"))
FILE = DATA / "editing/mzsre/mzsre_test_duplicate_enzh.json"


@pytest.mark.skipif(not FILE.exists(), reason=f"{FILE} is not at hand")
def test_the_chinese_halves_as_answers_give_the_chinese_facts(server, key, entry):
    kept = {"files": str(FILE), "splits": {"test": "all"}, "subject_missing": "keep"}
    both = build(kept, ["en", "zh"], 0).facts
    english, chinese = (both.filter(lang=lang) for lang in ("en", "zh"))
    assert english.height == chinese.height == 743
    halves = {
        json.dumps(records.of_row(row)): json.dumps(records.of_row(other), ensure_ascii=False)
        for row, other in zip(english.to_dicts(), chinese.to_dicts(), strict=True)
    }
    server.answer = lambda record, language: halves[json.dumps(record)]
    made = settings.from_entry({**entry, "model": "gpt-4", "checks": "flag", "concurrency": 16})
    translated = translate(english, made)
    assert not translated.failures
    table = assemble(english, translated.rows, translated.failures).filter(lang="zh")
    assert table["origin"].unique().to_list() == ["translated"]
    apart = pl.exclude("origin", "translated_by")
    assert table.select(apart).sort("case_id").equals(chinese.select(apart).sort("case_id"))
