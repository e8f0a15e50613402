"""Injects known faults into clips."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from workbench.engines.encoder import VideoWriter
from workbench.engines.probe import decode_video

__all__ = [
    "blurring",
    "brightening",
    "encoded",
    "energy",
    "freezing",
    "looping",
    "repeating",
    "tinting",
]

Frames = npt.NDArray[np.uint8]


def encoded(frames: Frames, folder: Path, fps: float) -> Frames:
    """Return ``frames`` after encoding and decoding, as in a finished video."""
    path = folder / "clip.mp4"
    with VideoWriter(path, frames.shape[2], frames.shape[1], fps) as writer:
        writer.write(frames)
    return np.stack(list(decode_video(path)))


def brightening(frames: Frames, stops: npt.ArrayLike) -> Frames:
    """Return ``frames`` with the luminance of each changed by a factor of 2 to the ``stops``."""
    gain = np.exp2(np.broadcast_to(stops, len(frames)))[:, None, None, None]
    return _bytes(frames * gain)


def tinting(frames: Frames, a: npt.ArrayLike, b: npt.ArrayLike) -> Frames:
    """Return ``frames`` with each shifted by ``a`` and ``b`` of CIELAB."""
    found = []
    shifts = zip(*(np.broadcast_to(v, len(frames)) for v in (a, b)), strict=True)
    for frame, shift in zip(frames, shifts, strict=True):
        lab = cv2.cvtColor(frame.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
        lab[..., 1:] += np.array(shift, np.float32)
        found.append(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB) * 255)
    return _bytes(np.stack(found))


def blurring(frames: Frames, sigmas: npt.ArrayLike) -> Frames:
    """Return ``frames``, each blurred by its sigma, in pixels."""
    pairs = zip(frames, np.broadcast_to(sigmas, len(frames)), strict=True)
    return np.stack(
        [
            np.asarray(cv2.GaussianBlur(f, (0, 0), float(s)), np.uint8) if s > 0.05 else f
            for f, s in pairs
        ]
    )


def energy(frame: Frames) -> float:
    """Return the energy of the frame's gradients."""
    luma = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32)
    across, down = (cv2.Sobel(luma, cv2.CV_32F, *axis) for axis in ((1, 0), (0, 1)))
    return float((across**2 + down**2).mean())


def repeating(frames: Frames, places: list[int]) -> Frames:
    """Return ``frames`` where each of ``places`` repeats the previous frame."""
    found = frames.copy()
    for place in places:
        found[place] = found[place - 1]
    return found


def freezing(frames: Frames, start: int, count: int) -> Frames:
    """Return ``frames`` with ``count`` copies of frame ``start`` after it."""
    held = np.repeat(frames[start : start + 1], count, axis=0)
    return np.concatenate([frames[: start + 1], held, frames[start + 1 :]])


def looping(frames: Frames, period: int, count: int) -> Frames:
    """Return ``count`` frames that loop over the first ``period``."""
    return frames[np.arange(count) % period]


def _bytes(values: npt.NDArray[Any]) -> Frames:
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)
