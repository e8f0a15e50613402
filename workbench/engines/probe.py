"""Facts of a video file: size, length, rate, tags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np

from workbench.engines.colour_spaces import HDR_TRANSFERS, hdr_as_srgb
from workbench.engines.headers import check_size
from workbench.errors import DamagedFile

__all__ = ["VideoFacts", "decode_video", "probe_video"]


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """The facts of one video file."""

    width: int
    """Pixels, as shown: after the rotation that the container asks for."""
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

    Raises ``InvalidRequest`` for frames too large to decode, ``DamagedFile`` if it does not open,
    holds no video, or its first frame does not decode.
    """
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise DamagedFile(f"{path.name} contains no video.")
            stream = container.streams.video[0]
            _check(stream)
            first = next(container.decode(stream), None)
            if first is None:
                raise DamagedFile(f"{path.name} contains no frame.")
            return _facts(container, stream, first)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise DamagedFile(f"{path.name} cannot be opened as a video: {error}.") from error


def decode_video(path: Path, pixel_format: str = "rgb24") -> Iterator[Any]:
    """Yield every frame of the video at ``path`` as an array (H×W×3 for ``rgb24``).

    RGB frames are upright, turned as the container asks for, and HDR is mapped to a standard screen.
    Planar formats stay as stored. Raises ``InvalidRequest`` for frames too large to decode,
    ``DamagedFile`` if the file does not open or ends early.
    """
    try:
        with av.open(str(path)) as container:
            _check(container.streams.video[0])
            for frame in container.decode(video=0):
                yield (
                    _shown(frame)
                    if pixel_format == "rgb24"
                    else frame.to_ndarray(format=pixel_format)
                )
    except (av.error.FFmpegError, OSError, ValueError, IndexError) as error:
        raise DamagedFile(f"{path.name} cannot be decoded: {error}.") from error


def _check(stream: Any) -> None:
    check_size(stream.codec_context.width, stream.codec_context.height, "video")


def _quarter_turns(frame: Any) -> int:
    """Return the quarter turns, counterclockwise, that the frame is to be shown with."""
    return int(frame.rotation // 90) % 4


def _shown(frame: Any) -> Any:
    """Return a frame as it should be seen, as RGB."""
    if int(frame.color_trc) in HDR_TRANSFERS:
        deep = frame.to_ndarray(format="rgb48le")
        pixels = hdr_as_srgb(deep, int(frame.color_trc), int(frame.color_primaries))
    else:
        pixels = frame.to_ndarray(format="rgb24")
    turns = _quarter_turns(frame)
    return np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels


def _facts(container: Any, stream: Any, first: Any) -> VideoFacts:
    fps = float(stream.average_rate or stream.guessed_rate or 0)
    duration_s = float(stream.duration * stream.time_base) if stream.duration else 0.0
    if not duration_s and container.duration:  # Matroska and WebM say it of the whole file alone
        duration_s = container.duration / av.time_base
    size = stream.codec_context.width, stream.codec_context.height
    width, height = size[::-1] if _quarter_turns(first) % 2 else size
    return VideoFacts(
        width=width,
        height=height,
        num_frames=stream.frames or round(duration_s * fps),
        fps=fps,
        duration_s=duration_s,
        codec=stream.codec_context.name,
        pixel_format=stream.codec_context.pix_fmt or "",
        metadata=dict(container.metadata),
    )
