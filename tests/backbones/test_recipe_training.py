"""Tokenizer, packing, and a training of seconds."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from recipe_facts import small_facts, small_texts
from transformers import AutoModelForCausalLM, AutoTokenizer

from crossedit.backbones.recipe.corpus import Corpus
from crossedit.backbones.recipe.network import new_model, states
from crossedit.backbones.recipe.packing import Packed, Packer, encode
from crossedit.backbones.recipe.recall import greedy_matches
from crossedit.backbones.recipe.settings import Recipe
from crossedit.backbones.recipe.tokenizer import train_tokenizer
from crossedit.backbones.recipe.training import contrast, train_backbone
from crossedit.backbones.recipe.world import World
from crossedit.errors import UserError

SMALL = {"shares": {"en": 0.5, "zh": 0.5}, "layers": 2, "hidden": 64, "ffn": 128, "heads": 2, "rows": 4}


@pytest.fixture(scope="module")
def world() -> World:
    return World.of(small_facts(), small_texts(), ["en", "zh"], seed=0)


@pytest.fixture(scope="module")
def tokenizer(world: World) -> Any:
    return train_tokenizer(world.texts(), 600)


def packed(world: World, tokenizer: Any, **recipe: object) -> Packed:
    settings = Recipe.of({**SMALL, **recipe})
    return Packer(tokenizer, Corpus(world, settings, seed=0), settings, seed=0).batch(8)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="▁"), max_size=40))
def test_every_text_survives_the_tokenizer(text: str):
    tokenizer = train_tokenizer(["What is the capital of France? Paris", "法国的首都是哪里？ 巴黎"], 300)
    assert tokenizer.decode(tokenizer(text)["input_ids"], skip_special_tokens=True) == text


def test_the_tokenizer_adds_nothing_and_keeps_words_whole(tokenizer: Any):
    assert tokenizer.tokenize("What is the capital of France? Paris")[-2:] == ["?", "▁Paris"]
    assert tokenizer.tokenize("1984")[0] not in (tokenizer.eos_token, tokenizer.pad_token)
    assert len(tokenizer("1984")["input_ids"]) == 4


@pytest.mark.parametrize(
    "frame", ["{}的首都是哪里？", "在{}用什么付款？", "说《{}》，对吗？", "Is {}'s money old?", "x {}?"]
)
def test_a_name_has_the_same_tokens_in_every_frame(tokenizer: Any, frame: str):
    lead = " " if frame.split("{}")[0].endswith(" ") else ""
    for name in ("法国", "挪威", "France", "Cairo"):
        whole, alone = tokenizer(frame.format(name))["input_ids"], tokenizer(lead + name)["input_ids"]
        assert any(whole[start : start + len(alone)] == alone for start in range(len(whole)))


def test_no_document_is_cut_and_each_sees_itself_alone(world: World, tokenizer: Any):
    batch = packed(world, tokenizer, bottleneck=0.0)
    mask = batch.mask[:, 0]
    for row in range(len(batch.ids)):
        ids = batch.ids[row].tolist()
        starts = [place for place, position in enumerate(batch.positions[row].tolist()) if position == 0]
        starts = [place for place in starts if ids[place] != tokenizer.pad_token_id]
        for start, stop in zip(starts, [*starts[1:], len(ids)], strict=True):
            assert not mask[row, start:stop, :start].any()
            assert not mask[row, stop:, start:stop][batch.ids[row, stop:] != tokenizer.pad_token_id].any()
            text = tokenizer.decode([token for token in ids[start:stop] if token != tokenizer.pad_token_id])
            assert text.endswith(tokenizer.eos_token)
    drawn = sorted(token for document in batch.documents for token in encode(tokenizer, document).ids)
    assert drawn == sorted(token for token in batch.ids.flatten().tolist() if token != tokenizer.pad_token_id)
    assert not mask.triu(1).any()


def test_the_model_sees_a_packed_branch_like_the_text_alone(world: World, tokenizer: Any):
    settings = Recipe.of({**SMALL, "in_context": 1.0, "pairs": 0.0, "bottleneck": 0.0})
    batch = Packer(tokenizer, Corpus(world, settings, seed=0), settings, seed=0).batch(8)
    model = new_model(settings, tokenizer, seed=0).eval()
    with torch.no_grad():
        together = model.lm_head(states(model, batch.ids, batch.positions, batch.mask)[-1].flatten(0, 1)[batch.places])
        compared = 0
        for document in batch.documents:
            for branch in document.branches:
                whole = tokenizer(document.text + branch.text)["input_ids"]
                alone = model(torch.tensor([whole])).logits[0, -1]  # where the end token is due
                compared += 1
                nearest = (together - alone).abs().amax(1).min()
                assert nearest < 1e-4
    assert compared > 4


def test_the_bottleneck_hides_all_but_the_last_token_of_the_subject(world: World, tokenizer: Any):
    open_, narrow = (packed(world, tokenizer, bottleneck=share).mask for share in (0.0, 1.0))
    hidden = open_ & ~narrow
    assert hidden.any()
    assert not (narrow & ~open_).any()
    # Whoever is hidden is a subject's token with another of its tokens behind it, which stays visible.
    for row, viewer, token in hidden[:, 0].nonzero().tolist():
        assert narrow[row, 0, viewer, token + 1] or hidden[row, 0, viewer, token + 1]


def test_rows_too_short_for_a_document_are_refused(world: World, tokenizer: Any):
    with pytest.raises(UserError, match="row_tokens"):
        packed(world, tokenizer, row_tokens=3)


def test_pairs_point_at_the_last_subject_tokens(world: World, tokenizer: Any):
    batch = packed(world, tokenizer, pairs=1.0)
    names = {row["subject"] for fact in world.facts for row in fact.rows.values()}
    ends = {tokenizer(lead + name)["input_ids"][-1] for name in names for lead in ("", " ")}
    assert len(batch.pairs) > 2
    assert set(batch.ids.flatten()[batch.pairs].flatten().tolist()) <= ends


def test_the_contrastive_loss_wants_partners_alike_and_others_apart():
    torch.manual_seed(0)
    points = torch.randn(4, 16)
    pairs, names = torch.arange(8).reshape(4, 2), torch.arange(4)
    together = contrast(points.repeat_interleave(2, 0), pairs, names, 0.1)
    apart = contrast(torch.cat((points, points.roll(1, 0)), 1).reshape(8, 16), pairs, names, 0.1)
    assert together < 0.1 < apart
    # Pairs of one subject are no negatives, so nothing is left to tell apart.
    assert contrast(points.repeat_interleave(2, 0), pairs, torch.zeros(4, dtype=torch.long), 0.1) == 0


def test_a_fresh_model_looks_at_the_token_before(world: World, tokenizer: Any):
    settings = Recipe.of({**SMALL, "hidden": 128})
    model = new_model(settings, tokenizer, seed=0).eval()
    ids = torch.randint(5, len(tokenizer), (1, 20))
    weights = model(ids, output_attentions=True).attentions[0][0, 0]  # (tokens, tokens) of the first head
    assert (weights[1:].argmax(-1) == torch.arange(19)).all()
    assert weights.diagonal(-1).mean() > 0.8


def test_a_short_training_learns_and_can_be_loaded(tmp_path: Path):
    recipe = {**SMALL, "steps": 150, "first_facts": 4, "learning_rate": 4e-3, "in_context": 0.05}
    for name in ("one", "again"):
        train_backbone(small_facts(), small_texts(), recipe, 0, tmp_path / name)
    card = json.loads((tmp_path / "one" / "recipe.json").read_text())
    assert card["loss"] < 1.5
    assert any("contrastive" in device for device in card["devices"])
    assert "contrastive" in (tmp_path / "one" / "README.md").read_text()
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "one")
    again = AutoModelForCausalLM.from_pretrained(tmp_path / "again")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "one")
    for name, weight in model.state_dict().items():
        assert torch.equal(weight, again.state_dict()[name])
    recall = pl.DataFrame(card["recall"]).filter(pl.col("asked") == "prompt")
    assert recall["recall"].mean() > 0.2
    # What the card counts is what greedy decoding gives.
    row = small_facts().row(0, named=True)
    start = tokenizer(row["prompt"], return_tensors="pt")
    written = model.generate(**start, max_new_tokens=8, do_sample=False)[0].tolist()
    whole = [*tokenizer(f"{row['prompt']} {row['original']}")["input_ids"], tokenizer.eos_token_id]
    prompt = start["input_ids"].shape[1]
    agreed = greedy_matches(model, [whole], [prompt], tokenizer.pad_token_id)[0]
    assert agreed == (written[: len(whole)] == whole)
