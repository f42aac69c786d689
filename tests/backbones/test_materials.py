"""What is measured of a backbone before anything is edited: contexts, covariances, the tail of a forward pass."""

import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
import torch
from torch import Tensor, nn

from crossedit.backbones import covariance
from crossedit.backbones.backbone import Backbone
from crossedit.backbones.contexts import write_contexts
from crossedit.backbones.covariance import covariances, load_covariances, save_covariances
from crossedit.backbones.tail import Tail
from crossedit.backbones.texts import fact_texts, file_texts
from crossedit.errors import UserError
from crossedit.models import first_tensor

ROWS = [[5, 6, 7, 8, 9, 10], [11, 12], [13, 14, 15, 16]]
TEXTS = ["France is a country in Europe", "意大利是一个国家", "The capital", "", "The capital of Peru is Lima"]


@torch.no_grad()
def whole_model(backbone: Backbone, ids: list[list[int]]) -> Tensor:
    states: Tensor = backbone.model.base_model(**backbone.batch(ids).inputs(), use_cache=False).last_hidden_state
    return states


@pytest.mark.parametrize("start", [0, 1, 2, 3])
def test_the_tail_ends_where_the_model_ends(start: int, backbone: Backbone) -> None:
    tail = Tail(backbone, backbone.batch(ROWS), start)
    expected = whole_model(backbone, ROWS)
    real = tail.batch.mask.bool()
    torch.testing.assert_close(tail()[real], expected[real], rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(tail()[real], expected[real], rtol=1e-5, atol=1e-5)  # again, from the same states
    rows = torch.tensor([2, 0])
    part = tail.select(rows)
    torch.testing.assert_close(part()[real[rows]], expected[rows][real[rows]], rtol=1e-5, atol=1e-5)
    last = part.select(torch.tensor([1]))
    torch.testing.assert_close(last()[0, : len(ROWS[0])], expected[0, : len(ROWS[0])], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("start", "stop"), [(0, 0), (1, 1), (1, 0), (0, 2), (3, 2)])
@torch.no_grad()
def test_a_tail_may_stop_early_and_begin_with_other_states(start: int, stop: int, backbone: Backbone) -> None:
    """It ends with the final norm of what comes out of layer `stop`, or of what goes in where no layer is run."""
    batch, states = backbone.batch(ROWS), []
    module = backbone.module(backbone.architecture.layer.format(stop))
    handle = module.register_forward_hook(lambda _, __, output: states.append(first_tensor(output)))
    backbone.model(**batch.inputs())
    handle.remove()
    tail, real = Tail(backbone, batch, start, stop), batch.mask.bool()
    expected = backbone.module(backbone.architecture.final_norm)(states[0])
    torch.testing.assert_close(tail()[real], expected[real], rtol=1e-5, atol=1e-5)
    assert (tail(tail.hidden * torch.linspace(0, 2, 32)) - expected)[real].abs().max() > 1e-2


@pytest.mark.parametrize("start", [0, 1])
def test_hooks_act_on_the_tail_as_on_the_model(start: int, backbone: Backbone) -> None:
    tail = Tail(backbone, backbone.batch(ROWS), start)
    before = tail()

    def louder(_: nn.Module, __: object, output: Tensor) -> Tensor:
        return 3 * output

    handle = backbone.module(backbone.architecture.mlp_out.format(1)).register_forward_hook(louder)
    try:
        expected, found = whole_model(backbone, ROWS), tail()
    finally:
        handle.remove()
    real = tail.batch.mask.bool()
    torch.testing.assert_close(found[real], expected[real], rtol=1e-5, atol=1e-5)
    assert (found - before)[real].abs().max() > 1e-2
    torch.testing.assert_close(tail(), before)


def test_covariances_are_the_mean_over_real_tokens(backbone: Backbone) -> None:
    found, used = covariances(backbone, TEXTS, [0, 2], tokens=1000, batch_tokens=24)
    rows = [backbone.encode(text) for text in TEXTS if text]
    assert used == sum(len(row) for row in rows)
    for layer in (0, 2):
        keys: list[Tensor] = []
        module = backbone.module(backbone.architecture.mlp_out.format(layer))
        handle = module.register_forward_pre_hook(lambda _, args, keys=keys: keys.append(args[0][0]))
        for row in rows:
            backbone.model(torch.tensor([row]))
        handle.remove()
        stacked = torch.cat(keys)
        torch.testing.assert_close(found[layer], stacked.T @ stacked / len(stacked), rtol=1e-3, atol=1e-4)
    assert set(found) == {0, 2}


def test_nothing_above_the_last_layer_is_run(backbone: Backbone) -> None:
    above: list[object] = []
    module = backbone.module(backbone.architecture.layer.format(1))
    handle = module.register_forward_hook(lambda *_: above.append(1))
    ids = torch.tensor([backbone.encode(TEXTS[0])])
    before = backbone.model(ids).logits
    above.clear()
    found, _ = covariances(backbone, TEXTS, [0, 1], tokens=1000)
    handle.remove()
    assert not above
    assert set(found) == {0, 1}
    assert torch.equal(backbone.model(ids).logits, before)


def test_texts_are_read_no_further_than_the_tokens_reach(llama: Backbone) -> None:
    read: list[str] = []

    def texts() -> Iterator[str]:
        for text in TEXTS * 1000:
            read.append(text)
            yield text

    covariances(llama, texts(), [0], tokens=100)
    assert sum(len(llama.encode(text)) for text in read[:-1]) < 100


def test_covariances_do_not_depend_on_the_batches(llama: Backbone, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, used = covariances(llama, TEXTS * 3, [0, 1], tokens=1000)
    monkeypatch.setattr(covariance, "BATCHES_SORTED", 2)
    parts, again = covariances(llama, TEXTS * 3, [0, 1], tokens=1000, batch_tokens=40)
    assert again == used
    for layer in whole:
        torch.testing.assert_close(parts[layer], whole[layer], rtol=1e-4, atol=1e-5)


def test_a_long_text_is_cut_off(llama: Backbone) -> None:
    assert covariances(llama, ["The capital of Peru is Lima. " * 500], [0], tokens=10_000)[1] == 256  # its positions
    assert covariances(llama, ["The capital of Peru is Lima. " * 500], [0], tokens=10_000, batch_tokens=100)[1] == 100


def test_covariances_stop_after_enough_tokens(llama: Backbone) -> None:
    first, second = (len(llama.encode(text)) for text in TEXTS[:2])
    assert covariances(llama, TEXTS, [0], tokens=first)[1] == first
    assert covariances(llama, TEXTS, [0], tokens=first + 1)[1] == first + second
    with pytest.raises(UserError, match="covariance_text: the texts are empty"):
        covariances(llama, ["", ""], [0], tokens=10)
    assert not any(module._forward_pre_hooks for module in llama.model.modules())


def test_saved_covariances_belong_to_their_weights(llama: Backbone, gpt2: Backbone, tmp_path: Path) -> None:
    found, used = covariances(llama, TEXTS, [0, 1], tokens=1000)
    path = tmp_path / "covariance.safetensors"
    save_covariances(found, path, llama, used)
    loaded = load_covariances(path, llama, [1])
    assert list(loaded) == [1]
    assert torch.equal(loaded[1], found[1])
    with pytest.raises(UserError, match="belongs to other weights than backbone 'tiny-gpt2'"):
        load_covariances(path, gpt2, [1])


def test_a_layer_without_saved_covariance_is_named(llama: Backbone, tmp_path: Path) -> None:
    path = tmp_path / "covariance.safetensors"
    save_covariances({0: torch.eye(2)}, path, llama, 1)
    with pytest.raises(UserError, match=r"holds no covariance of layer 2; it has layers \[0\]"):
        load_covariances(path, llama, [0, 2])


def test_contexts_are_drawn_by_seed(llama: Backbone) -> None:
    first = write_contexts(llama, ["en", "zh"], lengths=[4, 8], number=4, seed=0)
    assert write_contexts(llama, ["en", "zh"], lengths=[4, 8], number=4, seed=0) == first
    assert write_contexts(llama, ["en", "zh"], lengths=[4, 8], number=4, seed=1) != first
    assert {length: len(texts) for length, texts in first.items()} == {4: 4, 8: 4}
    for text in first[8]:
        assert not set(text) & set("{}\n")
    # The languages in turn, each by an opener of its own.
    assert [text[0] for text in first[8]] == ["T", "这", "T", "因"]


def test_contexts_have_their_length_in_tokens(llama: Backbone, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[list[int]] = []
    monkeypatch.setattr(type(llama), "decode", lambda _, ids: decoded.append(list(ids)) or "a text")
    write_contexts(llama, ["en"], lengths=[9, 12], number=3, seed=0)
    assert [len(ids) for ids in decoded] == [9] * 3 + [12] * 3
    assert not any(llama.tokenizer.eos_token_id in ids for ids in decoded)


def test_the_texts_of_several_files_are_taken_in_turn(tmp_path: Path) -> None:
    lines, plain = tmp_path / "en.jsonl", tmp_path / "zh.txt"
    lines.write_text("\n".join(json.dumps({"text": text}) for text in ("one", "two", "three")), encoding="utf-8")
    plain.write_text("一\n\n二\n", encoding="utf-8")
    assert list(file_texts([lines, plain])) == ["one", "一", "two", "二", "three"]
    assert list(file_texts([])) == []


def test_a_file_is_read_no_further_than_its_texts_are_wanted(tmp_path: Path) -> None:
    lines = tmp_path / "en.jsonl"
    lines.write_text('{"text": "one"}\n\n{"text": "two"}\nno JSON', encoding="utf-8")
    texts = file_texts([lines])
    assert [next(texts), next(texts)] == ["one", "two"]
    with pytest.raises(UserError, match="line 4 is no JSON object"):
        next(texts)


def test_only_texts_of_the_wanted_languages_are_taken(facts: pl.DataFrame, tmp_path: Path) -> None:
    mixed = tmp_path / "mixed.jsonl"
    records = [{"text": "one", "lang": "en"}, {"text": "一", "lang": "zh"}, {"text": "1"}]
    mixed.write_text("\n".join(json.dumps(record) for record in records), encoding="utf-8")
    assert list(file_texts([mixed], ["en"])) == ["one", "1"]
    assert list(file_texts([mixed])) == ["one", "一", "1"]
    assert fact_texts(facts, ["zh"]) == fact_texts(facts.filter(pl.col("lang") == "zh"))
    assert len(fact_texts(facts)) == 2 * len(fact_texts(facts, ["zh"]))


def test_a_text_file_with_a_mistake_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"covariance_text: '.*nowhere\.txt' doesn't exist"):
        list(file_texts([tmp_path / "nowhere.txt"]))
    foreign = tmp_path / "foreign.txt"
    foreign.write_bytes("Größe".encode("latin-1"))
    with pytest.raises(UserError, match="is no UTF-8 text"):
        list(file_texts([foreign]))
    for number, mistake in enumerate(('{"title": "x"}', "[1]", '{"text": ')):
        broken = tmp_path / f"{number}.jsonl"
        broken.write_text('{"text": "one"}\n' + mistake, encoding="utf-8")
        with pytest.raises(UserError, match=r"\.jsonl: line 2 is no JSON object with a `text`"):
            list(file_texts([broken]))


def test_facts_as_texts_hold_the_answer_before_the_edit(facts: pl.DataFrame) -> None:
    training = facts.filter(pl.col("lang") == "en").with_columns(split=pl.lit("train"))
    texts = fact_texts(training)
    assert texts[:3] == [
        "What is the capital of France? Paris",
        "Name the capital of France? Paris",
        "Who wrote Hamlet? Shakespeare",
    ]
    assert len(texts) == 9
    assert len(fact_texts(training.with_columns(original=pl.lit(None, pl.String)))) == 3


def test_what_is_measured_on_test_facts_is_in_no_statistics(facts: pl.DataFrame) -> None:
    texts = fact_texts(facts.filter(pl.col("lang") == "en"))
    assert texts == [
        "What is the capital of France? Paris",
        "Italy has which capital city? Rome",
        "The capital of Peru is? Lima",
    ]
