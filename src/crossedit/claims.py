"""A job claims its output while it runs, so that no two write the same one.

with job(out):                          UserError where another job that is alive is writing `out`
    …
@commands.command(cls=Job)              a command that does so for its `--out`
"""

import getpass
import os
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import psutil

from crossedit.errors import UserError
from crossedit.files import leftovers, part_of, remove, whole, writing
from crossedit.gpu import Meter
from crossedit.jobs import SECONDS_BETWEEN_BEATS, Record, alive, cancel, load_record, record_of, write_record


@contextmanager
def job(out: Path, *others: Path) -> Iterator[None]:
    """Claim `out` and keep the record of the job that the block is; `others` are what else it writes.

    Raises UserError, with what to cancel, where another job that is alive is writing the same output; or where one
    of them can't be written, rather than when the work is done. What earlier ones left unfinished is removed.
    """
    mine = Record(
        state="running",
        output=str(out),
        command=("crossedit", *sys.argv[1:]),
        host=socket.gethostname(),
        pid=os.getpid(),
        slurm=os.environ.get("SLURM_JOB_ID"),
        user=getpass.getuser(),
        begun=psutil.Process().create_time(),
        log=_log(),
    )
    _claim(mine)
    for path in (out, *others, record_of(out)):
        for left in leftovers(path):
            with suppress(FileNotFoundError):  # of a job that was refused, and has removed it itself
                remove(left)
    meter, ended = Meter(), threading.Event()
    beats = threading.Thread(target=_watch, args=(mine, meter, ended), daemon=True)
    beats.start()
    error: str | None = "it ended in the middle"
    try:
        with _terminable():
            for path in (out, *others):
                _try(path)
            yield
        error = None
    except BaseException as caught:
        error = _in_words(caught)
        raise
    finally:
        ended.set()
        beats.join()
        now = time.time()
        if _is_still(mine):
            with whole(record_of(out)) as temporary:
                write_record(
                    replace(
                        mine,
                        state="done" if error is None else "failed",
                        ended=now,
                        error=error,
                        memory_peak=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
                        gpu=meter.used(now - mine.begun),
                    ),
                    temporary,
                )


def _try(path: Path) -> None:
    """Raise UserError where the output can't be written."""
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        part_of(path).touch()
        part_of(path).unlink()


def _claim(mine: Record) -> None:
    """Put the record in its place, for which of several jobs only one can do. UserError where another holds it."""
    path = record_of(mine.output)
    new = part_of(path)
    with writing(path, mine.output):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_record(mine, new)
    try:
        while True:
            try:
                os.link(new, path)
                return
            except FileNotFoundError:  # another has got in since, and has taken it for something left over
                write_record(mine, new)
            except FileExistsError:
                other = load_record(path)
                if other is not None and alive(other):
                    raise UserError(
                        f"{mine.output}: {other.holder} on {other.host} has been writing it since {other.since}; "
                        f"wait for it, or end it with `{cancel(other)}`, then run this again."
                    ) from None
                _put_away(path, other)
    finally:
        new.unlink(missing_ok=True)


def _put_away(path: Path, other: Record | None) -> None:
    """Remove the record of a job that has ended; leave one there that somebody has claimed the place with since."""
    away = part_of(path.with_stem(f"{path.stem}.away"))
    try:
        os.rename(path, away)
    except FileNotFoundError:  # another was quicker
        return
    taken = load_record(away)
    if taken is not None and taken != other and alive(taken) and not path.exists():
        with suppress(FileExistsError, FileNotFoundError):  # another was quicker
            os.link(away, path)
    away.unlink(missing_ok=True)


def _is_still(mine: Record) -> bool:
    """Return whether the record in its place is this job's own: nobody has thought it dead and taken over."""
    found = load_record(record_of(mine.output))
    return found is not None and (found.host, found.pid, found.begun) == (mine.host, mine.pid, mine.begun)


def _in_words(error: BaseException) -> str:
    match error:
        case UserError() | Terminated():
            return str(error)
        case KeyboardInterrupt():
            return "it was interrupted (SIGINT)"
        case _:
            return f"{type(error).__name__}: {error}"


class Job(click.Command):
    """A command that a rule calls: it holds what its options `outputs` name; the record is the first one's.

    Whether an output is a file or a folder is said by its option's type, and seen to before the work.
    """

    def __init__(self, *args: Any, outputs: Sequence[str] = ("out",), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.outputs = outputs

    def invoke(self, ctx: click.Context) -> Any:
        with job(*(Path(ctx.params[name]) for name in self.outputs)):
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


def _watch(mine: Record, meter: Meter, ended: threading.Event) -> None:
    """Move the record's time on every few seconds, and sample the GPU every second, until the job has ended."""
    beat = time.monotonic()
    while not ended.wait(1.0):
        meter.sample()
        if time.monotonic() - beat >= SECONDS_BETWEEN_BEATS:
            beat = time.monotonic()
            if _is_still(mine):
                with suppress(OSError):  # a file system that is away for a moment ends no job
                    os.utime(record_of(mine.output))


def _log() -> str | None:
    """Return the file that standard error goes to, by which the rule's log is found; None for a terminal or a pipe."""
    try:
        path = Path(f"/proc/self/fd/{sys.stderr.fileno()}").resolve()
    except OSError:  # standard error is no file of the system's, as where a test catches it
        return None
    return str(path) if path.is_file() else None
