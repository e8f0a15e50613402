"""Words become camera paths and back; a note names what was not understood."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.control.paths import LENS, SEARCH, camera_paths
from workbench.control import CameraPath, path_from_keys, path_from_words, path_to_words
from workbench.control.conversion import MAX_FRAMES
from workbench.control.moves import movement_table
from workbench.control.rotation import angle_deg, to_yaw_pitch_roll
from workbench.errors import InvalidRequest
from workbench.vocabulary import vocabulary

_SIMPLE = ("pan left", "pan right", "tilt up", "tilt down", "roll left", "roll right")
_MOVING = ("dolly in", "dolly out", "truck left", "truck right", "crane up", "crane down")


@st.composite
def _sentences(draw: st.DrawFn) -> str:
    """Return movements in turn, each with amounts and a time; adjacent ones differ in kind."""
    found: list[str] = []
    kinds = ["turn", "move", "orbit", "zoom", "hold", "both"]
    last = ""
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from([k for k in kinds if k != last]))
        last = kind
        degrees, units = draw(st.integers(1, 60)), draw(st.integers(1, 30)) / 10
        said = {
            "turn": f"{draw(st.sampled_from(_SIMPLE))} {degrees} degrees",
            "move": f"{draw(st.sampled_from(_MOVING))} {units} units",
            "orbit": f"orbit left {degrees} degrees at a distance of {units}",
            "zoom": f"zoom in {1 + units}x",
            "hold": "hold",
            "both": f"tilt down {degrees / 4} degrees and crane up {units} units at constant speed",
        }[kind]
        found.append(f"{said} over {draw(st.integers(8, 40)) / 8} s")
    return ", then ".join(found)


def _gap(one: CameraPath, other: CameraPath) -> float:
    assert len(one.keyframes) == len(other.keyframes)
    return float(np.abs(one.c2w - other.c2w).max())


@SEARCH
@given(_sentences())
def test_a_path_made_from_words_is_described_in_words_that_give_it_back(sentence: str) -> None:
    path = path_from_words(sentence, fps=24)
    assert path.notes == ()
    told = path_to_words(path.value)
    assert told.notes == ()
    again = path_from_words(told.value, fps=24).value
    assert _gap(again, path.value) < 1e-5
    assert np.allclose(again.lenses(50), path.value.lenses(50), rtol=1e-6)


@pytest.mark.parametrize("term", sorted(vocabulary()["camera_movement"]))
def test_every_established_movement_has_a_motion_and_words(term: str) -> None:
    assert term in movement_table()["movement"]
    path = path_from_words(f"{term} for 2 seconds", fps=12)
    assert path.notes == ()
    assert len(path.value.keyframes) == 25
    told = path_to_words(path.value)
    again = path_from_words(told.value, fps=12).value
    if term == "handheld":
        assert "stray from the path" in told.notes[0]
    else:
        assert told.notes == ()
        assert _gap(again, path.value) < 1e-5
    moves = np.abs(path.value.c2w - np.eye(4)).max() > 0.05 or path.value.zooms
    assert moves == (term not in {"static", "handheld"})


@pytest.mark.parametrize(
    ("phrase", "term"),
    [
        (phrase, term)
        for term, phrases in vocabulary()["camera_movement"].items()
        for phrase in phrases
    ],
)
def test_every_phrase_of_the_vocabulary_is_read(phrase: str, term: str) -> None:
    found = path_from_words(phrase, fps=8, seconds=1)
    assert path_from_words(term, fps=8, seconds=1).value.c2w.shape == found.value.c2w.shape
    assert not any("Not read" in note for note in found.notes)


@pytest.mark.parametrize(
    ("text", "axis", "sign"),
    [
        ("truck left", 0, -1),
        ("truck right", 0, 1),
        ("crane up", 1, -1),
        ("crane down", 1, 1),
        ("push in", 2, 1),
        ("pull back", 2, -1),
        ("orbit left", 0, -1),
        ("orbit right", 0, 1),
    ],
)
def test_the_camera_goes_where_the_words_say(text: str, axis: int, sign: int) -> None:
    end = path_from_words(text).value.c2w[-1, :3, 3]
    assert np.argmax(np.abs(end)) == axis
    assert np.sign(end[axis]) == sign


@pytest.mark.parametrize(
    ("text", "angles"),
    [
        ("pan left 30 degrees", (-30, 0, 0)),
        ("pan slowly to the right", (15, 0, 0)),
        ("the camera pans right quickly", (60, 0, 0)),
        ("tilt up 12.5°", (0, 12.5, 0)),
        ("look down slightly", (0, -10, 0)),
        ("roll clockwise by 10 deg", (0, 0, 10)),
        ("pan left 20 degrees and tilt up 10 degrees", (-20, 10, 0)),
        ("pan left 20 degrees, then pan right 50 degrees", (30, 0, 0)),
        ("orbit left a quarter circle", (90, 0, 0)),
        ("whip pan to the left", (-90, 0, 0)),
    ],
)
def test_stated_amounts_and_speeds_are_used(text: str, angles: tuple[float, ...]) -> None:
    found = path_from_words(text)
    assert found.notes == ()
    got = np.degrees([a[-1] for a in to_yaw_pitch_roll(found.value.c2w[:, :3, :3])])
    assert got == pytest.approx(angles, abs=1e-6)


@pytest.mark.parametrize(
    ("text", "seconds", "frames"),
    [
        ("pan left", None, 120),
        ("pan left for 2 seconds", None, 48),
        ("pan left over 1 s then push in for 2 s", None, 72),
        ("pan left for 1 s, then push in", 4, 96),
        ("pan left, then push in, then crane up", 3, 72),
    ],
)
def test_the_path_takes_the_stated_time(text: str, seconds: float | None, frames: int) -> None:
    found = path_from_words(text, seconds=seconds)
    assert len(found.value.keyframes) == frames + 1
    assert found.notes == ()


def test_times_that_do_not_fit_are_scaled_with_a_note() -> None:
    found = path_from_words("pan left for 4 s, then push in for 4 s", seconds=4)
    assert found.value.duration_s == pytest.approx(4)
    assert found.notes == ("The times given add up to 8 s; they are scaled to fit 4 s.",)


def test_an_orbit_keeps_its_distance_and_its_view_on_the_subject() -> None:
    path = path_from_words("orbit right 180 degrees", distance=2.0).value
    to_subject = np.array([0, 0, 2.0]) - path.c2w[:, :3, 3]
    assert np.linalg.norm(to_subject, axis=1) == pytest.approx(2)
    assert np.allclose(to_subject / 2, path.c2w[:, :3, 2], atol=1e-9)


def test_a_dolly_zoom_keeps_the_size_of_the_subject() -> None:
    path = path_from_words("dolly zoom").value
    depth = 1 - path.c2w[:, 2, 3]
    size = path.lenses(len(path.keyframes))[:, 0] / depth
    assert size == pytest.approx(size[0])
    assert path.c2w[-1, 2, 3] == pytest.approx(0.4)


def test_handheld_sway_depends_on_the_seed_and_never_moves_the_camera() -> None:
    one, again = (path_from_words("handheld", seed=3).value for _ in range(2))
    other = path_from_words("handheld", seed=4).value
    assert one == again != other
    turned = angle_deg(one.c2w[:, :3, :3])
    assert 0.3 < turned.max() < 5
    assert (one.c2w[:, :3, 3] == 0).all()


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("push in on the dog", "Not read: 'dog'."),
        ("pan", "'pan' gives no direction: right is taken."),
        ("dolly out 2 metres", "A metre counts as one unit: models have no scale."),
        (
            "tilt up 2 units",
            "The amount given for 'tilt up' is in another unit than its motion.",
        ),
        ("push in, no zoom in", "Ignored, because it says what not to do: 'no zoom in'."),
        ("dolly zoom 5 units", "A dolly zoom ends before the subject: it goes 0.9 of the way."),
    ],
)
def test_a_note_names_what_was_not_understood_or_was_assumed(text: str, note: str) -> None:
    assert path_from_words(text).notes == (note,)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no movement is understood"),
        ("a fox in the snow", "no movement is understood in 'a fox in the snow'; known: static"),
        ("no pan left", "no movement is understood"),
        ("pan left for 99999 s", "frames"),
        ("pan left for 0 s", "frames"),
        ("pan left 9999 degrees", "out of bounds"),
        ("zoom in 0x", "out of bounds"),
        ("pan left, " * 1_000, "characters"),
        ("pan left; tilt up;" * 50, "more than 64"),
        ("dolly in 99999 units", "out of bounds"),
    ],
)
def test_words_without_a_camera_path_are_refused(text: str, told: str) -> None:
    with pytest.raises(InvalidRequest, match=told):
        path_from_words(text)


@SEARCH
@given(st.text(max_size=200))
def test_any_text_is_a_path_or_is_refused(text: str) -> None:
    for words in (text, f"pan left {text}"):
        try:
            path = path_from_words(words)
        except InvalidRequest:
            continue
        assert 1 <= len(path.value.keyframes) <= MAX_FRAMES


@SEARCH
@given(camera_paths(longest=6))
def test_any_path_is_described_in_readable_words_with_a_note_of_what_is_lost(
    path: CameraPath,
) -> None:
    told = path_to_words(path)
    assert path_from_words(told.value).value.keyframes
    if len(path.keyframes) > 3:
        assert any("stray" in note for note in told.notes)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("w-32", "dolly in 1.6 units at constant speed over 2 s"),
        ("j-16,s-16", "pan left 19.2 degrees at constant speed over 1 s, then dolly out 0.8 units at constant speed over 1 s"),
        ("i-8,none-8", "tilt up 9.6 degrees at constant speed over 0.5 s, then hold over 0.5 s"),
    ],
)  # fmt: skip
def test_a_path_of_keys_is_described_in_words(keys: str, words: str) -> None:
    told: Any = path_to_words(path_from_keys(keys, intrinsics=LENS).value)
    assert told.value == words
    assert told.notes == ()
