"""What cells and stages cost, from predictions and the records beside them."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from crossedit import tables
from crossedit.jobs import record_of
from crossedit.reports.costs import Seconds, costs, notes_of, seconds, stages

GPU = {"name": "A GPU", "memory_peak": 8 * 2**30, "seconds": 30.0, "utilisation": 0.5}


def leave(out: Path, seconds: float, state: str = "done", gpu: dict[str, Any] | None = None) -> None:
    """Leave the record of a job that took so long."""
    said = {"state": state, "output": str(out), "command": ["crossedit"], "host": "n1", "pid": 1, "slurm": None}
    said |= {"begun": 1000.0, "ended": 1000.0 + seconds, "gpu": gpu}
    out.parent.mkdir(parents=True, exist_ok=True)
    record_of(out).write_text(json.dumps(said))


def shard(folder: Path, name: str, gpu: dict[str, Any] | None, seconds: dict[str, float], editor: str = "ROME") -> Path:
    """Write predictions that took so long, and their record."""
    path = folder / "edits" / "demo" / "llama" / editor / "en" / f"predictions.{name}.parquet"
    frame = pl.DataFrame(schema=tables.PREDICTIONS.columns)
    tables.write(frame, tables.PREDICTIONS, path, {"seconds": seconds, "device": "cuda:0"})
    leave(path, 40.0, gpu=gpu)
    return path


def test_shards_are_added_up_and_the_largest_memory_counts(tmp_path: Path) -> None:
    paths = [
        shard(tmp_path, "1-of-2", GPU, {"edit": 10.0, "answer": 4.0, "facts": 8}),
        shard(
            tmp_path,
            "2-of-2",
            {**GPU, "memory_peak": 2**30, "seconds": 90.0, "utilisation": 0.9},
            {"edit": 2.0, "facts": 4},
        ),
    ]
    sheet = costs(notes_of(paths))
    assert sheet.rows == (("demo", "llama", "English", "ROME", "12", "1.000", "0.333", "cuda:0", "120", "8.0", "80%"),)
    assert len(sheet.columns) == len(sheet.rows[0])
    assert list(seconds(notes_of(paths)).values()) == [Seconds(edit=12 / 12, answer=4 / 12)]


def test_columns_of_gpus_are_there_where_any_job_used_one(tmp_path: Path) -> None:
    idle = shard(tmp_path, "1-of-1", None, {"edit": 1.0, "answer": 1.0, "facts": 2})
    sheet = costs(notes_of([idle]))
    assert "GPU" not in {column.group for column in sheet.columns}
    assert sheet.rows == (("demo", "llama", "English", "ROME", "2", "0.500", "0.500", "cuda:0"),)
    busy = shard(tmp_path, "1-of-1", GPU, {"edit": 1.0, "facts": 2}, editor="SERAC")
    assert [row[-3:] for row in costs(notes_of([idle, busy])).rows] == [("–", "–", "–"), ("30", "8.0", "50%")]


def test_stages_count_the_jobs_that_are_done(tmp_path: Path) -> None:
    leave(tmp_path / "backbones" / "llama" / "covariance.safetensors", 3600.0, gpu={**GPU, "seconds": 3600.0})
    leave(tmp_path / "edits" / "demo" / "scores.parquet", 1800.0)
    leave(tmp_path / "edits" / "demo" / "other.parquet", 9000.0, state="failed")
    leave(tmp_path / "logs" / "edits" / "no.parquet", 9000.0)
    leave(tmp_path / "facts" / "demo" / "facts.parquet", 1.6)
    assert [tuple(map(str, row)) for row in stages(tmp_path).rows] == [
        ("backbones", "1", "1.0 h", "1.0 h", "8.0", "50%"),
        ("edits", "1", "30 min", "–", "–", "–"),
        ("facts", "1", "2 s", "–", "–", "–"),
        ("together", "3", "1.5 h", "1.0 h", "8.0", "50%"),
    ]
    assert [row[2][0] for row in stages(tmp_path).values()] == pytest.approx([1.0, 0.5, 1.6 / 3600, 1.5 + 1.6 / 3600])


def test_a_load_that_no_driver_told_is_unknown(tmp_path: Path) -> None:
    leave(tmp_path / "edits" / "a.parquet", 10.0, gpu={**GPU, "utilisation": None})
    assert stages(tmp_path).rows[0][-1] == "–"
    leave(tmp_path / "edits" / "b.parquet", 10.0, gpu={**GPU, "utilisation": 0.25})
    assert stages(tmp_path).rows[0][-1] == "25%"
