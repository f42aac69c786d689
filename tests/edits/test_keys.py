"""Adjusted keys: the closed forms are the papers' dense formulas."""

import pytest
import torch
from torch import Tensor

from crossedit.edits.editors import make_editor
from crossedit.edits.editors.interface import Materials
from crossedit.edits.editors.memit import MEMIT
from crossedit.edits.keys import adjusted
from crossedit.errors import UserError

WIDTH = 12
SEARCH = {
    "layers": [0],
    "v_lr": 0.3,
    "v_num_grad_steps": 2,
    "v_weight_decay": 0.0,
    "clamp_norm_factor": 1.0,
    "kl_factor": 0.0,
    "mom2_adjustment": True,
}


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def covariance(rank: int = WIDTH) -> Tensor:
    samples = random(WIDTH, 40)[:rank]
    return random(WIDTH, rank, seed=3) @ (samples @ samples.T / 40) @ random(WIDTH, rank, seed=3).T


def editor(method: str, C: Tensor, **hparams: object) -> MEMIT:
    made = make_editor(method, {**SEARCH, **hparams}, Materials(covariances={0: C}))
    assert isinstance(made, MEMIT)
    return made


def keys_of(edit: MEMIT, keys: Tensor, together: bool) -> Tensor:
    """Return the adjusted keys as columns, (in, n)."""
    return adjusted(keys, lambda k: edit.metric(0, k), edit.damping(), together).double().T


def close(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5 * float(expected.abs().max()))


def test_memit_alone_is_the_solution_of_the_whole_system() -> None:
    """(λC + k kᵀ)⁻¹ k, for each fact by itself."""
    C, K = covariance(), random(5, WIDTH, seed=1)
    found = keys_of(editor("MEMIT", C, mom2_update_weight=0.7), K, together=False)
    for number, k in enumerate(K):
        close(found[:, number], torch.linalg.solve(0.7 * C + torch.outer(k, k), k))


@pytest.mark.parametrize("count", [1, 5, WIDTH, 30])
def test_memit_together_is_the_solution_of_the_whole_system(count: int) -> None:
    C, K = covariance(), random(count, WIDTH, seed=1)
    found = keys_of(editor("MEMIT", C, mom2_update_weight=0.7), K, together=True)
    close(found, torch.linalg.solve(0.7 * C + K.T @ K, K.T))


def test_memit_without_covariance_takes_the_identity() -> None:
    K = random(5, WIDTH, seed=1)
    found = keys_of(editor("MEMIT", covariance(), mom2_update_weight=0.7, mom2_adjustment=False), K, together=True)
    close(found, torch.linalg.solve(0.7 * torch.eye(WIDTH, dtype=K.dtype) + K.T @ K, K.T))


@pytest.mark.parametrize("together", [False, True])
def test_emmet_holds_its_facts_exactly_as_its_damping_vanishes(together: bool) -> None:
    """Wanted: Δ K = R, which is Aᵀ K = I; each fact by itself wants it of its own key."""
    C, K = covariance(), random(5, WIDTH, seed=1)
    errors = []
    for damping in (1.0, 1e-2, 1e-6):
        A = keys_of(editor("EMMET", C, mom2_update_weight=2.0, emmet_lambda=damping), K, together)
        product = A.T @ K.T
        errors.append(float((product - torch.eye(5) if together else product.diagonal() - 1).abs().max()))
    assert errors[0] > 10 * errors[1] > 100 * errors[2]
    assert errors[2] < 1e-3


def test_emmet_together_is_the_papers_formula() -> None:
    C, K = covariance(), random(5, WIDTH, seed=1)
    A = keys_of(editor("EMMET", C, mom2_update_weight=2.0, emmet_lambda=0.1, update_norm_lambda=0.3), K, together=True)
    inverse = torch.linalg.inv(2.0 * C + 0.3 * torch.eye(WIDTH))
    close(A, inverse @ K.T @ torch.linalg.inv(K @ inverse @ K.T + 0.1 * torch.eye(5)))


def test_the_same_key_twice_has_no_exact_solution() -> None:
    K = torch.ones(2, WIDTH, dtype=torch.float64)
    with pytest.raises(UserError, match="2 facts can't be written together, since some have the same key"):
        keys_of(editor("EMMET", torch.eye(WIDTH), mom2_update_weight=1.0, emmet_lambda=0.0), K, together=True)


@pytest.mark.parametrize("together", [False, True])
def test_alphaedit_leaves_preserved_keys_alone(together: bool) -> None:
    """Keys that the covariance has seen, eight directions of twelve, are answered as before; new ones are not."""
    C, K = covariance(rank=8), random(3, WIDTH, seed=1)
    edit = editor("AlphaEdit", C, nullspace_threshold=1e-6, L2=1e-3)
    A = keys_of(edit, K, together)
    preserved = random(20, 8, seed=2) @ random(WIDTH, 8, seed=3).T  # in the span of C
    assert (A.T @ preserved.T).abs().max() < 1e-5 * A.norm() * preserved.norm()
    assert (A.T @ K.T).diagonal().min() > 0.9
    P = edit.materials.null_space(0, 1e-6, relative=False)
    close(P @ P, P)
    assert round(float(P.trace())) == 4


@pytest.mark.parametrize("count", [3, 20])
def test_alphaedit_together_is_the_papers_formula(count: int) -> None:
    C, K = covariance(rank=8), random(count, WIDTH, seed=1)
    edit = editor("AlphaEdit", C, nullspace_threshold=1e-6, L2=0.5)
    P = edit.materials.null_space(0, 1e-6, relative=False)
    close(keys_of(edit, K, together=True), torch.linalg.solve(P @ K.T @ K + 0.5 * torch.eye(WIDTH), P @ K.T))


def test_a_relative_threshold_is_a_share_of_the_mean_eigenvalue() -> None:
    C = torch.diag(torch.tensor([1.0, 2.0, 3.0, 6.0]))
    materials = Materials(covariances={0: C})
    expected = torch.diag(torch.tensor([1.0, 1.0, 0.0, 0.0], dtype=torch.float64))
    assert torch.equal(materials.null_space(0, 0.7, relative=True), expected)
    assert torch.equal(materials.null_space(0, 2.5, relative=False), expected)
    with pytest.raises(UserError, match=r"nullspace_threshold 0\.5 leaves no direction of layer 0 to write in"):
        materials.null_space(0, 0.5, relative=False)


def test_alphaedit_needs_a_covariance() -> None:
    edit = editor("AlphaEdit", covariance(), nullspace_threshold=1e-2, L2=1.0, mom2_adjustment=False)
    with pytest.raises(UserError, match="mom2_adjustment is false"):
        edit.metric(0, random(1, WIDTH))
