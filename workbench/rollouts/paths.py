"""The camera of a world: the poses from its beginning, and each segment's part of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from workbench.control import (
    SANA_WM,
    CameraControl,
    CameraPath,
    Intrinsics,
    parse_keys,
    path_from_words,
)
from workbench.errors import FieldProblem, InvalidRequest
from workbench.rendering import RenderRequest

__all__ = ["MOST_FRAMES", "own_s", "part_of", "path_from", "refused"]

MOST_FRAMES: Final = 4_096
"""Frames of a world."""


def path_from(
    base: RenderRequest, before: Any, camera: CameraControl, seconds: float | None, fps: float
) -> tuple[Any, Intrinsics, str]:
    """Return the poses from the start of the world through the actions, their lens and words."""
    import numpy as np  # noqa: PLC0415

    width, height = base.width or 832, base.height or 480
    frames = round((seconds or own_s(camera)) * fps) + 1
    if not 2 <= frames <= MOST_FRAMES:
        longest = f"must be at most {MOST_FRAMES / fps:g} s, and at least a frame"
        raise refused("seconds", longest)
    found = camera.resolved(width=width, height=height, num_frames=frames, fps=fps, seed=base.seed)
    path = found.camera_path()
    if path.zooms:
        raise refused("actions", "A rollout keeps its lens; zoom in a separate render")
    added = path.relative().poses(frames, fps)
    if len(before):
        added = before[-1] @ added[1:]
    lens = Intrinsics.of_view(width, height)
    return np.concatenate([before, added]), lens, found.words


def part_of(whole: Any, first: int, count: int, fps: float, lens: Any) -> CameraControl:
    """Return the camera of ``count`` frames from frame ``first``; outside, the ends hold."""
    import numpy as np  # noqa: PLC0415

    shown = np.clip(np.arange(first, first + count), 0, len(whole) - 1)
    return CameraControl.of(CameraPath.of_poses(whole[shown], fps=fps, intrinsics=lens))


def own_s(camera: CameraControl) -> float:
    """Return the stated duration of the actions in seconds."""
    if camera.is_keys:
        return len(parse_keys(camera.said)) / SANA_WM.fps
    if camera.said:
        return path_from_words(camera.said).value.duration_s
    given: Mapping[str, Any] = camera.path or {}
    return camera.camera_path().duration_s if given else 0.0


def refused(field_name: str, problem: str) -> InvalidRequest:
    """Return the error that a field is refused with; a sentence of its own begins with a capital."""
    told = problem if problem[0].isupper() else f"{field_name} {problem}"
    return InvalidRequest(f"{told}.", (FieldProblem(field_name, problem),))
