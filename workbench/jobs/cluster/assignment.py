"""Which device the cluster has given to this process, by the variable through which Ray says so."""

from __future__ import annotations

import os

from workbench.jobs.devices import Gpu, Nvml

__all__ = ["assigned_gpu", "visible_number"]


def assigned_gpu() -> Gpu | None:
    """Return the GPU that the cluster shows to this process; None where no library knows it."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")[0].strip()
    for gpu in Nvml().gpus():
        if visible == str(gpu.gpu_id) or (len(visible) > 4 and gpu.uuid.startswith(visible)):
            return gpu
    return None


def visible_number() -> int | None:
    """Return the number of the GPU, where it is shown by a number."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")[0].strip()
    return int(visible) if visible.isdecimal() else None
