"""Plans how a model fits into the device's memory. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from workbench.engines.diffusers.families import Family
from workbench.rendering import RenderRequest

__all__ = ["MemoryPlan", "Need", "Placement", "decode_fits", "need_of", "plan_memory"]

Placement = Literal["full", "model_offload", "group_offload"]

_MARGIN: Final = 0.92
"""Share of the free memory that is planned with; the rest is the allocator's and the driver's."""
_TILED_SHARE: Final = 0.2
"""What decoding in tiles takes of what decoding whole takes: an estimate for 2×2 tiles and more."""
_GIB: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class Need:
    """What one render needs, in bytes."""

    weights: Mapping[str, int]
    """By component."""
    denoise: int
    """Beyond weights, while denoising."""
    decode: int
    """Beyond weights, while the VAE decodes whole frames."""


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """Where the weights lie and how the VAE decodes, with the reason in words."""

    placement: Placement
    tiled_vae: bool
    reason: str


def need_of(request: RenderRequest, family: Family, weights: Mapping[str, int]) -> Need:
    """Return what ``request`` needs, by its family's estimates per pixel and frame."""
    volume = (request.width or 1280) * (request.height or 720) * (request.num_frames or 121)
    return Need(weights, volume * family.memory.denoise, volume * family.memory.decode)


def decode_fits(need: Need, free_bytes: int | None) -> bool:
    """Tell whether whole frames can be decoded in what is free now; None means: no limit."""
    return free_bytes is None or need.decode <= int(free_bytes * _MARGIN)


def plan_memory(
    need: Need,
    free_bytes: int | None,
    *,
    placement: Placement | Literal["auto"] = "auto",
    tiled_vae: bool | None = None,
) -> MemoryPlan:
    """Return the least slow plan that fits into ``free_bytes``; None means: there is no limit.

    ``placement`` and ``tiled_vae`` are the user's wishes and are kept where given. Where nothing
    fits, the thriftiest plan is returned: the render may still succeed, or say what would fit.
    """
    if free_bytes is None:
        chosen: Placement = "full" if placement == "auto" else placement
        return MemoryPlan(chosen, bool(tiled_vae), "the device's memory is the machine's own")
    room = int(free_bytes * _MARGIN)
    total = sum(need.weights.values())
    largest = max(need.weights.values(), default=0)
    vae = need.weights.get("vae", 0)
    resident: dict[Placement, int] = {"full": total, "model_offload": largest, "group_offload": 0}
    candidates: tuple[Placement, ...] = (
        tuple(resident) if placement == "auto" else (placement,)
    )  # fmt: skip
    for candidate in candidates:
        weights_then = total if candidate == "full" else vae
        left = room - weights_then
        fits_denoise = resident[candidate] + need.denoise <= room
        whole, tiles = need.decode <= left, int(need.decode * _TILED_SHARE) <= left
        tiled = not whole if tiled_vae is None else tiled_vae
        if fits_denoise and (tiles if tiled else whole):
            return MemoryPlan(candidate, tiled, _reason(candidate, tiled, total, need, free_bytes))
    last = candidates[-1]
    tiled = True if tiled_vae is None else tiled_vae
    return MemoryPlan(last, tiled, f"hardly fits: {_reason(last, tiled, total, need, free_bytes)}")


def _reason(placement: Placement, tiled: bool, total: int, need: Need, free_bytes: int) -> str:
    kept = {
        "full": "all weights stay on the device",
        "model_offload": "one component at a time is on the device",
        "group_offload": "weights are streamed to the device layer by layer",
    }[placement]
    how = "in tiles" if tiled else "whole"
    return (
        f"{kept}, frames are decoded {how}: {total / _GIB:.1f} GiB of weights, about "
        f"{need.denoise / _GIB:.1f} GiB to denoise and {need.decode / _GIB:.1f} GiB to decode, "
        f"{free_bytes / _GIB:.1f} GiB free"
    )
