"""A sweep's tables: scores of tasks and of the edited facts at every stop, and how far the weights have moved.

Nothing here needs a model. `cell` names the sweep: sweep, backbone, editor, setting, batch_size, facts, edit_lang.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from crossedit.edits.metrics import Tokens
from crossedit.edits.scores import score, values
from crossedit.errors import UserError
from crossedit.sweeps.settings import SINGLE
from crossedit.sweeps.tasks.scores import compare_task, score_task
from crossedit.tables import FACT_SCORES, TASK_SCORES, WEIGHT_CHANGES

Cell = Mapping[str, Any]
Manifest = Mapping[str, Any]  # what a checkpoint says of itself


def stop_of(setting: str, checkpoint: Manifest | None) -> int:
    """Return the stop at which a checkpoint is made, as the config has it; 0 for the unedited model."""
    if checkpoint is None:
        return 0
    stop: int = checkpoint["batch_size"] if setting == SINGLE else checkpoint["edits"]
    return stop


def task_scores(
    cell: Cell, verdicts: Sequence[tuple[int, pl.DataFrame]], edited_facts: Mapping[int, int], seed: int
) -> pl.DataFrame:
    """Return TASK_SCORES. verdicts: the VERDICTS of each stop, those of stop 0 among them.

    edited_facts: how many facts are edited at each stop. What the unedited model alone was asked is another sweep's and
    passed over. Raises UserError where a task was asked of the edited model alone, or the two were asked other items.
    """
    each = [
        (stop, (part["task"][0], part["protocol"][0]), part)
        for stop, frame in sorted(verdicts, key=lambda pair: pair[0])
        for part in frame.partition_by("task", "protocol", maintain_order=True)
    ]
    before = {asked: frame for stop, asked, frame in each if stop == 0}
    wanted = {asked for stop, asked, _ in each if stop}
    parts = []
    for stop, (task, protocol), frame in each:
        if (task, protocol) not in wanted:
            continue
        if (task, protocol) not in before:
            raise UserError(f"--verdicts: task '{task}' ({protocol}) was not asked of the unedited model; ask it too.")
        scored = score_task(frame, seed)
        if stop:
            key = ["task", "protocol", "metric", "part", "over"]
            changed = compare_task(frame, before[task, protocol], seed)
            named = {"low": "change_low", "high": "change_high", "p": "change_p"}
            scored = scored.join(changed.select(*key, "change", *named).rename(named), on=key, how="left")
        parts.append(_at(cell, stop, edited_facts[stop], scored))
    return _whole(parts, TASK_SCORES.columns)


def fact_scores(
    cell: Cell,
    predictions: Sequence[tuple[int, pl.DataFrame]],
    cases: Mapping[int, Sequence[int]],
    tokens: Tokens,
    seed: int,
) -> pl.DataFrame:
    """Return FACT_SCORES. predictions: stop and PREDICTIONS of each cell; cases: the facts edited by each stop.

    Where edits came one after another, facts are also scored by the stop by which
    they were edited.
    """
    named = {"facts": cell["facts"], "edit_lang": cell["edit_lang"]}
    parts = []
    for stop, frame in sorted(predictions, key=lambda pair: pair[0]):
        each = values(frame, tokens)
        for edited_by, group in _groups(cell, stop, cases):
            mine = each if edited_by == 0 else each.filter(pl.col("case_id").is_in(group))
            scored = score(mine, named, seed).with_columns(edited_by=pl.lit(edited_by, pl.Int64))
            parts.append(_at(cell, stop, len(cases[stop]), scored))
    return _whole(parts, FACT_SCORES.columns)


def weight_changes(cell: Cell, checkpoints: Sequence[Manifest]) -> pl.DataFrame:
    """Return WEIGHT_CHANGES of what checkpoints say."""
    parts = [
        _at(
            cell,
            stop_of(cell["setting"], told),
            len(told["cases"]),
            pl.DataFrame(told["changes"], infer_schema_length=None),
        )
        for told in checkpoints
    ]
    return _whole(parts, WEIGHT_CHANGES.columns)


def _groups(cell: Cell, stop: int, cases: Mapping[int, Sequence[int]]) -> Iterator[tuple[int, Sequence[int]]]:
    """Yield what facts are scored together at a stop: all, then those edited since each stop before, up to the next."""
    yield 0, cases[stop]
    if cell["setting"] == SINGLE:
        return
    before = 0
    for earlier in sorted(other for other in cases if other <= stop):
        yield earlier, cases[earlier][before:]
        before = len(cases[earlier])


def _at(cell: Cell, stop: int, edited_facts: int, frame: pl.DataFrame) -> pl.DataFrame:
    named = {name: cell[name] for name in ("sweep", "backbone", "editor", "setting", "batch_size")}
    named |= {"stop": stop, "edited_facts": edited_facts}
    return frame.with_columns(*(pl.lit(value).alias(name) for name, value in named.items()))


def _whole(parts: Sequence[pl.DataFrame], columns: Mapping[str, Any]) -> pl.DataFrame:
    """Return the parts as one frame of these columns; what all parts lack is null."""
    schema = pl.DataFrame(schema=dict(columns))
    return pl.concat([schema, *parts], how="diagonal_relaxed").select(*columns).cast(pl.Schema(columns))
