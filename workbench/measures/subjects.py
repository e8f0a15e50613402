"""Compares the motion of a subject with the boxes of its storyboard.

The subject is what the first box holds. Its corners, without background corners that move
differently, are tracked from frame to frame (Lucas–Kanade, forward and backward), and their
trajectory in the picture is compared with that of the boxes. Loads OpenCV.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from workbench.errors import InvalidRequest
from workbench.measures.clips import Clip

__all__ = ["SubjectError", "subject_error", "subject_way"]

Array = npt.NDArray[np.float64]
Picture = npt.NDArray[Any]

_CORNERS: Final = 150
_FEWEST: Final = 6
_LOW: Final = 12
"""With fewer corners left, new ones are searched at the current place of the subject."""
_INNER: Final = 0.1
"""Share of a box ignored on each side, because it holds background."""
_BACK_PX: Final = 1.0
_APART_PX: Final = 0.5
_APART_FRAMES: Final = 4
_FAR: Final = 0.1
"""Shortest trajectory with a direction, picture widths."""


@dataclass(frozen=True, slots=True)
class SubjectError:
    """How far the motion of a subject is from its boxes."""

    offset: float
    """Mean distance between its trajectory and the boxes', picture widths; both begin at 0."""
    direction_deg: float | None
    """Angle between the trajectories, 0 to 180; None if either is under a tenth of the width."""
    seen: float
    """Share of the frames in which it was tracked, 0 to 1."""


def subject_error(clip: Clip, boxes: Array) -> SubjectError | None:
    """Return how far the subject of ``clip`` is from ``boxes``; None if lost before the middle.

    ``boxes`` are left, top, right, bottom for each frame, shape (T, 4), shares of width and height.
    Raises ``InvalidRequest`` unless there is one for each frame.
    """
    if boxes.shape != (len(clip.pictures), 4):
        raise InvalidRequest(f"There are {len(boxes)} boxes for {len(clip.pictures)} frames.")
    height, width = clip.pictures.shape[1:3]
    way = subject_way(clip, boxes[0])
    seen = len(way) / len(clip.pictures)
    if len(way) < 2 or seen < 0.5:
        return None
    centres = np.column_stack([boxes[:, [0, 2]].mean(axis=1), boxes[:, [1, 3]].mean(axis=1)])
    told = (centres[: len(way)] - centres[0]) * (1.0, height / width)
    offset = float(np.linalg.norm(way - told, axis=1).mean())
    return SubjectError(offset, _angle(way[-1], told[-1]), seen)


def subject_way(clip: Clip, box: Array) -> Array:
    """Return the displacement of what ``box`` holds, shape (T, 2), picture widths right and down.

    ``box`` is left, top, right, bottom in the first frame, as shares. Shorter than the clip if the
    subject is lost.
    """
    luma = [cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in clip.pictures]
    height, width = luma[0].shape
    start = np.clip(box * (width, height, width, height), 0, (width, height, width, height))
    points = _subject_corners(luma, start)
    way = [np.zeros(2)]
    for index in range(1, len(luma)):
        if len(points) < _LOW:
            here = start + np.tile(way[-1] * width, 2)
            points = np.concatenate([points, _corners(luma[index - 1], here)])
        if len(points) < _FEWEST:
            break
        moved, kept = _tracked(luma[index - 1], luma[index], points)
        if kept.sum() < _FEWEST:
            break
        step = np.median(moved[kept] - points[kept], axis=0)
        # Corners that move differently are background, or a limb.
        together = np.linalg.norm(moved - points - step, axis=1) < max(2.0, 0.01 * width)
        points = moved[kept & together]
        way.append(way[-1] + step / width)
    return np.array(way)


def _subject_corners(luma: list[Picture], box: Array) -> Picture:
    """Return corners in ``box`` that move against the background, or all if too few do."""
    points = _corners(luma[0], box)
    if len(points) < _FEWEST:
        return points
    last = min(_APART_FRAMES, len(luma) - 1)
    around = _corners(luma[0], None)
    outside = around[~_inside(around, box)]
    moved, kept = _tracked(luma[0], luma[last], np.concatenate([points, outside]))
    before = np.concatenate([points, outside])
    ground = kept.copy()
    ground[: len(points)] = False
    if ground.sum() < _LOW:
        return points
    affine, _ = cv2.estimateAffine2D(before[ground], moved[ground], ransacReprojThreshold=1.0)
    if affine is None:
        return points
    expected = points @ affine[:, :2].T + affine[:, 2]
    apart = np.linalg.norm(moved[: len(points)] - expected, axis=1) > _APART_PX
    own = points[apart & kept[: len(points)]]
    return own if len(own) >= _LOW else points


def _corners(luma: Picture, box: Array | None) -> Picture:
    """Return corners in the inner part of ``box`` (pixels), or of the whole picture."""
    mask = np.full(luma.shape, 255, np.uint8)
    if box is not None:
        left, top, right, low = box
        x, y = (right - left) * _INNER, (low - top) * _INNER
        mask[:] = 0
        rows, columns = (
            slice(max(0, int(top + y)), int(low - y)),
            slice(max(0, int(left + x)), int(right - x)),
        )
        mask[rows, columns] = 255
    found: Any = cv2.goodFeaturesToTrack(luma, _CORNERS, 0.01, 4, mask=mask)
    return np.zeros((0, 2), np.float32) if found is None else found.reshape(-1, 2)


def _inside(points: Picture, box: Array) -> npt.NDArray[np.bool_]:
    return np.asarray(((points >= box[:2]) & (points <= box[2:])).all(axis=1))


def _tracked(one: Picture, other: Picture, points: Picture) -> tuple[Picture, Any]:
    follow: Any = cv2.calcOpticalFlowPyrLK
    moved, there, _ = follow(one, other, points, None, winSize=(13, 13), maxLevel=3)
    back, here, _ = follow(other, one, moved, None, winSize=(13, 13), maxLevel=3)
    kept = (there[:, 0] == 1) & (here[:, 0] == 1)
    return moved, kept & (np.linalg.norm(back - points, axis=1) < _BACK_PX)


def _angle(found: Array, told: Array) -> float | None:
    lengths = np.linalg.norm(found), np.linalg.norm(told)
    if min(lengths) < _FAR:
        return None
    cosine = float(np.clip(found @ told / (lengths[0] * lengths[1]), -1, 1))
    return float(np.degrees(np.arccos(cosine)))
