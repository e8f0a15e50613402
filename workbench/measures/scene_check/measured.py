"""Answers questions by pixels alone: the camera's movement, colour, and plain facts.

Each answer uses a measure proven by ``benchmarks/measures.py``; the rest stays unknown. A zoom is
not distinguished from a movement along the view.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np

from workbench.control.camera_path import Intrinsics
from workbench.control.rotation import Array
from workbench.engines.probe import decode_video, probe_video
from workbench.measures.camera import Leg, recover_camera
from workbench.measures.clips import Clip
from workbench.measures.evidence import is_proven
from workbench.measures.measurement import colourfulness
from workbench.measures.scene_check.model import Verdict
from workbench.measures.scene_check.plain_facts import PlainFacts, asks_plainly
from workbench.measures.scene_check.questions import Question
from workbench.scene import Scene

__all__ = ["camera_move", "measured_verdicts"]

_MOST_FRAMES: Final = 161
_TOLD_APART: Final = frozenset(
    {"static", "pan left", "pan right", "tilt up", "tilt down", "dolly in", "dolly out"}
)
_SHIFTED_AGAINST: Final[Mapping[str, frozenset[str]]] = {
    "pan left": frozenset({"truck right"}),
    "pan right": frozenset({"truck left"}),
    "tilt up": frozenset({"crane down"}),
    "tilt down": frozenset({"crane up"}),
}
_FEWEST_FRAMES, _LEAST_WIDTH = 8, 200
"""Minimum frames and width, pixels: shorter and smaller videos are untested."""
_LEAST_SEEN: Final = 0.6
_TURN_DEG: Final = 3.0
_STILL_DEG: Final = 0.5
_STEADY: Final = 0.85
"""Minimum length of the mean direction, 0 to 1, of a camera that moves in one direction."""
_ALONG: Final = 0.9
_GREY, _COLOURED = 3.0, 15.0
"""Colourfulness (Hasler and Süsstrunk) of a picture without and with colour."""
_WITHOUT_COLOUR: Final = (
    "black and white",
    "black-and-white",
    "monochrome",
    "greyscale",
    "grayscale",
)


def measured_verdicts(
    video: Path, scene: Scene, questions: Sequence[Question]
) -> dict[str, Verdict]:
    """Return the verdicts by question; undecided questions are omitted.

    Raises ``DamagedFile`` if the video does not decode.
    """
    asked = [q for q in questions if _is_measurable(q, scene)]
    if not asked:
        return {}
    clip = Clip.of(islice(decode_video(video), _MOST_FRAMES), probe_video(video).fps)
    facts = PlainFacts(clip, is_whole=len(clip.pictures) < _MOST_FRAMES)
    found: dict[str, Verdict] = {}
    for question in asked:
        if question.field == "camera_movement":
            verdict = _move_verdict(scene.camera_movement, clip)
        elif asks_plainly(question):
            verdict = facts.verdict(question)
        else:
            verdict = _grey_verdict(clip)
        if verdict is not Verdict.UNKNOWN:
            found[question.text] = verdict
    return found


def camera_move(legs: Sequence[Leg]) -> str:
    """Return the one movement of ``legs`` as a vocabulary term; empty if there is none.

    One of static, pan left or right, tilt up or down, dolly in or out, truck left or right, crane
    up or down.
    """
    frames = np.array([leg.stop - leg.start for leg in legs], dtype=float)
    seen = np.array([leg.rotation is not None for leg in legs])
    if not len(frames) or frames[seen].sum() < _LEAST_SEEN * frames.sum():
        return ""
    turned = np.eye(3)
    for leg in legs:
        if leg.rotation is not None:
            turned = turned @ leg.rotation
    right, down, ahead = turned[:, 2]
    yaw, pitch = np.degrees(np.arctan2(right, ahead)), np.degrees(np.arctan2(-down, ahead))
    travels = [
        (leg.direction, n) for leg, n in zip(legs, frames, strict=True) if leg.direction is not None
    ]
    if sum(n for _, n in travels) > 0.5 * frames.sum():
        return _travel(
            np.sum([d * n for d, n in travels], axis=0) / sum(n for _, n in travels), yaw, pitch
        )
    if travels:
        return ""
    if max(abs(yaw), abs(pitch)) < _STILL_DEG:
        return "static"
    if abs(yaw) > max(_TURN_DEG, 3 * abs(pitch)):
        return "pan right" if yaw > 0 else "pan left"
    if abs(pitch) > max(_TURN_DEG, 3 * abs(yaw)):
        return "tilt up" if pitch > 0 else "tilt down"
    return ""


def _travel(mean: Array, yaw: float, pitch: float) -> str:
    length = float(np.linalg.norm(mean))
    if length < _STEADY or max(abs(yaw), abs(pitch)) > _TURN_DEG:
        return ""  # it wanders, or turns as it travels: an orbit, or several movements
    right, down, ahead = mean / length
    for along, more, less in (
        (ahead, "dolly in", "dolly out"),
        (right, "truck right", "truck left"),
        (-down, "crane up", "crane down"),
    ):
        if abs(along) > _ALONG:
            return more if along > 0 else less
    return ""


def _is_measurable(question: Question, scene: Scene) -> bool:
    if question.field == "camera_movement":
        return is_proven("camera_movement") and scene.camera_movement in _TOLD_APART
    if asks_plainly(question):
        return True
    if question.field in {"style", "color_palette"}:
        return any(word in question.wanted.lower() for word in _WITHOUT_COLOUR)
    return False


def _move_verdict(asked: str, clip: Clip) -> Verdict:
    height, width = clip.pictures.shape[1:3]
    if len(clip.pictures) < _FEWEST_FRAMES or width < _LEAST_WIDTH:
        return Verdict.UNKNOWN
    move = camera_move(recover_camera(clip.pictures, Intrinsics.of_view(width, height)))
    if move == asked:
        return Verdict.YES
    return Verdict.NO if move in _denying(asked) else Verdict.UNKNOWN


def _denying(asked: str) -> frozenset[str]:
    """Return the movements that rule ``asked`` out.

    A narrow or flat picture does not distinguish a truck from a pan, nor a crane from a tilt: those
    rule out only the opposite direction.
    """
    return (_TOLD_APART - {asked}) | _SHIFTED_AGAINST.get(asked, frozenset())


def _grey_verdict(clip: Clip) -> Verdict:
    clip = Clip(clip.pictures[:: max(1, len(clip.pictures) // 8)], clip.fps)
    colour = float(np.mean([colourfulness(picture) for picture in clip.pictures[::4]]))
    if colour <= _GREY:
        return Verdict.YES
    return Verdict.NO if colour >= _COLOURED else Verdict.UNKNOWN
