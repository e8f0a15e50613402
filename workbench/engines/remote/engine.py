"""Renders at an OpenAI-compatible ``/v1/videos`` endpoint and downloads the video."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from workbench.engines.engine import Rendered, RenderTask
from workbench.engines.inputs import input_file
from workbench.engines.option_checks import option_problems
from workbench.engines.remote.client import Answer, Refused, VideoClient
from workbench.engines.remote.submissions import SubmissionStore
from workbench.errors import (
    DamagedFile,
    FieldProblem,
    InvalidRequest,
    RenderCancelled,
    RenderError,
    RenderTimeout,
)
from workbench.rendering import Progress, RenderRequest
from workbench.settings import Settings

__all__ = ["RemoteEngine", "RemoteOptions"]

_AS_RENDERED: Final = "as_rendered"
_TOTAL: Final = 110
"""Reported steps: 100 for the endpoint, 5 for the download, 5 for encoding."""
_DOWNLOADED, _FETCHES = 105, 3
_EXTENDED: Final = ("num_frames", "fps", "num_inference_steps", "guidance_scale", "seed")


class RemoteOptions(BaseModel):
    """The options of this engine."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    image: str | None = None
    """Path of the start image."""
    seconds: int | None = Field(None, ge=1, le=120)
    """Length to request; None: the number of frames over the rate, if both are given."""
    plain: bool = False
    """Send only OpenAI's own fields, for endpoints that refuse others."""
    call: Mapping[str, str | int | float | bool] = Field(default_factory=dict)
    """Additional fields for the endpoint."""
    quality: Literal["phone", "standard", "high"] = "standard"
    effort: Literal["live", "balanced", "thorough"] = "balanced"


