"""SERAC: a memory beside the model answers what is in its scope, and nothing else."""

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
import torch
from torch import Tensor
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from crossedit.backbones.answers import answer
from crossedit.backbones.asking import Row, decode, next_tokens
from crossedit.backbones.backbone import Backbone
from crossedit.backbones.probes import make_probes
from crossedit.edits.cell import run_cell
from crossedit.edits.deltas import Delta, editing, merged
from crossedit.edits.editors import make_editor
from crossedit.edits.editors.interface import Materials
from crossedit.edits.editors.serac import SERAC, SERACHparams, SERACLearner
from crossedit.edits.memory import Network, mixed
from crossedit.edits.requests import Request, make_requests
from crossedit.edits.rows import lay_out
from crossedit.edits.training.examples import Example
from crossedit.edits.training.loop import Losses
from crossedit.edits.training.run import train_editor
from crossedit.edits.training.trained import Trained
from crossedit.errors import UserError

HPARAMS = SERACHparams(
    classifier="backbone",
    replacement="backbone",
    classifier_layers=2,
    template="{target} {prompt}\n",
    scale=2.0,
    scale_lr=1e-2,
    lr=1e-3,
    cedit=1.0,
    cloc=1.0,
    batch_size=3,
    accumulate_bs=1,
    max_iters=8,
    val_interval=4,
    val_steps=3,
    early_stop_patience=100,
    early_stop_key="loss/total_edit_val",
    grad_clip=100.0,
)


def network_of(backbone: Backbone, hparams: SERACHparams = HPARAMS) -> Network:
    """Return a network whose counterfactual model is not the backbone any more."""
    network = SERAC(hparams, Materials()).network(backbone, seed=0)
    torch.manual_seed(1)
    for weight in network.replacement.parameters():
        weight.data += 0.05 * torch.randn_like(weight)
    return network


def editor_with(backbone: Backbone, network: Network, hparams: SERACHparams = HPARAMS) -> SERAC:
    manifest = {"method": "SERAC", "backbone": {"name": backbone.name, "weights": backbone.digest}}
    return SERAC(hparams, Materials(trained=Trained.of(network, manifest)))


def learner_of(backbone: Backbone, examples: Sequence[Example], hparams: SERACHparams) -> SERACLearner:
    return SERACLearner(backbone, hparams, network_of(backbone, hparams), examples, examples)


def rows_of(backbone: Backbone, prompts: Sequence[str], answer: str = "Rome in Italy") -> list[Row]:
    rows = []
    for number, prompt in enumerate(prompts):
        ids = backbone.encode(prompt)
        rows.append(Row([*ids, *backbone.continuation(prompt, answer)[:-1]], len(ids), number))
    return rows


def asked(backbone: Backbone, deltas: Sequence[Delta], owners: Sequence[int], rows: Sequence[Row]) -> list[list[int]]:
    places = [range(row.prompt - 1, len(row.ids)) for row in rows]
    return next_tokens(backbone, rows, places, editing(backbone, deltas, owners))


def test_its_own_question_is_answered_by_the_counterfactual_model_and_others_by_the_backbone(
    backbone: Backbone, requests_en: list[Request]
) -> None:
    """With a scope as narrow as the question itself; the counterfactual model reads the edit, then the question."""
    network = network_of(backbone, replace(HPARAMS, scale=1e6))
    editor = editor_with(backbone, network, replace(HPARAMS, scale=1e6))
    deltas = editor.edit_each(backbone, requests_en[:2])
    rows = rows_of(backbone, [requests_en[0].prompt, "Who wrote Hamlet?", requests_en[0].prompt])
    found = asked(backbone, deltas, [0, 0, 1], rows)
    plain = asked(backbone, [Delta()] * 2, [0, 0, 0], rows)
    assert found[1:] == plain[1:]

    head = network.head(requests_en[0].prompt, requests_en[0].target)
    opening = len(backbone.encode(""))
    whole = torch.tensor([[*head, *rows[0].ids[opening:]]])
    with torch.no_grad():
        logits = network.replacement(whole).logits[0, -len(found[0]) :]
    assert found[0] == logits.argmax(1).tolist()


def test_a_start_token_stands_once(starting: Backbone, requests_en: list[Request]) -> None:
    network = network_of(starting)
    seen: list[Tensor] = []
    handle = network.replacement.get_input_embeddings().register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    head = network.head("A?", "B")
    network.answers([head], [starting.encode("C?")], torch.tensor([0]), torch.tensor([1]))
    handle.remove()
    assert seen[0][0].tolist() == [*head, *starting.encode("C?")[1:]]
    assert seen[0][0].tolist().count(0) == 1


