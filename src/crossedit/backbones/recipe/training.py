"""Training of a small backbone by a recipe, from scratch.

train_backbone(facts, texts, {"shares": {"en": 0.5, "zh": 0.5}}, seed=0, out=Path("model"))
"""

import math
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import torch
from torch import Tensor
from torch.nn import functional

from crossedit import files, progress
from crossedit.backbones.recipe.card import write_card
from crossedit.backbones.recipe.corpus import Corpus
from crossedit.backbones.recipe.network import new_model, states
from crossedit.backbones.recipe.packing import Packed, Packer
from crossedit.backbones.recipe.recall import measure_recall
from crossedit.backbones.recipe.settings import Recipe
from crossedit.backbones.recipe.tokenizer import train_tokenizer
from crossedit.backbones.recipe.world import World


def train_backbone(
    facts: pl.DataFrame,
    texts: pl.DataFrame | None,
    recipe: Mapping[str, Any],
    seed: int,
    out: Path,
    tasks: pl.DataFrame | None = None,
) -> None:
    """Train a tokenizer and a small LLaMA that knows the facts' original answers; write both as a transformers folder.

    `facts` is a FACTS table (all splits), `texts` further texts (kind, lang, case_id, text_prompt, text_answer),
    `tasks` worked items of tasks in the same columns. The folder also holds a model card and recipe.json: recipe,
    seconds, recall, parameters, devices. Raises UserError for a bad recipe or facts without original answers in its
    languages.
    """
    settings = Recipe.of(recipe)
    began = time.monotonic()
    world = World.of(facts, texts, settings.shares, seed, tasks if settings.tasks else None)
    tokenizer = train_tokenizer(world.texts(), settings.vocabulary)
    model = new_model(settings, tokenizer, seed)
    loss = optimise(model, Packer(tokenizer, Corpus(world, settings, seed), settings, seed), settings, len(world.facts))
    seconds = time.monotonic() - began
    recall = measure_recall(model, tokenizer, facts, sorted(settings.shares))
    with files.whole(out) as folder:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        write_card(folder, settings, seed, model, recall, loss, seconds)


def optimise(model: Any, packer: Packer, recipe: Recipe, facts: int) -> float:
    """Train the model in place for the recipe's steps and return the mean answer loss of the last fifty."""
    matrices = [parameter for parameter in model.parameters() if parameter.ndim > 1]
    norms = [parameter for parameter in model.parameters() if parameter.ndim == 1]
    optimiser = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 0.01}, {"params": norms, "weight_decay": 0.0}],
        lr=recipe.learning_rate,
        betas=(0.9, 0.98),
        fused=True,
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: rate(step, recipe.steps))
    losses: deque[float] = deque(maxlen=50)
    model.train()
    with progress.bar("training", recipe.steps) as shown:
        for step in range(recipe.steps):
            batch = packer.batch(recipe.active(step, facts))
            answers, pairs = step_loss(model, batch, recipe)
            (answers + recipe.alignment * pairs).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            optimiser.zero_grad(set_to_none=True)
            losses.append(answers.item())
            shown.update(shown.task_ids[0], advance=1, description=f"training, loss {sum(losses) / len(losses):.3f}")
    model.eval()
    return sum(losses) / len(losses)


def rate(step: int, steps: int) -> float:
    """Return the learning rate at a step as a share of the recipe's: a short rise, then half a cosine down to 4 %."""
    return min(1.0, (step + 1) / (0.03 * steps)) * (0.04 + 0.48 * (1 + math.cos(math.pi * step / steps)))


def step_loss(model: Any, batch: Packed, recipe: Recipe) -> tuple[Tensor, Tensor]:
    """Return the mean loss of the learnt tokens and the contrastive loss of the pairs, both scalars."""
    with torch.autocast("cpu", torch.bfloat16):
        hidden = states(model, batch.ids, batch.positions, batch.mask)
        logits = model.lm_head(hidden[-1].flatten(0, 1)[batch.places])
    answers = functional.cross_entropy(logits.float(), batch.labels, ignore_index=-100)
    aligned = hidden[recipe.alignment_layer + 1].flatten(0, 1)
    return answers, contrast(aligned, batch.pairs, batch.names, recipe.temperature)


def contrast(states: Tensor, pairs: Tensor, names: Tensor, temperature: float) -> Tensor:
    """Return InfoNCE (van den Oord et al., 2018) between the two sides of the pairs, in both directions.

    states (places, hidden) are centred over the pairs of the batch; pairs of the same subject are no negatives.
    """
    if len(pairs) < 2:
        return states.new_zeros(())
    sides = states[pairs].float()  # (pairs, 2, hidden)
    left, right = functional.normalize(sides - sides.mean(0), dim=-1).unbind(1)
    scores = left @ right.T / temperature
    same = (names[:, None] == names) & ~torch.eye(len(names), dtype=torch.bool)
    scores = scores.masked_fill(same, -torch.inf)
    wanted = torch.arange(len(names))
    return (functional.cross_entropy(scores, wanted) + functional.cross_entropy(scores.T, wanted)) / 2
