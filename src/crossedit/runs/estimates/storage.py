"""How many bytes jobs will write, by estimate.

written(config, job)       (kind, bytes), such as ("covariances", 1.8e9)
"""

from collections.abc import Mapping
from typing import Any

from crossedit import config as configuration
from crossedit.runs.estimates.amounts import (
    number_of_facts,
    number_of_items,
    questions_per_fact,
    trained_parameters,
)
from crossedit.runs.estimates.sizes import size_of
from crossedit.runs.rules import Job
from crossedit.sweeps.settings import Sweep, extent

# Bytes of a row of answers in a compressed table, of a table without rows, of an answer to a task, of a report.
_ROW, _TABLE, _ANSWER, _REPORT = 60, 8000, 300, 2_000_000
# Tokens of a fact; numbers of an embedding.
_TOKENS, _EMBEDDING = 24, 384


def written(config: Mapping[str, Any], job: Job) -> tuple[str, float]:
    """Return what kind of thing a job writes, and about how many bytes. Numbers are kept in float32."""
    named = job.wildcards
    sweep = config["sweeps"].get(named.get("sweep"), {})
    facts = named.get("facts", sweep.get("facts"))
    per_fact = questions_per_fact(config) * _ROW  # under one protocol
    number = number_of_facts(config, facts) if facts else 0
    match job.rule:
        case "train":
            return "trained backbones", size_of(config, named["backbone"]).parameters * 4
        case "covariance":
            layers = configuration.covariance_layers(config, named["backbone"])
            return "covariances", len(layers) * size_of(config, named["backbone"]).ffn ** 2 * 4
        case "train_editor":
            return "trained editors", 4 * trained_parameters(config, named["editor"], named["backbone"])
        case "embed":
            return "embeddings", number_of_facts(config, named["facts"], "train") * _EMBEDDING * 4
        case "edit_on":
            return "checkpoints", _checkpoint(config, sweep, named["backbone"], int(named["stop"]))
        case "ask" | "predict":
            shards = int(named.get("shards", 1))
            return "answers", _TABLE + number / shards * per_fact * len(config["protocols"])
        case "probe_edited":
            batch_size, edits = extent(sweep, int(named["stop"]))
            return "answers", _TABLE + batch_size * edits * per_fact
        case "ask_tasks":
            items = number_of_items(config, Sweep(named["sweep"], named["backbone"]))
            return "answers", 2 * (_TABLE + items * _ANSWER)  # each task's by itself, and together
        case "make_tables" | "make_figures" | "page":
            return "reports", _REPORT
        case _:
            return "other tables", _TABLE


def _checkpoint(config: Mapping[str, Any], sweep: Mapping[str, Any], backbone: str, stop: int) -> float:
    """Return the size of the sum of all deltas so far.

    Each fact adds a direction to each layer that is edited, until their factors would be larger than the matrix itself;
    fine-tuning changes all of the matrix at once.
    """
    editor = sweep["editor"]
    method, wanted = config["editors"][editor]["method"], configuration.hparams(config, editor, backbone)
    size = size_of(config, backbone)
    batch_size, edits = extent(sweep, stop)
    # MEND writes a direction for each token, LoRA as many as its rank.
    each = _TOKENS if method == "MEND" else wanted.get("rank", 1)
    dense = size.hidden * size.ffn
    factors = batch_size * edits * each * (size.hidden + size.ffn)
    layers = len(wanted.get("layers") or ()) or size.layers
    return 4.0 * layers * (dense if method.startswith("FT") else min(dense, factors))
