"""A run that would write what a living job writes says what to cancel, and begins nothing."""

import os
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from crossedit.claims import job
from crossedit.runs.orphans import Made, refuse

QUEUE = """#!/bin/sh
echo '41|RUNNING|{folder}|rule_predict_wildcards_demo_org_bi_1'
echo '42|PENDING|{folder}|rule_collect'
echo '43|PENDING|/elsewhere|rule_page'
echo '44|COMPLETING|{folder}|rule_page'
echo '45|PENDING|{folder}|(null)'
echo '46|RUNNING|{folder}|rule_score_wildcards_demo'
echo '47|RUNNING|{folder}|rule_embed'
echo '48|PENDING|{folder}|rule_ask_wildcards_demo_bi'
"""

# What `scontrol write batch_script NUMBER -` prints.
SCRIPTS = """#!/bin/sh
case $3 in
46) echo "python -m snakemake --target-jobs x --config seed=1 results=elsewhere --nolock" ;;
47) echo "python -m snakemake --configfiles other.yaml --mode remote" ;;
*) echo "python -m snakemake --configfiles config.yaml --mode remote" ;;
esac
"""


@pytest.fixture
def queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Slurm that knows some jobs; two of them were submitted from this folder and are not about to end."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "squeue").write_text(QUEUE.format(folder=tmp_path))
    (programs / "scontrol").write_text(SCRIPTS)
    for program in programs.iterdir():
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text("seed: 1")
    (tmp_path / "other.yaml").write_text("results: elsewhere")


@pytest.mark.usefixtures("queue")
def test_slurm_jobs_of_this_folder_that_make_the_same_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    wanted = [
        Made("predict", ("demo", "org/bi", "1"), ("out/predictions.parquet",)),
        Made("collect", (), ("out/scores.parquet",)),
        Made("page", (), ("out/index.html",)),
        Made("score", ("demo",), ("out/other.parquet",)),
    ]
    with pytest.raises(SystemExit) as ended:
        refuse("results", wanted)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "Slurm job 41, running: out/predictions.parquet" in said
    assert "Slurm job 42, pending: out/scores.parquet" in said
    assert "`scancel 41 42`" in said
    assert "index.html" not in said
    assert "Traceback" not in said


@pytest.mark.usefixtures("queue")
def test_jobs_of_the_same_name_in_other_experiments_are_none_of_ours(capsys: pytest.CaptureFixture[str]) -> None:
    wanted = [Made("score", ("demo",), ("out/x.parquet",)), Made("embed", (), ("out/y",))]
    refuse("results", wanted)
    with pytest.raises(SystemExit):
        refuse("elsewhere", wanted)
    assert "`scancel 46 47`" in capsys.readouterr().err


@pytest.mark.usefixtures("queue")
def test_wildcards_may_stand_in_another_order(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        refuse("results", [Made("ask", ("bi", "demo"), ("out/probes.parquet", "out/unedited.parquet"))])
    assert "`scancel 48`" in capsys.readouterr().err


@pytest.mark.usefixtures("queue")
def test_what_no_living_job_makes_is_let_through() -> None:
    refuse(
        "results",
        [Made("predict", ("demo", "org/bi", "2"), ("out/predictions.parquet",)), Made("page", (), ("out/p",))],
    )


def test_a_process_that_holds_an_output_is_named_until_it_has_ended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "scores.parquet"
    script = f"import time; from pathlib import Path; from crossedit.claims import job\nwith job(Path({str(out)!r})):\n"
    script += "    print('begun', flush=True); time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "begun\n"
        with pytest.raises(SystemExit):
            refuse("results", [Made("score", (), (str(out), "also"))])
        said = capsys.readouterr().err
        assert f"process {other.pid}" in said
        command = said.split("End them with `")[1].split("`")[0]
        subprocess.run(command.split(), check=True)
        other.wait(60)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                refuse("results", [Made("score", (), (str(out),))])
                break
            except SystemExit:
                time.sleep(0.1)
        else:
            raise AssertionError("the job has ended, and is still held to live")


def test_many_jobs_are_told_in_few_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outs = [tmp_path / str(number) for number in range(14)]
    with ExitStack() as held:
        for out in outs:
            held.enter_context(job(out))
        with pytest.raises(SystemExit):
            refuse("results", [Made("score", (), (str(out),)) for out in outs])
    said = capsys.readouterr().err
    assert "and 4 more" in said
    assert f"`kill {os.getpid()}`" in said
