"""Cuts, repeats, freezes, loops, seams and drift are found exactly where they were injected."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from tests.measures.faults import (
    Frames,
    blurring,
    brightening,
    encoded,
    freezing,
    looping,
    repeating,
    tinting,
)
from tests.measures.world import FPS, SMALL, Room, film
from workbench.control import path_from_words
from workbench.measures.clips import Clip
from workbench.measures.continuity import cuts, loop_period, repeated_frames, seam, standstills
from workbench.measures.drift import drift
from workbench.measures.transitions import Transition, transitions


@cache
def _shot(seed: int = 0, words: str = "truck right 1 units and pan right 10 degrees") -> Frames:
    return film(path_from_words(words, seconds=2, fps=FPS).value.c2w, Room(seed), SMALL)


def _steps(frames: Frames) -> tuple[Transition, ...]:
    return transitions(Clip.of(frames, FPS))


def test_a_clean_clip_has_no_fault(tmp_path: Path) -> None:
    frames = encoded(_shot(), tmp_path, FPS)
    steps = _steps(frames)
    assert len(steps) == len(frames) - 1
    assert cuts(steps) == ()
    assert repeated_frames(steps) == ()
    assert standstills(steps, FPS) == ()
    assert loop_period(Clip.of(frames, FPS)) is None
    assert not any(seam(steps, frame).visible for frame in (8, 16, 24))
    found = drift(steps)
    assert abs(found.exposure) < 0.06
    assert found.colour < 2
    assert abs(found.sharpness) < 0.4


def test_repeated_frames_are_found_after_the_encoder(tmp_path: Path) -> None:
    frames = encoded(repeating(_shot(), [9, 17, 25]), tmp_path, FPS)
    assert repeated_frames(_steps(frames)) == (9, 17, 25)


def test_a_freeze_is_found_with_its_first_and_last_frame(tmp_path: Path) -> None:
    frames = encoded(freezing(_shot(), 12, 9), tmp_path, FPS)
    (found,) = standstills(_steps(frames), FPS)
    assert (found.start, found.stop) == (12, 21)


def test_a_cut_to_another_room_is_found(tmp_path: Path) -> None:
    frames = encoded(np.concatenate([_shot()[:14], _shot(1)[14:]]), tmp_path, FPS)
    assert cuts(_steps(frames)) == (14,)


def test_a_flash_a_fade_and_a_whip_pan_are_no_cuts() -> None:
    shot = _shot()
    flash = np.zeros(len(shot))
    flash[15] = 0.7
    for frames in (
        brightening(shot, flash),
        brightening(shot, np.linspace(0, -3, len(shot))),
        _shot(2, "whip pan right 60 degrees"),
    ):
        assert cuts(_steps(frames)) == ()


def test_a_loop_is_found_with_its_period(tmp_path: Path) -> None:
    frames = encoded(looping(_shot(), 13, 40), tmp_path, FPS)
    assert loop_period(Clip.of(frames, FPS)) == 13


def test_a_clip_that_goes_there_and_back_or_stands_still_is_not_a_loop() -> None:
    shot = _shot()
    for frames in (np.concatenate([shot[:16], shot[16:0:-1]]), shot[:1].repeat(40, axis=0)):
        assert loop_period(Clip.of(frames, FPS)) is None


@pytest.mark.parametrize("fault", ["exposure", "colour", "sharpness"])
def test_a_jump_at_a_seam_is_seen_and_measured(fault: str) -> None:
    shot = _shot()
    after = np.arange(len(shot)) >= 16
    spoiled = {
        "exposure": brightening(shot, -0.3 * after),
        "colour": tinting(shot, 6.0 * after, -4.0 * after),
        "sharpness": blurring(shot, 1.5 * after),
    }[fault]
    steps = _steps(spoiled)
    found = seam(steps, 16)
    assert found.visible
    assert not seam(steps, 10).visible
    if fault == "exposure":
        assert found.exposure == pytest.approx(-0.3, abs=0.06)
    elif fault == "colour":
        assert found.colour == pytest.approx(np.hypot(6, 4), rel=0.25)
    else:
        assert found.sharpness < -1


def test_drift_is_what_was_put_in_and_a_cut_is_no_drift() -> None:
    shot = _shot()
    ramp = np.linspace(0, 1, len(shot))
    assert drift(_steps(brightening(shot, -0.6 * ramp))).exposure == pytest.approx(-0.6, abs=0.1)
    assert drift(_steps(tinting(shot, 9 * ramp, 0.0))).colour == pytest.approx(9, rel=0.3)
    assert drift(_steps(blurring(shot, 2 * ramp))).sharpness < -1.2
    dark = brightening(_shot(1), -1.5)
    spliced = np.concatenate([shot[:14], dark[14:]])
    assert abs(drift(_steps(spliced)).exposure) < 0.15


def test_a_curve_has_a_value_for_every_frame_and_one_frame_does_not_drift() -> None:
    found = drift(_steps(_shot()[:5]))
    assert {name: len(curve) for name, curve in found.curves.items()} == {
        "exposure": 5,
        "colour": 5,
        "sharpness": 5,
    }
    alone = drift(_steps(_shot()[:1]))
    assert (alone.exposure, alone.colour, alone.sharpness) == (0, 0, 0)


def test_a_seam_outside_the_clip_is_refused() -> None:
    with pytest.raises(IndexError, match="no step leads to frame 0"):
        seam(_steps(_shot()[:5]), 0)
