"""A task as data: what is asked and how it is judged, from `resources/tasks/<task>.yaml`.

    task = load_task("boolq")
    rules = task.protocol("corrected")        prompt, limit, stop rule, parser, metric

`corrected` is what should be read: the prompts of the paper's Table 2, parsers that look at the generation alone.
`upstream` asks and judges as the published scripts do, faults included.
"""

import string
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

from crossedit.errors import UserError, nearest
from crossedit.files import read_yaml
from crossedit.sweeps.tasks import metrics, parsers, upstream
from crossedit.sweeps.tasks.readers import READERS
from crossedit.sweeps.tasks.said import Metric, Parser

FOLDER = Path("resources/tasks")
CORRECTED = "corrected"
PARSERS = {**parsers.PARSERS, **upstream.PARSERS}
METRICS = {**metrics.METRICS, **upstream.METRICS}


@dataclass(frozen=True)
class Rules:
    """How a task's items are asked and judged under one protocol."""

    prompt: str  # a template over the item's fields, and `part`
    shorten: str  # the field that loses words at its beginning where the prompt is too long
    limit: int  # tokens to generate at most
    parser: str
    metric: str
    choices: tuple[str, ...] = ()  # what the parser chooses from
    stop: tuple[str, ...] = ()  # the answer ends before any of these
    parts: Mapping[str, str] = field(default_factory=dict)  # entity types: their name in the prompt -> in the tags

    @property
    def reading(self) -> Parser:
        return PARSERS[self.parser](self.choices)

    @property
    def judging(self) -> Metric:
        return METRICS[self.metric]

    @property
    def names(self) -> set[str]:
        """The fields that the prompt needs."""
        return {name for _, name, _, _ in string.Formatter().parse(self.prompt) if name is not None} - {"part"}


@dataclass(frozen=True)
class Task:
    """version: raised when a task's meaning changes. reader: which files it has."""

    name: str
    version: int
    reader: str
    protocols: Mapping[str, Rules]

    def protocol(self, name: str) -> Rules:
        """Return the rules of a protocol. Raises UserError for an unknown one."""
        if name not in self.protocols:
            raise UserError(f"protocol: task '{self.name}' has no '{name}'; {nearest(name, self.protocols)}")
        return self.protocols[name]


def load_task(name: str, folder: Path = FOLDER) -> Task:
    """Return a task. Raises UserError where it has no file, or the file says something impossible."""
    path = folder / f"{name}.yaml"
    try:
        document = read_yaml(path)
    except FileNotFoundError:
        known = nearest(name, [other.stem for other in folder.glob("*.yaml")])
        raise UserError(f"{path}: no such file, so there is no task '{name}'; {known}") from None
    except yaml.YAMLError as error:
        raise UserError(f"{path}: not YAML: {str(error).splitlines()[0]}.") from None
    where = str(path)
    given = _mapping(document, where)
    _known(given, ("version", "reader", "protocols"), where)
    _among(given["reader"], READERS, f"{where}: reader")
    if not isinstance(given["version"], int):
        raise UserError(f"{where}: version is {given['version']!r}; it must be a whole number.")
    protocols = {
        str(protocol): _rules(_mapping(rules, f"{where}: protocols.{protocol}"), f"{where}: protocols.{protocol}")
        for protocol, rules in _mapping(given["protocols"], f"{where}: protocols").items()
    }
    return Task(name, given["version"], given["reader"], protocols)


def _rules(given: Mapping[str, Any], where: str) -> Rules:
    _known(given, [item.name for item in fields(Rules)], where, optional=("choices", "stop", "parts"))
    for name in ("prompt", "shorten", "parser", "metric"):
        if not isinstance(given[name], str):
            raise UserError(f"{where}.{name} is {given[name]!r}; it must be text.")
    for name in ("choices", "stop"):
        values = given.get(name, [])
        # YAML reads yes, no, true and false without quotation marks as something else than words.
        if not isinstance(values, list) or not all(isinstance(value, str) and value for value in values):
            raise UserError(f"{where}.{name} is {values!r}; it must be a list of texts, in quotation marks.")
    if not isinstance(given["limit"], int) or isinstance(given["limit"], bool) or given["limit"] < 1:
        raise UserError(f"{where}.limit is {given['limit']!r}; it must be a number of tokens.")
    _among(given["parser"], PARSERS, f"{where}.parser")
    _among(given["metric"], METRICS, f"{where}.metric")
    parts = _mapping(given.get("parts", {}), f"{where}.parts")
    lists = {name: tuple(given.get(name, ())) for name in ("choices", "stop")}
    rules = Rules(**{**given, **lists, "parts": parts})
    if rules.prompt.count(f"{{{rules.shorten}}}") != 1:
        raise UserError(f"{where}.shorten: '{rules.shorten}' must stand once in the prompt, as {{{rules.shorten}}}.")
    return rules


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise UserError(f"{where}: is {value!r}; it must be a mapping of names.")
    return value


def _known(given: Mapping[str, Any], names: Any, where: str, optional: tuple[str, ...] = ()) -> None:
    for name in given:
        if name not in names:
            raise UserError(f"{where}.{name}: no such field; {nearest(str(name), names)}")
    for name in names:
        if name not in given and name not in optional:
            raise UserError(f"{where}: lacks `{name}`; write it.")


def _among(name: Any, known: Mapping[str, Any], where: str) -> None:
    if name not in known:
        raise UserError(f"{where}: '{name}' is not known; {nearest(str(name), known)}")
