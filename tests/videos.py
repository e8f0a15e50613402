"""Decodes videos for tests."""

from __future__ import annotations

import io
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

Frames = npt.NDArray[np.uint8]


def decode(source: Path | bytes) -> Frames:
    """Return every frame of an mp4 as RGB, shape (frames, height, width, 3)."""
    opened = io.BytesIO(source) if isinstance(source, bytes) else str(source)
    with av.open(opened, "r") as container:
        assert container.streams.video[0].codec_context.name == "h264"
        frames: list[Frames] = [
            frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False)
            for frame in container.decode(video=0)
        ]
    return np.stack(frames)


def moves(frames: Frames) -> bool:
    """Return whether the video has motion."""
    first, last = frames[0].astype(int), frames[len(frames) // 2].astype(int)
    return bool(np.abs(first - last).mean() > 0.5)
