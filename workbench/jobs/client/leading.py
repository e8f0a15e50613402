"""Renders that follow their own storyboard: it is queued ahead of them, and they wait for it.

The storyboard is the render's preview, and writes the channel that the render follows.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

from workbench.engines.completion import CompleteRequest
from workbench.jobs.paths import JobFiles
from workbench.rendering import Channel, Control, RenderRequest

__all__ = ["STORYBOARD_ENGINE", "led_by", "storyboard_of", "storyboard_size", "waiting_control"]

STORYBOARD_ENGINE: Final = "animatic"

_PIXELS: Final = 832 * 480
_STEEPEST: Final = 8
"""Largest aspect ratio that a storyboard follows."""


def waiting_control(request: RenderRequest) -> Control | None:
    """Return the control of a request that follows its own storyboard; None for any other."""
    given = request.options.get("control")
    if not given:
        return None
    control = given if isinstance(given, Control) else Control.model_validate(given)
    return control if control.waits else None


def storyboard_of(request: RenderRequest, control: Control) -> RenderRequest:
    """Return the storyboard that a complete ``request`` follows: as long, and at its rate.

    ``Control`` has checked that its kind is a channel.
    """
    width, height = storyboard_size(request)
    channel: Channel = control.kind  # type: ignore[assignment]
    return RenderRequest(
        prompt=request.prompt,
        scene=request.scene,
        seed=request.seed,
        engine=STORYBOARD_ENGINE,
        width=width,
        height=height,
        num_frames=request.num_frames,
        fps=request.fps,
        camera=None if request.camera is None else request.camera.as_given,
        channels=(channel,),
    )


def led_by(complete: CompleteRequest, control: Control, files: JobFiles) -> CompleteRequest:
    """Return ``complete`` with the channel that its storyboard will write into ``files``."""
    path = str(files.channel(control.kind))
    given = control.model_copy(update={"video": path, "channel": True}).model_dump()
    request = complete.request
    options = {**request.options, "control": given}
    return replace(complete, request=request.model_copy(update={"options": options}))


def storyboard_size(request: RenderRequest) -> tuple[int | None, int | None]:
    """Return the width and height of a storyboard in the shape of ``request``."""
    if not request.width or not request.height:
        return None, None
    ratio = request.width / request.height
    if not 1 / _STEEPEST <= ratio <= _STEEPEST:
        return None, None
    height = math.sqrt(_PIXELS / ratio)
    return 2 * round(height * ratio / 2), 2 * round(height / 2)
