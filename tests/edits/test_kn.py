"""KN: attribution in one forward pass is that of a loop over layers; the edit is the same vector for every neuron."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from crossedit.backbones.backbone import Backbone
from crossedit.edits.deltas import Delta
from crossedit.edits.editors.interface import Materials
from crossedit.edits.editors.kn import KN, contributions
from crossedit.edits.requests import Request
from crossedit.errors import UserError


def editor_of(**changed: Any) -> KN:
    return KN(KN.Hparams(**{"steps": 5, "adaptive_threshold": 0.2, **changed}), Materials())


def last_output(backbone: Backbone, module: nn.Module, prompt: list[int]) -> Tensor:
    """Return a module's output at the prompt's last token."""
    kept: list[Tensor] = []
    hook = module.register_forward_hook(lambda module, args, output: kept.append(output[0, -1]))
    backbone.model(torch.tensor([prompt]))
    hook.remove()
    return kept[0]


def looped(backbone: Backbone, prompt: list[int], answer: int, steps: int) -> Tensor:
    """Return the attribution of one prompt, layer by layer and α by α, each by a pass over the whole prompt."""
    scores = []
    for layer in range(backbone.depth):
        module = backbone.module(backbone.architecture.mlp_in[0].format(layer))
        value = last_output(backbone, module, prompt)
        total = torch.zeros_like(value)
        for step in range(steps):
            alpha = step / (steps - 1) if steps > 1 else 0.0
            scaled = (alpha * value).requires_grad_()
            hook = module.register_forward_hook(
                lambda module, args, output, scaled=scaled: torch.cat([output[:, :-1], scaled[None, None]], 1)
            )
            probability = backbone.model(torch.tensor([prompt])).logits[0, -1].softmax(-1)[answer]
            hook.remove()
            total += torch.autograd.grad(probability, scaled)[0]
        scores.append(value / steps * total)
    return torch.stack(scores)


def neurons_of(delta: Delta) -> set[tuple[str, int]]:
    """Return the neurons that an edit changes, by the module that reads them."""
    dense = {name: term.dense(0, 0) for name, term in delta.terms.items()}
    return {(name, int(column)) for name, weight in dense.items() for column in weight.any(0).nonzero()}


@pytest.mark.parametrize("steps", [1, 20])
def test_contributions_of_all_layers_at_once_are_those_of_a_loop(
    steps: int, backbone: Backbone, requests_en: list[Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crossedit.edits.editors.kn.BATCH_TOKENS", 2 * steps * backbone.depth)  # in two parts
    chosen = requests_en if steps == 1 else requests_en[1:]
    prompts = [backbone.encode(request.prompt) for request in chosen]
    answers = [backbone.continuation(request.prompt, request.original or "")[0] for request in chosen]
    found = contributions(backbone, prompts, answers, steps)
    for prompt, answer, scores in zip(prompts, answers, found, strict=True):
        expected = looped(backbone, prompt, answer, steps)
        torch.testing.assert_close(scores, expected, rtol=1e-3, atol=1e-4 * float(expected.abs().max()))
        assert expected.any(1).all()


def test_contributions_add_up_to_what_the_layer_does(llama: Backbone, requests_en: list[Request]) -> None:
    """Integrated gradients are complete: they sum to P(answer) at α = 1 less P(answer) at α = 0."""
    prompts = [llama.encode(request.prompt) for request in requests_en]
    answers = [9, 10, 11]
    sums = contributions(llama, prompts, answers, 400).sum(2)
    for layer in range(llama.depth):
        module = llama.module(llama.architecture.mlp_in[0].format(layer))
        for prompt, answer, scores in zip(prompts, answers, sums, strict=True):
            whole = llama.model(torch.tensor([prompt])).logits[0, -1].softmax(-1)[answer]
            hook = module.register_forward_hook(
                lambda module, args, output: torch.cat([output[:, :-1], torch.zeros_like(output[:, -1:])], 1)
            )
            without = llama.model(torch.tensor([prompt])).logits[0, -1].softmax(-1)[answer]
            hook.remove()
            torch.testing.assert_close(scores[layer], whole - without, rtol=2e-2, atol=2e-5)


def test_a_prompt_of_one_token_has_nothing_before_it(llama: Backbone) -> None:
    found = contributions(llama, [[9]], [12], 3)
    torch.testing.assert_close(found[0], looped(llama, [9], 12, 3), rtol=1e-3, atol=1e-7)


def test_every_chosen_neuron_gets_the_new_answer_for_the_old(llama: Backbone, requests_en: list[Request]) -> None:
    request = requests_en[0]
    (delta,) = editor_of(lambda_1=2.0, lambda_2=3.0).edit_each(llama, [request])
    prompt, truth = llama.encode(request.prompt), llama.continuation(request.prompt, request.original or "")
    scores, grown = [], list(prompt)
    for answer in truth:
        scores.append(looped(llama, grown, answer, 5))
        grown.append(int(llama.model(torch.tensor([grown])).logits[0, -1].argmax()))
    mean = torch.stack(scores).mean(0)
    chosen = mean > 0.2 * mean.max()
    E = llama.model.model.embed_tokens.weight
    vector = 3 * E[llama.continuation(request.prompt, request.target)].sum(0) - 2 * E[truth].sum(0)
    assert len(truth) > 1
    for layer in range(llama.depth):
        name = llama.architecture.mlp_out.format(layer)
        if chosen[layer].any():
            torch.testing.assert_close(delta.terms[name].dense(0, 0), torch.outer(vector, chosen[layer].float()))
        else:
            assert name not in delta.terms


def test_a_lower_threshold_takes_more_neurons(llama: Backbone, requests_en: list[Request]) -> None:
    counts = [
        sum(len(neurons_of(delta)) for delta in editor_of(adaptive_threshold=share).edit_each(llama, requests_en))
        for share in (0.999, 0.3, 0.01)
    ]
    assert 3 == counts[0] < counts[1] < counts[2]


def test_the_published_quirks_have_names(llama: Backbone, requests_en: list[Request]) -> None:
    request = requests_en[0]
    words = (llama.decode([token])[1:] for token in range(len(llama.tokenizer)))
    target = next(word for word in words if word.isalpha() and len(llama.continuation(request.prompt, word)) == 1)
    request = replace(request, target=target)
    (token,) = llama.continuation(request.prompt, target)
    said = int(llama.model(torch.tensor([llama.encode(request.prompt)])).logits[0, -1].argmax())
    E = llama.model.model.embed_tokens.weight
    found = editor_of(erased="completion", single_token_factor=2.0, adaptive_threshold=0.99)
    term = next(iter(found.edit_each(llama, [request])[0].terms.values()))
    torch.testing.assert_close(term.dense(0, 0).sum(1), 2 * E[token] - 2 * E[said])


def test_the_ground_truth_decides_which_neurons_are_found(llama: Backbone, requests_en: list[Request]) -> None:
    own, other = (editor_of(ground_truth=truth).edit_each(llama, requests_en) for truth in (None, "</s>"))
    for one, two in zip(own, other, strict=True):
        assert neurons_of(one) != neurons_of(two)
    unknown = [replace(requests_en[0], original=None)]
    with pytest.raises(UserError, match=r"case 1 \(en\) has no original answer"):
        editor_of().edit_each(llama, unknown)
    assert editor_of(ground_truth="</s>").edit_each(llama, unknown)


def test_what_kn_does_not_know_is_told() -> None:
    for changed in ({"erased": "truth"}, {"steps": 0}):
        with pytest.raises(UserError, match=r"erased: 'truth' is unknown|steps: 0 is too small"):
            editor_of(**changed)
