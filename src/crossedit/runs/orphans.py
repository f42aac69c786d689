"""Jobs of an earlier run that still live: a run that would make the same files waits for the user's word.

    refuse("results", (Made("predict", ("demo", "demo-bi", …), ("results/edits/…",)), …))

A Snakemake that is killed leaves its jobs behind, those that run and, on a cluster, those that wait in the queue.
"""

import shlex
import subprocess
import sys
from collections.abc import Iterable, Iterator
from itertools import permutations, takewhile
from pathlib import Path
from typing import NamedTuple

import yaml

from crossedit.files import read_yaml
from crossedit.jobs import Queue, alive, cancel, read_record
from crossedit.runs.experiment import DEFAULT

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


def refuse(results: str, wanted: Iterable[Made]) -> None:
    """Exit with code 2 where a job still lives that makes what is wanted, after a word about what to cancel.

    results: the folder of this experiment's results.
    """
    found = list(dict.fromkeys(orphans(results, wanted)))
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


def orphans(results: str, wanted: Iterable[Made]) -> Iterator[Orphan]:
    """Yield the living jobs that make what is wanted: those that hold an output, and those that Slurm has of them."""
    queue = Queue()
    here = str(Path.cwd())
    queued = {
        job.comment: (number, job)
        for number, job in (queue.jobs or {}).items()
        if job.folder == here and job.state != "COMPLETING"
    }
    for made in wanted:
        # Of a job that makes a folder, Snakemake may know the files alone; its record lies beside the folder.
        folders = dict.fromkeys(folder for output in made.outputs if (folder := Path(output).parent).name)
        records = map(read_record, [*map(Path, made.outputs), *folders])
        held = [record for record in records if record is not None and alive(record, queue)]
        for record in held:
            yield Orphan(f"{record.holder} on {record.host}, since {record.since}: {record.output}", cancel(record))
        number, job = next((queued[comment] for comment in _comments(made) if comment in queued), ("", None))
        # Another experiment of this folder may have a job of the same name.
        if job is not None and not held and _results_of(number) in (results, None):
            yield Orphan(f"Slurm job {number}, {job.state.lower()}: {made.outputs[0]}", f"scancel {number}")


def _comments(made: Made) -> Iterator[str]:
    """Yield what Snakemake's Slurm plugin may write as the comment of such a job.

    A rule's wildcards stand in the order of one of its outputs; of which one is not the same in every process.
    """
    if not made.wildcards:
        yield f"rule_{made.rule}"
    orders = permutations(made.wildcards) if len(made.outputs) > 1 else [made.wildcards]
    for values in orders:
        yield f"rule_{made.rule}_wildcards_{'_'.join(values).replace('/', '_')}"


def _results_of(number: str) -> str | None:
    """Return the results folder of the experiment that a Slurm job is of; None where it can't be told."""
    command = ["scontrol", "write", "batch_script", number, "-"]
    try:
        script = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
        words = shlex.split(script, comments=True)
        raw: dict[str, object] = {}
        for file in _values(words, "--configfiles") or [DEFAULT]:
            raw.update(read_yaml(Path(file)))
    except (subprocess.SubprocessError, OSError, ValueError, TypeError, yaml.YAMLError):
        return None
    said = dict(pair.partition("=")[::2] for pair in _values(words, "--config"))
    return said.get("results", str(raw.get("results", "results")))


def _values(words: list[str], option: str) -> list[str]:
    """Return what stands between an option and the next one."""
    if option not in words:
        return []
    return list(takewhile(lambda word: not word.startswith("-"), words[words.index(option) + 1 :]))
