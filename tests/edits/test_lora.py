"""LoRA and AdaLoRA: training as peft would, dropout by case, one change that holds many facts."""

from typing import Any

import polars as pl
import pytest
import torch
from torch import Tensor, nn

from crossedit.backbones.answers import answer
from crossedit.backbones.backbone import Backbone
from crossedit.backbones.probes import make_probes
from crossedit.edits.deltas import Delta, merged
from crossedit.edits.editors.interface import Materials
from crossedit.edits.editors.lora import AdaLoRA, LoRA
from crossedit.edits.requests import Request
from crossedit.errors import UserError
from crossedit.models import matrix

COMMON = {"layers": [], "rank": 3, "lora_alpha": 6, "lora_dropout": 0.0, "lr": 1e-2, "num_steps": 6}


def editor_of(kind: type[LoRA], **changed: Any) -> LoRA:
    own = {"orth_reg_weight": 0.5} if kind is AdaLoRA else {}
    return kind(kind.Hparams(**{**COMMON, **own, **changed}), Materials())


def dense(delta: Delta) -> dict[str, Tensor]:
    return {name: term.dense(0, 0) for name, term in delta.terms.items()}


def as_one_would(backbone: Backbone, request: Request, editor: LoRA) -> dict[str, Tensor]:
    """Return the changes that torch's own Adam finds for one request, every step written out."""
    hparams = editor.hparams
    orthogonal = getattr(hparams, "orth_reg_weight", 0.0)
    names = [name.format(layer) for layer in range(backbone.depth) for name in backbone.architecture.attention]
    parts = {name: start(editor, backbone.module(name)) for name in names}

    def change(name: str) -> Tensor:
        A, B, *E = parts[name]
        return 2 * (B @ (E[0] * A if E else A))  # α / r = 2

    optimiser = torch.optim.Adam([part for own in parts.values() for part in own], lr=hparams.lr)
    prompt, target = backbone.encode(request.prompt), backbone.continuation(request.prompt, request.target)
    for _ in range(hparams.num_steps):
        hooks = [
            backbone.module(name).register_forward_hook(
                lambda module, args, output, name=name: output + args[0] @ change(name).T
            )
            for name in names
        ]
        logits = backbone.model(torch.tensor([prompt + target])).logits[0]
        for hook in hooks:
            hook.remove()
        loss = nn.functional.cross_entropy(logits[len(prompt) - 1 : -1], torch.tensor(target))
        distances = [
            torch.linalg.matrix_norm(square - torch.eye(hparams.rank))
            for A, B, *_ in parts.values()
            for square in (A @ A.T, B.T @ B)
        ]
        optimiser.zero_grad()
        (loss + orthogonal * torch.stack(distances).mean()).backward()
        optimiser.step()
    return {name: change(name).detach() for name in names}


def start(editor: LoRA, module: nn.Module) -> list[Tensor]:
    """Return the module's parts at the start, the same for each module of one shape."""
    outputs, inputs = matrix(module).shape
    draw = torch.Generator().manual_seed(7)
    return [part.requires_grad_() for part in type(editor).start(editor, outputs, inputs, draw)]


