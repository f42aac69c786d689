"""Prompts with their targets, run through the pristine backbone once and asked again and again of an edited one.

    texts = Texts(backbone, [("Who wrote Hamlet?", "Shakespeare"), …], start=29)
    rows, tail = texts.pick([3, 0, 7])        layers 29.. of these rows; nothing below is computed again
    logits = texts.unedited([3, 0, 7])        the backbone's own logits at their targets, (K, vocabulary)

What is kept lies in files in the folder for temporary ones (TMPDIR), which the system holds in memory as far as they
fit, so that training on ten thousand facts needs no more memory than training on a hundred.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor

from crossedit.backbones.backbone import Backbone, Batch
from crossedit.backbones.tail import Tail
from crossedit.edits.rows import Rows, Tokens, lay_out
from crossedit.progress import track


class Texts:
    """start: the lowest layer that edits change; None where only the backbone's own answers are wanted."""

    def __init__(
        self, backbone: Backbone, texts: Sequence[tuple[str, str]], start: int | None = None, batch_tokens: int = 8192
    ) -> None:
        self.backbone, self.start = backbone, start
        self.tokens: list[Tokens] = [
            (backbone.encode(prompt), backbone.continuation(prompt, target)) for prompt, target in texts
        ]
        lengths = [len(prompt) + len(target) - 1 for prompt, target in self.tokens]
        width, dtype = backbone.model.config.hidden_size, backbone.model.dtype
        self._answers = _Store([len(target) for _, target in self.tokens], width, dtype)
        self._states = _Store(lengths, width, dtype) if start is not None else None
        self._wrapped = False  # whether the architecture's layers return tuples
        order = sorted(range(len(texts)), key=lambda number: lengths[number])
        count = max(1, batch_tokens // max(lengths))
        parts = [order[place : place + count] for place in range(0, len(order), count)]
        for part in track(parts, "states of the training facts"):
            self._run(part)

    @torch.no_grad()
    def _run(self, numbers: list[int]) -> None:
        """Run some texts through the whole backbone and keep what is needed of it."""
        rows = lay_out(self.backbone, [self.tokens[number] for number in numbers])
        kept: list[Tensor] = []

        def keep(_: object, args: tuple[Any, ...], output: Any) -> None:
            kept.append(args[0])
            self._wrapped = isinstance(output, tuple)

        with ExitStack() as hooks:
            if self.start is not None:
                layer = self.backbone.module(self.backbone.architecture.layer.format(self.start))
                hooks.callback(layer.register_forward_hook(keep).remove)
            final = self.backbone.model.base_model(**rows.batch.inputs(), use_cache=False).last_hidden_state
        for row, number in enumerate(numbers):
            mine = rows.place_row == row
            self._answers.put(number, final[row, rows.place_column[mine]])
            if self._states is not None:
                self._states.put(number, kept[0][row, : int(rows.batch.mask[row].sum())])

    def pick(self, numbers: Sequence[int]) -> tuple[Rows, Tail]:
        """Return the rows of these texts and the layers from `start` on over them."""
        assert self._states is not None
        assert self.start is not None
        rows = lay_out(self.backbone, [self.tokens[number] for number in numbers])
        hidden = self._states.padded(numbers).to(self.backbone.device)
        return rows, _Resumed(self.backbone, rows.batch, self.start, hidden, self._wrapped)

    def unedited(self, numbers: Sequence[int]) -> Tensor:
        """Return the pristine backbone's logits at the texts' target tokens, (K, vocabulary)."""
        states = torch.cat([self._answers.get(number) for number in numbers])
        return self.backbone.head(states.to(self.backbone.device))


class _Resumed(Tail):
    """A tail whose lower layers were run long ago: only masks and positions are made anew."""

    def __init__(self, backbone: Backbone, batch: Batch, start: int, hidden: Tensor, wrapped: bool) -> None:
        self.backbone, self.batch, self.hidden = backbone, batch, hidden
        names = [backbone.architecture.layer.format(number) for number in range(backbone.depth)]
        self.layers = [backbone.module(name) for name in names]
        with _idle(self.layers, wrapped) as calls, torch.no_grad():
            backbone.model.base_model(**batch.inputs(), use_cache=False)
        self.layers = self.layers[start:]
        self.arguments = [(args[1:], kwargs) for args, kwargs in calls[start:]]


@contextmanager
def _idle(layers: Sequence[Any], wrapped: bool) -> Iterator[list[tuple[tuple[Any, ...], dict[str, Any]]]]:
    """Within the block layers compute nothing: they note their arguments, and pass their input on."""
    calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

    def note(*args: Any, **kwargs: Any) -> Any:
        calls.append((args, kwargs))
        return (args[0],) if wrapped else args[0]

    for layer in layers:
        layer.forward = note
    try:
        yield calls
    finally:
        for layer in layers:
            del layer.forward


class _Store:
    """Rows of vectors in a file without a name, which is gone when nobody reads it any more, however that comes."""

    def __init__(self, lengths: Sequence[int], width: int, dtype: torch.dtype) -> None:
        self.starts = [0, *accumulate(lengths)]
        with tempfile.NamedTemporaryFile(prefix="crossedit.") as file:
            size = self.starts[-1] * width
            self.values = torch.from_file(file.name, shared=True, size=size, dtype=dtype).view(-1, width)

    def put(self, row: int, vectors: Tensor) -> None:
        self.values[self.starts[row] : self.starts[row + 1]] = vectors.to(self.values.device)

    def get(self, row: int) -> Tensor:
        """Return (length of the row, width)."""
        return self.values[self.starts[row] : self.starts[row + 1]]

    def padded(self, rows: Sequence[int]) -> Tensor:
        """Return (rows, longest, width), zeros at the end of shorter ones."""
        return torch.nn.utils.rnn.pad_sequence([self.get(row) for row in rows], batch_first=True)
