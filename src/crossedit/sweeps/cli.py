"""`crossedit sweeps …`"""

import json
import time
from pathlib import Path
from typing import Any

import click

from crossedit.claims import Job
from crossedit.edits.cli import editor_options, materials_options
from crossedit.errors import UserError
from crossedit.files import remove
from crossedit.options import FILE, FOLDER, model_options, parse_json


@click.group(name="sweeps")
def commands() -> None:
    """Measure what edits do to general abilities."""


_TASK = click.option("--task", "task_name", required=True, help="A task: the name of a file in resources/tasks.")
_FILES = click.option(
    "--file", "files", multiple=True, required=True, type=Path, help="A data file, or MuTual's folder."
)
_OUT = click.option("--out", required=True, type=FILE)
_FOLDER = click.option("--out", required=True, type=FOLDER)
_SEED = click.option("--seed", default=0, show_default=True)


@commands.command(cls=Job)
@_TASK
@_FILES
@click.option("--size", type=int, help="How many items are drawn; default: all.")
@_SEED
@_OUT
def tasks(task_name: str, files: tuple[Path, ...], size: int | None, seed: int, out: Path) -> None:
    """Draw a task's items from its files."""
    from crossedit.sweeps import VERSION
    from crossedit.sweeps.tasks.items import draw, read_items
    from crossedit.sweeps.tasks.task import load_task
    from crossedit.tables import ITEMS, write

    task = load_task(task_name)
    found = read_items(task, files)
    items = draw(task, found, size, seed)
    made = {"task": {"name": task.name, "version": task.version}, "version": VERSION, "size": size, "seed": seed}
    write(items, ITEMS, out, {**made, "files": [str(file) for file in files]})
    click.echo(json.dumps({"task": task.name, "read": len(found), "drawn": len(items)}), err=True)


@commands.command(cls=Job)
@_TASK
@_FILES
@_OUT
def texts(task_name: str, files: tuple[Path, ...], out: Path) -> None:
    """Write a task's prompts with their right answers, to train a backbone on."""
    from crossedit.files import whole
    from crossedit.sweeps.tasks.items import make_items
    from crossedit.sweeps.tasks.task import load_task
    from crossedit.sweeps.tasks.worked import worked

    task = load_task(task_name)
    with whole(out) as temporary:
        worked(task, make_items(task, files, None, seed=0)).write_ndjson(temporary)


@commands.command(cls=Job)
@click.option(
    "--task",
    "tasks",
    required=True,
    multiple=True,
    type=(str, str, Path),
    metavar="NAME PROTOCOL ITEMS",
    help="A task, corrected or upstream, and its items (parquet).",
)
@model_options
@click.option("--batch-tokens", type=int, help="Tokens per batch, padding included; sets memory, no verdict.")
@click.option("--checkpoint", type=Path, help="Ask the model as it is after these edits; default: the unedited one.")
@_OUT
def ask(
    tasks: tuple[tuple[str, str, Path], ...],
    name: str,
    entry: dict[str, Any],
    checkpoint: Path | None,
    batch_tokens: int | None,
    out: Path,
) -> None:
    """Put tasks to a model, edited or not; each is kept beside the output, and asked once."""
    import polars as pl

    from crossedit.backbones.backbone import Backbone
    from crossedit.edits.deltas import Delta, merged
    from crossedit.files import digest
    from crossedit.sweeps import VERSION, verdicts
    from crossedit.sweeps.checkpoints import Checkpoint
    from crossedit.sweeps.tasks.scores import ALL, count_task, score_task
    from crossedit.tables import VERDICTS, write

    wanted = [verdicts.Asked.of(*task) for task in tasks]
    backbone = Backbone.load(name, entry)
    delta = Delta()
    made: dict[str, Any] = {
        "version": VERSION,
        "backbone": {"name": name, "weights": backbone.digest, "dtype": str(backbone.model.dtype)},
        "device": str(backbone.device),
        "checkpoint": None,
    }
    if checkpoint:
        edited = Checkpoint.load(checkpoint, backbone)
        delta = edited.delta
        made |= {**edited.origin, "delta": digest(*sorted((checkpoint / "delta").iterdir()))}
    told = []
    with merged(backbone, delta):
        for asked, said in verdicts.ask(backbone, wanted, made, out.with_suffix(".asked"), batch_tokens):
            told.append(said)
            counts = count_task(asked.items, said)
            click.echo(json.dumps({"task": asked.task.name, "protocol": asked.protocol, **counts}), err=True)
            for row in score_task(said).filter(pl.col("part") == ALL).iter_rows(named=True):
                click.echo(json.dumps(row), err=True)
    write(pl.concat(told), VERDICTS, out, {**made, "asked": [asked.told for asked in wanted]})


