"""Plans, before a render, where a model's components are placed and how the VAE decodes.

Pure arithmetic: free memory, weight sizes and the render's size are given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from workbench.engines.diffusers.families import Family, MemoryRule
from workbench.rendering import RenderRequest

__all__ = [
    "PLACEMENTS",
    "MemoryPlan",
    "Need",
    "Placement",
    "is_denoiser",
    "is_text_encoder",
    "lower_placement",
    "need_of",
    "plan_memory",
]

Placement = Literal["full", "text_offload", "model_offload", "group_offload"]
PLACEMENTS: Final[tuple[Placement, ...]] = (
    "full", "text_offload", "model_offload", "group_offload",
)  # fmt: skip
"""From the fastest to the one that needs least memory.

``full``: every component stays on the device. ``text_offload``: denoiser and VAE stay, the text
encoders are streamed, once per prompt. ``model_offload``: one component at a time is on the device.
``group_offload``: text encoders and denoisers are streamed layer by layer in every forward; the VAE
stays.
"""

_DENOISER_STAYS: Final = {"full", "text_offload"}
_MARGIN: Final = 0.92
"""Share of the free memory to plan with; the rest is for the allocator and the driver."""
_HOST_MARGIN: Final = 0.95
_TILED_SHARE: Final = 0.2
"""Memory of tiled decoding as a share of whole decoding: an estimate for 2×2 tiles and more."""
_STREAM_BYTES: Final = 3 << 28
"""Layers on the device at once when weights are streamed, prefetched ones included."""
_PINNED: Final = 2.0
"""Page-locked copies in the worst case: the allocator rounds each tensor up to a power of two."""
_GIB: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class Need:
    """The memory that one render needs, in bytes."""

    weights: Mapping[str, int]
    """By component, in the number format in which it is used."""
    denoise: int
    """Beyond weights, while denoising."""
    decode: int
    """Beyond weights, while the VAE decodes whole frames."""
    through_host: Mapping[str, int] = field(default_factory=dict)
    """Components that pass through the machine's memory on their way to the device, with the bytes
    that they take there; all others are read straight from disk to the device."""

    @property
    def total(self) -> int:
        """All weights together."""
        return sum(self.weights.values())


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """Where the weights are placed and how the VAE decodes, with the reason in words."""

    placement: Placement
    tiled_vae: bool
    reason: str
    pinned: bool = True
    """Whether streamed weights are kept in page-locked memory, which is faster to copy from."""
    problem: str = ""
    """Why this machine cannot hold the model; empty if it can."""
    hardly: bool = False
    """Whether even the plan that needs least memory is too large, by the estimate."""

    def streams(self, component: str) -> bool:
        """Tell whether ``component`` is streamed to the device, layer by layer."""
        if self.placement == "text_offload":
            return is_text_encoder(component)
        return self.placement == "group_offload" and (
            is_text_encoder(component) or is_denoiser(component)
        )

    @property
    def denoiser_stays(self) -> bool:
        """Whether denoiser and VAE stay on the device throughout a render."""
        return self.placement in _DENOISER_STAYS


def is_text_encoder(component: str) -> bool:
    """Tell whether ``component`` (its name in the pipeline) reads the prompt."""
    return component.startswith("text_encoder")


def is_denoiser(component: str) -> bool:
    """Tell whether ``component`` runs in every step."""
    return component.startswith(("transformer", "unet"))


def need_of(
    request: RenderRequest,
    family: Family,
    weights: Mapping[str, int],
    configs: Mapping[str, Mapping[str, object]] | None = None,
    *,
    wide_vae: bool = False,
    through_host: Mapping[str, int] | None = None,
) -> Need:
    """Return what ``request`` needs: weights as given, the rest estimated from its size.

    ``configs`` are the components' configurations, if available: a transformer of twice the width
    needs twice the memory. ``wide_vae`` tells that the VAE runs in 32 bits. ``through_host`` is as
    in :class:`Need`.
    """
    area = (request.width or 1280) * (request.height or 720)
    frames = family.frames_at_once(request.num_frames or 121)
    rule = family.memory
    alive = min(frames, rule.decode_frames or frames)
    decode = area * alive * rule.decode * (2 if wide_vae else 1)
    return Need(weights, _denoise(area, frames, rule, configs or {}), decode, through_host or {})


def _denoise(
    area: int, frames: int, rule: MemoryRule, configs: Mapping[str, Mapping[str, object]]
) -> int:
    """Return the bytes that a forward needs beyond the weights.

    For a transformer whose shape is known: eight tensors of its width and two of its feed-forward
    width, two bytes per value, for each token of the video.
    """
    shape = configs.get("transformer", {})
    heads, width, inner = (
        shape.get(name) for name in ("num_attention_heads", "attention_head_dim", "ffn_dim")
    )
    patch = shape.get("patch_size")
    if not (
        isinstance(heads, int)
        and isinstance(width, int)
        and isinstance(inner, int)
        and isinstance(patch, list | tuple)
    ):
        return area * frames * rule.denoise
    vae = configs.get("vae", {})
    spatial, temporal = (
        value if isinstance(value := vae.get(name), int) else usual
        for name, usual in (("scale_factor_spatial", 8), ("scale_factor_temporal", 4))
    )
    side = spatial * int(patch[-1])
    tokens = (area // (side * side)) * ((frames - 1) // temporal + 1) // int(patch[0])
    return tokens * 2 * (8 * heads * width + 2 * inner)


def plan_memory(
    need: Need,
    free_bytes: int | None,
    host_bytes: int | None = None,
    *,
    placement: Placement | Literal["auto"] = "auto",
    tiled_vae: bool | None = None,
    modular: bool = False,
    lower_than: Placement | None = None,
) -> MemoryPlan:
    """Return the fastest plan that fits into ``free_bytes`` of the device and ``host_bytes``.

    ``free_bytes`` is None if the device has no memory of its own, ``host_bytes`` if the machine's
    is unknown. ``placement`` and ``tiled_vae`` are the user's settings and are kept if given.
    ``modular`` pipelines cannot move one component at a time. ``lower_than`` excludes placements
    that have already run out of memory. If nothing fits the device, the plan that needs least is
    returned: the render may still succeed, or report what would fit. If nothing fits the machine,
    the plan has a ``problem``.
    """
    host = None if host_bytes is None else int(host_bytes * _HOST_MARGIN)
    if free_bytes is None:
        best = next(_candidates(lower_than, modular=modular))
        chosen: Placement = best if placement == "auto" else placement
        problem = "" if host is None or need.total <= host else _too_large(need, host_bytes or 0)
        told = "the device's memory is the machine's own"
        return MemoryPlan(chosen, bool(tiled_vae), told, problem=problem)
    room = int(free_bytes * _MARGIN)
    candidates = [placement] if placement != "auto" else [*_candidates(lower_than, modular=modular)]
    carried = [one for one in candidates if _fits_host(one, need, host, pinned=False)]
    for candidate, tiled in _in_order(carried):
        if tiled_vae in {None, tiled} and _peak(candidate, need, tiled=tiled) <= room:
            return _plan(candidate, need, free_bytes, host, tiled=tiled)
    last = candidates[-1]
    plan = _plan(last, need, free_bytes, host, tiled=True if tiled_vae is None else tiled_vae)
    if placement == "auto" and last not in carried:
        return replace(plan, problem=_too_large(need, host_bytes or 0))
    return replace(plan, reason=f"barely fits: {plan.reason}", hardly=True)


def lower_placement(placement: Placement, *, modular: bool = False) -> Placement | None:
    """Return the next placement that needs less memory; None if there is none."""
    if placement == PLACEMENTS[-1]:
        return None
    return next(_candidates(placement, modular=modular))


def _candidates(lower_than: Placement | None, *, modular: bool) -> Iterator[Placement]:
    first = PLACEMENTS.index(lower_than) + 1 if lower_than else 0
    for one in PLACEMENTS[first:] or PLACEMENTS[-1:]:
        if not (modular and one == "model_offload"):
            yield one


def _in_order(placements: Sequence[Placement]) -> Iterator[tuple[Placement, bool]]:
    """Yield placements with whole or tiled decoding, the fastest first.

    Streaming the text encoder costs a second for each new prompt; tiles cost half as much again of
    every decode, and can show seams. So whole frames come first among the two placements in which
    the denoiser stays; beyond them, moving the denoiser costs more than tiles.
    """
    staying = [one for one in placements if one in _DENOISER_STAYS]
    yield from ((one, tiled) for tiled in (False, True) for one in staying)
    moving = [one for one in placements if one not in _DENOISER_STAYS]
    yield from ((one, tiled) for one in moving for tiled in (False, True))


def _peak(placement: Placement, need: Need, *, tiled: bool) -> int:
    """Return the peak memory on the device during the render."""
    decode = int(need.decode * _TILED_SHARE) if tiled else need.decode
    texts = [size for name, size in need.weights.items() if is_text_encoder(name)]
    cores = [size for name, size in need.weights.items() if is_denoiser(name)]
    others = need.total - sum(texts) - sum(cores)
    if placement == "full":
        return need.total + max(need.denoise, decode)
    if placement == "text_offload":
        return sum(cores) + others + max(need.denoise, decode, _STREAM_BYTES)
    if placement == "model_offload":
        largest = max(need.weights.values(), default=0)
        core = max(cores, default=0) + need.denoise
        return max(largest, core, need.weights.get("vae", others) + decode)
    return others + max(_STREAM_BYTES + need.denoise, decode)


def _host_need(placement: Placement, need: Need, *, pinned: bool) -> int:
    """Return what the machine's memory must hold.

    What stays on the device is read straight to it, unless it passes through the machine's memory.
    """
    streamed = {
        name: size
        for name, size in need.weights.items()
        if placement != "full"
        and (is_text_encoder(name) or (placement == "group_offload" and is_denoiser(name)))
    }
    more = int(sum(streamed.values()) * (_PINNED - 1))
    if placement == "model_offload" or not pinned:
        more = 0
    if placement in _DENOISER_STAYS:
        held = {**streamed, **need.through_host}
        if placement == "text_offload":
            rest = {name: size for name, size in need.weights.items() if not is_denoiser(name)}
            held = {**rest, **held}
    else:
        held = {**need.weights, **need.through_host}
    return sum(held.values()) + more


def _fits_host(placement: Placement, need: Need, host: int | None, *, pinned: bool) -> bool:
    return host is None or _host_need(placement, need, pinned=pinned) <= host


def _plan(
    placement: Placement, need: Need, free_bytes: int, host: int | None, *, tiled: bool
) -> MemoryPlan:
    pinned = _fits_host(placement, need, host, pinned=True)
    return MemoryPlan(
        placement, tiled, _reason(placement, need, free_bytes, tiled=tiled, pinned=pinned), pinned
    )


def _too_large(need: Need, host_bytes: int) -> str:
    return (
        f"This machine has {host_bytes / _GIB:.0f} GiB of memory free and the model's weights take "
        f"{need.total / _GIB:.0f} GiB: quantise it (quantize='fp8', 'int8' or 'nf4'), give a "
        "smaller transformer (such as a GGUF file), or free memory."
    )


def _reason(placement: Placement, need: Need, free_bytes: int, *, tiled: bool, pinned: bool) -> str:
    kept = {
        "full": "all weights stay on the device",
        "text_offload": "denoiser and VAE stay on the device, the text encoder is streamed",
        "model_offload": "one component at a time is on the device",
        "group_offload": "weights are streamed to the device layer by layer",
    }[placement]
    if not pinned and placement in {"text_offload", "group_offload"}:
        kept += ", slowly, because the machine has too little memory to lock pages"
    how = "in tiles" if tiled else "whole"
    size = f"{need.total / _GIB:.1f} GiB of weights" if need.total else "weights of unknown size"
    return (
        f"{kept}, frames are decoded {how}: {size}, about "
        f"{need.denoise / _GIB:.1f} GiB to denoise and {need.decode / _GIB:.1f} GiB to decode, "
        f"{free_bytes / _GIB:.1f} GiB free"
    )
