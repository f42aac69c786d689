"""A run that is killed again and again, at moments all over it, ends as if nothing had happened."""

import os
import random
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest
import small

from crossedit.backbones.backbone import Backbone
from crossedit.jobs import SUFFIX, Record, alive, load_record

pytestmark = pytest.mark.slow

CORES = 2
RUN = ("--cores", str(CORES), "--rerun-incomplete", "--quiet", "all")
# All processes at once, as where a machine dies; the same while some file is being written; Snakemake alone, whose jobs
# live on.
ALL, WRITING, ALONE = "all", "all, writing", "Snakemake alone"
KINDS = [ALL] * 12 + [WRITING] * 4 + [ALONE] * 4
SEED = 0
SECONDS_TO_END = 300

Begins = dict[str, float]  # when the last job began that makes this output, in seconds since 1970


class Kill(NamedTuple):
    """A kill of this kind, so many seconds after so many jobs were done."""

    kind: str
    done: int
    later: float


@pytest.fixture
def killed(tmp_path: Path, llama: Backbone) -> Iterator[small.Experiment]:
    """An experiment of which nothing runs on in the end."""
    experiment = small.make(tmp_path / "killed", llama)
    yield experiment
    for job in at_work(experiment):
        job.kill()


def test_twenty_kills_change_no_table(
    tmp_path: Path, llama: Backbone, killed: small.Experiment, capsys: pytest.CaptureFixture[str]
) -> None:
    undisturbed = small.make(tmp_path / "undisturbed", llama)
    begun = time.time()
    ended = undisturbed.run(*RUN)
    assert ended.returncode == 0, ended.stdout
    kills = drawn(undisturbed, begun)
    lines = [f"undisturbed: {len(records(undisturbed))} jobs in {time.time() - begun:.0f} s"]

    begins: list[Begins] = []  # up to each kill, and to the end
    refusals = 0
    begun = time.time()
    for number, kill in enumerate(kills, start=1):
        left = unfinished(killed)
        made = run_until(kill, killed, tmp_path / f"{number}.log")
        left = unfinished(killed) - left
        unlocked = killed.run("--unlock", "--cores", "1")
        assert unlocked.returncode == 0, unlocked.stdout
        if kill.kind == ALONE:
            refusals += 1
            is_refused(killed, wait=refusals % 2 == 0)
        begins.append(latest(killed))
        told = ", ".join(output.removeprefix("results/") for output in made) or "nothing"
        told += f"; unfinished: {len(left)}" if left else ""
        lines.append(f"{number:2}. {kill.kind}, {kill.later:.1f} s after {kill.done} jobs; made: {told}")
    ended = killed.run(*RUN)
    assert ended.returncode == 0, ended.stdout
    begins.append(latest(killed))

    again = begun_again(begins)
    lines[1:] = [f"{line}; begun again: {count}" for line, count in zip(lines[1:], again, strict=True)]
    lines.append(f"{len(kills)} kills: {sum(again)} jobs begun again, {time.time() - begun:.0f} s")
    with capsys.disabled():
        print("", *lines, sep="\n")
    assert small.differing(killed.tables(), undisturbed.tables()) == []
    # Nothing is missing, and nothing unfinished is left.
    assert set(killed.everything()) == set(undisturbed.everything())
    assert {job.state for job in records(killed).values()} == {"done"}
    assert max(again) <= CORES  # no more than what was at work


def drawn(undisturbed: small.Experiment, begun: float) -> list[Kill]:
    """Return kills at moments drawn from the time that an undisturbed run took, in their order.

    None is later than the last job's begin, so that no run is over before it is killed.
    """
    ends = [begun, *sorted(job.ended or 0.0 for job in records(undisturbed).values())]
    draw = random.Random(SEED)
    kinds = draw.sample(KINDS, len(KINDS))
    moments = sorted(draw.uniform(begun, ends[-2]) for _ in kinds)
    before = [sum(end <= moment for end in ends) - 1 for moment in moments]
    return [Kill(*one, moment - ends[one[1]]) for *one, moment in zip(kinds, before, moments, strict=True)]


