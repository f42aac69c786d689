"""Second moments of the keys: C = E[k kᵀ] of what goes into each layer's MLP output projection.

Meng et al. (2022, section 3.1) take it over Wikipedia; here the texts are named by the config, in the languages that
are edited. All layers come out of one pass over the texts.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from crossedit.backbones.backbone import Backbone
from crossedit.errors import UserError
from crossedit.progress import track
from crossedit.tables import whole


@torch.no_grad()
def covariances(
    backbone: Backbone, texts: Sequence[str], layers: Sequence[int], tokens: int, batch_tokens: int = 8192
) -> tuple[dict[int, Tensor], int]:
    """Return C (in, in), float32, per layer over at most about `tokens` tokens of the texts, and how many were used."""
    sums: dict[int, Tensor] = {}
    place: dict[str, Tensor] = {}

    def add(layer: int) -> object:
        def hook(_: nn.Module, args: tuple[Tensor, ...]) -> None:
            keys = args[0][place["mask"]].float()  # (tokens, in)
            moment = keys.T @ keys
            sums[layer] = sums[layer] + moment if layer in sums else moment

        module = backbone.module(backbone.architecture.mlp_out.format(layer))
        return module.register_forward_pre_hook(hook)

    backbone.checked_layers(layers)
    longest = getattr(backbone.model.config, "max_position_embeddings", 2048)
    rows, used = [], 0
    for text in texts:
        row = backbone.encode(text)[:longest]
        if not row:
            continue
        rows.append(row)
        used += len(row)
        if used >= tokens:
            break
    if not rows:
        raise UserError("covariance_text: the texts are empty; name files with text in them.")
    rows.sort(key=len)
    handles = [add(layer) for layer in layers]
    try:
        for batch in track(_batches(rows, batch_tokens), "covariances"):
            padded = backbone.batch(batch)
            place["mask"] = padded.mask.bool()
            backbone.model.base_model(**padded.inputs(), use_cache=False)
    finally:
        for handle in handles:
            handle.remove()  # type: ignore[attr-defined]
    return {layer: moment / used for layer, moment in sums.items()}, used


def _batches(rows: Sequence[list[int]], batch_tokens: int) -> list[list[list[int]]]:
    """Return the rows, which are sorted by length, in batches of at most `batch_tokens` with padding."""
    batches: list[list[list[int]]] = []
    for row in rows:
        if batches and (len(batches[-1]) + 1) * len(row) <= batch_tokens:
            batches[-1].append(row)
        else:
            batches.append([row])
    return batches


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
