"""The camera path is recovered from a rendered room, with known errors."""

from __future__ import annotations

import numpy as np
import pytest

from tests.measures.world import FPS, SMALL, Frames, Room
from tests.measures.world import film as film_of
from workbench.control import path_from_words
from workbench.control.rotation import Array, exp_quaternion, matrix_of
from workbench.errors import InvalidRequest
from workbench.measures.camera import (
    camera_error,
    recover_camera,
    return_error,
    return_frames,
)


def _path(words: str, seconds: float = 1.25) -> Array:
    return path_from_words(words, seconds=seconds, fps=FPS).value.c2w


def film(poses: Array, room: Room | None = None) -> Frames:
    return film_of(poses, room, SMALL)


def _turned(degrees: float, axis: tuple[float, float, float] = (0, 1, 0)) -> Array:
    pose = np.eye(4)
    pose[:3, :3] = matrix_of(exp_quaternion(np.radians(degrees) * np.array(axis)))
    return pose


@pytest.mark.parametrize(
    "words",
    [
        "dolly in 1.5 units",
        "truck left 1 units",
        "crane up 0.8 units",
        "orbit right 20 degrees at a distance of 4",
        "pan right 10 degrees and dolly in 1 units",
    ],
)
def test_a_camera_that_travels_as_commanded_has_no_error(words: str) -> None:
    poses = _path(words)
    error = camera_error(recover_camera(film(poses, Room(1)), SMALL), poses)
    assert error.rotation_deg < 0.5
    assert error.direction_deg is not None
    assert error.direction_deg < 3
    assert error.seen > 0.9
    assert error.directions_seen >= 0.5


@pytest.mark.parametrize(
    "words", ["pan left 25 degrees", "tilt up 12 degrees", "roll left 12 degrees"]
)
def test_a_pure_rotation_is_measured_as_rotation_without_translation(words: str) -> None:
    poses = _path(words)
    legs = recover_camera(film(poses, Room(2)), SMALL)
    error = camera_error(legs, poses)
    assert error.rotation_deg < 0.5
    assert error.direction_deg is None
    assert error.seen == 1
    assert all(leg.direction is None for leg in legs)


def test_a_camera_that_stands_still_does_not_move() -> None:
    poses = np.tile(np.eye(4), (12, 1, 1))
    error = camera_error(recover_camera(film(poses), SMALL), poses)
    assert error.rotation_deg < 1e-3
    assert error.direction_deg is None


def test_a_camera_that_goes_the_other_way_is_180_degrees_off() -> None:
    legs = recover_camera(film(_path("truck left 1 units"), Room(3)), SMALL)
    error = camera_error(legs, _path("truck right 1 units"))
    assert error.direction_deg == pytest.approx(180, abs=5)
    assert error.rotation_deg < 0.5


def test_a_missing_rotation_is_the_rotation_error() -> None:
    legs = recover_camera(film(_path("pan left 10 degrees at constant speed"), Room(4)), SMALL)
    error = camera_error(legs, _path("pan left 22 degrees at constant speed"))
    assert error.rotation_deg == pytest.approx(6, abs=0.5)  # from 0 to 12, evenly


def test_the_scale_of_the_commanded_path_does_not_count() -> None:
    poses = _path("dolly in 1 units")
    legs = recover_camera(film(poses, Room(5)), SMALL)
    larger = poses.copy()
    larger[:, :3, 3] *= 40
    one, other = camera_error(legs, larger), camera_error(legs, poses)
    assert one.direction_deg == pytest.approx(other.direction_deg)
    assert one.rotation_deg == other.rotation_deg


def test_a_video_without_features_gives_no_camera_estimate() -> None:
    poses = _path("pan left", seconds=0.5)
    blank = np.full((len(poses), 120, 208, 3), 90, np.uint8)
    error = camera_error(recover_camera(blank, SMALL), poses)
    assert error.seen == 0
    assert error.direction_deg is None


def test_a_path_shorter_than_the_video_is_refused() -> None:
    poses = _path("pan left", seconds=0.5)
    legs = recover_camera(film(poses), SMALL)
    with pytest.raises(InvalidRequest, match="fewer than the video has frames"):
        camera_error(legs, poses[:-1])


@pytest.mark.parametrize("degrees", [0.0, 3.0, 9.0])
def test_a_return_to_a_rotated_view_is_off_by_the_angle(degrees: float) -> None:
    first, second = film(np.stack([np.eye(4), _turned(degrees)]), Room(6))
    error = return_error(first, second, SMALL)
    assert error is not None
    assert error.rotation_deg == pytest.approx(degrees, abs=0.3)
    assert error.shift == pytest.approx(
        np.tan(np.radians(degrees)) * SMALL.fx / 208, rel=0.15, abs=0.002
    )


def test_two_views_without_overlap_have_no_return_error() -> None:
    (first,), (second,) = (film(np.eye(4)[None], Room(seed)) for seed in (7, 8))
    assert return_error(first, second, SMALL) is None


def test_a_path_there_and_back_names_the_two_frames_to_compare() -> None:
    there = _path("dolly in 1 units, then dolly out 1 units", seconds=2)
    assert return_frames(there) == (0, len(there) - 1)
    assert return_frames(_path("orbit left 360 degrees", seconds=3)) == (0, 48)
    assert return_frames(_path("dolly in 1 units")) is None
    assert return_frames(np.tile(np.eye(4), (9, 1, 1))) is None