def run_until(kill: Kill, experiment: small.Experiment, log: Path) -> list[str]:
    """Run the experiment, kill it, and return what was being made; jobs that outlive Snakemake are halted."""
    before = latest(experiment)
    with (
        log.open("w", encoding="utf-8") as said,
        experiment.start(*RUN, stdout=said, stderr=subprocess.STDOUT, start_new_session=True) as process,
    ):
        try:
            wait_for(kill, experiment, process)
        finally:
            if kill.kind == ALONE:
                process.kill()
            else:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
    made = records(experiment).values()
    return [job.output for job in made if job.state == "running" and job.begun != before.get(job.output)]


def wait_for(kill: Kill, experiment: small.Experiment, process: subprocess.Popen[str]) -> None:
    def until(reached: Callable[[], bool], pause: float = 0.02) -> None:
        while not reached():
            assert process.poll() is None, "the run was over before it was to be killed"
            time.sleep(pause)

    def done() -> int:
        return sum(job.state == "done" for job in records(experiment).values())

    def halted() -> bool:
        for job in at_work(experiment):
            with suppress(psutil.NoSuchProcess):
                job.suspend()
        # Not just any job that is at work by now: that one could end before the restart looks.
        return bool(stopped(experiment))

    until(lambda: done() >= kill.done)
    if kill.kind == ALL:
        moment = time.monotonic() + kill.later
        until(lambda: time.monotonic() >= moment or done() > kill.done)  # faster than undisturbed, it could be over
    elif kill.kind == ALONE:  # as if its jobs had long to go
        until(halted)
    else:  # a file is unfinished for so short a time that it may be missed
        left = unfinished(experiment)
        until(lambda: bool(unfinished(experiment) - left) or done() > kill.done + CORES, pause=0.0)
    assert process.poll() is None, "the run was over before it was to be killed"


def is_refused(experiment: small.Experiment, wait: bool) -> None:
    """Check that a restart is refused while jobs live on, and do what its word says: wait for them, or end them."""
    halted = stopped(experiment)
    refused = experiment.run(*RUN)
    assert refused.returncode != 0, refused.stdout
    assert "still live" in refused.stdout, refused.stdout
    [command] = re.findall(r"`(kill [\d ]+)`", refused.stdout)
    assert {str(job.pid) for job in halted} <= set(command.split()[1:])
    for job in halted:
        job.resume()
    if not wait:
        subprocess.run(shlex.split(command), check=True)
    end = time.monotonic() + SECONDS_TO_END
    while at_work(experiment):
        assert time.monotonic() < end, "jobs of a killed run don't end"
        time.sleep(0.05)


def at_work(experiment: small.Experiment) -> list[psutil.Process]:
    found = []
    for job in records(experiment).values():
        with suppress(psutil.NoSuchProcess):  # it may end just now
            found += [psutil.Process(job.pid)] if alive(job) else []
    return found


def stopped(experiment: small.Experiment) -> list[psutil.Process]:
    return [job for job in at_work(experiment) if job.status() == psutil.STATUS_STOPPED]


def records(experiment: small.Experiment) -> dict[str, Record]:
    """Return the record of every job that has ever begun, by its output."""
    found = [load_record(experiment.results / path) for path in experiment.everything() if path.name.endswith(SUFFIX)]
    return {record.output: record for record in found if record}


def latest(experiment: small.Experiment) -> Begins:
    return {output: record.begun for output, record in records(experiment).items()}


def begun_again(begins: Sequence[Begins]) -> list[int]:
    """Return for each kill how many of the jobs that had begun since the one before were begun again later."""
    counts = [0] * (len(begins) - 1)
    for output in begins[-1]:
        times = [None, *(begun.get(output) for begun in begins)]
        rounds = [number for number, (before, after) in enumerate(pairwise(times)) if after != before]
        for number in rounds[:-1]:
            counts[number] += 1
    return counts


def unfinished(experiment: small.Experiment) -> set[Path]:
    """Return what is being written or was, but for the records, whose own names begin with a dot."""
    return {path for path in experiment.everything() if ".part" in path.name and not path.name.startswith("..")}
