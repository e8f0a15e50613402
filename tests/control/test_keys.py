"""Keys mean the same as in Sana-WM, and a path made from keys converts back to them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.control.paths import LENS, SEARCH, camera_paths
from workbench.control import CameraPath, KeySpeeds, path_from_keys, path_to_keys
from workbench.control.conversion import MAX_FRAMES
from workbench.control.keys import parse_keys
from workbench.errors import InvalidRequest

_held = st.text("wasdijkl", max_size=4).map(lambda keys: keys or "none")
_segments = st.lists(st.tuples(_held, st.integers(1, 90)), min_size=1, max_size=4)
_texts = _segments.map(lambda found: ",".join(f"{keys}-{count}" for keys, count in found))


@SEARCH
@given(_texts)
def test_keys_give_the_poses_of_the_sana_wm_pipeline(text: str) -> None:
    theirs = pytest.importorskip("diffusers.pipelines.sana_wm.cam_utils")
    ours = path_from_keys(text).value
    assert np.abs(ours.c2w - theirs.action_string_to_c2w(text)).max() < 1e-5
    assert parse_keys(text) == tuple("".join(k) for k in theirs._parse_action_string(text))


def test_speeds_and_limits_match_the_sana_wm_pipeline() -> None:
    theirs = pytest.importorskip("diffusers.pipelines.sana_wm.cam_utils")
    assert KeySpeeds() == KeySpeeds(
        theirs.DEFAULT_TRANSLATION_SPEED,
        theirs.DEFAULT_ROTATION_SPEED_DEG,
        theirs.DEFAULT_PITCH_LIMIT_DEG,
    )


@SEARCH
@given(_texts)
def test_a_path_made_from_keys_converts_back_to_keys_for_the_same_path(text: str) -> None:
    path = path_from_keys(text).value
    back = path_to_keys(path)
    assert back.notes == ()
    assert np.abs(path_from_keys(back.value).value.c2w - path.c2w).max() < 1e-9


def test_plain_action_strings_round_trip_exactly() -> None:
    text = "w-80,jw-40,none-8,dil-20"
    assert path_to_keys(path_from_keys(text).value).value == text


@SEARCH
@given(camera_paths(longest=4))
def test_any_path_converts_to_keys_with_a_note_of_what_is_lost(path: CameraPath) -> None:
    if path.duration_s < 0.1:
        return
    keys = path_to_keys(path)
    parse_keys(keys.value)
    assert keys.notes


def test_a_path_slower_than_the_keys_is_followed_within_half_a_step() -> None:
    poses = np.tile(np.eye(4), (49, 1, 1))
    poses[:, 2, 3] = np.linspace(0, 1, 49)  # 0.02 a frame, keys move by 0.05
    keys = path_to_keys(CameraPath.of_poses(poses, fps=16, intrinsics=LENS))
    followed = path_from_keys(keys.value).value.c2w
    assert np.abs(followed - poses).max() <= 0.025 + 1e-9
    assert "0.025 units" in keys.notes[0]


@pytest.mark.parametrize(
    ("axis", "told"),
    [(1, "height"), (2, "follow the path within")],
)
def test_a_note_names_what_keys_cannot_hold(axis: int, told: str) -> None:
    poses = np.tile(np.eye(4), (33, 1, 1))
    poses[:, axis, 3] = np.linspace(0, 9, 33)
    assert any(told in note for note in path_to_keys(CameraPath.of_poses(poses, fps=16)).notes)


def test_a_pitch_beyond_the_limit_is_ignored_and_noted() -> None:
    found = path_from_keys("i-100")
    assert found.notes == (
        "30 frames hold i or k at the pitch limit of 85°, where they do nothing.",
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "empty"),
        (" ", "empty"),
        ("w", "not <keys>-<frames>"),
        ("w-0", "not <keys>-<frames>"),
        ("w--5", "not <keys>-<frames>"),
        ("w-5,,a-3", "not <keys>-<frames>"),
        ("w-5,", "not <keys>-<frames>"),
        ("w-²", "not <keys>-<frames>"),
        ("w-5.5", "not <keys>-<frames>"),
        ("q-5", "unknown keys"),
        ("w-99999999999999999999", "not <keys>-<frames>"),
        (f"w-{MAX_FRAMES}", "hold more than"),
        ("w-4000,a-4000", "hold more than"),
        ("w-1," * 200_000, "characters long"),
    ],
)
def test_an_invalid_action_string_is_refused(text: str, told: str) -> None:
    with pytest.raises(InvalidRequest, match=told):
        path_from_keys(text)


def test_spaces_capitals_and_the_full_width_comma_are_accepted() -> None:
    assert parse_keys(" W-2，jW - 1 ") == ("w", "w", "jw")


def test_a_single_pose_has_no_keys() -> None:
    with pytest.raises(InvalidRequest, match="must last"):
        path_to_keys(CameraPath.of_poses(np.eye(4)[None]))
