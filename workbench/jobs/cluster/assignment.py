"""The device that Ray assigned to this process, read from the variable that Ray sets."""

from __future__ import annotations

import os

from workbench.jobs.devices import Nvml, Slot, cpu_label

__all__ = ["assigned_slot"]


def assigned_slot(kind: str) -> Slot:
    """Return the slot of this process; a GPU that NVML does not know has no UUID and no label."""
    if kind == "cpu":
        return Slot("cpu:0", "cpu", None, None, cpu_label(), ())
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")[0].strip()
    for gpu in Nvml().gpus():
        if visible == str(gpu.gpu_id) or (len(visible) > 4 and gpu.uuid.startswith(visible)):
            return Slot("cuda:0", "cuda", gpu.uuid, gpu.gpu_id, gpu.label, ())
    number = int(visible) if visible.isdecimal() else None
    return Slot("cuda:0", "cuda", None, number, "", ())
