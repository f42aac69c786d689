"""A training from facts to artefact."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import torch

from crossedit.backbones.backbone import Backbone
from crossedit.edits.editors import make_editor
from crossedit.edits.editors.interface import Materials
from crossedit.edits.editors.trained import TrainedEditor
from crossedit.edits.training.examples import examples_of, training_facts
from crossedit.edits.training.loop import train
from crossedit.edits.training.trained import Trained
from crossedit.errors import UserError
from crossedit.files import digest


def train_editor(
    backbone: Backbone,
    method: str,
    hparams: Mapping[str, Any],
    facts: pl.DataFrame,
    language: str,
    train_size: int | None,
    seed: int,
    out: Path,
) -> None:
    """Train an editor on a FACTS table's training split in one language, and write its artefact to the folder `out`.

    Beside `out` lies `<out>.state.safetensors` while the training runs: what it goes on from after a kill.
    Raises UserError for a method that isn't trained, and where there are too few facts.
    """
    editor = make_editor(method, hparams, Materials())
    if not isinstance(editor, TrainedEditor):
        raise UserError(f"method: {method} isn't trained before it edits; only MEND and SERAC are.")
    training = examples_of(training_facts(facts, train_size, seed), language, "training")
    asked = editor.hparams.val_steps * editor.hparams.batch_size
    validation = examples_of(facts.filter(pl.col("split") == "validation"), language, "validation")[:asked]
    made_of = {
        "method": method,
        "hparams": dict(hparams),
        "backbone": {"name": backbone.name, "weights": backbone.digest, "dtype": str(backbone.model.dtype)},
        "language": language,
        "facts": digest([vars(fact) for fact in training], [vars(fact) for fact in validation]),
        "seed": seed,
    }
    begun = time.monotonic()
    learner = editor.learner(backbone, training, validation, seed)
    out.parent.mkdir(parents=True, exist_ok=True)
    curve = train(
        learner,
        editor.hparams,
        seed,
        state=out.with_name(f"{out.name}.state.safetensors"),
        digest=digest(made_of),
        what=f"training {method}",
    )
    manifest = {
        **made_of,
        "training_facts": len(training),
        "validation_facts": len(validation),
        "steps": curve[-1]["step"],
        "torch": torch.__version__,
        "device": str(backbone.device),
        "seconds": round(time.monotonic() - begun, 1),
    }
    Trained.of(learner.network, manifest).save(out, curve)
