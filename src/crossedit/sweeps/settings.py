"""What the config says of tasks and sweeps: its checks, and the grid that follows.

    check_tasks(config), check_sweeps(config)     raise UserError for the first mistake; sweeps get their defaults
    for sweep in sweeps(config): …                sweeps x backbones
    extent(entry, stop)                           facts per edit, and number of edits, at a stop
    asked(config, sweep)                          tasks, each with a protocol, that are asked at each of its stops

Nothing here imports a model library, so that `snakemake -n` stays quick.
"""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from crossedit import UNEDITED
from crossedit.errors import UserError, nearest
from crossedit.files import check_files, listed

FOLDER = Path("resources/tasks")
SINGLE = "batch-single"
SEQUENTIAL = "batch-sequential"
# Sweeps add up changes of weights, which these methods don't make.
NO_WEIGHTS = frozenset({"IKE", "ICE", "SERAC", "GRACE"})
# These write one fact at a time.
ONE_AT_A_TIME = frozenset({"KN", "ROME", "R-ROME"})


class Sweep(NamedTuple):
    """A sweep on one backbone, by the names in the config."""

    sweep: str
    backbone: str


def sweeps(config: Mapping[str, Any]) -> Iterator[Sweep]:
    """Yield the sweeps of a checked config, each with each of its backbones."""
    for name, entry in config["sweeps"].items():
        for backbone in entry["backbones"]:
            yield Sweep(name, backbone)


def asked(config: Mapping[str, Any], sweep: Sweep) -> list[tuple[str, str]]:
    """Return the tasks that are asked at each stop of a sweep, each with a protocol.

    The unedited backbone is asked those of all its sweeps, which share its answers. Tasks stand in an order of their
    own, so that another one in the configuration makes nothing anew.
    """
    entries = [
        entry
        for name, entry in config["sweeps"].items()
        if sweep.sweep in (name, UNEDITED) and sweep.backbone in entry["backbones"]
    ]
    tasks = [task for task in sorted(config["tasks"]) if any(task in entry["tasks"] for entry in entries)]
    return [(task, protocol) for task in tasks for protocol in config["tasks"][task]["protocols"]]


def extent(entry: Mapping[str, Any], stop: int) -> tuple[int, int]:
    """Return how many facts each edit has, and how many edits there are, at a stop of a sweep."""
    return (stop, 1) if entry["setting"] == SINGLE else (entry["batch_size"], stop)


def earlier(entry: Mapping[str, Any], stop: int) -> int | None:
    """Return the stop from which the edits go on to this one; None where they begin with the unedited model."""
    before = [other for other in entry["stops"] if other < stop]
    return None if entry["setting"] == SINGLE or not before else max(before)


def added(entry: Mapping[str, Any], stop: int) -> int:
    """Return how many facts are edited between the stop that this one goes on from and this one."""
    batch_size, edits = extent(entry, stop)
    return batch_size * (edits - (earlier(entry, stop) or 0))


def check_tasks(config: Mapping[str, Any]) -> None:
    """Raise UserError for a task that isn't there, or whose files aren't."""
    known = sorted(path.stem for path in FOLDER.glob("*.yaml"))
    for name, entry in config["tasks"].items():
        if name not in known:
            raise UserError(f"config: tasks.{name}: there is no such task; {nearest(name, known)}")
        for field in ("files", "train"):
            check_files(f"config: tasks.{name}.{field}", entry.get(field, []))
    for name, entry in config["backbones"].items():
        if entry.get("recipe", {}).get("tasks") and not any("train" in task for task in config["tasks"].values()):
            raise UserError(
                f"config: backbones.{name}.recipe.tasks: no task has items to train on; give one `train` in `tasks`."
            )


def check_sweeps(config: Mapping[str, Any]) -> None:
    """Give the sweeps their defaults. Raises UserError for one that can't be run."""
    for name, entry in config["sweeps"].items():
        where = f"config: sweeps.{name}"
        if name in (UNEDITED, "tasks"):
            raise UserError(f"{where}: the name is taken by a folder beside the sweeps'; choose another.")
        defaults = {
            "facts": next(iter(config["facts"])),
            "language": config["languages"][0],
            "backbones": list(config["backbones"]),
            "tasks": list(config["tasks"]),
            "seed": config["seed"],
        }
        for field, value in defaults.items():
            entry.setdefault(field, value)
        known = {"editor": "editors", "facts": "facts", "backbones": "backbones", "tasks": "tasks"}
        for field, plural in known.items():
            for value in listed(entry[field]):
                if value not in config[plural]:
                    raise UserError(f"{where}.{field}: '{value}' is unknown; {nearest(value, config[plural])}")
        if entry["language"] not in config["languages"]:
            hint = nearest(entry["language"], config["languages"])
            raise UserError(f"{where}.language: '{entry['language']}' is not among `languages`; {hint}")
        if any(one >= other for one, other in pairwise(entry["stops"])):
            raise UserError(f"{where}.stops: {entry['stops']} must rise.")
        _check_editor(where, entry, config["editors"][entry["editor"]])
        _check_size(where, entry, config["facts"][entry["facts"]])


def _check_editor(where: str, entry: dict[str, Any], editor: Mapping[str, Any]) -> None:
    method = editor["method"]
    if method in NO_WEIGHTS:
        raise UserError(
            f"{where}.editor: {method} makes no change of weights, which is what sweeps add up; choose another editor."
        )
    if editor["engine"] != "crossedit":
        raise UserError(f"{where}.editor: sweeps run on crossedit's own editors; leave out the editor's `engine`.")
    if entry["setting"] == "instance-sequential":
        if entry.setdefault("batch_size", 1) != 1:
            raise UserError(f"{where}.batch_size: instance-sequential edits one fact at a time; leave the field away.")
        return
    if method in ONE_AT_A_TIME:
        raise UserError(f"{where}.setting: {method} writes one fact at a time; write instance-sequential.")
    if entry["setting"] == SINGLE and "batch_size" in entry:
        raise UserError(f"{where}.batch_size: the stops of batch-single are its batch sizes; leave the field away.")
    if entry["setting"] == SEQUENTIAL and "batch_size" not in entry:
        raise UserError(f"{where}: batch-sequential needs a `batch_size`, the number of facts per edit.")


def _check_size(where: str, entry: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
    name = entry["facts"]
    batch_size, edits = extent(entry, entry["stops"][-1])
    drawn = facts.get("splits", {}).get("test")
    if isinstance(drawn, int) and drawn < batch_size * edits:
        raise UserError(
            f"{where}.stops: the last one needs {batch_size * edits} test facts, but facts.{name}.splits.test "
            f"draws {drawn}; raise that, or lower the stop."
        )