@commands.command(cls=Job)
@click.option("--facts", required=True, type=Path, help="Facts table (parquet); its test facts are edited.")
@editor_options
@materials_options
@click.option("--batch-size", default=1, show_default=True, type=click.IntRange(min=1), help="Facts per edit.")
@click.option("--edits", required=True, type=click.IntRange(min=1), help="How many edits there are in the end.")
@click.option("--at-once", default=64, show_default=True, help="Facts that go through the model together; sets memory.")
@click.option("--start", type=Path, help="The checkpoint of an earlier stop of the same sweep, from which it goes on.")
@_SEED
@_FOLDER
def edit(
    facts: Path,
    name: str,
    entry: dict[str, Any],
    method: str,
    hparams: dict[str, Any],
    language: str,
    contexts: Path | None,
    covariance: Path | None,
    trained: Path | None,
    rect: dict[str, Any] | None,
    batch_size: int,
    edits: int,
    at_once: int,
    start: Path | None,
    seed: int,
    out: Path,
) -> None:
    """Edit on and on, up to a stop; after a kill, the same command goes on after its last edit."""
    import polars as pl

    from crossedit import edits as editing
    from crossedit.backbones.backbone import Backbone
    from crossedit.edits.editors import make_editor
    from crossedit.edits.materials import load_materials
    from crossedit.edits.requests import make_requests
    from crossedit.files import digest
    from crossedit.sweeps import VERSION
    from crossedit.sweeps.checkpoints import Checkpoint
    from crossedit.sweeps.editing import edit_on, in_order
    from crossedit.tables import FACTS, read

    begun = time.perf_counter()
    journal = out.with_name(f"{out.name}.journal")
    table = read(facts, FACTS)
    backbone = Backbone.load(name, entry)
    materials = load_materials(backbone, table, language, hparams, contexts, covariance, None, trained)
    requests = make_requests(table.filter(pl.col("split") == "test"), language)
    drawn_on = {"contexts": contexts, "covariance": covariance, "trained": trained and trained / "manifest.json"}
    checkpoint = edit_on(
        backbone,
        make_editor(method, hparams, materials, rect, at_once),
        in_order(requests, seed),
        batch_size=batch_size,
        edits=edits,
        made_of={
            "version": [VERSION, editing.VERSION],
            "backbone": {"name": name, "dtype": str(backbone.model.dtype)},
            "editor": {"method": method, "hparams": hparams, "rect": rect, "at_once": at_once},
            "language": language,
            "facts": digest(facts),
            "materials": {kind: digest(file) for kind, file in drawn_on.items() if file},
            "seed": seed,
        },
        journal=journal,
        start=Checkpoint.load(start, backbone) if start else None,
    )
    checkpoint.save(out, backbone, time.perf_counter() - begun)
    if journal.exists():
        remove(journal)
    click.echo(json.dumps({"edits": edits, "facts": len(checkpoint.cases)}), err=True)


