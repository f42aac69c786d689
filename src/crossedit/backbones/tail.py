"""The upper part of a forward pass, run again and again over states that were computed once.

    tail = Tail(backbone, batch, start=5)      layers 0..4 are run here, without gradients
    hidden = tail()                            layers 5.. and the final norm: (rows, tokens, hidden)
    hidden = tail(changed)                     the same with other states at the input of layer 5
    tail.select(rows)()                        the same for some of the rows
    Tail(backbone, batch, start=5, stop=8)     layers 5..8 and the final norm

What optimises something at layer L needs nothing below L more than once. The arguments of every layer (masks, rotary
embeddings) are recorded as the model itself made them, so that no architecture has to be rebuilt here.
"""

from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn
from transformers.cache_utils import Cache

from crossedit.backbones.backbone import Backbone, Batch
from crossedit.models import first_tensor


class Tail:
    """Layers `start`.. of one batch. Hooks on their modules act as they do in the whole model.

    stop: the last layer that is run, by default the model's; none is where `start` comes after it, and `start` may be
    the model's depth.
    """

    hidden: Tensor  # (rows, tokens, hidden) at the input of layer `start`

    def __init__(self, backbone: Backbone, batch: Batch, start: int, stop: int | None = None) -> None:
        self.backbone = backbone
        self.batch = batch
        architecture, depth = backbone.architecture, backbone.depth
        numbers = range(start, depth if stop is None else stop + 1)
        self.layers = [backbone.module(architecture.layer.format(number)) for number in numbers]
        entrance = backbone.module(architecture.layer.format(start) if start < depth else architecture.final_norm)
        calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

        def record(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            if not calls:
                self.hidden = args[0]  # those of the other layers are not held: together they would be gigabytes
            calls.append((args[1:], kwargs))

        with ExitStack() as hooks, torch.no_grad():
            for module in self.layers or [entrance]:
                handle = module.register_forward_pre_hook(record, with_kwargs=True)
                hooks.callback(handle.remove)
            backbone.model.base_model(**batch.inputs(), use_cache=False)
        self.arguments = calls[: len(self.layers)]

    def __call__(self, hidden: Tensor | None = None) -> Tensor:
        """Return the states after the final norm, (rows, tokens, hidden); `hidden` may take the kept states' place."""
        hidden = self.hidden if hidden is None else hidden
        for layer, (args, kwargs) in zip(self.layers, self.arguments, strict=True):
            hidden = first_tensor(layer(hidden, *args, **kwargs))
        normed: Tensor = self.backbone.module(self.backbone.architecture.final_norm)(hidden)
        return normed

    def select(self, rows: Tensor) -> "Tail":
        """Return the tail of those rows only."""
        count = len(self.hidden)

        def pick(value: Any) -> Any:
            if isinstance(value, Tensor):
                return value[rows] if value.ndim and len(value) == count else value
            if isinstance(value, tuple):
                return tuple(pick(item) for item in value)
            return part.batch.past.cache() if isinstance(value, Cache) and part.batch.past else value

        part = object.__new__(Tail)
        part.backbone, part.layers = self.backbone, self.layers
        part.batch = self.batch.select(rows)
        part.hidden = self.hidden[rows]
        part.arguments = [
            (pick(args), {name: pick(value) for name, value in kwargs.items()}) for args, kwargs in self.arguments
        ]
        return part
