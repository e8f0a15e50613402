"""Measures video files and finds near-duplicates. Loads OpenCV and PyAV."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from itertools import combinations, islice
from pathlib import Path
from typing import Any, Final

import numpy as np

from workbench.control import CameraPath
from workbench.engines.probe import VideoFacts, decode_video, probe_video
from workbench.engines.sound import decode_sound
from workbench.measures.breaks import break_scores, commanded_path, path_scores
from workbench.measures.clips import FINGERPRINT_SHAPE, NEAR_DUPLICATE, Clip, difference
from workbench.measures.evidence import is_proven
from workbench.measures.measurement import measure
from workbench.measures.scores import Scores
from workbench.measures.sounds import measure_sound
from workbench.measures.transitions import transitions

__all__ = ["Scorecard", "are_alike", "near_duplicates", "score_video", "score_videos"]

_MEASURED_FRAMES: Final = 481
"""Maximum measured frames: 20 s at 24 fps."""


@dataclass(frozen=True, slots=True)
class Scorecard:
    """The scores of one video, and the fingerprint that finds its near-duplicates."""

    scores: Scores
    curves: Mapping[str, tuple[float, ...]]
    """Scores over time: see :class:`workbench.measures.measurement.Measurement`."""
    fingerprint: bytes
    """Thumbnails, ``uint8``, of the shape :data:`FINGERPRINT_SHAPE`."""


def score_video(path: Path, *, movement: str = "", camera: CameraPath | None = None) -> Scorecard:
    """Measure the first 481 frames of the video at ``path``, and its sound if it has any.

    The camera is compared with the commanded path ``camera``, or else with the amounts in
    ``movement``, the requested words. Raises ``DamagedFile`` if the video does
    not decode.
    """
    facts = probe_video(path)
    clip = Clip.of(islice(decode_video(path), _MEASURED_FRAMES), facts.fps)
    steps = transitions(clip)
    found = measure(clip, steps)
    more = break_scores(clip, steps)
    if (commanded := camera or commanded_path(movement, clip)) is not None:
        more |= path_scores(clip, commanded)
    scores = replace(found.scores, **dict[str, Any](more))
    if (sound := decode_sound(path)) is not None and sound.samples.size:
        heard = asdict(measure_sound(sound, _lasts_s(clip, facts)))
        scores = replace(scores, **{n: value for n, value in heard.items() if is_proven(n)})
    return Scorecard(scores, found.curves, clip.fingerprint.tobytes())


def _lasts_s(clip: Clip, facts: VideoFacts) -> float:
    """Return how long the picture lasts; some containers only say how long the whole file does."""
    count = len(clip.pictures)
    return (count if count < _MEASURED_FRAMES else facts.num_frames) / facts.fps


def score_videos(paths: Mapping[str, Path]) -> dict[str, Scorecard]:
    """Return the scores of several videos by key, measured in parallel.

    Videos that do not decode are omitted.
    """
    workers = max(1, min(len(paths), os.cpu_count() or 1))
    with ThreadPoolExecutor(workers, thread_name_prefix="scores") as pool:
        found = {key: pool.submit(score_video, path) for key, path in paths.items()}
    return {key: future.result() for key, future in found.items() if future.exception() is None}


def near_duplicates(
    fingerprints: Mapping[str, bytes], limit: float = NEAR_DUPLICATE
) -> tuple[tuple[str, ...], ...]:
    """Return the groups of videos that differ by less than ``limit`` (0 to 1), each with its keys.

    Videos are in one group if a chain of near-duplicates connects them.
    """
    group = {key: {key} for key in fingerprints}
    for one, other in combinations(fingerprints, 2):
        if are_alike(fingerprints[one], fingerprints[other], limit):
            joined = group[one] | group[other]
            for key in joined:
                group[key] = joined
    order = list(fingerprints)
    found = {tuple(sorted(keys, key=order.index)) for keys in group.values() if len(keys) > 1}
    return tuple(sorted(found, key=lambda keys: order.index(keys[0])))


def are_alike(one: bytes, other: bytes, limit: float = NEAR_DUPLICATE) -> bool:
    """Return whether two fingerprints differ by less than ``limit``; False for invalid data."""
    try:
        first, second = (
            np.frombuffer(data, np.uint8).reshape(FINGERPRINT_SHAPE) for data in (one, other)
        )
    except ValueError:
        return False
    return difference(first, second) < limit
