"""The small experiment on the test cluster, by the profile as users have it."""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import small
from cluster import Cluster, Job

from crossedit.jobs import read_record

# No network filesystem to wait for; and jobs last seconds.
AT_ONCE = ("--latency-wait", "5", "--slurm-init-seconds-before-status-checks", "1")


@dataclass(frozen=True)
class Run:
    """The small experiment in a folder of its own, on the cluster."""

    experiment: small.Experiment
    cluster: Cluster

    def start(self, *arguments: str, **popen: Any) -> subprocess.Popen[str]:
        """Return `snakemake --profile slurm` with these arguments, begun."""
        return self.experiment.start("--profile", "slurm", *AT_ONCE, *arguments, **self._in_cluster(popen))

    def run(self, *arguments: str, **popen: Any) -> subprocess.CompletedProcess[str]:
        """Return how it has ended, with what it said."""
        return self.experiment.run("--profile", "slurm", *AT_ONCE, *arguments, **self._in_cluster(popen))

    def _in_cluster(self, popen: dict[str, Any]) -> dict[str, Any]:
        return {**popen, "env": self.cluster.environment | popen.get("env", {})}

    def jobs(self, rule: str, wildcards: str) -> list[Job]:
        return self.cluster.jobs(self.experiment.folder, rule, wildcards)

    def wait_for(self, snakemake: subprocess.Popen[str], *outputs: Path) -> None:
        """Return as soon as a job of this run is at work on each of the outputs."""

        def begun() -> bool:
            assert snakemake.poll() is None, f"Snakemake has ended with {snakemake.returncode}"
            records = [read_record(output) for output in outputs]
            return all(record is not None and record.state == "running" for record in records)

        self.cluster.wait(f"jobs to make {', '.join(output.name for output in outputs)}", begun)