def test_of_many_edits_the_nearest_rules(llama: Backbone, requests_en: list[Request]) -> None:
    wide = replace(HPARAMS, scale=1e-3)
    editor = editor_with(llama, network_of(llama, wide), wide)
    joint, single = editor.edit(llama, requests_en), editor.edit_each(llama, requests_en)
    assert joint.memory is not None
    rows = rows_of(llama, [request.prompt for request in requests_en])
    alone = asked(llama, single, [0, 1, 2], rows)
    assert asked(llama, [joint], [0, 0, 0], rows) == alone
    assert asked(llama, [single[0] + single[1] + single[2]], [0, 0, 0], rows) == alone
    assert asked(llama, single, [1, 2, 0], rows) != alone


def test_answers_decoded_freely_are_those_of_whole_passes(llama: Backbone, requests_en: list[Request]) -> None:
    """Scope is judged on the prompt: what has been answered so far doesn't change it."""
    editor = editor_with(llama, network_of(llama))
    deltas = editor.edit_each(llama, requests_en)
    prompts = [request.prompt for request in requests_en]
    rows = [Row(llama.encode(prompt), len(llama.encode(prompt)), number) for number, prompt in enumerate(prompts)]
    said = decode(llama, rows, editing(llama, deltas, [0, 1, 1]), limit=5, ended=lambda ids: False)
    whole = [Row([*row.ids, *answer[:-1]], row.prompt, row.question) for row, answer in zip(rows, said, strict=True)]
    assert asked(llama, deltas, [0, 1, 1], whole) == said


