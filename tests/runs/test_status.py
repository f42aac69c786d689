"""How far an experiment has come, told from records, logs and outputs."""

import io
import json
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console
from standing import chains, lives, make, record, slurm_log, stand, write

from crossedit.config import Cell
from crossedit.errors import UserError
from crossedit.runs import cli
from crossedit.runs.chains import Chain
from crossedit.runs.experiment import Experiment
from crossedit.runs.page import page
from crossedit.runs.rerun import check_idle, command
from crossedit.runs.states import DIED, Survey
from crossedit.runs.status import Standing, Status
from crossedit.runs.terminal import show
from crossedit.sweeps.settings import Sweep

ROME = Cell("demo", "small", "ROME", "en")
MEND = Cell("demo", "small", "MEND", "en")
KN = Sweep("KN", "small")


@pytest.fixture
def experiment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Experiment:
    return stand(tmp_path, monkeypatch)


def of(experiment: Experiment, cell: Cell) -> Chain:
    return chains(experiment).cells[cell]


def standing(experiment: Experiment, cell: Cell = ROME) -> Standing:
    return Status.of(experiment).cells[cell]


def printed(experiment: Experiment, width: int = 160) -> str:
    said = io.StringIO()
    show(Status.of(experiment), Console(file=said, width=width))
    return said.getvalue().replace("\N{NO-BREAK SPACE}", " ")


def test_before_anything_has_run_all_is_missing(experiment: Experiment) -> None:
    status = Status.of(experiment)
    assert {one.state for one in status.cells.values()} == {"missing"}
    assert status.counts()["cells"] == {"done": 0, "running": 0, "failed": 0, "missing": 12}
    assert not status.failed
    assert not status.running


def test_a_cell_is_done_when_its_outputs_are_there_whatever_was_before(experiment: Experiment) -> None:
    chain = of(experiment, MEND)
    make(*chain.wanted)
    # The training that its edits came from may be gone, and may have failed once more since.
    record(chain.jobs[0], "failed", "crossedit: no\n", error="no")
    for job in chain.wanted:
        record(job, "failed", "Traceback\nKeyError: 1\n", error="KeyError: 1")
        slurm_log(job, "7", "slurmstepd: error: *** JOB 7 ON n1 CANCELLED AT 10:00 DUE TO TIME LIMIT ***\n")
    assert standing(experiment, MEND).state == "done"
    assert not Status.of(experiment).failed


def test_an_output_that_was_deleted_is_missing(experiment: Experiment) -> None:
    chain = of(experiment, ROME)
    make(*chain.jobs[:-1])
    for job in chain.jobs:
        record(job, "done", "an error was avoided\n")
    assert standing(experiment) == (chain, "missing", 4, 4)


def test_shards_are_counted_and_a_job_that_lives_is_running(experiment: Experiment) -> None:
    chain = of(experiment, ROME)
    make(*chain.jobs[:2])
    record(chain.jobs[2], "running", **lives())
    found = standing(experiment)
    assert (found.state, found.progress) == ("running", "2/4")
    ((name, running),) = Status.of(experiment).running
    assert name == "demo/small/ROME/en"
    assert running.job == chain.jobs[2]
    said = printed(experiment)
    assert "▶ 2/4" in said
    assert re.search(r"▶ demo/small/ROME/en  predict 3 of 4  since .* on \S+, process \d+", said)


def test_a_job_that_ended_without_a_word_was_killed(experiment: Experiment) -> None:
    job = of(experiment, ROME).jobs[0]
    record(job, "running", "editing: 3 of 16\n")
    ((_, (failed,), _),) = Status.of(experiment).failed
    assert failed.reason == DIED
    assert failed.said == ("editing: 3 of 16",)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("slurmstepd: error: *** JOB 12 ON n1 CANCELLED AT 2026-01-01T10:00:00 DUE TO TIME LIMIT ***", "out of time"),
        ("slurmstepd: error: Detected 1 oom_kill event in StepId=12.batch. Some of the step", "out of memory"),
        (
            "slurmstepd: error: *** JOB 12 ON n1 CANCELLED AT 10:00 DUE TO NODE FAILURE, SEE SLURMCTLD LOG",
            "node failed",
        ),
        ("slurmstepd: error: *** JOB 12 ON n1 CANCELLED AT 2026-01-01T10:00:00 DUE TO PREEMPTION ***", "preempted"),
        ("slurmstepd: error: *** JOB 12 ON n1 CANCELLED AT 2026-01-01T10:00:00 ***", "cancelled"),
    ],
)
def test_slurm_says_why_it_ended_a_job(experiment: Experiment, line: str, reason: str) -> None:
    job = of(experiment, ROME).jobs[0]
    record(job, "failed", "editing: 3 of 16\n", error="it was told to end", slurm="12")
    slurm_log(job, "12", f"{line}\n")
    ((_, (failed,), _),) = Status.of(experiment).failed
    assert reason in failed.reason
    assert failed.said == ("editing: 3 of 16", line)


