"""How a page and what it shows were made: what was run, packages, devices, seeds."""

from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NamedTuple

import polars as pl

from crossedit import UNEDITED
from crossedit.reports.grid import Grid
from crossedit.reports.naming import union
from crossedit.reports.plan import Planned
from crossedit.reports.scores import Scores
from crossedit.reports.sweeps import Sweeps

_MAKING = ("backbone", "facts", "seed", "device", "torch", "packages")
_PACKAGES = ("crossedit", "torch", "transformers", "polars", "snakemake", "matplotlib")


class Run(NamedTuple):
    """What has scores, in the grid's order: names, and numbers of cells and facts."""

    backbones: tuple[str, ...]
    editors: tuple[str, ...]
    edit_langs: tuple[str, ...]
    langs: tuple[str, ...]  # evaluation languages
    sweeps: tuple[str, ...]  # their titles
    cells: int  # without the unedited backbones
    facts: tuple[int, int]  # that a cell has, at least and at most


def run(scores: Scores, grid: Grid, sweeps: Sweeps) -> Run:
    """Return what was run of a grid and of sweeps."""
    cells = scores.frame.select("facts", "backbone", "editor", "edit_lang").unique()
    edited = cells.filter(pl.col("editor") != UNEDITED)
    sizes = scores.frame.join(edited, on=edited.columns, how="semi").group_by(edited.columns).agg(pl.col("n").max())
    there = {name: set(edited[name]) for name in edited.columns}
    swept = [sweep for sweep in sweeps.all if any(_is_known(sweeps, sweep, name) for name in sweep.backbones)]
    return Run(
        backbones=union(
            (name for name in grid.backbones if name in set(cells["backbone"])),
            (name for sweep in swept for name in sweep.backbones if _is_known(sweeps, sweep, name)),
        ),
        editors=tuple(name for name in grid.editors if name in there["editor"]),
        edit_langs=union(
            (lang for lang in grid.edit_langs if lang in there["edit_lang"]),
            (sweep.language for sweep in swept if sweep.language),
        ),
        langs=tuple(lang for lang in grid.langs if lang in {*scores.frame["lang"], *sweeps.langs}),
        sweeps=tuple(sweep.title for sweep in swept),
        cells=len(edited),
        facts=(min(sizes["n"], default=0), max(sizes["n"], default=0)),
    )


def _is_known(sweeps: Sweeps, sweep: Planned, backbone: str) -> bool:
    """Return whether anything is known of a sweep on a backbone."""
    asked = ((task, protocol) for protocol, tasks in sweep.tasks.items() for task in tasks)
    return bool(sweeps.weights(sweep.name, backbone)) or any(
        sweeps.task(sweep.name, backbone, *each, stop) for each in asked for stop in (0, *sweep.stops)
    )


def packages() -> dict[str, str]:
    """Return the versions of the packages that say most, of those that are installed."""
    return {name: found for name in _PACKAGES if (found := _installed(name))}


def made(notes: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return what cells say of their making, of the notes on their predictions, once where it is the same."""
    found: list[dict[str, Any]] = []
    for note in notes:
        kept = {key: value for key, value in note.items() if key in _MAKING}
        if kept not in found:
            found.append(kept)
    return found


def _installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
