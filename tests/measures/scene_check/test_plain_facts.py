"""Pixels answer for dark and bright, still and moving, cut and uncut, and only where it is clear."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.measures.faults import brightening
from tests.measures.world import FPS, SMALL, Frames, Room, film
from workbench.control import path_from_words
from workbench.engines.encoder import VideoWriter
from workbench.measures import evidence
from workbench.measures.scene_check.measured import measured_verdicts
from workbench.measures.scene_check.model import Verdict
from workbench.measures.scene_check.questions import questions_of
from workbench.scene import Scene

YES, NO = Verdict.YES, Verdict.NO


def _shot(words: str = "static", room: int = 1) -> Frames:
    return film(path_from_words(words, seconds=1.0, fps=FPS).value.c2w, Room(room), SMALL)


def _lit(stops: float) -> Frames:
    return brightening(_shot(), stops)


def _verdict(folder: Path, frames: Frames, **scene: str | tuple[str, ...]) -> Verdict | None:
    path = folder / "video.mp4"
    with VideoWriter(path, frames.shape[2], frames.shape[1], FPS) as writer:
        writer.write(frames)
    asked = Scene(subject="a dog").edit(scene)
    (question,) = (q for q in questions_of(asked) if q.field in scene)
    return measured_verdicts(path, asked, questions_of(asked)).get(question.text)


@pytest.mark.parametrize(
    ("stops", "dark", "bright"), [(-3.0, YES, NO), (0.0, None, None), (1.5, NO, YES)]
)
def test_light_is_dark_or_bright_only_where_everybody_says_so(
    stops: float, dark: Verdict | None, bright: Verdict | None, tmp_path: Path
) -> None:
    frames = _lit(stops)
    assert _verdict(tmp_path, frames, lighting="dark") is dark
    assert _verdict(tmp_path, frames, lighting="low-key lighting") is dark
    assert _verdict(tmp_path, frames, lighting="brightly lit") is bright
    opposite = {YES: NO, NO: YES, None: None}
    assert _verdict(tmp_path, frames, negative_prompt="underexposed") is opposite[dark]


def test_night_is_not_a_question_of_light(tmp_path: Path) -> None:
    assert _verdict(tmp_path, _lit(-3.0), time_of_day="night") is None


def test_a_still_picture_is_told_from_a_moving_one(tmp_path: Path) -> None:
    still, moving = _shot(), _shot("truck right 1.5 units")
    assert _verdict(tmp_path, still, pace="frozen") is YES
    assert _verdict(tmp_path, still, negative_prompt="still image") is NO
    assert _verdict(tmp_path, moving, negative_prompt="still image") is YES
    # The camera may move past a frozen scene.
    assert _verdict(tmp_path, moving, pace="frozen") is None


def test_a_cut_is_found_and_none_is_claimed_where_there_is_none(tmp_path: Path) -> None:
    whole = _shot("pan left 20 degrees")
    cut = np.concatenate([whole[:8], _shot("pan left 20 degrees", 4)[8:]])
    for frames, is_cut in ((whole, False), (cut, True)):
        assert _verdict(tmp_path, frames, negative_prompt="jump cuts") is (NO if is_cut else YES)
        assert _verdict(tmp_path, frames, details=("single take",)) is (NO if is_cut else YES)


def test_beyond_the_frames_that_are_looked_at_there_may_be_a_cut(tmp_path: Path) -> None:
    frames = np.concatenate([_shot()] * 11)[:170]
    assert _verdict(tmp_path, frames, negative_prompt="jump cuts") is None


def test_a_measure_without_evidence_answers_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "evidence", lambda: {"cuts": {"correlation": 1.0}})
    assert _verdict(tmp_path, _lit(-3.0), lighting="dark") is None
