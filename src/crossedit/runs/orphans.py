"""Jobs of an earlier run that still live: a run that would make the same files waits for the user's word.

    refuse(Made("predict", ("demo", "demo-bi", …), ("results/edits/…",)) for …)

A Snakemake that is killed leaves its jobs behind, those that run and, on a cluster, those that wait in the queue.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from crossedit.jobs import alive, cancel, read_record

SHOWN = 10  # jobs that are told one by one


class Made(NamedTuple):
    """What a run is going to make: a rule, the values of its wildcards, its outputs."""

    rule: str
    wildcards: tuple[str, ...]
    outputs: tuple[str, ...]


class Orphan(NamedTuple):
    """A job that still lives: what it is and makes, and the command that ends it."""

    what: str
    cancel: str


def refuse(wanted: Iterable[Made]) -> None:
    """Exit with code 2 where a job still lives that makes what is wanted, after a word about what to cancel."""
    found = list(dict.fromkeys(orphans(wanted)))
    if not found:
        return
    commands: dict[str, list[str]] = {}
    for orphan in found:
        program, *ids = orphan.cancel.rsplit(" ", 1)
        commands.setdefault(program, []).extend(ids)
    ends = "`, `".join(" ".join([program, *dict.fromkeys(ids)]) for program, ids in commands.items())
    lines = [orphan.what for orphan in found[:SHOWN]]
    if len(found) > SHOWN:
        lines.append(f"and {len(found) - SHOWN} more")
    said = "\n".join(f"  {line}" for line in lines)
    print(
        f"crossedit: jobs of an earlier run still live, and this run would write the same files:\n{said}\n"
        f"End them with `{ends}`, or wait until they have ended; then run the same command again.",
        file=sys.stderr,
    )
    raise SystemExit(2)


def orphans(wanted: Iterable[Made]) -> Iterator[Orphan]:
    """Yield the living jobs that make what is wanted: those that hold an output, and those that Slurm has of them."""
    queued = dict(_queued(Path.cwd()))
    for made in wanted:
        for output in made.outputs:
            record = read_record(output)
            if record is not None and alive(record):
                named = f"Slurm job {record.slurm}" if record.slurm else f"process {record.pid}"
                yield Orphan(f"{named} on {record.host}, since {record.since}: {output}", cancel(record))
                queued.pop(_comment(made), None)
        if (waiting := queued.get(_comment(made))) is not None:
            number, state = waiting
            yield Orphan(f"Slurm job {number}, {state.lower()}: {made.outputs[0]}", f"scancel {number}")


def _comment(made: Made) -> str:
    """Return what Snakemake's Slurm plugin writes as the comment of such a job."""
    values = "_".join(made.wildcards).replace("/", "_")
    return f"rule_{made.rule}_wildcards_{values}" if values else f"rule_{made.rule}"


def _queued(folder: Path) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield (comment, (number, state)) of this user's Slurm jobs that came from the folder and haven't ended."""
    if shutil.which("squeue") is None:
        return
    said = subprocess.run(
        ["squeue", "--noheader", "--me", "--format", "%i|%T|%Z|%k"], capture_output=True, text=True, check=False
    )
    for line in said.stdout.splitlines():
        number, state, submitted, comment = line.split("|", 3)
        if submitted == str(folder) and state != "COMPLETING":
            yield comment, (number, state)
