"""A camera path is exact at keyframes, smooth between them, and refuses invalid poses."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.control.paths import LENS, SEARCH, camera_paths, rotation_gap, rotations
from workbench.control import CameraPath, Intrinsics
from workbench.control.conversion import MAX_FRAMES, validated
from workbench.control.rotation import (
    angle_deg,
    from_yaw_pitch_roll,
    log_rotation,
    matrix_of,
    quaternion_of,
    to_yaw_pitch_roll,
)
from workbench.errors import InvalidRequest

EYE = np.eye(4).tolist()


def _path(*frames: tuple[float, Any]) -> dict[str, Any]:
    return {"keyframes": [{"time_s": t, "c2w": pose} for t, pose in frames]}


def _turned(degrees: float, axis: int = 1) -> Any:
    q = np.zeros(4)
    q[0], q[1 + axis] = np.cos(np.radians(degrees) / 2), np.sin(np.radians(degrees) / 2)
    pose = np.eye(4)
    pose[:3, :3] = matrix_of(q)
    return pose


@SEARCH
@given(rotations(20))
def test_quaternion_and_angles_give_the_same_rotation(rotation: Any) -> None:
    assert np.abs(matrix_of(quaternion_of(rotation)) - rotation).max() < 1e-12
    assert np.abs(from_yaw_pitch_roll(*to_yaw_pitch_roll(rotation)) - rotation).max() < 1e-7


@pytest.mark.parametrize("degrees", [0.0, 1e-7, 1.2, 90, 179.999999, 180])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_rotation_vectors_length_is_the_angle(degrees: float, axis: int) -> None:
    rotation = _turned(degrees, axis)[:3, :3]
    assert angle_deg(rotation) == pytest.approx(degrees, abs=1e-9)
    assert abs(log_rotation(rotation)[axis]) == pytest.approx(np.radians(degrees), abs=1e-9)


def test_yaw_turns_right_pitch_up_and_roll_clockwise() -> None:
    zero, quarter = np.array(0.0), np.array(np.pi / 2)
    forward, right = np.array([0, 0, 1.0]), np.array([1.0, 0, 0])
    assert from_yaw_pitch_roll(quarter, zero, zero) @ forward == pytest.approx(right)
    assert from_yaw_pitch_roll(zero, quarter, zero) @ forward == pytest.approx([0, -1, 0])
    assert from_yaw_pitch_roll(zero, zero, quarter) @ right == pytest.approx([0, 1, 0])


@SEARCH
@given(camera_paths(zooms=True))
def test_a_path_round_trips_through_deterministic_json(path: CameraPath) -> None:
    text = path.model_dump_json()
    again = CameraPath.model_validate_json(text)
    assert again == path
    assert hash(again) == hash(path)
    assert again.model_dump_json() == text


def test_negative_zero_and_zero_make_the_same_json() -> None:
    pose = np.eye(4)
    pose[0, 3] = -0.0
    one, other = CameraPath.of_poses(pose[None]), CameraPath.of_poses(np.eye(4)[None])
    assert one.model_dump_json() == other.model_dump_json()


@SEARCH
@given(camera_paths(), st.sampled_from(["smooth", "linear"]))
def test_interpolation_is_bit_for_bit_exact_at_keyframes(path: CameraPath, how: str) -> None:
    path = path.model_copy(update={"interpolation": how})
    for time, pose in zip(path.times_s, path.c2w, strict=True):
        alone = CameraPath.of_poses(path.c2w, times_s=path.times_s.tolist())
        assert alone.keyframes == path.keyframes
        if time > path.times_s[0]:  # the frame before it lies between keyframes
            assert (path.poses(3, 2 / (time - path.times_s[0]))[2] == pose).all()
    assert (path.poses(1)[0] == path.c2w[0]).all()


@SEARCH
@given(camera_paths(longest=6), st.integers(1, 200))
def test_every_interpolated_pose_is_rigid(path: CameraPath, count: int) -> None:
    poses = path.poses(count)
    rotation = poses[:, :3, :3]
    assert poses.shape == (count, 4, 4)
    assert np.abs(rotation.transpose(0, 2, 1) @ rotation - np.eye(3)).max() < 1e-9
    assert (np.linalg.det(rotation) > 0).all()


def test_keyframes_are_interpolated_linearly_and_by_slerp() -> None:
    end = _turned(80)
    end[:3, 3] = 2, 0, 4
    path = CameraPath.of_poses(np.stack([np.eye(4), end]), times_s=[0, 2])
    middle = path.poses(3)[1]
    assert middle[:3, 3] == pytest.approx([1, 0, 2])
    assert rotation_gap(middle, _turned(40)) < 1e-12


def test_a_turn_at_constant_speed_stays_constant_through_uneven_keyframes() -> None:
    times = [0, 0.3, 1.1, 1.5, 2.0]
    path = CameraPath.of_poses(np.stack([_turned(30 * t) for t in times]), times_s=times)
    poses = path.poses(41)
    expected = np.stack([_turned(30 * t) for t in np.linspace(0, 2, 41)])
    assert rotation_gap(poses, expected) < 1e-12


def test_speed_is_continuous_at_the_keyframes_of_a_smooth_path() -> None:
    corner = np.stack([_turned(0), _turned(40), _turned(40, 0)])
    corner[:, :3, 3] = (0, 0, 0), (1, 0, 0), (1, 0, 2)
    path = CameraPath.of_poses(corner, times_s=[0, 1, 2])
    jumps = {}
    for how in ("smooth", "linear"):
        poses = path.model_copy(update={"interpolation": how}).poses(2001)
        steps = np.diff(poses[:, :3, :], axis=0) * 1000
        jumps[how] = np.abs(np.diff(steps, axis=0)[990:1010]).max()
    assert jumps["smooth"] < 0.05 < jumps["linear"]


def test_a_camera_that_holds_between_equal_keyframes_does_not_move() -> None:
    poses = np.stack([_turned(0), _turned(30), _turned(30), _turned(60)])
    poses[:, 0, 3] = 0, 1, 1, 3
    held = CameraPath.of_poses(poses, times_s=[0, 1, 2, 3]).poses(31)[10:21]
    assert np.abs(held - held[0]).max() < 1e-12


def test_the_last_pose_holds_after_the_end() -> None:
    path = CameraPath.of_poses(np.stack([_turned(0), _turned(9)]), times_s=[0, 1])
    assert (path.poses(50, 24)[24:] == path.c2w[1]).all()


def test_one_pose_per_frame_is_returned_unchanged() -> None:
    count = 81
    poses = np.stack([_turned(i * 0.7) for i in range(count)])
    for fps in (16, 24, 29.97):
        path = CameraPath.of_poses(poses, fps=fps)
        assert path.fps == pytest.approx(fps)
        assert (path.poses(count) == poses).all()
        assert (path.poses(count, fps) == poses).all()


def test_a_zoom_changes_the_focal_length_by_equal_ratios() -> None:
    lenses = [LENS, LENS.model_copy(update={"fx": LENS.fx * 4, "fy": LENS.fy * 4})]
    path = CameraPath.of_poses(
        np.stack([np.eye(4)] * 2), times_s=[0, 1], intrinsics=LENS, lenses=lenses
    )
    assert path.zooms
    assert path.lenses(3)[:, 0] / LENS.fx == pytest.approx([1, 2, 4])
    again = path.resampled(9, 8)
    assert np.allclose(again.lenses(9), path.lenses(9))
    assert not CameraPath.of_poses(np.eye(4)[None], intrinsics=LENS).zooms


def test_a_lens_keeps_its_angle_of_view_when_the_picture_is_resized() -> None:
    lens = Intrinsics.of_view(832, 480, 60)
    assert 2 * np.degrees(np.arctan(416 / lens.fx)) == pytest.approx(60)
    small = lens.resized(416, 240)
    assert small.fx == pytest.approx(lens.fx / 2)
    assert small.cx == pytest.approx((416 - 1) / 2)
    assert small.resized(832, 480).vector == pytest.approx(lens.vector)


@SEARCH
@given(camera_paths())
def test_a_relative_path_starts_at_the_origin_and_moves_the_same(path: CameraPath) -> None:
    moved = path.relative()
    assert (moved.c2w[0] == np.eye(4)).all()
    assert np.allclose(path.c2w[0] @ moved.c2w, path.c2w, rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({}, "Field required"),
        (_path(), "at least 1"),
        (_path((0, EYE), (0, EYE)), "keyframe 1 must be later"),
        (_path((1, EYE), (0, EYE)), "keyframe 1 must be later"),
        (_path((-1, EYE)), "greater than or equal to 0"),
        (_path((0, [[1, 0], [0, 1]])), "Field required"),
        (_path((0, (np.eye(4) * 2).tolist())), "last row"),
        (_path((0, np.diag([2, 2, 2, 1.0]).tolist())), "without scale"),
        (_path((0, np.diag([1, 1, -1.0, 1]).tolist())), "mirrors"),
        (_path((0, np.diag([1, 1, float("nan"), 1]).tolist())), "finite"),
        (_path((float("inf"), EYE)), "finite|3600"),
        (_path((0, [[1, 0, 0, 1e7], *EYE[1:]])), "origin"),
        (_path(*[(i / 9, EYE) for i in range(MAX_FRAMES + 1)]), "at most"),
        (_path((0, EYE)) | {"nonsense": 1}, "Extra inputs"),
        (_path((0, "eye")), "tuple"),
    ],
)
def test_an_invalid_path_is_refused_by_field(data: Any, told: str) -> None:
    with pytest.raises(InvalidRequest, match=told) as caught:
        validated(CameraPath, data, "control")
    assert all(problem.field.startswith("control") for problem in caught.value.problems)


def test_nan_and_infinity_are_refused() -> None:
    text = json.dumps(_path((0, EYE))).replace("1.0", "NaN", 1)
    with pytest.raises(ValueError, match="finite"):
        CameraPath.model_validate_json(text)


@pytest.mark.parametrize("count", [0, -1, MAX_FRAMES + 1])
def test_a_frame_count_out_of_bounds_is_refused(count: int) -> None:
    with pytest.raises(InvalidRequest, match="num_frames"):
        CameraPath.of_poses(np.eye(4)[None]).poses(count)
