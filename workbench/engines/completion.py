"""Completes requests before they are queued: absolute paths, the engine's defaults, the limits.

The one place that calls ``Engine.complete`` for a submission. Knows nothing of jobs or sessions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from workbench.actions.fitting import fit
from workbench.actions.render_settings import RenderSettings
from workbench.control.conversion import DEFAULT_FPS
from workbench.engines.engine import Continuation, Engine
from workbench.engines.registry import create_engine
from workbench.errors import FieldProblem, InvalidRequest
from workbench.rendering import RenderRequest, with_inputs
from workbench.settings import Settings

__all__ = ["CompleteRequest", "Completion"]

_USUAL_SIZE: Final = (832, 480)
_USUAL_S: Final = 5.0
"""Size and length of a path for an engine that decides them itself."""

_WEIGHTS: Final = {
    "loras": "LoRAs",
    "transformer": "transformer file",
    "transformer_2": "second transformer file",
    "text_encoder": "text encoder file",
    "vae": "VAE file",
    "quantize": "quantisation",
}
"""What changes the weights of a local model, each with its name in a sentence."""
_TITLES: Final = {"animatic": "storyboard"}


@dataclass(frozen=True, slots=True)
class CompleteRequest:
    """A request that its engine has completed and accepted; nothing completes it again."""

    request: RenderRequest
    needs_gpu: bool
    """Whether its job waits for a GPU if the machine has one."""


class Completion:
    """Completes requests with the engines that they name; each engine is created once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._engines: dict[str, Engine] = {}

    def complete(
        self, request: RenderRequest, shape: RenderSettings | None = None
    ) -> CompleteRequest:
        """Return ``request`` complete; ``shape`` sets what it leaves open.

        Calls the engine once, unless ``shape`` asks for a format or a length: then the engine is
        also called for its defaults and for each size that is tried. Raises ``InvalidRequest``,
        naming the fields, for what the engine or this workbench's limits refuse.
        """
        engine = self._engine(request.engine)
        anchored = _anchored(request, local_model=engine.needs_gpu)
        full = _steered(engine, fit(shape or RenderSettings(), anchored, engine.complete))
        self._check_limits(full)
        self._check_channels(full, engine)
        self._check_actions(full, engine)
        self._check_weights(full, engine)
        return CompleteRequest(full, engine.needs_gpu)

    def continuation(self, request: RenderRequest) -> Continuation:
        """Return where the engine of a complete ``request`` can go on from what it made."""
        engine = self._engine(request.engine)
        if (found := getattr(engine, "continuation", None)) is None:
            told = (
                f"The engine {request.engine} does not go on from its videos; diffusers models do."
            )
            return Continuation(why_not=told)
        how: Continuation = found(request)
        return how

    def _engine(self, name: str) -> Engine:
        if name not in self._engines:
            self._engines[name] = create_engine(name, self._settings)
        return self._engines[name]

    @staticmethod
    def _check_channels(request: RenderRequest, engine: Engine) -> None:
        known = getattr(engine, "channels", ())
        if unknown := [name for name in request.channels if name not in known]:
            told = (
                f"The {request.engine} engine does not know {', '.join(unknown)}; "
                "the storyboard (engine animatic) does."
            )
            raise InvalidRequest(told, (FieldProblem("channels", told),))

    @staticmethod
    def _check_actions(request: RenderRequest, engine: Engine) -> None:
        if request.actions is not None and not getattr(engine, "takes_actions", False):
            told = (
                f"The {request.engine} engine does not accept actions; Cosmos 3 (engine diffusers) "
                "does."
            )
            raise InvalidRequest(told, (FieldProblem("actions", told),))

    @staticmethod
    def _check_weights(request: RenderRequest, engine: Engine) -> None:
        if getattr(engine, "takes_weights", False):
            return
        title = _TITLES.get(request.engine, request.engine)
        problems = [
            FieldProblem(
                name, f"The {title} engine takes no {told}; models of the diffusers engine do."
            )
            for name, told in _WEIGHTS.items()
            if _is_given(getattr(request, name))
        ]
        if problems:
            raise InvalidRequest(" ".join(one.problem for one in problems), tuple(problems))

    def _check_limits(self, request: RenderRequest) -> None:
        most_pixels, most_frames = self._settings.max_pixels, self._settings.max_frames
        problems = []
        if (request.width or 0) * (request.height or 0) > most_pixels:
            told = f"width × height must be at most {most_pixels:,}"
            problems.append(FieldProblem("width", told))
        if (request.num_frames or 0) > most_frames:
            problems.append(FieldProblem("num_frames", f"must be at most {most_frames:,}"))
        if problems:
            told = "; ".join(f"{p.field} {p.problem}" for p in problems)
            raise InvalidRequest(
                f"The request exceeds this workbench's limits: {told}.", tuple(problems)
            )


def _is_given(value: Any) -> bool:
    """Tell whether a request's weights or quantisation differ from a model as it is."""
    if isinstance(value, Mapping):
        return any(one != "none" for one in value.values())
    return bool(value) and value != "none"


def _steered(engine: Engine, request: RenderRequest) -> RenderRequest:
    """Return ``request`` with its camera's path, and with the way in which the engine is told."""
    camera = request.camera
    if camera is None or camera.way:
        return request
    found = camera.resolved(
        width=request.width or _USUAL_SIZE[0],
        height=request.height or _USUAL_SIZE[1],
        num_frames=request.num_frames or round(_USUAL_S * (request.fps or DEFAULT_FPS)) + 1,
        fps=request.fps or DEFAULT_FPS,
        seed=request.seed,
    )
    follows = getattr(engine, "follows_camera", None)
    way = "poses" if follows is not None and follows(request) else "words"
    steered = request.with_camera(found.model_copy(update={"way": way}))
    limits = getattr(engine, "camera_notes", None)
    if limits is None or not (told := limits(steered)):
        return steered
    camera = steered.camera or found
    return steered.with_camera(camera.model_copy(update={"notes": (*camera.notes, *told)}))


def _anchored(request: RenderRequest, *, local_model: bool) -> RenderRequest:
    """Return ``request`` with absolute paths: a worker runs in another folder than its client."""

    def anchored(_field: str, path: str) -> str:
        return str(Path(path).expanduser().absolute()) if _is_here(path) else path

    options = {**request.options, **with_inputs(request.options, anchored)}
    model = request.model
    if local_model and model and _is_here(model):
        model = str(Path(model).expanduser().absolute())
    return request.model_copy(update={"options": options, "model": model})


def _is_here(path: str) -> bool:
    """Tell whether ``path`` names a file or folder from the current folder."""
    try:
        return Path(path).expanduser().exists()
    except (OSError, RuntimeError, ValueError):
        return False
