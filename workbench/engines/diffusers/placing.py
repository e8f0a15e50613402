"""Places a loaded pipeline's components by its memory plan, and removes them again."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

from workbench.engines.diffusers.memory import MemoryPlan

__all__ = ["device_budget", "free_unused", "modules_of", "place", "withdraw"]

_GROUP_HOOKS: Final = (
    "group_offloading", "layer_execution_tracker", "lazy_prefetch_group_offloading",
)  # fmt: skip
"""Names under which diffusers registers the hooks of group offloading."""


def place(pipe: Any, plan: MemoryPlan, device: str) -> None:
    """Place every component of ``pipe`` by ``plan``; none may be placed yet."""
    if plan.placement == "full":
        for _, module in modules_of(pipe):
            module.to(device)
    elif plan.placement == "model_offload":
        pipe.enable_model_cpu_offload(device=device)
    else:
        for name, module in modules_of(pipe):
            if plan.streams(name):
                _stream(module, plan, device)
            else:
                module.to(device)


def withdraw(pipe: Any) -> None:
    """Undo :func:`place`; the components stay on their current devices."""
    if hasattr(pipe, "remove_all_hooks"):
        pipe.remove_all_hooks()
        pipe._all_hooks = []  # noqa: SLF001  else a finished call would offload again
    if getattr(pipe, "hf_device_map", None) is not None:
        pipe.hf_device_map = None
    for _, module in modules_of(pipe):
        for part in module.modules():
            registry: Any = getattr(part, "_diffusers_hook", None)
            for name in _GROUP_HOOKS if registry is not None else ():
                registry.remove_hook(name, recurse=False)


def device_budget(device: str) -> int | None:
    """Return the memory of ``device`` that this process holds or may take; None on a CPU."""
    if not device.startswith("cuda"):
        return None
    import torch  # noqa: PLC0415

    return int(torch.cuda.mem_get_info()[0] + torch.cuda.memory_reserved())


def free_unused() -> None:
    """Free what nothing refers to any more, on the device too; imports no library."""
    gc.collect()
    if (torch := sys.modules.get("torch")) is not None and torch.cuda.is_available():
        with suppress(RuntimeError):  # a lost device answers every call with its first error
            torch.cuda.empty_cache()


def modules_of(pipe: Any) -> Iterator[tuple[str, Any]]:
    """Yield the components of ``pipe`` that have weights, by name."""
    import torch  # noqa: PLC0415

    for name, component in pipe.components.items():
        if isinstance(component, torch.nn.Module):
            yield name, component


def _stream(module: Any, plan: MemoryPlan, device: str) -> None:
    import torch  # noqa: PLC0415
    from diffusers.hooks import apply_group_offloading  # noqa: PLC0415

    arguments = {
        "onload_device": torch.device(device),
        "offload_device": torch.device("cpu"),
        "offload_type": "leaf_level",
        "use_stream": device.startswith("cuda"),
        "low_cpu_mem_usage": not plan.pinned,
    }
    module.to("cpu")
    if hasattr(module, "enable_group_offload"):
        module.enable_group_offload(**arguments)
    else:
        apply_group_offloading(module, **arguments)
