"""What can be shown of an experiment that isn't finished: the files of all that is done, and of nothing else.

done = Done.of(status)
done.scores, done.predictions, …      as the options of `crossedit reports` take them
done.left_out                         what is there and doesn't count, and why: see left_out.py
check_folder(out, results)            UserError where a report in this folder would replace something else
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from crossedit import places
from crossedit.errors import UserError
from crossedit.reports.left_out import Check, Fault, LeftOut, told
from crossedit.runs.chains import Chain
from crossedit.runs.experiment import Experiment
from crossedit.runs.rules import Job
from crossedit.runs.status import Standing, Status

PARTS = frozenset({"tables", "figures", "index.html", "scores.parquet", "comparisons.parquet", "outcomes.parquet"})

Outputs = tuple[Path, ...]  # of one job


@dataclass(frozen=True)
class Done:
    """The files of the jobs of an experiment that are done; every list may be empty."""

    status: Status  # in which nothing is done that is left out
    left_out: list[LeftOut]
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
        found = _Found(status.experiment, Check(config, status.survey))
        facts = [f"{config['results']}/{{}}/{name}" for name in config["facts"]]
        backbones = [places.backbone_folder(config, name) for name in config["backbones"]]
        corrected = found.made(folder.format("translation") + "/facts.parquet" for folder in facts)
        said = [
            *found.made(folder.format("facts") + "/facts.parquet" for folder in facts),
            *found.made(folder.format("translation") + "/machine.parquet" for folder in facts),
            *corrected,
        ]
        status = found.counted(status)
        cells = [standing.chain for standing in status.cells.values() if standing.state == "done"]
        scored = [_paths(chain.ends[-1]) for chain in cells] + list(found.unedited(status))
        swept = [_paths(standing.chain.ends[-1]) for standing in status.sweeps.values() if standing.state == "done"]
        return cls(
            status=status,
            left_out=found.left_out,
            scores=[scores for scores, _ in scored],
            values=[values for _, values in scored],
            predictions=[
                path for chain in cells for job in chain.jobs if job.rule == "predict" for path in _paths(job)
            ],
            table_1=[
                path for (path,) in found.made(folder.format("translation") + "/table_1.parquet" for folder in facts)
            ],
            summaries=[outputs[-1] for outputs in said],
            corrected=[outputs[-1] for outputs in corrected],
            backbones=[path for (path,) in found.made(f"{folder}/model" for folder in backbones)],
            capability=[path for (path,) in found.made(f"{folder}/capability.json" for folder in backbones)],
            task_scores=[tasks for tasks, _, _ in swept],
            fact_scores=[facts for _, facts, _ in swept],
            weight_changes=[weights for _, _, weights in swept],
        )


@dataclass(frozen=True)
class _Found:
    """What is there, without what is left out; that is noted."""

    experiment: Experiment
    check: Check
    left_out: list[LeftOut] = field(default_factory=list)

    def made(self, outputs: Iterable[str]) -> list[Outputs]:
        """Return all outputs of those jobs that are done, of jobs by their first outputs."""
        jobs = [job for output in outputs if (job := self.check.rules.making(output))]
        return [
            _paths(job)
            for job in jobs
            if self.check.is_done(job) and not self._noted(job.output, self.check.jobs([job], (job,)))
        ]

    def counted(self, status: Status) -> Status:
        """Return the status in which cells and sweeps that are left out aren't done."""
        cells = {cell: self._standing(one, self.check.cell) for cell, one in status.cells.items()}
        sweeps = {sweep: self._standing(one, partial(self.check.sweep, sweep)) for sweep, one in status.sweeps.items()}
        return replace(status, cells=cells, sweeps=sweeps)

    def unedited(self, status: Status) -> Iterator[Outputs]:
        """Yield scores and values of each unedited backbone that has cells, where its answers are still the same."""
        config = self.check.config
        for facts, backbone in dict.fromkeys((cell.facts, cell.backbone) for cell in status.cells):
            asked = self.check.rules.making(places.probes(config, facts, backbone))
            scored = self.check.rules.making(f"{config['results']}/edits/{facts}/{backbone}/unedited.parquet")
            if not (asked and scored and self.check.is_done(asked) and self.check.is_done(scored)):
                continue
            if not self._noted(scored.output, self.check.unedited(asked, scored)):
                yield _paths(scored)

    def _standing(self, standing: Standing, fault_of: Callable[[Chain], Fault | None]) -> Standing:
        fault = fault_of(standing.chain) if standing.state == "done" else None
        return standing._replace(state=fault.state) if fault and self._noted(standing.chain.name, fault) else standing

    def _noted(self, name: str, fault: Fault | None) -> bool:
        if fault:
            self.left_out.append(told(self.experiment, name, fault))
        return fault is not None


def _paths(job: Job) -> Outputs:
    return tuple(map(Path, job.outputs))


def check_folder(out: Path, results: Path) -> None:
    """Raise UserError unless the folder can become a report: it isn't there, is empty or holds an earlier report."""
    folder, here = out.resolve(), Path.cwd()
    kept = {"the results": results, "the rules' own report": results / "reports", "the folder that you are in": here}
    for what, path in kept.items():
        its = path.resolve()
        if folder == its or (folder in its.parents):
            raise UserError(f"--out '{out}' is {what} or holds it, and would be replaced; name a folder of its own.")
    there = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if there and not (there <= PARTS and "index.html" in there):
        others = sorted(there - PARTS) or sorted(there)
        raise UserError(
            f"--out '{out}' would be replaced, and is no earlier report: '{others[0]}' is in it; name another folder, "
            "or empty this one."
        )
