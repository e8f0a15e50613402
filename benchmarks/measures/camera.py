"""The camera: its error against a command, named movements, returns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.measures.clips import CLIPS, SECONDS, encoded_frames, path_of
from benchmarks.measures.reached import Tally, correlation
from benchmarks.report import Figure
from tests.measures.world import FPS, LENS, Room, film
from workbench.control import path_from_words
from workbench.control.rotation import Array, exp_quaternion, matrix_of
from workbench.measures.camera import Leg, camera_error, recover_camera, return_error
from workbench.measures.scene_check.measured import camera_move

__all__ = ["camera", "moves", "returns", "shift_of", "strayed_poses"]


def camera(rng: np.random.Generator) -> list[Figure]:
    """A camera that deviates from its command by a known angle and direction."""
    strayed, measured, ways, found, exact, exact_ways = [], [], [], [], [], []
    seen = []
    for number in range(2 * CLIPS):
        commanded = path_of(number)
        axis = rng.normal(size=3)
        angle = 0.0 if number % 4 == 0 else float(rng.uniform(0, 15))
        bend = 0.0 if number % 4 == 0 else float(rng.uniform(0, 45))
        actual = strayed_poses(commanded, axis / np.linalg.norm(axis), angle, bend)
        legs = recover_camera(encoded_frames(film(actual, Room(number))), LENS)
        error, truth = camera_error(legs, commanded), _truth(legs, actual, commanded)
        measured.append(error.rotation_deg)
        strayed.append(truth[0])
        seen.append(error.seen)
        if error.direction_deg is not None and truth[1] is not None:
            found.append(error.direction_deg)
            ways.append(truth[1])
        if number % 4 == 0:
            exact.append(error.rotation_deg)
            if error.direction_deg is not None:
                exact_ways.append(error.direction_deg)
    return [
        correlation("rotation error against the truth", strayed, measured, "path_rotation"),
        correlation("direction error against the truth", ways, found, "path_direction"),
        Figure("rotation error of a camera that obeys, mean", float(np.mean(exact)), "°"),
        Figure("direction error of a camera that obeys, mean", float(np.mean(exact_ways)), "°"),
        Figure("frames whose pose is recovered", float(np.mean(seen)) * 100, "%"),
    ]


def moves(rng: np.random.Generator) -> list[Figure]:
    """Single camera movements, named from the frames; and movements without such a name."""
    tally = Tally()
    for number, (name, words, low, high) in enumerate(4 * _ONE_MOVE):
        path = path_from_words(
            words.format(rng.uniform(low, high)), seconds=SECONDS, fps=FPS
        ).value.c2w
        legs = recover_camera(encoded_frames(film(path, Room(number))), LENS)
        found = camera_move(legs)
        place = _NAMES.index(name) if name else -1
        tally.add({place} if name else set(), {_NAMES.index(found)} if found else set())
    return tally.figures("camera movements named", "camera_movement")


_ONE_MOVE = (
    ("static", "static", 0, 0),
    ("pan left", "pan left {} degrees", 8, 40),
    ("pan right", "pan right {} degrees", 8, 40),
    ("tilt up", "tilt up {} degrees", 8, 20),
    ("tilt down", "tilt down {} degrees", 8, 20),
    ("dolly in", "dolly in {} units", 0.7, 2.5),
    ("dolly out", "dolly out {} units", 0.7, 2.5),
    ("", "orbit left {} degrees at a distance of 4", 15, 35),
    ("", "pan left {} degrees and dolly in 1 units", 10, 30),
)
"""The name of a movement, its words, and the range of its amount."""
_NAMES = (
    *(name for name, *_ in _ONE_MOVE if name),
    "truck left", "truck right", "crane up", "crane down",
)  # fmt: skip


def strayed_poses(poses: Array, axis: Array, degrees: float, bend: float) -> Array:
    """Return ``poses`` turned more and more about ``axis``, and travelling ``bend`` degrees off."""
    share = np.linspace(0, 1, len(poses))[:, None]
    extra = matrix_of(exp_quaternion(axis * np.radians(degrees) * share))
    off = matrix_of(exp_quaternion(np.array([0.0, np.radians(bend), 0.0])))
    found = poses.copy()
    found[:, :3, :3] = poses[:, :3, :3] @ extra
    found[:, :3, 3] = poses[:, :3, 3] @ off.T
    return found


def _truth(legs: Sequence[object], actual: Array, commanded: Array) -> tuple[float, float | None]:
    """Return the error that a perfect recovery of ``actual`` would report."""
    exact = []
    for leg in legs:
        assert isinstance(leg, Leg)
        start, stop = actual[leg.start], actual[leg.stop]
        travel = start[:3, :3].T @ (stop[:3, 3] - start[:3, 3])
        length = float(np.linalg.norm(travel))
        known = leg.direction is not None and length > 0
        rotation = start[:3, :3].T @ stop[:3, :3]
        exact.append(Leg(leg.start, leg.stop, rotation, travel / length if known else None))
    error = camera_error(exact, commanded)
    return error.rotation_deg, error.direction_deg


def returns(rng: np.random.Generator) -> list[Figure]:
    """A camera that comes back to within a known rotation."""
    truth, turned, shifted, moved = [], [], [], []
    for number in range(24):
        room, start = Room(number), np.eye(4)
        axis = rng.normal(size=3)
        angle = float(rng.uniform(0, 12))
        back = strayed_poses(np.stack([start, start]), axis / np.linalg.norm(axis), angle, 0)[1]
        first, second = encoded_frames(film(np.stack([start, back]), room))
        error = return_error(first, second, LENS)
        assert error is not None
        truth.append(angle)
        turned.append(error.rotation_deg)
        shifted.append(error.shift)
        moved.append(shift_of(back))
    return [
        correlation("rotation between the frames", truth, turned, "return_rotation"),
        correlation("shift of the picture", moved, shifted, "return_shift"),
    ]


def shift_of(pose: Array) -> float:
    """Return the median distance that distant points move by, picture widths."""
    columns, rows = np.meshgrid(np.arange(8, LENS.width, 16), np.arange(8, LENS.height, 16))
    pixels = np.stack([columns.ravel(), rows.ravel(), np.ones(columns.size)])
    seen = LENS.matrix @ pose[:3, :3].T @ np.linalg.inv(LENS.matrix) @ pixels
    there = seen[:2] / seen[2]
    inside = (there > 0).all(axis=0) & (there[0] < LENS.width) & (there[1] < LENS.height)
    return float(np.median(np.linalg.norm(there - pixels[:2], axis=0)[inside])) / LENS.width
