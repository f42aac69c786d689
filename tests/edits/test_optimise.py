"""Many optimisations in one batch are those that each problem would have alone."""

import pytest
import torch
from torch import Tensor

from crossedit.edits import optimise
from crossedit.edits.optimise import minimise_each, minimise_parts
from crossedit.errors import UserError

GOALS = (
    torch.randn(4, 3, 5, generator=torch.Generator().manual_seed(0)) * torch.tensor([0.1, 1.0, 2.0, 4.0])[:, None, None]
)


def distances(x: Tensor, active: Tensor) -> Tensor:
    return (x - GOALS[active]).abs().pow(1.5).sum((1, 2))


def test_each_problem_takes_the_way_of_adam_until_it_is_near_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optimise, "PIECE", 7)  # pieces that no problem's border falls on
    start = torch.zeros_like(GOALS)
    found, taken = minimise_each(distances, start, learning_rate=0.1, updates=30, tolerance=1.5)
    assert not start.any()
    ended = []
    for number, goal in enumerate(GOALS):
        x = torch.zeros_like(goal, requires_grad=True)
        adam = torch.optim.Adam([x], lr=0.1)
        steps = 0
        while steps < 30:
            loss = (x - goal).abs().pow(1.5).sum()
            if loss < 1.5:
                break
            adam.zero_grad()
            loss.backward()
            adam.step()
            steps += 1
        torch.testing.assert_close(found[number], x.detach())
        ended.append(steps)
    assert taken.tolist() == ended
    assert min(ended) < ended[2] < max(ended) == 30


def test_a_problem_leaves_the_batch_when_it_ends() -> None:
    seen: list[list[int]] = []

    def losses(x: Tensor, active: Tensor) -> Tensor:
        seen.append(active.tolist())
        return distances(x, active)

    _, taken = minimise_each(losses, torch.zeros_like(GOALS), learning_rate=0.1, updates=30, tolerance=1.5)
    for step, active in enumerate(seen):
        # A problem is looked at once more than it is moved.
        assert active == [number for number in range(4) if taken[number] >= step]


def test_projected_parameters_never_leave_their_bounds() -> None:
    found, _ = minimise_each(
        distances,
        torch.zeros_like(GOALS),
        learning_rate=0.1,
        updates=60,
        tolerance=0.0,
        project=lambda x, active: x.clamp(-0.5, 0.5),
    )
    torch.testing.assert_close(found, GOALS.clamp(-0.5, 0.5), atol=0.05, rtol=0)


def test_parts_are_minimised_together_and_a_penalty_does_not_keep_them_running() -> None:
    halves = [GOALS[:, :1], GOALS[:, 1:]]

    def losses(parts: list[Tensor], active: Tensor) -> Tensor:
        return distances(torch.cat(list(parts), 1), active)

    settings = {"learning_rate": 0.1, "updates": 200, "tolerance": 1.5}
    start = [torch.zeros_like(half) for half in halves]
    found, taken = minimise_parts(losses, start, **settings)
    whole, alike = minimise_each(distances, torch.zeros_like(GOALS), **settings)
    torch.testing.assert_close(torch.cat(found, 1), whole)
    assert taken.tolist() == alike.tolist()
    _, heavy = minimise_parts(losses, start, **settings, penalty=lambda parts: 100.0 + 0.0 * parts[0].sum((1, 2)))
    assert heavy.tolist() == taken.tolist()
    pulled, _ = minimise_parts(losses, start, **settings, penalty=lambda parts: 5 * parts[0].abs().sum((1, 2)))
    assert pulled[0].abs().sum() < found[0].abs().sum() / 2


def test_nothing_is_moved_where_everything_is_near_enough() -> None:
    found, taken = minimise_each(distances, GOALS.clone(), learning_rate=0.1, updates=9, tolerance=1.0)
    assert torch.equal(found, GOALS)
    assert taken.tolist() == [0, 0, 0, 0]


def test_a_loss_that_is_no_number_is_told() -> None:
    with pytest.raises(UserError, match="no number after 1 updates"):
        minimise_each(
            lambda x, active: torch.where(x[:, 0] < 1, torch.nan, x[:, 0]),
            torch.ones(2, 1),
            learning_rate=0.1,
            updates=5,
            tolerance=0.0,
        )