class RemoteEngine:
    """Requests a video from an endpoint, waits for it and encodes it.

    The endpoint's video id is stored durably, so if the worker dies, the next attempt of the same
    job resumes waiting for that video.
    """

    name = "remote"
    needs_gpu = False

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._submissions = SubmissionStore(settings.outputs / ".workbench" / "remote")

    def complete(self, request: RenderRequest) -> RenderRequest:
        """Return ``request`` with the model filled in; raises ``InvalidRequest``."""
        model = request.model or self._settings.remote_model
        values = {
            "engine": self.name,
            "model": model,
            "width": request.width or 1280,
            "height": request.height or 720,
            "options": {k: v for k, v in request.options.items() if k != _AS_RENDERED},
        }
        filled = request.model_copy(update=values)
        problems = [*self._setting_problems(model), *self._problems(filled)]
        if problems:
            raise InvalidRequest(" ".join(one.problem for one in problems), tuple(problems))
        return filled

    def load(self, request: RenderRequest, device: str, report: Callable[[Progress], None]) -> None:
        """Do nothing: the model runs elsewhere."""
        del request, device, report

    def unload(self) -> None:
        """Do nothing: the model runs elsewhere."""

    def render(self, task: RenderTask) -> Rendered:
        """Render ``task`` at the endpoint; raises ``RenderError`` or a subclass."""
        return _RemoteRender(self._settings, self._submissions, task).run()

    def _setting_problems(self, model: str) -> list[FieldProblem]:
        problems = []
        parts = urlsplit(self._settings.remote_base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            text = (
                "The remote engine needs WORKBENCH_REMOTE_BASE_URL, such as http://host:30000/v1."
            )
            problems.append(FieldProblem("engine", text))
        if not model:
            text = "The remote engine needs a model: name one, or set WORKBENCH_REMOTE_MODEL."
            problems.append(FieldProblem("model", text))
        return problems

    def _problems(self, request: RenderRequest) -> list[FieldProblem]:
        problems = []
        if request.num_frames and request.num_frames > self._settings.max_frames:
            text = f"At most {self._settings.max_frames} frames are allowed."
            problems.append(FieldProblem("num_frames", text))
        if (request.width or 0) * (request.height or 0) > self._settings.max_pixels:
            text = f"A frame may have at most {self._settings.max_pixels} pixels."
            problems.append(FieldProblem("width", text))
        return [*problems, *option_problems(RemoteOptions, request.options)]


class _RemoteRender:
    """One render: submit, wait, download, encode."""

    def __init__(self, settings: Settings, submissions: SubmissionStore, task: RenderTask) -> None:
        self._settings = settings
        self._submissions = submissions
        self._task = task
        self._recipe = task.recipe
        self._request = task.recipe.request
        self._options = RemoteOptions.model_validate(
            {k: v for k, v in self._request.options.items() if k != _AS_RENDERED}
        )
        self._until = time.monotonic() + settings.remote_timeout_s
        self._client = VideoClient(
            settings.remote_base_url,
            settings.remote_api_key.get_secret_value(),
            timeout_s=settings.remote_request_timeout_s,
            retries=settings.remote_retries,
            check=self._check,
        )

    def run(self) -> Rendered:
        """Return the finished video; a cancelled one is deleted at the endpoint."""
        started = time.perf_counter()
        key = self._submissions.key(self._recipe, self._settings.remote_base_url)
        video_id = self._submissions.find(self._recipe, key)
        resumed = video_id is not None
        try:
            if video_id is None:
                video_id = self._client.create(
                    self._fields(),
                    idempotency_key=key,
                    image=self._image(),
                ).video_id
                self._submissions.keep(self._recipe, key, video_id)
            self._wait(video_id)
            waited_s = time.perf_counter() - started
            made = self._bring(video_id, resumed=resumed)
        except (RenderCancelled, RenderTimeout):
            self._give_up(video_id)
            raise
        except (Refused, InvalidRequest):
            self._submissions.forget(self._recipe)
            raise
        self._submissions.forget(self._recipe)
        total_s = time.perf_counter() - started
        timings = {"waiting": waited_s, "fetching": total_s - waited_s, "total": total_s}
        return Rendered(made.width, made.height, made.num_frames, made.fps, timings, made.request)

    def _image(self) -> tuple[bytes, str] | None:
        from workbench.engines.images import portable_image  # noqa: PLC0415  loads OpenCV and PyAV

        if self._options.image is None:
            return None
        try:
            return portable_image(input_file(self._options.image))
        except DamagedFile as error:
            raise InvalidRequest(f"The start image cannot be used: {error}") from error

    def _fields(self) -> dict[str, str]:
        request = self._request
        fields = {
            "model": request.model,
            "prompt": request.text_for_model,
            "size": f"{request.width}x{request.height}",
        }
        seconds = self._options.seconds
        if seconds is None and request.num_frames and request.fps:
            seconds = max(1, round(request.num_frames / request.fps))
        if seconds is not None:
            fields["seconds"] = str(seconds)
        if not self._options.plain:
            for name in _EXTENDED:
                if (value := getattr(request, name)) is not None:
                    fields[name] = str(value)
            if request.negative_prompt:
                fields["negative_prompt"] = request.negative_prompt
        return fields | {name: _text(value) for name, value in self._options.call.items()}

    def _wait(self, video_id: str) -> None:
        while True:
            answer = self._client.ask(video_id)
            self._tell(answer)
            if answer.status in {"completed", "succeeded"}:
                return
            if not answer.going:
                self._submissions.forget(self._recipe)
                raise RenderError(
                    f"The video endpoint ended with the status {answer.status or 'nothing'}: "
                    f"{answer.error or 'it gave no reason'}."
                )
            pause = time.monotonic() + self._settings.remote_poll_s
            while time.monotonic() < pause:
                self._check()
                time.sleep(min(0.05, self._settings.remote_poll_s))

    def _bring(self, video_id: str, *, resumed: bool) -> Rendered:
        from workbench.engines.remote.transcoding import transcode  # noqa: PLC0415  brings in av

        path = self._task.folder / "download"
        try:
            for attempt in range(_FETCHES):
                self._client.download(video_id, path, self._fetched)
                try:
                    told = {
                        "endpoint": urlsplit(self._settings.remote_base_url).hostname,
                        "video_id": video_id,
                        "resumed": resumed,
                        "sent": {k: v for k, v in self._fields().items() if k != "prompt"},
                    }
                    quality, effort = self._options.quality, self._options.effort
                    return transcode(path, self._task, told, self._encoded, quality, effort)
                except DamagedFile as error:
                    if attempt + 1 == _FETCHES:
                        text = f"The video from the endpoint does not play: {error}"
                        raise RenderError(text) from error
        finally:
            path.unlink(missing_ok=True)
        raise AssertionError("unreachable")  # pragma: no cover

    def _give_up(self, video_id: str | None) -> None:
        """Delete the video at the endpoint; errors are ignored."""
        self._submissions.forget(self._recipe)
        if video_id is None:
            return
        try:
            self._client.delete(video_id)
        except (OSError, ValueError, RenderError):
            return

    def _check(self) -> None:
        if self._task.cancelled():
            raise RenderCancelled("The render was cancelled.")
        if time.monotonic() > self._until:
            limit = self._settings.remote_timeout_s
            raise RenderTimeout(f"The video endpoint took longer than {limit:g} seconds.")

    def _tell(self, answer: Answer) -> None:
        stage = "waiting" if answer.status in {"queued", "pending"} else "rendering"
        text = f"{answer.status.replace('_', ' ')} at the endpoint"
        self._task.report(Progress(stage, int(answer.progress), _TOTAL, text))

    def _fetched(self, share: float) -> None:
        self._task.report(Progress("downloading", 100 + int(share * 5), _TOTAL))

    def _encoded(self, frames: int, of: int, preview: bytes | None) -> None:
        self._check()
        share = min(1.0, frames / of) if of else 1.0
        step = _DOWNLOADED + int(share * 5)
        text = f"{frames} frames"
        self._task.report(Progress("encoding", step, _TOTAL, text, preview))


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
