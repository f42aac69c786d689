"""How much there is to compute, for estimates: facts, questions, tokens, trained numbers.

number_of_facts(config, "demo"), questions_per_fact(config)
number_of_items(config, Sweep("ROME", "llama-7b"))     of all tasks that a stop is asked, once for each protocol
rows_of(hparams), row_tokens(hparams)          rows that go through the model to edit a fact, tokens of each
trained_parameters(config, "MEND", "llama-7b")
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crossedit import config as configuration
from crossedit.runs.estimates.sizes import size_of
from crossedit.sweeps.settings import Sweep, asked

# Tokens of a question with its answer, from its subject on, of the answer, and of a demonstration before it.
QUESTION, SEARCHED, ANSWER, DEMONSTRATION = 24, 12, 4, 32
_ASKED = 4  # questions about a fact in a language
_UNKNOWN = 1000  # facts or items, where all that the files hold is taken
_SMALL_MODELS = 230e6  # a DistilBERT and a LLaMA-160M, as published for SERAC


def number_of_facts(config: Mapping[str, Any], facts: str, split: str = "test") -> int:
    """Return how many facts a split draws; where it takes all of its files, what was counted, 1,000 before that."""
    drawn = configuration.number(config["facts"][facts].get("splits", {}).get(split, "all"))
    if drawn is None:
        counted = Path(config["results"], "facts", facts, "summary.json")
        if counted.exists():
            cases: dict[str, int] = json.loads(counted.read_text(encoding="utf-8"))["cases"]
            return cases.get(split, 0)
    return _UNKNOWN if drawn is None else drawn


def questions_per_fact(config: Mapping[str, Any]) -> int:
    """Return how many questions are asked about a fact, in all languages, under one protocol."""
    return len({*config["languages"], *config["evaluation_languages"]}) * _ASKED


def number_of_items(config: Mapping[str, Any], sweep: Sweep) -> int:
    """Return how many items the model at a stop of the sweep is asked, over all tasks and protocols."""
    sizes = [configuration.number(config["tasks"][task]["size"]) for task, _ in asked(config, sweep)]
    return sum(_UNKNOWN if size is None else size for size in sizes)


def rows_of(hparams: Mapping[str, Any]) -> int:
    """Return the rows of a fact: its prompt alone, and after each text that is put before it."""
    return 1 + sum(number for _, number in hparams.get("context_template_length_params", []))


def row_tokens(hparams: Mapping[str, Any]) -> int:
    """Return the tokens of a row that gradients flow through: a search for a value begins at the subject."""
    return SEARCHED if "v_num_grad_steps" in hparams else QUESTION


def trained_parameters(config: Mapping[str, Any], editor: str, backbone: str) -> float:
    """Return how many numbers are trained: of MEND's networks, of SERAC's classifier and other model; else none."""
    wanted = configuration.hparams(config, editor, backbone)
    if not configuration.is_trained(wanted):
        return 0.0
    size = size_of(config, backbone)
    if "rank" in wanted:
        # For each of two shapes of matrices, networks of low rank on a module's input and gradient together.
        return 2.0 * (wanted["n_hidden"] + 1) * 2 * wanted["rank"] * (size.hidden + size.ffn)
    return 2.0 * size.parameters if wanted.get("replacement") == "backbone" else _SMALL_MODELS
