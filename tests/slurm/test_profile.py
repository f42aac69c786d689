"""The lines that the profile tells users to adapt do what is said of them."""

import re
import subprocess
from pathlib import Path

import pytest
import small
from cluster import Cluster
from clustered import PROFILE

pytestmark = pytest.mark.slurm

SNAKEFILE = """\
rule all:
    input: "edited", "scored"
rule edit:
    output: "edited"
    resources: gpu=1
    shell: "echo $CUDA_VISIBLE_DEVICES > {output}"
rule score:
    output: "scored"
    resources: gpu=0, gpu_model=""
    shell: "echo none > {output}"
"""


def test_type_of_gpu_and_partitions(cluster: Cluster, tmp_path: Path) -> None:
    text = (small.ROOT / "slurm" / PROFILE).read_text(encoding="utf-8")
    for line, wanted in (
        (r"  # (gpu_model: )h200 .*", r"  \1h200"),
        (r"# (slurm-partition-config: partitions.yaml)", r"\1"),
        (r"(slurm-init-seconds-before-status-checks: )40", r"\g<1>1"),
    ):
        text, number = re.subn(f"(?m)^{line}$", wanted, text)
        assert number == 1, line
    partitions = re.search(r"(?m)^#   partitions:\n(#     .*\n)+", text)
    assert partitions is not None
    (tmp_path / "slurm").mkdir()
    (tmp_path / "slurm" / PROFILE).write_text(text, encoding="utf-8")
    (tmp_path / "slurm/partitions.yaml").write_text(re.sub("(?m)^#   ", "", partitions[0]), encoding="utf-8")
    (tmp_path / "Snakefile").write_text(SNAKEFILE, encoding="utf-8")

    subprocess.run(["snakemake", "--profile", "slurm"], cwd=tmp_path, env=cluster.prompt, check=True)

    edit, score = sorted(cluster.jobs(tmp_path), key=lambda job: job.rule)
    assert (edit.gpus, edit.gpu_model, edit.partition) == (1, "h200", "gpu")
    assert (score.gpus, score.gpu_model, score.partition) == (0, "", "cpu")
    assert (tmp_path / "edited").read_text().strip() in ("0", "1")
