"""What jobs take of a GPU's memory, counted from the tensors that they keep.

gpu_bytes(config, "predict", "llama-7b", "FT-L")      bytes
batch_size(config, "FT-L", "llama-7b")                facts edited together that fit
"""

from collections.abc import Mapping
from typing import Any

from crossedit import config as configuration
from crossedit.errors import UserError
from crossedit.runs.estimates.amounts import DEMONSTRATION, row_tokens, rows_of, trained_parameters
from crossedit.runs.estimates.sizes import Size, bytes_of, named_size, recipe_of, size_of

LARGEST_BATCH = 64
_CONTEXT = 1500 * 2**20  # CUDA's own
# Of the GPU's memory, this share is counted on; the rest is lost between the pieces.
_USABLE = 0.9
_BATCH_TOKENS = 8192  # in one batch of questions (backbones/asking.py)


def gpu_bytes(config: Mapping[str, Any], rule: str, backbone: str, editor: str | None = None) -> float:
    """Return the bytes of GPU memory that a rule's job is expected to take."""
    size, each = size_of(config, backbone), bytes_of(config, backbone)
    weights = size.parameters * each
    if rule == "train":
        recipe = recipe_of(config, backbone)
        tokens = recipe.rows * recipe.row_tokens
        # Gradients and Adam's two moments beside the weights; all in float32.
        return _CONTEXT + 4 * weights + _activations(size, tokens, 4) + 3 * tokens * size.vocabulary * 4
    asking = _BATCH_TOKENS * 2 * size.layers * size.hidden * each + _BATCH_TOKENS * (4 * size.hidden + size.ffn) * each
    moments = 0
    if rule == "covariance":
        moments = len(configuration.covariance_layers(config, backbone)) * size.ffn**2 * 4
    if editor is None or rule not in ("predict", "edit_on", "train_editor"):
        return _CONTEXT + weights + asking + moments
    batch = batch_size(config, editor, backbone)
    edit = _fixed(config, editor, backbone, size) + batch * _per_fact(config, editor, backbone, size)
    if rule == "train_editor":
        # What is trained, its gradients and moments, in float32.
        edit += trained_parameters(config, editor, backbone) * 4 * 4
    return _CONTEXT + weights + max(asking, edit)


def batch_size(config: Mapping[str, Any], editor: str, backbone: str) -> int:
    """Return how many facts the editor edits together on the backbone.

    What its entry says, else the largest power of two, at most 64, that `gpu_memory` (GiB) of the configuration takes
    in. A batch changes results by rounding alone, yet that is why it depends on the configuration and not on the
    machine that a job happens to get.
    """
    said: int | None = config["editors"][editor].get("batch_size")
    if said is not None:
        return said
    size = named_size(config, backbone)
    free = _USABLE * config["gpu_memory"] * 2**30 - _CONTEXT - size.parameters * bytes_of(config, backbone)
    fitting = (free - _fixed(config, editor, backbone, size)) / _per_fact(config, editor, backbone, size)
    batch = LARGEST_BATCH
    while batch > 1 and batch > fitting:
        batch //= 2
    return batch


def check_shards(config: Mapping[str, Any]) -> None:
    """Raise UserError for an editor whose cells have more shards than batches of facts."""
    for cell in configuration.cells(config):
        shards = config["editors"][cell.editor]["shards"]
        drawn = configuration.number(config["facts"][cell.facts].get("splits", {}).get("test", "all"))
        batch = batch_size(config, cell.editor, cell.backbone)
        if drawn is not None and shards > max(1, -(-drawn // batch)):
            raise UserError(
                f"config: editors.{cell.editor}.shards: {shards} can't share the {drawn} facts of '{cell.facts}' "
                f"in batches of {batch}; lower batch_size to {max(1, drawn // shards)}, or shards."
            )


def _per_fact(config: Mapping[str, Any], editor: str, backbone: str, size: Size) -> float:
    """Return the bytes of GPU memory that each fact of a batch takes while its edit is found."""
    wanted = configuration.hparams(config, editor, backbone)
    each = bytes_of(config, backbone)
    method = config["editors"][editor]["method"]
    layers = len(wanted.get("layers") or ()) or size.layers
    rows = rows_of(wanted)
    tokens = rows * row_tokens(wanted)
    # The states of all layers that gradients flow through, and three times the logits of a few tokens.
    kept = _activations(size, tokens, each) + 3 * rows * 4 * size.vocabulary * 4
    match method:
        case "FT-L" | "FT-M":
            # A change of the whole matrix, its gradient, two moments, the product with them: float32.
            return kept + layers * size.hidden * size.ffn * 4 * 5
        case "LoRA" | "AdaLoRA":
            # Two matrices in each layer, of two factors each, with gradient and moments.
            return kept + layers * 4 * wanted["rank"] * size.hidden * 4 * 4
        case "IKE" | "ICE":
            context = wanted.get("k", 1) * DEMONSTRATION
            return context * 2 * size.layers * size.hidden * each + kept
        case _:
            return kept


def _fixed(config: Mapping[str, Any], editor: str, backbone: str, size: Size) -> float:
    """Return the bytes that an editor takes however many facts it edits: covariances, their factors, other models."""
    wanted = configuration.hparams(config, editor, backbone)
    each = bytes_of(config, backbone)
    fixed = 0.0
    if wanted.get("mom2_adjustment"):
        fixed += len(wanted["layers"]) * size.ffn**2 * (4 + 8)  # float32, and factors in float64
    if wanted.get("replacement") == "backbone":
        fixed += 2 * size.parameters * each  # SERAC's two models
    return fixed


def _activations(size: Size, tokens: int, each: int) -> float:
    """Return the bytes of the states that a backward pass keeps.

    34 bytes per token, layer and dimension in half precision, attention's scores aside, which are few in short texts
    (Korthikanti et al., 2022, "Reducing Activation Recomputation in Large Transformer Models", eq. 1).
    """
    return 34 * (each / 2) * tokens * size.layers * size.hidden
