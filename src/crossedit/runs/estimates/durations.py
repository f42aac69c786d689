"""How long jobs take where nothing was measured: by multiplications, at a third of what a GPU of 100 TFLOP/s can do.

expected_seconds(config, "predict", subject(config, "predict", job.wildcards))
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from crossedit import config as configuration
from crossedit.runs.estimates.amounts import (
    ANSWER,
    DEMONSTRATION,
    QUESTION,
    number_of_facts,
    number_of_items,
    questions_per_fact,
    row_tokens,
    rows_of,
    trained_parameters,
)
from crossedit.runs.estimates.sizes import bytes_of, recipe_of, size_of
from crossedit.sweeps.settings import Sweep, added, extent

# The rules that load a model, and so ask for a GPU.
ON_GPU = frozenset(
    {
        "train",
        "capability",
        "contexts",
        "covariance",
        "ask",
        "train_editor",
        "predict",
        "edit_on",
        "probe_edited",
        "ask_tasks",
    }
)
_SPEED = 3e13  # multiplications and additions per second in half precision
_START = 15.0  # seconds until a process has imported what it needs
_ITEM_TOKENS = 400  # of an item of a task
_BENCHMARK_TOKENS = 1e7  # of one of lm-eval's: MMLU's 14,000 questions, each after five worked ones


class Subject(NamedTuple):
    """What a job is about, by names in the configuration.

    edits: how many facts a sweep's stop writes or asks of; items: how many items of tasks it is asked.
    """

    backbone: str | None = None
    editor: str | None = None
    facts: str | None = None
    edits: int | None = None
    items: int = 0


def subject(config: Mapping[str, Any], rule: str, wildcards: Mapping[str, str]) -> Subject:
    """Return what a job is about; of a sweep's, the sweep says what its wildcards don't."""
    swept = config["sweeps"].get(wildcards.get("sweep"), {})
    edits = None
    if swept and "stop" in wildcards:
        stop = int(wildcards["stop"])
        batch, number = extent(swept, stop)
        edits = added(swept, stop) if rule == "edit_on" else batch * number
    backbone, editor, facts = (wildcards.get(name, swept.get(name)) for name in ("backbone", "editor", "facts"))
    items = number_of_items(config, Sweep(wildcards["sweep"], wildcards["backbone"])) if rule == "ask_tasks" else 0
    return Subject(backbone, editor, facts, edits, items)


def expected_seconds(config: Mapping[str, Any], rule: str, of: Subject) -> float:
    """Return how long a rule's job is expected to take, in seconds."""
    backbone, editor, facts, edits, items = of
    number = number_of_facts(config, facts) if facts else 0
    if rule not in ON_GPU or backbone is None:
        return _START + _without_model(config, rule, facts)
    size, each = size_of(config, backbone), bytes_of(config, backbone)
    start = _START + size.parameters * each / 1e9  # a gigabyte of weights per second
    speed = _SPEED if each == 2 else _SPEED / 4
    forward = 2 * size.parameters / speed  # seconds per token
    asked = questions_per_fact(config) * QUESTION * forward  # per fact and protocol
    edit = _edit_tokens(config, editor, backbone) * 3 * forward if editor else 0.0  # forward and back
    match rule:
        case "train":
            recipe = recipe_of(config, backbone)
            return start + recipe.steps * recipe.rows * recipe.row_tokens * 3 * forward
        case "covariance":
            return start + config["backbones"][backbone].get("covariance_tokens", 1_000_000) * forward
        case "ask":
            return start + number * asked * len(config["protocols"])
        case "predict" if editor:
            shards = config["editors"][editor]["shards"]
            return start + number * (edit + asked * len(config["protocols"])) / shards
        case "train_editor" if editor:
            return start + _trained_tokens(config, editor, backbone) * 3 * forward
        case "edit_on":
            return start + (edits or number) * edit
        case "probe_edited":
            return start + (edits or number) * asked
        case "capability":
            return start + len(config.get("capability", {}).get("tasks", ())) * _BENCHMARK_TOKENS * forward
        case "ask_tasks":
            return start + items * _ITEM_TOKENS * forward
        case _:
            return start + 60.0


def _without_model(config: Mapping[str, Any], rule: str, facts: str | None) -> float:
    """Return the seconds that a job which loads no model takes beyond its start."""
    if facts is None:
        return 0.0
    if rule == "translate":
        said = config["facts"][facts]["translation"]
        records = sum(number_of_facts(config, facts, split) for split in ("train", "validation", "test"))
        return 10.0 * records * len(said["targets"]) / said.get("concurrency", 4)
    return 0.02 * number_of_facts(config, facts, "train") if rule == "embed" else 0.0


def _trained_tokens(config: Mapping[str, Any], editor: str, backbone: str) -> float:
    """Return the tokens that pass the backbone while an editor is trained, until its patience ends without progress."""
    wanted = configuration.hparams(config, editor, backbone)
    episodes = min(wanted["max_iters"], 2 * wanted["early_stop_patience"])
    tokens = float(episodes * wanted["batch_size"] * 3 * QUESTION)
    # SERAC trains a model of its own beside the backbone, which is often smaller.
    share = trained_parameters(config, editor, backbone) / size_of(config, backbone).parameters
    return tokens * min(1.0, share) if "replacement" in wanted else tokens


def _edit_tokens(config: Mapping[str, Any], editor: str, backbone: str) -> float:
    """Return how many tokens go through the model, forward and back, to find the edit of one fact."""
    wanted = configuration.hparams(config, editor, backbone)
    if "encoder" in wanted or "k" in wanted:
        return wanted.get("k", 1) * DEMONSTRATION / 3  # read once, forward
    steps = wanted.get("v_num_grad_steps") or wanted.get("num_steps") or wanted.get("n_iter") or wanted.get("steps", 1)
    if config["editors"][editor]["method"] == "KN":
        # An integral of so many steps for each layer and each token of the answer.
        return float(steps * size_of(config, backbone).layers * ANSWER * QUESTION)
    return float(steps * rows_of(wanted) * row_tokens(wanted))
