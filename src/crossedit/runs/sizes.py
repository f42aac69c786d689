"""How large a backbone is, told without loading it.

    size = size_of(config, "llama-7b")        Size(parameters=6738415616, layers=32, hidden=4096, …)

From its config.json and the files beside it, in its folder or in the hub's cache; of a recipe, from what it says; else
from the number in its name.
"""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossedit.backbones.recipe.settings import Recipe

BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
# Models whose names don't say how large they are.
_KNOWN = {"gpt2": 124e6, "gpt2-medium": 355e6, "gpt2-large": 774e6, "gpt2-xl": 1.56e9}
_ASSUMED = 7e9


@dataclass(frozen=True)
class Size:
    """A transformer's numbers; `known` is False where nothing told them, and 7 billion parameters are assumed."""

    parameters: int
    layers: int
    hidden: int
    ffn: int
    vocabulary: int
    known: bool = True


def size_of(config: Mapping[str, Any], backbone: str) -> Size:
    """Return the size of a backbone of the checked configuration."""
    entry = config["backbones"][backbone]
    if "recipe" in entry:
        return _of_recipe(recipe_of(config, backbone))
    folder = _folder(entry["path"])
    return (folder and _of_folder(folder)) or _of_name(entry["path"])


def bytes_of(config: Mapping[str, Any], backbone: str) -> int:
    """Return the bytes that each of the backbone's numbers takes once it is loaded."""
    return BYTES[config["backbones"][backbone].get("dtype", "float32")]


def recipe_of(config: Mapping[str, Any], backbone: str) -> Recipe:
    """Return the recipe of a backbone that has one."""
    entry = config["backbones"][backbone]["recipe"]
    return Recipe.of({name: value for name, value in entry.items() if name != "texts"})


def _of_recipe(recipe: Recipe) -> Size:
    layer = 4 * recipe.hidden**2 + 3 * recipe.hidden * recipe.ffn
    embeddings = recipe.vocabulary * recipe.hidden * (1 if recipe.tied else 2)
    return Size(embeddings + recipe.layers * layer, recipe.layers, recipe.hidden, recipe.ffn, recipe.vocabulary)


def _folder(path: str) -> Path | None:
    """Return the folder of a local path, or of a hub id in the hub's cache; None where there is neither."""
    if Path(path).is_dir():
        return Path(path)
    home = Path(os.environ.get("HF_HOME", Path.home() / ".cache" / "huggingface"))
    cache = Path(os.environ.get("HF_HUB_CACHE", home / "hub"))
    snapshots = sorted(cache.joinpath(f"models--{path.replace('/', '--')}", "snapshots").glob("*"))
    return snapshots[-1] if snapshots else None


def _of_folder(folder: Path) -> Size | None:
    try:
        said = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None  # whoever loads it says what is wrong with it
    files = [*folder.glob("*.safetensors")] or [*folder.glob("pytorch_model*.bin")]
    hidden = said.get("hidden_size") or said.get("n_embd")
    layers = said.get("num_hidden_layers") or said.get("n_layer")
    if not (files and hidden and layers):
        return None
    stored = BYTES.get(said.get("dtype") or said.get("torch_dtype") or "float32", 4)
    return Size(
        parameters=sum(file.stat().st_size for file in files) // stored,
        layers=layers,
        hidden=hidden,
        ffn=said.get("intermediate_size") or said.get("n_inner") or 4 * hidden,
        vocabulary=said.get("vocab_size", 32000),
    )


def _of_name(path: str) -> Size:
    """Return the size that a model's name tells, with LLaMA's proportions: 128 of width for each layer."""
    name = path.rsplit("/", 1)[-1].lower()
    number = re.search(r"(\d+(?:\.\d+)?)b(?![a-z])", name)
    parameters = _KNOWN.get(name) or (float(number[1]) * 1e9 if number else None)
    layers = round(((parameters or _ASSUMED) / (12 * 128**2)) ** (1 / 3))
    hidden = 128 * layers
    return Size(int(parameters or _ASSUMED), layers, hidden, hidden * 8 // 3, 32000, known=parameters is not None)
