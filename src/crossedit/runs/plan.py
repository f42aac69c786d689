"""What an experiment will take, before anything runs.

plan = Plan.of(experiment)
plan.stages       for each rule: jobs, GPU hours and other hours, the most that one of them asks for
plan.storage      bytes by kind
plan.costs        what translations cost that aren't stored yet
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from crossedit.runs.dryrun import Planned, dry_run
from crossedit.runs.estimates.prices import Translation, costs
from crossedit.runs.estimates.storage import written
from crossedit.runs.estimates.times import Times
from crossedit.runs.experiment import Experiment
from crossedit.runs.rules import RULES, Rules


@dataclass(frozen=True)
class Stage:
    """The jobs of a rule. measured: of how many the time is known from earlier runs; it is estimated for the others.

    gpu_hours, other_hours: of jobs that ask for a GPU, and of those that don't. The last three are the most that one
    job asks for: MiB of a GPU and of the host, minutes.
    """

    stage: str
    rule: str
    jobs: int
    measured: int
    gpu_hours: float
    other_hours: float
    gpu_mem_mb: int
    mem_mb: int
    runtime: int


@dataclass(frozen=True)
class Plan:
    """What is to run, in the order of the stages. `storage` is in bytes by kind, an estimate."""

    stages: tuple[Stage, ...]
    storage: dict[str, float]
    costs: tuple[Translation, ...]
    gpu_memory: float  # GiB, of the GPUs that the configuration speaks of

    @classmethod
    def of(cls, experiment: Experiment) -> "Plan":
        """Return the plan. Raises UserError where Snakemake can't make one."""
        config, rules = experiment.config, Rules(experiment.config)
        planned = dry_run(experiment, rules)
        times = Times(config, rules)
        by_rule: dict[str, list[Planned]] = {rule.name: [] for rule in RULES}
        storage: dict[str, float] = {}
        for one in planned:
            by_rule[one.job.rule].append(one)
            kind, number = written(config, one.job)
            storage[kind] = storage.get(kind, 0.0) + number
        facts = {rule: [one.job.wildcards["facts"] for one in by_rule[rule]] for rule in ("translate", "build_facts")}
        return cls(
            stages=tuple(_stage(config["results"], jobs, times) for jobs in by_rule.values() if jobs),
            storage=dict(sorted(storage.items(), key=lambda item: -item[1])),
            # Offline nothing is asked, whatever it would cost.
            costs=() if config["offline"] else tuple(costs(config, facts["translate"], facts["build_facts"])),
            gpu_memory=config["gpu_memory"],
        )

    @property
    def jobs(self) -> int:
        """The number of all jobs."""
        return sum(stage.jobs for stage in self.stages)

    @property
    def gpu_hours(self) -> float:
        """The GPU hours of all jobs."""
        return sum(stage.gpu_hours for stage in self.stages)

    @property
    def other_hours(self) -> float:
        """The hours of all jobs without a GPU."""
        return sum(stage.other_hours for stage in self.stages)

    @property
    def measured(self) -> int:
        """Of how many jobs the time is known from earlier runs."""
        return sum(stage.measured for stage in self.stages)

    def document(self) -> dict[str, Any]:
        """Return the plan as JSON values."""
        totals = {name: getattr(self, name) for name in ("jobs", "measured", "gpu_hours", "other_hours")}
        return {**totals, **asdict(self), "storage_total": sum(self.storage.values())}


def _stage(results: str, planned: Sequence[Planned], times: Times) -> Stage:
    expected = [times.of(one.job) for one in planned]
    seconds = {
        on_gpu: sum(e.seconds for e, p in zip(expected, planned, strict=True) if bool(p.gpu) is on_gpu)
        for on_gpu in (True, False)
    }
    job = planned[0].job
    return Stage(
        stage=job.output.removeprefix(f"{results}/").split("/")[0],
        rule=job.rule,
        jobs=len(planned),
        measured=sum(one.measured for one in expected),
        gpu_hours=seconds[True] / 3600,
        other_hours=seconds[False] / 3600,
        gpu_mem_mb=max(one.gpu_mem_mb for one in planned),
        mem_mb=max(one.mem_mb for one in planned),
        runtime=max(one.runtime for one in planned),
    )
