"""The scores of a clip's breaks and drift, and of its camera against a commanded path.

Turns the findings of ``continuity``, ``drift`` and ``camera`` into numbers. Scores for which a clip
is too short or too empty are omitted, as are measures without evidence: unknown is never 0.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from workbench.control.camera_path import CameraPath, Intrinsics
from workbench.control.words import path_from_words
from workbench.errors import InvalidRequest
from workbench.measures.camera import (
    camera_error,
    recover_camera,
    return_error,
    return_frames,
)
from workbench.measures.clips import Clip
from workbench.measures.continuity import (
    LOOP_S,
    STANDSTILL_S,
    cuts,
    loop_period,
    repeated_frames,
    standstills,
    visible_seams,
)
from workbench.measures.drift import drift
from workbench.measures.evidence import is_proven
from workbench.measures.transitions import Transition, series, transitions

__all__ = ["break_scores", "commanded_path", "path_scores"]

_FEWEST_STEPS: Final = 8
"""Minimum steps: each step is compared with its neighbours."""
_RELATED: Final = 0.5
"""Common share from which two frames show the same things."""
_FEWEST_RELATED: Final = 0.9
"""Minimum share of steps between such frames for drift to be known."""
_LEAST_SEEN: Final = 0.5
"""Minimum share of frames with a recovered pose for a meaningful camera error."""
_AMOUNT: Final = re.compile(r"\d")
_MOVEMENTS: Final = re.compile(r",|;|\band\b|\bthen\b|\bwhile\b|\bwith\b", re.IGNORECASE)


def break_scores(clip: Clip, steps: Sequence[Transition] | None = None) -> dict[str, float]:
    """Return drift, seams, repeated frames, standstill, cuts and loops of ``clip``, by score name.

    ``steps`` are computed unless given.
    """
    steps = transitions(clip) if steps is None else steps
    if len(steps) < _FEWEST_STEPS:
        return {}
    length_s = len(clip.pictures) / clip.fps
    found = {
        **_drifts(steps),
        "seams": len(visible_seams(steps)),
        "repeated_frames": _repeats(steps, clip.fps),
        "cuts": len(cuts(steps)),
    }
    if length_s >= 2 * STANDSTILL_S:
        still = sum(s.stop - s.start for s in standstills(steps, clip.fps))
        found["standstill"] = still / len(steps)
    if length_s >= 2 * LOOP_S:
        period = loop_period(clip)
        found["loops"] = len(clip.pictures) / period if period else 0.0
    return _proven(found)


def path_scores(clip: Clip, path: CameraPath) -> dict[str, float]:
    """Return how far the camera of ``clip`` is from ``path``, by score name.

    Rotations in degrees, for a camera with the lens of ``path``; shifts in picture widths. Scores
    that cannot be recovered are omitted.
    """
    poses = path.poses(len(clip.pictures), clip.fps)
    lens = path.intrinsics
    found: dict[str, float] = {}
    error = camera_error(recover_camera(clip.pictures, lens), poses)
    if error.seen >= _LEAST_SEEN:
        found["path_rotation"] = error.rotation_deg
    if error.direction_deg is not None and error.directions_seen >= _LEAST_SEEN:
        found["path_direction"] = error.direction_deg
    if (pair := return_frames(poses)) is not None:
        back = return_error(clip.pictures[pair[0]], clip.pictures[pair[1]], lens)
        if back is not None:
            found |= {"return_rotation": back.rotation_deg, "return_shift": back.shift}
    return _proven(found)


def commanded_path(movement: str, clip: Clip) -> CameraPath | None:
    """Return the path that a camera movement in words commands; None without amounts.

    Every movement must have its amount ("pan left 30 degrees, then dolly in 2 units") and every
    word must be understood: default amounts were not commanded.
    """
    parts = [part for part in _MOVEMENTS.split(movement) if part.strip()]
    if len(clip.pictures) < 2 or not parts or not all(map(_AMOUNT.search, parts)):
        return None
    try:
        made = path_from_words(movement, seconds=(len(clip.pictures) - 1) / clip.fps, fps=clip.fps)
    except InvalidRequest:
        return None
    if made.notes or made.value.zooms:
        return None
    height, width = clip.pictures.shape[1:3]
    return made.value.model_copy(update={"intrinsics": Intrinsics.of_view(width, height)})


def _repeats(steps: Sequence[Transition], fps: float) -> int:
    """Return the number of repeated frames outside standstills, which have their own score."""
    standing = {f for s in standstills(steps, fps) for f in range(s.start, s.stop + 1)}
    return len(set(repeated_frames(steps)) - standing)


def _drifts(steps: Sequence[Transition]) -> dict[str, float]:
    if np.mean(series(steps, "common") >= _RELATED) < _FEWEST_RELATED:
        return {}
    found = drift(steps)
    return {
        "exposure_drift": abs(found.exposure),
        "colour_drift": found.colour,
        "sharpness_drift": abs(found.sharpness),
    }


def _proven(found: Mapping[str, float]) -> dict[str, float]:
    return {name: float(value) for name, value in found.items() if is_proven(name)}
