"""The graph of jobs, as Snakemake plans it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))


def plan(config: dict, folder: Path, *targets: str) -> subprocess.CompletedProcess[str]:
    """Return what `snakemake -n` says of a configuration."""
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump({**config, "results": str(folder / "results")}), encoding="utf-8")
    command = [sys.executable, "-m", "snakemake", "-n", "--cores", "1", "--configfile", str(path), *targets]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment, check=False)


def counts(said: subprocess.CompletedProcess[str]) -> dict[str, int]:
    """Return the number of jobs per rule from the table that Snakemake prints."""
    rows = [line.split() for line in said.stdout.splitlines() if len(line.split()) == 2]
    return {rule: int(number) for rule, number in rows if number.isdigit()}


def test_a_cell_is_a_job_of_its_own_and_what_it_shares_is_made_once(tmp_path: Path) -> None:
    jobs = counts(plan(CONFIG, tmp_path))
    assert jobs["predict"] == jobs["score"] == 2 * 4 * 2
    assert jobs["train"] == jobs["ask"] == 2
    assert jobs["page"] == jobs["make_tables"] == jobs["translate"] == 1


def test_shards_and_exclusions_change_the_number_of_jobs(tmp_path: Path) -> None:
    editors = {**CONFIG["editors"], "ROME": {"method": "ROME", "shards": 3}}
    jobs = counts(plan({**CONFIG, "editors": editors, "exclude": [{"backbone": "demo-en"}]}, tmp_path))
    assert jobs["predict"] == 3 * 2 + 3 * 2
    assert jobs["score"] == 4 * 2
    assert jobs["train"] == 1


@pytest.mark.parametrize("target", ["facts", "edits", "tables", "figures", "report"])
def test_named_targets_exist(target: str, tmp_path: Path) -> None:
    said = plan(CONFIG, tmp_path, "--", target)
    assert said.returncode == 0, said.stderr
    assert ("make_figures" in counts(said)) == (target in ("figures", "report"))


def test_a_mistake_in_the_configuration_stops_the_plan_with_one_sentence(tmp_path: Path) -> None:
    said = plan({**CONFIG, "editors": {"ROMA": {"method": "ROMA"}}}, tmp_path)
    assert said.returncode != 0
    assert "editors.ROMA.method: 'ROMA' is unknown; did you mean 'ROME'?" in said.stderr
    assert "Traceback" not in said.stderr
