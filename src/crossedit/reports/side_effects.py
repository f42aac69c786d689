"""The tables of sweeps: how general abilities fare, and what becomes of the edited facts themselves."""

import math
from collections.abc import Iterator, Sequence

from crossedit.reports import plan
from crossedit.reports.comparisons import said_p
from crossedit.reports.courses import Course, course
from crossedit.reports.naming import ASPECTS, PROTOCOLS, TASK_PROTOCOLS, ability, language
from crossedit.reports.plan import Planned
from crossedit.reports.scores import DASH, Estimate, percent
from crossedit.reports.sheets import Cell, Column, Measured, Number, Numbers, Sheet, Shown, bounds, in_percent
from crossedit.reports.sweeps import Change, Sweeps, TaskScore
from crossedit.sweeps.settings import SEQUENTIAL, SINGLE

AT_CHANCE = "†"
NEVER = "never"
_STOPS = {
    "instance-sequential": "After edits",
    SEQUENTIAL: "After batch edits",
    SINGLE: "Facts in one edit",
}


def side_effects(sweeps: Sweeps, sweep: Planned, protocol: str) -> Sheet:
    """Return each task's score before editing and at each stop, and the drop at the last one."""
    rows = tuple(
        _row(backbone, course(sweeps, sweep, backbone, task, protocol))
        for backbone in sweep.backbones
        for task in sweep.tasks[protocol]
    )
    note = (
        f"{TASK_PROTOCOLS.get(protocol, '')} Scores in percent over all items; 'constant' is the score of always "
        "giving the most frequent right answer. The drop is that at the last stop, in points; it is "
        "significant from the first stop on from which every change against the unedited model has an interval below "
        f"0, if any, and a permutation test p < .05 after Holm's correction for {sweep.tests(protocol):,} tests: those "
        "of a backbone's tasks in this table at all stops."
    )
    if any(row[-1] == AT_CHANCE for row in rows):
        note += f" {AT_CHANCE} The unedited model is not clearly above chance, so the task can't show harm."
    return Sheet(
        name=plan.side_effects(sweep.name, protocol),
        title=f"Side effects of {sweep.title} on tasks, {protocol}",
        columns=(
            Column("Backbone"),
            Column("Task"),
            Column("Constant"),
            Column("Unedited"),
            *_at_stops(sweep),
            Column("Drop"),
            Column("Significant from"),
        ),
        rows=rows,
        labels=2,
        note=note.strip(),
    )


def _at_stops(sweep: Planned) -> Iterator[Column]:
    group = _STOPS.get(sweep.setting, "Stop")
    return (Column(str(stop), group) for stop in sweep.stops)


def _row(backbone: str, task: Course) -> tuple[Cell, ...]:
    constant = task.before.constant if task.before else None
    return (
        backbone,
        f"{ability(task.task)} {AT_CHANCE if task.at_chance else ''}".strip(),
        DASH if constant is None else Number(percent(constant), in_percent(constant)),
        _score(task.before),
        *map(_score, task.after.values()),
        _drop(task),
        _significant(task),
    )


def _score(score: TaskScore | None) -> Measured:
    told = _changed(score.change, score.score.n) if score and score.change else ""
    return Measured(("Score",), (score.score if score else None,), unit="items", beside=told)


def _changed(change: Change, n: int) -> str:
    interval = Estimate(change.mean, change.low, change.high, n).interval
    known = [f"change {percent(change.mean)}", f"95 % interval {interval}" if interval else "", said_p(change, "tests")]
    return ", ".join(filter(None, known))


def _drop(task: Course) -> Cell:
    last = next(reversed(task.after.values()), None)
    if last is None or last.change is None:
        return DASH
    change = last.change
    mean, ends = 0 - change.mean, bounds(0 - change.high, 0 - change.low)
    points = Shown(percent(mean), "", "Points", in_percent(mean), *ends, last.score.n)
    return Numbers((points,), said_p(change, "tests"), unit="items")


def _significant(task: Course) -> Cell:
    if task.at_chance:
        return AT_CHANCE
    if not task.complete:
        return DASH
    return NEVER if task.falls_from is None else Number(str(task.falls_from), task.falls_from)


def answers(sweeps: Sweeps, sweep: Planned, protocol: str) -> Sheet:
    """Return how many items of each task there are, what share of prompts was answered, and the score over those."""
    rows = []
    for backbone in sweep.backbones:
        for task in sweep.tasks[protocol]:
            found = [sweeps.task(sweep.name, backbone, task, protocol, stop) for stop in (0, *sweep.stops)]
            first = next(filter(None, found), None)
            counts = [Number.of(n) for n in (first.score.n, first.asked)] if first else [DASH, DASH]
            rows.append((backbone, ability(task), *counts, *map(_answered, found)))
    return Sheet(
        name=plan.answers(sweep.name, protocol),
        title=f"What was answered along {sweep.title}, {protocol}",
        columns=(
            Column("Backbone"),
            Column("Task"),
            Column("Items"),
            Column("Prompts"),
            Column("Unedited"),
            *_at_stops(sweep),
        ),
        rows=tuple(rows),
        labels=2,
        note=(
            "Share of prompts in whose generation an answer was found, right or wrong / score over these alone, both "
            "in percent. Every item has a verdict; those without an answer count as wrong in the other table."
        ),
    )


def _answered(score: TaskScore | None) -> Cell:
    if score is None:
        return DASH
    share = Estimate(score.answered / score.asked, math.nan, math.nan, score.asked) if score.asked else None
    parts = Measured(("Answered", "Score"), (share, score.over_answered)).shown
    # Uncoloured, as a share that is answered is no score.
    return Numbers(tuple(part._replace(tone="") for part in parts), unit="prompts or items")


def edited_facts(sweeps: Sweeps, sweep: Planned, langs: Sequence[str], protocol: str) -> Sheet:
    """Return what share of all facts edited so far is answered as it should be, at each stop."""

    def found(backbone: str, lang: str) -> list[Estimate | None]:
        return [
            sweeps.fact(sweep.name, backbone, stop, aspect, lang, protocol)
            for aspect in ASPECTS
            for stop in sweep.stops
        ]

    return Sheet(
        name=plan.edited_facts(sweep.name),
        title=f"The edited facts along {sweep.title}: EM",
        columns=(
            Column("Backbone"),
            Column("Asked in"),
            *(Column(str(stop), aspect.capitalize()) for aspect in ASPECTS for stop in sweep.stops),
        ),
        rows=tuple(
            (backbone, language(lang), *(Measured(("EM",), (part,)) for part in found(backbone, lang)))
            for backbone in sweep.backbones
            for lang in langs
        ),
        labels=2,
        note=(
            f"{PROTOCOLS.get(protocol, '')} Of all facts edited so far, in percent; the columns of an aspect are "
            f"{_columns(sweep)}."
        ).strip(),
    )


def _columns(sweep: Planned) -> str:
    edited = f", edited in {language(sweep.language)}" if sweep.language else ""
    if sweep.setting == SINGLE:
        return f"numbers of facts in one edit{edited}"
    batch = f" of {sweep.batch_size} facts each" if sweep.setting == SEQUENTIAL and sweep.batch_size else ""
    return f"numbers of edits{batch}{edited}"
