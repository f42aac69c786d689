"""The loop that trains what an editor needs: episodes, validation, early stopping, going on after a kill.

    curve = train(learner, hparams, seed=0, state=Path("trained.state.safetensors"), digest=…)

An episode edits some facts, then looks at how the edited model answers inside and outside of their scope; the loss is
cedit · NLL of the new answer + cloc · KL(backbone ‖ edited) at the locality answer (Mitchell et al., 2022a, eq. 4;
2022b, eq. 2). Episodes that lie between two updates run together: their gradients are those of one after the other.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import torch
from torch import Tensor, nn

from crossedit.backbones.backbone import Backbone
from crossedit.edits.training.examples import Example
from crossedit.edits.training.state import Curve, State
from crossedit.errors import UserError, nearest
from crossedit.progress import bar


@dataclass(frozen=True, kw_only=True)
class TrainingHparams:
    """Hyperparameters of the loop, with the names of the published code. Intervals and patience count episodes.

    batch_size: facts that one episode edits at once. accumulate_bs: episodes per update. val_steps: episodes of a
    validation at most. early_stop_key: what the best state is best at. edit_on: the question whose new answer the loss
    asks for: the rephrase, as the papers mean, or the edited prompt itself, as published (`edit_inner`).
    """

    lr: float
    cedit: float
    cloc: float
    batch_size: int
    accumulate_bs: int
    max_iters: int
    val_interval: int
    val_steps: int
    early_stop_patience: int
    early_stop_key: Literal["edit/acc_val", "loss/total_edit_val"]
    grad_clip: float
    edit_on: Literal["rephrase", "prompt"] = "rephrase"

    def __post_init__(self) -> None:
        for name, kind in get_type_hints(type(self)).items():
            value, known = getattr(self, name), get_args(kind)
            if get_origin(kind) is Literal and value not in known:
                raise UserError(f"hyperparameters: {name}: '{value}' is not allowed; {nearest(str(value), known)}")
        for name in ("batch_size", "accumulate_bs", "max_iters", "val_interval", "val_steps"):
            if getattr(self, name) < 1:
                raise UserError(f"hyperparameters: {name} is {getattr(self, name)}; it must be at least 1.")


@dataclass(frozen=True)
class Losses:
    """What E episodes lost, each (E,): the two parts of the loss, and how much was right.

    success: share of the target's tokens that the edited model answers; kept: share of the locality answer's tokens at
    which it answers as before.
    """

    edit: Tensor
    locality: Tensor
    success: Tensor
    kept: Tensor


class Learner(ABC):
    """What an editor trains.

    network: holds everything that is trained; its state is what the artefact keeps. facts: those to train on, then
    those to validate on. training, validation: the numbers of either among them.
    """

    hparams: TrainingHparams
    network: nn.Module
    training: range
    validation: range

    def __init__(
        self,
        backbone: Backbone,
        hparams: TrainingHparams,
        network: nn.Module,
        training: Sequence[Example],
        validation: Sequence[Example],
    ) -> None:
        self.backbone, self.hparams, self.network = backbone, hparams, network
        self.facts = [*training, *validation]
        self.count = len(self.facts)
        self.training, self.validation = range(len(training)), range(len(training), self.count)

    @abstractmethod
    def groups(self) -> list[dict[str, Any]]:
        """Return the trained parameters with their learning rates, as torch's optimisers take them."""

    @abstractmethod
    def losses(self, facts: Sequence[int], episodes: int) -> Losses:
        """Return what `episodes` episodes lose, which share out the facts in their order.

        What is right is asked of it only where gradients are off, in validation.
        """


