"""Tables of sweeps made for tests: every number is as the arguments say."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from crossedit import tables
from crossedit.reports.grid import Grid
from crossedit.reports.scores import Scores
from crossedit.reports.sheets import Sheet
from crossedit.reports.sweeps import Sweeps
from crossedit.reports.tabled import Given, groups

TASKS = ("gsm8k", "rte", "natural-questions", "boolq", "mutual", "samsum", "conll03", "sst2")
SWEEPS = {
    "ROME": {"editor": "ROME", "setting": "instance-sequential", "batch_size": 1, "stops": [4, 16, 64]},
    "MEMIT-single": {"editor": "MEMIT", "setting": "batch-single", "batch_size": None, "stops": [4, 16, 64]},
    "MEMIT-10": {"editor": "MEMIT", "setting": "batch-sequential", "batch_size": 10, "stops": [1, 3, 6]},
}


def entry(sweeps: Sequence[str] = ("ROME",), **changed: Any) -> dict[str, Any]:
    """Return the part of a configuration that has the sweeps, on the backbone `small`."""
    shared = {"facts": "tiny", "language": "en", "backbones": ["small"], "tasks": list(TASKS)}
    return {
        "tasks": {task: {"protocols": ["corrected"]} for task in TASKS},
        "sweeps": {name: {**SWEEPS[name], **shared, **changed} for name in sweeps},
    }


def checkpoint(name: str, backbone: str, stop: int, described: Mapping[str, Any]) -> tuple[Any, ...]:
    size = described["batch_size"]
    return (name, backbone, described["editor"], described["setting"], size, stop, stop * (size or 1))


def task_scores(
    config: Mapping[str, Any],
    score: float = 0.8,
    fall: Sequence[float] = (0.0, 0.2, 0.4),
    margin: float = 0.1,
    constant: float | None = 0.5,
    protocol: str = "corrected",
    p: float | None = 0.001,
) -> pl.DataFrame:
    """Return TASK_SCORES whose unedited score is `score`, less `fall` at each stop; intervals reach `margin` away."""

    def rows() -> Iterator[tuple[Any, ...]]:
        for name, described in config["sweeps"].items():
            for backbone in described["backbones"]:
                for stop, less in zip((0, *described["stops"]), (0.0, *fall), strict=True):
                    place, now = checkpoint(name, backbone, stop, described), score - less
                    for task in described["tasks"]:
                        interval = (now, now - margin, now + margin, constant)
                        change = (0.0, 0.0, 0.0, 1.0) if stop == 0 else (-less, -less - margin, -less + margin, p)
                        yield (*place, task, protocol, "accuracy", "all", "all", *interval, *change, 40, 40, 40)

    return pl.DataFrame(list(rows()), schema=tables.TASK_SCORES.columns, orient="row")


def fact_scores(config: Mapping[str, Any], langs: Sequence[str] = ("en", "zh")) -> pl.DataFrame:
    """Return FACT_SCORES; the older a fact's edit, the less of it is left."""

    def rows() -> Iterator[tuple[Any, ...]]:
        for name, described in config["sweeps"].items():
            stops = described["stops"]
            for backbone in described["backbones"]:
                for number, stop in enumerate(stops):
                    place = (*checkpoint(name, backbone, stop, described), described["facts"], described["language"])
                    for edited_by in (0, *stops[: number + 1]):
                        age = number - stops.index(edited_by) if edited_by else number / 2
                        for place_of, aspect in enumerate(("reliability", "generality", "locality", "portability")):
                            for lang in langs if place_of else (described["language"],):
                                mean = 0.95 / (1 + 0.4 * age + 0.3 * place_of + 0.2 * (lang != described["language"]))
                                score = ("all", lang, "teacher_forced", "em", mean, mean - 0.05, mean + 0.05, 64)
                                yield (*place, edited_by, aspect, *score)

    return pl.DataFrame(list(rows()), schema=tables.FACT_SCORES.columns, orient="row")


def weight_changes(config: Mapping[str, Any], layers: Sequence[int] = (1, 2)) -> pl.DataFrame:
    """Return WEIGHT_CHANGES that grow with the number of edits."""
    rows = [
        (*checkpoint(name, backbone, stop, described), f"layers.{layer}.down", layer, 2.0, 0.01 * stop / (1 + layer))
        for name, described in config["sweeps"].items()
        for backbone in described["backbones"]
        for stop in described["stops"]
        for layer in layers
    ]
    return pl.DataFrame(rows, schema=tables.WEIGHT_CHANGES.columns, orient="row")


def results(folder: Path, config: Mapping[str, Any]) -> dict[str, list[str]]:
    """Write all three tables and return the files by the option of `crossedit reports page` that takes them."""
    made = {
        "--task-scores": (task_scores(config), tables.TASK_SCORES),
        "--fact-scores": (fact_scores(config), tables.FACT_SCORES),
        "--weight-changes": (weight_changes(config), tables.WEIGHT_CHANGES),
    }
    for name, (frame, table) in made.items():
        tables.write(frame, table, folder / f"{name}.parquet", {})
    return {name: [str(folder / f"{name}.parquet")] for name in made}


def sheets(found: Sweeps) -> list[Sheet]:
    """Return the tables of sweeps alone, whose facts were asked teacher-forced in two languages."""
    none = Scores.none()
    grid = Grid.of({"languages": ["en", "zh"], "protocols": ["teacher_forced"]}, none, found)
    return [sheet for group in groups({}, none, grid, found, Given()) for sheet in group.sheets]


def sweeps(config: Mapping[str, Any], **scores: Any) -> Sweeps:
    """Return the sweeps of a configuration with all three tables."""
    return Sweeps(config, task_scores(config, **scores), fact_scores(config), weight_changes(config))


def partial(missing: pl.Expr, **scores: object) -> Sweeps:
    """Return the sweep ROME without the task scores that `missing` names."""
    config = entry()
    return Sweeps(config, task_scores(config, **scores).filter(~missing), fact_scores(config), weight_changes(config))
