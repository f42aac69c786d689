"""How a task fares along a sweep: can it show harm at all, how far does it fall, and from how many edits on.

A task shows harm only where the unedited model is clearly above chance: where the lower end of its score's 95 %
interval lies above the score of always giving the most frequent right answer. Where no such answer exists (a summary, a
list of names), the score must clearly be above 0: the lower end above 5 %.

A fall is significant from the first stop on at which, and at every later one, the 95 % interval of the change against
the unedited model lies wholly below 0 and the p of its permutation test is below .05 after Holm's correction for all
tasks and stops of the sweep on this backbone, asked alike. Where there is no interval the test alone decides.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from crossedit.reports.plan import Planned
from crossedit.reports.sweeps import Change, Sweeps, TaskScore

ABOVE_NOTHING = 0.05  # what a score must clearly exceed where no constant answer gains anything


@dataclass(frozen=True)
class Course:
    """A task of one sweep and backbone: its score before editing and at each stop, None where it isn't known."""

    task: str
    before: TaskScore | None
    after: dict[int, TaskScore | None]  # by stop, ascending

    @property
    def shows_harm(self) -> bool | None:
        """Whether the unedited model is clearly above chance; None where that isn't known."""
        if self.before is None:
            return None
        score, constant = self.before.score, self.before.constant
        chance = ABOVE_NOTHING if constant is None else constant
        if not score.bounded and score.mean > chance:
            return None
        return score.low > chance

    @property
    def at_chance(self) -> bool:
        """Whether the task is known to be unable to show harm."""
        return self.shows_harm is False

    @property
    def changes(self) -> list[Change | None]:
        """The change at each stop."""
        return [score.change if score else None for score in self.after.values()]

    @property
    def complete(self) -> bool:
        """Whether the score before and the changes at all stops are known."""
        return self.before is not None and bool(self.after) and None not in self.changes

    @property
    def falls_from(self) -> int | None:
        """The stop from which on the fall is significant; None where there is none, or it isn't complete."""
        first = None
        for stop, change in reversed(list(zip(self.after, self.changes, strict=True))):
            if not self.complete or change is None or not change.falls:
                break
            first = stop
        return first


def course(sweeps: Sweeps, sweep: Planned, backbone: str, task: str, protocol: str) -> Course:
    """Return how the task fares on one backbone."""

    def at(stop: int) -> TaskScore | None:
        return sweeps.task(sweep.name, backbone, task, protocol, stop)

    return Course(task, at(0), {stop: at(stop) for stop in sweep.stops})


def courses(sweeps: Sweeps, sweep: Planned, backbone: str) -> Iterator[Course]:
    """Yield the courses of all tasks of the sweep, each under the first protocol that it is asked under."""
    said = set()
    for protocol, tasks in sweep.tasks.items():
        for task in tasks:
            if task not in said:
                yield course(sweeps, sweep, backbone, task, protocol)
        said |= set(tasks)
