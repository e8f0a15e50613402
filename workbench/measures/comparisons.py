"""Compares finished video files with the boxes of their storyboard, and with each other.

Measures without sufficient evidence are unavailable: see :mod:`workbench.measures.evidence`.
Loads OpenCV.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Final

from workbench.engines.animatic.film import Film
from workbench.engines.animatic.reading import read_scene
from workbench.engines.probe import decode_video, probe_video
from workbench.errors import InvalidRequest, Unavailable
from workbench.measures.clips import Clip
from workbench.measures.divergence import Divergence, divergence
from workbench.measures.evidence import is_proven
from workbench.measures.subjects import SubjectError, subject_error
from workbench.rendering import RenderRequest

__all__ = ["subject_against_storyboard", "videos_part"]

_MOST_FRAMES: Final = 481
_HEIGHT: Final = 240
"""Height of the storyboard that gives the boxes, pixels."""


def subject_against_storyboard(path: Path, request: RenderRequest) -> SubjectError | None:
    """Return how far the motion of the main figure is from the storyboard of ``request``.

    None if it is lost, or the scene has no figure. Meaningful only for a video that follows its
    storyboard, such as by control. Raises ``DamagedFile``, ``Unavailable`` without evidence.
    """
    _require("subject_offset")
    clip = _clip(path)
    count, (height, width) = len(clip.pictures), clip.pictures.shape[1:3]
    size = 2 * round(_HEIGHT * width / height / 2), _HEIGHT
    film = Film(read_scene(request.scene, request.seed), *size, count, clip.fps)
    return subject_error(clip, film.boxes()[:, -1]) if film.players else None


def videos_part(one: Path, other: Path, seeds: Sequence[Path] = ()) -> Divergence:
    """Return how far two videos with a common start diverge, compared with ``seeds`` of ``one``.

    Raises ``DamagedFile``, ``InvalidRequest`` unless sizes and rates agree, ``Unavailable`` without
    evidence.
    """
    _require("divergence")
    clips = [_clip(path) for path in (one, other, *seeds)]
    if len({clip.fps for clip in clips}) > 1:
        raise InvalidRequest("Videos of different frame rates cannot be compared.")
    return divergence(clips[0], clips[1], clips[2:])


def _clip(path: Path) -> Clip:
    return Clip.of(islice(decode_video(path), _MOST_FRAMES), probe_video(path).fps)


def _require(measure: str) -> None:
    if not is_proven(measure):
        raise Unavailable(f"The measure {measure} has not been validated.")
