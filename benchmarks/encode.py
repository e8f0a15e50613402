"""The encoder beside diffusers' own export, on the same frames: time, size and PSNR.

Run ``python -m benchmarks.encode``. diffusers exports through imageio-ffmpeg, which the workbench
does not need: ``pip install imageio-ffmpeg`` first; without it only our own figures are printed.
Times are CPU time, over all threads and child processes, and wall-clock time. Both encoders get the
output of a pipeline: floating point from 0 to 1.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import cv2
import numpy as np

from benchmarks.report import Figure, print_report
from workbench.engines.animatic.film import Film
from workbench.engines.animatic.reading import read_scene
from workbench.engines.encoder import VideoWriter
from workbench.engines.pixels import Image, to_i420, to_rgb
from workbench.engines.probe import decode_video
from workbench.scene import Scene

__all__ = ["CLIPS", "measure_encoders", "textured_frames"]

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


def natural_frames(number: int = 81) -> Image:
    """Return natural-looking frames: a turning, approaching camera, something passing, noise."""
    width, height = _SIZE
    random = np.random.default_rng(6)
    ground, thing = _cloudy(random, width * 2, height * 2), _cloudy(random, 360, 360)
    disc = np.zeros((height, width), np.float32)
    frames = np.empty((number, height, width, 3), np.uint8)
    for t in range(number):
        share = t / number
        move = cv2.getRotationMatrix2D((width, height), 3 * share, 0.72 + 0.14 * share)
        move[:, 2] -= np.array((width / 2 + 70 * share, height / 2 + 12 * np.sin(6 * share)))
        frame = cv2.warpAffine(ground, move, _SIZE, flags=cv2.INTER_CUBIC)
        turn = cv2.getRotationMatrix2D((180, 180), -70 * share, 0.8)
        at = (width * (0.1 + 0.7 * share), height * (0.6 - 0.2 * np.sin(3 * share)))
        turn[:, 2] += np.array(at) - 180
        passing = cv2.warpAffine(thing, turn, _SIZE, flags=cv2.INTER_CUBIC)
        disc[:] = 0
        cv2.circle(disc, (round(at[0]), round(at[1])), 120, 1.0, -1, cv2.LINE_AA)
        cover = cv2.GaussianBlur(disc, (5, 5), 0)[..., None]
        hiss = random.normal(0, 1.6, (height, width, 1)).astype(np.float32)
        light = 1 + 0.06 * np.sin(5 * share)
        frames[t] = np.clip((frame * (1 - cover) + passing * cover) * light + hiss, 0, 255)
    return frames


def _cloudy(random: np.random.Generator, width: int, height: int) -> Image:
    """Return natural texture: finer detail is fainter (H×W×3, float32, 0 to 255)."""
    made = np.full((height, width, 3), 120, np.float32)
    for octave in range(8):
        cells = random.normal(0, 1, (4 << octave, 6 << octave, 3)).astype(np.float32)
        grey = cells.mean(-1, keepdims=True) * 1.4
        layer = cv2.resize(0.3 * cells + grey, (width, height), interpolation=cv2.INTER_CUBIC)
        made += layer * 44 * 0.62**octave
    return made


def animatic_frames(number: int = 81) -> Image:
    """Return flat drawings in motion: an animatic of a dog on a beach."""
    scene = Scene(subject="a dog", action="running", setting="a beach", time_of_day="sunset")
    film = Film(read_scene(scene, 5), *_SIZE, number, 24)
    return np.stack([to_rgb(picture.planes) for picture in film.frames()])


CLIPS: Final = MappingProxyType(
    {"texture": textured_frames, "nature": natural_frames, "animatic": animatic_frames}
)


@dataclass(frozen=True, slots=True)
class Measured:
    """One encoder: wall-clock and CPU milliseconds, kilobytes, decibels."""

    clock_ms: float
    processor_ms: float
    size_kb: float
    psnr_db: float


def measure_encoders(clip: str) -> list[Figure]:
    """Return the figures of both on one of the clips, each a median over a few rounds."""
    frames = CLIPS[clip]()
    pictures = frames.astype(np.float32) / 255
    theirs = _measured(frames, partial(_export, list(pictures))) if _exports() else None
    name = f"{clip}: diffusers.utils.export_to_video (imageio)"
    figures = _told(name, theirs, None) if theirs else []
    known: dict[tuple[str, str], Measured] = {}
    for quality in ("light", "standard"):
        for effort in ("live", "balanced", "thorough"):
            ours = _measured(frames, partial(_write, pictures, effort, quality))
            known[effort, quality] = ours
            # The export's quality is that of "light": only there are size and time comparable.
            other = theirs if quality == "light" and effort == "thorough" else None
            figures += _told(f"{clip}: workbench, {quality}, {effort}", ours, other, quality)
    return [*figures, *_beside_veryfast(clip, known)]


def _beside_veryfast(clip: str, known: Mapping[tuple[str, str], Measured]) -> list[Figure]:
    """Compare the default with x264's ``veryfast`` (balanced), whose size at equal PSNR is interpolated."""
    live = known["live", "standard"]
    fine, coarse = known["balanced", "standard"], known["balanced", "light"]
    share = (live.psnr_db - coarse.psnr_db) / (fine.psnr_db - coarse.psnr_db)
    size_kb = coarse.size_kb * (fine.size_kb / coarse.size_kb) ** share
    target = 1.5 if clip == "animatic" else None
    return [
        Figure(f"{clip}: default over veryfast at equal PSNR, bytes", live.size_kb / size_kb, "×", target),
        Figure("– processor time", live.processor_ms / fine.processor_ms, "×"),
    ]  # fmt: skip


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


def _export(pictures: list[Any], path: Path) -> None:
    from diffusers.utils import export_to_video

    export_to_video(pictures, str(path), fps=24)


def _write(pictures: Image, effort: Any, quality: Any, path: Path) -> None:
    with VideoWriter(path, *_SIZE, 24, effort=effort, quality=quality) as writer:
        writer.write(pictures)


def _exports() -> bool:
    return importlib.util.find_spec("imageio_ffmpeg") is not None


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clip", action="append", choices=list(CLIPS))
    chosen = parser.parse_args().clip or list(CLIPS)
    figures = [figure for clip in chosen for figure in measure_encoders(clip)]
    print_report("Encoding 81 frames of 832×480", figures)


if __name__ == "__main__":
    main()
