"""What many edits do to general abilities, asked of a finished experiment (see test_meaning.py for where it lies)."""

import os
from pathlib import Path

import polars as pl
import pytest

from crossedit.tables import FACT_SCORES, TASK_SCORES, WEIGHT_CHANGES, read

SWEEPS = Path(os.environ.get("CROSSEDIT_RESULTS", "results")) / "sweeps"
METHODS = ("KN", "ROME", "MEMIT")  # the sweeps of the embedded experiment


def table(name: str, kind: str) -> pl.DataFrame:
    path = SWEEPS / name / "demo-bi" / f"{kind}.parquet"
    if not path.exists():
        pytest.skip(f"{path}: no finished sweep there")
    return read(path, {"tasks": TASK_SCORES, "facts": FACT_SCORES, "weights": WEIGHT_CHANGES}[kind])


def abilities(name: str) -> pl.DataFrame:
    """Return the scores over all items of each task that can be lost: those clearly above chance before any edit."""
    every = table(name, "tasks").filter(part="all", over="all", protocol="corrected")
    before = every.filter(stop=0)
    if before["task"].n_unique() < 8:
        pytest.skip(f"{SWEEPS}: a part of the experiment; `make experiment` goes on to all eight tasks")
    able = before.filter(pl.col("low") > pl.col("constant").fill_null(0.05))["task"].to_list()
    return every.filter(pl.col("task").is_in(able))


def course(name: str) -> list[float]:
    """Return the mean score over the tasks that can be lost, at each stop from the unedited model on."""
    means = abilities(name).group_by("stop").agg(pl.col("score").mean()).sort("stop")
    return means["score"].to_list()


def fallen(name: str, stop: int) -> int:
    """Return how many tasks have lost more by a stop than sampling items explains."""
    return len(abilities(name).filter(pl.col("stop") == stop, pl.col("change_high") < 0, pl.col("change_p") < 0.05))


@pytest.mark.parametrize("name", METHODS)
def test_there_is_something_to_lose(name: str) -> None:
    assert abilities(name)["task"].n_unique() >= 6


def test_knowledge_neurons_collapse_within_few_edits() -> None:
    before, *_, after = course("KN")
    last = abilities("KN")["stop"].max()
    assert last <= 4
    assert after <= 0.8 * before
    assert fallen("KN", last) >= 3


@pytest.mark.parametrize("name", ["ROME", "MEMIT"])
def test_abilities_fall_with_the_number_of_facts(name: str) -> None:
    """The first edits do little; many do much."""
    before, first, *_, after = course(name)
    assert first >= 0.9 * before
    assert after <= 0.8 * before
    assert fallen(name, abilities(name)["stop"].max()) >= 4


@pytest.mark.parametrize("name", ["ROME", "MEMIT"])
def test_most_edits_hold_while_abilities_go(name: str) -> None:
    facts = table(name, "facts").filter(aspect="reliability", lang="en", metric="em", edited_by=0)
    assert facts.sort("stop")["mean"].to_list()[-1] >= 0.7


@pytest.mark.parametrize("name", METHODS)
def test_weights_move_further_with_every_stop(name: str) -> None:
    moved = table(name, "weights").group_by("stop").agg(pl.col("norm").sum()).sort("stop")["norm"].to_list()
    assert moved == sorted(moved)
    assert moved[0] > 0