@pytest.mark.parametrize("kind", [LoRA, AdaLoRA])
@pytest.mark.parametrize("architecture", ["llama", "gpt2"])
def test_a_change_is_the_one_that_plain_training_finds(
    kind: type[LoRA],
    architecture: str,
    request: pytest.FixtureRequest,
    requests_en: list[Request],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    backbone = request.getfixturevalue(architecture)
    editor = editor_of(kind)
    plain = [as_one_would(backbone, fact, editor) for fact in requests_en]
    begin = kind.start

    def fixed(self: LoRA, outputs: int, inputs: int, draw: torch.Generator) -> tuple[Tensor, ...]:
        return begin(self, outputs, inputs, draw.manual_seed(7))

    monkeypatch.setattr(kind, "start", fixed)
    for delta, expected in zip(editor.edit_each(backbone, requests_en), plain, strict=True):
        for name, weight in dense(delta).items():
            torch.testing.assert_close(weight, expected[name], rtol=1e-3, atol=1e-5)
            assert weight.abs().max() > 1e-3


@pytest.mark.parametrize("kind", [LoRA, AdaLoRA])
def test_a_change_is_the_one_that_peft_finds(
    kind: type[LoRA], llama: Backbone, requests_en: list[Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    peft = pytest.importorskip("peft")
    (fact,) = requests_en[:1]
    editor = editor_of(kind)
    settings: dict[str, Any] = {"lora_alpha": 6, "target_modules": ["q_proj", "v_proj"], "task_type": "CAUSAL_LM"}
    if kind is LoRA:
        config = peft.LoraConfig(r=3, **settings)
    else:
        config = peft.AdaLoraConfig(init_r=3, total_step=100, orth_reg_weight=0.5, **settings)
    model = peft.get_peft_model(llama.model, config)
    try:
        found = {}
        for name, module in model.named_modules():
            if "default" in getattr(module, "lora_A", {}):
                kept = [module.lora_A["default"], module.lora_B["default"], *getattr(module, "lora_E", {}).values()]
                found[name.removeprefix("base_model.model.")] = (
                    module,
                    [getattr(part, "weight", part) for part in kept],
                )
        starts = iter([[part.detach().clone() for part in parts] for _, parts in found.values()])
        prompt, target = llama.encode(fact.prompt), llama.continuation(fact.prompt, fact.target)
        labels = torch.tensor([[-100] * len(prompt) + target])
        optimiser = torch.optim.Adam([part for part in model.parameters() if part.requires_grad], lr=editor.hparams.lr)
        for _ in range(editor.hparams.num_steps):
            optimiser.zero_grad()
            model(input_ids=torch.tensor([prompt + target]), labels=labels).loss.backward()
            optimiser.step()
        expected = {name: module.get_delta_weight("default").detach() for name, (module, _) in found.items()}
    finally:
        model.unload()
        llama.model.requires_grad_(False)
    monkeypatch.setattr(kind, "start", lambda *_: next(starts))
    for name, weight in dense(editor.edit_each(llama, [fact])[0]).items():
        torch.testing.assert_close(weight, expected[name], rtol=1e-3, atol=1e-5)
        assert weight.abs().max() > 1e-3


@pytest.mark.parametrize("kind", [LoRA, AdaLoRA])
def test_draws_are_those_of_the_case_and_the_seed(
    kind: type[LoRA], llama: Backbone, requests_en: list[Request]
) -> None:
    def found(requests: list[Request], seed: int, dropout: float = 0.3) -> list[dict[str, Tensor]]:
        editor = editor_of(kind, seed=seed, lora_dropout=dropout)
        return [dense(delta) for delta in editor.edit_each(llama, requests)]

    name = llama.architecture.attention[0].format(1)
    here, there = found(requests_en, 0), found(requests_en[::-1], 0)[::-1]
    for one, other, reseeded, plain in zip(here, there, found(requests_en, 1), found(requests_en, 0, 0.0), strict=True):
        torch.testing.assert_close(one[name], other[name], rtol=1e-3, atol=1e-5)
        assert not torch.allclose(one[name], reseeded[name], atol=1e-3)
        assert not torch.allclose(one[name], plain[name], atol=1e-3)


def test_an_untrained_lora_changes_nothing(llama: Backbone, requests_en: list[Request]) -> None:
    (delta,) = editor_of(LoRA, num_steps=0).edit_each(llama, requests_en[:1])
    assert not any(weight.any() for weight in dense(delta).values())


def test_adalora_nears_orthogonality(llama: Backbone, requests_en: list[Request]) -> None:
    """With a heavy penalty, A and B end as orthonormal frames: ΔW is then 2 B diag(E) A with singular values 2 |E|."""
    editor = editor_of(AdaLoRA, orth_reg_weight=100.0, num_steps=150)
    (delta,) = editor.edit_each(llama, requests_en[:1])
    for term in delta.terms.values():
        U = term.U / 2
        torch.testing.assert_close(U.T @ U, torch.eye(3), atol=0.1, rtol=0)
        product = term.V.T @ term.V  # diag(E²)
        assert (product - product.diagonal().diag()).abs().max() < 0.1 * product.diagonal().max()


@pytest.mark.parametrize("kind", [LoRA, AdaLoRA])
def test_one_change_holds_all_facts(
    kind: type[LoRA], llama: Backbone, facts: pl.DataFrame, requests_en: list[Request]
) -> None:
    editor = editor_of(kind, num_steps=80, lr=2e-2, lora_dropout=0.05)
    probes = make_probes(facts, llama, ["en"]).filter(pl.col("aspect") == "reliability")
    with merged(llama, editor.edit(llama, requests_en)):
        after = answer(llama, probes, "teacher_forced")
    assert (after["answer_text"] == after["target_text"]).all()


def test_the_single_edit_is_a_joint_edit_of_one_fact(llama: Backbone, requests_en: list[Request]) -> None:
    editor = editor_of(LoRA, lora_dropout=0.3)
    joint, single = editor.edit(llama, requests_en[:1]), editor.edit_each(llama, requests_en)[0]
    for name, weight in dense(joint).items():
        torch.testing.assert_close(weight, dense(single)[name], rtol=1e-3, atol=1e-5)


def test_only_the_named_layers_are_changed(llama: Backbone, requests_en: list[Request]) -> None:
    (delta,) = editor_of(LoRA, layers=[2, 1]).edit_each(llama, requests_en[:1])
    assert set(delta.terms) == {name.format(layer) for layer in (1, 2) for name in llama.architecture.attention}


def test_what_is_no_rank_or_share_is_refused() -> None:
    for changed in ({"rank": 0}, {"lora_dropout": 1.0}):
        with pytest.raises(UserError, match=r"rank: 0 is too small|lora_dropout: 1.0 is no share"):
            editor_of(LoRA, **changed)
