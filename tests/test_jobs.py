"""What jobs say of themselves: claims of outputs, and how they ended."""

import getpass
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crossedit import claims
from crossedit.claims import job
from crossedit.errors import UserError
from crossedit.files import leftovers, whole
from crossedit.jobs import Record, alive, cancel, load_record, read_record, record_of, write_record

SLEEPER = """
import sys, time
from pathlib import Path
from crossedit.claims import job
from crossedit.files import whole
out = Path(sys.argv[1])
with job(out), whole(out) as temporary:
    temporary.write_text("begun")
    print("begun", flush=True)
    time.sleep(600)
"""


def sleeper(out: Path, **variables: str) -> subprocess.Popen[str]:
    """Start a job that is in the middle of writing `out`."""
    started = subprocess.Popen(
        [sys.executable, "-c", SLEEPER, str(out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **variables},
    )
    assert started.stdout is not None
    assert started.stdout.readline() == "begun\n"
    return started


def test_a_record_says_how_a_job_ended(tmp_path: Path) -> None:
    out = tmp_path / "scores.parquet"
    assert read_record(out) is None
    with job(out):
        running = read_record(out)
        assert running is not None
        assert running.state == "running"
        assert alive(running)
        out.write_text("made")
    done = read_record(out)
    assert done is not None
    assert (done.state, done.error, done.pid, done.output) == ("done", None, os.getpid(), str(out))
    assert done.ended is not None
    assert done.memory_peak is not None
    assert done.begun < done.ended
    assert done.memory_peak > 10**6
    assert not alive(done)

    with pytest.raises(UserError, match="too few"), job(out):
        raise UserError("too few facts.")
    failed = read_record(out)
    assert failed is not None
    assert (failed.state, failed.error) == ("failed", "too few facts.")
    with pytest.raises(ZeroDivisionError), job(out):
        _ = 1 / 0
    failed = read_record(out)
    assert failed is not None
    assert failed.error == "ZeroDivisionError: division by zero"
    with pytest.raises(KeyboardInterrupt), job(out):
        raise KeyboardInterrupt
    failed = read_record(out)
    assert failed is not None
    assert failed.error == "it was interrupted (SIGINT)"


def test_two_jobs_never_write_one_output(tmp_path: Path) -> None:
    out = tmp_path / "scores.parquet"
    other = sleeper(out)
    with pytest.raises(UserError) as refused, job(out):
        raise AssertionError("it was let in")
    assert f"{out}: process {other.pid} on {socket.gethostname()}" in str(refused.value)
    assert f"`kill {other.pid}`" in str(refused.value)
    # What it says is what helps.
    subprocess.run(cancel(read_record(out)).split(), check=True)  # type: ignore[arg-type]
    assert other.wait(60) == 128 + signal.SIGTERM
    told = read_record(out)
    assert told is not None
    assert told.state == "failed"
    assert "told to end" in str(told.error)
    assert list(tmp_path.iterdir()) == [record_of(out)]
    with job(out):
        out.write_text("mine")


def test_every_output_is_tried_before_the_work(tmp_path: Path) -> None:
    out, other = tmp_path / "made/a.parquet", tmp_path / "file/b.parquet"
    (tmp_path / "file").touch()
    for outputs in ((out, other), (other, out)):
        with pytest.raises(UserError, match=rf"{other}: can't be written \(.*file is a file\)"), job(*outputs):
            raise AssertionError("the work has begun")
    assert {path.name for path in tmp_path.rglob("*")} == {"file", "made", record_of(out).name}
    told = read_record(out)
    assert told is not None
    assert (told.state, f"{other}: can't be written" in str(told.error)) == ("failed", True)
    with job(out, tmp_path / "made/c.parquet"):
        assert [path for path in out.parent.iterdir() if path != record_of(out)] == []


def test_a_killed_jobs_output_is_taken_over_and_its_leftovers_go(tmp_path: Path) -> None:
    out = tmp_path / "scores.parquet"
    other = sleeper(out)
    other.kill()
    other.wait(60)
    killed = read_record(out)
    assert killed is not None
    assert killed.state == "running"
    assert not alive(killed)
    assert len(leftovers(out)) == 1
    with job(out), whole(out) as temporary:
        temporary.write_text("mine")
    assert {path.name for path in tmp_path.iterdir()} == {"scores.parquet", ".scores.parquet.job.json"}
    assert out.read_text() == "mine"


def written(out: Path, **changed: Any) -> Record:
    """Return the record of a job on another machine."""
    said = {"state": "running", "output": str(out), "command": ["crossedit"], "host": "n7", "pid": 1, "begun": 0.0}
    said |= {"slurm": None, "user": getpass.getuser(), "beat": time.time()}
    return Record(**{**said, **changed})


def squeue(folder: Path, script: str) -> None:
    """Put a program named squeue into a folder."""
    program = folder / "squeue"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def test_slurm_is_asked_about_a_job_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    record = written(tmp_path / "x", slurm="12", beat=0.0)
    squeue(tmp_path, "echo '11|PENDING|/x|(null)'; echo '12|RUNNING|/x|rule_score'")
    assert alive(record)
    assert cancel(record) == "scancel 12"
    squeue(tmp_path, "echo '11|PENDING|/x|(null)'")
    assert not alive(record)
    # What others have in the queue isn't shown.
    others = written(tmp_path / "x", slurm="12", user="somebody")
    assert alive(others)
    assert not alive(replace(others, beat=0.0))
    # A job that Slurm starts anew has its number again; what it finds is its own, from before.
    squeue(tmp_path, "echo '12|RUNNING|/x|rule_score'")
    monkeypatch.setenv("SLURM_JOB_ID", "12")
    assert not alive(record)


def test_where_nobody_can_be_asked_the_heartbeat_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    squeue(tmp_path, "echo 'Unable to contact slurm controller' >&2; exit 1")
    for slurm in ("12", None):
        assert alive(written(tmp_path / "x", slurm=slurm))
        assert not alive(written(tmp_path / "x", slurm=slurm, beat=time.time() - 3600))
    assert cancel(written(tmp_path / "x")) == "ssh n7 kill 1"


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"state": "done"}', '{"state": "running", "output": "x", "command": null, "pid": 1}']
)
def test_a_record_that_cannot_be_read_is_passed_over(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "x"
    record_of(out).write_text(text)
    assert load_record(record_of(out)) is None
    assert "is no readable record of a job" in capsys.readouterr().err
    with job(out):
        out.write_text("made")
    made = read_record(out)
    assert made is not None
    assert made.state == "done"


def test_of_jobs_that_begin_together_one_gets_the_output(tmp_path: Path) -> None:
    """Six processes find a record of a dead job: one alone may write."""
    out = tmp_path / "x"
    write_record(written(out, host="n7", beat=0.0), record_of(out))
    os.utime(record_of(out), (0, 0))
    script = "import sys\nfrom pathlib import Path\nfrom crossedit.claims import job\n"
    script += "print('ready', flush=True)\nsys.stdin.readline()\nwith job(Path(sys.argv[1])):\n    print('in')\n"
    script += "    sys.stdin.read()"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    jobs = [subprocess.Popen([sys.executable, "-c", script, str(out)], **pipes) for _ in range(6)]
    assert [one.stdout.readline() for one in jobs] == ["ready\n"] * 6
    for one in jobs:
        one.stdin.write("go\n")
        one.stdin.flush()
    # Those that are refused end by themselves; the one that is in waits for its input to end.
    deadline = time.monotonic() + 120
    while sum(one.poll() is None for one in jobs) > 1 and time.monotonic() < deadline:
        time.sleep(0.05)
    ends = [one.communicate() for one in jobs]
    assert sum(said == "in\n" for said, _ in ends) == 1
    assert sum("has been writing it since" in error for _, error in ends) == 5
    assert [path.name for path in tmp_path.iterdir()] == [record_of(out).name]


def test_a_claim_that_another_takes_for_left_over_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, link = tmp_path / "x", os.link

    def swept(new: Path, path: Path) -> None:
        monkeypatch.setattr(os, "link", link)
        new.unlink()
        link(new, path)

    monkeypatch.setattr(os, "link", swept)
    with job(out):
        running = read_record(out)
        assert running is not None
        assert running.pid == os.getpid()


def test_a_refused_jobs_claim_may_have_been_taken_for_left_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, link = tmp_path / "x", os.link
    write_record(written(out), record_of(out))

    def swept(new: Path, path: Path) -> None:
        try:
            link(new, path)
        finally:
            new.unlink()

    monkeypatch.setattr(os, "link", swept)
    with pytest.raises(UserError, match="process 1 on n7 has been writing it"), job(out):
        raise AssertionError("it was let in")


@pytest.mark.parametrize("swept", [False, True])
def test_a_record_is_not_put_back_where_a_third_job_is_in(
    swept: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job finds a dead one's record, but puts away that of another which was quicker; then a third gets in."""
    out, rename, link = tmp_path / "x", os.rename, os.link
    write_record(written(out), record_of(out))
    os.utime(record_of(out), (0, 0))

    def late(path: Path, away: Path) -> None:
        write_record(written(out, pid=2), path)
        rename(path, away)

    def later(new: Path, path: Path) -> None:
        if "away" in new.name:
            write_record(written(out, pid=3), path)
            if swept:
                new.unlink()
        link(new, path)

    monkeypatch.setattr(os, "rename", late)
    monkeypatch.setattr(os, "link", later)
    with pytest.raises(UserError, match="process 3 on n7 has been writing it"), job(out):
        raise AssertionError("it was let in")
    assert list(tmp_path.iterdir()) == [record_of(out)]


def test_a_dead_jobs_record_may_be_put_away_by_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, rename = tmp_path / "x", os.rename
    write_record(written(out), record_of(out))
    os.utime(record_of(out), (0, 0))

    def late(path: Path, away: Path) -> None:
        path.unlink()
        rename(path, away)

    monkeypatch.setattr(os, "rename", late)
    with job(out):
        assert (read_record(out) or written(out)).pid == os.getpid()


def test_what_seems_left_over_may_go_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "leftovers", lambda path: [path.with_name("gone")])
    with job(tmp_path / "x"):
        pass


def test_a_job_that_was_held_for_dead_leaves_its_successors_record_alone(tmp_path: Path) -> None:
    out = tmp_path / "x"
    with job(out):
        mine = read_record(out)
        assert mine is not None
        successor = replace(mine, host="n7", pid=1)
        write_record(successor, record_of(out))
    found = read_record(out)
    assert found is not None
    assert (found.state, found.host) == ("running", "n7")


def test_a_running_job_moves_its_records_time_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "SECONDS_BETWEEN_BEATS", 0.0)
    out = tmp_path / "x"
    with job(out):
        os.utime(record_of(out), (0, 0))
        deadline = time.monotonic() + 60
        while record_of(out).stat().st_mtime < 1 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert record_of(out).stat().st_mtime > 1
