"""Fine-tuning copies of some parameters, each on requests of its own, in one batch: what FT, LoRA and AdaLoRA share.

Edits that are independent of each other have one copy per request; an edit that holds all requests has a single one.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn

from crossedit.backbones.backbone import Backbone
from crossedit.backbones.tail import Tail
from crossedit.edits.optimise import minimise_parts
from crossedit.edits.rows import Rows

# The parameters of each module that is trained, every tensor with a dimension of copies first.
Parts = Mapping[str, Sequence[Tensor]]


@dataclass(frozen=True)
class Running:
    """The rows of the copies that still train, one row per request.

    request (rows,): the number of the row's request. slot (rows,): the place of its copy among those that still train.
    mask (rows, tokens): 1 at the rows' own tokens.
    """

    request: Tensor
    slot: Tensor
    mask: Tensor

    @cached_property
    def lengths(self) -> dict[int, int]:
        """The rows' numbers of tokens by request; a device is waited for once, not for every module."""
        return dict(zip(self.request.tolist(), self.mask.sum(1).tolist(), strict=True))

    def own(self, part: Tensor) -> Tensor:
        """Return what each row has of a part (copies, …): (rows, …), or (…) where there is one copy for all of them."""
        if len(part) == 1:
            return part[0]
        return part if len(part) == len(self.slot) else part[self.slot]


# What a module's parts add to its output for its float32 input x (rows, tokens, in).
Added = Callable[[Sequence[Tensor], Tensor, Running], Tensor]


def train_copies(
    backbone: Backbone,
    rows: Rows,
    owners: Sequence[int],
    start: Parts,
    added: Added,
    *,
    layer: int,
    learning_rate: float,
    updates: int,
    tolerance: float,
    project: Callable[[Tensor], Tensor] | None = None,
    penalty: Callable[[Parts], Tensor] | None = None,
) -> dict[str, list[Tensor]]:
    """Return the parts after training, by module. The loss of a copy is the mean over its rows' losses.

    rows: one per request; `owners[i]` is the copy that request i belongs to, in increasing order. layer: the first one
    that has something to train. A copy ends when its loss is below `tolerance`, to which `penalty`, (copies,), doesn't
    count. project is applied to every part after every update.
    """
    owner = torch.tensor(owners, device=backbone.device)  # (rows,)
    copies = torch.arange(owners[-1] + 1, device=owner.device)
    size = torch.bincount(owner)
    now = (copies, owner, rows, Tail(backbone, rows.batch, layer))

    def named(flat: Sequence[Tensor]) -> dict[str, list[Tensor]]:
        parts = iter(flat)
        return {name: [next(parts) for _ in own] for name, own in start.items()}

    def losses(flat: Sequence[Tensor], active: Tensor) -> Tensor:
        nonlocal now
        if len(active) < len(now[0]):
            kept = torch.isin(now[1], active).nonzero()[:, 0]
            now = (active, now[1][kept], now[2].select(kept), now[3].select(kept))
        _, belongs, picked, tail = now
        slot = torch.searchsorted(active, belongs)
        with _acting(backbone, named(flat), added, Running(picked.fact, slot, picked.batch.mask)):
            hidden = tail()
        per_row = picked.losses(backbone.head(hidden[picked.place_row, picked.place_column]))
        return per_row.new_zeros(len(active)).index_add(0, slot, per_row) / size[active]

    found, _ = minimise_parts(
        losses,
        [part for own in start.values() for part in own],
        learning_rate=learning_rate,
        updates=updates,
        tolerance=tolerance,
        project=None if project is None else lambda flat, _: [project(part) for part in flat],
        penalty=None if penalty is None else lambda flat: penalty(named(flat)),
    )
    return named(found)


def _acting(backbone: Backbone, parts: Parts, added: Added, running: Running) -> ExitStack:
    """Return a context in which modules add what their parts make of their inputs, with gradients to the parts."""
    hooks = ExitStack()
    for name, own in parts.items():

        def add(_: nn.Module, args: tuple[Tensor, ...], output: Tensor, own: Sequence[Tensor] = own) -> Tensor:
            # What is trained is float32, whatever the backbone's dtype.
            return output + added(own, args[0].float(), running).to(output.dtype)

        hooks.callback(backbone.module(name).register_forward_hook(add).remove)
    return hooks
