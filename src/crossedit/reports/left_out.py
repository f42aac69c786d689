"""What is there of an experiment and doesn't count: outputs whose job has failed, and scores of other answers.

    check = Check(config)
    check.cell(standing.chain)           a Fault, or None where its numbers count
    told(experiment, name, fault)        it in words, with the command that makes it right

Failed is a job whose record says so, or that was killed: an output that is there all the same is of an earlier run.
Scores of cells and of unedited backbones must be of the very answers beside them, by the digests that they keep, and
tables of sweeps of the very stops, as far as these are still there.
"""

import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from crossedit import places, tables
from crossedit.files import digest
from crossedit.runs.chains import Chain
from crossedit.runs.experiment import Experiment
from crossedit.runs.rules import Job, Rules
from crossedit.runs.states import DIED, Found, State, Survey
from crossedit.runs.words import part
from crossedit.sweeps.manifest import MANIFEST
from crossedit.sweeps.settings import Sweep


class Fault(NamedTuple):
    """Why outputs don't count: how they stand therefore, in words, and the jobs that must run again."""

    state: State
    reason: str
    jobs: tuple[Job, ...]
    ends: tuple[Job, ...]  # for whose sake they do


class LeftOut(NamedTuple):
    """What the page says of outputs that don't count."""

    name: str
    reason: str
    command: str


class Check:
    """The jobs of a configuration, by what their records and outputs say."""

    def __init__(self, config: Mapping[str, Any], survey: Survey | None = None) -> None:
        self.config = config
        self._survey = survey or Survey(config, Rules(config))
        self.rules = self._survey.rules

    def is_done(self, job: Job) -> bool:
        """Return whether all outputs of a job are there, whatever its record says."""
        return self._survey.state(job).state == "done"

    def jobs(self, jobs: Iterable[Job], ends: tuple[Job, ...]) -> Fault | None:
        """Return the fault of jobs of which one or more have failed."""
        failed = [found for found in map(self._survey.state, jobs) if _has_failed(found)]
        if not failed:
            return None
        return Fault("failed", "; ".join(map(_why, failed)), tuple(found.job for found in failed), ends)

    def cell(self, chain: Chain) -> Fault | None:
        """Return the fault of a cell that is there."""
        predictions = [Path(path) for job in chain.jobs if job.rule == "predict" for path in job.outputs]
        return self.jobs(chain.jobs, chain.ends) or _stale(chain.ends, "predictions", predictions)

    def unedited(self, asked: Job, scored: Job) -> Fault | None:
        """Return the fault of an unedited backbone's scores that are there."""
        return self.jobs((asked, scored), (scored,)) or _stale((scored,), "unedited", [Path(asked.outputs[-1])])

    def sweep(self, sweep: Sweep, chain: Chain) -> Fault | None:
        """Return the fault of a sweep's tables that are there."""
        folders = places.checkpoints(self.config, sweep)
        asked = [*places.edited_facts(self.config, sweep), *places.verdicts(self.config, sweep)]
        stops = [job for output in (*folders, *asked) if (job := self.rules.making(output))]
        if fault := self.jobs((*stops, *chain.ends), chain.ends):
            return fault
        if any(self._survey.state(job).state == "running" for job in stops):
            return Fault("missing", "a job of its stops is running", (), chain.ends)
        made_of = [*(Path(folder, MANIFEST) for folder in folders), *map(Path, asked)]
        now = [digest(path) if path.exists() else None for path in made_of]
        for path in (Path(path) for job in chain.ends for path in job.outputs):
            then = tables.provenance(path).get("stops", [])
            if len(then) != len(now) or any(found not in (kept, None) for found, kept in zip(now, then, strict=True)):
                return Fault("missing", "its tables are of other stops than those beside them", chain.ends, chain.ends)
        return None


def told(experiment: Experiment, name: str, fault: Fault) -> LeftOut:
    """Return a fault in words, with the command that makes it right; none where a job is about to."""
    if not fault.jobs:
        return LeftOut(name, fault.reason, "")
    again = experiment.snakemake("--forcerun", *(job.target for job in fault.jobs), "--")
    return LeftOut(name, fault.reason, shlex.join([*again, *(job.target for job in fault.ends)]))


def _stale(ends: tuple[Job, ...], kept: str, answers: list[Path]) -> Fault | None:
    """Return the fault of scores that say they are of other answers than those that are there."""
    now = digest(*answers)
    if all(tables.provenance(Path(path)).get(kept) == now for job in ends for path in job.outputs):
        return None
    return Fault("missing", "its scores are of other answers than those beside them", ends, ends)


def _has_failed(found: Found) -> bool:
    record = found.record
    return found.state == "failed" or (found.state == "done" and record is not None and record.state != "done")


def _why(found: Found) -> str:
    error = found.record.error if found.record else None
    said = found.reason or " ".join((error or "").split()) or DIED
    return f"{part(found)} has failed: {said}"
