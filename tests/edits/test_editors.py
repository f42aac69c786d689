"""What holds for every editor: together is as one at a time, and the backbone stays as it was."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from crossedit.backbones.asking import Asking
from crossedit.backbones.backbone import Backbone, weights_digest
from crossedit.backbones.covariance import covariances
from crossedit.edits.deltas import Delta, with_deltas
from crossedit.edits.editors import EDITORS, make_editor
from crossedit.edits.editors.interface import Editor, Materials
from crossedit.edits.editors.trained import TrainedEditor
from crossedit.edits.requests import Request
from crossedit.edits.retrieval import Pool
from crossedit.edits.rows import target_rows
from crossedit.edits.training.trained import Trained
from crossedit.errors import UserError
from crossedit.models import matrix

SEARCH = {
    "v_lr": 0.3,
    "v_num_grad_steps": 12,
    "v_weight_decay": 1e-3,
    "clamp_norm_factor": 8,
    "kl_factor": 0.0625,
    "mom2_adjustment": True,
    "context_template_length_params": [[3, 2]],
}
RIDGED = {**SEARCH, "mom2_ridge": 0.01}
TRAINING = {
    "lr": 1e-4,
    "cedit": 0.1,
    "cloc": 1.0,
    "batch_size": 1,
    "accumulate_bs": 2,
    "max_iters": 8,
    "val_interval": 4,
    "val_steps": 3,
    "early_stop_patience": 100,
    "early_stop_key": "loss/total_edit_val",
    "grad_clip": 100.0,
}
LORA = {"layers": [], "rank": 4, "lora_alpha": 8, "lora_dropout": 0.1, "lr": 1e-2, "num_steps": 8}
HPARAMS = {
    "FT-L": {"layers": [1], "lr": 5e-3, "num_steps": 8, "objective_optimization": "prompt_last"},
    "FT-M": {"layers": [1, 2], "lr": 5e-3, "num_steps": 40, "objective_optimization": "target_new"},
    "LoRA": LORA,
    "AdaLoRA": {**LORA, "orth_reg_weight": 0.5},
    "KN": {"steps": 4, "adaptive_threshold": 0.3},
    "ROME": {**RIDGED, "layers": [1]},
    "R-ROME": {**RIDGED, "layers": [1]},
    "MEMIT": {**RIDGED, "layers": [0, 1], "mom2_update_weight": 1e-3},
    "EMMET": {**RIDGED, "layers": [1], "mom2_update_weight": 1e-3},
    "PMET": {**RIDGED, "layers": [0, 1], "mom2_update_weight": 1e-3},
    "AlphaEdit": {**SEARCH, "layers": [0, 1], "nullspace_threshold": 0.5, "nullspace_relative": True, "L2": 1e-4},
    "IKE": {"k": 2},
    "ICE": {"template": "imagine"},
    "GRACE": {"layers": [1], "module": "mlp_out", "edit_lr": 0.3, "n_iter": 60, "eps": 1.0, "loss_tolerance": 1e-2},
    "MEND": {**TRAINING, "layers": [1, 2], "rank": 5, "n_hidden": 1, "edit_lr": 0.1, "lr_lr": 1e-4},
    "SERAC": {**TRAINING, "classifier": "backbone", "replacement": "backbone"},
}
# Editors whose delta is not of weights.
IN_CONTEXT = {"IKE", "ICE"}
GATED = {"GRACE", "SERAC"}
WEIGHT_EDITORS = sorted(set(HPARAMS) - IN_CONTEXT - GATED)
# Editors that search for a value and write it at a key.
VALUE_EDITORS = [method for method in WEIGHT_EDITORS if "v_lr" in HPARAMS[method]]
ONE_BY_ONE = [method for method, editor in EDITORS.items() if not editor.holds_many]


def editor_of(method: str, backbone: Backbone, requests: list[Request], **changed: object) -> Editor:
    texts = ["France is a country in Europe", "意大利是一个国家", "The capital of Peru is Lima"]
    pool = Pool(
        ["demo one\n\n", "demo two\n\n", "demo three\n\n"],
        torch.eye(3),
        {request.case_id: torch.tensor([3.0, 1.0, 2.0]).roll(request.case_id - 1) for request in requests},
    )
    materials = Materials({3: ["I see", "You are"]}, covariances(backbone, texts, [0, 1], 1000)[0], pool)
    editor = make_editor(method, {**HPARAMS[method], **changed}, materials)
    if isinstance(editor, TrainedEditor):
        manifest = {"method": method, "backbone": {"name": backbone.name, "weights": backbone.digest}}
        untrained = Trained.of(editor.network(backbone, seed=0), manifest)
        return make_editor(method, {**HPARAMS[method], **changed}, replace(materials, trained=untrained))
    return editor


def dense(delta: Delta, backbone: Backbone) -> dict[str, Tensor]:
    return {name: term.dense(*matrix(backbone.module(name)).shape) for name, term in delta.terms.items()}


def test_every_editor_is_tried_here() -> None:
    assert set(HPARAMS) == set(EDITORS)


@pytest.mark.parametrize("method", WEIGHT_EDITORS)
def test_edits_found_together_are_those_found_alone(
    method: str, backbone: Backbone, requests_en: list[Request], requests_zh: list[Request]
) -> None:
    requests = [*requests_en, *requests_zh]
    editor = editor_of(method, backbone, requests)
    together = editor.edit_each(backbone, requests)
    for request, delta in zip(requests, together, strict=True):
        alone = dense(editor.edit_each(backbone, [request])[0], backbone)
        for name, weight in dense(delta, backbone).items():
            torch.testing.assert_close(weight, alone[name], rtol=2e-3, atol=2e-5)
            assert weight.abs().max() > 1e-3


@pytest.mark.parametrize("method", list(HPARAMS))
def test_what_was_edited_before_changes_no_bit(method: str, llama: Backbone, requests_en: list[Request]) -> None:
    """A shard of a cell edits some batches of facts; an editor that has edited others before finds the same there."""
    first, then = requests_en[:1], requests_en[1:]
    fresh, used = (editor_of(method, llama, requests_en) for _ in range(2))
    used.edit_each(llama, first)
    torch.rand(7)  # what is drawn elsewhere doesn't matter either
    for alone, after in zip(fresh.edit_each(llama, then), used.edit_each(llama, then), strict=True):
        assert alone.context == after.context
        assert (alone.memory is None) == (after.memory is None)
        for name, term in alone.terms.items():
            others = after.terms[name].tensors()
            assert all(torch.equal(tensor, others[part]) for part, tensor in term.tensors().items())


@pytest.mark.parametrize("method", list(HPARAMS))
def test_the_backbone_is_left_as_it_was(method: str, llama: Backbone, requests_en: list[Request]) -> None:
    pristine = weights_digest(llama.model)
    deltas = editor_of(method, llama, requests_en).edit_each(llama, requests_en)
    with with_deltas(llama, deltas, [0, 1, 2], Asking([0, 1, 2], [[5, 6]] * 3, torch.tensor([1, 1, 1]))):
        llama.model(**llama.batch([[5, 6]] * 3).inputs())
    assert weights_digest(llama.model) == pristine
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in llama.model.modules())


@pytest.mark.parametrize("method", sorted({*VALUE_EDITORS} - {"PMET"}))  # which writes only a part of what it finds
def test_an_edit_makes_the_new_answer_likelier(method: str, backbone: Backbone, requests_en: list[Request]) -> None:
    """A random model's attention hardly carries the subject's state to the end, so that more can't be asked of it."""
    free = {"layers": [1], "kl_factor": 0.0, "context_template_length_params": []}
    deltas = editor_of(method, backbone, requests_en, **free).edit_each(backbone, requests_en)
    rows = target_rows(backbone, requests_en)
    before = rows.losses(backbone.logits(rows.batch, rows.place_row, rows.place_column))
    with with_deltas(backbone, deltas, [0, 1, 2]):
        after = rows.losses(backbone.logits(rows.batch, rows.place_row, rows.place_column))
    assert (after < before).all()


