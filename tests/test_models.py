"""The rows of the architecture table name what is there, and weights are read and set alike everywhere."""

import dataclasses

import pytest
import torch

from crossedit.backbones.backbone import Backbone
from crossedit.errors import UserError
from crossedit.models import ARCHITECTURES, Architecture, architecture_of, first_tensor, matrix, set_matrix

HIDDEN, INNER = 32, 48  # of the tiny backbones


def names(architecture: Architecture, layer: int) -> list[str]:
    """Return every module name of the row, for one layer."""
    found: list[str] = []
    for value in dataclasses.astuple(architecture):
        found += [value] if isinstance(value, str) else value
    return [name.format(layer) for name in found]


def test_every_module_of_the_row_exists_in_every_layer(backbone: Backbone) -> None:
    for layer in range(backbone.depth):
        for name in names(backbone.architecture, layer):
            assert backbone.module(name) is not None


def test_matrices_are_out_by_in_whichever_way_they_are_stored(backbone: Backbone) -> None:
    architecture = backbone.architecture
    assert matrix(backbone.module(architecture.mlp_out.format(1))).shape == (HIDDEN, INNER)
    for name in architecture.mlp_in:
        assert matrix(backbone.module(name.format(1))).shape == (INNER, HIDDEN)
    for name in architecture.attention:
        assert matrix(backbone.module(name.format(1))).shape[1] == HIDDEN


def test_a_set_matrix_acts_as_the_change_it_holds_and_leaves_the_old_tensor(backbone: Backbone) -> None:
    x = torch.randn(5, INNER, generator=torch.Generator().manual_seed(0))
    change = torch.randn(HIDDEN, INNER, generator=torch.Generator().manual_seed(1))
    module = backbone.module(backbone.architecture.mlp_out.format(1))
    pristine = module.weight
    copy, before = pristine.detach().clone(), module(x)
    try:
        set_matrix(module, matrix(module) + change)
        torch.testing.assert_close(module(x), before + x @ change.T, rtol=1e-4, atol=1e-4)
        assert module.weight is not pristine
        assert not module.weight.requires_grad
    finally:
        module.weight = pristine
    assert torch.equal(pristine, copy)


def test_baichuan_differs_from_llama_in_its_fused_attention_alone() -> None:
    """Its code is remote, so that no tiny model of it can be made here."""
    llama, baichuan = (dataclasses.asdict(ARCHITECTURES[name]) for name in ("llama", "baichuan"))
    assert llama.pop("attention") != baichuan.pop("attention")
    assert llama == baichuan


def test_an_unknown_model_type_is_answered_with_the_nearest() -> None:
    with pytest.raises(UserError, match=r"^backbone of model_type 'lama': .*did you mean 'llama'\?$"):
        architecture_of("lama")


def test_hidden_states_are_the_first_of_a_tuple() -> None:
    states = torch.zeros(1, 2, 3)
    assert first_tensor(states) is states
    assert first_tensor((states, torch.ones(1))) is states
