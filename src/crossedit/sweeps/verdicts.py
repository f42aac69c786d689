"""What a model says to all tasks of a stop: one after the other, each kept as soon as it has been asked.

    wanted = [Asked.of("rte", "corrected", Path("results/sweeps/tasks/rte.parquet")), …]
    for asked, verdicts in ask(backbone, wanted, made, kept=out, journal=folder): …

A model is loaded once for all of them. What has been asked of the same model by the same rules stands in the table that
is there already, or in the journal of a run that was killed, and isn't asked again.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from crossedit.backbones.backbone import Backbone
from crossedit.files import digest
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
        told = {"task": name, "version": task.version, "protocol": protocol, "rules": rules, "items": digest(items)}
        return cls(task, protocol, read(items, ITEMS), told)


def ask(
    backbone: Backbone,
    wanted: Sequence[Asked],
    made: Mapping[str, Any],
    *,
    kept: Path,
    journal: Path,
    batch_tokens: int | None = None,
) -> Iterator[tuple[Asked, pl.DataFrame]]:
    """Yield each of what is wanted with its VERDICTS, by the model as it is in the caller's context.

    made: says which model that is; a table counts as kept only where it says the same. kept: where such a table may be.
    journal: the folder for verdicts that stand in no table yet. Raises UserError for another task's items.
    """
    pages = [path for path in (kept, *sorted(journal.glob("[!.]*.parquet"))) if path.exists()]
    known = {key: frame for page in pages for key, frame in _read(page, made)}
    for asked in wanted:
        verdicts = known.get(digest(asked.told))
        if verdicts is None:
            verdicts = run_task(backbone, asked.task, asked.items, protocol=asked.protocol, batch_tokens=batch_tokens)
            page = journal / f"{asked.task.name}.{asked.protocol}.parquet"
            write(verdicts, VERDICTS, page, {**made, "asked": [asked.told]})
        yield asked, verdicts


def _read(page: Path, made: Mapping[str, Any]) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield the verdicts of a table, each with a digest of what has decided about them; none of another model's."""
    said = provenance(page)
    if any(said.get(name) != value for name, value in made.items()):
        return
    table = read(page, VERDICTS)
    for told in said["asked"]:
        yield digest(told), table.filter(task=told["task"], protocol=told["protocol"])
