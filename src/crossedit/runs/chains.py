"""What a configuration asks for, in the parts that a person thinks of, each with the jobs that make it.

    chains = Chains.of(config)
    chains.cells[cell]                         demo/demo-bi/ROME/en: the editor's training, the shards, the scores
    chains.stops[sweep][4]                     KN/demo-bi/4: the checkpoint, and what is asked of it
    chains.sweeps[sweep]                       KN/demo-bi: all its stops, and the tables over them
    chains.named("demo/demo-bi/ROME/en")       UserError, with the nearest name, where there is none

Where the outputs lie is in places.py, which rule makes them in rules.py.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from crossedit import UNEDITED, places
from crossedit import config as configuration
from crossedit.config import Cell
from crossedit.errors import UserError, nearest
from crossedit.runs.rules import Job, Rules
from crossedit.sweeps import settings
from crossedit.sweeps.settings import Sweep


@dataclass(frozen=True)
class Chain:
    """The jobs of a cell, of a sweep's stop or of a whole sweep, in steps of which each needs the one before.

    counted: the jobs that tell how far it has come.
    """

    name: str
    steps: tuple[tuple[Job, ...], ...]
    counted: tuple[Job, ...]

    @classmethod
    def of(cls, job: Job) -> "Chain":
        """Return the chain of a single job, named by its output."""
        return cls(job.output, ((job,),), (job,))

    @property
    def jobs(self) -> tuple[Job, ...]:
        return tuple(job for step in self.steps for job in step)

    @property
    def wanted(self) -> tuple[Job, ...]:
        """The jobs whose outputs the experiment keeps: an editor is trained for its edits only."""
        return tuple(job for job in self.jobs if job.rule != "train_editor")

    @property
    def roots(self) -> tuple[Job, ...]:
        """The jobs that, run again, have all others run again."""
        return self.steps[0]

    @property
    def ends(self) -> tuple[Job, ...]:
        """The jobs for whose sake the others run."""
        return self.steps[-1]


@dataclass(frozen=True)
class Chains:
    """All that a configuration asks for, by its names there."""

    rules: Rules
    cells: dict[Cell, Chain]
    stops: dict[Sweep, dict[int, Chain]]  # with what is asked of the unedited backbones, as stop 0 of UNEDITED
    sweeps: dict[Sweep, Chain]

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> "Chains":
        rules = Rules(config)
        stops = _stops(config, rules)
        return cls(rules, _cells(config, rules), stops, _sweeps(config, rules, stops))

    @property
    def all(self) -> dict[str, Chain]:
        """Every chain by its name."""
        stops = [chain for members in self.stops.values() for chain in members.values()]
        return {chain.name: chain for chain in (*self.cells.values(), *stops, *self.sweeps.values())}

    def named(self, name: str) -> Chain:
        """Return the chain of this name, or that of the job which makes an output of this path."""
        known = self.all
        if name in known:
            return known[name]
        # Paths as they are completed by a shell, or copied from elsewhere.
        job = self.rules.making(os.path.relpath(name))
        if job is None:
            near = nearest(name, known)
            hint = near if near.startswith("did") else "`crossedit status` shows their names."
            raise UserError(f"'{name}' is no cell, no sweep and no output of this configuration; {hint}")
        return Chain.of(job)


def _cells(config: Mapping[str, Any], rules: Rules) -> dict[Cell, Chain]:
    @cache
    def trained(editor: str, backbone: str) -> bool:
        return configuration.is_trained(configuration.hparams(config, editor, backbone))

    found = {}
    for cell in configuration.cells(config):
        folder = places.cell_folder(config, cell)
        training = _making(rules, [f"{folder}/trained"] if trained(cell.editor, cell.backbone) else [])
        shards = _making(rules, places.predictions(config, cell))
        scores = _making(rules, [f"{folder}/scores.parquet"])
        found[cell] = Chain("/".join(cell), tuple(filter(None, (training, shards, scores))), shards)
    return found


def _stops(config: Mapping[str, Any], rules: Rules) -> dict[Sweep, dict[int, Chain]]:
    jobs: dict[Sweep, dict[int, dict[str, Job]]] = {}
    for sweep in settings.sweeps(config):
        edited = [*places.checkpoints(config, sweep), *places.edited_facts(config, sweep)]
        for job in _making(rules, [*edited, *places.verdicts(config, sweep)]):
            owner = Sweep(job.wildcards["sweep"], job.wildcards["backbone"])
            # Several sweeps share what is asked of the unedited backbone.
            jobs.setdefault(owner, {}).setdefault(int(job.wildcards["stop"]), {})[job.output] = job
    return {
        sweep: {stop: _stop(sweep, stop, tuple(made.values())) for stop, made in sorted(stops.items())}
        for sweep, stops in sorted(jobs.items(), key=lambda item: item[0].sweep != UNEDITED)
    }


def _stop(sweep: Sweep, stop: int, jobs: tuple[Job, ...]) -> Chain:
    edits = tuple(job for job in jobs if job.rule == "edit_on")
    asked = tuple(job for job in jobs if job.rule != "edit_on")
    return Chain(f"{sweep.sweep}/{sweep.backbone}/{stop}", tuple(filter(None, (edits, asked))), jobs)


def _sweeps(config: Mapping[str, Any], rules: Rules, stops: Mapping[Sweep, Mapping[int, Chain]]) -> dict[Sweep, Chain]:
    found = {}
    for sweep in settings.sweeps(config):
        scores = _making(rules, [f"{places.sweep_folder(config, sweep)}/tasks.parquet"])
        steps = zip(*(chain.steps for chain in stops[sweep].values()), strict=True)
        together = tuple(tuple(job for step in same for job in step) for same in steps)
        found[sweep] = Chain(f"{sweep.sweep}/{sweep.backbone}", (*together, scores), scores)
    return found


def _making(rules: Rules, outputs: Iterable[str]) -> tuple[Job, ...]:
    jobs = [rules.making(output) for output in outputs]
    if None in jobs:
        raise AssertionError(f"no rule in runs/rules.py makes one of {outputs}")
    return tuple(job for job in jobs if job is not None)
