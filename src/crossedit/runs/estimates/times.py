"""How long jobs are expected to take.

times = Times(config, rules)
times.of(job)          Expected(seconds=92.0, measured=True): by earlier runs, else by the model's size
"""

import csv
from collections.abc import Iterator, Mapping
from glob import iglob
from typing import Any, NamedTuple

from crossedit.runs.estimates.durations import expected_seconds, subject
from crossedit.runs.rules import Job, Rules

# What of a job's wildcards decides how long it takes, roughly; languages and shards don't.
_DECIDING = ("facts", "backbone", "editor", "sweep", "stop", "task")


class Expected(NamedTuple):
    """Seconds that a job is expected to take, and whether some that are like it were measured."""

    seconds: float
    measured: bool


class Times:
    """The benchmarks of a results folder, by what they are of."""

    def __init__(self, config: Mapping[str, Any], rules: Rules) -> None:
        self._config = config
        self._same: dict[tuple[str, ...], list[float]] = {}
        self._alike: dict[tuple[str, ...], list[float]] = {}
        for path in sorted(iglob(f"{config['results']}/benchmarks/**/*.tsv", recursive=True)):
            job = rules.measured(path)
            if job is None:
                continue
            for seconds in _measured(path):
                self._same.setdefault(_same(job), []).append(seconds)
                self._alike.setdefault(_alike(job), []).append(seconds * _shards(job))

    def of(self, job: Job) -> Expected:
        """Return how long it took before; else the mean of jobs that differ in language or shard; else an estimate."""
        for known, share in ((self._same.get(_same(job)), 1), (self._alike.get(_alike(job)), _shards(job))):
            if known:
                return Expected(sum(known) / len(known) / share, True)
        of = subject(self._config, job.rule, job.wildcards)
        return Expected(expected_seconds(self._config, job.rule, of), False)


def _same(job: Job) -> tuple[str, ...]:
    return (job.rule, *job.wildcards.values())


def _alike(job: Job) -> tuple[str, ...]:
    return (job.rule, *(job.wildcards[name] for name in _DECIDING if name in job.wildcards))


def _shards(job: Job) -> int:
    return int(job.wildcards.get("shards", 1))


def _measured(path: str) -> Iterator[float]:
    """Yield the seconds in a benchmark of Snakemake's; none where it couldn't measure any."""
    with open(path, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            try:
                yield float(row["s"])
            except (KeyError, TypeError, ValueError):
                continue
