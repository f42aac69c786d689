"""What a job asks of a cluster, by its backbone, its editor, and how often it was tried.

    of = subject(config, "predict", job.wildcards)        Subject(backbone="llama-7b", editor="FT-L", …)
    needs(config, "predict", of, attempt=1)               Needs(gpu=1, gpu_mem_mb=…, mem_mb=…, runtime=…)

Estimates, rounded up (memory.py, durations.py). Nothing here imports a model library: Snakemake asks for each job.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from crossedit.runs.estimates.durations import ON_GPU, Subject, expected_seconds
from crossedit.runs.estimates.memory import gpu_bytes
from crossedit.runs.estimates.sizes import bytes_of, size_of

MB = 2**20
# The host's memory of a process with torch, and of two of Snakemake's around it.
_PROCESS = 3500 * MB


class Needs(NamedTuple):
    """Number of GPUs, memory of each and of the host (MiB), and the time after which a job is given up (minutes)."""

    gpu: int
    gpu_mem_mb: int
    mem_mb: int
    runtime: int


def needs(config: Mapping[str, Any], rule: str, of: Subject, attempt: int = 1) -> Needs:
    """Return what a rule's job asks for; the host's memory and the time grow with each attempt.

    The time is at most `max_runtime` (minutes) of the configuration, since no node takes a job that wants more than
    its queue allows.
    """
    backbone, editor = of.backbone, of.editor
    minutes = 4 * expected_seconds(config, rule, of) / 60
    if rule not in ON_GPU or backbone is None:
        return Needs(0, 0, attempt * 2000, _bounded(config, attempt * (30 + minutes)))
    held: float = gpu_bytes(config, rule, backbone, editor)
    weights = size_of(config, backbone).parameters * bytes_of(config, backbone)
    on_cpu = config["backbones"][backbone].get("device") == "cpu"
    # A model passes through the host's memory on its way to the GPU.
    host = _PROCESS + (held if on_cpu else int(1.2 * weights))
    return Needs(
        gpu=0 if on_cpu else 1,
        gpu_mem_mb=0 if on_cpu else _rounded(held / MB),
        mem_mb=_rounded(attempt * host / MB),
        runtime=_bounded(config, attempt * (15 + minutes)),
    )


def _bounded(config: Mapping[str, Any], minutes: float) -> int:
    return min(int(minutes), config["max_runtime"])


def _rounded(mb: float) -> int:
    """Return the next multiple of 500."""
    return int(-(-mb // 500) * 500)
