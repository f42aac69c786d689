"""MEMIT and its relatives: layer after layer, as if each had been written into the weights before the next."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from crossedit.backbones.backbone import Backbone
from crossedit.edits.deltas import Delta, Dense, LowRank, merged
from crossedit.edits.editors import make_editor
from crossedit.edits.editors.interface import Materials
from crossedit.edits.editors.memit import MEMIT
from crossedit.edits.requests import Request
from crossedit.errors import UserError
from crossedit.models import first_tensor

SEARCH = {
    "v_lr": 0.3,
    "v_num_grad_steps": 6,
    "v_weight_decay": 1e-3,
    "clamp_norm_factor": 4,
    "kl_factor": 0.0625,
    "mom2_adjustment": True,
    "context_template_length_params": [[3, 2]],
}
OWN: dict[str, dict[str, object]] = {
    "MEMIT": {"mom2_update_weight": 0.5},
    "EMMET": {"mom2_update_weight": 0.5, "emmet_lambda": 0.1},
    "PMET": {"mom2_update_weight": 0.5},
    "AlphaEdit": {"nullspace_threshold": 0.5, "nullspace_relative": True, "L2": 0.1},
}
CONTEXTS = ["", "I see. ", "You are. "]


def editor(method: str, **changed: object) -> MEMIT:
    samples = torch.randn(60, 48, generator=torch.Generator().manual_seed(0)) * torch.linspace(0.1, 1, 48)
    C = samples.T @ samples / 60
    materials = Materials({3: ["I see", "You are"]}, dict.fromkeys((0, 1, 2), C))
    made = make_editor(method, {**SEARCH, "layers": [0, 1], **OWN[method], **changed}, materials)
    assert isinstance(made, MEMIT)
    return made


def state(backbone: Backbone, text: str, end: int, module: str, inputs: bool = False) -> Tensor:
    """Return the input or output of a module at the token that holds the text's character before `end`."""
    seen: list[Tensor] = []

    def keep(_: object, args: tuple[Tensor, ...], output: Tensor) -> None:
        seen.append(args[0] if inputs else first_tensor(output))

    handle = backbone.module(module).register_forward_hook(keep)
    backbone.model(torch.tensor([backbone.encode(text)]))
    handle.remove()
    return seen[0][0, backbone.last_token(text, end)]


def adjusted_keys(method: str, made: MEMIT, K: Tensor, K_p: Tensor) -> Tensor:
    """Return the adjusted keys (in, n) of K (in, n) by the papers' dense formulas; K_p (in, p) of earlier edits."""
    C, eye = made.materials.covariances[0].double(), torch.eye(48, dtype=torch.float64)
    if method == "EMMET":
        CK = torch.linalg.solve(0.5 * C, K)
        return CK @ torch.linalg.inv(K.T @ CK + 0.1 * torch.eye(K.shape[1]))
    if method == "AlphaEdit":
        values, directions = torch.linalg.eigh(C)
        null = directions[:, values < 0.5 * values.mean()]
        P = null @ null.T
        return torch.linalg.solve(P @ (K @ K.T + K_p @ K_p.T) + 0.1 * eye, P @ K)
    return torch.linalg.solve(0.5 * C + K @ K.T, K)


def written_in_place(
    method: str,
    made: MEMIT,
    backbone: Backbone,
    requests: list[Request],
    weights: list[float],
    earlier: tuple[Request, ...] = (),
) -> dict[str, Tensor]:
    """Return ΔW by module, of one edit of all the requests, each layer written before the next is looked at."""
    layers = made.hparams.layers
    architecture = backbone.architecture
    module = (architecture.mlp if method == "PMET" else architecture.layer).format(layers[-1])
    target = made.find(backbone, requests, layers[-1], CONTEXTS)
    share: Callable[[int], float] = math.sqrt if method == "PMET" else float
    total = Delta()
    for number, layer in enumerate(layers):
        name = architecture.mlp_out.format(layer)
        keys, missing = [], []
        with merged(backbone, total):
            for request, z in zip([*earlier, *requests], [None] * len(earlier) + [*target], strict=True):
                ends = [len(context) + request.subject_end() for context in CONTEXTS]
                texts = [context + request.prompt for context in CONTEXTS]
                states = [state(backbone, *at, name, inputs=True) for at in zip(texts, ends, strict=True)]
                keys.append(sum(weight * key for weight, key in zip(weights, states, strict=True)))
                if z is not None:
                    missing.append(z - state(backbone, texts[0], ends[0], module))
        K_p, K = torch.stack(keys, 1).double().tensor_split([len(earlier)], 1)
        A = adjusted_keys(method, made, K, K_p)
        R = torch.stack(missing, 1).double() / share(len(layers) - number)
        total = total + Delta({name: Dense((R @ A.T).float())})
    return {name: term.dense(32, 48) for name, term in total.terms.items()}


