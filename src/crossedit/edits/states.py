"""Looking at, and adding to, what passes through a model at one column of a batch: the last token of the subjects.

with seen(backbone, keys_of, outputs_of, column=-1) as states:
    backbone.model(**batch.inputs())
states.keys, states.outputs                                what went into one module and came out of others
with added(backbone, module, delta):                       row i's first token gets delta[i] added to the output
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from crossedit.backbones.backbone import Backbone
from crossedit.models import first_tensor

Output = Tensor | tuple[Tensor, ...]


@dataclass
class States:
    """keys: (rows, in), the input of one module; outputs: (rows, width) of each of the others; all float32."""

    keys: Tensor = field(default_factory=lambda: torch.empty(0))
    outputs: list[Tensor] = field(default_factory=list)


@contextmanager
def seen(backbone: Backbone, keys_of: str, outputs_of: Sequence[str], column: int) -> Iterator[States]:
    """Within the block, keep the input of module `keys_of` and the outputs of the others, at that column.

    The block runs the model once.
    """
    states = States(outputs=[torch.empty(0)] * len(outputs_of))

    def keep_keys(_: nn.Module, args: tuple[Tensor, ...]) -> None:
        states.keys = args[0][:, column].detach().float()

    def keep_output(number: int) -> Callable[[nn.Module, object, Output], None]:
        def keep(_: nn.Module, __: object, output: Output) -> None:
            states.outputs[number] = first_tensor(output)[:, column].detach().float()

        return keep

    with ExitStack() as hooks:
        hooks.callback(backbone.module(keys_of).register_forward_pre_hook(keep_keys).remove)
        for number, module in enumerate(outputs_of):
            hooks.callback(backbone.module(module).register_forward_hook(keep_output(number)).remove)
        yield states


@contextmanager
def added(backbone: Backbone, module: str, delta: Tensor) -> Iterator[None]:
    """Within the block, the module's output at the first token of row i gets delta[i] added; delta is (rows, width)."""

    def add(_: nn.Module, __: object, output: Output) -> Output:
        changed = plus(first_tensor(output), delta)
        return changed if isinstance(output, Tensor) else (changed, *output[1:])

    handle = backbone.module(module).register_forward_hook(add)
    try:
        yield
    finally:
        handle.remove()


def plus(states: Tensor, delta: Tensor) -> Tensor:
    """Return states (rows, tokens, width) with delta (rows, width) added at their first token."""
    first, rest = states.split([1, states.shape[1] - 1], dim=1)
    return torch.cat([first + delta[:, None].to(states.dtype), rest], 1)
