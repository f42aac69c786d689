"""ROME and R-ROME write the value that was found at their key."""

import pytest
import torch
from torch import Tensor

from crossedit.backbones.backbone import Backbone
from crossedit.edits.editors import make_editor
from crossedit.edits.editors.interface import Materials
from crossedit.edits.editors.rome import ROME
from crossedit.edits.requests import Request
from crossedit.edits.values import Found, find_values
from crossedit.errors import UserError

HPARAMS = {
    "layers": [1],
    "v_lr": 0.3,
    "v_num_grad_steps": 8,
    "v_weight_decay": 1e-3,
    "clamp_norm_factor": 8,
    "kl_factor": 0.0625,
    "mom2_adjustment": True,
    "context_template_length_params": [[3, 2]],
}


def editor(method: str, **changed: object) -> ROME:
    samples = torch.randn(100, 48, generator=torch.Generator().manual_seed(0))
    materials = Materials({3: ["I see", "You are"]}, {1: samples.T @ samples / 100})
    made = make_editor(method, {**HPARAMS, **changed}, materials)
    assert isinstance(made, ROME)
    return made


def found_and_written(made: ROME, backbone: Backbone, requests: list[Request]) -> tuple[Found, list[Tensor]]:
    """Return what the search found, and each edit's ΔW (out, in)."""
    found = find_values(
        backbone,
        requests,
        layer=1,
        modules=[backbone.architecture.mlp.format(1)],
        contexts=made.materials.context_templates(made.hparams.context_template_length_params),
        hparams=made.hparams,
    )
    name = backbone.architecture.mlp_out.format(1)
    return found, [delta.terms[name].dense(32, 48) for delta in made.edit_each(backbone, requests)]


def test_rome_writes_the_value_at_the_bare_prompts_key(backbone: Backbone, requests_en: list[Request]) -> None:
    """Eq. 2, in the direction of the whitened mean key."""
    made = editor("ROME")
    found, changes = found_and_written(made, backbone, requests_en)
    for number, change in enumerate(changes):
        torch.testing.assert_close(change @ found.bare_key[number], found.delta[0, number], rtol=1e-3, atol=1e-4)
        direction = torch.linalg.solve(made.materials.covariances[1], found.key[number])
        rank_one = torch.outer(found.delta[0, number], direction) / (direction @ found.bare_key[number])
        torch.testing.assert_close(change, rank_one, rtol=1e-3, atol=1e-4)


def test_r_rome_writes_the_value_at_the_mean_key(backbone: Backbone, requests_en: list[Request]) -> None:
    """What W answers to the mean key is the mean of its answers, so v* is what the edited W answers to it."""
    found, changes = found_and_written(editor("R-ROME"), backbone, requests_en)
    for number, change in enumerate(changes):
        value = found.before[0, number] + found.delta[0, number]
        after = found.mean_before[0, number] + change @ found.key[number]
        torch.testing.assert_close(after, value, rtol=1e-3, atol=1e-4)


def test_r_rome_of_the_prompts_own_key(llama: Backbone, requests_en: list[Request]) -> None:
    made = editor("R-ROME", enable_random_prefix_keys=False, mom2_adjustment=False)
    found, changes = found_and_written(made, llama, requests_en)
    for number, change in enumerate(changes):
        key = found.bare_key[number]
        torch.testing.assert_close(change, torch.outer(found.delta[0, number], key) / (key @ key))


def test_without_contexts_both_are_the_same(llama: Backbone, requests_en: list[Request]) -> None:
    bare = {"context_template_length_params": []}
    _, rome = found_and_written(editor("ROME", **bare), llama, requests_en)
    _, r_rome = found_and_written(editor("R-ROME", **bare), llama, requests_en)
    for first, second in zip(rome, r_rome, strict=True):
        torch.testing.assert_close(first, second, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("method", "name"), [("ROME", "ROME"), ("R-ROME", "RROME")])
def test_they_edit_one_layer(method: str, name: str, llama: Backbone, requests_en: list[Request]) -> None:
    with pytest.raises(UserError, match=rf"hyperparameters of {name}: layers is \[0, 1\]; it edits one layer only"):
        editor(method, layers=[0, 1]).edit_each(llama, requests_en)
