"""Records, logs and outputs of jobs as if they had run: what `crossedit status` has to tell apart.

experiment = stand(folder)            a configuration whose results lie in a folder of their own; nothing has run
make(job), record(job, "failed", …)   the job's outputs; what it says of itself
"""

import json
import os
import socket
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from crossedit.jobs import record_of
from crossedit.runs.chains import Chains
from crossedit.runs.experiment import Experiment
from crossedit.runs.rules import Job

ROOT = Path(__file__).parents[2]
CONFIG: dict[str, Any] = {
    "languages": ["en", "zh"],
    "facts": {
        "demo": {"files": "resources/demo/facts", "splits": {"train": 160, "validation": 20, "test": 64}},
    },
    "backbones": {
        "small": {"recipe": {"facts": "demo", "tasks": 0.2}, "hparams": "demo"},
        "gpt2-xl": {"path": "openai-community/gpt2-xl"},
    },
    "editors": {
        "ROME": {"method": "ROME", "batch_size": 16, "shards": 4},
        "MEMIT": {"method": "MEMIT"},
        "MEND": {"method": "MEND"},
        "IKE": {"method": "IKE"},
    },
    "exclude": [{"backbone": "gpt2-xl", "language": "zh"}],
    "tasks": {
        "rte": {"files": "resources/demo/tasks/test/rte.jsonl", "train": "resources/demo/tasks/train/rte.jsonl"},
        "sst2": {"files": "resources/demo/tasks/test/sst2.tsv"},
    },
    "sweeps": {"KN": {"editor": "ROME", "setting": "instance-sequential", "stops": [1, 4], "backbones": ["small"]}},
}


def stand(folder: Path, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> Experiment:
    """Change to a folder like the repository's root, and return the experiment that its config.yaml describes."""
    for name in ("Snakefile", "workflow", "resources", "envs"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "config.yaml").write_text(yaml.safe_dump({**CONFIG, **changes}, sort_keys=False), encoding="utf-8")
    monkeypatch.chdir(folder)
    return Experiment.of()


def chains(experiment: Experiment) -> Chains:
    return Chains.of(experiment.config)


def make(*jobs: Job) -> None:
    """Write what the jobs write."""
    for job in jobs:
        for output in job.outputs:
            write(output, "whole")


def write(path: str, text: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text, encoding="utf-8")


def record(job: Job, state: str, log: str | None = None, **changes: Any) -> None:
    """Write the record of a job, with the text of its log; it began an hour ago, and is no process of today's."""
    begun = psutil.time.time() - 3600
    said = {
        "state": state,
        "output": job.output,
        "command": ["crossedit"],
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "slurm": None,
        "begun": begun,
        "ended": None if state == "running" else begun + 1800,
        "log": None,
        "error": None,
        "memory_peak": 10**9,
        "gpu": None,
    }
    if log is not None:
        write(job.log, log)
        os.utime(job.log, (begun + 1800, begun + 1800))
        said["log"] = str(Path(job.log).resolve())
    record_of(job.output).parent.mkdir(parents=True, exist_ok=True)
    record_of(job.output).write_text(json.dumps({**said, **changes}), encoding="utf-8")
    os.utime(record_of(job.output), (begun + 1800, begun + 1800))


def lives() -> dict[str, Any]:
    """Return what a record says of a job that this process is."""
    return {"pid": os.getpid(), "begun": psutil.Process().create_time()}


def slurm_log(job: Job, number: str, text: str) -> None:
    """Write a log as the executor plugin keeps it of a job that failed."""
    write(f"logs/slurm/{job.slurm[0]}/{number}.log", f"rule {job.rule}:\n    output: {job.target}\n{text}")