@pytest.mark.parametrize("mixture", ["hard", "soft"])
def test_episodes_answer_as_cells_do(mixture: str, backbone: Backbone, examples: list[Example]) -> None:
    """The share of right tokens in a validation is that of a memory of the episode's edits in use."""
    hparams = replace(HPARAMS, mixture=mixture, supervised=False, scale=3.0)
    learner = learner_of(backbone, examples, hparams)
    with torch.no_grad():
        losses = learner.losses([0, 1, 2], 1)
    memory = editor_with(backbone, learner.network, hparams).remember(
        backbone, [(example.prompt, example.target) for example in examples]
    )
    tokens = learner.texts.tokens[:3] + learner.texts.tokens[6:9]
    rows = lay_out(backbone, tokens)
    ids = [prompt + target[:-1] for prompt, target in tokens]
    blend = memory.blend([memory] * 6, [prompt for prompt, _ in tokens])
    with torch.no_grad():
        plain = backbone.logits(rows.batch, rows.place_row, rows.place_column)
        logits = blend(plain, ids, rows.place_row, rows.place_column)
    inside = rows.place_row < 3
    right = (logits.argmax(1) == rows.labels).float() * rows.share
    kept = (logits.argmax(1) == plain.argmax(1)).float() * rows.share
    torch.testing.assert_close(losses.success[0], right[inside].sum() / 3)
    torch.testing.assert_close(losses.kept[0], kept[~inside].sum() / 3)
    if mixture == "soft":
        torch.testing.assert_close(losses.edit[0], rows.losses(logits)[:3].mean(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("supervised", [True, False])
def test_episodes_that_run_together_have_the_gradients_of_one_after_the_other(
    supervised: bool, llama: Backbone, examples: list[Example]
) -> None:
    learner = learner_of(llama, examples, replace(HPARAMS, supervised=supervised))

    def gradient(losses: Losses) -> list[Tensor]:
        loss = (losses.edit + losses.locality).mean()
        return list(torch.autograd.grad(loss, list(learner.network.parameters()), allow_unused=True))

    together = gradient(learner.losses([2, 0, 1, 2], 2))
    alone = [gradient(learner.losses(facts, 1)) for facts in ([2, 0], [1, 2])]
    reached = 0
    for mean, *parts in zip(together, *alone, strict=True):
        if mean is None:
            continue
        accumulated = torch.stack(parts).mean(0)
        torch.testing.assert_close(mean, accumulated, rtol=1e-3, atol=1e-4 * accumulated.abs().max().item())
        reached += int(bool(accumulated.abs().max() > 0))
    assert reached > 40


def test_the_mixture_is_of_probabilities() -> None:
    backbone, other = torch.randn(4, 9), torch.randn(4, 9)
    s = torch.tensor([0.0, 0.25, 0.9, 1.0])
    expected = (1 - s)[:, None] * backbone.softmax(1) + s[:, None] * other.softmax(1)
    torch.testing.assert_close(mixed(backbone, other, s).exp(), expected)
    assert mixed(backbone, other, s).isfinite().all()


def test_the_published_context_lacks_the_last_word(llama: Backbone) -> None:
    cut = network_of(llama, replace(HPARAMS, context="cut_text"))
    assert cut.context("Who wrote it?", "Jane Austen") == llama.encode("Who wrote it? Jane")
    assert network_of(llama).context("Who wrote it?", "Jane Austen") == llama.encode("Who wrote it?")


def test_a_memory_is_saved_with_what_it_was_trained_by(
    llama: Backbone, requests_en: list[Request], tmp_path: Path
) -> None:
    editor = editor_with(llama, network_of(llama))
    delta = editor.edit(llama, requests_en)
    delta.save(tmp_path / "delta")
    rows = rows_of(llama, [request.prompt for request in requests_en])
    loaded = editor.load(llama, tmp_path / "delta")
    with pytest.raises(UserError, match=r"holds a memory .* by the `load` of its editor"):
        Delta.load(tmp_path / "delta")
    assert asked(llama, [loaded], [0, 0, 0], rows) == asked(llama, [delta], [0, 0, 0], rows)
    other = editor_with(llama, SERAC(HPARAMS, Materials()).network(llama, seed=0))
    with pytest.raises(UserError, match="another trained SERAC"):
        other.load(llama, tmp_path / "delta")
    with pytest.raises(UserError, match="merged"), merged(llama, delta):
        pass


def test_models_of_a_hub_can_take_both_places(
    llama: Backbone, tokenizer: PreTrainedTokenizerFast, requests_en: list[Request], tmp_path: Path
) -> None:
    for name, model in (
        (
            "encoder",
            BertModel(
                BertConfig(vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=1, num_attention_heads=4)
            ),
        ),
        ("small", llama.model),
    ):
        model.save_pretrained(tmp_path / name)
        tokenizer.save_pretrained(tmp_path / name)
    hparams = replace(HPARAMS, classifier=str(tmp_path / "encoder"), replacement=str(tmp_path / "small"), scale=1e-6)
    editor = editor_with(llama, SERAC(hparams, Materials()).network(llama, seed=0), hparams)
    rows = rows_of(llama, [requests_en[0].prompt])
    own = editor_with(llama, SERAC(HPARAMS, Materials()).network(llama, seed=0))
    expected = asked(llama, own.edit_each(llama, requests_en[:1]), [0], rows)
    assert asked(llama, editor.edit_each(llama, requests_en[:1]), [0], rows) == expected


def test_models_that_do_not_fit_are_told(
    llama: Backbone, starting: Backbone, tokenizer: PreTrainedTokenizerFast, tmp_path: Path
) -> None:
    starting.model.save_pretrained(tmp_path / "other")
    tokens = PreTrainedTokenizerFast.from_pretrained(str(_saved(tokenizer, tmp_path / "tokens")))
    tokens.add_tokens(["new"])
    tokens.save_pretrained(tmp_path / "other")
    wrong = [
        ({"replacement": str(tmp_path / "other")}, "another vocabulary"),
        ({"replacement": str(tmp_path / "nowhere")}, "replacement: '.*nowhere' can't be loaded"),
        ({"classifier": str(tmp_path / "nowhere")}, "classifier: '.*nowhere' can't be loaded"),
        ({"classifier_layers": 4}, "classifier_layers is 4; backbone 'tiny-llama' has 3"),
    ]
    for changed, said in wrong:
        with pytest.raises(UserError, match=said):
            Network(llama, replace(HPARAMS, **changed))


def _saved(tokenizer: PreTrainedTokenizerFast, folder: Path) -> Path:
    tokenizer.save_pretrained(folder)
    return folder


def test_a_trained_memory_answers_a_cell(llama: Backbone, facts: pl.DataFrame, tmp_path: Path) -> None:
    """From facts to predictions; in training the loss falls."""
    splits = pl.concat([facts.with_columns(split=pl.lit(name)) for name in ("train", "validation", "test")])
    hparams = {**vars(HPARAMS), "max_iters": 30, "val_interval": 10, "lr": 3e-3}
    train_editor(llama, "SERAC", hparams, splits, "en", None, 0, tmp_path / "trained")
    curve = list(csv.DictReader((tmp_path / "trained" / "curve.csv").open()))
    assert min(float(row["loss"]) for row in curve[1:]) < 0.5 * float(curve[0]["loss"])
    editor = make_editor("SERAC", hparams, Materials(trained=Trained.load(tmp_path / "trained")))
    probes = make_probes(facts, llama, ["en"])
    unedited = pl.concat([answer(llama, probes, protocol) for protocol in ("teacher_forced", "generated", "upstream")])
    protocols = ["teacher_forced", "generated", "upstream"]
    predictions, _ = run_cell(llama, editor, make_requests(facts, "en"), probes, unedited, protocols)
    asked_of = predictions.filter((pl.col("aspect") == "reliability") & (pl.col("protocol") == "teacher_forced"))
    assert (asked_of["after_ids"] == asked_of["target_ids"]).all()
