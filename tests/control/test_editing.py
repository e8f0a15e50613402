"""A camera path edited by hand keeps what was not touched, and says what it cannot keep."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.control.paths import LENS, SEARCH, camera_paths
from workbench.control import CameraPath, path_from_keys, path_from_words
from workbench.control.editing import (
    Placing,
    aimed,
    drawn_path,
    few_keyframes,
    gaze_of,
    joined,
    placed,
    placings,
    stretched,
    with_keyframe,
    without_keyframe,
)
from workbench.control.rotation import angle_deg
from workbench.errors import InvalidRequest


def _apart(one: CameraPath, other: CameraPath, count: int = 50) -> tuple[float, float]:
    """Return how far two paths are apart, in units and degrees."""
    first, second = one.relative().poses(count), other.relative().poses(count)
    turned = np.swapaxes(first[:, :3, :3], 1, 2) @ second[:, :3, :3]
    units = np.linalg.norm(first[:, :3, 3] - second[:, :3, 3], axis=1).max()
    return float(units), float(angle_deg(turned).max())


@pytest.mark.parametrize(
    "words", ["orbit left 60 degrees", "push in, then pan right", "crane up while zooming in"]
)
def test_a_path_of_words_becomes_few_keyframes_that_follow_it(words: str) -> None:
    path = path_from_words(words, seconds=4).value
    found = few_keyframes(path)
    assert 2 < len(found.value.keyframes) <= 9
    units, degrees = _apart(path, found.value)
    assert found.notes or (units < 0.02 and degrees < 1)
    assert found.value.zooms == path.zooms
    assert found.value.duration_s == path.duration_s


@SEARCH
@given(camera_paths(zooms=True))
def test_a_path_of_few_keyframes_stays_as_it_is(path: CameraPath) -> None:
    found = few_keyframes(path)
    assert found.notes == ()
    assert found.value == path.relative()


@SEARCH
@given(camera_paths(zooms=True, longest=7), st.data())
def test_a_keyframe_that_is_added_changes_no_pose_at_the_others_and_goes_again(
    path: CameraPath, data: st.DataObject
) -> None:
    if len(path.keyframes) < 2:
        return
    gaps = np.diff(path.times_s)
    gap = data.draw(st.integers(0, len(gaps) - 1))
    if gaps[gap] < 0.2:
        return
    more, index = with_keyframe(path, float(path.times_s[gap] + gaps[gap] / 2))
    assert index == gap + 1
    assert np.allclose(np.delete(more.c2w, index, axis=0), path.c2w)
    if len(path.keyframes) > 2:
        assert without_keyframe(more, index) == path.model_copy(update={"interpolation": "smooth"})


def test_a_keyframe_that_is_moved_keeps_its_gaze_and_the_others_stay() -> None:
    path = few_keyframes(path_from_words("orbit left 40 degrees", seconds=4).value).value
    assert gaze_of(path) == "subject"
    before = placings(path)
    moved = placed(path, 2, Placing(before[2].time_s, -1.0, 0.5, up=0.2), "subject")
    after = placings(moved)
    assert (after[2].right, after[2].forward, after[2].up) == pytest.approx((-1.0, 0.5, 0.2))
    assert gaze_of(moved) == "subject"
    assert after[2].turn_deg == pytest.approx(np.degrees(np.arctan2(1.0, 0.5)))
    assert after[2].tilt_deg < 0, "from above it looks down"
    for index in (0, 1):
        assert after[index].right == pytest.approx(before[index].right)
        assert after[index].turn_deg == pytest.approx(before[index].turn_deg, abs=0.5)


def test_where_the_camera_looks_is_told_and_can_be_changed() -> None:
    truck = few_keyframes(path_from_words("truck left", seconds=3).value).value
    assert gaze_of(truck) == "ahead"
    turned = aimed(truck, "subject")
    assert gaze_of(turned) == "subject"
    assert placings(turned)[-1].turn_deg > 20
    own = placed(truck, 1, Placing(placings(truck)[1].time_s, -0.2, 0, turn_deg=-40))
    assert gaze_of(own) == "own"


def test_a_drawing_begins_where_the_camera_starts_and_takes_its_time() -> None:
    pen = [(0.1 * i, 0.0) for i in range(1, 11)] + [(1.0, 0.1 * i) for i in range(1, 11)]
    path = drawn_path(pen, 4.0, "ahead")
    assert [tuple(np.round((p.time_s, p.right, p.forward), 3)) for p in placings(path)] == [
        (0, 0, 0),
        (2, 1, 0),
        (4, 1, 1),
    ]


@SEARCH
@given(st.lists(st.tuples(st.floats(-3, 3), st.floats(-3, 3)), min_size=1, max_size=40))
def test_any_drawing_is_a_path_or_is_refused(points: list[tuple[float, float]]) -> None:
    try:
        path = drawn_path(points, 3.0)
    except InvalidRequest:
        assert max(abs(v) for point in points for v in point) < 0.01
        return
    assert path.duration_s == 3.0
    assert 2 <= len(path.keyframes) <= 9
    assert np.allclose(path.c2w[0], np.eye(4))


def test_paths_are_joined_where_the_first_ends() -> None:
    walked = path_from_keys("w-16", intrinsics=LENS).value
    turned = path_from_keys("j-16", intrinsics=LENS).value
    both = joined(walked, turned)
    assert _apart(both, path_from_keys("w-16,j-16").value)[0] < 0.1, "but for the rounded corner"
    assert both.duration_s == pytest.approx(2.0)
    zoomed = joined(walked, path_from_words("zoom in 2x", seconds=1, intrinsics=LENS).value)
    assert zoomed.lenses(2)[-1][0] == pytest.approx(2 * LENS.fx)


def test_a_path_is_stretched_to_the_length_of_a_video() -> None:
    path = path_from_keys("w-16").value
    longer = stretched(path, 5.0)
    assert longer.duration_s == pytest.approx(5.0)
    assert _apart(path, longer)[0] < 1e-9


@pytest.mark.parametrize(
    ("index", "placing", "told"),
    [
        (0, Placing(0, 1, 1), "cannot be the first one"),
        (9, Placing(0, 1, 1), "there are 3 keyframes"),
        (1, Placing(5, 1, 1), "between its neighbours"),
        (1, Placing(1, float("inf"), 1), "within 100 units"),
        (1, Placing(1, 0, 1, tilt_deg=91), "tilt"),
    ],
)
def test_what_cannot_be_is_refused_with_a_reason(index: int, placing: Placing, told: str) -> None:
    path = drawn_path([(0.5, 0), (0.5, 0.5)], 2.0)
    with pytest.raises(InvalidRequest, match=told):
        placed(path, index, placing)


def test_a_path_keeps_its_start_and_one_keyframe_more() -> None:
    path = drawn_path([(0.5, 0), (0.5, 0.5)], 2.0)
    fewer = without_keyframe(path, 1)
    assert len(fewer.keyframes) == 2
    with pytest.raises(InvalidRequest, match="needs its start"):
        without_keyframe(fewer, 1)


def test_a_keyframe_can_be_added_to_a_path_of_nine() -> None:
    path = few_keyframes(path_from_keys("w-20,jw-20,d-30").value).value
    assert len(path.keyframes) == 9
    more, _ = with_keyframe(path)
    assert len(few_keyframes(more).value.keyframes) == 10
