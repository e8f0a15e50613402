"""Forks a finished storyboard video: another camera path from one of its frames.

Storyboards of one scene, seed and length share one world, so a fork equals its parent, bit for bit,
up to the fork frame.
"""

from __future__ import annotations

from typing import Any, Final

from workbench import control
from workbench.control import CameraControl
from workbench.errors import FieldProblem, InvalidRequest
from workbench.jobs.model import Job
from workbench.rendering import ForkPoint, RenderRequest

__all__ = ["fork_of", "why_no_fork"]

_STORYBOARD: Final = "animatic"
_KEPT: Final = ("engine", "seed", "width", "height", "num_frames", "fps", "channels")


def why_no_fork(request: RenderRequest) -> str:
    """Return why a video made from ``request`` cannot be forked; empty if it can."""
    if request.engine != _STORYBOARD:
        return (
            "Only a storyboard is forked so; a model's video is rolled out, and its world forked."
        )
    if "rollout" in request.options:
        return "This is a segment of a world: fork the world."
    if request.camera is None:
        return "This storyboard has no camera path. Render it along one to fork it."
    return ""


def fork_of(job: Job, at_s: float, actions: str) -> dict[str, Any]:
    """Return the parameters of a render that forks ``job`` at ``at_s`` seconds.

    From that frame on the camera follows ``actions``, given as keys or words; the fork is as long
    as its parent. Raises ``InvalidRequest``.
    """
    request = job.request
    if problem := why_no_fork(request):
        raise InvalidRequest(problem, (FieldProblem("job", problem),))
    fps, count = float(request.fps or 24), request.num_frames or 81
    frame = round(at_s * fps)
    if not 0 <= frame < count - 1:
        problem = f"must be within the video: 0 to {(count - 2) / fps:.2f} s"
        raise InvalidRequest(f"at_s {problem}.", (FieldProblem("at_s", problem),))
    camera = request.camera
    assert camera is not None  # noqa: S101  else there is no fork
    try:
        way = CameraControl.of(actions)
    except ValueError as error:
        raise InvalidRequest(f"actions {error}.", (FieldProblem("actions", str(error)),)) from error
    return {
        **{name: getattr(request, name) for name in _KEPT if getattr(request, name)},
        "camera": _forked(request, camera, way, frame),
        "options": {**request.options, "fork": ForkPoint(of=job.job_id, frame=frame).model_dump()},
    }


def _forked(
    request: RenderRequest, camera: CameraControl, way: CameraControl, frame: int
) -> CameraControl:
    """Return the path of ``camera`` up to ``frame``, followed by ``way``."""
    import numpy as np  # noqa: PLC0415  not with the workbench

    fps, count = float(request.fps or 24), request.num_frames or 81
    left = count - frame
    size = {"width": request.width or 832, "height": request.height or 480}
    path = camera.camera_path()
    found = way.resolved(**size, num_frames=left, fps=fps, seed=request.seed)
    added = found.camera_path().relative()
    poses, lenses = path.poses(count, fps), path.lenses(count, fps)
    zoom = added.lenses(left, fps)[:, :1] / added.lenses(1, fps)[0, 0]
    poses = np.concatenate([poses[:frame], poses[frame] @ added.poses(left, fps)])
    lenses[frame:, 2:] = lenses[frame, 2:]
    lenses[frame:, :2] = lenses[frame, :2] * zoom
    across = path.intrinsics.width, path.intrinsics.height
    made = control.CameraPath.of_poses(
        poses,
        fps=fps,
        intrinsics=path.intrinsics,
        lenses=[control.Intrinsics.of_vector(one, *across) for one in lenses.tolist()],
    )
    words = f"{camera.label}; from {frame / fps:.2f} s: {way.said or found.words}"
    return CameraControl.of(made).model_copy(update={"words": words})
