"""The camera of every frame of a steered film.

Layers are planes that face the start of the path. The view of a turned camera is a homography of
the view of an unturned one at the same position, so layers are composited as usual on a larger
picture, which is then warped. The stage has the same size for every path, so that all paths of one
scene share one world. A path that looks or goes beyond it is held at its border, with a note.
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

_REACH: Final = (4.5, 3.2)
"""Width and height of the painted stage, relative to the first frame."""
_PLANES: Final = (0.0, 0.35, 1.0, 1.3)
"""Parallaxes at which the reach of a path is measured."""
_ASIDE: Final = 2.0
_BACK, _ON = 1.0, 2.0
_UP: Final = 1.0
"""Maximum camera travel, in distances to the subject; nothing is painted beyond."""
_BEFORE_END: Final = 0.4
"""Least distance to the end of a room, as a share of its distance from the stage's origin."""
_WAYS: Final = (("left", "right"), ("up", "down"), ("back", "forward"))
_OVER_GROUND: Final = 0.04
_NEAREST: Final = 0.12
_HALVINGS: Final = 24
_STILL: Final = 1e-9
_SAME: Final = 1e-6
_LEAST: Final = 0.2
"""Minimum painted height above and below the horizon, as a share of the first frame's height."""
_RIM: Final = 2


@dataclass(frozen=True, slots=True)
class Shot:
    """The camera of one frame."""

    camera: Camera
    """The unturned camera at the same position, for a picture of ``size``."""
    size: tuple[int, int]
    """Width and height of the composited picture, in pixels."""
    warp: Matrix | None
    """3×3: from a pixel of the frame to one of the picture; None for the identity."""
    c2w: Matrix
    """4×4 in the path's units, relative to its first camera."""
    lens: Matrix
    """3×3: the calibration matrix of the frame; the middle of the first pixel is (0, 0)."""


