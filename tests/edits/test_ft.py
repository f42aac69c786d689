"""FT-L and FT-M: what each is trained on, how far weights may move, and one change that holds many facts."""

from typing import Any

import polars as pl
import pytest
import torch
from torch import Tensor

from crossedit.backbones.answers import answer
from crossedit.backbones.backbone import Backbone
from crossedit.backbones.probes import make_probes
from crossedit.edits.deltas import Delta, editing, merged
from crossedit.edits.editors.ft import FT
from crossedit.edits.editors.interface import Materials
from crossedit.edits.requests import Request
from crossedit.errors import UserError
from crossedit.models import matrix


def editor_of(objective: str = "target_new", **changed: Any) -> FT:
    hparams = {"layers": [1, 2], "lr": 5e-3, "num_steps": 40, "objective_optimization": objective, **changed}
    return FT(FT.Hparams(**hparams), Materials())


def dense(delta: Delta) -> dict[str, Tensor]:
    return {name: term.dense(0, 0) for name, term in delta.terms.items()}


def test_an_edit_holds(backbone: Backbone, facts: pl.DataFrame, requests_en: list[Request]) -> None:
    deltas = editor_of().edit_each(backbone, requests_en)
    probes = make_probes(facts, backbone, ["en"]).filter(pl.col("aspect") == "reliability")
    before = answer(backbone, probes, "teacher_forced")
    after = answer(backbone, probes, "teacher_forced", editing=editing(backbone, deltas, [0, 1, 2]))
    assert (before["answer_text"] != before["target_text"]).all()
    assert (after["answer_text"] == after["target_text"]).all()


def test_one_change_holds_all_facts(llama: Backbone, facts: pl.DataFrame, requests_en: list[Request]) -> None:
    delta = editor_of(num_steps=80).edit(llama, requests_en)
    probes = make_probes(facts, llama, ["en"]).filter(pl.col("aspect") == "reliability")
    with merged(llama, delta):
        after = answer(llama, probes, "teacher_forced")
    assert (after["answer_text"] == after["target_text"]).all()


@pytest.mark.parametrize("objective", ["prompt_last", "target_new"])
@pytest.mark.parametrize("architecture", ["starting", "gpt2"])
def test_training_is_that_of_the_matrix_itself(
    objective: str, architecture: str, request: pytest.FixtureRequest, requests_en: list[Request]
) -> None:
    """torch's own Adam on the weights: FT-L asks every target token of the place after the prompt, FT-M of its own."""
    backbone = request.getfixturevalue(architecture)
    names = [backbone.architecture.mlp_out.format(layer) for layer in (1, 2)]
    weights = [backbone.module(name).weight for name in names]
    deltas = editor_of(objective, num_steps=6).edit_each(backbone, requests_en)
    for fact, delta in zip(requests_en, deltas, strict=True):
        pristine = [weight.detach().clone() for weight in weights]
        before = [matrix(backbone.module(name)).clone() for name in names]
        prompt, target = backbone.encode(fact.prompt), backbone.continuation(fact.prompt, fact.target)
        assert len(target) > 1
        adam = torch.optim.Adam([weight.requires_grad_() for weight in weights], lr=5e-3)
        for _ in range(6):
            logits = backbone.model(torch.tensor([prompt + target])).logits[0, len(prompt) - 1 : -1]
            places = logits[:1].expand_as(logits) if objective == "prompt_last" else logits
            adam.zero_grad()
            torch.nn.functional.cross_entropy(places, torch.tensor(target)).backward()
            adam.step()
        with torch.no_grad():
            for name, weight, old, stored in zip(names, weights, before, pristine, strict=True):
                moved = matrix(backbone.module(name)) - old
                weight.requires_grad_(False).copy_(stored)
                torch.testing.assert_close(dense(delta)[name], moved, rtol=1e-3, atol=2e-5)
                assert moved.abs().max() > 1e-3


@pytest.mark.parametrize("layers", [[1], [2, 1]])
def test_no_weight_moves_further_than_it_may(layers: list[int], llama: Backbone, requests_en: list[Request]) -> None:
    bound = 1e-3
    for delta in editor_of(layers=layers, norm_constraint=bound).edit_each(llama, requests_en):
        assert set(delta.terms) == {llama.architecture.mlp_out.format(layer) for layer in layers}
        for weight in dense(delta).values():
            assert weight.abs().max() == pytest.approx(bound)


def test_a_fact_that_is_learnt_ends_before_the_others(llama: Backbone, requests_en: list[Request]) -> None:
    """Its change is the one of fewer steps, though the others go on."""
    together = editor_of(lr=3e-3, loss_tolerance=3.0).edit_each(llama, requests_en)
    longer = editor_of(lr=3e-3, loss_tolerance=0.1).edit_each(llama, requests_en)
    for fact, delta, more in zip(requests_en, together, longer, strict=True):
        (alone,) = editor_of(lr=3e-3, loss_tolerance=3.0).edit_each(llama, [fact])
        for name, weight in dense(delta).items():
            torch.testing.assert_close(weight, dense(alone)[name], rtol=2e-3, atol=2e-5)
            assert weight.norm() < dense(more)[name].norm()


def test_an_unknown_objective_is_refused() -> None:
    with pytest.raises(UserError, match=r"objective_optimization: 'target_news' is unknown; .*target_new"):
        editor_of("target_news")
