"""A camera as a request carries it: words, keys and documents become poses, and stay what they were."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from workbench.control import CameraControl, CameraPath, GivenCamera, path_from_keys
from workbench.errors import InvalidRequest

_GIVEN = TypeAdapter(GivenCamera)


def _resolved(given: object, num_frames: int = 49, fps: float = 24.0) -> CameraControl:
    camera = _GIVEN.validate_python(given)
    return camera.resolved(width=832, height=480, num_frames=num_frames, fps=fps)


def test_words_fill_the_video_with_one_pose_a_frame() -> None:
    camera = _resolved("orbit left 30 degrees, then push in")
    path = camera.camera_path()
    assert len(path.keyframes) == 49
    assert path.duration_s == pytest.approx(2.0)
    assert (camera.said, camera.words) == ("orbit left 30 degrees, then push in",) * 2
    assert (path.intrinsics.width, path.intrinsics.height) == (832, 480)


def test_keys_keep_their_own_time_and_are_told_in_words() -> None:
    camera = _resolved("w-16,jw-8")
    keys = path_from_keys("w-16,jw-8").value
    assert np.array_equal(camera.camera_path().c2w, keys.c2w)
    assert "dolly in" in camera.words
    assert camera.notes == ("The path lasts 1.5 s of 2 s; then the camera stands still.",)


def test_a_document_without_times_is_one_pose_a_frame_of_the_video() -> None:
    poses = np.tile(np.eye(4), (9, 1, 1))
    poses[:, 2, 3] = np.arange(9) / 10
    path = _resolved({"c2w": poses.tolist()}, num_frames=9, fps=12).camera_path()
    assert np.array_equal(path.poses(9, 12), poses)


def test_a_path_with_more_poses_than_frames_is_kept_at_the_frames() -> None:
    long = path_from_keys("w-400").value
    path = _resolved(long, num_frames=11, fps=16).camera_path()
    assert len(path.keyframes) == 11
    assert np.allclose(path.c2w, long.poses(11, 16), atol=1e-12)


def test_what_is_dumped_is_read_back() -> None:
    for given in ("pan left", "w-8", path_from_keys("w-8").value):
        camera = _resolved(given)
        assert _GIVEN.validate_json(_GIVEN.dump_json(camera)) == camera


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("", "describe a movement"),
        (3, "must be words"),
        ({"c2w": [[1, 2], [3, 4]]}, "poses of 4×4"),
        ({}, "no c2w"),
        ({"keyframes": [{"time_s": 0, "c2w": [[1, 0, 0, 0]] * 4}]}, "last row"),
    ],
)
def test_what_is_no_camera_is_refused_in_a_sentence(given: object, told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        _GIVEN.validate_python(given)


def test_words_without_a_movement_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="no movement is understood in 'a nice day'"):
        _resolved("a nice day")


def test_a_label_is_what_was_said_or_words() -> None:
    assert _GIVEN.validate_python("pan left").label == "pan left"
    path = CameraPath.of_poses(path_from_keys("w-16").value.c2w, fps=16)
    assert _GIVEN.validate_python(path).label.startswith("dolly in 0.8 units")
