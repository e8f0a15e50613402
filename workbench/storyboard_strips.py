"""The storyboard of an idea or a scene along a camera path, drawn small and without a job."""

from __future__ import annotations

from typing import Any

from workbench.prompts.writer import scene_of
from workbench.rendering import RenderRequest
from workbench.scene import Scene

__all__ = ["storyboard_follows", "storyboard_strip"]


def storyboard_follows(request: RenderRequest, shown: Scene | str) -> tuple[tuple[str, ...], Any]:
    """Return what the storyboard cannot follow of a complete request's path, and what it follows.

    The latter is one pose (4×4) a frame. ``shown`` is the scene, or the idea to parse into one.
    """
    from workbench.engines.animatic.studio import steering_of_request  # noqa: PLC0415  loads OpenCV

    scene = scene_of(shown) if isinstance(shown, str) else shown
    steering = steering_of_request(request.model_copy(update={"scene": scene}))
    return steering.notes, [shot.c2w for shot in steering.shots()]


def storyboard_strip(request: RenderRequest, shown: Scene | str, count: int) -> bytes:
    """Return ``count`` frames of a complete request's storyboard, side by side, as a JPEG.

    ``shown`` is the scene, or the idea to parse into one.
    """
    from workbench.engines.animatic.preview import strip  # noqa: PLC0415  loads OpenCV

    scene = scene_of(shown) if isinstance(shown, str) else shown
    return strip(request.model_copy(update={"scene": scene}), count)
