"""Seconds per fact one at a time and batched, for each editor, in one run: `make bench` after `make demo`.

    python bench/edits.py --facts 32 --backbone demo-bi

Both columns are the same code, given one request or all of them; answering is the teacher-forced protocol over every
probe of a fact. A ratio is the number before it divided into the one before that.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import torch
import yaml
from rich.console import Console
from rich.table import Table

from crossedit import config as configuration
from crossedit.backbones.backbone import Backbone
from crossedit.edits.cell import answer_edited
from crossedit.edits.editors import make_editor
from crossedit.edits.editors.interface import Editor
from crossedit.edits.materials import load_materials
from crossedit.edits.requests import Request, make_requests
from crossedit.errors import UserError
from crossedit.tables import FACTS, PROBES, read


def seconds(work: Callable[[], Any]) -> float:
    """Return how long the work takes."""
    begun = time.perf_counter()
    work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - begun


def measure(
    backbone: Backbone, editor: Editor, requests: list[Request], probes: pl.DataFrame
) -> tuple[float, float, float, float]:
    """Return seconds per fact: editing alone, editing together, answering alone, answering together."""
    editor.edit_each(backbone, requests[:2])  # the first call sets up what later ones share
    deltas = editor.edit_each(backbone, requests)
    cases = [request.case_id for request in requests]

    def answer(numbers: range) -> None:
        chosen = [cases[number] for number in numbers]
        asked = probes.filter(pl.col("case_id").is_in(chosen))
        answer_edited(backbone, [deltas[number] for number in numbers], chosen, asked, "teacher_forced")

    alone = seconds(lambda: [editor.edit_each(backbone, [request]) for request in requests])
    together = seconds(lambda: editor.edit_each(backbone, requests))
    asked_alone = seconds(lambda: [answer(range(number, number + 1)) for number in range(len(requests))])
    asked_together = seconds(lambda: answer(range(len(requests))))
    count = len(requests)
    return alone / count, together / count, asked_alone / count, asked_together / count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, default=Path("config.yaml"))
    parser.add_argument("--backbone", help="default: the config's last")
    parser.add_argument("--language", default="en")
    parser.add_argument("--facts", type=int, default=64)
    given = parser.parse_args()
    config = configuration.checked(yaml.safe_load(given.config.read_text(encoding="utf-8")))
    results = Path(config["results"])
    name = given.backbone or list(config["backbones"])[-1]
    facts_name = next(iter(config["facts"]))
    stage = "translation" if "translation" in config["facts"][facts_name] else "facts"
    folder = results / "backbones" / name
    if not folder.exists():
        raise UserError(f"{folder}: not there yet; run the experiment of {given.config} first.")
    facts = read(results / stage / facts_name / "facts.parquet", FACTS)
    backbone = Backbone.load(name, {"path": str(folder / "model")} | config["backbones"][name])
    requests = make_requests(facts.filter(pl.col("split") == "test"), given.language)[: given.facts]
    probes = read(folder / facts_name / "probes.parquet", PROBES)
    table = Table(title=f"{name}, {len(requests)} facts, {torch.get_num_threads()} threads, {backbone.device}")
    for title in ("editor", "edit: alone", "together", "ratio", "answer: alone", "together", "ratio"):
        table.add_column(title, justify="left" if title == "editor" else "right")
    for editor, entry in config["editors"].items():
        hparams = configuration.hparams(config, editor, name)
        encoder = configuration.slug(hparams.get("encoder", ""))
        embeddings = results / "edits" / facts_name / "embeddings" / f"{encoder}.{given.language}.safetensors"
        covariance = folder / "covariance.safetensors"
        contexts = folder / "contexts.json"
        materials = load_materials(
            backbone,
            facts,
            given.language,
            hparams,
            contexts if hparams.get("context_template_length_params") else None,
            covariance if hparams.get("mom2_adjustment") else None,
            embeddings if encoder else None,
        )
        found = measure(backbone, make_editor(entry["method"], hparams, materials), requests, probes)
        alone, together, asked_alone, asked_together = found
        columns = (alone, together, alone / together, asked_alone, asked_together, asked_alone / asked_together)
        table.add_row(
            editor, *(f"{value:.4f}" if number % 3 < 2 else f"{value:.1f}x" for number, value in enumerate(columns))
        )
    Console(width=110).print(table)


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(f"bench/edits.py: {error}")
