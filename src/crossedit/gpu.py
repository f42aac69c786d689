"""What a process uses of its GPU.

meter = Meter()
meter.sample()         now and then, from any thread
meter.used(seconds)    {"name": "NVIDIA H200", "memory_peak": …, "seconds": …, "utilisation": 0.87}; None: no GPU
"""

import os
import sys
from typing import Any

import pynvml


class Meter:
    """Samples how busy the first GPU is that this process may use, once it has begun to use it."""

    def __init__(self) -> None:
        self._busy: list[float] = []
        self._device: Any = None
        self._unknown = False  # the driver doesn't tell

    def sample(self) -> None:
        """Note the share of the last moment in which the GPU worked; nothing while the process doesn't use one."""
        cuda = _cuda()
        if cuda is None or self._unknown:
            return
        try:
            if self._device is None:
                pynvml.nvmlInit()
                self._device = _handle(os.environ.get("CUDA_VISIBLE_DEVICES", ""), cuda.get_device_properties(0))
            self._busy.append(pynvml.nvmlDeviceGetUtilizationRates(self._device).gpu / 100)
        except pynvml.NVMLError:
            self._unknown = True

    def used(self, seconds: float) -> dict[str, Any] | None:
        """Return the GPU's name, the most memory this process had of it (bytes), for how long (seconds), its mean load.

        The load is a share, None where the driver doesn't tell; all is None where the process has used no GPU.
        """
        cuda = _cuda()
        if cuda is None:
            return None
        return {
            "name": cuda.get_device_name(),
            "memory_peak": cuda.max_memory_reserved(),
            "seconds": seconds,
            "utilisation": sum(self._busy) / len(self._busy) if self._busy else None,
        }


def _cuda() -> Any:
    """Return torch.cuda where this process has begun to use it; a process that hasn't is not made to import torch."""
    torch = sys.modules.get("torch")
    cuda = getattr(torch, "cuda", None)  # None too while torch is being imported
    return cuda if cuda is not None and cuda.is_initialized() else None


def _handle(visible: str, properties: Any) -> Any:
    """Return the driver's handle of the first visible device.

    By its UUID where that is known, since CUDA may count devices in another order than the driver; else by its number.
    """
    first = visible.split(",")[0].strip()
    if first.startswith(("GPU-", "MIG-")):
        return pynvml.nvmlDeviceGetHandleByUUID(first)
    if uuid := getattr(properties, "uuid", None):
        return pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{uuid}")
    return pynvml.nvmlDeviceGetHandleByIndex(int(first) if first.isdigit() else 0)
