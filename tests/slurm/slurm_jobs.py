"""What Slurm has recorded of jobs, of those too that have ended."""

import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Job:
    """One Slurm job, as Slurm recorded it.

    `rule` and `wildcards` are Snakemake's, from the job's comment; `memory` in MB, `minutes` the time limit; `starts`
    counts how often Slurm started it.
    """

    id: str
    state: str
    folder: Path
    partition: str
    rule: str
    wildcards: str
    node: str
    gpus: int
    gpu_model: str
    memory: int
    minutes: int
    starts: int


def jobs_in(said: str) -> list[Job]:
    """Return the jobs in what `scontrol --oneliner show job` says, by id."""
    found = [_job(line) for line in said.splitlines() if line.startswith("JobId=")]
    return sorted(found, key=lambda job: int(job.id))


def _job(line: str) -> Job:
    """Return a line of `scontrol show job`, fields KEY=value, as a job."""

    def field(key: str, default: str = "") -> str:
        found = re.search(rf"(?:^| ){re.escape(key)}=(\S*)", line)
        return found[1] if found else default

    comment = re.fullmatch(r"rule_(.+?)(?:_wildcards_(.*))?", field("Comment"))
    gpus = re.search(r"gpu:(?:(\w+):)?(\d+)", field("TresPerJob"))
    days, hours, minutes = re.fullmatch(r"(?:(\d+)-)?(\d+):(\d+):\d+", field("TimeLimit")).groups(default="0")
    return Job(
        id=field("JobId"),
        state=field("JobState"),
        folder=Path(field("WorkDir")),
        partition=field("Partition"),
        rule=comment[1] if comment else "",
        wildcards=(comment[2] if comment else "") or "",
        node=field("NodeList"),
        gpus=int(gpus[2]) if gpus else 0,
        gpu_model=(gpus[1] if gpus else "") or "",
        memory=_megabytes(field("MinMemoryNode", "0")),
        minutes=(int(days) * 24 + int(hours)) * 60 + int(minutes),
        starts=int(field("Restarts", "0")) + 1,
    )


def _megabytes(written: str) -> int:
    number, unit = re.fullmatch(r"([\d.]+)([MGT]?)", written).groups()
    return round(float(number) * {"": 1, "M": 1, "G": 1024, "T": 1024**2}[unit])
