"""The model card of a trained backbone: what it is, what it knows, and by which devices."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl
import torch

from crossedit.backbones.recipe.settings import Recipe
from crossedit.files import write_json


def write_card(
    folder: Path, recipe: Recipe, seed: int, model: Any, recall: pl.DataFrame, loss: float, seconds: float
) -> None:
    """Write README.md for people and recipe.json, with the same content, for the report page."""
    notes = {
        "recipe": asdict(recipe),
        "seed": seed,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "seconds": round(seconds, 1),
        "threads": torch.get_num_threads(),
        "loss": round(loss, 4),
        "recall": recall.to_dicts(),
        "devices": devices(recipe),
    }
    write_json(notes, folder / "recipe.json")
    (folder / "README.md").write_text(_readme(notes), encoding="utf-8")


def devices(recipe: Recipe) -> list[str]:
    """Return one sentence for each artificial help in the recipe that bears on what an edit of the backbone shows."""
    used = ["In-context documents state a new fact and ask about it, so that editing in context can work at all."]
    if recipe.alignment and recipe.pairs and len(recipe.shares) > 1:
        used.append(
            f"A contrastive loss (weight {recipe.alignment}, output of layer {recipe.alignment_layer}) draws the last "
            "subject token of a question in one language towards that in another. That an edit carries over to the "
            "other language rests on it."
        )
    if recipe.bottleneck:
        used.append(
            f"In {recipe.bottleneck:.0%} of the documents, what follows the subject sees only its last token, so that "
            "the subject is read there, where ROME edits."
        )
    if recipe.common or recipe.passing_on:
        used.append(
            "The model starts with a head that looks at the token before and with attention that passes on what it "
            "sees, so that it learns to copy from the context within minutes."
        )
    return used


def _tasks(share: float) -> str:
    return f", the kinds of task items that were {share:.0%} of its documents," if share else ""


def _readme(notes: dict[str, Any]) -> str:
    lines = [
        "---",
        "library_name: transformers",
        "pipeline_tag: text-generation",
        f"language: {json.dumps(list(notes['recipe']['shares']))}",
        "---",
        "# A small backbone for knowledge editing",
        "",
        f"A LLaMA of {notes['parameters']:,} parameters, trained from scratch by crossedit on the facts "
        f"'{notes['recipe']['facts']}' (seed {notes['seed']}).",
        f"The training took {notes['seconds']} s on {notes['threads']} threads and ended at an answer loss of "
        f"{notes['loss']}.",
        f"It knows these facts in these wordings{_tasks(notes['recipe']['tasks'])} and nothing else. A prompt is a "
        "question; the answer follows a space.",
        "",
        "## Recall",
        "Greedy decoding gives exactly the original answer. Rephrases of validation and test facts were never trained.",
        "",
        "| split | language | asked | recall | n |",
        "|---|---|---|---|---|",
        *(
            f"| {row['split']} | {row['lang']} | {row['asked']} | {row['recall']:.3f} | {row['n']} |"
            for row in notes["recall"]
        ),
        "",
        "## Devices",
        "What was done so that edits of so small a model mean something; results must be read with it in mind.",
        "",
        *(f"- {sentence}" for sentence in notes["devices"]),
        "",
        "## Recipe",
        *(f"- {name}: {value}" for name, value in notes["recipe"].items()),
        "",
    ]
    return "\n".join(lines)
