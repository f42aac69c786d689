"""The search for a value: as a plain loop over the whole model finds it, whatever is left out and whoever is beside."""

from contextlib import ExitStack
from dataclasses import fields, replace

import pytest
import torch
from torch import Tensor, nn

from crossedit.backbones.backbone import Backbone
from crossedit.edits import values
from crossedit.edits.requests import Request
from crossedit.edits.values import ESSENCE, Easing, Found, ValueHparams, find_values
from crossedit.errors import UserError
from crossedit.models import first_tensor

HPARAMS = ValueHparams(v_lr=0.3, v_num_grad_steps=8, v_weight_decay=0.3, clamp_norm_factor=1.5, kl_factor=0.5)
FREE = {"clamp_norm_factor": 30, "v_weight_decay": 0.0, "kl_factor": 0.0}
CONTEXTS = ["", "I see. ", "You are. "]


def sites(backbone: Backbone, kind: str) -> list[str]:
    architecture = backbone.architecture
    names = {
        "mlp": [architecture.mlp],
        "layer": [architecture.layer],
        "both": [architecture.attention_out, architecture.mlp],
    }
    return [name.format(1) for name in names[kind]]


def search(backbone: Backbone, requests: list[Request], kind: str = "mlp", **changed: object) -> Found:
    hparams = replace(HPARAMS, **{name: value for name, value in changed.items() if hasattr(HPARAMS, name)})
    others = {name: value for name, value in changed.items() if not hasattr(HPARAMS, name)}
    return find_values(
        backbone, requests, layer=1, modules=sites(backbone, kind), contexts=CONTEXTS, hparams=hparams, **others
    )


def easy(requests: list[Request]) -> list[Request]:
    """Return questions that even a random model can be brought to answer: the subject ends them, one token is asked."""
    words = ("the", "of", "capital")
    return [
        replace(request, prompt=f"The capital of {request.subject}", target=word)
        for request, word in zip(requests, words, strict=True)
    ]


def plainly_found(backbone: Backbone, request: Request, modules: list[str], easing: Easing | None = None) -> Tensor:
    """Return δ (M, H) of one fact, by PyTorch's Adam, row by row through the whole model."""
    delta = torch.zeros(len(modules), 32, requires_grad=True)
    optimiser = torch.optim.Adam([delta], lr=HPARAMS.v_lr)
    target = backbone.continuation(request.prompt, request.target)
    essence = ESSENCE[request.lang].format(request.subject)
    place = backbone.last_token(essence, len(request.subject))
    before: list[Tensor] = []

    def logits(ids: list[int], subject: int) -> Tensor:
        def hook(number: int) -> object:
            def add(_: nn.Module, __: object, output: Tensor | tuple[Tensor, ...]) -> object:
                states = first_tensor(output).clone()
                if len(before) <= number:
                    before.append(states[0, subject].detach().clone())
                states[0, subject] += delta[number]
                return states if isinstance(output, Tensor) else (states, *output[1:])

            return add

        with ExitStack() as hooks:
            for number, module in enumerate(modules):
                hooks.callback(backbone.module(module).register_forward_hook(hook(number)).remove)
            found: Tensor = backbone.model(torch.tensor([ids])).logits[0].log_softmax(-1)
        return found

    factor = 1.0
    reference: Tensor | None = None
    for _ in range(HPARAMS.v_num_grad_steps - 1):
        losses, leads = [], []
        for context in CONTEXTS:
            text = context + request.prompt
            prompt = backbone.encode(text)
            subject = backbone.last_token(text, len(context) + request.subject_end())
            predicted = logits(prompt + target[:-1], subject)[len(prompt) - 1 :]
            losses.append(-predicted[range(len(target)), target].mean())
            leads.append(predicted.argmax(-1).tolist() == target)
        new = logits(backbone.encode(essence), place)[place]
        reference = new.detach() if reference is None else reference
        divergence = HPARAMS.kl_factor * (new.exp() * (new - reference)).sum()
        norms = [state.norm() for state in before]
        decay = sum(change.norm() / norm**2 for change, norm in zip(delta, norms, strict=True))
        loss = factor * torch.stack(losses).mean() + divergence + HPARAMS.v_weight_decay * decay
        if loss < HPARAMS.v_loss_tolerance:
            break
        if easing:
            factor = easing.after if all(leads) else easing.before
            if all(leads) and divergence <= easing.kl:
                break
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        with torch.no_grad():
            for change, norm in zip(delta, norms, strict=True):
                change *= min(1.0, float(HPARAMS.clamp_norm_factor * norm / change.norm()))
    return delta.detach()


@pytest.mark.parametrize("kind", ["mlp", "layer", "both"])
def test_the_search_is_that_of_the_whole_model(
    kind: str, backbone: Backbone, requests_en: list[Request], requests_zh: list[Request]
) -> None:
    requests = [requests_en[0], requests_zh[1]]
    found = search(backbone, requests, kind)
    for number, request in enumerate(requests):
        expected = plainly_found(backbone, request, sites(backbone, kind))
        torch.testing.assert_close(found.delta[:, number], expected, rtol=1e-3, atol=1e-4)
    bound = HPARAMS.clamp_norm_factor * found.before.norm(dim=2)
    assert (found.delta.norm(dim=2) <= bound * 1.0001).all()


