"""The storyboard as truth: a scene with one field changed loses that field's verdict and no other.

The vision model is scripted: it looks up what the storyboard on the sheet was drawn from.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from tests.vision_endpoint import Seeing
from workbench.engines.animatic.film import Film
from workbench.engines.animatic.reading import read_scene
from workbench.engines.encoder import VideoWriter
from workbench.engines.pixels import to_rgb
from workbench.measures.scene_check.asking import SheetAnswers, messages_about, verdicts_in
from workbench.measures.scene_check.contact_sheet import contact_sheet
from workbench.measures.scene_check.measured import measured_verdicts
from workbench.measures.scene_check.model import CheckAnswer, SceneCheck, Verdict
from workbench.measures.scene_check.questions import questions_of
from workbench.scene import Scene, terms

WIDTH, HEIGHT, FRAMES, FPS = 160, 96, 3, 8
BASE: Final = Scene(
    subject="a lighthouse", setting="a rocky coast", time_of_day="midday", weather="partly cloudy",
    lighting="natural light", mood="calm", style="watercolour", color_palette="earth tones",
    shot_size="wide shot", camera_angle="eye level", camera_movement="pan left",
    lens="50mm lens", pace="real time", viewpoint="phone video",
)  # fmt: skip
FIELDS: Final = (
    "shot_size", "camera_angle", "camera_movement", "lens", "time_of_day", "weather", "lighting",
    "mood", "style", "color_palette", "pace", "viewpoint",
)  # fmt: skip
GREY: Final = frozenset({"black and white", "film noir", "monochrome"})
"""Which of these it is, pixels do not tell: each is without colour."""


@cache
def _storyboard(scene: Scene, folder: Path) -> tuple[Path, str]:
    """Draw a few small frames; return the video and its SHA-256."""
    drawn = Film(read_scene(scene, 3), WIDTH, HEIGHT, FRAMES, FPS)
    path = folder / f"{hashlib.sha256(repr(scene).encode()).hexdigest()}.mp4"
    with VideoWriter(path, WIDTH, HEIGHT, FPS) as writer:
        writer.write(np.stack([to_rgb(picture.planes) for picture in drawn.frames()]))
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


def _checked(asked: Scene, shown: Scene, folder: Path) -> SceneCheck:
    """Check the storyboard of ``shown`` against ``asked``: by pixels, then by the scripted model."""
    video, digest = _storyboard(shown, folder)
    sheet = contact_sheet(video, digest)
    truth = {q.text for q in questions_of(shown)}
    seeing = Seeing(
        lambda number, question: "yes" if number == sheet.number and question in truth else "no"
    )
    questions = questions_of(asked)
    measured = measured_verdicts(video, asked, questions)
    reply = seeing({"messages": messages_about(sheet, questions)})
    told = verdicts_in(SheetAnswers.model_validate_json(reply.text or ""), sheet, len(questions))
    assert told is not None
    return SceneCheck(
        video=digest,
        answers=tuple(
            CheckAnswer(
                field=q.field, question=q.text, wanted=q.wanted,
                verdict=measured.get(q.text, verdict),
            )
            for q, (verdict, _) in zip(questions, told, strict=True)
        ),
    )  # fmt: skip


def _lost(check: SceneCheck) -> set[str]:
    return {field for field, verdict in check.verdicts.items() if verdict is not Verdict.YES}


def test_a_storyboard_of_the_scene_itself_has_every_verdict(tmp_path: Path) -> None:
    check = _checked(BASE, BASE, tmp_path)
    assert check.verdicts.keys() >= set(FIELDS)
    assert _lost(check) == set()


@pytest.mark.parametrize("field", FIELDS)
def test_every_value_that_is_changed_on_purpose_loses_its_fields_verdict_and_no_other(
    field: str, tmp_path: Path
) -> None:
    values = terms(field)
    assert len(values) > 5
    wrong = {}
    for value, after in zip(values, [*values[1:], values[0]], strict=True):
        other = values[0] if {value, after} <= GREY else after
        asked, shown = BASE.edit({field: value}), BASE.edit({field: other})
        kept = _lost(_checked(asked, asked, tmp_path))
        lost = _lost(_checked(asked, shown, tmp_path))
        if kept or lost != {field}:
            wrong[value, other] = kept, lost
    assert wrong == {}