def test_slurms_word_on_another_job_or_an_earlier_attempt_is_not_taken(experiment: Experiment) -> None:
    job = of(experiment, ROME).jobs[0]
    record(job, "failed", error="KeyError: 1")
    write(f"logs/slurm/{job.slurm[0]}/12.log", "output: elsewhere/predictions.parquet\nDUE TO TIME LIMIT\n")
    assert Status.of(experiment).failed[0].jobs[0].reason == "KeyError: 1"
    slurm_log(job, "13", "DUE TO TIME LIMIT\n")
    record(job, "failed", error="KeyError: 1", begun=4e9, ended=4e9 + 1)
    assert Status.of(experiment).failed[0].jobs[0].reason == "KeyError: 1"


@pytest.mark.parametrize("where", ["log", "slurm"])
def test_a_job_that_failed_before_its_command_began_is_told_too(experiment: Experiment, where: str) -> None:
    job = of(experiment, ROME).jobs[0]
    said = "bash: line 1: crossedit: command not found\n"
    write(job.log, said if where == "log" else "")
    if where == "slurm":
        slurm_log(job, "12", "Error in rule predict:\n    jobid: 0\n")
    assert standing(experiment).state == "failed"
    make(*of(experiment, ROME).jobs)
    assert standing(experiment).state == "done"


def test_what_several_cells_share_is_told_where_it_fails(experiment: Experiment) -> None:
    rules = chains(experiment).rules
    trained = rules.making("results/backbones/small/model")
    tables = rules.called("make_tables")
    assert trained is not None
    assert tables is not None
    record(trained, "failed", "crossedit: the recipe is wrong\n", error="the recipe is wrong")
    # The folder of many files is there while they are being replaced.
    write("results/reports/tables/old.csv", "")
    record(tables, "failed", error="no scores")
    # No rule makes this of the configuration's names.
    write("results/backbones/other/.model.job.json", Path("results/backbones/small/.model.job.json").read_text())
    failed = {failure.name: failure.command for failure in Status.of(experiment).failed}
    assert failed.keys() == {"results/backbones/small/model", "results/reports/tables"}
    assert failed["results/backbones/small/model"][-1] == "results/backbones/small/model"
    assert failed["results/reports/tables"][-1] == "make_tables"


def test_a_stop_counts_its_checkpoint_and_tables(experiment: Experiment) -> None:
    stop = chains(experiment).stops[KN][4]
    make(*stop.jobs[:2])
    record(stop.jobs[2], "failed", error="no answer")
    found = Status.of(experiment).stops[KN][4]
    assert (found.state, found.done, found.of) == ("failed", 2, 3)
    assert "4 ✗ 2/3" in printed(experiment)
    assert Status.of(experiment).failed[0].name == "KN/small/4"


def test_what_logs_say_is_shown_as_text(experiment: Experiment) -> None:
    job = of(experiment, ROME).jobs[0]
    hostile = "\x1b[31m[red]<script>alert(1)</script> & [/nothing]\x1b[0m\x07 \x1b]0;title\x07end"
    record(job, "failed", f"10 %\r20 %\r{hostile}\n", error=f"{hostile}\nand more")
    said = printed(experiment)
    assert "| [red]<script>alert(1)</script> & [/nothing] end" in said
    assert "predict 1 of 4: [red]<script>alert(1)</script> & [/nothing] end and more" in said
    assert "\x1b" not in said
    assert "\x07" not in said
    assert "10 %" not in said
    html = page(Status.of(experiment))
    assert "[red]&lt;script&gt;alert(1)&lt;/script&gt; &amp; [/nothing] end" in html
    assert "<script" not in html


def test_the_page_needs_no_other_file_and_its_tables_can_be_read_aloud(experiment: Experiment) -> None:
    make(*of(experiment, MEND).jobs)
    record(of(experiment, ROME).jobs[0], "failed", error="no")
    html = page(Status.of(experiment))
    assert not re.search(r"(src|href)=\"(?!#)", html)
    assert html.count("<table>") == html.count("<caption>") == 2
    assert all(re.search(r'scope="(col|row|colgroup)"', head) for head in re.findall(r"<th\b[^>]*>", html))
    assert re.search(r'<span class="state right">\s*done</span>', html)
    assert re.search(r'<span class="state wrong">\s*failed</span>', html)


@pytest.mark.parametrize("width", [30, 60, 160])
def test_the_grid_fits_where_there_is_little_room(experiment: Experiment, width: int) -> None:
    grid = printed(experiment, width).split("Sweeps")[0]
    assert max(map(len, grid.splitlines())) <= width
    assert grid.count("·") == 12


def test_failures_alike_are_told_once_with_a_command_each(experiment: Experiment) -> None:
    for language in ("en", "zh"):
        record(of(experiment, MEND._replace(language=language)).jobs[0], "failed", "out of GPUs\n", error="out of GPUs")
    said = printed(experiment)
    assert said.count("| out of GPUs") == 1
    assert len(re.findall(r"again: snakemake .*MEND/(?:en|zh)/scores.parquet", said)) == 2


