"""The camera of every frame where a request commands a path.

A layer is a plane that faces the start of the path. A camera that has turned away from it sees what
an unturned one at the same place sees, through one homography; so the layers are laid as always,
on a picture large enough, and that picture is warped. The stage is painted as far as the path looks
(in steps, so that like paths share one world) and has an end: a path that looks or goes beyond is
held at it, and the notes say so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from workbench.control import CameraPath, Intrinsics
from workbench.control.rotation import exp_quaternion, log_rotation, matrix_of
from workbench.engines.animatic.camera import GROUND, HORIZON, Camera, Sight, View
from workbench.engines.animatic.planes import Picture

__all__ = ["Shot", "Stage", "Steering", "focal_of", "warped"]

Matrix = npt.NDArray[np.float64]

_WIDER: Final = (2.3, 3.2, 4.5)
_TALLER: Final = (1.5, 2.3, 3.2, 4.5)
"""How much wider and taller than the first frame the stage may be painted."""
_PLANES: Final = (0.0, 0.35, 1.0, 1.3)
"""Parallaxes at which the reach of a path is measured."""
_ASIDE: Final = 2.0
_BACK, _ON = 1.0, 2.0
_UP: Final = 1.0
"""How far the camera may go, in distances to the subject; beyond it there is nothing to see."""
_OVER_GROUND: Final = 0.04
_NEAREST: Final = 0.12
_HALVINGS: Final = 24
_STILL: Final = 1e-9
_LEAST: Final = 0.2
"""The least that is painted above and below the horizon, as a share of the first frame's height."""
_RIM: Final = 2


@dataclass(frozen=True, slots=True)
class Shot:
    """The camera of one frame."""

    camera: Camera
    """Unturned, at the same place, for a picture of ``size``."""
    size: tuple[int, int]
    """Width and height of the picture that is laid, in pixels."""
    warp: Matrix | None
    """3×3: from a pixel of the frame to one of the picture; None: they are the same."""
    c2w: Matrix
    """4×4 in the path's units, seen from its first camera."""
    lens: Matrix
    """3×3: the calibration matrix of the frame; the middle of the first pixel is (0, 0)."""


class Stage(Sight):
    """What is painted for a steered film: more of every layer than the first frame shows."""

    def __init__(self, view: View, start: Camera, reach: tuple[float, float]) -> None:
        super().__init__(view, [start])
        self._view, self._start, self._reach = view, start, reach

    def scales(self, p: float) -> tuple[float, float]:
        """Return how large a layer at parallax ``p`` appears at first, twice: it is painted so."""
        return (self._start.scale(p),) * 2

    def extent(self, p: float) -> tuple[float, float, float, float]:
        """Return what is painted of layer ``p``: left, top, right, bottom in its units."""
        left, top, right, low = super().extent(p)
        x, y = p * self._start.x, p * self._start.y
        wide, tall = self._reach
        half = max(x - left, right - x) * wide
        least = _LEAST * (low - top)
        above, below = max(y - top, least) * tall, max(low - y, least) * tall
        return x - half, y - above, x + half, y + below


