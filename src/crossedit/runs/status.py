"""How far an experiment has come.

status = Status.of(experiment)
status.cells, status.stops, status.sweeps     a Standing each: done, running, failed or missing, and how much of it
status.running, status.failed                 the jobs behind them, and those that several of them share
status.used                                   what the recorded jobs took of hosts and GPUs
"""

from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

from crossedit.config import Cell
from crossedit.runs.chains import Chain, Chains
from crossedit.runs.experiment import Experiment
from crossedit.runs.rerun import command
from crossedit.runs.states import Found, State, Survey
from crossedit.sweeps.settings import Sweep
from crossedit.usage import Used

STATES: tuple[State, ...] = ("done", "running", "failed", "missing")


class Standing(NamedTuple):
    """How a chain stands. done, of: how many of its counted jobs are done."""

    chain: Chain
    state: State
    done: int
    of: int

    @property
    def progress(self) -> str:
        """How much of it is done, such as 2/4; nothing where that says no more than the state."""
        return f"{self.done}/{self.of}" if self.of > 1 and self.state != "done" and self.done else ""


class Running(NamedTuple):
    """A job that runs, with the name of the chain that it belongs to."""

    name: str
    found: Found


class Failure(NamedTuple):
    """The jobs of a chain that have failed, and the command that runs it again."""

    name: str
    jobs: tuple[Found, ...]
    command: list[str]


@dataclass(frozen=True)
class Status:
    """The whole of an experiment, cells and sweeps in the configuration's order."""

    experiment: Experiment
    cells: dict[Cell, Standing]
    stops: dict[Sweep, dict[int, Standing]]  # what is asked of unedited backbones is stop 0 of a sweep of that name
    sweeps: dict[Sweep, Standing]  # the tables over the stops
    running: list[Running]
    failed: list[Failure]
    used: Used
    survey: Survey  # of which it is made

    @classmethod
    def of(cls, experiment: Experiment) -> "Status":
        """Return the status; what is running is asked of Slurm once."""
        chains = Chains.of(experiment.config)
        survey = Survey(experiment.config, chains.rules)
        cells = {cell: _standing(chain, survey) for cell, chain in chains.cells.items()}
        stops = {
            sweep: {stop: _standing(chain, survey) for stop, chain in members.items()}
            for sweep, members in chains.stops.items()
        }
        # A sweep as a whole has its stops' jobs too; here it stands for what is its own.
        tables = {sweep: Chain(chain.name, (chain.ends,), chain.ends) for sweep, chain in chains.sweeps.items()}
        sweeps = {sweep: _standing(chain, survey) for sweep, chain in tables.items()}
        standings = [*cells.values(), *(one for many in stops.values() for one in many.values()), *sweeps.values()]
        known = {job.output for standing in standings for job in standing.chain.jobs}
        parts = [Chain.of(found.job) for found in survey.beside(known)]
        parts += [standing.chain for standing in standings if standing.state != "done"]
        return cls(
            experiment,
            cells,
            stops,
            sweeps,
            [
                Running(chain.name, found)
                for chain in parts
                for found in map(survey.state, chain.jobs)
                if found.state == "running"
            ],
            [
                Failure(chain.name, failed, command(experiment, chain, survey))
                for chain in parts
                if (failed := tuple(found for found in map(survey.state, chain.jobs) if found.state == "failed"))
            ],
            Used.over(survey.records.values()),
            survey,
        )

    @property
    def is_done(self) -> bool:
        """Whether every cell and sweep is done."""
        return all(standing.state == "done" for standing in (*self.cells.values(), *self.sweeps.values()))

    def counts(self) -> dict[str, dict[State, int]]:
        """Return how many cells, stops and sweeps (their tables) stand how, without what there is none of."""
        edited = (one for sweep in self.sweeps for one in self.stops[sweep].values())
        groups = {"cells": self.cells.values(), "stops": edited, "sweeps": self.sweeps.values()}
        counted = {what: Counter(standing.state for standing in group) for what, group in groups.items()}
        return {what: {state: found[state] for state in STATES} for what, found in counted.items() if found}


def _standing(chain: Chain, survey: Survey) -> Standing:
    states = {survey.state(job).state for job in chain.jobs}
    lacking = {survey.state(job).state for job in chain.wanted} - {"done"}
    state: State = next((state for state in ("failed", "running") if state in states), "missing") if lacking else "done"
    done = sum(survey.state(job).state == "done" for job in chain.counted)
    return Standing(chain, state, done, len(chain.counted))
