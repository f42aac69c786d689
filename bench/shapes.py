"""How well a device is used: editors on a randomly initialised model of a real one's shape. No weights are needed.

    python bench/shapes.py --shape llama-7b --dtype bfloat16 --facts 64      on a GPU
    python bench/shapes.py --shape tiny --dtype float32 --facts 8            anywhere

Prints seconds per fact one by one and together as bench/edits.py does, then the tokens per second of answering all
questions together, and the share of the device's matrix rate that this is; the rate is measured in the same run. What
is counted is 2 floating-point operations per weight of the layers and token, and the head at the places asked.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import polars as pl
import torch
from rich.console import Console
from rich.table import Table
from transformers import AutoModelForCausalLM, LlamaConfig

from crossedit.backbones.backbone import DTYPES, Backbone
from crossedit.backbones.contexts import write_contexts
from crossedit.backbones.covariance import covariances
from crossedit.backbones.probes import make_probes
from crossedit.backbones.recipe.tokenizer import train_tokenizer
from crossedit.backbones.texts import fact_texts
from crossedit.edits.editors import make_editor
from crossedit.edits.editors.interface import Materials
from crossedit.edits.hparams import hparams_of
from crossedit.edits.requests import make_requests
from crossedit.errors import UserError, nearest
from crossedit.facts.build import build
from edits import TITLES, asked_of, measure, seconds

# hidden size, MLP width, layers, heads, vocabulary
SHAPES = {
    "llama-7b": (4096, 11008, 32, 32, 32000),
    "llama-1b": (2048, 5504, 16, 16, 32000),
    "tiny": (128, 256, 8, 4, 4000),
}
EDITORS = ("ROME", "MEMIT", "FT-M")
COVARIANCE_TOKENS = 20_000  # the time they take isn't measured here, and of a random model they mean nothing


def random_backbone(shape: str, dtype: str, texts: list[str]) -> Backbone:
    """Return a LLaMA of that shape with random weights, made on the device; its tokenizer is of the texts."""
    if shape not in SHAPES:
        raise UserError(f"--shape: '{shape}' is unknown; {nearest(shape, SHAPES)}")
    hidden, width, layers, heads, vocabulary = SHAPES[shape]
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=hidden,
        intermediate_size=width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        max_position_embeddings=2048,
    )
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(0)
    with torch.device(device):
        model: Any = AutoModelForCausalLM.from_config(
            config, dtype=DTYPES[dtype], attn_implementation="eager" if device == "cpu" else "sdpa"
        )
    return Backbone.of(shape, model, train_tokenizer(texts, min(vocabulary, 4000)))


def matrix_rate(backbone: Backbone) -> float:
    """Return floating-point operations per second of a large matrix product in the backbone's dtype."""
    size = 8192 if backbone.device.type == "cuda" else 1024
    a, b = (torch.randn(size, size, device=backbone.device, dtype=backbone.model.dtype) for _ in range(2))
    a @ b
    times = 10

    def multiply() -> None:
        for _ in range(times):
            a @ b

    return times * 2 * size**3 / seconds(multiply)


def layer_weights(backbone: Backbone) -> int:
    """Return the number of weights in matrices that every token passes."""
    inner = (module for name, module in backbone.model.named_modules() if "layers." in name)
    return sum(module.weight.numel() for module in inner if isinstance(module, torch.nn.Linear))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", default="llama-7b")
    parser.add_argument("--dtype", default="bfloat16", choices=list(DTYPES))
    parser.add_argument("--facts", type=int, default=64)
    parser.add_argument("--editors", default=",".join(EDITORS))
    given = parser.parse_args()
    entry = {"files": str(Path(__file__).parents[1] / "resources/demo/facts"), "splits": {"test": given.facts}}
    facts = build(entry, ["en", "zh"], 0).facts
    texts = fact_texts(facts)
    backbone = random_backbone(given.shape, given.dtype, texts)
    requests = make_requests(facts.filter(pl.col("split") == "test"), "en")
    probes = make_probes(facts.filter(pl.col("split") == "test"), backbone, ["en", "zh"])
    contexts = write_contexts(backbone, ["en", "zh"], [5, 10], 10, 0)
    asked = asked_of(requests, probes)
    places = sum(map(len, asked["target_ids"]))
    tokens = sum(map(len, asked["prompt_ids"])) + places - len(asked)
    head = backbone.model.config.hidden_size * backbone.model.config.vocab_size
    work = 2 * (tokens * layer_weights(backbone) + places * head)
    rate = matrix_rate(backbone)
    table = Table(title=f"Seconds per fact: {given.shape}, {given.dtype}, {len(requests)} facts, {backbone.device}")
    for title in (*TITLES, "tokens per second", "of the matrix rate"):
        table.add_column(title, justify="left" if title == "editor" else "right")
    for method in given.editors.split(","):
        hparams = hparams_of(method, given.shape)
        if given.shape == "tiny":
            hparams |= {"layers": [2, 3] if method == "MEMIT" else [2]}
        second = (
            covariances(backbone, texts, hparams["layers"], COVARIANCE_TOKENS)[0]
            if hparams.get("mom2_adjustment")
            else {}
        )
        hparams |= {"mom2_ridge": 0.01} if "mom2_ridge" in hparams else {}
        editor = make_editor(method, hparams, Materials(contexts, second))
        found = measure(backbone, editor, requests, probes)
        taken = found[3] * len(requests)
        times = [f"{value:.4f}" for value in found]
        table.add_row(
            method,
            *times[:2],
            f"{found[0] / found[1]:.1f}x",
            *times[2:],
            f"{found[2] / found[3]:.1f}x",
            f"{tokens / taken:,.0f}",
            f"{work / taken / rate:.0%}",
        )
    console = Console(width=140)
    console.print(table)
    console.print(f"Matrix rate: {rate / 1e12:.2f} TFLOP/s.")


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(f"bench/shapes.py: {error}")
