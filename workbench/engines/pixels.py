"""Frames as arrays, in RGB and in the I420 planes that encoders take. Knows neither files nor codecs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, cast

import cv2
import numpy as np
import numpy.typing as npt

from workbench.errors import InvalidRequest, NotFinite

__all__ = ["Image", "even", "frames_of", "to_i420", "to_rgb"]

Image = npt.NDArray[Any]
"""A picture as an array; ``uint8`` unless stated otherwise."""


_NOT_FINITE: Final = "The frames contain NaN or infinite values; no picture can be made."


def even(size: int) -> int:
    """Return ``size`` rounded up to the even number that 4:2:0 video needs."""
    return size + size % 2


def to_i420(rgb: Image) -> Image:
    """Return an RGB picture (H×W×3, ``uint8``) as I420: BT.601, limited range, ``uint8``.

    Odd sizes are padded to even by repeating the last column and row. The result has
    ``even(H) * 3 / 2`` rows of ``even(W)`` bytes: Y, then U, then V.
    """
    height, width = rgb.shape[:2]
    right, bottom = width % 2, height % 2
    if right or bottom:
        rgb = cv2.copyMakeBorder(rgb, 0, bottom, 0, right, cv2.BORDER_REPLICATE)
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420)


def to_rgb(i420: Image) -> Image:
    """Return an I420 picture (BT.601, limited range) as RGB, H×W×3, ``uint8``."""
    return cv2.cvtColor(i420, cv2.COLOR_YUV2RGB_I420)


def frames_of(frames: Any) -> Iterator[Image]:
    """Yield RGB frames (H×W×3, ``uint8``) of one frame or a chunk of them (T×H×W×3).

    ``frames`` is a NumPy array or a torch tensor, ``uint8`` or floating point from 0 to 1; a tensor
    may have its channels first. Raises ``InvalidRequest`` for another shape, ``NotFinite`` for values
    that are NaN or infinite.
    """
    array = _as_array(frames)
    if array.ndim not in {3, 4} or array.shape[-1] != 3:
        msg = f"Frames must be H×W×3 or T×H×W×3, not {'×'.join(map(str, array.shape))}."
        raise InvalidRequest(msg)
    for frame in array[None] if array.ndim == 3 else array:
        yield _as_uint8(frame)


def _as_array(frames: Any) -> Image:
    if not hasattr(frames, "detach"):
        return np.asarray(frames)
    frames = frames.detach()
    if frames.shape[-1] != 3 and frames.ndim >= 3 and frames.shape[-3] == 3:
        frames = frames.movedim(-3, -1)
    if frames.dtype.is_floating_point:
        if not frames.isfinite().all():
            raise NotFinite(_NOT_FINITE)
        frames = (frames.clamp(0, 1) * 255).round().to(dtype=_torch_uint8())
    return cast("Image", frames.contiguous().cpu().numpy())


def _as_uint8(frame: Image) -> Image:
    if np.issubdtype(frame.dtype, np.floating):
        # A sum shows both NaN and infinity, and needs no second array.
        if not np.isfinite(frame.sum(dtype=np.float64)):
            raise NotFinite(_NOT_FINITE)
        whole = np.maximum(frame, 0).astype(np.float32, copy=False)
        return cv2.convertScaleAbs(whole, alpha=255)
    return frame.astype(np.uint8, copy=False)


def _torch_uint8() -> Any:
    import torch  # noqa: PLC0415  here only when the caller has it loaded already

    return torch.uint8