def test_the_search_of_a_tokenizer_with_a_start_token(starting: Backbone, requests_en: list[Request]) -> None:
    expected = plainly_found(starting, requests_en[2], sites(starting, "mlp"))
    torch.testing.assert_close(search(starting, requests_en).delta[:, 2], expected, rtol=1e-3, atol=1e-4)


def test_facts_in_groups_of_their_length_are_found_as_together(
    llama: Backbone, requests_en: list[Request], requests_zh: list[Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = [*requests_zh, *requests_en]
    together = search(llama, requests, "both")
    monkeypatch.setattr(values, "GROUP_TOKENS", 1)
    monkeypatch.setattr(values, "GROUPS", 3)
    apart = search(llama, requests, "both")
    for item in fields(Found):
        torch.testing.assert_close(getattr(apart, item.name), getattr(together, item.name), rtol=1e-3, atol=1e-4)


def test_the_clamp_binds_each_fact_by_itself(llama: Backbone, requests_en: list[Request]) -> None:
    tight = search(llama, requests_en, clamp_norm_factor=0.1, v_weight_decay=0.0)
    torch.testing.assert_close(tight.delta.norm(dim=2), 0.1 * tight.before.norm(dim=2))


@pytest.mark.parametrize("kind", ["mlp", "layer"])
def test_converged_facts_leave_the_batch_as_they_would_alone(
    kind: str, llama: Backbone, requests_en: list[Request]
) -> None:
    requests = easy(requests_en)
    free = {**FREE, "v_num_grad_steps": 40, "v_loss_tolerance": 2.5}
    together = search(llama, requests, kind, **free)
    alone = [search(llama, [request], kind, **free) for request in requests]
    assert together.updates.tolist() == [int(found.updates) for found in alone]
    assert min(together.updates) < max(together.updates)
    for number, found in enumerate(alone):
        torch.testing.assert_close(together.delta[:, number], found.delta[:, 0], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("kind", ["layer", "both"])
def test_once_the_answer_leads_its_loss_counts_less_until_the_essence_holds(
    kind: str, llama: Backbone, requests_en: list[Request]
) -> None:
    requests = easy(requests_en)
    free = {**FREE, "v_num_grad_steps": 30, "v_loss_tolerance": 0.0}
    easings = {"plain": None, "ended": Easing(1.0, 0.1, float("inf")), "eased": Easing(1.0, 0.1, -1.0)}
    found = {name: search(llama, requests, kind, easing=easing, **free) for name, easing in easings.items()}
    # Where nothing is asked of the essence, the search ends as soon as the answer leads.
    assert (found["ended"].updates < 29).all()
    for name in ("plain", "eased"):
        assert (found[name].updates == 29).all()
    gaps = (found["eased"].delta - found["plain"].delta).norm(dim=2)
    assert (gaps > 0.01 * found["plain"].delta.norm(dim=2)).all()


def test_an_eased_search_is_that_of_the_whole_model(llama: Backbone, requests_en: list[Request]) -> None:
    requests, easing = easy(requests_en), Easing(1.0, 0.1, 0.05)
    found = search(llama, requests, "both", easing=easing)
    for number, request in enumerate(requests):
        expected = plainly_found(llama, request, sites(llama, "both"), easing)
        torch.testing.assert_close(found.delta[:, number], expected, rtol=1e-3, atol=1e-4)


def test_the_loss_may_be_read_off_a_lower_layer(llama: Backbone, requests_en: list[Request]) -> None:
    """At the loss layer itself, no later token has seen δ: only the essence, read at the subject, has any loss."""
    found = search(llama, requests_en, "layer", v_loss_layer=1, v_weight_decay=0.0, kl_factor=0.0)
    assert not found.delta.any()
    assert search(llama, requests_en, "mlp", v_loss_layer=2).delta.equal(search(llama, requests_en, "mlp").delta)
    for wrong in (0, 3):
        with pytest.raises(UserError, match=f"v_loss_layer: {wrong} must be between the edited layer 1 and the last"):
            search(llama, requests_en, v_loss_layer=wrong)


def test_keys_are_the_inputs_at_the_subject(backbone: Backbone, requests_en: list[Request]) -> None:
    found = search(backbone, requests_en)
    module = backbone.module(backbone.architecture.mlp_out.format(1))
    for number, request in enumerate(requests_en):
        keys: list[Tensor] = []
        handle = module.register_forward_pre_hook(lambda _, args, keys=keys: keys.append(args[0][0]))
        ends = [len(context) + request.subject_end() for context in CONTEXTS]
        texts = [context + request.prompt for context in CONTEXTS]
        for text in texts:
            backbone.model(torch.tensor([backbone.encode(text)]))
        handle.remove()
        at = [key[backbone.last_token(text, end)] for key, text, end in zip(keys, texts, ends, strict=True)]
        torch.testing.assert_close(found.bare_key[number], at[0], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(found.key[number], torch.stack(at).mean(0), rtol=1e-4, atol=1e-5)