@pytest.mark.parametrize("method", ["FT-L", "FT-M", "LoRA", "AdaLoRA", "MEMIT", "EMMET", "PMET", "AlphaEdit"])
def test_a_joint_edit_of_one_fact_is_the_single_edit(method: str, llama: Backbone, requests_en: list[Request]) -> None:
    editor = editor_of(method, llama, requests_en)
    joint, single = editor.edit(llama, requests_en[:1]), editor.edit_each(llama, requests_en[:1])[0]
    for name, weight in dense(joint, llama).items():
        torch.testing.assert_close(weight, dense(single, llama)[name])


@pytest.mark.parametrize("method", ONE_BY_ONE)
def test_several_facts_at_once_are_refused_where_the_method_has_no_such_thing(
    method: str, llama: Backbone, requests_en: list[Request]
) -> None:
    with pytest.raises(UserError, match="one fact at a time"):
        editor_of(method, llama, requests_en).edit(llama, requests_en)


def test_layers_that_the_model_lacks_are_named(llama: Backbone, requests_en: list[Request]) -> None:
    for method, layers in (("ROME", [21]), ("FT-M", [1, 3]), ("ROME", [0, 1])):
        with pytest.raises(UserError, match="layers"):
            editor_of(method, llama, requests_en, layers=layers).edit_each(llama, requests_en)


@pytest.mark.parametrize("method", WEIGHT_EDITORS)
def test_a_backbone_in_half_precision_can_be_edited(
    method: str, tokenizer: PreTrainedTokenizerFast, requests_en: list[Request]
) -> None:
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer), hidden_size=32, intermediate_size=48, num_hidden_layers=3, num_attention_heads=4
        )
    )
    half = Backbone.of("half", model.to(torch.bfloat16), tokenizer)
    deltas = editor_of(method, half, requests_en).edit_each(half, requests_en)
    with with_deltas(half, deltas, [0, 1, 2]):
        logits = half.model(**half.batch([[5, 6]] * 3).inputs()).logits
    assert logits.dtype == torch.bfloat16
    assert logits.isfinite().all()
