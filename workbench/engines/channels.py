"""Channels: what is exactly known of every frame, in files beside the video, all of them lossless.

``camera.json`` is a ``CameraPath`` with one pose a frame. ``depth.mkv`` holds 16-bit values ``v``: a
distance of ``65535 · near / v``, 0 for what is infinitely far, so that near is bright. ``flow.mkv``
holds three 16-bit planes as KITTI does: right and down to the next frame, each ``64 · pixels +
32768``, and 1 where that is known and seen there. ``segments.mkv`` has one colour for each thing,
``edges.mkv`` outlines, white on black, ``gray.mkv`` the luma of the frames, black 0, white 255.
``frames.mkv`` holds the frames themselves as they were made. ``boxes.json`` says where each entity is in each frame; how a
model is shown a channel stands in ``control_frames``.
``channels.json`` holds ``near``, the names and the colours.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Self

import av
import numpy as np

from workbench.engines.pixels import Image
from workbench.engines.probe import decode_video, probe_video
from workbench.errors import DamagedFile
from workbench.frame_rates import exact_rate

__all__ = [
    "CANNY",
    "LosslessVideo",
    "channel_facts",
    "decode_depth",
    "decode_flow",
    "encode_depth",
    "encode_flow",
    "kind_of",
    "read_channel",
    "write_channel_facts",
]

_FORMATS: Final = MappingProxyType(
    {
        "depth": ("gray16le", "gray16le"),
        "flow": ("rgb48le", "gbrp16le"),
        "segments": ("rgb24", "bgr0"),
        "edges": ("gray", "gray"),
        "gray": ("gray", "gray"),
        "frames": ("rgb24", "bgra"),
    }
)
"""Channel → the format of its arrays, and that in the file, which holds the same values."""

CANNY: Final = (60, 140)
"""Canny's thresholds for edges, of 255."""

_FULL: Final = 65_535
_FLOW_SCALE, _FLOW_ZERO = 64.0, 32_768.0


class LosslessVideo:
    """Writes one channel as FFV1; a context manager."""

    def __init__(self, path: Path, channel: str, width: int, height: int, fps: float) -> None:
        self._given, stored = _FORMATS[channel]
        self._container = av.open(str(path), "w")
        rate = exact_rate(fps)
        self._stream: Any = self._container.add_stream("ffv1", rate=rate)
        self._stream.width, self._stream.height, self._stream.pix_fmt = width, height, stored
        self._stream.options = {"level": "3", "slicecrc": "1", "g": "1"}

    def write(self, frame: Image) -> None:
        """Add one frame in the channel's own format."""
        given = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format=self._given)
        stored = self._stream.pix_fmt
        whole = given if stored == self._given else given.reformat(format=stored)
        self._container.mux(self._stream.encode(whole))

    def __enter__(self) -> Self:
        return self

    def close(self) -> None:
        """Write what is left and close the file."""
        self._container.mux(self._stream.encode(None))
        self._container.close()

    def abort(self) -> None:
        """Close the file as it is."""
        self._container.close()

    def __exit__(self, *exc_info: object) -> None:
        if exc_info[0] is None:
            self.close()
        else:
            self.abort()


def kind_of(path: Path) -> str:
    """Return which channel the file at ``path`` is; empty for any other video.

    The format tells, and the name where two channels share one: edges and gray.
    """
    if path.suffix != ".mkv":
        return ""
    facts = probe_video(path)
    if facts.codec != "ffv1":
        return ""
    kinds = [name for name, (_, stored) in _FORMATS.items() if stored == facts.pixel_format]
    return path.stem if path.stem in kinds else next(iter(kinds), "")


def read_channel(path: Path) -> Iterator[Image]:
    """Yield the stored frames of a channel; raises ``DamagedFile``."""
    kind = kind_of(path)
    if not kind:
        raise DamagedFile(f"{path.name} is not a channel.")
    yield from decode_video(path, _FORMATS[kind][0])


def channel_facts(folder: Path) -> dict[str, Any]:
    """Return the content of ``channels.json``; raises ``DamagedFile``."""
    try:
        facts = json.loads((folder / "channels.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise DamagedFile("channels.json is missing or damaged.") from error
    return dict(facts)


def write_channel_facts(folder: Path, facts: dict[str, Any]) -> None:
    """Write ``channels.json``."""
    (folder / "channels.json").write_text(json.dumps(facts), encoding="utf-8")


def encode_depth(inverse: Image, near: float) -> Image:
    """Return inverse distances (H×W) as stored; ``near`` is the least distance."""
    return np.rint(np.clip(inverse * near, 0, 1) * _FULL).astype(np.uint16)


def decode_depth(stored: Image, near: float) -> Image:
    """Return the distances (H×W, along the optical axis, ``inf`` for the sky)."""
    with np.errstate(divide="ignore"):
        return np.asarray(near * _FULL / stored.astype(np.float64), np.float32)


def encode_flow(flow: Image, known: Image) -> Image:
    """Return motion in pixels (H×W×2) and where it is known (H×W) as stored."""
    stored = np.empty((*known.shape, 3), np.uint16)
    stored[..., :2] = np.clip(np.rint(flow * _FLOW_SCALE + _FLOW_ZERO), 0, _FULL)
    stored[..., 2] = known
    return stored


def decode_flow(stored: Image) -> tuple[Image, Image]:
    """Return motion to the next frame in pixels (H×W×2), and where it is known (H×W)."""
    moved = (stored[..., :2].astype(np.float32) - _FLOW_ZERO) / _FLOW_SCALE
    return moved, stored[..., 2] > 0
