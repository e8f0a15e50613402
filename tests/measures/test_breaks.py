"""Breaks, drift and camera errors as scores: what was put in is counted, the unknown is left out."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from tests.measures.faults import Frames, brightening, freezing, looping, repeating
from tests.measures.world import FPS, SMALL, Room, film
from workbench.control import path_from_words
from workbench.control.camera_path import CameraPath
from workbench.measures import breaks
from workbench.measures.breaks import break_scores, commanded_path, path_scores
from workbench.measures.clips import Clip

OF_BREAKS = {
    "exposure_drift", "colour_drift", "sharpness_drift", "seams", "repeated_frames", "standstill",
    "cuts", "loops",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _all_proven(monkeypatch: pytest.MonkeyPatch) -> None:
    """Show every measure: what is shown is tested in test_evidence.py."""
    monkeypatch.setattr(breaks, "is_proven", lambda _name: True)


@cache
def _shot(seed: int = 0, words: str = "truck right 1 units and pan right 10 degrees") -> Frames:
    return film(path_from_words(words, seconds=2, fps=FPS).value.c2w, Room(seed), SMALL)


def _clip(frames: Frames) -> Clip:
    return Clip.of(frames, FPS)


def _commanded(words: str, clip: Clip) -> CameraPath:
    found = commanded_path(words, clip)
    assert found is not None
    return found.model_copy(update={"intrinsics": SMALL})


def test_a_clean_clip_has_none_of_the_breaks() -> None:
    scores = break_scores(_clip(_shot()))
    assert set(scores) == OF_BREAKS
    for name in ("seams", "repeated_frames", "standstill", "cuts", "loops"):
        assert scores[name] == 0, name
    assert scores["exposure_drift"] < 0.06


def test_each_break_is_counted_by_its_score_alone() -> None:
    shot = _shot()
    step = np.arange(len(shot)) >= 16
    broken = {
        "repeated_frames": (repeating(shot, [9, 17, 25]), 3),
        "standstill": (freezing(shot, 12, 9), 9 / (len(shot) - 1)),
        "cuts": (np.concatenate([shot[:16], _shot(3)[16:]]), 1),
        "seams": (brightening(shot, -0.3 * step), 1),
    }
    for name, (frames, expected) in broken.items():
        scores = break_scores(_clip(frames))
        assert scores[name] == pytest.approx(expected, abs=0.1), name
        others = {"repeated_frames", "standstill", "cuts", "seams"} - {name}
        assert {other: scores[other] for other in others} == dict.fromkeys(others, 0), name


def test_a_clip_that_goes_round_tells_how_often() -> None:
    assert break_scores(_clip(looping(_shot(), 12, 41)))["loops"] == pytest.approx(41 / 12)


def test_a_flash_is_no_seam() -> None:
    flash = np.zeros(len(_shot()))
    flash[15] = 0.7
    assert break_scores(_clip(brightening(_shot(), flash)))["seams"] == 0


def test_what_a_clip_is_too_short_for_is_unknown() -> None:
    assert break_scores(_clip(_shot()[:5])) == {}
    assert "loops" not in break_scores(_clip(_shot()[:12]))


def test_drift_is_unknown_where_neighbours_share_nothing() -> None:
    pose = path_from_words("static", seconds=1, fps=FPS).value.c2w[:1]
    unrelated = np.concatenate([film(pose, Room(seed), SMALL) for seed in range(12)])
    assert not {name for name in break_scores(_clip(unrelated)) if name.endswith("drift")}


def test_the_camera_is_measured_against_a_command_that_says_how_far() -> None:
    words = "pan right 20 degrees and dolly in 1 units"
    clip = _clip(_shot(1, words))
    obeyed = path_scores(clip, _commanded(words, clip))
    assert obeyed["path_rotation"] < 1
    assert obeyed["path_direction"] < 12  # small pictures, slow travel
    strayed = path_scores(clip, _commanded("pan left 20 degrees and dolly in 1 units", clip))
    assert strayed["path_rotation"] > 10
    assert "return_shift" not in obeyed


def test_a_camera_that_comes_back_is_measured_where_it_should_be_back() -> None:
    words = "pan left 15 degrees, then pan right 15 degrees"
    clip = _clip(_shot(2, words))
    scores = path_scores(clip, _commanded(words, clip))
    assert scores["return_rotation"] < 1
    assert scores["return_shift"] < 0.02


@pytest.mark.parametrize(
    "words", ["", "pan left", "handheld", "pan left 20 degrees, then dolly in", "zoom in 2x"]
)
def test_a_movement_without_an_amount_commands_no_path(words: str) -> None:
    assert commanded_path(words, _clip(_shot())) is None
