"""Recorded answers hold the slips that people have put right."""

import csv
import json

import polars as pl
import pytest

from crossedit.errors import UserError
from crossedit.translation import records, settings
from crossedit.translation.recording import record
from crossedit.translation.reviews.merge import merge, rows_of
from crossedit.translation.reviews.reading import read_all
from crossedit.translation.store import Store
from crossedit.translation.translate import assemble, translate

HEADER = ("case_id", "lang", "field", "machine", "corrected", "judged", "by", "record")
QUESTION = "法国1的首都是哪里？"


@pytest.fixture
def chinese(facts):
    """The Chinese half of three facts."""
    return facts(3).with_columns(
        lang=pl.lit("zh"),
        subject=pl.format("法国{}", "case_id"),
        prompt=pl.format("法国{}的首都是哪里？", "case_id"),
        rephrase=pl.format("法国{}有哪个首都？", "case_id"),
    )


@pytest.fixture
def recorded(facts, chinese, tmp_path):
    """Record the Chinese half with what people said of it; returns the answers by case, and the settings."""

    def run(expert=(), **annotators):
        entry = {"source": "en", "targets": ["zh"], "model": "any", "checks": "flag", "store": str(tmp_path / "store")}
        for name, lines in {**annotators, "expert": expert}.items():
            with open(tmp_path / f"{name}.csv", "w", encoding="utf-8", newline="") as file:
                csv.writer(file).writerows([HEADER, *lines])
        entry |= {"corrections": [str(tmp_path / f"{name}.csv") for name in annotators]}
        made = settings.from_entry(entry | {"expert": str(tmp_path / "expert.csv")})
        assert record(facts(3), chinese, made, "a table", "seed-0") == 3
        kept = (tmp_path / "store/seed-0.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(json.loads(line)["answer"]) for line in kept], made

    return run


def line(machine, corrected, by="", field="prompt", case_id=1, record="", judged="x"):
    return (case_id, "zh", field, machine, corrected, judged, by, record)


def test_what_was_corrected_reads_as_before(recorded, chinese):
    answers, _ = recorded(ann=[line("法国的首府在哪？", QUESTION)])
    assert [answer["prompt"] for answer in answers] == [chinese["prompt"][0], "法国的首府在哪？", chinese["prompt"][2]]


def test_of_a_conflict_the_machines_text_is_put_back_whoever_was_right(recorded):
    people = {"ann": [line("slip", "wrong")], "ben": [line("slip", QUESTION)], "cat": [line("", "", judged="x")]}
    assert recorded(**people)[0][1]["prompt"] == "slip"
    people = {"ann": [line("slip", "wrong")], "ben": [line("slip", "worse")]}
    assert recorded(expert=[line("slip", QUESTION)], **people)[0][1]["prompt"] == "slip"


def test_a_change_that_did_not_stand_changes_nothing(recorded):
    answers, _ = recorded(ann=[line(QUESTION, "wrong")], expert=[line(QUESTION, QUESTION)])
    assert answers[1]["prompt"] == QUESTION


def test_a_judgement_of_another_source_record_is_of_another_draw(recorded, facts):
    own = records.fingerprint(facts(3).row(1, named=True))
    answers, _ = recorded(
        ann=[line("slip", QUESTION, record=own), line("other slip", "other question", record="0" * 16)]
    )
    assert answers[1]["prompt"] == "slip"


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ([line("slip", "wrong")], r"ann\.csv: line 2: case 1, prompt: corrected is 'wrong', but the translation reads"),
        ([line("slip", QUESTION), line("slop", QUESTION)], r"is put for 'slop', but in .* for 'slip'; leave one"),
    ],
)
def test_what_does_not_fit_is_refused(recorded, lines, sentence):
    with pytest.raises(UserError, match=sentence):
        recorded(ann=lines)


def test_recorded_answers_corrected_give_the_table_they_were_taken_from(recorded, facts, chinese):
    _, made = recorded(
        ann=[line("slip", QUESTION), line("wrong", chinese["subject"][2], field="subject", case_id=2)],
        ben=[line("slip", "worse")],
        expert=[line("slip", QUESTION)],
    )
    found = translate(facts(3), made, ask=None)
    assert len(Store(made.store)) == 3
    rows, sources = rows_of(assemble(facts(3), found.rows, found.failures), "en")
    merged = merge(rows, sources, read_all(made.corrections), read_all(made.expert, expert=True))
    lineage = ["origin", "translated_by", "corrected_by", "checked_by"]
    table = pl.DataFrame(merged.rows, schema=chinese.schema)
    assert table.drop(lineage).equals(chinese.drop(lineage))
    assert table["origin"].to_list() == ["translated", "corrected", "corrected"]
