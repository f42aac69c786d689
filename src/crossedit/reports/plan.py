"""What a report shows of side effects: the sweeps of a configuration, and the names of their tables and figures.

sweeps = planned(config)            in the configuration's order; empty where it has none
side_effects(sweep, protocol), …    names of files without suffix
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crossedit.errors import UserError
from crossedit.reports.naming import TASK_PROTOCOLS, TASKS
from crossedit.sweeps.settings import SEQUENTIAL, SINGLE

CORRECTED = {  # the tables of what people did to translations
    "corrections": "corrections",
    "agreement": "agreement on corrections",
    "likeness": "the machine's texts against the corrected ones",
    "changes": "typical changes",
}


@dataclass(frozen=True)
class Planned:
    """One sweep: what edits the backbones more and more, and where they are looked at."""

    name: str
    editor: str
    setting: str  # instance-sequential, batch-single or batch-sequential
    batch_size: int | None  # facts per edit; None where it is what is swept
    stops: tuple[int, ...]  # ascending, without 0, the unedited model
    language: str  # of the edits
    backbones: tuple[str, ...]
    tasks: Mapping[str, tuple[str, ...]]  # by the protocol that they are asked under

    @property
    def protocols(self) -> tuple[str, ...]:
        """The protocols of its tasks, the one to read first."""
        return tuple(self.tasks)

    @property
    def title(self) -> str:
        """The sweep's name with what it doesn't say of the editor."""
        editor = "" if self.editor in self.name else self.editor
        batch = f"{self.batch_size} facts per edit" if self.setting == SEQUENTIAL else ""
        told = ", ".join(filter(None, [editor, batch]))
        return f"{self.name} ({told})" if told else self.name

    def tests(self, protocol: str) -> int:
        """Return how many tests there are on a backbone: each task is compared with the unedited model at each stop."""
        return len(self.tasks.get(protocol, ())) * len(self.stops)

    def counted(self, stop: int) -> str:
        """Return the stop in words, such as `1 edit` or `10 facts in one edit`."""
        many = "" if stop == 1 else "s"
        if self.setting == SINGLE:
            return f"{stop} fact{many} in one edit"
        if self.setting == SEQUENTIAL and self.batch_size:
            return f"{stop} edit{many} of {self.batch_size} facts"
        return f"{stop} edit{many}"


def planned(entry: Mapping[str, Any]) -> tuple[Planned, ...]:
    """Return the sweeps of a configuration, which needn't be checked: what it leaves out, the tables tell.

    Raises UserError for a sweep without editor, setting or stops.
    """
    tasks = entry.get("tasks") or {}
    return tuple(_planned(name, described, tasks) for name, described in (entry.get("sweeps") or {}).items())


def _planned(name: str, described: Mapping[str, Any], tasks: Mapping[str, Any]) -> Planned:
    for field in ("editor", "setting", "stops"):
        if field not in described:
            raise UserError(f"--entry: sweeps.{name}: `{field}` is missing; add it.")
    asked = [
        (protocol, task)
        for task in described.get("tasks", tasks)
        for protocol in (tasks.get(task) or {}).get("protocols", ())
    ]
    return Planned(
        name=name,
        editor=described["editor"],
        setting=described["setting"],
        batch_size=described.get("batch_size"),
        stops=tuple(described["stops"]),
        language=described.get("language", ""),
        backbones=tuple(described.get("backbones", ())),
        tasks=by_protocol(asked),
    )


def by_protocol(asked: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """Return the tasks by their protocol, both in the order of the report, from pairs of protocol and task."""
    pairs = list(asked)
    return {
        protocol: _in_order((task for other, task in pairs if other == protocol), TASKS)
        for protocol in _in_order((protocol for protocol, _ in pairs), TASK_PROTOCOLS)
    }


def by_setting(sweeps: Sequence[Planned]) -> Iterator[tuple[str, tuple[Planned, ...]]]:
    """Yield each setting with its sweeps."""
    for setting in dict.fromkeys(sweep.setting for sweep in sweeps):
        yield setting, tuple(sweep for sweep in sweeps if sweep.setting == setting)


def protocols(sweeps: Iterable[Planned]) -> tuple[str, ...]:
    """Return the protocols of tasks that any of the sweeps has."""
    return _in_order({protocol for sweep in sweeps for protocol in sweep.protocols}, TASK_PROTOCOLS)


def _in_order(names: Iterable[str], known: Iterable[str]) -> tuple[str, ...]:
    """Return the names, each once: those that are known first and in that order, the rest as they come."""
    found = dict.fromkeys(names)
    ordered = [name for name in known if name in found]
    return tuple(dict.fromkeys([*ordered, *found]))


def side_effects(owner: str, protocol: str) -> str:
    """Return the name of a sweep's table, or of a setting's figure, of task scores."""
    return f"side_effects_{owner}_{protocol}"


def answers(sweep: str, protocol: str) -> str:
    """Return the name of a sweep's table of how many items were answered."""
    return f"answers_{sweep}_{protocol}"


def edited_facts(owner: str) -> str:
    """Return the name of a sweep's table, or of a setting's figure, of what became of the edits themselves."""
    return f"edited_facts_{owner}"


def forgetting(setting: str) -> str:
    """Return the name of the figure of edits by when they were made."""
    return f"forgetting_{setting}"


def weights(setting: str) -> str:
    """Return the name of the figure of weights' changes."""
    return f"weights_{setting}"