@commands.command(cls=Job)
@model_options
@click.option("--checkpoint", required=True, type=Path)
@click.option("--probes", required=True, type=Path)
@click.option("--unedited", required=True, type=Path, help="The unedited model's answers.")
@click.option("--protocol", required=True, help="teacher_forced, generated or upstream.")
@_OUT
def probe(
    name: str, entry: dict[str, Any], checkpoint: Path, probes: Path, unedited: Path, protocol: str, out: Path
) -> None:
    """Ask about all facts that a checkpoint's edits were to change."""
    from crossedit.backbones.backbone import Backbone
    from crossedit.sweeps import VERSION, probing
    from crossedit.sweeps.checkpoints import Checkpoint
    from crossedit.tables import ANSWERS, PREDICTIONS, PROBES, read, write

    backbone = Backbone.load(name, entry)
    edited = Checkpoint.load(checkpoint, backbone)
    predictions = probing.probe(backbone, edited, read(probes, PROBES), read(unedited, ANSWERS), protocol)
    write(predictions, PREDICTIONS, out, {"version": VERSION, "device": str(backbone.device), **edited.origin})


@commands.command(cls=Job, outputs=("tasks_out", "facts_out", "weights_out"))
@click.option(
    "--cell",
    required=True,
    callback=parse_json,
    help='JSON: {"sweep": …, "backbone": …, "editor": …, "setting": …, "batch_size": …, "facts": …, "edit_lang": …}.',
)
@click.option("--checkpoint", "checkpoints", multiple=True, required=True, type=Path, help="The sweep's, all of them.")
@click.option("--verdicts", multiple=True, type=Path, help="Those of checkpoints and of the unedited model.")
@click.option("--predictions", multiple=True, type=Path, help="What checkpoints said about the edited facts.")
@click.option("--f1-tokens", default="own", show_default=True, help="own, characters, or a tokenizer.")
@click.option("--entry", default="{}", callback=parse_json, help="JSON: the backbone's config, for its own tokens.")
@_SEED
@click.option("--tasks", "tasks_out", required=True, type=FILE, help="Where the scores of tasks go.")
@click.option("--facts", "facts_out", required=True, type=FILE, help="Where the scores of the edited facts go.")
@click.option("--weights", "weights_out", required=True, type=FILE, help="Where the changes of weights go.")
def score(
    cell: dict[str, Any],
    checkpoints: tuple[Path, ...],
    verdicts: tuple[Path, ...],
    predictions: tuple[Path, ...],
    f1_tokens: str,
    entry: dict[str, Any],
    seed: int,
    tasks_out: Path,
    facts_out: Path,
    weights_out: Path,
) -> None:
    """Score a sweep's cells; no model is needed."""
    from crossedit.edits.scores import tokens_of
    from crossedit.files import digest
    from crossedit.sweeps import VERSION, scores
    from crossedit.sweeps.manifest import MANIFEST, manifest
    from crossedit.tables import (
        FACT_SCORES,
        PREDICTIONS,
        TASK_SCORES,
        VERDICTS,
        WEIGHT_CHANGES,
        provenance,
        read,
        write,
    )

    told = [manifest(folder) for folder in checkpoints]
    cases = {scores.stop_of(cell["setting"], one): one["cases"] for one in told}

    def stop(path: Path) -> int:
        made = provenance(path)
        found = scores.stop_of(cell["setting"], made["checkpoint"])
        if found and (found not in cases or made["made_of"] != told[0]["made_of"]):
            raise UserError(f"{path}: is not of the checkpoints that are given; name those of one sweep, all of them.")
        return found

    asked = [(stop(path), read(path, VERDICTS)) for path in verdicts]
    probed = [(stop(path), read(path, PREDICTIONS)) for path in predictions]
    counts = {0: 0} | {place: len(edited) for place, edited in cases.items()}
    made = {
        "version": VERSION,
        "seed": seed,
        "checkpoints": [one["made_of"] for one in told[:1]],
        "stops": [digest(path) for path in (*(folder / MANIFEST for folder in checkpoints), *predictions, *verdicts)],
    }
    write(scores.task_scores(cell, asked, counts, seed), TASK_SCORES, tasks_out, made)
    facts = scores.fact_scores(cell, probed, cases, tokens_of(f1_tokens, entry), seed)
    write(facts, FACT_SCORES, facts_out, {**made, "f1_tokens": f1_tokens})
    write(scores.weight_changes(cell, told), WEIGHT_CHANGES, weights_out, made)
