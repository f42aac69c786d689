"""Second moments of the keys: C = E[k kᵀ] of what goes into each layer's MLP output projection.

Meng et al. (2022, section 3.1) take it over Wikipedia; here the texts are named by the config, in the languages that
it names. They stream by: one pass serves all layers, and a forward pass ends at the last of them.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from crossedit.backbones.backbone import Backbone, Batch
from crossedit.errors import UserError
from crossedit.files import whole
from crossedit.progress import bar

# Batches whose rows are sorted by length together, so that little of a batch is padding.
BATCHES_SORTED = 32


@torch.no_grad()
def covariances(
    backbone: Backbone, texts: Iterable[str], layers: Sequence[int], tokens: int, batch_tokens: int = 8192
) -> tuple[dict[int, Tensor], int]:
    """Return C (in, in), float32, per layer over at most about `tokens` tokens of the texts, and how many were used.

    A text is cut off at the model's positions, and at `batch_tokens`. Each batch's moment is a float32 product; they
    add up in float64. Raises UserError for texts without tokens.
    """
    sums: dict[int, Tensor] = {}
    batch: Batch

    def add(layer: int, inputs: Tensor) -> None:
        keys = inputs[batch.mask.bool()].float()  # (tokens, in)
        moment = (keys.T @ keys).double()
        sums[layer] = sums[layer].add_(moment) if layer in sums else moment

    used = 0
    with _keys_handed_to(add, backbone, backbone.checked_layers(layers)) as run, bar("covariances", tokens) as progress:
        for rows in _batches(_rows(backbone, texts, tokens, batch_tokens), batch_tokens):
            batch = backbone.batch(rows)
            run(batch)
            count = sum(len(row) for row in rows)
            used += count
            progress.advance(progress.task_ids[0], count)
    if not used:
        raise UserError("covariance_text: the texts are empty; name files with text in them.")
    return {layer: (moment / used).float() for layer, moment in sums.items()}, used


class _Reached(Exception):  # noqa: N818 - no error
    """The forward pass has come to the last layer that is wanted."""


@contextmanager
def _keys_handed_to(
    take: Callable[[int, Tensor], None], backbone: Backbone, layers: Sequence[int]
) -> Iterator[Callable[[Batch], None]]:
    """Yield what runs a batch as far as needed, and gives each layer's keys (rows, tokens, in) to `take`."""

    def hook(layer: int) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
        def give(_: nn.Module, args: tuple[Tensor, ...]) -> None:
            take(layer, args[0])
            if layer == max(layers):
                raise _Reached

        return give

    def run(batch: Batch) -> None:
        try:
            backbone.model.base_model(**batch.inputs(), use_cache=False)
        except _Reached:
            return

    with ExitStack() as hooks:
        for layer in set(layers):
            module = backbone.module(backbone.architecture.mlp_out.format(layer))
            hooks.callback(module.register_forward_pre_hook(hook(layer)).remove)
        # Half-precision keys lose nothing in TF32, in which a GPU multiplies several times faster.
        exact = torch.backends.cuda.matmul.allow_tf32
        hooks.callback(setattr, torch.backends.cuda.matmul, "allow_tf32", exact)
        torch.backends.cuda.matmul.allow_tf32 = exact or backbone.model.dtype != torch.float32
        yield run


def _rows(backbone: Backbone, texts: Iterable[str], tokens: int, longest: int) -> Iterator[list[int]]:
    """Yield the texts' tokens until there are enough."""
    longest = min(longest, getattr(backbone.model.config, "max_position_embeddings", longest))
    used = 0
    for text in texts:
        row = backbone.encode(text)[:longest]
        if row:
            yield row
        used += len(row)
        if used >= tokens:
            return


def _batches(rows: Iterable[list[int]], batch_tokens: int) -> Iterator[list[list[int]]]:
    """Yield the rows in batches of at most `batch_tokens` with padding, those of about the same length together."""
    waiting: list[list[int]] = []
    held = 0
    for row in rows:
        waiting.append(row)
        held += len(row)
        if held >= BATCHES_SORTED * batch_tokens:
            yield from _sorted_batches(waiting, batch_tokens)
            waiting, held = [], 0
    yield from _sorted_batches(waiting, batch_tokens)


def _sorted_batches(rows: Sequence[list[int]], batch_tokens: int) -> Iterator[list[list[int]]]:
    batch: list[list[int]] = []
    for row in sorted(rows, key=len):
        if batch and (len(batch) + 1) * len(row) > batch_tokens:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def save_covariances(found: dict[int, Tensor], path: Path, backbone: Backbone, tokens: int) -> None:
    """Write the covariances with the digest of the weights that they belong to."""
    tensors = {str(layer): moment.cpu().contiguous() for layer, moment in found.items()}
    with whole(path) as temporary:
        save_file(tensors, temporary, metadata={"weights": backbone.digest, "tokens": str(tokens)})


def load_covariances(path: Path, backbone: Backbone, layers: Sequence[int]) -> dict[int, Tensor]:
    """Return the covariances of these layers. Raises UserError where they belong to other weights."""
    with safe_open(path, framework="pt", device=str(backbone.device)) as stored:
        if stored.metadata()["weights"] != backbone.digest:
            raise UserError(f"{path}: belongs to other weights than backbone '{backbone.name}'; remove it, run again.")
        there = sorted(int(name) for name in stored.keys())  # noqa: SIM118 - no dict
        for layer in layers:
            if layer not in there:
                raise UserError(f"{path}: holds no covariance of layer {layer}; it has layers {there}.")
        return {layer: stored.get_tensor(str(layer)) for layer in layers}
