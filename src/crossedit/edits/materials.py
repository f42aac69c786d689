"""Loading what an editor draws on, from the files that the DAG made."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from crossedit.backbones.backbone import Backbone
from crossedit.backbones.covariance import load_covariances
from crossedit.edits.editors.interface import Materials
from crossedit.edits.retrieval import load_pool
from crossedit.edits.training.trained import Trained


def load_materials(
    backbone: Backbone,
    facts: pl.DataFrame,
    language: str,
    hparams: Mapping[str, Any],
    contexts: Path | None,
    covariance: Path | None,
    embeddings: Path | None,
    trained: Path | None = None,
    train_size: int | None = None,
    seed: int = 0,
) -> Materials:
    """Return the materials in the files that are given; the others stay empty.

    train_size, seed: how many of the training facts an in-context editor may show, and which.
    """
    texts = json.loads(contexts.read_text(encoding="utf-8"))["texts"] if contexts else {}
    return Materials(
        contexts={int(length): found for length, found in texts.items()},
        covariances=load_covariances(covariance, backbone, hparams["layers"]) if covariance else {},
        pool=load_pool(facts, language, embeddings, train_size, seed) if embeddings else None,
        trained=Trained.load(trained) if trained else None,
    )
