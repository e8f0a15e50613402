"""A small copy of a video for a vision model, with a number that proves it was seen.

The number differs from the contact sheet's, so a model that names it has seen the video.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from workbench.engines.encoder import VideoWriter
from workbench.engines.pixels import even
from workbench.engines.probe import decode_video, probe_video
from workbench.measures.scene_check.contact_sheet import number_strip, sheet_number

__all__ = ["MOST_BYTES", "SmallVideo", "small_video", "video_number"]

MOST_BYTES: Final = 2_000_000
"""Maximum bytes of a copy that is sent."""
_SIDE: Final = 448
"""Pixels of the longer side, to which such models scale a frame."""
_NARROWEST: Final = 128
"""Pixels that the number needs; a narrower video is padded with white."""
_FPS: Final = 8.0
_MOST_FRAMES: Final = 96


@dataclass(frozen=True, slots=True)
class SmallVideo:
    """An mp4 (H.264) of at most 448 pixels a side, 8 frames per second and 96 frames, silent."""

    mp4: bytes
    number: int
    """Three digits, printed below every frame."""


def video_number(digest: str) -> int:
    """Return the number on the copy of the video with this SHA-256: 100 to 999, not the sheet's."""
    apart = 1 + int(digest[12:24], 16) % 899
    return 100 + (sheet_number(digest) - 100 + apart) % 900


def small_video(video: Path, digest: str) -> SmallVideo | None:
    """Return the copy of the video at ``video``; None if it exceeds ``MOST_BYTES``.

    Keeps the length in seconds; a long video has fewer frames. Raises ``DamagedFile``.
    """
    probed = probe_video(video)
    count = max(1, probed.num_frames)
    kept = max(1, min(count, _MOST_FRAMES, round(count * _FPS / probed.fps)))
    chosen = set(np.linspace(0, count - 1, kept).round().astype(int).tolist())
    scale = min(1.0, _SIDE / max(probed.width, probed.height))
    width, height = (even(max(2, round(n * scale))) for n in (probed.width, probed.height))
    number = video_number(digest)
    beside = max(0, _NARROWEST - width)
    strip = number_strip(number, width + beside, of="video")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "small.mp4"
        fps = max(1.0, kept * probed.fps / count)
        size = (width + beside, height + len(strip))
        with VideoWriter(path, *size, fps, quality="light") as writer:
            for index, frame in enumerate(decode_video(video)):
                if index in chosen:
                    small = cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)
                    wide = np.pad(small, ((0, 0), (0, beside), (0, 0)), constant_values=255)
                    writer.write(np.vstack([wide, strip]))
        mp4 = path.read_bytes()
    return SmallVideo(mp4, number) if len(mp4) <= MOST_BYTES else None
