"""Finds the fastest attention backend that works on this GPU and agrees with the native one."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from functools import cache, partial
from importlib import import_module
from typing import Any, Final

__all__ = ["NATIVE", "best_attention", "offer_flash_attention_3", "relative_error"]

NATIVE: Final = "native"
"""The default of diffusers: torch chooses."""

_CANDIDATES: Final = ("_flash_3", "flash", "_native_cudnn")
"""Backends that differ from the native one only by rounding."""
_TRIAL_SHAPE: Final = (1, 16_384, 12, 128)
"""Batch, tokens, heads, width: the proportions of a short video of Wan 1.3B."""
_TRIAL_TOLERANCE: Final = 2e-2
_WORTH_IT: Final = 0.97
"""A backend must take less than this share of the native time; smaller gains are noise."""


def best_attention(refused: Collection[str] = ()) -> str:
    """Return the fastest attention backend here that agrees with the native one.

    ``refused`` names backends that a model cannot use. The native one is the last resort.
    """
    return next(name for name in _ranked() if name == NATIVE or name not in refused)


@cache
def _ranked() -> tuple[str, ...]:
    """Return the usable backends, the fastest first, the native one last.

    Measured once per process, at the size of a video model. A backend that is missing, fails or
    disagrees is left out.
    """
    import torch  # noqa: PLC0415
    from diffusers.models.attention_dispatch import dispatch_attention_fn  # noqa: PLC0415

    offer_flash_attention_3()
    given = [torch.randn(_TRIAL_SHAPE, device="cuda", dtype=torch.bfloat16) for _ in range(3)]
    native = partial(dispatch_attention_fn, *given, backend=NATIVE)
    plain = native()
    limit_s = _timed(native) * _WORTH_IT
    times: dict[str, float] = {}
    for name in _CANDIDATES:
        tried = partial(dispatch_attention_fn, *given, backend=name)
        try:
            if relative_error(tried(), plain) > _TRIAL_TOLERANCE:
                continue
            took_s = _timed(tried)
        except (RuntimeError, ValueError, ImportError, TypeError, NotImplementedError):
            continue
        if took_s < limit_s:
            times[name] = took_s
    return (*sorted(times, key=times.__getitem__), NATIVE)


def offer_flash_attention_3() -> bool:
    """Make an installed FlashAttention 3 known to diffusers; return whether it is usable.

    diffusers looks for the package built from source. The ``fa3-fwd`` wheel (forward pass only, for
    Hopper) has the same function under another name.
    """
    from diffusers.models import attention_dispatch as dispatch  # noqa: PLC0415

    if dispatch._CAN_USE_FLASH_ATTN_3:  # noqa: SLF001  diffusers has no public way to ask or tell
        return True
    try:
        kernels = import_module("fa3_fwd_interface")
    except (ImportError, OSError, RuntimeError):
        return False
    dispatch.flash_attn_3_func = kernels.flash_attn_func
    dispatch._CAN_USE_FLASH_ATTN_3 = True  # noqa: SLF001
    return True


def relative_error(one: Any, other: Any) -> float:
    """Return the root mean square difference over the root mean square of ``other``."""
    difference = (one.float() - other.float()).pow(2).mean().sqrt()
    size = other.float().pow(2).mean().sqrt()
    return float(difference / size.clamp_min(1e-12))


def _timed(call: Callable[[], Any], repeats: int = 8) -> float:
    import torch  # noqa: PLC0415

    call()
    torch.cuda.synchronize()
    started = time.perf_counter()
    for _ in range(repeats):
        call()
    torch.cuda.synchronize()
    return time.perf_counter() - started
