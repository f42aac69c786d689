"""What sweeps did, in sentences: which tasks fall and from when on, which can't show harm, how the edits fare.

Tasks whose scores aren't all there yet are named as such, so that nothing is said too early.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from crossedit.reports.courses import Course, courses
from crossedit.reports.findings import Finding, listed, share
from crossedit.reports.naming import ability
from crossedit.reports.plan import Planned
from crossedit.reports.sweeps import Sweeps


@dataclass(frozen=True)
class Sorted:
    """The tasks of one sweep and backbone by what can be said of them."""

    fallen: tuple[Course, ...]  # in the order of their fall
    steady: tuple[Course, ...]
    at_chance: tuple[Course, ...]
    open: tuple[Course, ...]  # not all is known yet


def sort(sweeps: Sweeps, sweep: Planned, backbone: str) -> Sorted:
    """Return the tasks, each under the first protocol that it is asked under."""
    found = list(courses(sweeps, sweep, backbone))
    able = [task for task in found if task.complete and not task.at_chance]
    fallen = [(task.falls_from, task) for task in able if task.falls_from is not None]
    return Sorted(
        fallen=tuple(task for _, task in sorted(fallen, key=lambda pair: pair[0])),
        steady=tuple(task for task in able if task.falls_from is None),
        at_chance=tuple(task for task in found if task.at_chance),
        open=tuple(task for task in found if not task.complete and not task.at_chance),
    )


def findings(sweeps: Sweeps, sweep: Planned, backbone: str, protocol: str) -> list[Finding]:
    """Return the findings on one backbone; `protocol` is that of the edited facts."""
    tasks = sort(sweeps, sweep, backbone)
    found = [
        ("No significant fall", _names(tasks.steady), "."),
        ("Can't show harm", _names(tasks.at_chance), ", not clearly above chance before any edit."),
        ("Not known yet", _names(tasks.open), "."),
    ]
    falls = [f"From {stop} on: {listed([_fall(task) for task in fallen])}." for stop, fallen in _falls(sweep, tasks)]
    said = [Finding("Falls", " ".join(falls))] if falls else []
    said += [Finding(about, f"{listed(names)}{end}") for about, names, end in found if names]
    held = _held(sweeps, sweep, backbone, protocol)
    return [*said, Finding("Edits that hold", held)] if held else said


def lines(sweeps: Sweeps) -> Iterator[str]:
    """Yield a line for each sweep and backbone."""
    for sweep in sweeps.all:
        for backbone in sweep.backbones if sweep.tasks else ():
            tasks = sort(sweeps, sweep, backbone)
            able = len(tasks.fallen) + len(tasks.steady)
            told = "; ".join(f"from {stop} on: {listed(_names(fallen))}" for stop, fallen in _falls(sweep, tasks))
            parts = [
                f"{len(tasks.fallen)} of {able} tasks fall significantly{f' ({told})' if told else ''}",
                f"{len(tasks.at_chance)} can't show harm" if tasks.at_chance else "",
                f"{len(tasks.open)} not known yet" if tasks.open else "",
            ]
            yield f"{sweep.title} on {backbone}: {'; '.join(filter(None, parts))}."


def _falls(sweep: Planned, tasks: Sorted) -> Iterator[tuple[str, list[Course]]]:
    """Yield stops in words with the tasks that fall from there on."""
    for stop, fallen in groupby(tasks.fallen, lambda task: task.falls_from):
        if stop is not None:
            yield sweep.counted(stop), list(fallen)


def _fall(task: Course) -> str:
    """Return the task with its score before any edit and at the last stop."""
    scores = [score.score for score in (task.before, *list(task.after.values())[-1:]) if score]
    return f"{ability(task.task)} ({' to '.join(map(share, scores))})"


def _held(sweeps: Sweeps, sweep: Planned, backbone: str, protocol: str) -> str:
    """Return the reliability of all facts edited so far at the first and the last stop that it is known of."""
    found = [
        (stop, sweeps.fact(sweep.name, backbone, stop, "reliability", sweep.language, protocol)) for stop in sweep.stops
    ]
    known = [(stop, estimate) for stop, estimate in found if estimate]
    ends = [known[0], known[-1]] if len(known) > 1 else known
    told = [f"{share(estimate)} after {sweep.counted(stop)}" for stop, estimate in ends]
    return f"{listed(told)}." if told else ""


def _names(tasks: Sequence[Course]) -> list[str]:
    return [ability(task.task) for task in tasks]
