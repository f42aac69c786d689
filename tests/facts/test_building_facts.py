"""Layouts, joins, splits and the command line: from files to the facts table."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from written import pair, zsre, zsre_zh

from crossedit import tables
from crossedit.facts.build import POOL, build
from crossedit.facts.checking import check
from crossedit.facts.cli import commands
from crossedit.facts.drawing import draw
from crossedit.facts.records import Half

PORTABILITY = {"Recalled Relation": "(a, b)", "New Question": "Where?", "New Answer": "There"}
COUNTERFACT = {
    "case_id": 4,
    "prompt": "Book 0 is by",
    "target_new": "Author a",
    "subject": "Book 0",
    "ground_truth": "Author z",
    "rephrase_prompt": "One person killed. Book 0 was written by",
    "locality_prompt": "Book 1 is by",
    "locality_ground_truth": "Author z",
}
LAYOUTS: dict[str, tuple[Any, str, dict[str, str | None]]] = {
    "training": (zsre(), "EasyEdit/ZsRE, flat", {"original": None, "portability_prompt": None}),
    "MEND": (zsre(pred="P", answers=["A", "B"]), "EasyEdit/ZsRE, flat", {"original": "A"}),
    "MEND without answers": (zsre(pred="P", answers=[]), "EasyEdit/ZsRE, flat", {"original": "P"}),
    "portability": (zsre(portability=PORTABILITY), "EasyEdit/ZsRE, flat", {"portability_answer": "There"}),
    "Bi-ZsRE": (
        {"en": zsre(portability=PORTABILITY), "zh": zsre_zh(portability=PORTABILITY)},
        "Bi-ZsRE test or MzsRE pairs",
        {"portability_prompt": "Where?", "prompt": "Who wrote Book 0?"},
    ),
    "BMIKE-53": (
        {"en": zsre(case_id=5, old="Author z", port="Where?", port_ans="There"), "de": zsre(case_id=5)},
        "BMIKE-53",
        {"original": "Author z", "portability_answer": "There"},
    ),
    "BMIKE-53 in English": ({"en": zsre(case_id=5, port="Where?", port_ans="There")}, "BMIKE-53", {"original": None}),
    "CounterFact": (
        COUNTERFACT,
        "CounterFact in EasyEdit's layout",
        {"original": "Author z", "target": "Author a", "locality_answer": "Author z", "prompt": "Book 0 is by"},
    ),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_layout_is_recognised_whatever_the_file_is_called(name: str, put: Any) -> None:
    record, title, expected = LAYOUTS[name]
    path = put([record], "some.json")
    assert check(path).source.layout == title
    row = build({"files": path}, ["en"], 0).facts.row(0, named=True)
    assert expected.items() <= row.items()
    assert row["split"] == "test"
    assert row["subject"] == "Book 0"


def test_upstream_codes_become_iso_codes(put: Any) -> None:
    records = [{"en": zsre(), "cz": zsre(), "du": zsre()}]
    assert check(put(records)).source.languages == ["en", "cs", "nl"]


def test_flat_files_in_the_same_order_are_joined(put: Any) -> None:
    english = put([zsre(i, case_id=10 + i) for i in range(5)], "english.json")
    chinese = put([zsre_zh(i) for i in range(5)], "chinese.json")
    for paths in ([english, chinese], [chinese, english]):
        facts = build({"files": paths, "file_languages": {chinese: "zh"}}, ["en", "zh"], 0).facts
        assert facts.filter(lang="zh")["case_id"].to_list() == [10, 11, 12, 13, 14]
        assert facts.filter(lang="zh", case_id=13)["subject"].item() == "书3"
        assert facts.filter(lang="en", case_id=13)["subject"].item() == "Book 3"


def test_numbered_files_are_joined_by_their_numbers(put: Any) -> None:
    german = [{"en": zsre(i, case_id=i), "de": zsre(i, case_id=i)} for i in (2, 0, 1)]
    chinese = [{"en": zsre(i, case_id=i), "zh": zsre_zh(i, case_id=i)} for i in (0, 1, 2)]
    built = build({"files": [put(german, "a.json"), put(chinese, "b.json")]}, ["de", "zh"], 0)
    assert built.facts.filter(lang="zh", case_id=2)["subject"].item() == "书2"
    assert built.facts.filter(lang="de", case_id=2)["subject"].item() == "Book 2"
    assert set(built.facts["lang"]) == {"de", "zh"}


def test_values_are_stripped_and_half_probes_are_none(put: Any) -> None:
    path = put([zsre(0, alt=" Author a", loc="nq question: what is it", loc_ans="It"), zsre(1, loc_ans="")])
    facts = build({"files": path}, ["en"], 0).facts
    assert facts["target"][0] == "Author a"
    assert facts["locality_prompt"].to_list() == ["nq question: what is it", None]


def test_what_is_left_out_has_a_row_that_says_so(put: Any) -> None:
    records = [pair(i) for i in range(6)]
    records[1]["zh"]["src"] = "谁写的？"
    records[2]["en"]["alt"] = ""
    del records[3]["zh"]
    path = put(records)
    for choice, out in (("leave_out", {1, 2, 3}), ("keep", {2, 3})):
        built = build({"files": path, "subject_missing": choice}, ["en", "zh"], 0)
        assert set(built.facts["case_id"]) == set(range(6)) - out
        left_out = built.oddities.filter("left_out")
        assert set(left_out["case_id"]) == out
        assert set(left_out["split"]) == {POOL}
        assert built.summary["left_out"] == len(out)
    assert set(build({"files": path}, ["en"], 0).facts["case_id"]) == {0, 1, 3, 4, 5}


def cases(sizes: list[int]) -> dict[int, dict[str, Half]]:
    relations = [f"relation {place}" for place, size in enumerate(sizes) for _ in range(size)]
    return {i: {"en": Half(i, "en", "", {}, relation=name)} for i, name in enumerate(relations)}


@given(st.lists(st.integers(1, 40), min_size=1, max_size=8), st.data())
def test_splits_are_disjoint_and_the_test_split_has_its_share_of_every_relation(
    sizes: list[int], data: st.DataObject
) -> None:
    pool = cases(sizes)
    test = data.draw(st.integers(0, len(pool)))
    drawn = draw(pool, {"train": "all", "test": test}, data.draw(st.integers(0, 99)), "pool")
    assert len(drawn["test"]) == test
    assert sorted(drawn["test"] + drawn["train"]) == sorted(pool)
    found = Counter(pool[i]["en"].relation for i in drawn["test"])
    for place, size in enumerate(sizes):
        assert abs(found[f"relation {place}"] - test * size / len(pool)) < 1


def test_the_test_split_stays_when_the_others_change() -> None:
    pool = cases([20, 30])
    first = draw(pool, {"test": 10, "train": 5}, 0, "pool")
    assert first["test"] == draw(pool, {"test": 10, "train": "all", "validation": 7}, 0, "pool")["test"]
    assert first["test"] != draw(pool, {"test": 10, "train": 5}, 1, "pool")["test"]


def test_lists_of_files_as_in_bizsre(put: Any) -> None:
    entry: dict[str, Any] = {"splits": {"train": 10, "validation": 5, "test": "all"}}
    for split, first, n in (("train", 0, 16), ("validation", 100, 8)):
        entry[split] = [
            put([zsre(first + i, case_id=i) for i in range(n)], f"{split}.json"),
            put([zsre_zh(first + i) for i in range(n)], f"{split}_chinese.json"),
        ]
    entry["test"] = put([pair(200 + i) for i in range(7)], "test.json")
    built = build(entry, ["en", "zh"], 0)
    assert built.summary["cases"] == {"train": 10, "validation": 5, "test": 7}
    counts = built.facts.group_by("split", "lang").len()
    assert set(counts.rows()) == {
        (split, lang, n) for split, n in (("train", 10), ("validation", 5), ("test", 7)) for lang in ("en", "zh")
    }


def test_the_command_line(put: Any, tmp_path: Path) -> None:
    path = put([pair(i) for i in range(8)])
    out = {name: str(tmp_path / "out" / name) for name in ("facts.parquet", "oddities.parquet", "summary.json")}
    entry = {"files": [path], "splits": {"train": 4, "test": 4}, "originals": "derange"}
    line = ["build", "--entry", json.dumps(entry), "--languages", "en,zh", "--seed", "3"]
    line += ["--facts", out["facts.parquet"], "--oddities", out["oddities.parquet"], "--summary", out["summary.json"]]
    result = CliRunner().invoke(commands, line, catch_exceptions=False)
    assert result.exit_code == 0
    facts = tables.read(out["facts.parquet"], tables.FACTS)
    assert facts.height == 16
    assert facts["original"].null_count() == 0
    assert tables.read(out["oddities.parquet"], tables.ODDITIES).height
    assert json.loads(Path(out["summary.json"]).read_text())["cases"] == {"train": 4, "test": 4}
    assert tables.provenance(out["facts.parquet"])["seed"] == 3


def test_the_check_of_one_file(put: Any, tmp_path: Path) -> None:
    records = [zsre_zh(i) for i in range(5)] + [zsre_zh(5, alt="")]
    oddities = str(tmp_path / "oddities.parquet")
    line = ["check", put(records), "--language", "zh", "--oddities", oddities]
    result = CliRunner().invoke(commands, line, catch_exceptions=False)
    assert result.exit_code == 0
    for text in (
        "EasyEdit/ZsRE, flat; 6 records; languages: zh",
        "required_field_empty",
        "1 of 6 cases would be left out",
    ):
        assert text in result.output
    table = tables.read(oddities, tables.ODDITIES)
    assert table.filter(pl.col("kind") == "required_field_empty")["case_id"].to_list() == [5]


def test_the_demo_is_read_like_a_file() -> None:
    folder = Path(__file__).parents[2] / "resources/demo/facts"
    entry = {"files": [str(folder)], "splits": {"train": 160, "validation": 20, "test": 64}}
    built = build(entry, ["en"], seed=0)
    assert built.summary["cases"] == {"train": 160, "validation": 20, "test": 64}
    shares = built.facts.group_by("split").agg(pl.col("relation").n_unique())
    assert dict(shares.rows())["test"] == built.facts["relation"].n_unique()
