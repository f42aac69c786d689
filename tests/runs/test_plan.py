"""What an experiment will take, told before it runs."""

import io
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from rich.console import Console
from standing import chains, stand, write
from written import zsre

from crossedit.errors import UserError
from crossedit.runs import dryrun, plan_terminal
from crossedit.runs.dryrun import read, snakemake
from crossedit.runs.estimates.prices import Translation, costs
from crossedit.runs.estimates.sizes import size_of
from crossedit.runs.estimates.storage import written
from crossedit.runs.estimates.times import Times
from crossedit.runs.experiment import Experiment
from crossedit.runs.plan import Plan, Stage
from crossedit.runs.rules import RULES, Rules
from crossedit.translation import records
from crossedit.translation.asking.prices import Prices
from crossedit.translation.questions import question_of
from crossedit.translation.settings import from_entry
from crossedit.translation.store import Answer, Store

# What a facts entry of the demo translates.
TRANSLATED = {
    "files": "resources/demo/facts",
    "splits": {"train": 160, "validation": 20, "test": 64},
    "translation": {
        "source": "en",
        "targets": ["zh"],
        "model": "gpt-4",
        "store": "resources/demo/translations",
        "checks": "flag",
    },
}


class Said(NamedTuple):
    """An experiment of which nothing has run, its plan, and what `snakemake --dry-run` said of it."""

    experiment: Experiment
    plan: Plan
    text: str


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Said]:
    """A grid and sweeps in which every rule has a job."""
    texts = []

    def heard(*arguments: Any, **options: Any) -> subprocess.CompletedProcess[str]:
        ended = snakemake(*arguments, **options)
        texts.append(ended.stdout)
        return ended

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(dryrun, "snakemake", heard)
        experiment = stand(
            tmp_path_factory.mktemp("plan"),
            monkeypatch,
            facts={"demo": TRANSLATED},
            capability={"tasks": ["mmlu"]},
        )
        yield Said(experiment, Plan.of(experiment), *texts)


@pytest.fixture
def experiment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Experiment:
    return stand(tmp_path, monkeypatch)


def counts(text: str) -> dict[str, int]:
    """Return the number of jobs per rule from Snakemake's table, without its targets."""
    rows = re.findall(r"^(\w+) +(\d+)$", text, re.MULTILINE)
    return {rule: int(number) for rule, number in rows if rule not in ("all", "total")}


def fields(text: str) -> Iterator[dict[str, str]]:
    """Yield what Snakemake says of each job, by the field."""
    for block in text.split("\nrule ")[1:]:
        lines = [line.strip().partition(": ")[::2] for line in block.splitlines() if line.startswith("    ")]
        yield {"rule": block.split(":")[0], **dict(lines)}


def test_the_table_of_rules_says_what_snakemake_says(said: Said) -> None:
    rules = Rules(said.experiment.config)
    seen = set()
    for told in fields(said.text):
        if told["rule"] == "all":
            continue
        outputs = told["output"].split(", ")
        job = rules.called(told["rule"]) or rules.making(outputs[0])
        assert job is not None, told
        assert (job.rule, job.log, job.benchmark) == (told["rule"], told["log"], told["benchmark"])
        wildcards = dict(pair.split("=") for pair in told["wildcards"].split(", ")) if "wildcards" in told else {}
        assert dict(job.wildcards) == wildcards
        assert job.named or list(job.outputs) == outputs
        # As the executor plugin names the folder of Slurm's logs: in an order that may differ between runs.
        folder = f"rule_{job.rule}/{'_'.join(wildcards.values())}".rstrip("/")
        assert folder in job.slurm
        assert rules.logging(job.log) == rules.measured(job.benchmark) == rules.in_slurm(folder) == job
        seen.add(job.rule)
    assert seen == {rule.name for rule in RULES}


def test_cells_and_sweeps_have_the_jobs_that_snakemake_has(said: Said) -> None:
    known = chains(said.experiment)
    rules = {"train_editor", "predict", "score", "edit_on", "probe_edited", "ask_tasks", "score_sweep"}
    expected = {one.job.output for one in read(said.text, known.rules) if one.job.rule in rules}
    assert {job.output for chain in known.all.values() for job in chain.jobs} == expected


def test_a_plan_counts_the_jobs_that_snakemake_would_run(said: Said) -> None:
    plan = said.plan
    assert {stage.rule: stage.jobs for stage in plan.stages} == counts(said.text)
    assert plan.measured == 0
    # Of each rule that loads a model, the hours are a GPU's.
    assert {stage.rule for stage in plan.stages if stage.gpu_hours} >= {"train", "predict", "edit_on", "ask_tasks"}
    assert all(stage.gpu_mem_mb > 0 for stage in plan.stages if stage.gpu_hours)
    (cost,) = plan.costs
    assert (cost.requests, cost.of, cost.exact) == (0, 244, True)
    json.dumps(plan.document())


