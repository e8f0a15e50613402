"""A path passes through its drawing's points at their times with the chosen view direction."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.control.paths import LENS, SEARCH, camera_paths
from workbench.control import CameraPath, path_from_drawing, path_to_drawing
from workbench.errors import InvalidRequest

_coordinates = st.floats(-50, 50, allow_nan=False).map(lambda x: round(x, 3))


@st.composite
def _drawings(draw: st.DrawFn) -> list[tuple[float, float, float]]:
    gaps = draw(st.lists(st.integers(1, 40), min_size=1, max_size=8))
    return [(draw(_coordinates), draw(_coordinates), t / 8) for t in np.cumsum(gaps)]


@SEARCH
@given(_drawings(), st.sampled_from(["along", "ahead", (60.0, 60.0)]))
def test_a_drawing_round_trips(drawing: Any, look: Any) -> None:
    path = path_from_drawing(drawing, look=look, height=1.5, intrinsics=LENS).value
    assert list(path_to_drawing(path).value) == drawing
    assert (path.c2w[:, 1, 3] == -1.5).all()
    assert (path_to_drawing(path).notes == ()) or look != "along"


def test_the_camera_looks_along_its_path() -> None:
    path = path_from_drawing([(0, 0, 0), (0, 2, 1), (0, 4, 2), (2, 4, 3), (4, 4, 4)]).value
    forward = path.c2w[:, :3, 2]
    assert forward[0] == pytest.approx([0, 0, 1])
    assert forward[2] == pytest.approx(np.array([1, 0, 1]) / np.sqrt(2))
    assert forward[-1] == pytest.approx([1, 0, 0])


def test_the_camera_looks_at_a_point() -> None:
    path = path_from_drawing([(0, 0, 0), (3, 1, 1), (-2, 4, 2)], look=(1.0, 9.0)).value
    to_point = np.array([1, 0, 9]) - path.c2w[:, :3, 3]
    to_point /= np.linalg.norm(to_point, axis=1, keepdims=True)
    assert np.allclose(path.c2w[:, :3, 2], to_point)


def test_a_stopped_camera_keeps_its_direction() -> None:
    path = path_from_drawing([(0, 0, 0), (2, 0, 1), (2, 0, 2), (2, 0, 3), (2, 5, 4)]).value
    assert path.c2w[2, :3, 2] == pytest.approx([1, 0, 0])
    still = path_from_drawing([(1, 1, 0), (1, 1, 1)])
    assert still.notes == ("The drawing stays at one point: the camera looks ahead.",)


@SEARCH
@given(camera_paths(zooms=True))
def test_a_note_names_what_a_drawing_cannot_hold(path: CameraPath) -> None:
    notes = " ".join(path_to_drawing(path).notes)
    assert "no tilt" in notes
    assert "the camera's direction" in notes
    assert ("no height" in notes) == (len(path.keyframes) > 1)
    assert ("no lens" in notes) == path.zooms


@pytest.mark.parametrize(
    ("points", "told"),
    [
        ([], "needs 1 to"),
        ([(0, 0)], "x, z, seconds"),
        ([("a", 0, 0)], "x, z, seconds"),
        ([(0, 0, 0), (0, 0)], "x, z, seconds"),
        ([(0, float("nan"), 0)], "finite"),
        ([(0, 0, 1), (1, 1, 1)], r"points\.1: must be later"),
        ([(0, 0, -1)], "greater than or equal"),
        ([(1e9, 0, 0)], "origin"),
        ([(0, 0, 1e9)], "3600"),
        ([(10**400, 0, 0)], "x, z, seconds"),
        ([(0, 0, 0)] * 5_000, "needs 1 to"),
    ],
)
def test_an_invalid_drawing_is_refused(points: Any, told: str) -> None:
    with pytest.raises(InvalidRequest, match=told):
        path_from_drawing(points)


def test_an_unknown_look_mode_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="look: must be along"):
        path_from_drawing([(0, 0, 0)], look="away")  # type: ignore[arg-type]
