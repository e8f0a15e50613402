"""The copy of a video for a model that watches: small, as long as the video, and numbered."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.vision_endpoint import number_in
from workbench.engines.encoder import VideoWriter
from workbench.engines.probe import probe_video
from workbench.measures.scene_check import small_video as module
from workbench.measures.scene_check.contact_sheet import sheet_number
from workbench.measures.scene_check.small_video import MOST_BYTES, small_video, video_number

DIGEST = "9c31" * 16


def _video(path: Path, frames: int, width: int, height: int, fps: float) -> Path:
    random = np.random.default_rng(1)
    with VideoWriter(path, width, height, fps) as writer:
        for _ in range(frames):
            writer.write(random.integers(0, 255, (height, width, 3), np.uint8))
    return path


@pytest.mark.parametrize(
    ("frames", "width", "height", "fps", "size", "most"),
    [
        (48, 640, 360, 24.0, (448, 280), 16),
        (5, 96, 64, 4.0, (128, 92), 5),
        (9, 64, 640, 9, (128, 476), 8),
    ],
)
def test_a_copy_is_small_as_long_as_the_video_and_bears_its_number(
    frames: int,
    width: int,
    height: int,
    fps: float,
    size: tuple[int, int],
    most: int,
    tmp_path: Path,
) -> None:
    copy = small_video(_video(tmp_path / "video.mp4", frames, width, height, fps), DIGEST)
    assert copy is not None
    assert len(copy.mp4) <= MOST_BYTES
    assert number_in(copy.mp4) == copy.number == video_number(DIGEST) != sheet_number(DIGEST)
    (tmp_path / "copy.mp4").write_bytes(copy.mp4)
    probed = probe_video(tmp_path / "copy.mp4")
    assert (probed.width, probed.height) == size
    assert probed.num_frames <= most
    assert probed.num_frames / probed.fps == pytest.approx(frames / fps, rel=0.15)


def test_a_copy_that_stays_too_large_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 1_000)
    assert small_video(_video(tmp_path / "video.mp4", 9, 96, 64, 9.0), DIGEST) is None
