"""Completes requests before they are queued: absolute paths, the engine's defaults, the limits.

The one place that calls ``Engine.complete`` for a submission. Knows nothing of jobs or sessions.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from workbench.actions.fitting import fit
from workbench.actions.render_settings import RenderSettings
from workbench.engines.engine import Engine
from workbench.engines.registry import create_engine
from workbench.errors import FieldProblem, InvalidRequest
from workbench.rendering import RenderRequest, with_inputs
from workbench.settings import Settings

__all__ = ["CompleteRequest", "Completion"]


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
        full = fit(shape or RenderSettings(), anchored, engine.complete)
        self._check_limits(full)
        return CompleteRequest(full, engine.needs_gpu)

    def _engine(self, name: str) -> Engine:
        if name not in self._engines:
            self._engines[name] = create_engine(name, self._settings)
        return self._engines[name]

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
                f"The request is beyond this workbench's limits: {told}.", tuple(problems)
            )


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
