"""An edited model is the same whichever way the edit is applied: by hooks row by row, by changed weights, from disk."""

from itertools import product
from pathlib import Path

import pytest
import torch
from torch import Tensor

from crossedit.backbones.backbone import Backbone, weights_digest
from crossedit.edits.deltas import PRISTINE, Context, Delta, Dense, LowRank, Term, merged, with_deltas
from crossedit.errors import UserError
from crossedit.models import matrix

KINDS = ("rank 1", "rank 4", "dense")
PROMPTS = [[5, 6, 7, 8], [9, 10, 11], [12, 13, 14, 15, 16], [17, 18], [19, 20, 21]]
CONTEXT = Context("demo\n\n", {"en": "New Fact: a b\nPrompt: ", "zh": "New Fact: a 乙\nPrompt: "}, "en")


def make_term(kind: str, out_features: int, in_features: int, seed: int) -> Term:
    draw = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return 0.3 * torch.randn(*shape, generator=draw)

    match kind:
        case "dense":
            return Dense(0.3 * normal(out_features, in_features))
        case _:
            rank = int(kind.removeprefix("rank "))
            return LowRank(normal(out_features, rank), normal(in_features, rank))


def make_delta(backbone: Backbone, kind: str, seed: int, layers: tuple[int, ...] = (0, 1)) -> Delta:
    """Return a delta of one kind on the MLPs' two sides and the first attention module."""
    architecture = backbone.architecture
    names = [name.format(layer) for layer in layers for name in (architecture.mlp_out, architecture.mlp_in[0])]
    names.append(architecture.attention[0].format(layers[0]))
    modules = {name: matrix(backbone.module(name)).shape for name in names}
    return Delta({name: make_term(kind, *shape, seed + k) for k, (name, shape) in enumerate(modules.items())})


def last_logits(backbone: Backbone, prompts: list[list[int]]) -> Tensor:
    ends = torch.tensor([len(prompt) - 1 for prompt in prompts])
    return backbone.logits(backbone.batch(prompts), torch.arange(len(prompts)), ends)


def hooked(backbone: Backbone, deltas: list[Delta], rows: list[int]) -> Tensor:
    with with_deltas(backbone, deltas, rows):
        return last_logits(backbone, [PROMPTS[number % len(PROMPTS)] for number in range(len(rows))])


def one_by_one(backbone: Backbone, deltas: list[Delta], rows: list[int]) -> Tensor:
    """Return the same through changed weights, one row at a time."""
    found = []
    for number, row in enumerate(rows):
        with merged(backbone, deltas[row] if row != PRISTINE else Delta()):
            found.append(last_logits(backbone, [PROMPTS[number % len(PROMPTS)]]))
    return torch.cat(found)


def close(first: Tensor, second: Tensor) -> None:
    torch.testing.assert_close(first, second, rtol=1e-4, atol=1e-4 * float(second.abs().max()))


@pytest.mark.parametrize("kind", KINDS)
def test_rows_with_hooks_are_rows_with_changed_weights(kind: str, backbone: Backbone) -> None:
    deltas = [make_delta(backbone, kind, seed) for seed in (10, 20, 31)]
    rows = [0, 1, 2, PRISTINE, 1]
    together = hooked(backbone, deltas, rows)
    close(together, one_by_one(backbone, deltas, rows))
    pristine = last_logits(backbone, PROMPTS)
    changed = (together - pristine).abs().amax(1)
    assert changed[3] < 1e-5
    assert changed[[0, 1, 2, 4]].min() > 1e-2


def test_kinds_and_modules_may_be_mixed_in_a_batch(backbone: Backbone) -> None:
    deltas = [make_delta(backbone, kind, 40 + k, layers=(k % 3,)) for k, kind in enumerate(KINDS)]
    rows = [0, 1, 2, PRISTINE, 2, 0, 2]
    close(hooked(backbone, deltas, rows), one_by_one(backbone, deltas, rows))


def test_no_delta_is_the_pristine_model(llama: Backbone) -> None:
    assert torch.equal(hooked(llama, [], [PRISTINE] * 5), last_logits(llama, PROMPTS))


@pytest.mark.parametrize("kind", KINDS)
def test_hooks_go_and_weights_stay_when_a_block_fails(kind: str, llama: Backbone) -> None:
    pristine = weights_digest(llama.model)
    delta = make_delta(llama, kind, 3)
    for block in (with_deltas(llama, [delta], [0]), merged(llama, delta)):
        with pytest.raises(RuntimeError, match="inside"), block:
            raise RuntimeError("inside")
    assert weights_digest(llama.model) == pristine
    assert not any(module._forward_hooks for module in llama.model.modules())


