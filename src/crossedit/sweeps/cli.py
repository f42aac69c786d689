"""`crossedit sweeps …`"""

import json
from pathlib import Path
from typing import Any

import click

from crossedit.options import parse_json


@click.group(name="sweeps")
def commands() -> None:
    """Measure what edits do to general abilities."""


_TASK = click.option("--task", "task_name", required=True, help="A task: the name of a file in resources/tasks.")
_OUT = click.option("--out", required=True, type=Path)


@commands.command()
@_TASK
@click.option("--file", "files", multiple=True, required=True, type=Path, help="A data file, or MuTual's folder.")
@click.option("--size", type=int, help="How many items are drawn; default: all.")
@click.option("--seed", default=0, show_default=True)
@_OUT
def tasks(task_name: str, files: tuple[Path, ...], size: int | None, seed: int, out: Path) -> None:
    """Draw a task's items from its files."""
    from crossedit.sweeps import VERSION
    from crossedit.sweeps.tasks.items import make_items
    from crossedit.sweeps.tasks.task import load_task
    from crossedit.tables import ITEMS, write

    task = load_task(task_name)
    items = make_items(task, files, size, seed)
    made = {"task": {"name": task.name, "version": task.version}, "version": VERSION, "size": size, "seed": seed}
    write(items, ITEMS, out, {**made, "files": [str(file) for file in files]})
    click.echo(json.dumps({"task": task.name, "items": len(items)}), err=True)


@commands.command()
@_TASK
@click.option("--file", "files", multiple=True, required=True, type=Path, help="A data file, or MuTual's folder.")
@_OUT
def texts(task_name: str, files: tuple[Path, ...], out: Path) -> None:
    """Write a task's prompts with their right answers, to train a backbone on."""
    from crossedit.sweeps.tasks.items import make_items
    from crossedit.sweeps.tasks.task import load_task
    from crossedit.sweeps.tasks.worked import worked
    from crossedit.tables import whole

    task = load_task(task_name)
    with whole(out) as temporary:
        worked(task, make_items(task, files, None, seed=0)).write_ndjson(temporary)


@commands.command()
@_TASK
@click.option("--items", "items_path", required=True, type=Path, help="The task's items (parquet).")
@click.option("--name", required=True, help="The backbone's name in the config.")
@click.option("--entry", required=True, callback=parse_json, help="JSON: the backbone's config.")
@click.option("--protocol", default="corrected", show_default=True, help="corrected or upstream.")
@click.option("--batch-tokens", type=int, help="Tokens per batch, padding included; sets memory, no verdict.")
@_OUT
def ask(
    task_name: str,
    items_path: Path,
    name: str,
    entry: dict[str, Any],
    protocol: str,
    batch_tokens: int | None,
    out: Path,
) -> None:
    """Put a task's items to the unedited model."""
    import polars as pl

    from crossedit.backbones.backbone import Backbone
    from crossedit.sweeps import VERSION
    from crossedit.sweeps.tasks.asking import run_task
    from crossedit.sweeps.tasks.scores import ALL, score_task
    from crossedit.sweeps.tasks.task import load_task
    from crossedit.tables import ITEMS, VERDICTS, digest, read, write

    task = load_task(task_name)
    items = read(items_path, ITEMS)
    backbone = Backbone.load(name, entry)
    verdicts = run_task(backbone, task, items, protocol=protocol, batch_tokens=batch_tokens)
    made = {
        "task": {"name": task.name, "version": task.version},
        "version": VERSION,
        "items": digest(items_path),
        "backbone": {"name": name, "weights": backbone.digest, "dtype": str(backbone.model.dtype)},
        "device": str(backbone.device),
    }
    write(verdicts, VERDICTS, out, made)
    for row in score_task(verdicts).filter(pl.col("part") == ALL).iter_rows(named=True):
        click.echo(json.dumps(row), err=True)
