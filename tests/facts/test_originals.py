"""Relations found by wording, and answers before the edit found among the other new answers."""

import itertools
import random
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from written import zsre, zsre_zh

from crossedit.facts.build import build
from crossedit.facts.originals import partners_of
from crossedit.facts.records import Half
from crossedit.facts.relations import frames, name_relations


@given(st.lists(st.integers(1, 6), min_size=0, max_size=8), st.integers(0, 5))
def test_partners_are_of_another_class_and_a_permutation_where_there_is_one(sizes: list[int], seed: int) -> None:
    bounds = [sum(sizes[:place]) for place in range(len(sizes) + 1)]
    classes = [list(range(low, high)) for low, high in itertools.pairwise(bounds)]
    partners = partners_of(classes, random.Random(seed))
    members = {member for each in classes for member in each}
    assert set(partners) == (members if len(classes) > 1 else set())
    for each in classes:
        assert not {partners[member] for member in each if member in partners} & set(each)
    if len(classes) > 1 and 2 * max(sizes) <= sum(sizes):
        assert set(partners.values()) == members


def test_equal_seeds_give_equal_partners_and_others_give_others() -> None:
    classes = [[number] for number in range(30)]
    assert partners_of(classes, random.Random(1)) == partners_of(classes, random.Random(1))
    assert partners_of(classes, random.Random(1)) != partners_of(classes, random.Random(2))


def facts_of(put: Any, records: list[dict[str, Any]], languages: list[str], seed: int = 0) -> pl.DataFrame:
    return build({"files": put(records), "originals": "derange"}, languages, seed).facts


def pairs(relations: dict[str, list[str]]) -> list[dict[str, Any]]:
    """Records of several relations; each target's Chinese begins with 人."""
    records = []
    for verb, targets in relations.items():
        for number, target in enumerate(targets):
            subject = f"{verb.title()} {number}"
            asks = {"subject": subject, "src": f"Who {verb} {subject}?", "rephrase": f"{subject}: who {verb} it?"}
            zh = {
                "subject": subject,
                "src": f"{subject}是谁{verb}的？",
                "rephrase": f"谁{verb}了{subject}？",
                "alt": f"人{target}",
            }
            records.append({"en": zsre(alt=target) | asks, "zh": zsre_zh() | zh})
    return records


def test_originals_come_from_the_relation_and_alike_in_every_language(put: Any) -> None:
    facts = facts_of(put, pairs({"wrote": list("abcab"), "built": list("vwxyz")}), ["en", "zh"])
    english, chinese = (facts.filter(lang=lang) for lang in ("en", "zh"))
    assert set(english["relation"]) == {"Who wrote {}", "Who built {}"}
    assert english["relation"].to_list() == chinese["relation"].to_list()
    assert [f"人{original}" for original in english["original"]] == chinese["original"].to_list()
    assert (facts["original"] != facts["target"]).all()
    for _, group in english.group_by("relation"):
        assert Counter(group["original"]) == Counter(group["target"])


def test_cases_equal_in_any_language_are_no_partners(put: Any) -> None:
    records = pairs({"wrote": ["US", "USA", "UK", "Oslo"]})
    for record in records[:2]:
        record["zh"]["alt"] = "美国"
    facts = facts_of(put, records, ["en", "zh"])
    assert (facts["original"] != facts["target"]).all()


def test_a_small_relation_takes_a_similar_answer(put: Any) -> None:
    lone = {"founded": ["1901"], "opened": ["1872"], "sang": ["Ann Lee"], "danced": ["Bob Ray"]}
    facts = facts_of(put, pairs(lone), ["en", "zh"]).filter(lang="en")
    assert dict(zip(facts["target"], facts["original"], strict=True)) == {
        "1901": "1872",
        "1872": "1901",
        "Ann Lee": "Bob Ray",
        "Bob Ray": "Ann Lee",
    }


def test_without_another_answer_there_is_no_original(put: Any) -> None:
    facts = facts_of(put, pairs({"wrote": ["a", "a"]}), ["en", "zh"])
    assert facts["original"].null_count() == facts.height


def test_what_the_file_says_is_kept(put: Any) -> None:
    records = [zsre(i, answers=["Truth"]) for i in range(3)] + [zsre(i) for i in range(3, 6)]
    facts = facts_of(put, records, ["en"])
    assert facts["original"].to_list()[:3] == ["Truth"] * 3
    assert "Truth" not in facts["original"].to_list()[3:]


def test_a_relation_is_found_through_the_language_whose_prompt_names_the_subject(put: Any) -> None:
    records = pairs({"wrote": list("ab")})
    records[1]["en"] |= {"src": "Who wrote that?", "rephrase": "Whose is it?"}
    entry = {"files": put(records), "subject_missing": "keep"}
    assert set(build(entry, ["en", "zh"], 0).facts["relation"]) == {"Who wrote {}"}


def test_a_frame_has_single_spaces_and_no_mark() -> None:
    values = {"subject": "Ann", "prompt": "Who is  Ann ?", "rephrase": "Ann"}
    assert list(frames(Half(0, "en", "", values))) == ["Who is {}"]
    case = {"en": Half(0, "en", "", {"subject": "Ann", "prompt": "Who?"})}
    name_relations({0: case})
    assert case["en"].relation is None


def test_on_mzsre(editing: Path) -> None:
    entry = {"test": str(editing / "mzsre/mzsre_test_duplicate_enzh.json"), "originals": "derange"}
    built = build(entry, ["en", "zh"], seed=0)
    facts = built.facts
    assert facts["original"].null_count() == 0
    assert (facts["original"].str.to_lowercase() != facts["target"].str.to_lowercase()).all()
    assert built.summary["originals"]["relation"] > 600
    assert facts.equals(build(entry, ["en", "zh"], seed=0).facts)
    other = build(entry, ["en", "zh"], seed=1).facts
    assert (facts["original"] != other["original"]).mean() > 0.5
