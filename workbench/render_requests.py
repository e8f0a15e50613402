"""Builds render requests from a prompt, its session's settings and the caller's parameters.

Knows prompts, engines and uploaded inputs; queues nothing.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from workbench import control
from workbench.actions.fitting import effective
from workbench.actions.render_settings import RenderSettings
from workbench.control import ActionControl, CameraControl
from workbench.engines.completion import CompleteRequest
from workbench.engines.inputs import ACTIONS_SUFFIX, PATH_SUFFIX
from workbench.errors import FieldProblem, InvalidRequest, NotFound
from workbench.identifiers import Kind, is_identifier
from workbench.jobs.client.leading import STORYBOARD_ENGINE, storyboard_size, waiting_control
from workbench.jobs.client.manager import JobManager
from workbench.jobs.model import Job
from workbench.lexicon.words import sentences
from workbench.named_files import names_path
from workbench.prompts.forms import Form, Shape, form_for, text_for_model
from workbench.prompts.writer import rewrite_prompt
from workbench.rendering import INPUTS, Control, RenderParameters, RenderRequest, with_inputs
from workbench.scene import Scene
from workbench.settings import Settings

if TYPE_CHECKING:
    from workbench.control import ActionSequence

__all__ = [
    "PLACEHOLDER_ENGINE",
    "PlacedPrompt",
    "RenderRequests",
    "continuation_of",
    "new_seed",
    "seed_of",
    "settings_of_request",
]

PLACEHOLDER_ENGINE: Final = STORYBOARD_ENGINE
"""The engine of the storyboard that plays in a card until its render is complete."""

_QUICK_S: Final = 2.0
"""A shorter render needs no placeholder."""
_KEPT: Final = (
    "engine", "model", "profile", "seed", "width", "height", "num_frames", "fps",
    "num_inference_steps", "guidance_scale", "negative_prompt", "loras", "quantize",
)  # fmt: skip
_CONTINUED: Final = (
    "engine", "profile", "width", "height", "num_frames", "fps", "num_inference_steps",
    "guidance_scale",
)  # fmt: skip
"""The parameters that a video and its continuation share."""
_SEED_BITS: Final = 31  # fits every engine's generator, and a JavaScript number


@dataclass(frozen=True, slots=True)
class PlacedPrompt:
    """A prompt to render, with its position in a session, if any."""

    prompt: str
    scene: Scene
    entry_index: int | None = None
    parent_prompt: str = ""
    settings: RenderSettings = field(default_factory=RenderSettings)
    """The session's render settings, which the render's own parameters override."""


class RenderRequests:
    """Builds complete requests for the engines of one ``outputs/``."""

    def __init__(self, settings: Settings, jobs: JobManager) -> None:
        self._settings = settings
        self._jobs = jobs

    def of(self, placed: PlacedPrompt, asked: RenderParameters, seed: int) -> CompleteRequest:
        """Return the complete request for ``placed``; given parameters override session settings.

        Raises ``InvalidRequest``, naming the fields, if it cannot be rendered.
        """
        settings, kept = self._settings, placed.settings
        engine = asked.engine or kept.engine or settings.engine
        apart = {"prompt_form", "camera", "actions", *INPUTS}
        given = {k: v for k, v in asked.given.items() if k not in apart}
        if inputs := self._inputs(asked, kept):
            given["options"] = {**given.get("options", {}), **inputs}
        if (camera := asked.camera or kept.camera) is not None:
            given["camera"] = self.camera(camera)
        if asked.actions is not None:
            given["actions"] = self._actions(asked.actions)
        same_engine = asked.engine in {None, kept.engine or settings.engine}
        for name in ("profile", "loras", "quantize") if same_engine else ("profile",):
            if getattr(asked, name) is None and getattr(kept, name) is not None:
                given[name] = getattr(kept, name)
        negative = asked.negative_prompt or kept.negative_prompt or placed.scene.negative_prompt
        own_model = kept.model if same_engine else None
        model = asked.model or own_model or self._default_model(engine)
        form = asked.prompt_form or settings.prompt_form
        given |= {
            "engine": engine,
            "model": model,
            "negative_prompt": negative,
            "seed": seed,
        }
        request = RenderRequest(prompt=placed.prompt, scene=placed.scene, **given)
        complete = self._jobs.complete(request, kept)
        text = _text_for_model(placed, form, model, complete.request)
        if not text:
            return complete
        told = complete.request.model_copy(update={"model_prompt": text})
        camera = told.camera
        return replace(complete, request=told if camera is None else told.with_camera(camera))

    def placeholder(self, complete: CompleteRequest, *, ahead: int = 0) -> CompleteRequest | None:
        """Return the animatic that plays in the card until ``complete`` itself is done.

        None if the settings disable it, and for a render that is expected to be complete within two
        seconds, counting the ``ahead`` equal ones before it.
        """
        request = complete.request
        if waiting_control(request) is not None:
            return None  # it waits for a storyboard of its own, which is shown meanwhile
        if request.engine == PLACEHOLDER_ENGINE or not self._settings.placeholders:
            return None
        expected_s = self._jobs.expected_s(complete)
        if expected_s is not None and expected_s * (ahead + 1) <= _QUICK_S:
            return None
        width, height = storyboard_size(request)
        sketch = RenderRequest(
            prompt=request.prompt,
            scene=request.scene,
            seed=request.seed,
            engine=PLACEHOLDER_ENGINE,
            width=width,
            height=height,
            camera=None if request.camera is None else request.camera.as_given,
        )
        return self._jobs.complete(sketch)

    def effective(self, kept: RenderSettings) -> RenderSettings:
        """Return ``kept`` with the engine's defaults; raises ``InvalidRequest`` beyond limits."""
        return effective(kept, self.completed(kept))

    def completed(self, kept: RenderSettings) -> RenderRequest:
        """Return the request for any prompt under ``kept``; raises as :meth:`effective`."""
        engine = kept.engine or self._settings.engine
        request = RenderRequest(
            prompt="(none)",
            engine=engine,
            model=kept.model or self._default_model(engine),
            profile=kept.profile or "exact",
            loras=kept.loras or (),
            quantize=kept.quantize or "none",
            camera=None if kept.camera is None else self.camera(kept.camera),
            options=self._inputs(RenderParameters(), kept),
        )
        return self._jobs.complete(request, kept).request

    def model_to_fetch(self, kept: RenderSettings) -> str:
        """Return the hub name of the model that would have to be fetched first; empty for none."""
        engine = kept.engine or self._settings.engine
        model = kept.model or self._default_model(engine)
        if engine != "diffusers" or not self._settings.allow_hub or names_path(model):
            return ""
        # Imported here: its package loads the engine.
        from workbench.engines.diffusers.weights import find_weights  # noqa: PLC0415

        return model if model and find_weights(model) is None else ""

    def _default_model(self, engine: str) -> str:
        return "" if engine == PLACEHOLDER_ENGINE else self._settings.model

    def _inputs(
        self, asked: RenderParameters, kept: RenderSettings | None = None
    ) -> dict[str, Any]:
        """Return the files that a render starts from, by option; raises ``InvalidRequest``."""

        def found(field: str, given: str) -> str:
            try:
                known = is_identifier(given)
                path = self._jobs.input_path(given) if known else Path(given).expanduser()
            except NotFound as error:
                raise InvalidRequest(str(error), (FieldProblem(field, str(error)),)) from error
            is_channel = field.startswith("control.") and control is not None and control.channel
            if not path.is_file() or (
                path.suffix in {PATH_SUFFIX, ACTIONS_SUFFIX} and not is_channel
            ):
                problem = f"There is no picture or video {given} to start from."
                raise InvalidRequest(problem, (FieldProblem(field, problem),))
            return str(path.resolve())

        named = {name: getattr(asked, name) or getattr(kept, name, None) for name in INPUTS}
        if (control := named["control"]) is not None and control.channel is not False:
            named["control"] = control = self._channel(control)
        return with_inputs(named, found)

    def _channel(self, control: Control) -> Control:
        """Return a control with the file of a job's channel; raises ``InvalidRequest``.

        A control that leaves the choice to the workbench follows the video of a job without one.
        """
        try:
            if control.channel is None and not self._has_channel(control):
                return control.model_copy(update={"channel": False})
            path = self._jobs.channel_path(control.video, control.kind)
        except NotFound as error:
            problem = FieldProblem("control.video", str(error))
            raise InvalidRequest(str(error), (problem,)) from error
        return control.model_copy(update={"video": str(path), "ready": True, "channel": True})

    def _has_channel(self, control: Control) -> bool:
        """Return whether its video is a job with its kind as a channel; raises ``NotFound``."""
        if not is_identifier(control.video, Kind.JOB):
            return False
        return control.kind in self._jobs.job(control.video).request.channels

    def found(self, asked: RenderParameters) -> RenderParameters:
        """Return ``asked`` with its camera's path, its control's file and its actions' rows.

        Raises ``InvalidRequest`` for an id of none of them.
        """
        found: dict[str, Any] = {}
        if asked.camera is not None:
            found["camera"] = self.camera(asked.camera)
        if asked.control is not None:
            found["control"] = self.followed(asked.control)
        if asked.actions is not None:
            found["actions"] = self._actions(asked.actions)
        return asked.model_copy(update=found)

    def followed(self, given: Control) -> Control:
        """Return a control that names a file, unless it waits; raises ``InvalidRequest``."""
        return Control.model_validate(self._inputs(RenderParameters(control=given))["control"])

    def camera(self, given: CameraControl) -> CameraControl:
        """Return a camera, with its path looked up if given by id; raises ``InvalidRequest``."""
        if not is_identifier(given.said):
            return given
        try:
            if is_identifier(given.said, Kind.JOB):
                camera = self._jobs.job(given.said).request.camera
                file = None
            else:
                camera = None
                file = self._jobs.input_path(given.said)
        except NotFound as error:
            raise InvalidRequest(str(error), (FieldProblem("camera", str(error)),)) from error
        if camera is not None:
            return camera.as_given
        if file is None or file.suffix != PATH_SUFFIX:
            problem = f"{given.said} has no camera path."
            raise InvalidRequest(problem, (FieldProblem("camera", problem),))
        return CameraControl.of(control.read_path(file).value)

    def _actions(self, given: ActionControl) -> ActionControl:
        """Return actions, with their values looked up if given by id; raises ``InvalidRequest``."""
        if not isinstance(given.values, str):
            return given
        try:
            if is_identifier(given.values, Kind.JOB):
                found = self._actions_of(given.values)
            else:
                file = self._jobs.input_path(given.values)
                if file.suffix != ACTIONS_SUFFIX:
                    raise _no_actions(given.values)
                found = control.read_actions(file)
            return given.with_sequence(found)
        except NotFound as error:
            problem = FieldProblem("actions.values", str(error))
            raise InvalidRequest(str(error), (problem,)) from error
        except ValueError as error:
            problem = FieldProblem("actions.embodiment", str(error))
            raise InvalidRequest(f"{error}.", (problem,)) from error

    def _actions_of(self, job_id: str) -> ActionSequence:
        """Return the actions that a job found or was given."""
        actions = self._jobs.job(job_id).request.actions
        if actions is None:
            raise _no_actions(job_id)
        if actions.predicts:
            file = self._jobs.channel_path(job_id, "actions")
            return control.read_actions(file, actions.embodiment, fps=actions.fps)
        return actions.sequence()