def train(
    learner: Learner, hparams: TrainingHparams, seed: int, state: Path, digest: str, what: str = "training"
) -> Curve:
    """Train the learner's network in place and return the curve; the network ends in its best state.

    The curve has a row per validation: step (in episodes), training_loss, edit_success, locality, loss.
    state: where everything is kept at every validation; training goes on from there if its digest is this one. The
    file is gone at the end. Raises UserError where the loss is no number any more.
    """
    parameters = [parameter for group in learner.groups() for parameter in group["params"]]
    optimiser = torch.optim.Adam(learner.groups())
    run = State.load(state, digest, learner.network, optimiser) or State()
    if run.step == 0:
        _validate(learner, hparams, run, training_loss=None)
    losses: list[float] = []
    with bar(what, hparams.max_iters) as shown:
        shown.update(shown.task_ids[0], completed=run.step)
        while run.step < hparams.max_iters and run.step - run.best_step < hparams.early_stop_patience:
            episodes = min(hparams.accumulate_bs, hparams.max_iters - run.step)
            facts = _drawn(learner.training, run.step * hparams.batch_size, episodes * hparams.batch_size, seed)
            optimiser.zero_grad()
            with torch.enable_grad():
                loss = _total(learner.losses(facts, episodes), hparams).mean()
                loss.backward()
            losses.append(loss.item())
            if not math.isfinite(losses[-1]):
                raise UserError(f"{what}: the loss is {losses[-1]} after {run.step} episodes; lower `lr`.")
            torch.nn.utils.clip_grad_norm_(parameters, hparams.grad_clip)
            optimiser.step()
            before, run.step = run.step, run.step + episodes
            due = run.step // hparams.val_interval > before // hparams.val_interval
            if due or run.step == hparams.max_iters:
                row = _validate(learner, hparams, run, sum(losses) / len(losses))
                run.save(state, digest, learner.network, optimiser)
                losses = []
                told = f"{what}: loss {row['loss']:.3f}, success {row['edit_success']:.2f}, kept {row['locality']:.2f}"
                shown.update(shown.task_ids[0], description=told)
            shown.update(shown.task_ids[0], completed=run.step)
    learner.network.load_state_dict(run.best)
    state.unlink(missing_ok=True)
    return run.curve


@torch.no_grad()
def _validate(learner: Learner, hparams: TrainingHparams, run: State, training_loss: float | None) -> dict[str, Any]:
    """Add a row to the curve, and keep the network's state where it is the best so far."""
    size = hparams.batch_size
    count = min(hparams.val_steps, len(learner.validation) // size)
    if not count:
        raise UserError(
            f"batch_size: an episode edits {size} facts, but there are {len(learner.validation)} validation facts; "
            "draw more (`splits` of the facts) or lower batch_size."
        )
    facts = learner.validation[: count * size]
    parts = []
    for start in range(0, count, hparams.accumulate_bs):
        episodes = min(hparams.accumulate_bs, count - start)
        parts.append(learner.losses(facts[start * size : (start + episodes) * size], episodes))
    found = Losses(*(torch.cat([getattr(part, name) for part in parts]) for name in Losses.__dataclass_fields__))
    success, kept = found.success.mean().item(), found.kept.mean().item()
    loss = _total(found, hparams).mean().item()
    row = {"step": run.step, "training_loss": training_loss, "edit_success": success, "locality": kept, "loss": loss}
    run.curve.append(row)
    value = loss if hparams.early_stop_key == "loss/total_edit_val" else -success
    if value < run.best_value:
        run.best_value, run.best_step = value, run.step
        run.best = {name: tensor.detach().cpu().clone() for name, tensor in learner.network.state_dict().items()}
    return row


def _total(losses: Losses, hparams: TrainingHparams) -> Tensor:
    return hparams.cedit * losses.edit + hparams.cloc * losses.locality


def _drawn(facts: Sequence[int], start: int, count: int, seed: int) -> list[int]:
    """Return the facts number start.. of an endless row of shuffles.

    Each shuffle is drawn by the seed and its number alone, so that there is no generator whose state had to be kept.
    """
    drawn = []
    for place in range(start, start + count):
        turn, rank = divmod(place, len(facts))
        drawn.append(facts[_shuffle(len(facts), seed, turn)[rank]])
    return drawn


@lru_cache(maxsize=2)
def _shuffle(size: int, seed: int, turn: int) -> list[int]:
    generator = torch.Generator().manual_seed(seed * 1_000_003 + turn)
    order: list[int] = torch.randperm(size, generator=generator).tolist()
    return order