class Stage(Sight):
    """The painted extent of a steered film: more of every layer than the first frame shows."""

    def __init__(self, view: View, start: Camera, reach: tuple[float, float]) -> None:
        super().__init__(view, [start])
        self._view, self._start, self._reach = view, start, reach

    def scales(self, p: float) -> tuple[float, float]:
        """Return the initial scale of a layer at parallax ``p``, twice: it is painted at it."""
        return (self._start.scale(p),) * 2

    def extent(self, p: float) -> tuple[float, float, float, float]:
        """Return the painted part of layer ``p``: left, top, right, bottom in its units."""
        left, top, right, low = super().extent(p)
        x, y = p * self._start.x, p * self._start.y
        wide, tall = self._reach
        half = max(x - left, right - x) * wide
        least = _LEAST * (low - top)
        above, below = max(y - top, least) * tall, max(low - y, least) * tall
        return x - half, y - above, x + half, y + below


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the camera stands in a frame, in units of the stage, and its lens in pixels."""

    at: Matrix
    focal: float
    middle: Matrix


class Steering:
    """A path as shots of one film: ``start`` frames its subject and is the start of the path."""

    def __init__(
        self,
        path: CameraPath,
        start: Camera,
        width: int,
        height: int,
        num_frames: int,
        fps: float,
        *,
        end: float = 0.0,
    ) -> None:
        """``end`` is the parallax at which a room ends; 0: nowhere, as outdoors."""
        self._width, self._height, self._fps = width, height, fps
        self._start = start
        self.unit = 1 - start.k
        """One unit of the path in units of the stage: the distance to the subject."""
        before = ((1 - _BEFORE_END) / end - start.k) / self.unit if end else _ON
        self._on = min(_ON, max(0.0, before))
        poses = path.relative().poses(num_frames, fps)
        lenses = path.lenses(num_frames, fps)
        self.notes: tuple[str, ...] = ()
        focals = lenses[:, 0] / path.intrinsics.width * width
        middles = self._principal(path.intrinsics, lenses)
        self._focal, self._middle = float(focals[0]), middles[0]
        self._places = [
            _Place(at, float(focal), middle)
            for at, focal, middle in zip(self._held(poses[:, :3, 3]), focals, middles, strict=True)
        ]
        self._poses = poses
        self._rotations = self._within(poses[:, :3, :3])
        self.reach = _REACH

    @property
    def start(self) -> Camera:
        """The camera at the start of the path, for a picture as large as the frame."""
        return self._start

    def shots(self) -> list[Shot]:
        """Return the camera of every frame."""
        return [
            self._shot(place, rotation, turned=_turns(pose))
            for place, rotation, pose in zip(
                self._places, self._rotations, self._poses, strict=True
            )
        ]

    def shot(self, pose: Matrix) -> Shot | None:
        """Return the camera of one more frame, at ``pose`` (4×4) and through the path's first lens.

        It equals the shot of a path with that pose; None where that path would leave the stage.
        """
        wanted = pose[:3, 3]
        at = self._on_stage(wanted)
        if np.abs(at - wanted).max() > _SAME:
            return None
        place = _Place(at * self.unit, self._focal, self._middle)
        rotation = pose[:3, :3]
        if not self._fits(place, rotation):
            return None
        return self._shot(place, rotation, turned=_turns(pose))

    def _principal(self, lens: Intrinsics, lenses: Matrix) -> Matrix:
        """Return the principal points, which keep the subject where the shot frames it."""
        x = (lenses[:, 2] + 0.5) / lens.width - 0.5
        y = (lenses[:, 3] + 0.5) / lens.height - 0.5
        across = self._width * (0.5 + x) + self._start.pan * self._height
        down = self._height * (HORIZON + self._start.tilt + y)
        return np.stack([across, down], axis=1)

    def _held(self, places: Matrix) -> Matrix:
        """Return the positions in units of the stage, held within it."""
        held = self._on_stage(places)
        off = places - held
        beyond = np.abs(off).max(axis=1) > _SAME
        if beyond.any():
            place = int(np.abs(off).max(axis=1).argmax())
            axis = int(np.abs(off[place]).argmax())
            way = _WAYS[axis][int(off[place, axis] > 0)]
            far = f"{abs(off[place, axis]):.2g} unit"
            far += "" if far == "1 unit" else "s"
            told = (
                f"{self._when(beyond)} the path goes up to {far} further "
                f"{way} than the storyboard's stage: the camera is held at its border."
            )
            self.notes += (told,)
        return np.asarray(held * self.unit)

    def _when(self, frames: npt.NDArray[np.bool_]) -> str:
        """Return from when to when these frames are, such as ``From 1.5 s to 2 s``."""
        found = np.flatnonzero(frames)
        first, last = (round(float(at) / self._fps, 1) for at in (found[0], found[-1]))
        return f"From {first:g} s" if frames[-1] else f"From {first:g} s to {last:g} s"

    def _on_stage(self, places: Matrix) -> Matrix:
        """Return the positions (…×3, in units of the path) within the stage that are nearest.

        In a room they stay before its end.
        """
        lowest = (GROUND - _OVER_GROUND - self._start.y) / self.unit
        least = np.array([-_ASIDE, -_UP, -_BACK])
        most = np.array([_ASIDE, max(0.0, lowest), self._on])
        return np.clip(places, least, most)

    def _within(self, rotations: Matrix) -> Matrix:
        """Return the rotations, limited so that no frame sees beyond the stage."""
        found = rotations.copy()
        shortened = np.zeros(len(found))
        for index, place in enumerate(self._places):
            if not self._fits(place, found[index]):
                whole = log_rotation(rotations[index])
                low, high = 0.0, 1.0
                for _ in range(_HALVINGS):
                    share = (low + high) / 2
                    fits = self._fits(place, _turn(share * whole))
                    low, high = (share, high) if fits else (low, share)
                found[index] = _turn(low * whole)
                shortened[index] = (1 - low) * float(np.linalg.norm(whole))
        if shortened.any():
            told = (
                f"{self._when(shortened > 0)} the path turns up to "
                f"{math.degrees(shortened.max()):.0f}° further than the storyboard shows: its stage "
                "is seen from the front, and the camera turns as far as that goes."
            )
            self.notes += (told,)
        return found

    def _fits(self, place: _Place, rotation: Matrix) -> bool:
        """Tell whether a frame from this place, so turned, sees only the stage."""
        return all(np.less_equal(self._reach(place, rotation), _REACH))

    def _reach(self, place: _Place, rotation: Matrix) -> tuple[float, float]:
        """Return the reach of this frame on the stage, relative to the first frame."""
        x, y, z = place.at
        rays = self._corners(place) @ rotation.T
        if rays[:, 2].min() < _NEAREST:
            return math.inf, math.inf
        across, down = rays[:, 0] / rays[:, 2], rays[:, 1] / rays[:, 2]
        focal, middle = self._focal, self._middle
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

    def _corners(self, place: _Place) -> Matrix:
        """Return the rays of the frame's corners, 4×3."""
        (cx, cy), focal = place.middle, place.focal
        return np.array(
            [
                ((u - cx) / focal, (v - cy) / focal, 1.0)
                for u in (0, self._width)
                for v in (0, self._height)
            ]
        )

    def _shot(self, place: _Place, rotation: Matrix, *, turned: bool) -> Shot:
        at, focal = place.at, place.focal
        cx, cy = map(float, place.middle)
        x, y, z = map(float, at)  # plain numbers: they are rounded often, which numpy does slowly
        lens = np.array([[focal, 0, cx - 0.5], [0, focal, cy - 0.5], [0, 0, 1.0]])
        c2w = np.eye(4)
        c2w[:3, :3], c2w[:3, 3] = rotation, at / self.unit
        start = self._start
        camera = replace(
            start, x=start.x + x, y=start.y + y, k=start.k + z, f=focal / self._height
        )  # fmt: skip
        if not turned:
            return Shot(self._seen(camera, cx, cy), (self._width, self._height), None, c2w, lens)
        rays = self._corners(place) @ rotation.T
        flat = rays[:, :2] / rays[:, 2:]
        # A slanted view needs fewer pixels, but a layer of constant scale is cheapest.
        fine = 1.0 if abs(z) < _STILL else max(0.5, float(rotation[2, 2]))
        left, top = map(float, flat.min(axis=0) * focal * fine - _RIM)
        right, low = map(float, flat.max(axis=0) * focal * fine + _RIM)
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


def _turns(pose: Matrix) -> bool:
    return bool(np.abs(pose[:3, :3] - np.eye(3)).max() > _STILL)


def _turn(vector: Matrix) -> Matrix:
    return matrix_of(exp_quaternion(vector))
