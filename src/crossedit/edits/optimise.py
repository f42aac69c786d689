"""Many small optimisations in one batch.

Finding v for S facts, or fine-tuning S copies of one matrix, is S problems that share nothing but the forward pass.
Each has its own Adam state, its own projection and its own end; the result is that of S separate runs.
"""

from collections.abc import Callable

import torch
from torch import Tensor

# Adam (Kingma & Ba, 2015), with the constants that every published editor leaves at their defaults.
BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8


def minimise_each(
    losses: Callable[[Tensor, Tensor], Tensor],
    start: Tensor,
    *,
    learning_rate: float,
    updates: int,
    tolerance: float,
    project: Callable[[Tensor, Tensor], Tensor] | None = None,
) -> tuple[Tensor, Tensor]:
    """Minimise S separate losses by Adam.

    losses(x, active): the loss of each problem still running, (A,), for its parameters x (A, ...); `active` (A,) are
    the problems' numbers in 0..S-1. start: (S, ...). A problem ends before the update in which its loss is below
    `tolerance`, and leaves the batch. project(x, active) is applied after every update.

    Returns the parameters (S, ...) and the number of updates that each problem took (S,).
    """
    parameters = start.clone()
    first, second = torch.zeros_like(start), torch.zeros_like(start)
    active = torch.arange(len(start), device=start.device)
    taken = torch.zeros(len(start), dtype=torch.long, device=start.device)
    for step in range(1, updates + 1):
        if not len(active):
            break
        x = parameters[active].requires_grad_()
        loss = losses(x, active)
        running = loss.detach() >= tolerance
        # The sum, not the mean: every problem gets the gradient that it would have alone.
        (gradient,) = torch.autograd.grad(loss[running].sum(), x)
        active, gradient, x = active[running], gradient[running], x.detach()[running]
        first[active] = BETA_1 * first[active] + (1 - BETA_1) * gradient
        second[active] = BETA_2 * second[active] + (1 - BETA_2) * gradient**2
        mean = first[active] / (1 - BETA_1**step)
        spread = (second[active] / (1 - BETA_2**step)).sqrt()
        x = x - learning_rate * mean / (spread + EPSILON)
        parameters[active] = project(x, active) if project else x
        taken[active] = step
    return parameters, taken
