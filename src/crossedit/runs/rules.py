"""What each rule makes, and where it leaves its traces.

    rules = Rules(config)
    job = rules.making("results/edits/demo/demo-bi/ROME/en/scores.parquet")
    job.rule, job.wildcards       "score", {"facts": "demo", "backbone": "demo-bi", "editor": "ROME", "language": "en"}
    job.log, job.benchmark        results/logs/edits/demo/…/en.score.log, results/benchmarks/edits/demo/…/en.score.tsv

The rule files stand by themselves; a test compares this table with what Snakemake says of them.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any, NamedTuple

from crossedit import UNEDITED


class Rule(NamedTuple):
    """A rule of the workflow; paths are relative to the folders of results, logs and benchmarks.

    outputs: the one that the command's record lies beside, then what else it writes. named: that is a folder of which
    Snakemake knows the single files, so that it is asked for the rule by its name.
    """

    name: str
    outputs: tuple[str, ...]
    trace: str
    named: bool = False


_FACTS = "facts/{facts}"
_TRANSLATION = "translation/{facts}"
_BACKBONE = "backbones/{backbone}"
_CELL = "edits/{facts}/{backbone}/{editor}/{language}"
_SHARD = "{shard}-of-{shards}"
_SWEEP = "sweeps/{sweep}/{backbone}"
_STOP = f"{_SWEEP}/{{stop}}"
RULES = (
    Rule("build_facts", (f"{_FACTS}/facts.parquet", f"{_FACTS}/oddities.parquet", f"{_FACTS}/summary.json"), _FACTS),
    Rule("translate", (f"{_TRANSLATION}/machine.parquet", f"{_TRANSLATION}/machine.json"), _TRANSLATION),
    Rule(
        "correct",
        (f"{_TRANSLATION}/facts.parquet", f"{_TRANSLATION}/corrections.parquet", f"{_TRANSLATION}/summary.json"),
        f"{_TRANSLATION}.correct",
    ),
    Rule("statistics", (f"{_TRANSLATION}/table_1.parquet",), f"{_TRANSLATION}.table_1"),
    Rule("train", (f"{_BACKBONE}/model",), f"{_BACKBONE}.train"),
    Rule("contexts", (f"{_BACKBONE}/contexts.json",), f"{_BACKBONE}.contexts"),
    Rule("covariance", (f"{_BACKBONE}/covariance.safetensors",), f"{_BACKBONE}.covariance"),
    Rule(
        "ask",
        (f"{_BACKBONE}/{{facts}}/probes.parquet", f"{_BACKBONE}/{{facts}}/unedited.parquet"),
        f"{_BACKBONE}.{{facts}}.ask",
    ),
    Rule("capability", (f"{_BACKBONE}/capability.json",), f"{_BACKBONE}.capability"),
    Rule(
        "embed",
        ("edits/{facts}/embeddings/{embedding}.{language}.safetensors",),
        "edits/{facts}/{embedding}.{language}",
    ),
    Rule("train_editor", (f"{_CELL}/trained",), f"{_CELL}.train"),
    Rule("predict", (f"{_CELL}/predictions.{_SHARD}.parquet",), f"{_CELL}.{_SHARD}"),
    Rule("score", (f"{_CELL}/scores.parquet", f"{_CELL}/values.parquet"), f"{_CELL}.score"),
    Rule(
        "score_unedited",
        ("edits/{facts}/{backbone}/unedited.parquet", "edits/{facts}/{backbone}/unedited_values.parquet"),
        "edits/{facts}/{backbone}/unedited",
    ),
    Rule("draw_items", ("sweeps/tasks/{task}.parquet",), "sweeps/tasks/{task}"),
    Rule("work_items", ("sweeps/tasks/{task}.train.jsonl",), "sweeps/tasks/{task}.train"),
    Rule("edit_on", (f"{_STOP}/checkpoint",), f"{_STOP}.edit"),
    Rule("probe_edited", (f"{_STOP}/facts.parquet",), f"{_STOP}.facts"),
    Rule("ask_tasks", (f"{_STOP}/verdicts.parquet",), f"{_STOP}.tasks"),
    Rule(
        "score_sweep",
        (f"{_SWEEP}/tasks.parquet", f"{_SWEEP}/facts.parquet", f"{_SWEEP}/weights.parquet"),
        f"{_SWEEP}/score",
    ),
    Rule("collect", ("reports/scores.parquet",), "reports/collect"),
    Rule("compare", ("reports/comparisons.parquet", "reports/outcomes.parquet"), "reports/compare"),
    Rule("make_tables", ("reports/tables",), "reports/tables", named=True),
    Rule("make_figures", ("reports/figures",), "reports/figures", named=True),
    Rule("page", ("reports/index.html",), "reports/page"),
)


@dataclass(frozen=True)
class Job:
    """A rule with values for its wildcards."""

    rule: str
    wildcards: Mapping[str, str]
    outputs: tuple[str, ...]  # the record lies beside the first one
    log: str
    benchmark: str
    target: str  # what Snakemake is asked for to have it run

    @property
    def named(self) -> bool:
        """Whether Snakemake is asked for it by the rule's name, since its output is a folder of many files."""
        return self.target == self.rule

    @property
    def output(self) -> str:
        """The output that the job's record lies beside."""
        return self.outputs[0]

    @property
    def slurm(self) -> tuple[str, ...]:
        """The folders below that of Slurm's own logs in which the executor plugin may have put this job's."""
        return tuple(folder.format(**self.wildcards) for folder in _slurm_folders(self.rule, list(self.wildcards)))


