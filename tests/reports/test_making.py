"""How what a page shows was made."""

from pathlib import Path
from typing import Any

import made_sweeps
import polars as pl
from made import scores

from crossedit import tables
from crossedit.reports.grid import Grid
from crossedit.reports.page import Sources, page
from crossedit.reports.page.making import made, run
from crossedit.reports.scores import Scores
from crossedit.tables import PREDICTIONS


def test_how_many_facts_cells_have_is_said_of_the_smallest_and_the_largest() -> None:
    other = scores(("unedited", "IKE")).with_columns(facts=pl.lit("more"), n=pl.lit(2000, pl.Int64))
    other = other.with_columns(n=pl.when(editor="unedited").then(9999).otherwise("n").cast(pl.Int64))
    known = Scores(pl.concat([scores(), other]))
    sweeps = made_sweeps.sweeps({"sweeps": {}})
    assert run(known, Grid.of({}, known), sweeps).facts == (3, 2000)
    text = page({}, known, sweeps, Sources(), [])
    assert "an editor on a backbone, in an editing language; 3 to 2,000 test facts each" in text


def test_what_several_cells_say_of_their_making_is_told_once(tmp_path: Path) -> None:
    """What tells a shard from the others doesn't count."""
    cuda, cpu = {"device": "cuda:0", "seed": 0}, {"device": "cpu", "seed": 0}
    paths = []
    for number, said in enumerate([cuda, cpu, cuda, cuda]):
        own: dict[str, Any] = {"shard": f"{number}/4", "seconds": {"edit": number}}
        paths.append(tmp_path / f"{number}.parquet")
        tables.write(pl.DataFrame(schema=PREDICTIONS.columns), PREDICTIONS, paths[-1], {**said, **own})
    notes = [(note["device"], note["seed"]) for note in made(map(tables.provenance, paths))]
    assert notes == [("cuda:0", 0), ("cpu", 0)]
