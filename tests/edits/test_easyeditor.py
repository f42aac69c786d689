"""Cells through a checkout of EasyEdit: a made-up one for how it is called, a real one for what comes out.

The latter is where the environment variable CROSSEDIT_EASYEDIT says, in the environment envs/easyedit.yaml.
"""

import os
from dataclasses import make_dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from polars.testing import assert_frame_equal

from crossedit.backbones.answers import answer
from crossedit.backbones.backbone import Backbone, weights_digest
from crossedit.backbones.covariance import covariances
from crossedit.backbones.probes import make_probes
from crossedit.edits import cell
from crossedit.edits.deltas import Delta, Dense
from crossedit.edits.easyeditor import METHODS, EasyEditor, run_cell
from crossedit.edits.easyeditor.settings import their_hparams
from crossedit.edits.easyeditor.statistics import statistics_file, write_statistics
from crossedit.edits.editors import EDITORS, make_editor
from crossedit.edits.editors.interface import Editor, Materials
from crossedit.edits.requests import Request
from crossedit.errors import UserError
from crossedit.models import matrix

CHECKOUT = os.environ.get("CROSSEDIT_EASYEDIT", "")
real = pytest.mark.skipif(not CHECKOUT, reason="CROSSEDIT_EASYEDIT names no checkout of EasyEdit")

VALUE = {"v_lr": 0.3, "v_num_grad_steps": 10, "v_weight_decay": 1e-3, "clamp_norm_factor": 8.0, "kl_factor": 0.0625}
MASS = VALUE | {"layers": [0, 1], "mom2_adjustment": True, "bare_prompt_share": 0.5}
CONTEXTS = {"context_template_length_params": [[3, 2]]}
FT = {"layers": [1], "lr": 5e-3, "num_steps": 8}
LORA = {"layers": [], "rank": 12, "lora_alpha": 32.0, "lora_dropout": 0.0, "lr": 5e-3, "num_steps": 40}
HPARAMS: dict[str, dict[str, Any]] = {
    "FT-L": FT | {"objective_optimization": "prompt_last"},
    "FT-M": FT | {"objective_optimization": "target_new", "norm_constraint": 1e-2},
    "ROME": VALUE | CONTEXTS | {"layers": [1], "mom2_adjustment": True, "mom2_ridge": 0.01},
    "MEMIT": MASS | CONTEXTS | {"mom2_ridge": 0.01, "mom2_update_weight": 2.0},
    "AlphaEdit": MASS | CONTEXTS | {"nullspace_threshold": 0.5, "nullspace_relative": True, "L2": 1.0},
    "GRACE": {"layers": [1], "module": "mlp_out", "edit_lr": 0.5, "n_iter": 10, "eps": 1.0, "loss_tolerance": 0.0},
    "KN": {"steps": 4, "adaptive_threshold": 0.2, "erased": "completion", "single_token_factor": 2.0},
    "LoRA": LORA,
    "AdaLoRA": LORA | {"orth_reg_weight": 0.5},
}
# What they start from is drawn by the packages that they use.
DRAWN = {"LoRA", "AdaLoRA"}

# A checkout whose FT adds one to the weights. Its packages must not be run, only its modules.
FAKE = """
from dataclasses import dataclass

@dataclass
class FTHyperParams:
    layers: list
    lr: float
    num_steps: int
    norm_constraint: float
    weight_decay: float
    objective_optimization: str
    rewrite_module_tmp: str
    device: str
    max_length: int = 40

def apply_ft_to_model(model, tok, requests, hparams, return_orig_weights=False, **kwargs):
    print("much")
    name = hparams.rewrite_module_tmp.format(hparams.layers[0])
    weight = model.get_parameter(name)
    copies = {name: weight.detach().clone()}
    if requests[0]["target_new"] == "Oslo":
        raise IndexError("out of range")
    weight.data += 1
    return model, copies
"""


