"""What a job says of itself beside its output: that it runs, how it ended, what it took.

    record = read_record(out)               None where no job has ever begun on it
    alive(record), cancel(record)           whether it still runs; the command that ends it
    Queue().jobs                            what Slurm has of this user's jobs

The record of `scores.parquet` is `.scores.parquet.job.json`; claims.py writes it. It is no output that Snakemake knows
of: it is there too when a job was killed, and tells who held the output then.
"""

import getpass
import json
import os
import shutil
import socket
import subprocess
import time
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple

import click
import psutil

SUFFIX = ".job.json"
SECONDS_BETWEEN_BEATS = 30.0
# A job elsewhere that can't be asked about counts as dead after so many beats that it has left out.
_BEATS_MISSED = 5


@dataclass(frozen=True)
class Record:
    """A job's own words. Times are seconds since 1970, memory is in bytes."""

    state: Literal["running", "done", "failed"]
    output: str
    command: tuple[str, ...]
    host: str
    pid: int
    slurm: str | None  # the Slurm job that it is
    begun: float  # when its process began
    user: str = ""
    ended: float | None = None
    log: str | None = None  # the file that its standard error goes to
    error: str | None = None
    memory_peak: int | None = None  # of the host's memory
    gpu: dict[str, Any] | None = None  # see gpu.Meter.used
    beat: float = 0.0  # when the running job was last heard of

    @property
    def holder(self) -> str:
        """The job as a user looks for it: by Slurm's number, else by that of its process."""
        return f"Slurm job {self.slurm}" if self.slurm else f"process {self.pid}"

    @property
    def since(self) -> str:
        """When the job began, as date and time."""
        return datetime.fromtimestamp(self.begun).strftime("%Y-%m-%d %H:%M")


_FIELDS = frozenset(field.name for field in fields(Record)) - {"beat"}
_GPU_FIELDS = {"name", "memory_peak", "seconds", "utilisation"}


class QueuedJob(NamedTuple):
    """A job that Slurm has: its state, the folder that it came from, and its comment."""

    state: str
    folder: str
    comment: str


def record_of(out: Path | str) -> Path:
    """Return where the record of the job that makes `out` lies."""
    return Path(out).with_name(f".{Path(out).name}{SUFFIX}")


def read_record(out: Path | str) -> Record | None:
    """Return what the last job that began on `out` says of itself; None where there is no record."""
    return load_record(record_of(out))


def load_record(path: Path) -> Record | None:
    """Return the record in a file; None where there is none, or none that can be read, which is said."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        known = {name: said[name] for name in _FIELDS if name in said}
        gpu = said.get("gpu")
        if gpu is not None and not gpu.keys() >= _GPU_FIELDS:
            raise ValueError("gpu")
        return Record(**{**known, "command": tuple(said["command"]), "beat": path.stat().st_mtime})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        click.echo(f"crossedit: {path}: is no readable record of a job ({error!r}); it is passed over.", err=True)
        return None


class Queue:
    """What Slurm has of this user's jobs; it is asked once."""

    @cached_property
    def jobs(self) -> dict[str, QueuedJob] | None:
        """The jobs that wait or run, by number; None where Slurm can't be asked."""
        if shutil.which("squeue") is None:
            return None
        command = ["squeue", "--noheader", "--me", "--format", "%i|%T|%Z|%k"]
        try:
            said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
        except (subprocess.SubprocessError, OSError):
            return None
        rows = (line.split("|", 3) for line in said.splitlines() if line.count("|") >= 3)
        return {number: QueuedJob(*rest) for number, *rest in rows}


def alive(record: Record, queue: Queue | None = None) -> bool:
    """Return whether the job still runs: by its process here, by Slurm, or by when it was last heard of."""
    if record.state != "running":
        return False
    heard = time.time() - record.beat < _BEATS_MISSED * SECONDS_BETWEEN_BEATS
    if record.host == socket.gethostname():
        begun = _begun(record.pid)
        # Another process may have the number by now; or the clock was set, and all seem to have begun at other times.
        return begun is not None and (abs(begun - record.begun) < 1.0 or heard)
    if record.slurm is not None and record.slurm == os.environ.get("SLURM_JOB_ID"):
        return False  # Slurm has started the same job anew, elsewhere
    if record.slurm is not None and record.user == getpass.getuser():
        jobs = (queue or Queue()).jobs
        if jobs is not None:
            return record.slurm in jobs
    return heard


def cancel(record: Record) -> str:
    """Return the command that ends the job."""
    if record.slurm and record.slurm != os.environ.get("SLURM_JOB_ID"):
        return f"scancel {record.slurm}"
    here = record.host == socket.gethostname()
    return f"kill {record.pid}" if here else f"ssh {record.host} kill {record.pid}"


def write_record(record: Record, path: Path) -> None:
    """Write the record to a file."""
    said = {name: value for name, value in asdict(record).items() if name != "beat"}
    path.write_text(json.dumps(said, ensure_ascii=False, indent=1), encoding="utf-8")


def _begun(pid: int) -> float | None:
    """Return when the process of this number began; None where there is none."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.NoSuchProcess:
        return None
