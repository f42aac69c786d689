"""Many small optimisations in one batch.

Finding v for S facts, or fine-tuning S copies of some matrices, is S problems that share nothing but the forward pass.
Each has its own Adam state, its own projection and its own end; the result is that of S separate runs.
"""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from crossedit.errors import UserError

# Adam (Kingma & Ba, 2015), with the constants that every published editor leaves at their defaults.
BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8

# Numbers that a processor updates at a time: all that an update of them reads and writes stays in its cache.
PIECE = 2**16


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

    Returns the parameters (S, ...) and the number of updates that each problem took (S,). Raises UserError where a
    loss is no number.
    """
    (found,), taken = minimise_parts(
        lambda parts, active: losses(parts[0], active),
        [start],
        learning_rate=learning_rate,
        updates=updates,
        tolerance=tolerance,
        project=None if project is None else lambda parts, active: [project(parts[0], active)],
    )
    return found, taken


def minimise_parts(
    losses: Callable[[Sequence[Tensor], Tensor], Tensor],
    start: Sequence[Tensor],
    *,
    learning_rate: float,
    updates: int,
    tolerance: float,
    project: Callable[[Sequence[Tensor], Tensor], Sequence[Tensor]] | None = None,
    penalty: Callable[[Sequence[Tensor]], Tensor] | None = None,
) -> tuple[list[Tensor], Tensor]:
    """Minimise S separate losses of parameters that come in several tensors, each (S, ...); see `minimise_each`.

    penalty(parts): what is added to each problem's loss, (A,), but doesn't count against the tolerance.
    """
    # What still runs lies side by side at the front; the others have been copied to where they end.
    parts = [part.clone(memory_format=torch.contiguous_format) for part in start]
    moments = [(torch.zeros_like(part), torch.zeros_like(part)) for part in parts]
    ended = [torch.empty_like(part) for part in parts]
    active = torch.arange(len(parts[0]), device=parts[0].device)
    taken = torch.zeros_like(active)
    for step in range(1, updates + 1):
        for part in parts:
            part.requires_grad_()
        loss = losses(parts, active)
        if loss.isnan().any():
            raise UserError(
                f"an edit's loss is no number after {step - 1} updates: lower the editor's learning rate, or load the "
                "backbone as float32 or bfloat16."
            )
        running = loss.detach() >= tolerance
        if not running.any():
            break
        # The sum, not the mean: every problem gets the gradient that it would have alone.
        gradients = torch.autograd.grad((loss + penalty(parts) if penalty else loss).sum(), parts)
        parts = [part.detach() for part in parts]
        if not running.all():
            for found, part in zip(ended, parts, strict=True):
                found[active[~running]] = part[~running]
            kept = running.nonzero()[:, 0].tolist()
            active, parts = active[running], [_closed_up(part, kept) for part in parts]
            gradients = tuple(gradient[running] for gradient in gradients)
            moments = [(_closed_up(first, kept), _closed_up(second, kept)) for first, second in moments]
        for part, gradient, (first, second) in zip(parts, gradients, moments, strict=True):
            _adam(part, gradient.contiguous(), first, second, learning_rate, step)
        if project:
            parts = list(project(parts, active))
        taken[active] = step
    for found, part in zip(ended, parts, strict=True):
        found[active] = part.detach()
    return ended, taken


def _closed_up(tensor: Tensor, kept: Sequence[int]) -> Tensor:
    """Return the kept rows (in increasing order), moved to the tensor's front: a copy may be of many gigabytes."""
    for place, row in enumerate(kept):
        if place != row:
            tensor[place] = tensor[row]
    return tensor[: len(kept)]


def _adam(x: Tensor, gradient: Tensor, first: Tensor, second: Tensor, learning_rate: float, step: int) -> None:
    """Update x and its two moments in place."""
    piece = PIECE if x.device.type == "cpu" else max(x.numel(), 1)
    flat = (tensor.view(-1).split(piece) for tensor in (x, gradient, first, second))
    for place, slope, mean, square in zip(*flat, strict=True):
        mean.lerp_(slope, 1 - BETA_1)
        square.mul_(BETA_2).addcmul_(slope, slope, value=1 - BETA_2)
        spread = square.sqrt().div_(math.sqrt(1 - BETA_2**step)).add_(EPSILON)
        place.addcdiv_(mean, spread, value=-learning_rate / (1 - BETA_1**step))
