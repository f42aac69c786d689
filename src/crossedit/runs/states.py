"""How a job stands: done, running, failed or missing.

survey = Survey(config, rules)          reads the records that lie beside outputs
survey.state(job)                       a Found: its state, and if it failed, why and what its log says
survey.beside(known)                    what is running or has failed of all other jobs

What tells is, in this order: a job that lives; the outputs; the record's last word; Slurm's log; the command's log. A
failure that was put right is forgotten, and an output that somebody has deleted is missing.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from crossedit.jobs import Queue, Record, alive
from crossedit.runs.logs import SlurmLogs, end_of, failed, plain, tail, written
from crossedit.runs.rules import Job, Rules
from crossedit.usage import records_below

State = Literal["done", "running", "failed", "missing"]
DIED = "killed or out of memory: it ended without a word"


@dataclass(frozen=True)
class Found:
    """How a job stands. reason, said, log: of one that failed, why, its log's last lines, and where to read more."""

    job: Job
    state: State
    record: Record | None = None
    reason: str = ""
    said: tuple[str, ...] = ()
    log: str | None = None


class Survey:
    """The records below a results folder, by the output that they lie beside; each job is looked at once."""

    def __init__(self, config: Mapping[str, Any], rules: Rules, slurm: SlurmLogs | None = None) -> None:
        self.rules = rules
        self._results: str = config["results"]
        self._slurm = slurm or SlurmLogs()
        self._queue = Queue()
        self._found: dict[str, Found] = {}
        # By the outputs' names as the rules have them, such as ./results/….
        below = Path(self._results)
        self.records = {
            f"{self._results}{output.removeprefix(str(below))}": record for output, record in records_below(below)
        }

    def state(self, job: Job) -> Found:
        """Return how the job stands."""
        if job.output not in self._found:
            self._found[job.output] = self._state(job)
        return self._found[job.output]

    def _state(self, job: Job) -> Found:
        record = self.records.get(job.output)
        if record is not None and alive(record, self._queue):
            return Found(job, "running", record)
        # A folder of many files is there already while they are being replaced.
        half = job.named and record is not None and record.state != "done"
        if not half and all(map(os.path.exists, job.outputs)):
            return Found(job, "done", record)
        if record is None or record.state == "done":
            return self._unrecorded(job, record) or Found(job, "missing", record)
        return self._failed(job, record)

    def beside(self, known: Iterable[str]) -> list[Found]:
        """Return what is running or has failed of jobs whose outputs are not among the known ones."""
        passed = set(known)
        jobs = {job.output: job for job in self._traced() if job.output not in passed}
        return [found for found in map(self.state, jobs.values()) if found.state in ("running", "failed")]

    def _traced(self) -> list[Job]:
        """Every job of this configuration that has left a record or a log."""
        logs = (f"{folder}/{name}" for folder, _, names in os.walk(f"{self._results}/logs") for name in sorted(names))
        traced = (
            *map(self.rules.making, self.records),
            *map(self.rules.logging, logs),
            *map(self.rules.in_slurm, self._slurm.folders),
        )
        return [job for job in traced if job is not None]

    def _failed(self, job: Job, record: Record) -> Found:
        slurm = self._slurm.of(job)
        if slurm is not None and slurm.written < record.begun:
            slurm = None  # of an earlier attempt
        log = record.log or job.log
        error = " ".join(plain(record.error or "").split())
        reason = (slurm.verdict if slurm else None) or error or DIED
        words = slurm.words if slurm else ()
        return Found(job, "failed", record, reason, (*tail(end_of(log)), *words), _from_here(log))

    def _unrecorded(self, job: Job, record: Record | None) -> Found | None:
        """Return the failure of a job whose command couldn't begin a record, as where the environment lacks it."""
        since = record.ended or record.begun if record else 0.0
        slurm = self._slurm.of(job)
        text = end_of(job.log) if written(job.log) > since else ""
        if slurm is not None and slurm.failed and slurm.written > since:
            reason = slurm.verdict or "it ended before its command began"
            return Found(job, "failed", record, reason, tail(text) or tail(slurm.text), str(slurm.path))
        if failed(text):
            return Found(job, "failed", record, "it ended before its command began", tail(text), job.log)
        return None


def _from_here(path: str) -> str:
    """Return the path relative to this folder where it lies below."""
    here = f"{Path.cwd()}/"
    return path.removeprefix(here)
