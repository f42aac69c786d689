"""IKE: the published layout, byte for byte; demonstrations that the backbone has room for."""

from pathlib import Path

import polars as pl
import pytest
import torch
from torch import Tensor

from crossedit.backbones.backbone import Backbone
from crossedit.edits import retrieval
from crossedit.edits.editors.ike import IKE
from crossedit.edits.editors.interface import Materials
from crossedit.edits.requests import Request, make_requests
from crossedit.edits.retrieval import Layout, Pool, demonstrations_of, embed_facts, load_pool
from crossedit.errors import UserError

PLAIN = Layout()


def pool_of(requests: list[Request], layout: Layout = PLAIN, length: int = 1) -> Pool:
    texts = [f"demo {word}\n\n" * length for word in ("one", "two", "three")]
    queries = {request.case_id: torch.tensor([3.0, 1.0, 2.0]).roll(request.case_id - 1) for request in requests}
    return Pool(texts, torch.eye(3), queries, layout)


def editor_of(pool: Pool | None, **hparams: object) -> IKE:
    return IKE(IKE.Hparams(**{"k": 2, **hparams}), Materials(pool=pool))


def test_the_text_is_that_of_the_published_layout(llama: Backbone, requests_en: list[Request]) -> None:
    editor = editor_of(pool_of(requests_en))
    one, two, _ = (delta.context for delta in editor.edit_each(llama, requests_en))
    assert one
    fact = "What is the capital of France? Rome"
    nearest_first = "demo one\n\ndemo three\n\n"
    assert one.prefix() == f"{nearest_first}New Fact: {fact}\nPrompt: {fact}\n\nNew Fact: {fact}\nPrompt: "
    assert one.prefix("zh", demonstrations=False) == "New Fact: What is the capital of France? 罗马\nPrompt: "
    assert two
    assert two.demonstrations.startswith("demo two\n\ndemo one\n\n")
    without = editor_of(pool_of(requests_en), append_self_copy=False).edit_each(llama, requests_en[:1])[0].context
    assert without
    assert without.prefix() == f"{nearest_first}New Fact: {fact}\nPrompt: "


def test_demonstrations_may_be_laid_out_as_published(facts: pl.DataFrame) -> None:
    fact = facts[:1].with_columns(locality_prompt=pl.lit("nq question: onions grow where?"))
    assert demonstrations_of(fact, Layout("Q:{} A:", "lstrip")) == [
        "New Fact: Q:What is the capital of France? A: Rome\nPrompt: Q:What is the capital of France? A: Rome\n\n",
        "New Fact: Q:What is the capital of France? A: Rome\nPrompt: Name the capital of France? Rome\n\n",
        # What lstrip takes off goes on as long as the question's letters are among those of "nq question: ".
        "New Fact: Q:What is the capital of France? A: Rome\nPrompt: grow where? Shakespeare\n\n",
    ]
    assert demonstrations_of(fact)[2].endswith("\nPrompt: onions grow where? Shakespeare\n\n")
    for layout in ({"pool_prompt": "Q: A:"}, {"nq_prefix": "strip"}):
        with pytest.raises(UserError, match=r"has no place for the question|'strip' is unknown"):
            Layout(**layout)


def test_embeddings_know_the_layout_they_were_made_in(
    llama: Backbone, facts: pl.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def encoded(texts: list[str], encoder: str) -> Tensor:
        seen.extend(texts)
        return torch.eye(len(texts))

    monkeypatch.setattr(retrieval, "_encode", encoded)
    table = pl.concat([facts.with_columns(split=pl.lit("train")), facts])
    requests = make_requests(facts, "en")
    layout = Layout("Q:{} A:", "lstrip")
    embed_facts(table, "en", "none", tmp_path / "published", layout)
    pool = load_pool(table, "en", tmp_path / "published")
    assert pool.layout == layout
    assert list(pool.demonstrations) == seen[:9] == demonstrations_of(facts.filter(pl.col("lang") == "en"), layout)
    # Questions that are asked stand as they are.
    assert seen[9] == "New Fact: What is the capital of France? Rome\nPrompt: What is the capital of France?\n\n"
    chosen = {"pool_prompt": "Q:{} A:", "nq_prefix": "lstrip"}
    assert editor_of(pool, **chosen).edit_each(llama, requests)[0].context
    with pytest.raises(UserError, match=r"is wanted, but the training facts were embedded with .*Q:\{\} A:"):
        editor_of(pool).edit_each(llama, requests)
    embed_facts(table, "en", "none", tmp_path / "plain")
    assert load_pool(table, "en", tmp_path / "plain", train_size=2).layout == Layout()


def test_more_demonstrations_than_there_is_room_for_are_refused(llama: Backbone, requests_en: list[Request]) -> None:
    pool = pool_of(requests_en, length=30)
    with pytest.raises(UserError, match=r"has 256 positions; lower IKE's k \(2\)"):
        editor_of(pool).edit_each(llama, requests_en)
    assert editor_of(pool, k=0).edit_each(llama, requests_en)


def test_without_training_facts_there_is_nothing_to_show(llama: Backbone, requests_en: list[Request]) -> None:
    with pytest.raises(UserError, match="IKE needs the embeddings of its training facts"):
        editor_of(None).edit_each(llama, requests_en)
