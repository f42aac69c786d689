"""What a model has computed of the first tokens of some rows, kept so that the rest of each row can be run many times.

    past = Prefix.of(backbone, heads)                       the first tokens of each row, run once, without gradients
    batch = backbone.batch(tails, past=past)                what follows them; the model then sees whole rows
    batch = backbone.batch(tails, past=past.select(rows))   several rows may follow the same first tokens

A prefix never grows: passing a batch through the model leaves it as it was, so that it can be passed again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from transformers.cache_utils import Cache, DynamicCache, DynamicLayer

if TYPE_CHECKING:
    from crossedit.backbones.backbone import Backbone, Batch


@dataclass(frozen=True, eq=False)
class Prefix:
    """Keys and values of each layer, (rows, heads, tokens, width); rows are padded on the left.

    mask: (rows, tokens), 1 at the rows' own tokens.
    """

    keys: Sequence[Tensor]
    values: Sequence[Tensor]
    mask: Tensor

    @classmethod
    @torch.no_grad()
    def of(cls, backbone: "Backbone", rows: Sequence[Sequence[int]]) -> "Prefix | None":
        """Run the rows once. Returns None where all rows are empty; single rows may be."""
        return extended(backbone, backbone.batch(rows, side="left"))[1] if any(rows) else None

    @property
    def lengths(self) -> Tensor:
        """The rows' numbers of tokens, (rows,)."""
        return self.mask.sum(1)

    def select(self, rows: Tensor) -> "Prefix":
        """Return the prefix of these rows, which may repeat."""
        return Prefix([keys[rows] for keys in self.keys], [values[rows] for values in self.values], self.mask[rows])

    def cache(self, grows: bool = False) -> Cache:
        """Return the prefix as transformers takes it; one that grows keeps what is passed through."""
        layers = [
            _filled(DynamicLayer() if grows else _Still(), *pair) for pair in zip(self.keys, self.values, strict=True)
        ]
        return Cache(layers=layers)


def extended(backbone: "Backbone", batch: "Batch") -> tuple[Tensor, Prefix]:
    """Run a batch; return its states after the final norm, (rows, tokens, hidden), and all that is computed by now."""
    # Without the config, so that sliding windows are left to the mask.
    cache: Any = batch.past.cache(grows=True) if batch.past else DynamicCache()
    inputs = batch.inputs() | {"past_key_values": cache}
    hidden = backbone.model.base_model(**inputs, use_cache=True).last_hidden_state
    keys, values = [layer.keys for layer in cache.layers], [layer.values for layer in cache.layers]
    return hidden, Prefix(keys, values, inputs["attention_mask"])


class _Still(DynamicLayer):
    """A layer of keys and values that are put before those of every pass, and stay what they are."""

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        assert self.keys is not None
        assert self.values is not None
        return torch.cat([self.keys, key_states], -2), torch.cat([self.values, value_states], -2)


def _filled(layer: DynamicLayer, keys: Tensor, values: Tensor) -> DynamicLayer:
    layer.lazy_initialization(keys, values)
    layer.keys, layer.values = keys, values
    return layer
