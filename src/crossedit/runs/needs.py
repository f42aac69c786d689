"""What a job needs of a machine, by the size of its backbone, its editor, and how often it was tried.

    needs(config, "predict", backbone="llama-7b", editor="FT-L")      Needs(gpu=1, gpu_mem_mb=…, mem_mb=…, runtime=…)
    batch_size(config, "FT-L", "llama-7b")                            facts edited together in the GPU's memory
    expected_seconds(config, "predict", "llama-7b", "FT-L", "bizsre")  what is counted with where nothing was measured

Estimates, rounded up: memory is counted from the tensors that an edit keeps, time from the multiplications that it
takes at a third of what a GPU of 100 TFLOP/s can do. Nothing here imports a model library: Snakemake asks for each job.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from crossedit import config as configuration
from crossedit.errors import UserError
from crossedit.runs.sizes import Size, bytes_of, recipe_of, size_of

MB = 2**20
LARGEST_BATCH = 64
# What is there before any tensor: a process with torch in the host's memory, a CUDA context in the GPU's.
_PROCESS, _CONTEXT = 2000 * MB, 1500 * MB
# Of the GPU's memory, this share is counted on; the rest is lost between the pieces.
_USABLE = 0.9
# Tokens of a question with its answer, from its subject on, and of a demonstration before it; questions about a fact
# per language.
_QUESTION, _SEARCHED, _DEMONSTRATION, _ASKED = 24, 12, 32, 4
_TASK_TOKENS = 400
# Tokens in one batch of questions (backbones/asking.py), and multiplications per second.
_BATCH_TOKENS, _SPEED = 8192, 3e13
_UNKNOWN_FACTS = 1000  # where the split takes all that its files hold

# The rules that load a model, and so ask for a GPU; those that train or edit take gradients too.
ON_GPU = frozenset(
    {"train", "contexts", "covariance", "ask", "train_editor", "predict", "edit_on", "probe_edited", "ask_task"}
)


class Needs(NamedTuple):
    """Number of GPUs, memory of each and of the host (MiB), and the time after which a job is given up (minutes)."""

    gpu: int
    gpu_mem_mb: int
    mem_mb: int
    runtime: int


def needs(
    config: Mapping[str, Any],
    rule: str,
    backbone: str | None = None,
    editor: str | None = None,
    facts: str | None = None,
    attempt: int = 1,
) -> Needs:
    """Return what a rule's job asks for; the host's memory and the time grow with each attempt."""
    if rule not in ON_GPU or backbone is None:
        return Needs(0, 0, attempt * 2000, attempt * 30)
    held: float = gpu_bytes(config, rule, backbone, editor)
    weights = size_of(config, backbone).parameters * bytes_of(config, backbone)
    on_cpu = config["backbones"][backbone].get("device") == "cpu"
    # A model passes through the host's memory on its way to the GPU.
    host = _PROCESS + (held if on_cpu else int(1.2 * weights))
    minutes = 15 + 4 * expected_seconds(config, rule, backbone, editor, facts) / 60
    return Needs(
        gpu=0 if on_cpu else 1,
        gpu_mem_mb=0 if on_cpu else _rounded(held / MB),
        mem_mb=_rounded(attempt * host / MB),
        runtime=int(attempt * minutes),
    )


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
    edit = _fixed(config, editor, backbone) + batch_size(config, editor, backbone) * _per_fact(config, editor, backbone)
    if rule == "train_editor":
        edit += _trained(config, editor, backbone)
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
    size = size_of(config, backbone)
    free = _USABLE * config["gpu_memory"] * 2**30 - _CONTEXT - size.parameters * bytes_of(config, backbone)
    fitting = (free - _fixed(config, editor, backbone)) / _per_fact(config, editor, backbone)
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


def number_of_facts(config: Mapping[str, Any], facts: str, split: str = "test") -> int:
    """Return how many facts a split draws; 1,000 where it takes all of its files and nothing has counted them."""
    drawn = configuration.number(config["facts"][facts].get("splits", {}).get(split, "all"))
    return _UNKNOWN_FACTS if drawn is None else drawn


def expected_seconds(
    config: Mapping[str, Any],
    rule: str,
    backbone: str | None = None,
    editor: str | None = None,
    facts: str | None = None,
    edits: int | None = None,
) -> float:
    """Return how long a rule's job is expected to take, in seconds; `edits`: how many facts a sweep's stop writes."""
    if rule not in ON_GPU or backbone is None:
        return 10.0
    size, each = size_of(config, backbone), bytes_of(config, backbone)
    start = 15.0 + size.parameters * each / 1e9  # imports, and a gigabyte of weights per second
    speed = _SPEED if each == 2 else _SPEED / 4
    forward = 2 * size.parameters / speed  # seconds per token
    number = number_of_facts(config, facts) if facts else 0
    languages = len({*config["languages"], *config["evaluation_languages"]})
    asked = languages * _ASKED * len(config["protocols"]) * _QUESTION * forward  # per fact
    edit = _edit_tokens(config, editor, backbone) * 3 * forward if editor else 0.0  # forward and back
    match rule:
        case "train":
            recipe = recipe_of(config, backbone)
            return start + recipe.steps * recipe.rows * recipe.row_tokens * 3 * forward
        case "covariance":
            return start + config["backbones"][backbone].get("covariance_tokens", 1_000_000) * forward
        case "ask":
            return start + number * asked
        case "predict" if editor:
            shards = config["editors"][editor]["shards"]
            return start + number * (edit + asked) / shards
        case "train_editor" if editor:
            wanted = configuration.hparams(config, editor, backbone)
            drawn = max(1, number_of_facts(config, facts, "train")) if facts else 1
            episodes = min(wanted["max_iters"] * wanted["batch_size"], 20 * drawn)
            return start + episodes * 3 * _QUESTION * 3 * forward
        case "edit_on":
            return start + (edits or number) * edit
        case "probe_edited":
            return start + (edits or number) * asked / len(config["protocols"])
        case "ask_task":
            return start + 1000 * _TASK_TOKENS * forward
        case _:
            return start + 60.0


def _edit_tokens(config: Mapping[str, Any], editor: str, backbone: str) -> float:
    """Return how many tokens go through the model, forward and back, to find the edit of one fact."""
    wanted = configuration.hparams(config, editor, backbone)
    rows = 1 + sum(number for _, number in wanted.get("context_template_length_params", []))
    if "encoder" in wanted or "k" in wanted:
        return wanted.get("k", 1) * _DEMONSTRATION / 3  # read once, forward
    steps = wanted.get("v_num_grad_steps") or wanted.get("num_steps") or wanted.get("n_iter") or wanted.get("steps", 1)
    return float(steps * rows * _tokens(wanted))


def _tokens(hparams: Mapping[str, Any]) -> int:
    """Return the tokens of a row that gradients flow through: a search for a value begins at the subject."""
    return _SEARCHED if "v_num_grad_steps" in hparams else _QUESTION


def _per_fact(config: Mapping[str, Any], editor: str, backbone: str) -> float:
    """Return the bytes of GPU memory that each fact of a batch takes while its edit is found."""
    wanted = configuration.hparams(config, editor, backbone)
    size, each = size_of(config, backbone), bytes_of(config, backbone)
    method = config["editors"][editor]["method"]
    layers = len(wanted.get("layers") or ()) or size.layers
    rows = 1 + sum(number for _, number in wanted.get("context_template_length_params", []))
    tokens = rows * _tokens(wanted)
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
            context = wanted.get("k", 1) * _DEMONSTRATION
            return context * 2 * size.layers * size.hidden * each + kept
        case _:
            return kept


def _fixed(config: Mapping[str, Any], editor: str, backbone: str) -> float:
    """Return the bytes that an editor takes however many facts it edits: covariances, their factors, other models."""
    wanted = configuration.hparams(config, editor, backbone)
    size, each = size_of(config, backbone), bytes_of(config, backbone)
    fixed = 0.0
    if wanted.get("mom2_adjustment"):
        fixed += len(wanted["layers"]) * size.ffn**2 * (4 + 8)  # float32, and factors in float64
    if wanted.get("replacement") == "backbone":
        fixed += 2 * size.parameters * each  # SERAC's two models
    return fixed


def _trained(config: Mapping[str, Any], editor: str, backbone: str) -> float:
    """Return the bytes of what is trained, with gradients and moments in float32."""
    wanted = configuration.hparams(config, editor, backbone)
    size = size_of(config, backbone)
    if "rank" in wanted:  # MEND: two transforms of low rank for each of two shapes
        return 2.0 * 2 * (size.hidden + size.ffn) * wanted["rank"] * 4 * 4
    other = size.parameters if wanted.get("replacement") == "backbone" else 250e6
    return other * 4 * 4


def _activations(size: Size, tokens: int, each: int) -> float:
    """Return the bytes of the states that a backward pass keeps.

    34 bytes per token, layer and dimension in half precision, attention's scores aside, which are few in short texts
    (Korthikanti et al., 2022, "Reducing Activation Recomputation in Large Transformer Models", eq. 1).
    """
    return 34 * (each / 2) * tokens * size.layers * size.hidden


def _rounded(mb: float) -> int:
    """Return the next multiple of 500."""
    return int(-(-mb // 500) * 500)