def fake_checkout(folder: Path, code: str) -> Path:
    for package in ("easyeditor", "easyeditor/models"):
        (folder / package).mkdir(parents=True)
        (folder / package / "__init__.py").write_text("raise RuntimeError('must not be run')")
    (folder / "easyeditor/models/ft").mkdir()
    (folder / "easyeditor/models/ft/__init__.py").write_text("")
    (folder / "easyeditor/models/ft/ft_main.py").write_text(code)
    return folder


def ours(method: str, backbone: Backbone, **changed: object) -> Editor:
    texts = ["France is a country in Europe", "The capital of Peru is Lima", "Rome is in Italy"]
    materials = Materials({3: ["I see", "You are"]}, covariances(backbone, texts, [0, 1], 1000)[0])
    return make_editor(method, {**HPARAMS[method], **changed}, materials)


@pytest.fixture(scope="module")
def probes(facts: pl.DataFrame, llama: Backbone) -> pl.DataFrame:
    return make_probes(facts, llama, ["en", "zh"])


@pytest.fixture(scope="module")
def before(llama: Backbone, probes: pl.DataFrame) -> pl.DataFrame:
    return answer(llama, probes, "teacher_forced")


def test_a_cell_is_asked_of_the_weights_that_the_checkout_edited(
    tmp_path: Path,
    llama: Backbone,
    requests_en: list[Request],
    probes: pl.DataFrame,
    before: pl.DataFrame,
    capsys: pytest.CaptureFixture[str],
) -> None:
    editor = EasyEditor(fake_checkout(tmp_path, FAKE), "FT-M", ours("FT-M", llama))
    capsys.readouterr()
    pristine = weights_digest(llama.model)
    predictions, seconds = run_cell(llama, editor, requests_en[:2], probes, before, ["teacher_forced"])
    assert weights_digest(llama.model) == pristine
    assert "much" not in capsys.readouterr().out
    assert set(seconds) == {"edit", "answer"}
    name = llama.architecture.mlp_out.format(1)
    delta = Delta({name: Dense(torch.ones_like(llama.module(name).weight))})
    wanted = cell.answer_edited(llama, [delta, delta], [1, 2], asked_in(predictions, probes), "teacher_forced")
    key = ["case_id", "aspect", "kind", "lang"]
    assert_frame_equal(predictions.select(*key, "after_text"), wanted.select(*key, after_text="answer_text").sort(key))
    assert (predictions["after_text"] != predictions["before_text"]).any()


def asked_in(predictions: pl.DataFrame, probes: pl.DataFrame) -> pl.DataFrame:
    return probes.join(predictions, on=["case_id", "aspect", "kind", "lang"], how="semi", nulls_equal=True)


def test_what_the_checkout_does_not_undo_is_noticed(
    tmp_path: Path, llama: Backbone, requests_en: list[Request], probes: pl.DataFrame, before: pl.DataFrame
) -> None:
    forgetful = FAKE.replace("copies = {name: weight.detach().clone()}", "copies = {name: weight.detach() + 1}")
    editor = EasyEditor(fake_checkout(tmp_path, forgetful), "FT-M", ours("FT-M", llama))
    weight = llama.module(llama.architecture.mlp_out.format(1)).weight
    pristine = weight.detach().clone()
    try:
        with pytest.raises(RuntimeError, match="not what they were"):
            run_cell(llama, editor, requests_en[:1], probes, before, ["teacher_forced"])
    finally:
        weight.data.copy_(pristine)


def test_what_goes_wrong_in_the_checkout_is_told_with_the_fact(
    tmp_path: Path, llama: Backbone, requests_en: list[Request], probes: pl.DataFrame, before: pl.DataFrame
) -> None:
    editor = EasyEditor(fake_checkout(tmp_path, FAKE), "FT-M", ours("FT-M", llama))
    with pytest.raises(UserError, match=r"FT-M in .* failed on case 3 .*IndexError: out of range; use"):
        run_cell(llama, editor, requests_en, probes, before, ["teacher_forced"])


