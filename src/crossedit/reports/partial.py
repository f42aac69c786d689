"""What can be shown of an experiment that isn't finished: the files of all that is done, and of nothing else.

    done = Done.of(status)
    done.scores, done.predictions, …      as the options of `crossedit reports` take them

A cell whose job has failed may still have scores, of an earlier run. They don't count, and neither do scores that are
not of the predictions beside them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from crossedit import UNEDITED, places, tables
from crossedit.files import digest
from crossedit.runs.rules import Job, Rules
from crossedit.runs.states import Survey
from crossedit.runs.status import Status
from crossedit.sweeps.settings import Sweep

Outputs = tuple[Path, ...]  # of one job


@dataclass(frozen=True)
class Done:
    """The files of the jobs of an experiment that are done; every list may be empty."""

    scores: list[Path]
    values: list[Path]
    predictions: list[Path]
    table_1: list[Path]
    summaries: list[Path]  # of facts, and of translations: the model's and the people's
    corrected: list[Path]  # the people's alone
    backbones: list[Path]  # folders of trained models
    capability: list[Path]
    task_scores: list[Path]
    fact_scores: list[Path]
    weight_changes: list[Path]

    @classmethod
    def of(cls, status: Status) -> "Done":
        """Return the files of the experiment whose status it is."""
        config = status.experiment.config
        jobs = _Jobs(Survey(config, rules := Rules(config)), rules)
        facts = [f"{config['results']}/{{}}/{name}" for name in config["facts"]]
        backbones = [places.backbone_folder(config, name) for name in config["backbones"]]
        corrected = jobs.done(folder.format("translation") + "/facts.parquet" for folder in facts)
        said = [
            *jobs.done(folder.format("facts") + "/facts.parquet" for folder in facts),
            *jobs.done(folder.format("translation") + "/machine.parquet" for folder in facts),
            *corrected,
        ]
        cells = list(_cells(status))
        scored = [scores for _, scores in cells] + list(_unedited(status, jobs))
        swept = [
            _paths(standing.chain.ends[-1]) for sweep, standing in status.sweeps.items() if _is_whole(status, sweep)
        ]
        return cls(
            scores=[scores for scores, _ in scored],
            values=[values for _, values in scored],
            predictions=[path for predictions, _ in cells for path in predictions],
            table_1=[
                path for (path,) in jobs.done(folder.format("translation") + "/table_1.parquet" for folder in facts)
            ],
            summaries=[outputs[-1] for outputs in said],
            corrected=[outputs[-1] for outputs in corrected],
            backbones=[path for (path,) in jobs.done(f"{folder}/model" for folder in backbones)],
            capability=[path for (path,) in jobs.done(f"{folder}/capability.json" for folder in backbones)],
            task_scores=[tasks for tasks, _, _ in swept],
            fact_scores=[facts for _, facts, _ in swept],
            weight_changes=[weights for _, _, weights in swept],
        )


@dataclass(frozen=True)
class _Jobs:
    survey: Survey
    rules: Rules

    def done(self, outputs: Iterable[str]) -> list[Outputs]:
        """Return all outputs of those jobs that are done, of jobs by their first outputs."""
        jobs = [job for output in outputs if (job := self.rules.making(output))]
        return [_paths(job) for job in jobs if self.survey.state(job).state == "done"]


def _cells(status: Status) -> Iterator[tuple[list[Path], Outputs]]:
    """Yield the predictions of each cell that is done, and its scores and values."""
    for standing in status.cells.values():
        jobs = standing.chain.jobs
        predictions = [path for job in jobs if job.rule == "predict" for path in _paths(job)]
        scores, values = _paths(standing.chain.ends[-1])
        if standing.state == "done" and tables.provenance(scores).get("predictions") == digest(*predictions):
            yield predictions, (scores, values)


def _unedited(status: Status, jobs: _Jobs) -> Iterator[Outputs]:
    """Yield scores and values of each unedited backbone that has cells, where its answers are still the same."""
    config = status.experiment.config
    for facts, backbone in dict.fromkeys((cell.facts, cell.backbone) for cell in status.cells):
        asked = jobs.done([places.probes(config, facts, backbone)])
        scored = jobs.done([f"{config['results']}/edits/{facts}/{backbone}/unedited.parquet"])
        for (_, answers), (scores, values) in zip(asked, scored, strict=False):
            if tables.provenance(scores).get("unedited") == digest(answers):
                yield scores, values


def _is_whole(status: Status, sweep: Sweep) -> bool:
    """Return whether a sweep's tables are there and nothing that they are of has failed or is running."""
    before = Sweep(UNEDITED, sweep.backbone)
    stops = [standing for of in (before, sweep) for standing in status.stops.get(of, {}).values()]
    return status.sweeps[sweep].state == "done" and not any(stop.state in ("failed", "running") for stop in stops)


def _paths(job: Job) -> Outputs:
    return tuple(map(Path, job.outputs))
