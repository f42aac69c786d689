"""What the report of a whole configuration holds: its tables and figures, by the names of their files.

    tables(config), figures(config)      in the order of the report; for the rules, which must know them before any job
    of_sweeps(sweeps, asked)             of these, the tables of sweeps
    of_settings(sweeps, asked)           and their figures

Nothing here imports more than the configuration does, so that planning stays quick.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from crossedit.config import cells
from crossedit.reports import plan, published, training_scale
from crossedit.reports.naming import language
from crossedit.reports.plan import Planned
from crossedit.sweeps.settings import SINGLE

Config = Mapping[str, Any]


class Content(NamedTuple):
    """A table or figure: the name of its files without suffix, and what a list of them says of it."""

    name: str
    shows: str
    of: str
    asked: str = ""  # the protocol
    kind: str = ""  # of what it shows, where there are several

    @property
    def labels(self) -> dict[str, str]:
        """The columns of Snakemake's list of files."""
        kind = {"kind": self.kind} if self.kind else {}
        return {**kind, "of": self.of, "asked": self.asked.replace("_", "-") or "–"}


def tables(config: Config) -> Iterator[Content]:
    """Yield the tables of a checked configuration."""
    protocols = config["protocols"]
    for facts in config["facts"]:
        yield Content(f"table_1_{facts}", "Facts", facts)
    for facts in _edited(config):
        for protocol in protocols:
            yield Content(f"table_2_{facts}_{protocol}", "Edits", facts, protocol)
            yield Content(f"locality_{facts}_{protocol}", "Locality by kind", facts, protocol)
        if training_scale.sizes(_used_editors(config, facts)):
            for protocol in protocols:
                yield Content(f"training_scale_{facts}_{protocol}", "Training scale", facts, protocol)
        asked = config["reports"]["protocol"]
        yield Content(f"editors_{facts}", "Comparisons", facts, asked, "editors")
        if _crosses(config, facts):
            yield Content(f"languages_{facts}", "Comparisons", facts, asked, "languages")
        for protocol in protocols:
            yield Content(f"errors_{facts}_{protocol}", "Typical failures", facts, protocol)
    for facts in published.compared(config):
        yield Content(f"published_{facts}", "Beside the published numbers", facts, "upstream")
    if "capability" in config:
        yield Content("table_3", "Backbones", "general benchmarks")
    yield from of_sweeps(plan.planned(config), config["reports"]["protocol"])
    for facts, entry in config["facts"].items():
        if "translation" in entry:
            for table, kind in plan.CORRECTED.items():
                yield Content(f"{table}_{facts}", "Translation", facts, kind=kind)


def figures(config: Config) -> Iterator[Content]:
    """Yield the figures of a checked configuration."""
    asked = config["reports"]["protocol"]
    for facts in _edited(config):
        places = dict.fromkeys((cell.backbone, cell.language) for cell in cells(config) if cell.facts == facts)
        for backbone, lang in places:
            yield Content(f"radar_{facts}_{backbone}_{lang}", "Edits", f"{facts}, {backbone}, {language(lang)}", asked)
        if training_scale.sizes(_used_editors(config, facts)):
            for backbone in dict.fromkeys(backbone for backbone, _ in places):
                yield Content(f"training_scale_{facts}_{backbone}", "Training scale", f"{facts}, {backbone}", asked)
        if _crosses(config, facts):
            yield Content(f"gap_{facts}", "Language gap", facts, asked)
        yield Content(f"tradeoff_{facts}", "Trade-off", facts, asked)
        yield Content(f"cost_{facts}", "Cost and quality", facts, asked)
    yield from of_settings(plan.planned(config), asked)


def of_sweeps(sweeps: Sequence[Planned], asked: str) -> Iterator[Content]:
    """Yield the tables of sweeps, whose facts are shown under the protocol given."""
    for sweep in sweeps:
        for protocol in sweep.protocols:
            yield _side_effect(plan.side_effects(sweep.name, protocol), sweep.title, protocol, "scores on tasks")
        for protocol in sweep.protocols:
            yield _side_effect(plan.answers(sweep.name, protocol), sweep.title, protocol, "what was answered")
        yield _side_effect(plan.edited_facts(sweep.name), sweep.title, asked, "the edited facts")


def of_settings(sweeps: Sequence[Planned], asked: str) -> Iterator[Content]:
    """Yield the figures of sweeps: those of each setting together."""
    for setting, members in plan.by_setting(sweeps):
        for protocol in plan.protocols(members):
            yield _side_effect(plan.side_effects(setting, protocol), setting, protocol, "scores on tasks")
        yield _side_effect(plan.edited_facts(setting), setting, asked, "the edited facts")
        if setting != SINGLE:
            forgetting = "reliability by when facts were edited"
            yield _side_effect(plan.forgetting(setting), setting, asked, forgetting)
        yield _side_effect(plan.weights(setting), setting, "", "change of weights by layer")


def _side_effect(name: str, of: str, asked: str, kind: str) -> Content:
    return Content(name, "Side effects", of, asked, kind)


def _edited(config: Config) -> list[str]:
    return list(dict.fromkeys(cell.facts for cell in cells(config)))


def _crosses(config: Config, facts: str) -> bool:
    """Return whether there is a language besides that of an edit of the facts, as Grid.crosses does."""
    langs = {*config["languages"], *config.get("evaluation_languages", ())}
    return any(langs - {cell.language} for cell in cells(config) if cell.facts == facts)


def _used_editors(config: Config, facts: str) -> dict[str, Any]:
    used = {cell.editor for cell in cells(config) if cell.facts == facts}
    return {name: entry for name, entry in config["editors"].items() if name in used}
