"""The ``diffusers`` engine: loads a model, keeps it warm and renders requests on it.

Heavy libraries are imported by the first ``load``.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from workbench.engines.diffusers.completion import complete, continuation, follows_camera
from workbench.engines.diffusers.families import family_of
from workbench.engines.diffusers.faults import translate
from workbench.engines.diffusers.options import Options, read_options
from workbench.engines.diffusers.placing import free_unused
from workbench.engines.diffusers.recorded_files import changed_files
from workbench.engines.diffusers.weights import find_weights, model_facts
from workbench.engines.engine import ChangedFiles, Continuation, Rendered, RenderTask
from workbench.errors import EngineUnavailable, OutOfMemory, RenderCancelled, WorkbenchError
from workbench.rendering import Progress, RenderRequest
from workbench.settings import Settings

if TYPE_CHECKING:
    from workbench.engines.diffusers.estimation import LastEstimate
    from workbench.engines.diffusers.loaded_model import LoadedModel

__all__ = ["DiffusersEngine"]

_LOG = logging.getLogger("workbench.engines.diffusers")


class DiffusersEngine:
    """Renders with any text-to-video pipeline of diffusers, by folder or hub name.

    Options: :class:`~workbench.engines.diffusers.options.Options`.
    """

    name = "diffusers"
    needs_gpu = True
    channels = ("frames", "latents", "actions")
    takes_actions = True
    takes_weights = True

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._model: LoadedModel | None = None
        self._device = ""
        self._estimates: LastEstimate | None = None

    def complete(self, request: RenderRequest) -> RenderRequest:
        """Return ``request`` with its family's defaults; raises ``InvalidRequest``."""
        return complete(request, self._settings)

    def follows_camera(self, request: RenderRequest) -> bool:
        """Return whether the model takes the poses of a camera path."""
        return follows_camera(request)

    def continuation(self, request: RenderRequest) -> Continuation:
        """Return where the model can go on from a video that it made."""
        return continuation(request)

    def changed_files(self, request: RenderRequest) -> ChangedFiles:
        """Return the weight files of a rendered request that are missing or have other contents."""
        return changed_files(request)

    def load(self, request: RenderRequest, device: str, report: Callable[[Progress], None]) -> None:
        """Load the request's model on ``device``; free if already loaded.

        A request whose control is to be estimated loads its model only in :meth:`render`, when the
        estimator is gone. Raises ``EngineUnavailable``, ``OutOfMemory`` or ``DeviceLost``.
        """
        self._device = device
        options = read_options(request.options)
        if options.control is None or not options.control.is_estimated:
            self._ready(request, options, device, report)

    def render(self, task: RenderTask) -> Rendered:
        """Render ``task``. After an error the engine stays usable, unless the device is lost.

        Raises ``RenderError`` or a subclass, and ``InvalidRequest`` for options that the model does
        not take.
        """
        from workbench.engines.diffusers.render import render  # noqa: PLC0415  heavy

        request = task.recipe.request
        device = self._device or _default_device()
        estimated = self._estimated(task, device)
        model = self._ready(request, read_options(request.options), device, task.report)
        while True:
            try:
                return render(model, task, estimated)
            except Exception as error:
                # The error's frames keep the render's tensors alive as long as the error exists.
                traceback.clear_frames(error.__traceback__)
                free_unused()
                translated = translate(error, request, model.plan.placement)
                if not self._may_step_down(translated, model, request, task):
                    if translated is error:
                        raise
                    raise translated from error

    def _estimated(self, task: RenderTask, device: str) -> Sequence[Any] | None:
        """Return the frames of a control that a learnt model makes; None for any other.

        Made beside the loaded model, or without it if the device has too little memory for both.
        """
        control = read_options(task.recipe.request.options).control
        if control is None or not control.is_estimated:
            return None
        _check_packages()
        from workbench.engines.diffusers.estimation import LastEstimate  # noqa: PLC0415  heavy

        self._estimates = self._estimates or LastEstimate()
        while True:
            try:
                return self._estimates.of(task, device)
            except RenderCancelled:
                raise
            except Exception as error:
                traceback.clear_frames(error.__traceback__)
                translated = translate(error, task.recipe.request, None)
                if not isinstance(translated, OutOfMemory) or self._model is None:
                    if translated is error:
                        raise
                    raise translated from error
                self._drop_model()
            finally:
                free_unused()

    def _may_step_down(
        self, error: WorkbenchError, model: LoadedModel, request: RenderRequest, task: RenderTask
    ) -> bool:
        """Tell whether to retry the render in a placement that needs less memory."""
        if not isinstance(error, OutOfMemory):
            return False
        tried = model.plan.placement
        if not model.step_down(request, read_options(request.options)):
            return False
        _LOG.warning("out of memory with placement %s; trying one that needs less", tried)
        task.report(
            Progress(
                "loading", message=f"out of memory as {tried}: retrying with another placement"
            )
        )
        return True

    def unload(self) -> None:
        """Free the device's memory, and what was estimated last."""
        self._estimates = None
        self._drop_model()

    def _drop_model(self) -> None:
        if self._model is None:
            return
        self._model.text_cache.clear()
        self._model = None
        free_unused()

    def _ready(
        self,
        request: RenderRequest,
        options: Options,
        device: str,
        report: Callable[[Progress], None],
    ) -> LoadedModel:
        _check_packages()
        from workbench.engines.diffusers.loading import (  # noqa: PLC0415
            encoders_for,
            load_model,
            model_key,
        )

        try:
            family = family_of(
                model_facts(request.model, find_weights(request.model, request.revision))
            )
            key = model_key(request, options, family, device)
            if self._model is not None and self._model.key == key:
                return self._model
            kept = encoders_for(self._model, request, options, device) if self._model else {}
            self._drop_model()
            self._model = load_model(request, options, self._settings, device, report, kept)
        except Exception as error:
            traceback.clear_frames(error.__traceback__)
            free_unused()
            translated = translate(error, request, None)
            if translated is error:
                raise
            raise translated from error
        _LOG.info("%s on %s: %s", request.model, device, self._model.plan.reason)
        return self._model


def _check_packages() -> None:
    """Raise ``EngineUnavailable`` unless the model libraries are installed."""
    missing = [name for name in ("torch", "diffusers", "transformers") if not find_spec(name)]
    if missing:
        raise EngineUnavailable(
            f"The diffusers engine needs {', '.join(missing)}: "
            "pip install 'world-model-workbench[diffusion]'"
        )


def _default_device() -> str:
    import torch  # noqa: PLC0415

    return "cuda:0" if torch.cuda.is_available() else "cpu"
