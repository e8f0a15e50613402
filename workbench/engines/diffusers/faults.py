"""Translates library exceptions into our error types, with advice."""

from __future__ import annotations

from typing import Final

from workbench.engines.diffusers.memory import Placement, lower_placement
from workbench.errors import DeviceLost, OutOfMemory, RenderError, WorkbenchError
from workbench.rendering import RenderRequest

__all__ = ["is_lost", "is_out_of_memory", "told_by", "translate"]

_NO_MEMORY: Final = (
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
)
_LOST: Final = (
    "device-side assert",
    "CUDA error",
    "unspecified launch failure",
    "illegal memory access",
    "CUBLAS_STATUS_EXECUTION_FAILED",
    "CUDNN_STATUS_EXECUTION_FAILED",
    "ECC error",
    "driver shutting down",
)
_DRAFT_SHARE: Final = 0.5
_LONGEST: Final = 2_000
"""Maximum characters of a library's message; the job's log has all of it."""


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether ``error`` means out of memory."""
    text = str(error)
    return (
        type(error).__name__ in {"OutOfMemoryError", "MemoryError"}
        or any(sign in text for sign in _NO_MEMORY)
    )  # fmt: skip


def is_lost(error: BaseException) -> bool:
    """Return whether ``error`` means that this process can no longer use the device."""
    text = str(error)
    return type(error).__name__ == "AcceleratorError" or any(sign in text for sign in _LOST)


def translate(
    error: Exception, request: RenderRequest, placement: Placement | None
) -> WorkbenchError:
    """Return our error for ``error``, given the render's memory placement."""
    if isinstance(error, WorkbenchError):
        return error
    if is_out_of_memory(error):
        return OutOfMemory(_advice(request, placement))
    if is_lost(error):
        return DeviceLost(f"The device failed and needs a new worker: {told_by(error)}")
    kind = type(error).__name__
    if isinstance(error, FileNotFoundError):
        file = error.filename or told_by(error)
        return RenderError(f"A file is missing that was there when the job was queued: {file}")
    return RenderError(f"The model could not render this: {kind}: {told_by(error)}")


def told_by(error: BaseException) -> str:
    """Return the message of ``error``, without empty lines, up to 2,000 characters."""
    lines = [line.rstrip() for line in str(error).splitlines() if line.strip()]
    text = "\n".join(lines)
    if len(text) > _LONGEST:
        return text[: _LONGEST - 1].rstrip() + "…"
    return text or type(error).__name__


def _advice(request: RenderRequest, placement: Placement | None) -> str:
    size = f"{request.width}×{request.height}, {request.num_frames} frames"
    advice = []
    if (
        placement
        and (lower := lower_placement(placement))
        and request.options.get("memory", "auto") != "auto"
    ):
        advice.append(f"set options.memory to '{lower}' or 'auto'")
    if not request.options.get("tiled_vae"):
        advice.append("set options.tiled_vae to true")
    if request.num_frames and request.num_frames > 1:
        advice.append(f"ask for about {max(1, int(request.num_frames * _DRAFT_SHARE))} frames")
    advice.append("ask for a smaller picture or the draft profile")
    return f"The device has too little memory for {size}: {'; or '.join(advice)}."
