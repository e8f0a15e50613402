"""The clips that faults are injected into: rooms filmed by a known camera, encoded and decoded."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tests.measures.faults import encoded
from tests.measures.world import FPS, Room, film
from workbench.control import path_from_words
from workbench.control.rotation import Array
from workbench.measures.clips import Clip
from workbench.measures.transitions import Transition, transitions

__all__ = ["CLIPS", "SECONDS", "Frames", "encoded_frames", "path_of", "shot_of", "steps_of"]

Frames = npt.NDArray[np.uint8]

_SHOTS = (
    "pan left 40 degrees",
    "dolly in 2 units",
    "truck right 1.5 units",
    "orbit left 35 degrees at a distance of 4",
    "crane up 1 units and tilt down 12 degrees",
    "pan right 20 degrees and dolly in 1 units",
    "truck left 1 units, then pan right 25 degrees",
    "dolly out 1.5 units",
    "tilt up 15 degrees, then dolly in 1 units",
    "orbit right 30 degrees at a distance of 3.5",
)
SECONDS = 1.5
CLIPS = 10
"""Number of clean clips, into which faults are injected."""


@cache
def path_of(number: int) -> Array:
    """Return the camera of a clip, camera-to-world (T, 4, 4)."""
    words = _SHOTS[number % len(_SHOTS)]
    return path_from_words(words, seconds=SECONDS, fps=FPS).value.c2w


@cache
def shot_of(number: int) -> Frames:
    """Return a clean clip: each number another room and another movement."""
    return film(path_of(number), Room(number))


def encoded_frames(frames: Frames) -> Frames:
    """Return ``frames`` after encoding and decoding."""
    with tempfile.TemporaryDirectory() as folder:
        return encoded(frames, Path(folder), FPS)


def steps_of(frames: Frames) -> tuple[Transition, ...]:
    """Return the transitions of ``frames`` after encoding and decoding."""
    return transitions(Clip.of(encoded_frames(frames), FPS))
