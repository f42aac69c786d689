"""The command lines of translation, as rules and people type them."""

import csv
import json
from pathlib import Path

import polars as pl
import pytest
import yaml

from crossedit import cli, tables
from crossedit.tables import FACTS

ROOT = Path(__file__).parents[2]


@pytest.fixture
def crossedit(monkeypatch, capsys):
    """Run the command line; returns its exit code and what it says."""

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["crossedit", "translation", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return ended.value.code or 0, said.out + said.err

    return run


@pytest.fixture
def source(facts, tmp_path):
    path = tmp_path / "facts.parquet"
    tables.write(facts(6), FACTS, path, {})
    return path


def translate(source, entry, tmp_path, *more):
    return (
        *("translate", "--facts", source, "--entry", json.dumps(entry)),
        *("--out", tmp_path / "machine.parquet", "--summary", tmp_path / "machine.json", *more),
    )


def correct(entry, tmp_path):
    return (
        *("correct", "--facts", tmp_path / "machine.parquet", "--entry", json.dumps(entry)),
        *("--out", tmp_path / "out.parquet", "--corrections", tmp_path / "corrections.parquet"),
        *("--summary", tmp_path / "summary.json"),
    )


def filled(path, by, **changes):
    """Fill a sheet as a person does: look at all records, change some texts."""
    with open(path, encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    for line in lines:
        line |= {"judged": "x", "by": by, "corrected": changes.get(f"{line['field']}_{line['case_id']}", "")}
    out = path.with_name(f"{by}.csv")
    with open(out, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)
    return out


def test_from_the_machines_translation_through_people_to_facts(crossedit, server, key, source, entry, tmp_path):
    answer = server.answer
    server.answer = lambda record, language: "?" if record["subject"] == "France 1" else answer(record, language)
    code, said = crossedit(*translate(source, entry, tmp_path))
    assert code == 0
    assert "5 of 6 records translated; 8 requests asked, 0 answers from the store" in said
    assert "1 failed" in said
    machine = tables.read(tmp_path / "machine.parquet", FACTS)
    assert machine.group_by("case_id").len()["len"].to_list() == [2] * 5
    assert set(machine.filter(lang="zh")["translated_by"]) == {"gpt-3.5-turbo-0613", "gpt-4-0613"}
    summary = json.loads((tmp_path / "machine.json").read_text())
    assert summary["requests"]["tokens"]["total_tokens"] == 8 * 15
    assert [failure["case_id"] for failure in summary["failures"]] == [1]

    facts = ("--facts", tmp_path / "machine.parquet")
    code, said = crossedit("review", *facts, "--out", tmp_path / "review", "--by", "ana")
    assert code == 0, said
    assert len(said.split()) == 5
    sheet = tmp_path / "review/zh.ana.csv"
    people = [
        filled(sheet, "bo", target_0="罗马城", subject_5="法兰西 5"),
        filled(sheet, "cy", target_0="罗马城", subject_5="法国5"),
    ]
    entry["corrections"] = [str(path) for path in people]
    code, said = crossedit(*correct(entry, tmp_path))
    assert code == 0, said
    assert "Chinese: 5 of 5 records judged whole, 1 of these corrected (20.0%); open conflicts: 1.\n" in said
    assert "Judged by bo, cy." in said
    assert f"--conflicts {tmp_path / 'corrections.parquet'}" in said
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert [(conflict["case_id"], conflict["field"]) for conflict in summary["conflicts"]] == [(5, "subject")]

    conflicts = ("--conflicts", tmp_path / "corrections.parquet", "--by", "dee")
    code, said = crossedit("review", *facts, *conflicts, "--out", tmp_path / "expert")
    assert code == 0, said
    entry["expert"] = str(filled(tmp_path / "expert/zh.dee.csv", "dee", subject_5="法兰西五"))
    code, said = crossedit(*correct(entry, tmp_path))
    assert code == 0, said
    assert "5 of 5 records judged whole, 2 of these corrected" in said
    table = tables.read(tmp_path / "out.parquet", FACTS).filter(lang="zh", origin="corrected").sort("case_id")
    lineage = ("case_id", "subject", "target", "corrected_by", "checked_by")
    assert tables.read(tmp_path / "out.parquet", FACTS).filter(lang="en")["case_id"].to_list() == [0, 2, 3, 4, 5]
    assert table.select(*lineage).rows() == [
        (0, "法国 0", "罗马城", ["bo", "cy"], ["bo", "cy"]),
        (5, "法兰西五", "罗马", ["dee"], ["bo", "cy", "dee"]),
    ]
    inputs = tables.provenance(tmp_path / "out.parquet")["inputs"]
    assert inputs.keys() == {str(path) for path in (tmp_path / "machine.parquet", *people, entry["expert"])}
    written = [path.read_bytes() for path in tmp_path.glob("*.json")] + [path.read_bytes() for path in people]
    assert all(key.encode() not in text for text in written)


def test_how_answers_are_got_may_be_said_apart(crossedit, server, key, source, entry, tmp_path):
    address = entry.pop("base_url")
    asking = json.dumps({"base_url": address, "concurrency": 1})
    code, said = crossedit(*translate(source, entry, tmp_path, "--asking", asking))
    assert code == 0, said
    assert "6 requests asked" in said
    assert server.most_flying == 1


def test_a_dry_run_asks_and_writes_nothing(crossedit, server, no_key, source, entry, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("ANSWERS", entry["store"])
    whole = yaml.safe_load(Path("config.yaml").read_text(encoding="utf-8"))
    models = {"validation": "gpt-4", **entry["model"]}
    whole["facts"]["demo"]["translation"] = entry | {"model": models, "store": "${ANSWERS}"}
    config = tmp_path / "my.yaml"
    config.write_text(yaml.safe_dump(whole))
    before = sorted(tmp_path.iterdir())
    arguments = ("translate", "--dry-run", "--facts", source, "--entry")
    code, said = crossedit(*arguments, f"{config}:demo")
    assert code == 0, said
    assert "gpt-3.5-turbo: 4 of 4 records to be asked for" in said
    assert sorted(tmp_path.iterdir()) == before
    for wrong, sentence in (
        (f"{config}:dem", "no facts called 'dem' are translated there; did you mean 'demo'?"),
        ("my.yml", "'my.yml' is neither a JSON object nor FILE.yaml:NAME"),
        (f"{tmp_path}/none.yaml:demo", "no configuration can be read there"),
    ):
        code, said = crossedit(*arguments, wrong)
        assert code == 2
        assert sentence in said
    assert not server.requests
    assert not Path("${ANSWERS}").exists()


def test_a_configuration_that_is_offline_asks_nothing_by_its_name_either(
    crossedit, server, key, source, entry, tmp_path, monkeypatch
):
    monkeypatch.chdir(ROOT)
    whole = yaml.safe_load(Path("config.yaml").read_text(encoding="utf-8"))
    whole["facts"]["demo"]["translation"] = entry | {"model": "gpt-4"}
    (tmp_path / "my.yaml").write_text(yaml.safe_dump({**whole, "offline": True}))
    out = ("--out", tmp_path / "machine.parquet", "--summary", tmp_path / "machine.json")
    code, said = crossedit("translate", "--facts", source, "--entry", f"{tmp_path}/my.yaml:demo", *out)
    assert code == 2
    assert "and `offline` is set" in said
    assert not server.requests


def test_mistakes_are_one_sentence_and_leave_no_output(crossedit, server, no_key, source, entry, tmp_path):
    for changed, sentence in (
        (entry, "6 of 6 records have no answer"),
        ({**entry, "offline": True}, "and `offline` is set"),
        ({**entry, "sorce": "en"}, "no such key 'sorce'; did you mean 'source'?"),
        ({**entry, "model": {"train": "gpt-4"}}, "none is named for split 'test'"),
        ({**entry, "prompt": "none.txt"}, "none.txt: can't be read"),
        ([], "neither a JSON object nor FILE.yaml:NAME"),
    ):
        code, said = crossedit(*translate(source, changed, tmp_path))
        assert code == 2
        assert sentence in said
        assert len(said.splitlines()) == 1
    code, said = crossedit("translate", "--facts", source, "--entry", json.dumps(entry))
    assert code == 2
    assert "Missing option '--out'" in said
    tables.write(tables.read(source, FACTS), FACTS, tmp_path / "machine.parquet", {})
    code, said = crossedit(*correct({**entry, "corrections": "none.csv"}, tmp_path))
    assert code == 2
    assert "none.csv: no such file" in said
    assert not (tmp_path / "out.parquet").exists()
    assert not server.requests


def test_record_then_replay_without_key_or_network(crossedit, server, no_key, facts, source, entry, tmp_path):
    chinese = facts(6).with_columns(
        lang=pl.lit("zh"),
        subject=pl.format("法国{}", "case_id"),
        prompt=pl.format("法国{}的首都是哪里？", "case_id"),
        target=pl.lit("罗马"),
        original=pl.lit("巴黎"),
        rephrase=pl.format("法国{}的首都叫什么？", "case_id"),
        origin=pl.lit("translated"),
    )
    tables.write(chinese, FACTS, tmp_path / "zh.parquet", {})
    corrections = tmp_path / "corrections.csv"
    header = "case_id,lang,field,machine,corrected\n"
    corrections.write_text(f"{header}2,zh,rephrase,法国2的首府叫什么？,法国2的首都叫什么？\n")
    entry["corrections"] = str(corrections)
    record = ("record", "--facts", source, "--translations", tmp_path / "zh.parquet", "--entry", json.dumps(entry))
    record += ("--origin", "the test's own table", "--name", "seed-0")
    assert crossedit(*record)[0] == 0
    lines = [json.loads(line) for line in Path(entry["store"], "seed-0.jsonl").read_text().splitlines()]
    assert {line["recorded_from"] for line in lines} == {"the test's own table"}
    assert {line["request"]["model"] for line in lines} == {None}
    assert "法国2的首府" in lines[2]["answer"], "the answer holds the slip that is corrected"

    code, said = crossedit(*translate(source, entry, tmp_path, "--asking", '{"offline": true}'))
    assert code == 0, said
    assert "0 requests asked, 6 answers from the store" in said
    assert crossedit(*correct(entry, tmp_path))[0] == 0
    table = tables.read(tmp_path / "out.parquet", FACTS).filter(lang="zh")
    apart = pl.exclude("origin", "translated_by", "corrected_by", "checked_by")
    assert table.select(apart).equals(chinese.select(apart))
    assert table["origin"].to_list() == ["translated"] * 2 + ["corrected"] + ["translated"] * 3
    assert set(table["translated_by"]) == {"recorded from the test's own table"}
    assert not server.requests


def test_statistics(crossedit, source, tmp_path):
    code, _ = crossedit("statistics", "--facts", source, "--out", tmp_path / "table_1.parquet")
    assert code == 0
    table = tables.read(tmp_path / "table_1.parquet", tables.TABLE_1)
    assert table.select("split", "lang", "tokenizer", "records", "question", "answer").rows() == [
        ("train", "en", "words", 4, 8.0, 1.0),
        ("test", "en", "words", 2, 8.0, 1.0),
    ]