def test_a_folder_without_easyedit_a_missing_package_and_a_missing_module_are_told(
    tmp_path: Path, llama: Backbone
) -> None:
    with pytest.raises(UserError, match="is no checkout of EasyEdit; run"):
        EasyEditor(tmp_path, "FT-M", ours("FT-M", llama))
    fake_checkout(tmp_path, "import a_package_that_nobody_has")
    with pytest.raises(UserError, match=r"the package 'a_package_that_nobody_has'.*envs/easyedit\.yaml"):
        EasyEditor(tmp_path, "FT-M", ours("FT-M", llama))
    with pytest.raises(UserError, match=r"models.rome.rome_main .* can't be imported"):
        EasyEditor(tmp_path, "ROME", ours("ROME", llama))


def test_two_checkouts_do_not_share_modules(tmp_path: Path, llama: Backbone) -> None:
    first = EasyEditor(fake_checkout(tmp_path / "one", FAKE), "FT-M", ours("FT-M", llama))
    second = EasyEditor(fake_checkout(tmp_path / "two", FAKE), "FT-M", ours("FT-M", llama))
    assert "one" in str(first.module.__file__)
    assert "two" in str(second.module.__file__)


def test_methods_that_easyedit_runs_otherwise_are_refused(tmp_path: Path, llama: Backbone) -> None:
    with pytest.raises(UserError, match="'IKE' can't run through `engine: easyeditor`"):
        EasyEditor(tmp_path, "IKE", make_editor("IKE", {"k": 1}, Materials()))


def test_every_method_here_is_one_of_ours() -> None:
    assert set(HPARAMS) == set(METHODS)
    assert set(METHODS) <= set(EDITORS)


def module_with(name: str, *fields: str) -> Any:
    """Return what stands for a module of EasyEdit: a class of hyperparameters with these fields."""
    return SimpleNamespace(**{name: make_dataclass(name, fields)})


def test_hyperparameters_get_easyedits_names(tmp_path: Path, gpt2: Backbone) -> None:
    module = module_with(
        "ROMEHyperParams", "layers", "v_lr", "v_loss_layer", "rewrite_module_tmp", "model_name", "stats_dir", "device"
    )
    hparams = {"layers": [1], "v_lr": 0.3, "v_loss_tolerance": 0.05, "mom2_ridge": 0.1}
    theirs = their_hparams("ROME", hparams, gpt2, module, tmp_path)
    assert vars(theirs) == {
        "layers": [1],
        "v_lr": 0.3,
        "v_loss_layer": 2,
        "rewrite_module_tmp": "transformer.h.{}.mlp.c_proj",
        "model_name": f"gpt2-xl-{gpt2.digest}",
        "stats_dir": str(tmp_path),
        "device": "cpu",
    }


def test_no_bound_is_false_in_easyedit(tmp_path: Path, llama: Backbone) -> None:
    module = module_with("FTHyperParams", "norm_constraint", "rewrite_module_tmp")
    theirs = their_hparams("FT-L", {"norm_constraint": None, "loss_tolerance": 1e-2}, llama, module, tmp_path)
    assert vars(theirs) == {"norm_constraint": False, "rewrite_module_tmp": "model.layers.{}.mlp.down_proj.weight"}


def test_graces_module_is_named_as_python_would_index_it(tmp_path: Path, llama: Backbone) -> None:
    module = module_with("GraceHyperParams", "inner_params")
    hparams = {"layers": [1], "module": "mlp_out", "loss_tolerance": 0.0}
    theirs = their_hparams("GRACE", hparams, llama, module, tmp_path)
    assert theirs.inner_params == ["model.layers[1].mlp.down_proj.weight"]


@pytest.mark.parametrize(
    ("hparams", "fields", "sentence"),
    [
        ({"v_loss_tolerance": 0.1}, [], "v_loss_tolerance is 0.1, but EasyEdit's code has 0.05"),
        ({"v_loss_tolerance": 0.05, "novel": 1}, [], "EasyEdit has no novel"),
        ({"v_loss_tolerance": 0.05}, ["newer"], "wants newer, which crossedit doesn't know; use commit"),
    ],
)
def test_what_can_not_be_handed_on_is_refused(
    tmp_path: Path, llama: Backbone, hparams: dict[str, Any], fields: list[str], sentence: str
) -> None:
    with pytest.raises(UserError, match=sentence):
        their_hparams("ROME", hparams, llama, module_with("ROMEHyperParams", *fields), tmp_path)


