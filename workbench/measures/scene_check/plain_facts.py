"""Answers by pixels for plain facts: dark or bright, still or moving, cut or not.

Only literal words are answered ("dark", not "night"), only where the measure is clear, and only by
measures with evidence. Which words ask for what is in ``measured_words.toml``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache, cached_property
from importlib import resources
from typing import Final

import cv2
import numpy as np

from workbench.measures.clips import Clip
from workbench.measures.continuity import cuts
from workbench.measures.evidence import is_proven
from workbench.measures.scene_check.model import Verdict
from workbench.measures.scene_check.questions import Question
from workbench.measures.transitions import Transition, transitions

__all__ = ["PlainFacts", "asks_plainly"]

_DARK, _BRIGHT = 0.15, 0.65
"""Mean luminance, 0 to 1, of a picture that everybody calls dark, and bright."""
_STILL, _MOVES = 0.002, 0.02
"""Motion, picture widths a second, of a still picture and of one in which something moves."""
_FIELDS: Final = frozenset({"lighting", "mood", "pace", "style", "details", "negative_prompt"})
_MEASURE: Final[Mapping[str, str]] = {
    "dark": "exposure",
    "bright": "exposure",
    "still": "motion",
    "cut": "cuts",
    "uncut": "cuts",
}


class PlainFacts:
    """What the pixels of a clip say; each is measured when it is first asked for."""

    def __init__(self, clip: Clip, *, is_whole: bool) -> None:
        """``is_whole`` says whether the clip is the whole video: a cut may come after its end."""
        self._clip = clip
        self._is_whole = is_whole

    def verdict(self, question: Question) -> Verdict:
        """Return the answer to a question that ``asks_plainly``; unknown where it is not clear."""
        kind = _kind(question)
        shown = None if kind is None else self._shows(kind, is_camera_free=_is_denied(question))
        if shown is None:
            return Verdict.UNKNOWN
        return Verdict.YES if shown is not _is_denied(question) else Verdict.NO

    def _shows(self, kind: str, *, is_camera_free: bool) -> bool | None:
        if kind in {"dark", "bright"}:
            if _DARK < self._light < _BRIGHT:
                return None
            return (self._light <= _DARK) is (kind == "dark")
        if kind == "still":
            if self._motion <= _STILL:
                return True
            # What is frozen may be filmed by a camera that moves; a still picture may not.
            return False if self._motion >= _MOVES and is_camera_free else None
        if cuts(self._steps):
            return kind == "cut"
        return kind == "uncut" if self._is_whole else None

    @cached_property
    def _light(self) -> float:
        some = self._clip.pictures[:: max(1, len(self._clip.pictures) // 16)]
        means = [cv2.mean(cv2.cvtColor(one, cv2.COLOR_RGB2GRAY))[0] for one in some]
        return float(np.mean(means)) / 255

    @cached_property
    def _motion(self) -> float:
        speeds = [step.speed for step in self._steps]
        width = self._clip.pictures.shape[2]
        return float(np.mean(speeds)) * self._clip.fps / width if speeds else 0.0

    @cached_property
    def _steps(self) -> tuple[Transition, ...]:
        return transitions(self._clip)


def asks_plainly(question: Question) -> bool:
    """Return whether a measure with evidence may answer the question."""
    kind = _kind(question)
    return kind is not None and is_proven(_MEASURE[kind])


def _kind(question: Question) -> str | None:
    if question.field not in _FIELDS:
        return None
    wanted = question.wanted.lower()
    wanted = wanted.removeprefix("no ") if _is_denied(question) else wanted
    for ending in (" pace", " mood"):
        wanted = wanted.removesuffix(ending)
    return _words().get(wanted.strip())


def _is_denied(question: Question) -> bool:
    return question.field == "negative_prompt"


@cache
def _words() -> Mapping[str, str]:
    here = resources.files("workbench.measures.scene_check")
    found = tomllib.loads(here.joinpath("measured_words.toml").read_text("utf-8"))
    return {word: kind for kind, words in found.items() for word in words}