def test_a_module_that_is_not_there_leaves_nothing_behind(llama: Backbone) -> None:
    """The second module is unknown: what was done to the first is undone."""
    name = llama.architecture.mlp_out.format(0)
    pristine = llama.module(name).weight
    delta = Delta({name: Dense(torch.ones_like(matrix(llama.module(name)))), "model.nowhere": Dense(torch.ones(1, 1))})
    for block in (with_deltas(llama, [delta], [0]), merged(llama, delta)):
        with pytest.raises(AttributeError), block:
            pass
    assert llama.module(name).weight is pristine
    assert not llama.module(name)._forward_hooks


def test_merging_gives_the_very_same_tensors_back(backbone: Backbone) -> None:
    delta = make_delta(backbone, "rank 1", 5)
    before = {name: backbone.module(name).weight for name in delta.terms}
    with merged(backbone, delta):
        assert all(backbone.module(name).weight is not weight for name, weight in before.items())
    assert all(backbone.module(name).weight is weight for name, weight in before.items())


@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_delta_answers_as_before(kind: str, llama: Backbone, tmp_path: Path) -> None:
    delta = make_delta(llama, kind, 6)
    delta.save(tmp_path / "edit")
    loaded = Delta.load(tmp_path / "edit")
    assert torch.equal(hooked(llama, [loaded], [0, 0, 0]), hooked(llama, [delta], [0, 0, 0]))
    close(one_by_one(llama, [loaded], [0, 0, 0]), hooked(llama, [delta], [0, 0, 0]))


def test_a_saved_text_comes_back(tmp_path: Path) -> None:
    Delta(context=CONTEXT).save(tmp_path / "edit")
    loaded = Delta.load(tmp_path / "edit")
    assert loaded.context == CONTEXT
    assert not loaded.terms


def test_tensors_that_share_their_memory_can_be_saved(tmp_path: Path) -> None:
    square = torch.arange(9.0).view(3, 3)
    Delta({"one": LowRank(square, square), "two": Dense(square)}).save(tmp_path / "edit")
    assert torch.equal(Delta.load(tmp_path / "edit").terms["one"].dense(3, 3), square @ square.T)


@pytest.mark.parametrize("spoiled", ["delta.safetensors", "manifest.json"])
def test_a_folder_without_a_whole_delta_is_refused(spoiled: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no saved delta"):
        Delta.load(tmp_path / "nothing")
    Delta({"one": Dense(torch.ones(2, 2))}).save(tmp_path / "edit")
    (tmp_path / "edit" / spoiled).write_text("spoiled")
    with pytest.raises(UserError, match="holds no saved delta"):
        Delta.load(tmp_path / "edit")


@pytest.mark.parametrize(("first", "second"), list(product(KINDS, KINDS)))
def test_a_sum_is_both_edits(first: str, second: str, llama: Backbone) -> None:
    one, other = make_delta(llama, first, 10), make_delta(llama, second, 23, layers=(1, 2))
    total = one + other
    with merged(llama, one), merged(llama, other):
        both = last_logits(llama, PROMPTS)
    close(hooked(llama, [total], [0] * 5), both)
    with merged(llama, total):
        close(last_logits(llama, PROMPTS), both)


def test_a_text_joins_a_weight_edit_but_no_other_text(llama: Backbone) -> None:
    weights, text = make_delta(llama, "rank 1", 1), Delta(context=CONTEXT)
    assert (weights + text).context == (text + weights).context == CONTEXT
    assert set((weights + text).terms) == set(weights.terms)
    with pytest.raises(UserError, match="two in-context edits can't be added up"):
        text + text


def test_a_text_is_no_change_of_weights(llama: Backbone) -> None:
    for delta in (Delta(context=CONTEXT), make_delta(llama, "rank 1", 1) + Delta(context=CONTEXT)):
        with pytest.raises(UserError, match="text before the prompt"), merged(llama, delta):
            pass


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_of_another_size_is_refused(kind: str, llama: Backbone) -> None:
    with (
        with_deltas(llama, [make_delta(llama, kind, 1)], [0, 0]),
        pytest.raises(ValueError, match="the batch has 3 rows, but 2 were given to with_deltas"),
    ):
        last_logits(llama, PROMPTS[:3])


def test_a_prefix_names_the_answer_in_the_language_that_is_asked_for() -> None:
    assert CONTEXT.prefix() == "demo\n\nNew Fact: a b\nPrompt: "
    assert CONTEXT.prefix("zh", demonstrations=False) == "New Fact: a 乙\nPrompt: "
    assert CONTEXT.prefix("de") == CONTEXT.prefix()
