"""What a model says to all tasks of a stop: one after the other, each kept in a file of its own as soon as it is there.

    wanted = [Asked.of("rte", "corrected", Path("results/sweeps/tasks/rte.parquet")), …]
    for asked, verdicts in ask(backbone, wanted, made, store=folder): …

A model is loaded once for all of them. What the same model was asked by the same rules isn't asked again: after a
failure, or when tasks are added.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from crossedit.backbones.backbone import Backbone
from crossedit.files import digest, leftovers, remove
from crossedit.sweeps.tasks.asking import run_task
from crossedit.sweeps.tasks.task import Task, load_task
from crossedit.tables import ITEMS, VERDICTS, provenance, read, write


class Asked(NamedTuple):
    """A task under one of its protocols, and its items."""

    task: Task
    protocol: str
    items: pl.DataFrame
    told: dict[str, Any]  # what decides about the verdicts, in JSON values

    @classmethod
    def of(cls, name: str, protocol: str, items: Path) -> "Asked":
        """Return a task with the items of a file. Raises UserError for an unknown task or protocol."""
        task = load_task(name)
        rules = digest(asdict(task.protocol(protocol)))
        table = read(items, ITEMS)
        told = {"task": name, "version": task.version, "protocol": protocol, "rules": rules, "items": digest(items)}
        return cls(task, protocol, table, told)


def ask(
    backbone: Backbone,
    wanted: Sequence[Asked],
    made: Mapping[str, Any],
    store: Path,
    batch_tokens: int | None = None,
) -> Iterator[tuple[Asked, pl.DataFrame]]:
    """Yield each of what is wanted with its VERDICTS, by the model as it is in the caller's context.

    made: says which model that is, in JSON values. store: the folder of what this model, or one that stood here before,
    was asked. Raises UserError for another task's items.
    """
    for asked in wanted:
        page = store / f"{asked.task.name}.{asked.protocol}.parquet"
        for left in leftovers(page):  # by a run that was killed
            remove(left)
        origin = {**made, "asked": asked.told}
        if page.exists() and provenance(page).items() >= origin.items():
            yield asked, read(page, VERDICTS)
            continue
        verdicts = run_task(backbone, asked.task, asked.items, protocol=asked.protocol, batch_tokens=batch_tokens)
        write(verdicts, VERDICTS, page, origin)
        yield asked, verdicts
