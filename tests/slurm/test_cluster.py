"""The test cluster itself: what a failing test has started is gone afterwards."""

from pathlib import Path

import pytest
from cluster import Cluster, missing

pytestmark = pytest.mark.slurm


@pytest.mark.skipif(missing() is not None, reason=str(missing()))
def test_nothing_is_left_behind_of_a_test_that_fails(tmp_path: Path) -> None:
    def fail(cluster: Cluster) -> None:
        with cluster:
            cluster.run(
                "sbatch", f"--chdir={tmp_path}", "--output=log", "--wrap", "srun sh -c 'echo > begun; sleep 300'"
            )
            cluster.wait("a job to run", lambda: (tmp_path / "begun").exists())
            assert cluster.processes("n1")
            raise ZeroDivisionError

    cluster = Cluster(nodes=1, gpus=1)
    with pytest.raises(ZeroDivisionError):
        fail(cluster)
    assert not cluster.processes()
    assert not cluster.folder.exists()


def test_job_of_a_failed_node_starts_again(cluster: Cluster, tmp_path: Path) -> None:
    cluster.run("sbatch", f"--chdir={tmp_path}", "--output=log", "--wrap", "echo begun >> begun; sleep 300")
    cluster.wait("the job to begin", lambda: (tmp_path / "begun").exists())
    [job] = cluster.jobs(tmp_path)
    cluster.fail(job.node)
    cluster.wait("the job to begin again", lambda: (tmp_path / "begun").read_text().count("begun") == 2)
    cluster.mend(job.node)
    [again] = cluster.jobs(tmp_path)
    assert (again.id, again.state, again.starts) == (job.id, "RUNNING", 2)
    assert again.node != job.node
    cluster.run("scancel", job.id)
    cluster.wait("the job to end", lambda: cluster.jobs(tmp_path)[0].state == "CANCELLED")
