"""How large a backbone is, told without loading it.

    size = size_of(config, "llama-7b")            Size(parameters=6738415616, layers=32, hidden=4096, …)
    size = named_size(config, "llama-7b")         what needs no look into the hub's cache
    layers = depth(config, "llama-7b")            of a recipe or a local folder; None for a hub's model

From its config.json and the files beside it, in its folder or in the hub's cache; of a recipe, from what it says; else
from its name.
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


# Models that are edited often, by what their names hold: parameters, layers, width, width of the MLP, vocabulary.
_KNOWN = {
    "gpt2": Size(124_439_808, 12, 768, 3072, 50257),
    "gpt2-medium": Size(354_823_168, 24, 1024, 4096, 50257),
    "gpt2-large": Size(774_030_080, 36, 1280, 5120, 50257),
    "gpt2-xl": Size(1_557_611_200, 48, 1600, 6400, 50257),
    "gpt-j-6b": Size(6_050_882_784, 28, 4096, 16384, 50400),
    "llama-7b": Size(6_738_415_616, 32, 4096, 11008, 32000),
    "llama-2-7b": Size(6_738_415_616, 32, 4096, 11008, 32000),
    "llama-13b": Size(13_015_864_320, 40, 5120, 13824, 32000),
    "llama-2-13b": Size(13_015_864_320, 40, 5120, 13824, 32000),
    "chinese-llama-7b": Size(6_885_486_592, 32, 4096, 11008, 49953),
    "chinese-llama-2-7b": Size(6_929_000_000, 32, 4096, 11008, 55296),
    "baichuan-7b": Size(7_000_559_616, 32, 4096, 11008, 64000),
    "baichuan2-7b": Size(7_505_973_248, 32, 4096, 11008, 125696),
    "mistral-7b": Size(7_241_732_096, 32, 4096, 14336, 32000),
    "qwen2.5-7b": Size(7_615_616_512, 28, 3584, 18944, 152064),
    "llama-3-8b": Size(8_030_261_248, 32, 4096, 14336, 128256),
}


def size_of(config: Mapping[str, Any], backbone: str) -> Size:
    """Return the size of a backbone of the checked configuration, by all that this machine has of it."""
    entry = config["backbones"][backbone]
    cached = None if "recipe" in entry else _cached(entry["path"], entry.get("revision", "main"))
    return (cached and _of_folder(cached)) or named_size(config, backbone)


def named_size(config: Mapping[str, Any], backbone: str) -> Size:
    """Return the same, but of a hub's model by its name alone: what decides about results mustn't change with it."""
    entry = config["backbones"][backbone]
    if "recipe" in entry:
        return _of_recipe(recipe_of(config, backbone))
    folder = Path(entry["path"])
    return (_of_folder(folder) if folder.is_dir() else None) or _of_name(entry["path"])


def depth(config: Mapping[str, Any], backbone: str) -> int | None:
    """Return how many layers a recipe's model, or one in a local folder, has; None where nothing here says it."""
    entry = config["backbones"][backbone]
    if "recipe" in entry:
        return recipe_of(config, backbone).layers
    return _layers(_said(Path(entry["path"])))


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


def _cached(path: str, revision: str) -> Path | None:
    """Return the folder of a hub's model in its cache; None where it isn't there."""
    home = Path(os.environ.get("HF_HOME", Path.home() / ".cache" / "huggingface"))
    cache = Path(os.environ.get("HF_HUB_CACHE", home / "hub"))
    model = cache / f"models--{path.replace('/', '--')}"
    named = model / "refs" / revision
    commit = named.read_text(encoding="utf-8").strip() if named.is_file() else revision
    folder = model / "snapshots" / commit
    return folder if folder.is_dir() else None


def _said(folder: Path) -> dict[str, Any]:
    """Return what the folder's config.json says; nothing where it has none."""
    try:
        said = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # whoever loads it says what is wrong with it
    return said if isinstance(said, dict) else {}


def _layers(said: Mapping[str, Any]) -> int | None:
    found: int | None = said.get("num_hidden_layers") or said.get("n_layer")
    return found


def _of_folder(folder: Path) -> Size | None:
    said = _said(folder)
    files = [*folder.glob("model*.safetensors")] or [*folder.glob("pytorch_model*.bin")]
    hidden = said.get("hidden_size") or said.get("n_embd")
    layers = _layers(said)
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
    """Return the size that a model's name tells: a known one's, else by LLaMA's proportions, 128 of width a layer."""
    name = path.rsplit("/", 1)[-1].lower()
    known = [key for key in _KNOWN if re.search(rf"(?<![0-9a-z]){re.escape(key)}(?![0-9a-z.])", name)]
    if known:
        return _KNOWN[max(known, key=len)]
    number = re.search(r"(\d+(?:\.\d+)?)b(?![a-z])", name)
    parameters = float(number[1]) * 1e9 if number else None
    layers = round(((parameters or _ASSUMED) / (12 * 128**2)) ** (1 / 3))
    hidden = 128 * layers
    return Size(int(parameters or _ASSUMED), layers, hidden, hidden * 8 // 3, 32000, known=parameters is not None)