def _no_actions(name: str) -> InvalidRequest:
    problem = f"{name} has no actions."
    return InvalidRequest(problem, (FieldProblem("actions.values", problem),))


def seed_of(asked: RenderParameters, placed: PlacedPrompt) -> int:
    """Return the requested seed, else the session's, else a new one."""
    if asked.seed is not None:
        return asked.seed
    kept = placed.settings.seed
    return new_seed() if kept is None else kept


def settings_of_request(request: RenderRequest) -> dict[str, Any]:
    """Return the session settings that reproduce ``request``; inputs are left out."""
    values = {name: getattr(request, name) for name in _KEPT}
    values["camera"] = None if request.camera is None else request.camera.as_given
    if request.engine == PLACEHOLDER_ENGINE:
        values |= dict.fromkeys(("model", "profile"))
    return {name: value for name, value in values.items() if value not in (None, "", (), "none")}


def continuation_of(job: Job) -> dict[str, Any]:
    """Return the parameters of a render that continues from the last frame of a finished job."""
    kept = {name: getattr(job.request, name) for name in _CONTINUED}
    return {**kept, "model": job.request.model or None, "image": job.job_id}


def new_seed() -> int:
    """Return a random seed."""
    return secrets.randbits(_SEED_BITS)


def _text_for_model(placed: PlacedPrompt, form: str, model: str, complete: RenderRequest) -> str:
    """Return the prompt in the model's form; empty if that is the prompt as shown."""
    chosen = form_for(model) if form == "auto" else Form(form)
    width, height, frames, fps = complete.width, complete.height, complete.num_frames, complete.fps
    shape = Shape(width, height, frames, fps) if width and height and frames and fps else None
    prompt, scene, camera = placed.prompt, placed.scene, complete.camera
    if camera is not None and complete.engine != PLACEHOLDER_ENGINE:
        words = camera.words if camera.way == "words" else ""
        scene = scene.model_copy(update={"camera_movement": words})
        prompt = _without_movement(prompt, placed.scene)
    text = text_for_model(prompt, scene, chosen, shape=shape)
    return "" if text == placed.prompt else text


def _without_movement(prompt: str, scene: Scene) -> str:
    """Return ``prompt`` without its own camera movement, which a path replaces.

    Removed only as a whole sentence or at the end of one; otherwise it stays.
    """
    if not scene.camera_movement:
        return prompt
    still = rewrite_prompt(prompt, scene, scene.model_copy(update={"camera_movement": ""}))
    begun = [one.rstrip(" .") for one in sentences(still)]
    whole = sentences(prompt)
    is_sound = bool(begun) and all(any(o.startswith(one) for o in whole) for one in begun)
    return still if is_sound else prompt
