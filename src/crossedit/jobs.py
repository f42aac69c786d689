"""What a job says of itself beside its output: that it runs, how it ended, what it took.

    with job(out):                          claims `out`; UserError where another job that is alive is writing it
        …
    record = read_record(out)               None where no job has ever begun on it
    alive(record), cancel(record)           whether it still runs; the command that ends it

The record of `scores.parquet` is `.scores.parquet.job.json`. It is no output that Snakemake knows of: it is there too
when a job was killed, and tells who held the output then.
"""

import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import click
import psutil

from crossedit.errors import UserError
from crossedit.files import leftovers, remove, whole
from crossedit.gpu import Meter

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
    begun: float
    ended: float | None = None
    log: str | None = None  # the file that its standard error goes to
    error: str | None = None
    memory_peak: int | None = None  # of the host's memory
    gpu: dict[str, Any] | None = None  # see gpu.Meter.used
    beat: float = 0.0  # when the running job was last heard of

    @property
    def since(self) -> str:
        """When the job began, as date and time."""
        return datetime.fromtimestamp(self.begun).strftime("%Y-%m-%d %H:%M")


def record_of(out: Path | str) -> Path:
    """Return where the record of the job that makes `out` lies."""
    return Path(out).with_name(f".{Path(out).name}{SUFFIX}")


def read_record(out: Path | str) -> Record | None:
    """Return what the last job that began on `out` says of itself; None where there is no record."""
    return load_record(record_of(out))


def load_record(path: Path) -> Record | None:
    """Return the record in a file; None where there is none. Raises UserError for a file that is none."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        beat = path.stat().st_mtime
    except FileNotFoundError:
        return None
    except ValueError:
        said = None
    if not isinstance(said, dict) or not {"state", "output", "command", "pid"} <= said.keys():
        raise UserError(f"{path}: is no record of a job; delete the file.")
    known = {field.name for field in fields(Record)}
    kept = {name: value for name, value in said.items() if name in known}
    return Record(**{**kept, "command": tuple(said["command"]), "beat": beat})


def alive(record: Record) -> bool:
    """Return whether the job still runs: by its process here, by Slurm, or by when it was last heard of."""
    if record.state != "running":
        return False
    if record.host == socket.gethostname():
        return _runs(record.pid, record.begun)
    if record.slurm is not None and record.slurm == os.environ.get("SLURM_JOB_ID"):
        return False  # Slurm has started the same job anew, elsewhere
    known = _known_to_slurm(record.slurm) if record.slurm else None
    return time.time() - record.beat < _BEATS_MISSED * SECONDS_BETWEEN_BEATS if known is None else known


def cancel(record: Record) -> str:
    """Return the command that ends the job."""
    if record.slurm and record.slurm != os.environ.get("SLURM_JOB_ID"):
        return f"scancel {record.slurm}"
    here = record.host == socket.gethostname()
    return f"kill {record.pid}" if here else f"ssh {record.host} kill {record.pid}"


@contextmanager
def job(out: Path, *others: Path) -> Iterator[None]:
    """Claim `out` and keep the record of the job that the block is; `others` are what else it writes.

    Raises UserError, with what to cancel, where another job that is alive is writing the same output. What earlier ones
    left unfinished is removed.
    """
    other = read_record(out)
    if other is not None and alive(other) and other.pid != os.getpid():
        held = f"Slurm job {other.slurm}" if other.slurm else f"process {other.pid}"
        raise UserError(
            f"{out}: {held} on {other.host} has been writing it since {other.since}; wait for it, or end it with "
            f"`{cancel(other)}`, then run this again."
        )
    for path in (out, *others, record_of(out)):
        for left in leftovers(path):
            remove(left)
    mine = Record(
        state="running",
        output=str(out),
        command=("crossedit", *sys.argv[1:]),
        host=socket.gethostname(),
        pid=os.getpid(),
        slurm=os.environ.get("SLURM_JOB_ID"),
        begun=psutil.Process().create_time(),
        log=_log(),
    )
    _write(mine)
    meter, ended = Meter(), threading.Event()
    beats = threading.Thread(target=_watch, args=(record_of(out), meter, ended), daemon=True)
    beats.start()
    error: str | None = "it ended in the middle"
    try:
        with _terminable():
            yield
        error = None
    except BaseException as caught:
        error = _in_words(caught)
        raise
    finally:
        ended.set()
        beats.join()
        now = time.time()
        _write(
            replace(
                mine,
                state="done" if error is None else "failed",
                ended=now,
                error=error,
                memory_peak=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
                gpu=meter.used(now - mine.begun),
            )
        )


def _in_words(error: BaseException) -> str:
    match error:
        case UserError() | Terminated():
            return str(error)
        case KeyboardInterrupt():
            return "it was interrupted (SIGINT)"
        case _:
            return f"{type(error).__name__}: {error}"


class Job(click.Command):
    """A command that a rule calls: it holds what its options `outputs` name; the record is the first one's."""

    def __init__(self, *args: Any, outputs: Sequence[str] = ("out",), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.outputs = outputs

    def invoke(self, ctx: click.Context) -> Any:
        with job(*(Path(ctx.params[name]) for name in self.outputs)) if self.outputs else nullcontext():
            return super().invoke(ctx)


class Terminated(SystemExit):
    """The job was told to end."""

    def __str__(self) -> str:
        return "it was told to end (SIGTERM): cancelled, out of time, or preempted"


@contextmanager
def _terminable() -> Iterator[None]:
    """Within it SIGTERM is an exception, so that what is unfinished is removed and the record says how it ended."""

    def end(*_: Any) -> None:
        raise Terminated(128 + signal.SIGTERM)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _write(record: Record) -> None:
    said = asdict(record)
    del said["beat"]
    with whole(record_of(record.output)) as temporary:
        temporary.write_text(json.dumps(said, ensure_ascii=False, indent=1), encoding="utf-8")


def _watch(path: Path, meter: Meter, ended: threading.Event) -> None:
    """Move the record's time on every few seconds, and sample the GPU every second, until the job has ended."""
    beat = time.monotonic()
    while not ended.wait(1.0):
        meter.sample()
        if time.monotonic() - beat >= SECONDS_BETWEEN_BEATS:
            beat = time.monotonic()
            if path.exists():  # else somebody has cleared the results away
                os.utime(path)


def _runs(pid: int, begun: float) -> bool:
    """Return whether the process that began then runs here; another may have its number by now."""
    try:
        process = psutil.Process(pid)
        return abs(process.create_time() - begun) < 1.0 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _known_to_slurm(number: str) -> bool | None:
    """Return whether Slurm still has the job as running or about to; None where it can't be asked."""
    if shutil.which("squeue") is None:
        return None
    said = subprocess.run(
        ["squeue", "--noheader", "--jobs", number, "--format", "%T"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if said.returncode != 0 and "Invalid job id" not in said.stderr:
        return None
    return bool(said.stdout.strip())


def _log() -> str | None:
    """Return the file that standard error goes to, by which the rule's log is found; None for a terminal or a pipe."""
    try:
        path = Path(f"/proc/self/fd/{sys.stderr.fileno()}").resolve()
    except OSError:  # standard error is no file of the system's, as where a test catches it
        return None
    return str(path) if path.is_file() else None
