"""Metrics by hand-counted cases, and their means over facts."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from crossedit.backbones.backbone import Backbone
from crossedit.edits.metrics import characters, exact_match, exact_match_normalised, f1, f1_product, overlap
from crossedit.edits.scores import METRICS, exact_bounds, interval, score, tokens_of, unedited_scores, values
from crossedit.errors import UserError
from crossedit.tables import PREDICTIONS, SCORES, check

CELL = {"facts": "demo", "backbone": "tiny", "editor": "ROME", "edit_lang": "en"}
TOKENS = st.lists(st.sampled_from("abc"), max_size=6)


@pytest.mark.parametrize(
    ("answer", "target", "harmonic", "product"),
    [
        ("abc", "abc", 1, 1),
        ("abc", "bca", 1, 1),  # bags have no order
        ("ab", "cd", 0, 0),
        ("abc", "ab", 0.8, 2 / 3),
        ("aab", "abb", 2 / 3, 4 / 9),  # a token counts as often as both have it
        ("", "", 1, 1),
        ("", "a", 0, 0),
        ("a", "", 0, 0),
    ],
)
def test_f1_by_hand(answer: str, target: str, harmonic: float, product: float) -> None:
    assert f1(answer, target) == pytest.approx(harmonic)
    assert f1_product(answer, target) == pytest.approx(product)


@settings(deadline=None)
@given(TOKENS, TOKENS)
def test_both_f1_are_symmetric_and_the_product_is_never_the_larger(answer: list[str], target: list[str]) -> None:
    assert f1(answer, target) == f1(target, answer)
    assert 0 <= f1_product(answer, target) <= f1(answer, target) + 1e-12 <= 1 + 1e-12
    assert (f1(answer, target) == 1) == (sorted(answer) == sorted(target))
    assert overlap(answer, target) <= min(len(answer), len(target))


def test_exact_match_minds_all_but_edge_spaces() -> None:
    assert exact_match(" Rome", "Rome ") == 1
    assert exact_match("rome", "Rome") == exact_match("Rome.", "Rome") == 0
    assert exact_match_normalised("  new-york. ", "New York") == 1
    assert exact_match_normalised("罗马。", "罗马") == 1
    assert exact_match_normalised("Rome", "Oslo") == 0


def test_characters_are_tokens_without_spaces() -> None:
    assert characters("罗 马\tab") == ["罗", "马", "a", "b"]


def prediction(case_id: int, aspect: str, after: str, *, kind: str = "", target: str = "x", before: str = "b") -> dict:
    texts = {"prompt": "?", "target": target, "target_text": target, "before_text": before, "after_text": after}
    ids = {"target_ids": [1], "before_ids": [1], "after_ids": [1]}
    key = {"case_id": case_id, "aspect": aspect, "kind": kind, "lang": "en", "protocol": "teacher_forced"}
    return key | texts | ids


def table(*rows: dict) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=PREDICTIONS.columns)


@pytest.fixture
def predictions() -> pl.DataFrame:
    return table(
        prediction(1, "reliability", "abc", target="abc"),
        prediction(2, "reliability", "ab", target="abc"),
        prediction(3, "reliability", "xy", target="abc"),
        # The first fact has locality questions of both kinds, the second only one.
        prediction(1, "locality", "same", kind="other_subject", before="same"),
        prediction(1, "locality", "!", kind="same_subject", before="same"),
        prediction(2, "locality", "same", kind="other_subject", before="same"),
    )


def mean(scores: pl.DataFrame, aspect: str, kind: str, metric: str) -> tuple[float, int]:
    row = scores.row(
        by_predicate=(pl.col("aspect") == aspect) & (pl.col("kind") == kind) & (pl.col("metric") == metric), named=True
    )
    return row["mean"], row["n"]


def test_locality_is_measured_against_the_unedited_answer() -> None:
    kept = prediction(1, "locality", "b", target="x", before="b")
    right = prediction(2, "locality", "x", target="x", before="b")
    carried = prediction(3, "portability", "x", target="x", before="b")
    assert values(table(kept, right, carried), characters)["em"].to_list() == [1, 0, 1]


def test_scores_are_means_over_facts(predictions: pl.DataFrame) -> None:
    scores = check(score(values(predictions, characters), CELL, seed=0), SCORES, "scores")
    assert mean(scores, "reliability", "all", "em") == (pytest.approx(1 / 3), 3)
    assert mean(scores, "reliability", "all", "f1") == (pytest.approx((1 + 0.8 + 0) / 3), 3)
    assert mean(scores, "reliability", "all", "f1_product") == (pytest.approx((1 + 2 / 3 + 0) / 3), 3)
    assert mean(scores, "locality", "other_subject", "em") == (1, 2)
    assert mean(scores, "locality", "same_subject", "em") == (0, 1)
    # Two facts, not three questions: the first fact counts with the mean of its two.
    assert mean(scores, "locality", "all", "em") == (0.75, 2)
    assert set(scores["metric"]) == set(METRICS)
    assert not scores.filter((pl.col("aspect") == "reliability") & (pl.col("kind") != "all")).height


def test_intervals_hold_the_mean_and_come_back_with_the_seed(predictions: pl.DataFrame) -> None:
    scores = score(values(predictions, characters), CELL, seed=0)
    known = scores.filter(pl.col("low").is_finite())
    assert (known["low"] <= known["mean"]).all()
    assert (known["mean"] <= known["high"]).all()
    assert (known["low"] < known["high"]).all()
    assert scores.equals(score(values(predictions, characters), CELL, seed=0))
    # Of one fact that is right in part nothing is known but its score.
    assert scores.filter(pl.col("low").is_nan()).equals(
        scores.filter((pl.col("n") == 1) & pl.col("mean").is_between(0.001, 0.999))
    )


@pytest.mark.parametrize("n", [1, 12, 1037])
def test_where_no_or_all_answers_are_right_the_interval_is_clopper_and_pearsons(n: int) -> None:
    low, high = interval(np.stack([np.zeros(n), np.ones(n)], axis=1), 0)
    for number, right in enumerate((0, n)):
        exact = binomtest(right, n).proportion_ci(method="exact")
        assert (low[number], high[number]) == (pytest.approx(exact.low), pytest.approx(exact.high))


def test_the_exact_bounds_hold_for_values_between_too() -> None:
    """Where the mean lies above the bound, all values are seldom 0: of 20 facts, mean 0.17, the most at 0."""
    _, bound = exact_bounds(20, 0)
    rng = np.random.default_rng(0)
    for top in (1.0, 0.5, 0.2):  # the share above 0 is bound / top
        values = (rng.random((20_000, 20)) < bound / top) * top
        assert (values == 0).all(axis=1).mean() < 0.03
    assert exact_bounds(20, 1) == (1 - bound, 1.0)


def test_what_does_not_vary_between_the_ends_has_no_interval_and_leaves_others_theirs() -> None:
    sample = np.stack([np.full(9, 0.4), np.arange(9) / 8, np.zeros(9)], axis=1)
    low, high = interval(sample, 0)
    assert np.isnan([low[0], high[0]]).all()
    alone = interval(sample[:, 1:2], 0)
    assert (low[1], high[1]) == (alone[0][0], alone[1][0])
    assert np.isnan(interval(np.array([[0.4]]), 0)).all()
    broken = interval(np.array([[0.0], [np.nan]]), 0)
    assert np.isnan(broken).all()


def test_the_unedited_model_keeps_all_and_is_reliable_per_editing_language(predictions: pl.DataFrame) -> None:
    same = predictions.with_columns(before_text="after_text")
    chinese = same.filter(pl.col("aspect") == "reliability").with_columns(lang=pl.lit("zh"), after_text=pl.lit("abc"))
    scores = unedited_scores(values(pl.concat([same, chinese]), characters), CELL, ["en", "zh"], seed=0)
    check(scores, SCORES, "scores")
    assert set(scores["editor"]) == {"unedited"}
    assert set(scores.filter(pl.col("aspect") == "locality")["mean"]) == {1.0}
    reliable = scores.filter((pl.col("aspect") == "reliability") & (pl.col("metric") == "em"))
    assert reliable.select("edit_lang", "lang", "mean").rows() == [("en", "en", pytest.approx(1 / 3)), ("zh", "zh", 1)]


def test_f1_tokens_of_a_folder_and_of_nothing(llama: Backbone, tmp_path: Path) -> None:
    llama.tokenizer.save_pretrained(tmp_path)
    for tokens in (tokens_of("own", {"path": str(tmp_path)}), tokens_of(str(tmp_path), {})):
        assert list(tokens("Rome 罗马")) == llama.tokenizer("Rome 罗马", add_special_tokens=False)["input_ids"]
    assert tokens_of("characters", {}) is characters
    with pytest.raises(UserError, match="f1_tokens: '/nowhere/tokenizer' can't be loaded as a tokenizer"):
        tokens_of("/nowhere/tokenizer", {})
