"""Facts of a video file: size, length, rate, tags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av

from workbench.errors import DamagedFile

__all__ = ["VideoFacts", "decode_video", "probe_video"]


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """The facts of one video file."""

    width: int
    """Pixels."""
    height: int
    num_frames: int
    fps: float
    duration_s: float
    codec: str
    """Such as ``h264``."""
    pixel_format: str
    """Such as ``yuv420p``."""
    metadata: Mapping[str, str]
    """The container's own tags."""


def probe_video(path: Path) -> VideoFacts:
    """Return the facts of the video at ``path``, from its headers and its first frame.

    Raises ``DamagedFile`` when it does not open, holds no picture, or its first frame does not
    decode.
    """
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise DamagedFile(f"{path.name} holds no video.")
            stream = container.streams.video[0]
            if next(container.decode(stream), None) is None:
                raise DamagedFile(f"{path.name} holds no frame.")
            return _facts(container, stream)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise DamagedFile(f"{path.name} does not open as a video: {error}.") from error


def decode_video(path: Path, pixel_format: str = "rgb24") -> Iterator[Any]:
    """Yield every frame of the video at ``path`` as an array (H×W×3 for ``rgb24``).

    Raises ``DamagedFile`` when it does not open or breaks off.
    """
    try:
        with av.open(str(path)) as container:
            for frame in container.decode(video=0):
                yield frame.to_ndarray(format=pixel_format)
    except (av.error.FFmpegError, OSError, ValueError, IndexError) as error:
        raise DamagedFile(f"{path.name} does not decode: {error}.") from error


def _facts(container: Any, stream: Any) -> VideoFacts:
    fps = float(stream.average_rate or stream.guessed_rate or 0)
    duration_s = float(stream.duration * stream.time_base) if stream.duration else 0.0
    return VideoFacts(
        width=stream.codec_context.width,
        height=stream.codec_context.height,
        num_frames=stream.frames or round(duration_s * fps),
        fps=fps,
        duration_s=duration_s,
        codec=stream.codec_context.name,
        pixel_format=stream.codec_context.pix_fmt or "",
        metadata=dict(container.metadata),
    )
