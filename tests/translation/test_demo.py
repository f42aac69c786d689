"""The bundled demos: recorded answers and people's files give their own Chinese and German, without key or network."""

import json
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pytest
import yaml

from crossedit.facts.build import build
from crossedit.facts.demo_world import read_world
from crossedit.translation import settings
from crossedit.translation.checks import find
from crossedit.translation.records import of_row
from crossedit.translation.reviews.judgements import Judgement
from crossedit.translation.reviews.merge import Merged, merge, rows_of
from crossedit.translation.reviews.reading import read_all
from crossedit.translation.translate import assemble, translate

ROOT = Path(__file__).parents[2]
LINEAGE = ("origin", "translated_by", "corrected_by", "checked_by")


class Demo(NamedTuple):
    """A configuration's facts in both languages as they are written, and as they come out of the translation."""

    own: pl.DataFrame
    machine: pl.DataFrame
    merged: Merged
    annotators: list[Judgement]
    expert: list[Judgement]

    def found(self, rows):
        """What the checks find in translated rows."""
        sources = {row["case_id"]: of_row(row) for row in self.own.filter(lang="en").iter_rows(named=True)}
        return [found for row in rows for found in find(sources[row["case_id"]], of_row(row), "en", row["lang"])]


@pytest.fixture(
    scope="module",
    params=[("config.yaml", "demo", 0), ("config.yaml", "demo", 1), ("config/german.yaml", "german", 0)],
    ids=["chinese-0", "chinese-1", "german"],
)
def demo(request):
    """A demo of a configuration with one of its recorded seeds."""
    config, name, seed = request.param
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        patch.delenv("OPENAI_API_KEY", raising=False)
        entry = yaml.safe_load(Path(config).read_text(encoding="utf-8"))["facts"][name]
        made = settings.from_entry({**entry["translation"], "offline": True})
        source = build(entry, [made.source], seed).facts
        translated = translate(source, made)
        machine = assemble(source, translated.rows, translated.failures)
        annotators, expert = read_all(made.corrections), read_all(made.expert, expert=True)
        merged = merge(*rows_of(machine, made.source), annotators, expert)
        return Demo(build(entry, [made.source, *made.targets], seed).facts, machine, merged, annotators, expert)


def test_the_corrected_answers_are_the_demos_own_translation(demo):
    source = demo.machine.filter(origin="source")
    corrected = pl.concat([source, pl.DataFrame(demo.merged.rows, schema=source.schema)])
    by = pl.col("split", "case_id", "lang")
    assert corrected.drop(LINEAGE).sort(by).equals(demo.own.drop(LINEAGE).sort(by))


def test_some_records_had_to_be_corrected_about_as_many_as_in_the_paper(demo):
    corrected = sum(row["origin"] == "corrected" for row in demo.merged.rows)
    assert 0.03 < corrected / len(demo.merged.rows) < 0.09


def test_every_rule_of_the_merge_occurs_and_no_conflict_is_left(demo):
    found = set()
    for field in demo.merged.corrections.partition_by("split", "case_id", "lang", "field"):
        (outcome,) = field["outcome"].unique()
        said = field.filter(role="annotator")["corrected"].to_list()
        stands = field.filter("stands")["corrected"].to_list()
        machine = field["machine"].first()
        if outcome == "agreed":
            found.add("several say the same" if len(said) > 1 else "one alone")
        elif set(said) == {machine}:
            found.add("only the expert")
        elif stands[0] not in {machine, *said}:
            found.add("a third text")
        elif stands[0] == machine:
            found.add("the machine's text")
        else:
            found.add("one finds it right" if machine in said else "two changes")
        assert outcome != "conflict", field
    expected = {"several say the same", "one finds it right", "two changes", "a third text", "only the expert"}
    assert expected | {"the machine's text"} <= found, found


def test_not_every_annotator_has_judged_every_record(demo):
    annotators = {judgement.by for judgement in demo.annotators}
    judged = [len(annotators & set(row["checked_by"])) for row in demo.merged.rows]
    assert 1 <= min(judged) < max(judged) == len(annotators)


def test_the_checks_find_some_slips_and_nothing_in_the_corrected_answers(demo):
    assert demo.found(demo.machine.filter(pl.col("origin") != "source").to_dicts())
    assert demo.found(demo.merged.rows) == []


def test_the_subject_is_once_in_each_corrected_question(demo):
    for row in demo.merged.rows:
        assert row["prompt"].count(row["subject"]) == 1, row
        assert row["rephrase"].count(row["subject"]) == 1, row


def test_the_second_world_is_large_enough():
    world = read_world(ROOT / "resources/demo/german")
    edited = [relation for relation in world.relations.values() if relation.hop]
    assert len(world.facts()) >= 60
    assert 4 <= len(edited) <= 6
    assert min(len(wordings) for relation in edited for wordings in relation.questions.values()) >= 5


def test_no_entry_claims_that_a_model_was_asked():
    files = list((ROOT / "resources/demo/translations").glob("*.jsonl"))
    assert sum(path.stat().st_size for path in files) < 2_000_000
    for path in files:
        origin = "resources/demo/german" if path.stem == "german" else "resources/demo/facts"
        for line in path.read_text(encoding="utf-8").splitlines():
            kept = json.loads(line)
            assert kept["recorded_from"] == origin
            assert kept["request"]["model"] is None
            assert "answered_by" not in kept
            assert "usage" not in kept
