"""Fits a session's render settings to a size and length that the engine accepts."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any, Final

from workbench.actions.render_settings import RenderSettings, aspect_of
from workbench.errors import InvalidRequest
from workbench.rendering import RenderRequest

__all__ = ["effective", "fit"]

Complete = Callable[[RenderRequest], RenderRequest]
"""Fills in an engine's defaults; raises ``InvalidRequest`` for what the engine cannot render."""

_STEPS: Final = (2, 8, 16, 32, 64)
"""Pixel multiples that engines require, tried in this order."""
_FRAMES_TRIED: Final = 16
"""Maximum distance, in frames, from the requested length to an accepted one."""
_SIZE: Final = frozenset({"width", "height"})


def fit(settings: RenderSettings, request: RenderRequest, complete: Complete) -> RenderRequest:
    """Return ``request`` completed, in the size and length that ``settings`` ask for.

    Values set on ``request`` win. The result has the nearest size and number of frames that the
    engine accepts. Raises ``InvalidRequest`` if it accepts none, or refuses another value.
    """
    plain = {
        name: value
        for name, value in settings.stated().items()
        if name in RenderRequest.model_fields and getattr(request, name) in (None, "")
    }
    if _SIZE & request.model_fields_set and (request.width or request.height):
        plain = {k: v for k, v in plain.items() if k not in _SIZE}
    request = request.model_copy(update=plain)
    full = complete(request)
    if request.width is None and request.height is None and _shapes(settings):
        request, full = _accepted(request, _sizes(settings, full), complete, "width", "height")
    if settings.seconds is not None and request.num_frames is None:
        wanted = settings.seconds * (full.fps or 1)
        _, full = _accepted(request, _lengths(wanted), complete, "num_frames")
    return full


def effective(settings: RenderSettings, full: RenderRequest) -> RenderSettings:
    """Return ``settings`` filled in from ``full``: the base for "twice as long"."""
    seconds = full.num_frames / full.fps if full.num_frames and full.fps else None
    known: dict[str, Any] = {
        "seconds": None if seconds is None else round(seconds, 3),
        "num_frames": full.num_frames,
        "fps": full.fps,
        "width": full.width,
        "height": full.height,
        "short_side": min(full.width, full.height) if full.width and full.height else None,
        "num_inference_steps": full.num_inference_steps,
        "guidance_scale": full.guidance_scale,
        "model": full.model or None,
        "engine": full.engine,
        "profile": full.profile,
    }
    return RenderSettings.model_validate(
        {k: v for k, v in {**known, **settings.stated()}.items() if v is not None}
    )


def _shapes(settings: RenderSettings) -> bool:
    return settings.aspect is not None or settings.short_side is not None


def _sizes(settings: RenderSettings, full: RenderRequest) -> Iterator[dict[str, int]]:
    width, height = full.width or 16, full.height or 9
    ratio = aspect_of(settings.aspect) if settings.aspect else width / height
    if settings.short_side:
        high = settings.short_side / min(1.0, ratio)
    else:
        high = math.sqrt(width * height / ratio)
    for step in _STEPS:
        sides = (high * ratio, high)
        yield dict(
            zip(
                ("width", "height"), (max(step, round(s / step) * step) for s in sides), strict=True
            )
        )


def _lengths(wanted: float) -> Iterator[dict[str, int]]:
    middle = round(wanted)
    for away in range(_FRAMES_TRIED + 1):
        for count in {middle + away, middle - away}:
            if count >= 1:
                yield {"num_frames": count}


def _accepted(
    request: RenderRequest, options: Iterator[dict[str, int]], complete: Complete, *names: str
) -> tuple[RenderRequest, RenderRequest]:
    """Return ``request`` with the first option that the engine accepts, and its completed form.

    Raises the first ``InvalidRequest`` if no option is accepted, or if another field is refused.
    """
    first = next(options)
    refusal: InvalidRequest | None = None
    for option in itertools.chain([first], options):
        tried = request.model_copy(update=option)
        try:
            full = complete(tried)
        except InvalidRequest as error:
            if not {problem.field for problem in error.problems} <= set(names):
                raise
            refusal = refusal or error
        else:
            return tried, full
    raise refusal or InvalidRequest("The engine does not accept this size or length.")
