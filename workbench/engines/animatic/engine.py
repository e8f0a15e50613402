"""The ``animatic`` engine: draws a scene as a moving storyboard on the CPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, ValidationError

from workbench.engines.engine import Rendered, RenderTask
from workbench.errors import FieldProblem, InvalidRequest
from workbench.rendering import INPUTS, ForkPoint, Progress, RenderRequest, RolloutSegment
from workbench.scene import Scene
from workbench.settings import Settings

if TYPE_CHECKING:
    from workbench.engines.live import LiveFeed

__all__ = ["AnimaticEngine"]

_DEFAULTS: Final = {"width": 832, "height": 480, "num_frames": 81, "fps": 24}
_OPTIONS: Final = frozenset({"quality", "phone", "planned", "rollout", "fork"})
_LONGEST: Final = 4_096


class AnimaticEngine:
    """Draws the request's scene; deterministic for its seed; needs no GPU and no weights.

    Options: ``quality`` (``standard`` or ``high``), ``phone`` (true: also write ``phone.mp4``),
    ``planned`` (frames of the film whose beginning it is: the figures pace themselves by it),
    ``rollout`` (a :class:`RolloutSegment`: draw a later part of a longer film), ``fork`` (a
    :class:`ForkPoint`: the video whose beginning it shares).
    """

    name = "animatic"
    needs_gpu = False
    channels = ("camera", "depth", "segments", "boxes", "flow", "edges", "gray")

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def complete(self, request: RenderRequest) -> RenderRequest:
        """Return ``request`` with size, length and rate filled in; odd sizes become even."""
        values: dict[str, Any] = {
            name: value if getattr(request, name) is None else getattr(request, name)
            for name, value in _DEFAULTS.items()
        }
        values["width"] += values["width"] % 2
        values["height"] += values["height"] % 2
        problems = [
            *self._too_large(values),
            *_unknown_options(request),
            *_invalid(request, "rollout", RolloutSegment),
            *_invalid(request, "fork", ForkPoint),
            *_segment_problems(request, values["num_frames"]),
            *_planned_problems(request, values["num_frames"]),
        ]
        if problems:
            message = " ".join(problem.problem for problem in problems)
            raise InvalidRequest(message, tuple(problems))
        return request.model_copy(update={**values, "engine": self.name})

    def follows_camera(self, request: RenderRequest) -> bool:
        """Return true: it follows any path."""
        del request
        return True

    def camera_notes(self, request: RenderRequest) -> tuple[str, ...]:
        """Return from when on a complete request's path leaves the stage, and how far.

        Empty for a request without a scene, which no video is made of.
        """
        if request.camera is None or request.scene == Scene():
            return ()
        from workbench.engines.animatic.studio import steering_of_request  # noqa: PLC0415  heavy

        return steering_of_request(request).notes

    def load(self, request: RenderRequest, device: str, report: Callable[[Progress], None]) -> None:
        """Import the drawing libraries; free after the first call."""
        del request, device, report
        from workbench.engines.animatic import studio  # noqa: PLC0415  heavy, so not before now

        studio.warm_up()

    def render(self, task: RenderTask) -> Rendered:
        """Draw ``task`` into its folder, encoding while it draws."""
        from workbench.engines.animatic import studio  # noqa: PLC0415

        return studio.shoot(task)

    def live(self, request: RenderRequest, num_frames: int) -> LiveFeed:
        """Return the storyboard of a complete request as a world that lasts up to ``num_frames``.

        Raises ``InvalidRequest`` for another frame rate than that of the keys.
        """
        from workbench.control import SANA_WM  # noqa: PLC0415  numpy
        from workbench.engines.animatic.live import LiveStoryboard  # noqa: PLC0415

        if request.fps != SANA_WM.fps:
            told = f"A live storyboard runs at the {SANA_WM.fps:g} frames a second of its keys."
            raise InvalidRequest(told, (FieldProblem("fps", told),))
        return LiveStoryboard(request, num_frames)

    def unload(self) -> None:
        """Do nothing: there is no model to unload."""

    def _too_large(self, values: dict[str, int]) -> list[FieldProblem]:
        problems = []
        if values["num_frames"] > self._settings.max_frames:
            most = self._settings.max_frames
            problems.append(FieldProblem("num_frames", f"At most {most} frames are allowed."))
        if values["width"] * values["height"] > self._settings.max_pixels:
            most = self._settings.max_pixels
            problems.append(FieldProblem("width", f"A frame may have at most {most} pixels."))
        return problems


def _invalid(request: RenderRequest, name: str, model: type[BaseModel]) -> list[FieldProblem]:
    """Return the problems of the option ``name``, if given."""
    if (given := request.options.get(name)) is None:
        return []
    try:
        model.model_validate(given)
    except ValidationError as error:
        return [
            FieldProblem(".".join(("options", name, *map(str, one["loc"]))), one["msg"])
            for one in error.errors()
        ]
    return []


def _segment_problems(request: RenderRequest, num_frames: int) -> list[FieldProblem]:
    given = request.options.get("rollout")
    if given is None or _invalid(request, "rollout", RolloutSegment):
        return []
    segment = RolloutSegment.model_validate(given)
    if request.camera is None:
        return [FieldProblem("camera", "A segment of a rollout needs a camera path.")]
    if segment.start + num_frames > segment.planned:
        told = f"The world is planned for {segment.planned} frames; this segment goes beyond."
        return [FieldProblem("options.rollout", told)]
    return []


def _planned_problems(request: RenderRequest, num_frames: int) -> list[FieldProblem]:
    planned = request.options.get("planned")
    if "planned" not in request.options or (
        type(planned) is int and num_frames <= planned <= _LONGEST
    ):
        return []
    told = f"planned must be a number of frames from {num_frames} to {_LONGEST}."
    return [FieldProblem("options.planned", told)]


def _unknown_options(request: RenderRequest) -> list[FieldProblem]:
    return [
        FieldProblem(
            name, f"The storyboard does not accept {name}; choose a video model that does."
        )
        if name in INPUTS
        else FieldProblem(f"options.{name}", f"The animatic engine has no option {name!r}.")
        for name in request.options
        if name not in _OPTIONS
    ]
