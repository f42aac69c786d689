"""All or some of a task's items: files -> the items table.

items = make_items(task, ["gsm8k.test.jsonl"], size=200, seed=0)
"""

import random
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from crossedit.errors import UserError
from crossedit.sweeps.tasks.readers import READERS, Item
from crossedit.sweeps.tasks.task import Task
from crossedit.tables import ITEMS


def make_items(task: Task, files: Sequence[Path | str], size: int | None, seed: int) -> pl.DataFrame:
    """Return the ITEMS of a task's files, `read_items` and `draw` in one."""
    return draw(task, read_items(task, files), size, seed)


def draw(task: Task, found: Sequence[Item], size: int | None, seed: int) -> pl.DataFrame:
    """Return the ITEMS that are drawn of those found, in their order: `size` of them by seed, or all (None).

    A larger draw of the same seed holds a smaller one, so that a score over more items only adds to one over fewer.
    Raises UserError where there are too few.
    """
    if size is not None and not 1 <= size <= len(found):
        raise UserError(
            f"task '{task.name}': size is {size}, but its files have {len(found)} items; ask for 1 to {len(found)}, "
            "or leave size away."
        )
    drawn = sorted(random.Random(f"{task.name} {seed}").sample(range(len(found)), len(found))[:size])
    rows = [
        {
            "task": task.name,
            "item": number,
            "origin": found[number].where,
            "fields": [{"name": name, "value": value} for name, value in found[number].fields.items()],
            "answers": found[number].answers,
        }
        for number in drawn
    ]
    return pl.DataFrame(rows, schema=ITEMS.columns)


def read_items(task: Task, files: Sequence[Path | str]) -> list[Item]:
    """Return all items of the files.

    Raises UserError where a record is not as it should be, a file has none, or lacks what the task asks for.
    """
    if not files:
        raise UserError(f"task '{task.name}': has no files; name at least one.")
    found: list[Item] = []
    for file in files:
        items = list(READERS[task.reader](Path(file)))
        if not items:
            raise UserError(f"{file}: has no items; name a file of task '{task.name}'.")
        found += items
    for rules in task.protocols.values():
        for name in sorted(rules.names - found[0].fields.keys()):
            raise UserError(
                f"task '{task.name}': its prompt asks for {{{name}}}, but its reader '{task.reader}' gives "
                f"{', '.join(found[0].fields)}."
            )
    return found
