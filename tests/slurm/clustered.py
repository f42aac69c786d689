"""The small experiment on the test cluster: `snakemake --profile slurm` as users type it."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import small
from cluster import Cluster
from slurm_jobs import Job

from crossedit.jobs import alive, read_record

PROFILE = "config.v9+.yaml"


@dataclass(frozen=True)
class Run:
    """The small experiment in a folder of its own, on the cluster.

    The profile is the project's, but waits less: jobs last seconds, and there is no network filesystem.
    """

    experiment: small.Experiment
    cluster: Cluster

    @classmethod
    def of(cls, experiment: small.Experiment, cluster: Cluster) -> "Run":
        profile = experiment.folder / "slurm"
        profile.unlink()
        profile.mkdir()
        text = (small.ROOT / "slurm" / PROFILE).read_text(encoding="utf-8")
        for setting, seconds in (("slurm-init-seconds-before-status-checks", 1), ("latency-wait", 5)):
            text, number = re.subn(rf"(?m)^{setting}: \d+$", f"{setting}: {seconds}", text)
            assert number == 1, setting
        (profile / PROFILE).write_text(text, encoding="utf-8")
        return cls(experiment, cluster)

    @contextmanager
    def started(self, *arguments: str, **popen: Any) -> Iterator[subprocess.Popen[str]]:
        """Give `snakemake --profile slurm` with these arguments, begun; it doesn't outlive the block."""
        popen = {"env": self.cluster.prompt, **popen}
        with self.experiment.start("--profile", "slurm", *arguments, **popen) as process:
            try:
                yield process
            finally:
                process.kill()

    def run(self, *arguments: str, minutes: float = 10, **popen: Any) -> subprocess.CompletedProcess[str]:
        """Return how it has ended, and in `stdout` all that it said."""
        with self.started(*arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **popen) as process:
            said, _ = process.communicate(timeout=60 * minutes)
        return subprocess.CompletedProcess(process.args, process.returncode, said)

    def jobs(self, rule: str = "", wildcards: str = "") -> list[Job]:
        return self.cluster.jobs(self.experiment.folder, rule, wildcards)

    def hold(self, snakemake: subprocess.Popen[str], *outputs: Path) -> None:
        """Return when a job of this run is at work on each of the outputs; it stands still there until it is ended."""
        held: set[Path] = set()

        def at_work() -> bool:
            assert snakemake.poll() is None, f"Snakemake has ended with {snakemake.returncode}"
            for output in outputs:
                record = read_record(output)
                if record is not None and alive(record):
                    os.kill(record.pid, signal.SIGSTOP)
                    held.add(output)
            return held == set(outputs)

        self.cluster.wait(f"jobs to make {', '.join(output.name for output in outputs)}", at_work)