def test_covariances_lie_where_easyedit_looks_for_statistics(tmp_path: Path) -> None:
    C = torch.tensor([[2.0, 0.5], [0.5, 1.0]])
    write_statistics(tmp_path, "llama-1a2b", {"model.layers.5.mlp.down_proj": C})
    path = tmp_path / "llama-1a2b/wikipedia_stats/model.layers.5.mlp.down_proj_float32_mom2_100000.npz"
    assert path == statistics_file(tmp_path, "llama-1a2b", "model.layers.5.mlp.down_proj")
    with np.load(path) as stored:
        assert stored["sample_size"] == 100_000
        np.testing.assert_array_equal(stored["mom2.mom2"] / stored["mom2.count"], C.numpy())


def one_token(backbone: Backbone, prompt: str) -> str:
    """Return an answer of a single token."""
    return next(text for text in "abcdefghijklmnopqrstuvwxyz" if len(backbone.continuation(prompt, text)) == 1)


@real
@pytest.mark.parametrize("architecture", ["llama", "gpt2"])
@pytest.mark.parametrize("method", sorted(set(HPARAMS) - DRAWN - {"GRACE"}))
def test_both_engines_find_the_same_change(
    method: str, architecture: str, request: pytest.FixtureRequest, requests_en: list[Request]
) -> None:
    backbone: Backbone = request.getfixturevalue(architecture)
    editor = ours(method, backbone)
    if method == "KN":
        # It glues what a model goes on with as text, and a random one goes on with halves of characters.
        requests_en = [replace(fact, target=one_token(backbone, fact.prompt)) for fact in requests_en]
        editor = ours(method, backbone, ground_truth=requests_en[0].target)
    names = [backbone.architecture.mlp_out.format(layer) for layer in range(backbone.depth)]
    pristine = {name: matrix(backbone.module(name)).clone() for name in names}
    deltas = editor.edit_each(backbone, requests_en)
    if method == "KN":
        # Of single tokens it counts the old answer's twice, and the new answer's once.
        deltas = ours(method, backbone, ground_truth=requests_en[0].target, lambda_2=0.5).edit_each(
            backbone, requests_en
        )
    with EasyEditor(Path(CHECKOUT), method, editor).at_work(backbone) as edited:
        for wanted, fact in zip(deltas, requests_en, strict=True):
            with edited(fact):
                for name in names:
                    weight = matrix(backbone.module(name))
                    expected = torch.zeros_like(weight)
                    if name in wanted.terms:
                        expected = wanted.terms[name].dense(*weight.shape)
                        assert expected.abs().max() > 1e-3
                    torch.testing.assert_close(weight - pristine[name], expected, rtol=0.02, atol=2e-4)
    assert weights_digest(backbone.model) == backbone.digest


@real
@pytest.mark.parametrize("method", sorted(set(HPARAMS) - DRAWN - {"KN"}))
def test_cells_of_both_engines_are_alike(
    method: str, llama: Backbone, requests_en: list[Request], probes: pl.DataFrame, before: pl.DataFrame
) -> None:
    editor = ours(method, llama)
    cells = [
        cell.run_cell(llama, editor, requests_en, probes, before, ["teacher_forced"])[0],
        run_cell(llama, EasyEditor(Path(CHECKOUT), method, editor), requests_en, probes, before, ["teacher_forced"])[0],
    ]
    assert_frame_equal(*cells)
    assert (cells[1]["after_text"] != cells[1]["before_text"]).any()


@real
@pytest.mark.parametrize("method", sorted(DRAWN))
def test_an_adapter_holds_the_edit_and_leaves(
    method: str, llama: Backbone, requests_en: list[Request], probes: pl.DataFrame, before: pl.DataFrame
) -> None:
    editor = EasyEditor(Path(CHECKOUT), method, ours(method, llama))
    predictions, _ = run_cell(llama, editor, requests_en, probes, before, ["teacher_forced"])
    held = predictions.filter(pl.col("aspect") == "reliability")
    assert (held["after_text"] == held["target_text"]).all()
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in llama.model.modules())
