"""The experiment of `make demo` on two nodes: every cell is made, by jobs that Slurm has recorded."""

from pathlib import Path

import pytest
import small
import yaml
from cluster import Cluster
from clustered import Run

pytestmark = [pytest.mark.slurm, pytest.mark.slow]

LOADS_A_MODEL = {"train", "covariance", "ask", "predict", "edit_on", "probe_edited", "ask_tasks"}
# The same cells, but the backbone learns nothing worth to wait for, and the sweeps stop early: each job costs Snakemake
# some seconds of these two processors.
SHORT = {
    "backbones": {"demo-bi": {"recipe": {"steps": 30}}},
    "sweeps": {name: {"stops": [stop], "tasks": ["sst2"]} for name, stop in (("KN", 1), ("ROME", 4), ("MEMIT", 4))},
}
FILES = ["config.yaml", "config/quick.yaml", "short.yaml"]


def test_quick(cluster: Cluster, tmp_path: Path) -> None:
    for name in (*small.READ, "config", "config.yaml"):
        (tmp_path / name).symlink_to(small.ROOT / name)
    (tmp_path / "short.yaml").write_text(yaml.safe_dump(SHORT), encoding="utf-8")
    run = Run.of(small.Experiment(tmp_path), cluster)

    ended = run.run("--configfile", *FILES, minutes=40)

    assert ended.returncode == 0, ended.stdout
    assert "Cells: 8 of 8 done." in cluster.run("crossedit", "status", "--configfile", *FILES, cwd=tmp_path)
    jobs = run.jobs()
    assert {job.state for job in jobs} == {"COMPLETED"}
    assert {job.rule for job in jobs} >= LOADS_A_MODEL
    assert {job.gpus for job in jobs if job.rule in LOADS_A_MODEL} == {1}
    assert {job.gpus for job in jobs if job.rule not in LOADS_A_MODEL} == {0}
    assert {job.node for job in jobs if job.gpus} == set(cluster.nodes)
    assert len([job for job in jobs if job.rule == "predict"]) == 8
