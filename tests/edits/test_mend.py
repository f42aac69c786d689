"""MEND: what its networks make of a gradient, and that training on the last layers is training on the whole model."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from crossedit.backbones.backbone import Backbone
from crossedit.backbones.tail import Tail
from crossedit.edits.deltas import Delta, LowRank, with_deltas
from crossedit.edits.editors.interface import Materials
from crossedit.edits.editors.mend import MEND, MENDHparams, MENDLearner, Networks, _pairs, gradients
from crossedit.edits.requests import Request
from crossedit.edits.rows import Rows, Tokens, lay_out, target_rows
from crossedit.edits.training.examples import Example
from crossedit.edits.training.loop import Losses
from crossedit.edits.training.trained import Trained
from crossedit.errors import UserError
from crossedit.models import matrix

HPARAMS = MENDHparams(
    layers=[1, 2],
    rank=5,
    n_hidden=1,
    edit_lr=0.02,
    lr_lr=1e-4,
    lr=1e-4,
    cedit=0.1,
    cloc=1.0,
    batch_size=1,
    accumulate_bs=2,
    max_iters=8,
    val_interval=4,
    val_steps=3,
    early_stop_patience=100,
    early_stop_key="loss/total_edit_val",
    grad_clip=100.0,
)


def learner_of(backbone: Backbone, examples: Sequence[Example], hparams: MENDHparams = HPARAMS) -> MENDLearner:
    """Return a learner whose networks are no longer the identity, so that every parameter has a gradient."""
    learner = MEND(hparams, Materials()).learner(backbone, examples, examples, seed=0)
    torch.manual_seed(0)
    for parameter in learner.network.transforms.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    return learner


def editor_with(backbone: Backbone, network: Networks, hparams: MENDHparams) -> MEND:
    manifest = {"method": "MEND", "backbone": {"name": backbone.name, "weights": backbone.digest}}
    return MEND(hparams, Materials(trained=Trained.of(network, manifest)))


def gradient(backbone: Backbone, learner: MENDLearner, losses: Losses) -> list[Tensor]:
    loss = (0.1 * losses.edit + losses.locality).mean()
    return list(torch.autograd.grad(loss, list(learner.network.parameters())))


def text(backbone: Backbone, prompt: str, target: str) -> Tokens:
    return backbone.encode(prompt), backbone.continuation(prompt, target)


def through_the_whole_model(backbone: Backbone, learner: MENDLearner, example: Example) -> tuple[Tensor, Tensor]:
    """Return NLL and KL of one episode, without any tail, its edit as a delta like those of a cell."""

    def logits(rows: Rows) -> Tensor:
        return backbone.logits(rows.batch, rows.place_row, rows.place_column)

    fact = lay_out(backbone, [text(backbone, example.prompt, example.target)])
    weights = [backbone.module(name).weight for name in learner.network.names]
    seen: dict[str, tuple[Tensor, Tensor]] = {}

    def keep(name: str, inputs: Tensor, output: Tensor) -> None:
        output.retain_grad()
        seen[name] = inputs.detach(), output

    handles = [
        backbone.module(name).register_forward_hook(lambda _, args, output, name=name: keep(name, args[0], output))
        for name in learner.network.names
    ]
    for weight in weights:
        weight.requires_grad_(True)
    fact.losses(logits(fact)).sum().backward()
    for weight in weights:
        weight.requires_grad_(False)
        weight.grad = None
    for handle in handles:
        handle.remove()
    edits = learner.network({name: (u, output.grad) for name, (u, output) in seen.items()})
    delta = Delta({name: LowRank(-change[0].T, u[0].T) for name, (u, change) in edits.items()})
    inside = lay_out(backbone, [text(backbone, example.rephrase, example.target)])
    outside = lay_out(backbone, [text(backbone, example.locality_prompt, example.locality_answer)])
    before = logits(outside).log_softmax(-1)
    with with_deltas(backbone, [delta], [0]):
        new, after = inside.losses(logits(inside)), logits(outside).log_softmax(-1)
    return new[0], (before.exp() * (before - after)).sum(1).mean()


def test_training_on_the_tail_is_training_on_the_whole_model(backbone: Backbone, examples: list[Example]) -> None:
    """Golden test: losses and the gradients of all that is trained, α included, through states kept from one pass."""
    learner = learner_of(backbone, examples)
    losses = learner.losses([0, 1, 2], 3)
    slow = [through_the_whole_model(backbone, learner, example) for example in examples]
    expected = Losses(
        torch.stack([nll for nll, _ in slow]), torch.stack([kl for _, kl in slow]), losses.edit, losses.edit
    )
    torch.testing.assert_close(losses.edit, expected.edit, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(losses.locality, expected.locality, rtol=1e-3, atol=1e-5)
    assert losses.locality.min() > 1e-4
    for fast, whole in zip(gradient(backbone, learner, losses), gradient(backbone, learner, expected), strict=True):
        assert whole.abs().max() > 0
        torch.testing.assert_close(fast, whole, rtol=5e-3, atol=5e-4 * whole.abs().max().item())


def test_episodes_that_run_together_have_the_gradients_of_one_after_the_other(
    backbone: Backbone, examples: list[Example]
) -> None:
    learner = learner_of(backbone, examples)
    together = gradient(backbone, learner, learner.losses([2, 0, 1], 3))
    alone = [gradient(backbone, learner, learner.losses([fact], 1)) for fact in (2, 0, 1)]
    for number, mean in enumerate(together):
        accumulated = torch.stack([part[number] for part in alone]).mean(0)
        torch.testing.assert_close(mean, accumulated, rtol=5e-3, atol=5e-4 * accumulated.abs().max().item())


def test_untrained_mend_is_a_step_of_fine_tuning(backbone: Backbone, requests_en: list[Request]) -> None:
    """The networks start as the identity, so that ΔW = -α ∇W."""
    hparams = replace(HPARAMS, norm=False)
    network = Networks(backbone, hparams, seed=3)
    deltas = editor_with(backbone, network, hparams).edit_each(backbone, requests_en)
    weights = [backbone.module(name).weight for name in network.names]
    for request, delta in zip(requests_en, deltas, strict=True):
        rows = target_rows(backbone, [request])
        for weight in weights:
            weight.requires_grad_(True)
        loss = rows.losses(backbone.logits(rows.batch, rows.place_row, rows.place_column)).sum()
        found = torch.autograd.grad(loss, weights)
        for name, weight, step in zip(network.names, weights, found, strict=True):
            weight.requires_grad_(False)
            change = delta.terms[name].dense(*matrix(backbone.module(name)).shape)
            step = step if step.shape == change.shape else step.T
            torch.testing.assert_close(change, -0.02 * step, rtol=1e-4, atol=1e-7)


def test_matrices_of_one_shape_share_a_network_and_have_their_own_scale(llama: Backbone) -> None:
    network = Networks(llama, HPARAMS, seed=0)
    assert set(network.transforms) == {"48x32", "32x48"}
    transform = network.transform("48x32")
    x = torch.randn(2, 80)
    with torch.no_grad():
        transform.o[0, 1] += 1.0
        found = [transform(x, mode) for mode in range(4)]
    torch.testing.assert_close(found, [x, x + 1, x, x])


def test_what_goes_into_the_networks_is_standardised_over_the_training_facts(
    llama: Backbone, examples: list[Example]
) -> None:
    learner = MEND(HPARAMS, Materials()).learner(llama, examples, examples, seed=0)
    factors = learner._gradients(learner.training)
    for shape, members in learner.network.groups.items():
        x = torch.cat([_pairs(*factors[learner.network.names[number]])[0] for number in members])
        transform = learner.network.transform(shape)
        scaled = (x - transform.mean) / transform.std
        torch.testing.assert_close(scaled.mean(0), torch.zeros(x.shape[1]), rtol=0, atol=1e-4)
        torch.testing.assert_close(scaled.std(0, unbiased=False), torch.ones(x.shape[1]), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("batch_loss", ["sum", "mean"])
def test_an_episode_of_two_facts_is_their_joint_edit(
    llama: Backbone, examples: list[Example], requests_en: list[Request], batch_loss: str
) -> None:
    hparams = replace(HPARAMS, batch_size=2, edit_on="prompt", batch_loss=batch_loss)
    learner = learner_of(llama, examples, hparams)
    losses = learner.losses([0, 2], 1)
    delta = editor_with(llama, learner.network, hparams).edit(llama, [requests_en[0], requests_en[2]])
    rows = target_rows(llama, [requests_en[0], requests_en[2]])
    with torch.no_grad(), with_deltas(llama, [delta], [0, 0]):
        after = rows.losses(llama.logits(rows.batch, rows.place_row, rows.place_column))
    torch.testing.assert_close(losses.edit[0], after.mean(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("at_once", [1, 64])
def test_a_joint_edit_of_the_mean_loss_counts_every_token_once(
    backbone: Backbone, requests_en: list[Request], at_once: int
) -> None:
    """Networks that have learnt nothing pass gradients on, so that the edit is the gradient of the joint loss."""
    hparams = replace(HPARAMS, norm=False, batch_loss="mean")
    editor = editor_with(backbone, Networks(backbone, hparams, seed=0), hparams)
    editor.at_once = at_once
    joint, each = editor.edit(backbone, requests_en), editor.edit_each(backbone, requests_en)
    counts = target_rows(backbone, requests_en).place_row.bincount()
    assert len(set(counts.tolist())) > 1
    for name, term in joint.terms.items():
        shape = matrix(backbone.module(name)).shape
        parts = [
            share * delta.terms[name].dense(*shape) for share, delta in zip(counts / counts.sum(), each, strict=True)
        ]
        torch.testing.assert_close(term.dense(*shape), sum(parts), rtol=1e-4, atol=1e-7)


def test_gradients_are_zero_where_no_target_follows(backbone: Backbone, requests_en: list[Request]) -> None:
    rows = target_rows(backbone, requests_en)
    name = backbone.architecture.mlp_out.format(2)
    u, delta = gradients(backbone, [name], rows, Tail(backbone, rows.batch, 2))[name]
    taught = torch.zeros(delta.shape[:2], dtype=torch.bool)
    taught[rows.place_row, rows.place_column] = True
    assert ((delta != 0).any(-1) == taught).all()
    assert u.shape[:2] == delta.shape[:2]


def test_networks_of_another_backbone_are_refused(llama: Backbone, gpt2: Backbone, requests_en: list[Request]) -> None:
    editor = editor_with(gpt2, Networks(gpt2, HPARAMS, seed=0), HPARAMS)
    with pytest.raises(UserError, match=r"other weights .* train it again"):
        editor.edit_each(llama, requests_en)
    with pytest.raises(UserError, match="other hyperparameters"):
        editor_with(llama, Networks(llama, replace(HPARAMS, rank=3), seed=0), HPARAMS).edit_each(llama, requests_en)
    with pytest.raises(UserError, match="crossedit edits train"):
        MEND(HPARAMS, Materials()).edit_each(llama, requests_en)
