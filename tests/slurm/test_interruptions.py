"""Whatever is cancelled, killed or without power: after the next run the results are what an undisturbed run makes."""

import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import small
from clustered import Run

pytestmark = pytest.mark.slurm

CELL = "edits/small/tiny/ROME/zh"
SHARDS = [f"{CELL}/predictions.{shard}-of-2.parquet" for shard in (1, 2)]
OF_SHARDS = [f"small_tiny_ROME_zh_{shard}_2" for shard in (1, 2)]
SECONDS_TO_END = 60


def same_as_undisturbed(run: Run, undisturbed: small.Experiment) -> bool:
    """Return whether all tables are equal; fails where something unfinished or anything twice is left."""
    results = run.experiment.results
    assert kept(run.experiment) == kept(undisturbed)
    rows = pl.concat([pl.read_parquet(results / shard) for shard in SHARDS])
    keys = ["case_id", "aspect", "kind", "lang", "protocol"]
    assert rows.select(keys).is_duplicated().sum() == 0
    assert rows["case_id"].n_unique() == small.FACTS
    return not small.differing(run.experiment.tables(), undisturbed.tables())


def kept(experiment: small.Experiment) -> set[Path]:
    """Return all files and folders of the results, hidden ones too, by their paths there; but no logs."""
    return {path for path in experiment.everything() if path.parts[0] != "logs"}


def test_cancelled_job_and_failed_node(run: Callable[..., Run], undisturbed: small.Experiment) -> None:
    here = run("ROME/zh")
    with here.started("--", "tables", stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as snakemake:
        here.hold(snakemake, *(here.experiment.results / shard for shard in SHARDS))
        [cancelled], [moved] = (here.jobs("predict", wildcards) for wildcards in OF_SHARDS)
        here.cluster.run("scancel", cancelled.id)
        here.cluster.fail(moved.node)
        here.cluster.wait("a job of the failed node to start again", lambda: starts(here, moved.id) == 2)
        here.cluster.mend(moved.node)
        said, _ = snakemake.communicate(timeout=300)
    assert snakemake.returncode == 0, said
    first, second = here.jobs("predict", OF_SHARDS[0])
    assert (first.state, second.state) == ("CANCELLED", "COMPLETED")
    [again] = here.jobs("predict", OF_SHARDS[1])
    assert (again.state, again.starts) == ("COMPLETED", 2)
    assert same_as_undisturbed(here, undisturbed)


def starts(run: Run, number: str) -> int:
    """Return how often Slurm has started a job that is running; 0 while it isn't."""
    [job] = [job for job in run.jobs() if job.id == number]
    return job.starts if job.state == "RUNNING" else 0


def test_interrupted_and_killed_snakemake(run: Callable[..., Run], undisturbed: small.Experiment) -> None:
    here = run("ROME/zh")
    shards = [here.experiment.results / shard for shard in SHARDS]

    with here.started("--", "tables", env=here.cluster.environment) as snakemake:
        here.hold(snakemake, *shards)
        snakemake.send_signal(signal.SIGINT)
        assert snakemake.wait(SECONDS_TO_END) != 0
    here.cluster.wait("the jobs to end", lambda: not living(here))
    assert [here.jobs("predict", wildcards)[0].state for wildcards in OF_SHARDS] == ["CANCELLED"] * 2
    assert not any(shard.exists() for shard in shards)

    with here.started("--", "tables") as snakemake:
        here.hold(snakemake, *shards)
        snakemake.kill()
    orphans = living(here)
    assert here.experiment.run("--unlock", "--cores", "1").returncode == 0
    refused = here.run("--", "tables")
    assert refused.returncode != 0
    assert "still live" in refused.stdout, refused.stdout
    assert living(here) == orphans
    [command] = set(re.findall(r"`(scancel [\d ]+)`", refused.stdout))
    assert set(command.split()[1:]) == set(orphans)
    here.cluster.run(*command.split())
    here.cluster.wait("the orphans to end", lambda: not living(here))

    ended = here.run("--", "tables")
    assert ended.returncode == 0, ended.stdout
    assert same_as_undisturbed(here, undisturbed)


def living(run: Run) -> list[str]:
    """Return the ids of the run's jobs that wait, run, or are about to end."""
    return [job.id for job in run.jobs() if job.state in ("PENDING", "RUNNING", "COMPLETING")]
