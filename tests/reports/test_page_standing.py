"""How an experiment stands, on the report's page."""

from pathlib import Path

import made_page
import pytest
from made_page import Document
from standing import chains, lives, record, stand

from crossedit.config import Cell
from crossedit.reports.page.standing import standing
from crossedit.runs.experiment import Experiment
from crossedit.runs.rules import Rules

RESULTS = Path("results")


@pytest.fixture
def experiment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Experiment:
    """An experiment of which one job has failed, and of which the report's page is just being made."""
    found = stand(tmp_path, monkeypatch)
    record(chains(found).cells[Cell("demo", "small", "MEMIT", "en")].jobs[0], "failed", "KeyError\n", error="a <b> key")
    page = Rules(found.config).making("results/reports/index.html")
    assert page is not None
    record(page, "running", **lives())
    return found


def test_a_whole_configuration_says_how_the_experiment_stands(experiment: Experiment) -> None:
    shown = standing(experiment.config, RESULTS, ["config.yaml", "my config.yaml"])
    assert shown is not None
    assert shown.sentences[0] == "Cells: 0 of 12 done, 1 failed, 11 missing."
    (failure,) = shown.failed
    assert failure.jobs[0].reason == "a <b> key"
    assert failure.command.startswith("snakemake --configfile config.yaml 'my config.yaml' --cores all")


@pytest.mark.parametrize("state", ["running", "failed"])
def test_the_page_is_no_news_of_its_own(experiment: Experiment, state: str) -> None:
    page = Rules(experiment.config).making("results/reports/index.html")
    assert page is not None
    record(page, state, **(lives() if state == "running" else {}))
    shown = standing(experiment.config, RESULTS)
    assert shown is not None
    assert not shown.running
    assert [failure.name for failure in shown.failed] == ["demo/small/MEMIT/en"]


def test_a_page_without_a_whole_configuration_has_no_status(experiment: Experiment) -> None:
    assert standing({}, RESULTS) is None
    assert standing(experiment.config, None) is None
    partly = {name: value for name, value in experiment.config.items() if name != "sweeps"}
    assert standing(partly, RESULTS) is None


def test_the_page_shows_grid_reasons_and_commands(experiment: Experiment, tmp_path: Path) -> None:
    shown = standing(experiment.config, RESULTS, ["config.yaml"])
    document = Document(made_page.html(tmp_path / "other", standing=shown))
    text = " ".join(document.text.split())
    assert "standing" in [attributes.get("id") for attributes in document.all("section")]
    for said in (
        "predict: a <b> key",
        "--configfile config.yaml",
        "demo: facts edited one at a time",
        "1: missing, 4: missing",
    ):
        assert said in text
