"""Measures of a video's sound: loudness, silence, clipping, length. Knows only samples."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import av
import numpy as np
from av.filter import Graph

from workbench.engines.sound import MOST_SOUND_S, Sound, audio_frames

__all__ = ["SoundScores", "measure_sound"]

_QUIETEST_LUFS: Final = -70.0
"""The absolute gate of BS.1770: quieter blocks do not count."""
_BLOCK_S: Final = 0.1
_SILENT: Final = 10 ** (-60 / 20)
_FULL: Final = 0.9
"""Full scale, less the 7 % by which AAC lowers flat peaks: ``benchmarks/measures/sounds.py``."""
_LEAST_S: Final = 0.4
"""One block of BS.1770; a shorter sound is repeated to this length, with the same loudness."""


@dataclass(frozen=True, slots=True)
class SoundScores:
    """The measures of one track; see :class:`workbench.measures.scores.Scores`."""

    loudness: float
    silence: float
    sound_clipping: float
    sound_length: float


def measure_sound(sound: Sound, picture_s: float) -> SoundScores:
    """Return every measure of ``sound``, not empty, of a picture that lasts ``picture_s`` seconds."""
    peaks = np.abs(sound.samples).max(0)
    block = max(1, round(_BLOCK_S * sound.sample_rate))
    starts = np.arange(0, len(peaks), block)
    powers = np.add.reduceat((sound.samples**2).mean(0), starts)
    levels = np.sqrt(powers / np.diff([*starts, len(peaks)]))
    return SoundScores(
        loudness=_loudness(sound),
        silence=float((levels < _SILENT).mean()),
        sound_clipping=float((peaks >= _FULL).mean()),
        sound_length=abs(sound.duration_s - min(picture_s, MOST_SOUND_S)),
    )


def _loudness(sound: Sound) -> float:
    """Return the integrated loudness by FFmpeg's ``ebur128``, at least -70 LUFS."""
    times = math.ceil(_LEAST_S / sound.duration_s)
    repeated = Sound(np.tile(sound.samples, times), sound.sample_rate)
    graph = Graph()
    source = graph.add_abuffer(
        sample_rate=sound.sample_rate, format="fltp", layout=sound.layout,
        time_base=Fraction(1, sound.sample_rate),
    )  # fmt: skip
    meter, sink = graph.add("ebur128", "metadata=1"), graph.add("abuffersink")
    source.link_to(meter)
    meter.link_to(sink)
    graph.configure()
    found: list[float] = []
    for frame in (*audio_frames(repeated), None):
        graph.push(frame)
        found += _read(graph)
    return max(_QUIETEST_LUFS, found[-1]) if found else _QUIETEST_LUFS


def _read(graph: Any) -> list[float]:
    """Return the meter's reading after each frame."""
    found: list[float] = []
    while True:
        try:
            told = graph.pull().metadata.get("lavfi.r128.I")
        except (av.error.BlockingIOError, av.error.EOFError):
            return found
        if told is None:  # the last frame, if it is shorter than a tenth of a second
            continue
        shown = float(told)
        found.append(shown if math.isfinite(shown) else _QUIETEST_LUFS)