def test_what_jobs_took_is_summed_up(experiment: Experiment) -> None:
    jobs = of(experiment, ROME).jobs
    gpu = {"name": "H200", "memory_peak": 3 * 2**30, "seconds": 3600.0, "utilisation": 0.9}
    record(jobs[0], "done", gpu=gpu)
    record(jobs[1], "done", gpu={**gpu, "memory_peak": 2**30, "seconds": 1800.0, "utilisation": 0.6})
    record(jobs[2], "done", gpu={**gpu, "utilisation": None})
    record(jobs[3], "failed", gpu={**gpu, "memory_peak": 2**40})
    used = Status.of(experiment).used
    assert (used.jobs, used.host_hours, used.gpu_hours) == (3, 1.5, 2.5)
    assert used.gpu_memory_peak == 3 * 2**30
    assert used.utilisation == pytest.approx(0.8)
    assert "3 jobs on GPUs in 2.5 GPU hours, at most 3.0 GiB each, busy 80% of the time." in printed(experiment)


def test_a_cell_that_lacks_something_is_asked_for_by_its_last_output(experiment: Experiment) -> None:
    chain = of(experiment, ROME)
    make(*chain.jobs[:2])
    words = command(experiment, chain, Survey(experiment.config, chains(experiment).rules))
    assert words[words.index("--") + 1 :] == ["results/edits/demo/small/ROME/en/scores.parquet"]
    # Snakemake doesn't miss a lost file whose followers are there, so that it is named.
    make(*chain.jobs)
    Path(chain.jobs[1].output).unlink()
    words = command(experiment, chain, Survey(experiment.config, chains(experiment).rules))
    assert words[words.index("--") + 1 :] == [chain.jobs[1].output, chain.jobs[4].output]


def test_a_cell_that_is_done_is_forced_from_its_first_job(experiment: Experiment) -> None:
    known = chains(experiment)
    for chain in (known.cells[MEND], known.cells[ROME], known.stops[KN][4], known.sweeps[KN]):
        make(*chain.jobs)
        words = command(experiment, chain, Survey(experiment.config, known.rules))
        forced = words[words.index("--forcerun") + 1 : words.index("--")]
        assert forced == [job.output for job in chain.roots]
        assert set(words[words.index("--") + 1 :]) == {job.output for job in chain.ends}


def test_the_command_is_one_for_the_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand(tmp_path, monkeypatch)
    Path("config.yaml").rename("my experiment's.yaml")
    Path("more.yaml").write_text("seed: 3\n", encoding="utf-8")
    arguments = ["KN/small/4", "--configfile", "my experiment's.yaml", "more.yaml", "--profile", "slurm"]
    said = CliRunner().invoke(cli.rerun, arguments, catch_exceptions=False).output
    stop = chains(Experiment.of(["my experiment's.yaml", "more.yaml"])).stops[KN][4]
    assert shlex.split(said) == [
        *("snakemake", "--configfile", "my experiment's.yaml", "more.yaml", "--profile", "slurm", "--"),
        *(job.output for job in stop.ends),
    ]


def test_a_name_that_is_none_is_answered_with_the_nearest(experiment: Experiment) -> None:
    known = chains(experiment)
    with pytest.raises(UserError, match="did you mean 'demo/small/ROME/en'"):
        known.named("demo/small/ROMA/en")
    with pytest.raises(UserError, match="`crossedit status` shows their names"):
        known.named("12345")
    assert known.named("results/backbones/small/model").jobs[0].rule == "train"


def test_what_is_running_is_not_begun_again(experiment: Experiment) -> None:
    chain = of(experiment, ROME)
    record(chain.jobs[2], "running", **lives())
    with pytest.raises(UserError, match=r"predictions\.3-of-4\.parquet has been running since .*`kill \d+`"):
        check_idle(chain, Survey(experiment.config, chains(experiment).rules))


def test_json_says_what_the_terminal_says_and_failures_count_only_where_asked(experiment: Experiment) -> None:
    record(of(experiment, ROME).jobs[0], "failed", "no\n", error="no")
    said = CliRunner().invoke(cli.status, ["--json"], catch_exceptions=False)
    assert said.exit_code == 0
    told = json.loads(said.output)
    assert told["counts"]["cells"]["failed"] == 1
    assert told["failed"][0]["jobs"][0]["reason"] == "no"
    assert told["failed"][0]["command"][0] == "snakemake"
    assert CliRunner().invoke(cli.status, ["--fail"]).exit_code == 1


def test_files_are_merged_as_snakemake_merges_them(experiment: Experiment) -> None:
    Path("part.yaml").write_text("editors: {ROME: {shards: 2}}\nevaluation_languages: [en]\n", encoding="utf-8")
    config = Experiment.of(["config.yaml", "part.yaml"], ["results=elsewhere"]).config
    assert config["editors"]["ROME"] == {"method": "ROME", "batch_size": 16, "shards": 2, "engine": "crossedit"}
    assert config["editors"].keys() == experiment.config["editors"].keys()
    assert (config["evaluation_languages"], config["results"]) == (["en"], "elsewhere")
    with pytest.raises(UserError, match=r"'confg\.yaml' doesn't exist; did you mean 'config\.yaml'"):
        Experiment.of(["confg.yaml"])
