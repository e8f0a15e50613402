"""The encoder beside diffusers' own export, on the same frames: time, size and PSNR.

Run ``python -m benchmarks.encode``. diffusers exports through imageio-ffmpeg, which the workbench
does not need: ``pip install imageio-ffmpeg`` first; without it only our own figures are told.
Times are processor time, over all threads and child processes, and time on the clock.
"""

from __future__ import annotations

import importlib.util
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.report import Figure, print_report
from workbench.engines.encoder import Image, VideoWriter, to_i420
from workbench.engines.probe import decode_video

__all__ = ["measure_encoders", "textured_frames"]

_ROUNDS: Final = 3
_SIZE: Final = (832, 480)


def textured_frames(number: int = 81) -> Image:
    """Return moving texture, T×H×W×3 ``uint8``: waves of colour, fine grain, a travelling edge."""
    width, height = _SIZE
    random = np.random.default_rng(5)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    grain = random.normal(0, 3, (height, width + number * 3)).astype(np.float32)
    frames = np.empty((number, height, width, 3), np.uint8)
    for t in range(number):
        waves = [
            128 + 70 * np.sin(x / 37 + t / 6 + c) + 40 * np.sin(y / 23 - t / 9 + 2 * c)
            for c in range(3)
        ]
        frame = np.stack(waves, -1) + grain[:, 3 * t : 3 * t + width, None]
        frame[:, (5 * t) % width :] *= 0.72
        frames[t] = np.clip(frame, 0, 255)
    return frames


@dataclass(frozen=True, slots=True)
class Measured:
    """One way of encoding: milliseconds on the clock and of the processor, kilobytes, decibels."""

    clock_ms: float
    processor_ms: float
    size_kb: float
    psnr_db: float


def measure_encoders() -> list[Figure]:
    """Return the figures of both, each a median over a few rounds."""
    frames = textured_frames()
    theirs = _measured(frames, lambda path: _export(frames, path)) if _exports() else None
    figures = _told("diffusers.utils.export_to_video (imageio)", theirs, None) if theirs else []
    for quality in ("light", "standard"):
        for effort in ("live", "balanced", "thorough"):
            ours = _measured(frames, partial(_write, frames, effort, quality))
            # What the export settles for is "light": only there are size and time comparable.
            other = theirs if quality == "light" and effort == "thorough" else None
            figures += _told(f"workbench, {quality}, {effort}", ours, other, quality)
    return figures


def _told(name: str, own: Measured, other: Measured | None, quality: str = "") -> list[Figure]:
    least = other.psnr_db if other else 38.0 if quality == "standard" else None
    return [
        Figure(name, own.clock_ms, "ms", other.clock_ms if other else None),
        Figure("– processor time", own.processor_ms, "ms", other.processor_ms if other else None),
        Figure("– size", own.size_kb, "kB", other.size_kb if other else None),
        Figure("– PSNR of luma", own.psnr_db, "dB", least, at_most=False),
    ]


def _measured(frames: Image, encode: Callable[[Path], None]) -> Measured:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "video.mp4"
        clock, processor = [], []
        for _ in range(_ROUNDS):
            began, used = time.perf_counter(), _processor_s()
            encode(path)
            clock.append((time.perf_counter() - began) * 1e3)
            processor.append((_processor_s() - used) * 1e3)
        return Measured(
            statistics.median(clock),
            statistics.median(processor),
            path.stat().st_size / 1e3,
            _psnr(frames, path),
        )


def _processor_s() -> float:
    """Return the processor time of this process and of the children it has waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _psnr(frames: Image, path: Path) -> float:
    height = _SIZE[1]
    values = []
    for frame, decoded in zip(frames, decode_video(path, "yuv420p"), strict=True):
        luma = to_i420(frame)[:height].astype(np.float32)
        error = float(np.mean((luma - decoded[:height]) ** 2))
        values.append(10 * np.log10(255**2 / max(error, 1e-9)))
    return float(np.mean(values))


def _export(frames: Image, path: Path) -> None:
    from diffusers.utils import export_to_video

    # It wants pictures from 0 to 1, as pipelines hand them over.
    pictures: list[Any] = list(frames.astype(np.float32) / 255)
    export_to_video(pictures, str(path), fps=24)


def _write(frames: Image, effort: Any, quality: Any, path: Path) -> None:
    with VideoWriter(path, *_SIZE, 24, effort=effort, quality=quality) as writer:
        writer.write(frames.astype(np.float32) / 255)


def _exports() -> bool:
    return importlib.util.find_spec("imageio_ffmpeg") is not None


def main() -> None:
    """Measure and print."""
    print_report("Encoding 81 textured frames of 832×480", measure_encoders())


if __name__ == "__main__":
    main()
