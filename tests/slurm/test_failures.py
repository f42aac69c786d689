"""A cell that fails once gets more and succeeds; one that always fails stops no other, and is run again alone."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import small
import yaml
from clustered import Run

pytestmark = pytest.mark.slurm

FAILS_ONCE = """\
#!/bin/sh
# Stands before the real one: the first time that the cell is to be edited, the job ends with an error.
case "$*" in
*"edits run"*ROME/zh/predictions.1-of-2*) mkdir {folder}/failed && echo "no memory left" >&2 && exit 1 ;;
esac
exec {bin}/crossedit "$@"
"""


def set_objective(run: Run, objective: str) -> None:
    """Have the experiment a further editor, of this objective; an unknown one is found out by its job."""
    file = run.experiment.folder / "config.yaml"
    config = yaml.safe_load(file.read_text(encoding="utf-8"))
    hparams = {"layers": [1], "num_steps": 3, "objective_optimization": objective}
    config["editors"]["broken"] = {"method": "FT-M", "hparams": hparams, "batch_size": 5}
    config["exclude"] = [{"editor": "FT-M", "language": "zh"}, {"editor": "broken", "language": "zh"}]
    file.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")


def test_failures(run: Callable[..., Run], undisturbed: small.Experiment, tmp_path: Path) -> None:
    here = run("ROME/zh", "FT-M/en")
    set_objective(here, "nothing")
    shim = tmp_path / "first/crossedit"
    shim.parent.mkdir()
    shim.write_text(FAILS_ONCE.format(folder=tmp_path, bin=Path(sys.executable).parent), encoding="utf-8")
    shim.chmod(0o755)
    environment = {**here.cluster.prompt, "PATH": f"{shim.parent}:{here.cluster.prompt['PATH']}"}

    ended = here.run(env=environment)

    assert ended.returncode > 0, ended.stdout
    once, then = here.jobs("predict", "small_tiny_ROME_zh_1_2")
    assert (once.state, then.state) == ("FAILED", "COMPLETED")
    assert then.memory > once.memory
    assert then.minutes > once.minutes
    always = here.jobs("predict", "small_tiny_broken_en_1_1")
    assert [job.state for job in always] == ["FAILED"] * 3
    assert sorted({job.memory for job in always}) == [job.memory for job in always]
    made, wanted = here.experiment.tables(), undisturbed.tables()
    cells = [table for table in wanted if not table.startswith("reports/")]
    assert [table for table in cells if table not in made or not made[table].equals(wanted[table])] == []

    said = status(here)
    assert "Cells: 3 of 4 done, 1 failed." in said
    assert "objective_optimization: 'nothing' is unknown" in said
    [command] = re.findall(r"again: (.*)", said)

    set_objective(here, "target_new")
    before = len(here.jobs())
    again = subprocess.run(command, shell=True, cwd=here.experiment.folder, env=here.cluster.prompt, check=False)
    assert again.returncode == 0
    assert [(job.rule, job.wildcards) for job in here.jobs()[before:]] == [
        ("predict", "small_tiny_broken_en_1_1"),
        ("score", "small_tiny_broken_en"),
    ]
    assert "Cells: 4 of 4 done." in status(here)


def status(run: Run) -> str:
    """Return what `crossedit status` shows."""
    return run.cluster.run("crossedit", "status", "--profile", "slurm", cwd=run.experiment.folder)
