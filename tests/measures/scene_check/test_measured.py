"""Pixels alone answer for the camera's movement and for colour, and leave the rest open."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from tests.measures.world import FPS, SMALL, Frames, Room, film
from workbench.control import path_from_words
from workbench.engines.animatic.film import Film
from workbench.engines.animatic.reading import read_scene
from workbench.engines.encoder import VideoWriter
from workbench.engines.engine import RenderTask
from workbench.engines.pixels import to_rgb
from workbench.engines.registry import create_engine
from workbench.measures.scene_check import measured
from workbench.measures.scene_check.measured import measured_verdicts
from workbench.measures.scene_check.model import CheckAnswer, SceneCheck, Verdict
from workbench.measures.scene_check.questions import questions_of
from workbench.rendering import Recipe, RenderRequest
from workbench.scene import Scene, terms
from workbench.settings import Settings

GREY = {"black and white", "film noir", "monochrome"}


@pytest.fixture(autouse=True)
def _proven(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the movement be answered: whether it is, is tested in test_evidence.py."""
    monkeypatch.setattr(measured, "is_proven", lambda _name: True)


def _shot(words: str) -> Frames:
    return film(path_from_words(words, seconds=1.25, fps=FPS).value.c2w, Room(1), SMALL)


def _verdicts(path: Path, frames: Frames, scene: Scene) -> dict[str, Verdict]:
    with VideoWriter(path, frames.shape[2], frames.shape[1], FPS) as writer:
        writer.write(frames)
    asked = questions_of(scene)
    found = measured_verdicts(path, scene, asked)
    return {q.field: found[q.text] for q in asked if q.text in found}


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("static", "static"),
        ("pan left 20 degrees", "pan left"),
        ("tilt up 12 degrees", "tilt up"),
        ("dolly in 1.5 units", "dolly in"),
    ],
)
def test_a_camera_movement_is_confirmed_and_its_opposite_denied(
    words: str, shown: str, tmp_path: Path
) -> None:
    frames = _shot(words)
    for asked in ("static", "pan left", "pan right", "tilt up", "dolly in", "dolly out"):
        scene = Scene(subject="a dog", time_of_day="night", camera_movement=asked)
        verdict = Verdict.YES if asked == shown else Verdict.NO
        found = _verdicts(tmp_path / f"{asked}.mp4", frames, scene)
        assert found == {"camera_movement": verdict}, asked


@pytest.mark.parametrize(
    ("shown", "opposite"),
    [("pan left", "pan right"), ("tilt up", "tilt down"), ("dolly in", "dolly out")],
)
@pytest.mark.parametrize("subject", ["a lighthouse", "a woman"])
def test_a_storyboards_movement_is_never_denied_nor_its_opposite_confirmed(
    subject: str, shown: str, opposite: str, tmp_path: Path
) -> None:
    scene = Scene(subject=subject, setting="a rocky coast", camera_movement=shown)
    engine = create_engine("animatic", Settings(outputs=tmp_path))
    request = engine.complete(
        RenderRequest(prompt=subject, scene=scene, width=416, height=240, num_frames=33, fps=16)
    )
    engine.load(request, "cpu", lambda _: None)
    recipe = Recipe(job_id="j", created_at=datetime.now(UTC), request=request)
    engine.render(RenderTask(recipe, tmp_path, lambda _: None, lambda: False))
    (video,) = tmp_path.glob("*.mp4")
    for asked, never in ((shown, Verdict.NO), (opposite, Verdict.YES)):
        other = scene.edit({"camera_movement": asked})
        assert never not in measured_verdicts(video, other, questions_of(other)).values()


def _storyboard(scene: Scene, folder: Path) -> Path:
    made = Film(read_scene(scene, 3), 416, 240, 17, 16)
    path = folder / "storyboard.mp4"
    with VideoWriter(path, 416, 240, 16) as writer:
        writer.write(np.stack([to_rgb(picture.planes) for picture in made.frames()]))
    return path


def _checked(video: Path, asked: Scene, shown: Scene) -> SceneCheck:
    """Check a video that shows the scene ``shown``: by pixels, the rest by a model without mistakes."""
    questions, there = questions_of(asked), {q.text for q in questions_of(shown)}
    measured_ones = measured_verdicts(video, asked, questions)
    answers = [
        CheckAnswer(
            field=q.field,
            question=q.text,
            wanted=q.wanted,
            verdict=measured_ones.get(q.text, Verdict.YES if q.text in there else Verdict.NO),
        )
        for q in questions
    ]
    return SceneCheck(video="", answers=tuple(answers))


@pytest.mark.parametrize("field", ["camera_movement", "style", "color_palette"])
def test_a_storyboard_of_another_value_loses_that_fields_verdict_and_no_other(
    field: str, tmp_path: Path
) -> None:
    base = Scene(subject="a lighthouse", setting="a rocky coast", time_of_day="noon")
    values = terms(field)
    wrong = {}
    for value, after in zip(values, [*values[1:], values[0]], strict=True):
        # Of two without colour, pixels do not tell which it is.
        other = values[0] if {value, after} & GREY else after
        shown = base.edit({field: other})
        check = _checked(_storyboard(shown, tmp_path), base.edit({field: value}), shown)
        lost = {name for name, verdict in check.verdicts.items() if verdict is not Verdict.YES}
        if lost != {field}:
            wrong[value, other] = lost
    assert wrong == {}


@pytest.mark.parametrize("asked", ["zoom in", "orbit", "handheld", "crane up"])
def test_a_movement_that_pixels_do_not_tell_apart_is_not_measured(
    asked: str, tmp_path: Path
) -> None:
    frames = _shot("dolly in 1.5 units")
    assert _verdicts(tmp_path / "v.mp4", frames, Scene(camera_movement=asked)) == {}


def test_a_video_too_short_or_too_small_says_nothing_about_its_camera(tmp_path: Path) -> None:
    scene = Scene(camera_movement="pan left")
    frames = _shot("pan left 20 degrees")
    assert _verdicts(tmp_path / "short.mp4", frames[:5], scene) == {}
    assert _verdicts(tmp_path / "small.mp4", frames[:, ::2, ::2], scene) == {}


def test_an_orbit_is_none_of_the_plain_movements(tmp_path: Path) -> None:
    frames = _shot("orbit left 30 degrees at a distance of 4")
    assert _verdicts(tmp_path / "v.mp4", frames, Scene(camera_movement="pan left")) == {}


def test_a_picture_without_colour_is_told_from_one_with_colour(tmp_path: Path) -> None:
    scene = Scene(style="black and white")
    coloured = _shot("static")
    grey = np.repeat(coloured.mean(axis=3, keepdims=True).astype(np.uint8), 3, axis=3)
    assert _verdicts(tmp_path / "grey.mp4", grey, scene) == {"style": Verdict.YES}
    assert _verdicts(tmp_path / "colour.mp4", coloured, scene) == {"style": Verdict.NO}


def test_an_empty_picture_says_nothing_about_the_camera(tmp_path: Path) -> None:
    blank = np.full((12, 120, 208, 3), 128, np.uint8)
    assert _verdicts(tmp_path / "v.mp4", blank, Scene(camera_movement="pan left")) == {}