class Steering:
    """A path as shots of one film: ``start`` frames its subject, and is where the path begins."""

    def __init__(
        self,
        path: CameraPath,
        start: Camera,
        width: int,
        height: int,
        num_frames: int,
        fps: float,
        *,
        widest: bool = False,
    ) -> None:
        self._width, self._height = width, height
        self._start = start
        self.unit = 1 - start.k
        """One unit of the path, in units of the stage: the distance to the subject."""
        poses = path.relative().poses(num_frames, fps)
        lenses = path.lenses(num_frames, fps)
        self.notes: tuple[str, ...] = ()
        self._focals = lenses[:, 0] / path.intrinsics.width * width
        self._middles = self._principal(path.intrinsics, lenses)
        self._places = self._held(poses[:, :3, 3])
        rotations = poses[:, :3, :3]
        self._turned = np.abs(rotations - np.eye(3)).max(axis=(1, 2)) > _STILL
        self._rotations, reach = self._within(rotations)
        self.reach = (_step(reach[0], _WIDER), _step(reach[1], _TALLER))
        if widest:
            self.reach = _WIDER[-1], _TALLER[-1]

    @property
    def start(self) -> Camera:
        """The camera at the start of the path, for a picture as large as the frame."""
        return self._start

    def shots(self) -> list[Shot]:
        """Return the camera of every frame."""
        return [self._shot(index) for index in range(len(self._focals))]

    def _principal(self, lens: Intrinsics, lenses: Matrix) -> Matrix:
        """Return the principal points: the subject stays where the shot frames it."""
        x = (lenses[:, 2] + 0.5) / lens.width - 0.5
        y = (lenses[:, 3] + 0.5) / lens.height - 0.5
        across = self._width * (0.5 + x) + self._start.pan * self._height
        down = self._height * (HORIZON + self._start.tilt + y)
        return np.stack([across, down], axis=1)

    def _held(self, places: Matrix) -> Matrix:
        """Return the positions in units of the stage, held within it."""
        lowest = (GROUND - _OVER_GROUND - self._start.y) / self.unit
        least = np.array([-_ASIDE, -_UP, -_BACK])
        most = np.array([_ASIDE, max(0.0, lowest), _ON])
        held = np.clip(places, least, most)
        if np.abs(held - places).max() > 1e-6:
            told = "The storyboard's stage ends where the path goes: the camera is held there."
            self.notes += (told,)
        return np.asarray(held * self.unit)

    def _within(self, rotations: Matrix) -> tuple[Matrix, tuple[float, float]]:
        """Return the rotations, turned no farther than the stage reaches, and that reach."""
        found = rotations.copy()
        most = 1.0, 1.0
        shortened = 0.0
        for index in range(len(rotations)):
            reach = self._reach(index, found[index])
            if max(reach) > _WIDER[-1]:
                whole = log_rotation(rotations[index])
                low, high = 0.0, 1.0
                for _ in range(_HALVINGS):
                    share = (low + high) / 2
                    fits = max(self._reach(index, _turn(share * whole))) <= _WIDER[-1]
                    low, high = (share, high) if fits else (low, share)
                found[index] = _turn(low * whole)
                shortened = max(shortened, (1 - low) * float(np.linalg.norm(whole)))
                reach = self._reach(index, found[index])
            most = max(most[0], reach[0]), max(most[1], reach[1])
        if shortened:
            less = f"{math.degrees(shortened):.0f}° less than the path"
            told = f"The storyboard is a stage seen from the front: the camera turns up to {less}."
            self.notes += (told,)
        return found, most

    def _reach(self, index: int, rotation: Matrix) -> tuple[float, float]:
        """Return how much more of the stage than the first frame this one sees."""
        x, y, z = self._places[index]
        rays = self._corners(index) @ rotation.T
        if rays[:, 2].min() < _NEAREST:
            return math.inf, math.inf
        across, down = rays[:, 0] / rays[:, 2], rays[:, 1] / rays[:, 2]
        focal = self._focals[0]
        middle = self._middles[0]
        wide, tall = 1.0, 1.0
        half = max(middle[0], self._width - middle[0]) / focal
        least = _LEAST * self._height / focal
        above = max(middle[1] / focal, least)
        below = max((self._height - middle[1]) / focal, least)
        for p in _PLANES:
            far, now = 1 - self._start.k * p, 1 - (self._start.k + z) * p
            if now < _NEAREST or far < _NEAREST:
                continue
            wide = max(wide, float(np.abs(p * x + now * across).max()) / (far * half))
            heights = p * y + now * down
            tall = max(tall, float(-heights.min()) / (far * above))
            tall = max(tall, float(heights.max()) / (far * below))
        return wide, tall

    def _corners(self, index: int) -> Matrix:
        """Return the rays of the frame's corners, 4×3."""
        (cx, cy), focal = self._middles[index], self._focals[index]
        return np.array(
            [
                ((u - cx) / focal, (v - cy) / focal, 1.0)
                for u in (0, self._width)
                for v in (0, self._height)
            ]
        )

    def _shot(self, index: int) -> Shot:
        place, rotation = self._places[index], self._rotations[index]
        cx, cy = self._middles[index]
        focal = float(self._focals[index])
        lens = np.array([[focal, 0, cx - 0.5], [0, focal, cy - 0.5], [0, 0, 1.0]])
        c2w = np.eye(4)
        c2w[:3, :3], c2w[:3, 3] = rotation, place / self.unit
        start = self._start
        camera = replace(
            start, x=start.x + place[0], y=start.y + place[1], k=start.k + place[2],
            f=focal / self._height,
        )  # fmt: skip
        if not self._turned[index]:
            return Shot(self._seen(camera, cx, cy), (self._width, self._height), None, c2w, lens)
        rays = self._corners(index) @ rotation.T
        flat = rays[:, :2] / rays[:, 2:]
        # What is seen at a slant needs fewer pixels; but a layer that keeps its size costs least.
        fine = 1.0 if abs(place[2]) < _STILL else max(0.5, float(rotation[2, 2]))
        left, top = flat.min(axis=0) * focal * fine - _RIM
        right, low = flat.max(axis=0) * focal * fine + _RIM
        size = (math.ceil((right - left) / 2) * 2, math.ceil((low - top) / 2) * 2)
        there = np.array(
            [[focal * fine, 0, -left - 0.5], [0, focal * fine, -top - 0.5], [0, 0, 1.0]]
        )
        warp = there @ rotation @ np.linalg.inv(lens)
        camera = replace(camera, f=camera.f * fine)
        return Shot(self._seen(camera, -left, -top), size, warp, c2w, lens)

    def _seen(self, camera: Camera, across: float, down: float) -> Camera:
        """Return ``camera`` with its principal point at this pixel of the picture."""
        high = self._height
        return replace(camera, pan=(across - self._width / 2) / high, tilt=down / high - HORIZON)


def focal_of(path: CameraPath, width: int, height: int) -> float:
    """Return the focal length at the start of ``path``, in frame heights."""
    lens = path.keyframes[0].intrinsics or path.intrinsics
    return lens.fx / lens.width * width / height


def warped(picture: Picture, warp: Matrix, size: tuple[int, int]) -> Picture:
    """Return the frame of ``size`` that ``warp`` takes from ``picture``."""
    frame = Picture(*size)
    half = np.array([[2, 0, 0.5], [0, 2, 0.5], [0, 0, 1.0]])
    chroma = np.linalg.inv(half) @ warp @ half
    planes: Sequence[tuple[Any, Any, Matrix]] = (
        (picture.y, frame.y, warp),
        (picture.u, frame.u, chroma),
        (picture.v, frame.v, chroma),
    )
    for source, target, matrix in planes:
        cv2.warpPerspective(
            source,
            matrix,
            target.shape[::-1],
            dst=target,
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
    return frame


def _turn(vector: Matrix) -> Matrix:
    return matrix_of(exp_quaternion(vector))


def _step(reach: float, steps: Sequence[float]) -> float:
    return next((step for step in steps if reach <= step + 1e-9), steps[-1])
