"""Directs a model with a finished storyboard: the same prompt, led by a channel and its camera.

A storyboard that did not write the channel is drawn again with it, and the model's render waits for
that one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from workbench import control
from workbench.actions.render_settings import RenderSettings
from workbench.control import CameraControl
from workbench.control.control_request import FOLLOWED_CHANNELS, Control
from workbench.errors import FieldProblem, InvalidRequest, NotFound
from workbench.jobs.client.leading import STORYBOARD_ENGINE
from workbench.jobs.model import Job, JobState
from workbench.rendering import RenderParameters, RenderRequest

if TYPE_CHECKING:
    from workbench.studio import Studio

__all__ = ["CAMERA", "Direction", "direct", "direction_kinds", "why_no_direction"]

CAMERA: Final = "camera"
"""The kind of a model that follows only the camera's poses."""

_SAME_SHAPE: Final = 0.01
_SAME_MOMENT: Final = 1e-6
_SHORTER: Final = 17
"""Frames by which a video is shortened at most to fit its storyboard."""


@dataclass(frozen=True, slots=True)
class Direction:
    """The render of a model that follows a storyboard."""

    parameters: RenderParameters
    settings: RenderSettings
    storyboard: RenderRequest | None
    """The storyboard to draw first, with the channel; None if its channel is there."""


def direction_kinds(control_kinds: Sequence[str], *, takes_camera: bool) -> tuple[str, ...]:
    """Return what of a storyboard a model follows, the usual one first: depth, edges, …, camera."""
    found = tuple(kind for kind in FOLLOWED_CHANNELS if kind in control_kinds)
    return found or ((CAMERA,) if takes_camera else ())


def why_no_direction(job: Job) -> str:
    """Return why no model can be directed with the video of ``job``; empty if one can."""
    if job.request.engine != STORYBOARD_ENGINE:
        return "Only a storyboard knows its depth, edges and segments: render the prompt as one."
    if job.state is not JobState.COMPLETE:
        return "The storyboard is not complete yet."
    if "rollout" in job.request.options:
        return "This is a segment of a world: roll the model out with its channel as control."
    return ""


async def direct(studio: Studio, job: Job, kind: str, settings: RenderSettings) -> Job:
    """Queue the prompt of a finished storyboard on the model of ``settings``; return its job.

    The video follows the storyboard's channel ``kind`` and its camera, in its shape, and as long as
    it as far as the model allows. Raises ``InvalidRequest`` for a video that directs no model, or a
    longer one than the storyboard.
    """
    found = _direction(studio, job, kind, settings)
    return await studio.render(
        job.request.prompt,
        session_id=job.session_id,
        parameters=found.parameters,
        settings=found.settings,
        storyboard=found.storyboard,
    )


def _direction(studio: Studio, job: Job, kind: str, settings: RenderSettings) -> Direction:
    if problem := why_no_direction(job):
        raise InvalidRequest(problem, (FieldProblem("job", problem),))
    camera = _camera(studio, job)
    given: dict[str, Any] = {} if camera is None else {"camera": camera}
    storyboard: RenderRequest | None = None
    if kind == CAMERA:
        if camera is None:
            problem = "This storyboard has no camera path. Render it along one first."
            raise InvalidRequest(problem, (FieldProblem("kind", problem),))
    elif _has(studio, job, kind):
        given["control"] = Control.model_validate(
            {"kind": kind, "video": job.job_id, "channel": True}
        )
    else:
        given["control"] = Control.model_validate({"kind": kind, "storyboard": True})
        channels = (*job.request.channels, kind)
        storyboard = job.request.model_copy(update={"channels": channels})
    plain = settings.model_copy(update={"control": None, "camera": None})
    return Direction(RenderParameters.of(given), _fitted(studio, job, plain), storyboard)


def _camera(studio: Studio, job: Job) -> CameraControl | None:
    if job.request.camera is not None:
        return job.request.camera.as_given
    if not _has(studio, job, "camera"):
        return None
    path = studio.jobs.channel_path(job.job_id, "camera")
    return CameraControl.of(control.read_path(path).value)


def _has(studio: Studio, job: Job, channel: str) -> bool:
    try:
        studio.jobs.channel_path(job.job_id, channel)
    except NotFound:
        return False
    return True


def _fitted(studio: Studio, job: Job, settings: RenderSettings) -> RenderSettings:
    """Return ``settings`` with the storyboard's shape and length where they leave those open.

    Raises ``InvalidRequest`` if the video would be longer than the storyboard.
    """
    request = job.request
    width, height = request.width or 832, request.height or 480
    lasts = ((request.num_frames or 1) - 1) / (request.fps or 24)
    full = studio.completed(settings)
    is_open = not settings.stated().keys() & {"aspect", "short_side", "width", "height"}
    if is_open and full.width and full.height:
        ratio = width / height
        if abs(full.width / full.height / ratio - 1) > _SAME_SHAPE:
            aspect = f"{ratio:.2f}:1" if ratio >= 1 else f"1:{1 / ratio:.2f}"
            settings = settings.model_copy(update={"aspect": aspect})
    fps = full.fps or request.fps or 24
    most = int(lasts * fps + _SAME_MOMENT) + 1
    if settings.num_frames is None and settings.seconds is None:
        for less in range(_SHORTER):
            fitted = settings.model_copy(update={"seconds": max(1, most - less) / fps})
            full = studio.completed(fitted)
            if (full.num_frames or 1) <= most:
                return fitted
    if (full.num_frames or 1) > most:
        problem = (
            f"The video would have {full.num_frames} frames at {fps:g} per second, and the "
            f"storyboard lasts only {most} of them: choose a shorter video, or render a longer "
            "storyboard."
        )
        raise InvalidRequest(problem, (FieldProblem("num_frames", problem),))
    return settings
