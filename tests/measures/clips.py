"""Clips with known scores: a panning texture and its degradations."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Frames = npt.NDArray[np.uint8]

WIDTH, HEIGHT, FPS = 416, 240, 24.0


def texture(seed: int = 0, width: int = WIDTH * 2) -> Frames:
    """Return a still picture with soft and sharp detail in colour."""
    rng = np.random.default_rng(seed)
    soft = cv2.resize(
        rng.integers(40, 216, (12, 40, 3)).astype(np.uint8),
        (width, HEIGHT),
        interpolation=cv2.INTER_CUBIC,
    )
    picture: Any = soft.copy()
    for _ in range(120):
        x, y = int(rng.integers(0, width)), int(rng.integers(0, HEIGHT))
        colour = [int(c) for c in rng.integers(40, 216, 3)]
        cv2.circle(picture, (x, y), int(rng.integers(4, 16)), colour, -1, cv2.LINE_AA)
    return np.asarray(picture, dtype=np.uint8)


def panning(pixels_a_frame: int = 3, count: int = 40, seed: int = 0) -> Frames:
    """Return a clip in which everything moves left by ``pixels_a_frame``."""
    picture = texture(seed)
    return np.stack([picture[:, i * pixels_a_frame :][:, :WIDTH] for i in range(count)])


def frozen(count: int = 40) -> Frames:
    """Return a clip of one picture."""
    return np.stack([texture()[:, :WIDTH]] * count)


def flickering(frames: Frames, strength: float = 0.2) -> Frames:
    """Return ``frames`` with every other one darker by ``strength``."""
    factors = np.where(np.arange(len(frames)) % 2, 1 - strength, 1.0)
    spoiled = frames.astype(np.float32) * factors[:, None, None, None]
    return np.asarray(spoiled.round(), dtype=np.uint8)


def blurred(frames: Frames, sigma: float = 3.0) -> Frames:
    """Return ``frames`` out of focus."""
    return np.stack([np.asarray(cv2.GaussianBlur(f, (0, 0), sigma), np.uint8) for f in frames])


def shuffled(frames: Frames) -> Frames:
    """Return ``frames`` in a fixed random order."""
    order = np.random.default_rng(1).permutation(len(frames))
    return np.asarray(frames[order], dtype=np.uint8)
