import json

import polars as pl
import pytest

from crossedit import cli, tables
from crossedit.tables import FACTS


@pytest.fixture
def crossedit(monkeypatch, capsys):
    """Run the command line; returns its exit code and what it says on standard error."""

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["crossedit", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code or 0, capsys.readouterr().err

    return run


@pytest.fixture
def source(facts, tmp_path):
    path = tmp_path / "facts.parquet"
    tables.write(facts(6), FACTS, path, {})
    return path


def arguments(source, entry, tmp_path):
    return (
        *("translation", "translate", "--facts", source, "--entry", json.dumps(entry)),
        *("--out", tmp_path / "out.parquet", "--summary", tmp_path / "summary.json"),
    )


def test_translate_with_corrections(crossedit, server, key, source, entry, tmp_path):
    corrections = tmp_path / "corrections.csv"
    corrections.write_text("case_id,lang,field,machine,corrected,by\n5,zh,subject,法国 5,法兰西 5,corrector 1\n")
    server.answer = _all_but_case_one(server.answer)
    entry["corrections"] = str(corrections)
    code, said = crossedit(*arguments(source, entry, tmp_path))
    assert code == 0
    assert "5 of 6 translated, 1 corrected (20.0%); 8 requests asked, 0 answers from the store. 1 failed" in said

    table = tables.read(tmp_path / "out.parquet", FACTS)
    assert table.filter(origin="corrected").select("split", "case_id", "lang", "subject").rows() == [
        ("test", 5, "zh", "法兰西 5")
    ]
    assert table.group_by("case_id").len()["len"].to_list() == [2] * 5
    assert tables.provenance(tmp_path / "out.parquet")["inputs"].keys() == {str(source), str(corrections)}

    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["splits"] == [
        {
            "split": "train", "lang": "zh", "model": "gpt-3.5-turbo",
            "translated": 3, "failed": 1, "corrected": 0, "corrected_share": 0.0,
        },
        {
            "split": "test", "lang": "zh", "model": "gpt-4",
            "translated": 2, "failed": 0, "corrected": 1, "corrected_share": 0.5,
        },
    ]  # fmt: skip
    assert summary["requests"]["tokens"]["total_tokens"] == 8 * 15
    assert summary["left_out"]["failures"][0]["case_id"] == 1
    assert key not in (tmp_path / "summary.json").read_text() + said


def _all_but_case_one(answer):
    return lambda record, language: "?" if record["subject"] == "France 1" else answer(record, language)


def test_mistakes_are_one_sentence_and_leave_no_output(crossedit, server, no_key, source, entry, tmp_path):
    for changed, sentence in (
        (entry, "6 of 6 records have no answer"),
        ({**entry, "sorce": "en"}, "no such key 'sorce'; did you mean 'source'?"),
        ({**entry, "model": {"train": "gpt-4"}}, "none is named for split 'test'"),
        ({**entry, "corrections": "none.csv"}, "none.csv: no such file"),
        ([], "no JSON object"),
    ):
        code, said = crossedit(*arguments(source, changed, tmp_path))
        assert code == 2
        assert sentence in said
        assert len(said.splitlines()) == 1
    assert not (tmp_path / "out.parquet").exists()
    assert not server.requests


def test_record_then_replay_without_key_or_network(crossedit, server, no_key, facts, source, entry, tmp_path):
    chinese = facts(6).with_columns(
        lang=pl.lit("zh"),
        subject=pl.format("法国{}", "case_id"),
        prompt=pl.format("法国{}的首都是哪里？", "case_id"),
        rephrase=pl.format("法国{}的首都叫什么？", "case_id"),
        origin=pl.lit("translated"),
    )
    tables.write(chinese, FACTS, tmp_path / "zh.parquet", {})
    corrections = tmp_path / "corrections.csv"
    corrections.write_text("case_id,lang,field,machine,corrected\n2,zh,rephrase,France 2的首都？,法国2的首都叫什么？\n")
    entry["corrections"] = str(corrections)
    record = ("translation", "record", "--facts", source, "--translations", tmp_path / "zh.parquet")
    record += ("--entry", json.dumps(entry), "--origin", "the test's own table", "--name", "seed-0")
    assert crossedit(*record)[0] == 0
    lines = [json.loads(line) for line in (tmp_path / "store/seed-0.jsonl").read_text().splitlines()]
    assert {line["recorded_from"] for line in lines} == {"the test's own table"}
    assert {line["request"]["model"] for line in lines} == {None}
    assert "France 2的首都？" in lines[2]["answer"], "the answer holds the slip that is corrected"

    code, said = crossedit(*arguments(source, entry, tmp_path), "--offline")
    assert code == 0
    assert "0 requests asked, 6 answers from the store" in said
    table = tables.read(tmp_path / "out.parquet", FACTS).filter(lang="zh")
    corrected = chinese.with_columns(
        origin=pl.when(case_id=2).then(pl.lit("corrected")).otherwise(pl.lit("translated"))
    )
    assert table.equals(corrected.select(*FACTS.columns))
    assert not server.requests

    corrections.write_text("case_id,lang,field,machine,corrected\n2,zh,rephrase,France 2的首都？,法国的首都叫什么？\n")
    code, said = crossedit(*record)
    assert code == 2
    assert "line 2: case 2, rephrase: corrected is '法国的首都叫什么？', but" in said


def test_statistics(crossedit, source, tmp_path):
    code, _ = crossedit("translation", "statistics", "--facts", source, "--out", tmp_path / "table_1.parquet")
    assert code == 0
    table = tables.read(tmp_path / "table_1.parquet", tables.TABLE_1)
    assert table.select("split", "lang", "tokenizer", "records", "question", "answer").rows() == [
        ("train", "en", "words", 4, 8.0, 1.0),
        ("test", "en", "words", 2, 8.0, 1.0),
    ]