class Rules:
    """The rules under one configuration: their wildcards stand for its names."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._results = config["results"]
        languages = {*config["languages"], *config["evaluation_languages"]}
        self._values = {
            "facts": _one_of(config["facts"]),
            "backbone": _one_of(config["backbones"]),
            "editor": _one_of(config["editors"]),
            "language": _one_of(languages),
            "task": _one_of(config["tasks"]),
            "sweep": _one_of([*config["sweeps"], UNEDITED]),
            "embedding": "[^/]+",
            "shard": r"\d+",
            "shards": r"\d+",
            "stop": r"\d+",
        }
        self._patterns: dict[str, re.Pattern[str]] = {}

    def making(self, output: str) -> Job | None:
        """Return the job whose command claims this output; None where no rule makes it from the config's names."""
        return self._find(output, self._results, lambda rule: rule.outputs[:1])

    def called(self, rule: str) -> Job | None:
        """Return the job of a rule that Snakemake is asked for by its name; None for any other."""
        return next((self._job(one, {}) for one in RULES if one.named and one.name == rule), None)

    def logging(self, log: str) -> Job | None:
        """Return the job that writes this log."""
        return self._find(log.removesuffix(".log"), f"{self._results}/logs", lambda rule: (rule.trace,))

    def measured(self, benchmark: str) -> Job | None:
        """Return the job whose benchmark this is."""
        return self._find(benchmark.removesuffix(".tsv"), f"{self._results}/benchmarks", lambda rule: (rule.trace,))

    def in_slurm(self, folder: str) -> Job | None:
        """Return the job whose Slurm logs are in this folder, one of `Job.slurm`."""
        return self._find(folder, "", lambda rule: _slurm_folders(rule.name, _wildcards(rule)))

    def _find(self, text: str, folder: str, templates: Callable[[Rule], Iterable[str]]) -> Job | None:
        prefix = f"{folder}/" if folder else ""
        if not text.startswith(prefix):
            return None
        for rule in RULES:
            for template in templates(rule):
                found = self._pattern(template).fullmatch(text, len(prefix))
                if found:
                    return self._job(rule, found.groupdict())
        return None

    def _job(self, rule: Rule, values: Mapping[str, str]) -> Job:
        wildcards = {name: values[name] for name in _wildcards(rule)}
        outputs = tuple(f"{self._results}/{output.format(**wildcards)}" for output in rule.outputs)
        trace = rule.trace.format(**wildcards)
        return Job(
            rule=rule.name,
            wildcards=wildcards,
            outputs=outputs,
            log=f"{self._results}/logs/{trace}.log",
            benchmark=f"{self._results}/benchmarks/{trace}.tsv",
            target=rule.name if rule.named else outputs[0],
        )

    def _pattern(self, template: str) -> re.Pattern[str]:
        if template not in self._patterns:
            parts = re.split(r"\{(\w+)\}", template)
            parts[::2] = map(re.escape, parts[::2])
            parts[1::2] = [f"(?P<{name}>{self._values[name]})" for name in parts[1::2]]
            self._patterns[template] = re.compile("".join(parts))
        return self._patterns[template]


def _slurm_folders(rule: str, wildcards: Sequence[str]) -> list[str]:
    """Return the folders of Slurm's logs as templates.

    The values stand in the order of the output, or in that of whichever job first asked for it; where there are two,
    both orders occur.
    """
    orders = permutations(wildcards) if len(wildcards) == 2 else [wildcards]
    return [f"rule_{rule}/{'_'.join(f'{{{name}}}' for name in order)}".rstrip("/") for order in orders]


def _wildcards(rule: Rule) -> list[str]:
    """Return the names of a rule's wildcards, in the order of its output."""
    return re.findall(r"\{(\w+)\}", rule.outputs[0])


def _one_of(names: Iterable[str]) -> str:
    return "|".join(map(re.escape, names)) or "(?!)"
