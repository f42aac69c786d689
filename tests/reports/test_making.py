"""How what a page shows was made."""

from pathlib import Path
from typing import Any

import polars as pl

from crossedit import tables
from crossedit.reports.page.making import made
from crossedit.tables import PREDICTIONS


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