def test_what_snakemake_cannot_plan_is_said_in_its_words(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = subprocess.CompletedProcess([], 1, "", "Building DAG\n\nMissingInputException: facts.json\n")
    monkeypatch.setattr(dryrun, "snakemake", lambda *_, **__: ended)
    with pytest.raises(UserError, match=r"snakemake --dry-run fails: .*MissingInputException: facts\.json"):
        Plan.of(experiment)


def test_a_mistake_that_the_rules_find_is_said_alone(experiment: Experiment, monkeypatch: pytest.MonkeyPatch) -> None:
    said = "crossedit: config: editors.ROME.shards: too many; lower it."
    ended = subprocess.CompletedProcess([], 2, "", f"Config file config.yaml is extended\n{said}\n")
    monkeypatch.setattr(dryrun, "snakemake", lambda *_, **__: ended)
    with pytest.raises(UserError, match=r"^config: editors\.ROME\.shards: too many; lower it\.$"):
        Plan.of(experiment)


def benchmark(path: str, seconds: object) -> None:
    write(path, f"s\th:m:s\tmax_rss\n{seconds}\t0:00:00\t1\n")


def test_times_are_those_of_the_same_job_else_of_its_like_else_an_estimate(experiment: Experiment) -> None:
    known = chains(experiment)
    shards = {cell: chain.counted for cell, chain in known.cells.items() if cell.editor == "ROME"}
    (english,) = (jobs for cell, jobs in shards.items() if (cell.backbone, cell.language) == ("small", "en"))
    (chinese,) = (jobs for cell, jobs in shards.items() if cell.language == "zh")
    (other,) = (jobs for cell, jobs in shards.items() if cell.backbone == "gpt2-xl")
    whole = known.rules.making(english[0].output.replace("1-of-4", "1-of-1"))
    assert whole is not None
    benchmark(english[0].benchmark, 30.0)
    benchmark(whole.benchmark, 400.0)
    benchmark(english[1].benchmark, "NA")
    benchmark(f"{Path(english[0].benchmark).parent}/other.tsv", 1e9)
    times = Times(experiment.config, known.rules)
    assert times.of(english[0]) == (30.0, True)
    # The mean of 4 x 30 and 400 seconds is that of a whole cell, of which this is a quarter.
    assert times.of(english[1]) == times.of(chinese[3]) == (65.0, True)
    assert not times.of(other[0]).measured
    assert times.of(other[0]).seconds > 0


def test_later_stops_of_a_sweep_are_expected_to_take_longer(experiment: Experiment) -> None:
    known = chains(experiment)
    times = Times(experiment.config, known.rules)
    first, later = (known.stops[sweep][stop].roots[0] for sweep in known.sweeps for stop in (1, 4))
    assert times.of(first).seconds < times.of(later).seconds


def test_what_a_stop_is_asked_takes_time_and_room_by_its_items(experiment: Experiment) -> None:
    def expected(tasks: dict[str, Any]) -> tuple[float, float]:
        config = {**experiment.config, "tasks": {**experiment.config["tasks"], **tasks}}
        job = Rules(config).making("results/sweeps/KN/small/4/verdicts.parquet")
        assert job is not None
        return Times(config, Rules(config)).of(job).seconds, written(config, job)[1]

    rte = experiment.config["tasks"]["rte"]
    few, some, many, both = (
        expected({"rte": {**rte, **changes}})
        for changes in (
            {"size": 10},
            {"size": 500},
            {"size": "all"},
            {"size": 10, "protocols": ["corrected", "upstream"]},
        )
    )
    assert few < both < some < many
    assert min(few) > 0


def test_storage_of_covariances_is_that_of_their_matrices(experiment: Experiment) -> None:
    config = experiment.config
    job = Rules(config).making("results/backbones/gpt2-xl/covariance.safetensors")
    assert job is not None
    kind, number = written(config, job)
    # MEMIT alone wants some, of five layers.
    assert (kind, number) == ("covariances", 5 * size_of(config, "gpt2-xl").ffn ** 2 * 4)


def test_a_checkpoint_grows_with_its_edits_up_to_the_matrix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = {"editor": "ROME", "setting": "instance-sequential", "stops": [1, 2, 50, 60], "backbones": ["small"]}
    facts = {"demo": {"files": "resources/demo/facts", "splits": {"test": 60}}}
    backbones = {"small": {"recipe": {"facts": "demo", "hidden": 32, "ffn": 64, "heads": 4}, "hparams": "demo"}}
    changes: dict[str, Any] = {"sweeps": {"KN": sweep}, "facts": facts, "backbones": backbones, "exclude": []}
    config = stand(tmp_path, monkeypatch, **changes, tasks={}, editors={"ROME": {"method": "ROME"}}).config
    rules = Rules(config)
    jobs = [rules.making(f"results/sweeps/KN/small/{stop}/checkpoint") for stop in sweep["stops"]]
    one, two, fifty, sixty = (written(config, job)[1] for job in jobs if job is not None)
    assert two == 2 * one == 2 * (32 + 64) * 4
    assert fifty == sixty == 32 * 64 * 4


def asking(experiment: Experiment, tmp_path: Path, **changes: Any) -> dict[str, Any]:
    """Return a configuration that translates four facts, two of them by each model."""
    files = []
    for split, numbers in {"train": (0, 1), "test": (2, 3)}.items():
        files.append(tmp_path / f"{split}.json")
        files[-1].write_text(json.dumps([zsre(number) for number in numbers]), encoding="utf-8")
    translation = {
        "source": "en",
        "targets": ["zh"],
        "model": {"train": "gpt-3.5-turbo", "validation": "gpt-3.5-turbo", "test": "gpt-4"},
        "store": str(tmp_path / "store"),
        "checks": "flag",
        **changes,
    }
    entry = {"train": str(files[0]), "test": str(files[1]), "splits": {"train": 2, "test": 2}}
    entry["file_languages"] = {str(file): "en" for file in files}
    return {**experiment.config, "facts": {"zsre": {**entry, "translation": translation}}}


def found(config: dict[str, Any]) -> dict[str, Translation]:
    return {cost.model: cost for cost in costs(config, ["zsre"], ["zsre"])}


def test_requests_are_counted_by_what_the_store_lacks(experiment: Experiment, tmp_path: Path) -> None:
    from crossedit.facts.build import build

    config = asking(experiment, tmp_path)
    before = found(config)
    assert {model: (cost.requests, cost.of, cost.exact) for model, cost in before.items()} == {
        "gpt-3.5-turbo": (2, 2, True),
        "gpt-4": (2, 2, True),
    }
    entry = dict(config["facts"]["zsre"])
    settings = from_entry(entry.pop("translation"))
    row = next(row for row in build(entry, ["en"], 0).facts.iter_rows(named=True) if row["split"] == "test")
    question = question_of(row, "zh", settings, records.PROMPT)
    Store(settings.store).put(question.first, 1, Answer(json.dumps(question.record)))
    after = found(config)
    assert (after["gpt-4"].requests, after["gpt-4"].of) == (1, 2)
    assert after["gpt-4"].tokens_in == pytest.approx(before["gpt-4"].tokens_in / 2, rel=0.1)
    assert after["gpt-3.5-turbo"] == before["gpt-3.5-turbo"]


def test_dollars_follow_from_tokens_and_the_table_of_prices(experiment: Experiment, tmp_path: Path) -> None:
    cost = found(asking(experiment, tmp_path))["gpt-4"]
    each_in, each_out = Prices.read().models["gpt-4"]
    assert cost.dollars == pytest.approx((cost.tokens_in * each_in + cost.tokens_out * each_out) / 1e6)
    assert cost.tokens_in > cost.tokens_out > 0


@pytest.mark.parametrize("changes", [{"model": "gpt-99"}, {"model": "gpt-4", "base_url": "https://localhost/v1"}])
def test_a_price_that_is_not_known_is_said_in_words(experiment: Experiment, tmp_path: Path, changes: dict) -> None:
    (cost,) = found(asking(experiment, tmp_path, **changes)).values()
    assert cost.dollars is None
    assert f"price unknown (no price for {changes['model']} at https://" in shown(cost)


def test_requests_for_facts_that_cannot_be_read_are_reckoned_from_the_splits(
    experiment: Experiment, tmp_path: Path
) -> None:
    config = asking(experiment, tmp_path)
    (tmp_path / "test.json").write_text("{", encoding="utf-8")
    cost = found(config)["gpt-4"]
    assert (cost.requests, cost.exact) == (2, False)
    assert "the facts can't be read" in cost.why
    assert "2 of 2 records to be asked for" in shown(cost)
    assert "Reckoned by the sizes of splits: the facts can't be read" in shown(cost)


STORED = Translation("gpt-4", 0, 5, 0, 0, 0.0, 0.0, "resources/prices.yaml", facts="demo", exact=True)


def shown(cost: Translation, width: int = 100) -> str:
    """Return what the terminal says of a plan with this cost."""
    stage = Stage("edits", "predict", 3, 1, 150.0, 0.0, 40000, 9000, 300)
    text = io.StringIO()
    plan = Plan((stage,), {"answers": 2.0**30}, (cost,), gpu_memory=80)
    plan_terminal.show(plan, Console(file=text, width=width))
    return text.getvalue()


def test_the_terminal_says_what_is_estimated_and_what_one_job_asks_for_at_most() -> None:
    said = shown(STORED)
    assert "both (1 ran before)" in said
    assert "Times of 2 jobs are estimates" in said
    assert "at most 39.1 GiB of GPU memory (predict), 8.8 GiB of host memory, 5 h (predict)" in said
    assert "Storage, estimated: 1.0 GiB: answers 1.0 GiB." in said
    assert "Translation of demo by gpt-4: all 5 records have their answers, nothing is asked." in said


def test_the_table_fits_where_there_is_little_room() -> None:
    table = shown(STORED, width=60).split("Times of")[0]
    assert max(map(len, table.splitlines())) <= 60
    assert "predict" in table
    assert "…" not in table
    assert "39.1 GiB" not in table
    assert "39.1 GiB" in shown(STORED, width=100).split("Times of")[0]
