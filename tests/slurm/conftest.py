"""The cluster that the tests share, and the small experiment: as it is without Slurm, and to be run on the cluster."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import small
from cluster import Cluster, missing
from clustered import Run

from crossedit.backbones.backbone import Backbone


@pytest.fixture(scope="session")
def started() -> Iterator[Cluster]:
    """Two nodes with two GPUs each, for all tests."""
    if reason := missing():
        pytest.skip(reason)
    with Cluster() as cluster:
        yield cluster


@pytest.fixture
def cluster(started: Cluster) -> Iterator[Cluster]:
    """The cluster with its nodes up and no jobs of other tests."""
    yield started
    started.clear()


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, llama: Backbone) -> small.Experiment:
    """The small experiment's cells and tables, made without Slurm."""
    if reason := missing():
        pytest.skip(reason)
    here = tmp_path_factory.mktemp("undisturbed")
    experiment = small.make(here, llama, backbones={"tiny": {"path": "model"}}, tasks={}, sweeps={})
    ended = experiment.run("--cores", "2", "--quiet", "all", "--", "tables")
    assert ended.returncode == 0, ended.stdout
    return experiment


@pytest.fixture
def run(undisturbed: small.Experiment, cluster: Cluster, tmp_path: Path) -> Callable[..., Run]:
    """Return how a run is laid out that has everything but some cells, by editor and language, and what follows."""

    def laid_out(*cells: str) -> Run:
        experiment = small.Experiment(tmp_path / "experiment")
        shutil.copytree(undisturbed.folder, experiment.folder, symlinks=True)
        for gone in ("reports", *(f"edits/small/tiny/{cell}" for cell in cells)):
            shutil.rmtree(experiment.results / gone)
        return Run.of(experiment, cluster)

    return laid_out