def close(delta: Delta, expected: dict[str, Tensor]) -> None:
    assert set(delta.terms) == set(expected)
    for name, change in expected.items():
        found = delta.terms[name]
        assert isinstance(found, LowRank)
        torch.testing.assert_close(found.dense(32, 48), change, rtol=1e-3, atol=1e-4 * float(change.abs().max()) + 1e-6)


@pytest.mark.parametrize("method", list(OWN))
def test_an_edit_is_the_one_written_layer_by_layer(method: str, backbone: Backbone, requests_en: list[Request]) -> None:
    made, alike = editor(method), [1 / 3, 1 / 3, 1 / 3]
    for delta, request in zip(made.edit_each(backbone, requests_en), requests_en, strict=True):
        close(delta, written_in_place(method, made, backbone, [request], alike))
    close(made.edit(backbone, requests_en), written_in_place(method, made, backbone, requests_en, alike))


@pytest.mark.parametrize("at_once", [1, 64])
def test_alphaedit_keeps_the_keys_of_earlier_edits(
    backbone: Backbone, requests_en: list[Request], at_once: int
) -> None:
    made, alike = editor("AlphaEdit"), [1 / 3, 1 / 3, 1 / 3]
    made.at_once = at_once
    *earlier, last = requests_en
    found = made.edit_after(backbone, [last], earlier)
    close(found, written_in_place("AlphaEdit", made, backbone, [last], alike, tuple(earlier)))
    alone = made.edit(backbone, [last])
    assert any(
        not torch.allclose(found.terms[name].dense(32, 48), alone.terms[name].dense(32, 48)) for name in found.terms
    )


def test_the_bare_prompt_may_count_more(llama: Backbone, requests_en: list[Request]) -> None:
    """As published: the mean of the bare prompt's key and of the mean of the others."""
    made = editor("MEMIT", bare_prompt_share=0.5)
    delta = made.edit(llama, requests_en)
    close(delta, written_in_place("MEMIT", made, llama, requests_en, [0.5, 0.25, 0.25]))


@pytest.mark.parametrize("method", list(OWN))
def test_a_joint_edit_may_go_through_the_model_in_parts(
    method: str, llama: Backbone, requests_en: list[Request], requests_zh: list[Request]
) -> None:
    made, requests = editor(method), [*requests_en, *requests_zh]
    whole = made.edit(llama, requests)
    made.at_once = 4
    close(made.edit(llama, requests), {name: term.dense(32, 48) for name, term in whole.terms.items()})


def test_the_subject_comes_to_the_state_that_was_found(llama: Backbone, requests_en: list[Request]) -> None:
    """With little weight on what was there before, and no other key at the bare prompt."""
    made = editor("MEMIT", mom2_update_weight=1e-6, context_template_length_params=[], layers=[1])
    z = made.find(llama, requests_en, 1, [""])
    for delta, request, wanted in zip(made.edit_each(llama, requests_en), requests_en, z, strict=True):
        before = state(llama, request.prompt, request.subject_end(), "model.layers.1")
        with merged(llama, delta):
            after = state(llama, request.prompt, request.subject_end(), "model.layers.1")
        assert (after - wanted).norm() < 0.05 * (before - wanted).norm()


def test_layers_are_written_from_the_lowest_up(llama: Backbone, requests_en: list[Request]) -> None:
    upwards = editor("MEMIT").edit(llama, requests_en)
    downwards = editor("MEMIT", layers=[1, 0]).edit(llama, requests_en)
    close(downwards, {name: term.dense(32, 48) for name, term in upwards.terms.items()})


def test_a_layer_without_covariance_is_named(llama: Backbone, requests_en: list[Request]) -> None:
    made = make_editor("MEMIT", {**SEARCH, **OWN["MEMIT"], "layers": [0]}, Materials({3: ["I see", "You are"]}))
    with pytest.raises(UserError, match="there is no covariance of layer 0"):
        made.edit_each(llama, requests_en)
