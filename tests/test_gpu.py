"""What jobs say of the GPU that they used."""

import time
from pathlib import Path

import pytest
import torch

from crossedit import gpu
from crossedit.claims import job
from crossedit.jobs import read_record


class Cuda:
    """Stands for torch.cuda of a process that uses a GPU."""

    @staticmethod
    def is_initialized() -> bool:
        return True

    @staticmethod
    def get_device_properties(_: int) -> object:
        return object()

    @staticmethod
    def get_device_name() -> str:
        return "A GPU"

    @staticmethod
    def max_memory_reserved() -> int:
        return 3 * 2**30


def test_what_a_job_used_of_its_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    loads = iter([20, 60])

    class Load:
        def __init__(self, gpu: int) -> None:
            self.gpu = gpu

    asked = []
    monkeypatch.setattr(gpu, "_cuda", lambda: Cuda)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")
    monkeypatch.setattr(gpu.pynvml, "nvmlInit", lambda: None)
    monkeypatch.setattr(gpu.pynvml, "nvmlDeviceGetHandleByIndex", lambda index: asked.append(index))
    monkeypatch.setattr(gpu.pynvml, "nvmlDeviceGetUtilizationRates", lambda device: Load(next(loads)))
    meter = gpu.Meter()
    meter.sample()
    meter._device = object()
    meter.sample()
    assert asked == [3]
    used = meter.used(10.0)
    assert used == {"name": "A GPU", "memory_peak": 3 * 2**30, "seconds": 10.0, "utilisation": pytest.approx(0.4)}


def test_without_a_driver_the_load_is_unknown_and_without_a_gpu_there_is_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_driver() -> None:
        raise gpu.pynvml.NVMLError(gpu.pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)

    meter = gpu.Meter()
    meter.sample()
    assert meter.used(1.0) is None
    monkeypatch.setattr(gpu, "_cuda", lambda: Cuda)
    monkeypatch.setattr(gpu.pynvml, "nvmlInit", no_driver)
    meter.sample()
    used = meter.used(1.0)
    assert used is not None
    assert used["utilisation"] is None


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
def test_a_job_on_a_gpu_says_what_it_took(tmp_path: Path) -> None:
    out = tmp_path / "x"
    with job(out):
        matrix = torch.rand(4096, 4096, device="cuda")
        deadline = time.monotonic() + 3
        while time.monotonic() < deadline:
            matrix = (matrix @ matrix).clamp(0, 1)
        torch.cuda.synchronize()
    record = read_record(out)
    assert record is not None
    assert record.gpu is not None
    assert record.gpu["name"] == torch.cuda.get_device_name()
    assert record.gpu["memory_peak"] >= 3 * 4096**2 * 4
    assert record.gpu["utilisation"] > 0.3
    assert record.gpu["seconds"] >= 3
