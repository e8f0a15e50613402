"""Pose estimation around ViTPose: its crops of people, its heatmaps as joints, and skeletons.

The steps and constants are those of ViTPose's image processor in transformers, which needs scipy or
torchvision; here numpy and OpenCV take them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import cv2
import numpy as np

from workbench.engines.diffusers.estimators import skeleton
from workbench.engines.pixels import Image

__all__ = ["Person", "drawn_skeletons", "joints_of", "person_crop"]

Person = tuple[float, float, float, float]
"""A box around a person: left, top, width and height in pixels."""

_PADDED: Final = 1.25
_SIGMA: Final = 0.8
_KERNEL: Final = 11
_RANGE: Final = (0.001, 50.0)
"""Bounds of a heatmap before its logarithm."""
_STICK: Final = 4
_DARKER: Final = 0.6


def person_crop(frame: Image, person: Person, size: tuple[int, int]) -> Image:
    """Return the padded box of a person from ``frame`` (H×W×3, ``uint8``), at ``size`` (w, h).

    Bilinear; black outside the frame.
    """
    (x, y), (wide, high) = _padded(person, size)
    columns = _weights(frame.shape[1], x, wide, size[0])
    rows = _weights(frame.shape[0], y, high, size[1])
    cropped = np.einsum("ih,hwc,jw->ijc", rows, frame.astype(np.float64), columns, optimize=True)
    return np.asarray(np.floor(cropped + 0.5), np.uint8)


def joints_of(heatmaps: Image, persons: Sequence[Person], size: tuple[int, int]) -> Image:
    """Return the joints in the frame, N×K×3: x and y in pixels, and the score from 0 to 1.

    ``heatmaps`` are N×K×H×W; ``size`` is that of the crops. A peak is refined by a Newton step on the
    logarithm of the smoothed heatmap (Zhang et al. 2020, Huang et al. 2020).
    """
    height, width = heatmaps.shape[2:]
    found = np.zeros((*heatmaps.shape[:2], 3))
    for person, (box, maps) in enumerate(zip(persons, heatmaps, strict=True)):
        (x, y), (wide, high) = _padded(box, size)
        for joint, heat in enumerate(maps):
            row, column = np.unravel_index(int(heat.argmax()), heat.shape)
            refined = np.array([column, row], float) - _step(heat, int(column), int(row))
            found[person, joint] = (
                refined[0] * wide / (width - 1) + x - wide / 2,
                refined[1] * high / (height - 1) + y - high / 2,
                heat[row, column],
            )
    return found


def drawn_skeletons(joints: Image, size: tuple[int, int], *, threshold: float) -> Image:
    """Return skeletons on black (H×W×3, ``uint8``), as DWPose draws bodies.

    ``joints`` are COCO's, N×17×3; those with a score up to ``threshold`` are left out. ``size`` is
    the width and height.
    """
    drawing = skeleton()
    canvas = np.zeros((size[1], size[0], 3), np.uint8)
    bodies = [_body(person, drawing["joints"], threshold) for person in joints]
    for (start, end), colour in zip(drawing["limbs"], drawing["colours"], strict=False):
        for body in bodies:
            if (one := body[start]) is not None and (other := body[end]) is not None:
                middle = ((one[0] + other[0]) / 2, (one[1] + other[1]) / 2)
                length = math.hypot(one[0] - other[0], one[1] - other[1])
                angle = math.degrees(math.atan2(one[1] - other[1], one[0] - other[0]))
                axes = (int(length / 2), _STICK)
                centre = (int(middle[0]), int(middle[1]))
                limb = np.array(cv2.ellipse2Poly(centre, axes, int(angle), 0, 360, 1))
                cv2.fillConvexPoly(canvas, limb, colour)
    canvas = (canvas * _DARKER).astype(np.uint8)
    for number, colour in enumerate(drawing["colours"]):
        for body in bodies:
            if (place := body[number]) is not None:
                cv2.circle(canvas, (int(place[0]), int(place[1])), _STICK, colour, -1)
    return canvas


def _body(person: Image, joints: Sequence[Sequence[int]], threshold: float) -> list[Any]:
    """Return the place of each joint of OpenPose; None for one that is not seen."""
    return [
        person[parts, :2].mean(axis=0) if (person[parts, 2] > threshold).all() else None
        for parts in map(list, joints)
    ]


def _padded(person: Person, size: tuple[int, int]) -> tuple[tuple[float, float], Any]:
    """Return the centre of a person's box, and its size in the shape of ``size``, padded."""
    left, top, width, height = person
    shape = size[0] / size[1]
    wide, high = max(width, height * shape), max(height, width / shape)
    return (left + width / 2, top + height / 2), (wide * _PADDED, high * _PADDED)


def _weights(count: int, middle: float, length: float, cropped: int) -> Image:
    """Return the bilinear weights of ``count`` pixels in each of the ``cropped`` ones."""
    places = np.arange(cropped) / ((cropped - 1) / length) + middle - length / 2
    inside = (places >= 0) & (places <= count - 1)
    first = np.clip(np.floor(places).astype(int), 0, count - 1)
    share = places - first
    weights = np.zeros((cropped, count))
    rows = np.arange(cropped)
    np.add.at(weights, (rows, first), np.where(inside, 1 - share, 0))
    np.add.at(weights, (rows, np.minimum(first + 1, count - 1)), np.where(inside, share, 0))
    return weights


def _step(heat: Image, column: int, row: int) -> Image:
    """Return how far the peak lies before (``column``, ``row``), in pixels of the heatmap."""
    smooth = cv2.GaussianBlur(
        heat.astype(np.float64), (_KERNEL, _KERNEL), _SIGMA, borderType=cv2.BORDER_REFLECT
    )
    logs = np.pad(np.log(np.clip(smooth, *_RANGE)), 1, mode="edge")
    near = logs[row : row + 3, column : column + 3]
    gradient = np.array([near[1, 2] - near[1, 0], near[2, 1] - near[0, 1]]) / 2
    mixed = (near[2, 2] - near[1, 2] - near[2, 1] + 2 * near[1, 1]) / 2
    mixed += (near[0, 0] - near[1, 0] - near[0, 1]) / 2
    curve = np.array(
        [
            [near[1, 2] - 2 * near[1, 1] + near[1, 0], mixed],
            [mixed, near[2, 1] - 2 * near[1, 1] + near[0, 1]],
        ]
    )
    return np.asarray(np.linalg.inv(curve + np.finfo(np.float32).eps * np.eye(2)) @ gradient)
