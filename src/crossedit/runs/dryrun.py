"""What Snakemake would run now, as it says itself.

for planned in dry_run(experiment, rules): …       planned.job, planned.gpu, planned.mem_mb, …

What it prints is read, in a process of its own. Its Python interface builds the same graph, but keeps the jobs that are
to run in private fields; and a profile, where what jobs get by default stands, is known to its command line alone.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from crossedit.errors import UserError
from crossedit.runs.experiment import Experiment
from crossedit.runs.rules import Job, Rules

_RULE = re.compile(r"\s*(?:local)?(?:rule|checkpoint) (\w+):")
_OWN = "crossedit: "  # what the Snakefile itself says to a mistake; see workflow/rules/common.smk
_FIELD = re.compile(r"\s*(output|resources): (.*)")


class Planned(NamedTuple):
    """A job that would run, and what it would ask for: GPUs, MiB of each and of the host, minutes."""

    job: Job
    gpu: int
    gpu_mem_mb: int
    mem_mb: int
    runtime: int


def snakemake(words: Sequence[str], quiet: bool = False) -> subprocess.CompletedProcess[str]:
    """Run a command of `Experiment.snakemake` by this environment's programs; `quiet`: keep what it says."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    command = [sys.executable, "-m", *words]
    return subprocess.run(command, env=environment, capture_output=quiet, text=True, check=False)


def dry_run(experiment: Experiment, rules: Rules, *arguments: str) -> list[Planned]:
    """Return the jobs that would run. Raises UserError, in its words or the Snakefile's, where it can't tell."""
    words = experiment.snakemake("--dry-run", "--nocolor", "--quiet", "host", "reason", *arguments)
    ended = snakemake(words, quiet=True)
    if ended.returncode != 0:
        said = [line for line in (ended.stderr or ended.stdout).splitlines() if line.strip()]
        for line in said:
            if line.startswith(_OWN):
                raise UserError(line.removeprefix(_OWN))
        raise UserError(f"snakemake --dry-run fails: {' '.join(said[-3:])}")
    return list(read(ended.stdout, rules))


def read(said: str, rules: Rules) -> Iterator[Planned]:
    """Yield the jobs that Snakemake's printed plan names, without its targets, which run nothing."""
    rule, output = "", ""
    for line in said.splitlines():
        if begun := _RULE.fullmatch(line):
            rule, output = begun[1], ""
        elif (field := _FIELD.fullmatch(line)) and rule:
            if field[1] == "output":
                output = field[2].split(", ")[0]
                continue
            if output:
                asked = dict(pair.partition("=")[::2] for pair in field[2].split(", "))
                yield _planned(rules.called(rule) or rules.making(output), output, asked)
            rule = ""


def _planned(job: Job | None, output: str, asked: dict[str, str]) -> Planned:
    if job is None:
        raise UserError(f"snakemake --dry-run: {output} is made by no rule that crossedit knows; see runs/rules.py.")
    numbers = {name: int(asked[name]) if asked.get(name, "").isdigit() else 0 for name in Planned._fields[1:]}
    return Planned(job, **numbers)
