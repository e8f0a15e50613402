"""Records a world that a realtime server makes, steered by a script of held keys."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from workbench.control import parse_keys, path_to_keys
from workbench.engines.engine import Rendered, RenderTask
from workbench.engines.inputs import input_file
from workbench.engines.option_checks import option_problems
from workbench.errors import (
    DamagedFile,
    EngineUnavailable,
    FieldProblem,
    InvalidRequest,
    RenderCancelled,
    RenderError,
    RenderTimeout,
)
from workbench.frame_rates import whole_if_whole
from workbench.rendering import Progress, RenderRequest
from workbench.settings import Settings

if TYPE_CHECKING:
    from workbench.engines.live import LiveFeed

__all__ = ["RealtimeEngine", "RealtimeOptions", "init_fields"]

_AS_RENDERED: Final = "as_rendered"
_DEFAULTS: Final = {"width": 832, "height": 480, "num_frames": 81, "fps": 16}
_PREVIEW_WIDTH: Final = 256


class RealtimeOptions(BaseModel):
    """The options of this engine."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    image: str | None = None
    """Path of the first frame."""
    recording: str | None = None
    """Path of the frames of a live walk, which become the video; only the workbench sets it."""
    frames_per_action: int = Field(1, ge=1, le=16)
    """Frames for which the server takes one action: 1 for Sana-WM, 4 for LingBot-World."""
    call: Mapping[str, str | int | float | bool] = Field(default_factory=dict)
    """Further fields of the first message."""
    quality: Literal["phone", "standard", "high"] = "standard"
    effort: Literal["live", "balanced", "thorough"] = "live"


class RealtimeEngine:
    """Follows a camera path as held keys, and records the server's frames.

    The request holds the keys and the seed, so the session can be replayed. After a lost connection
    the session restarts from the beginning, up to ``remote_retries`` times.
    """

    name = "realtime"
    needs_gpu = False

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def complete(self, request: RenderRequest) -> RenderRequest:
        """Return ``request`` with its defaults; raises ``InvalidRequest``."""
        values: dict[str, Any] = {
            name: default if getattr(request, name) is None else getattr(request, name)
            for name, default in _DEFAULTS.items()
        }
        if request.num_frames is None and request.camera is not None and request.camera.is_keys:
            values["num_frames"] = len(parse_keys(request.camera.said)) + 1
        options = {k: v for k, v in request.options.items() if k != _AS_RENDERED}
        model = request.model or self._settings.remote_model
        filled = request.model_copy(
            update={**values, "engine": self.name, "model": model, "options": options}
        )
        if problems := self._problems(filled):
            raise InvalidRequest(" ".join(one.problem for one in problems), tuple(problems))
        return filled

    def follows_camera(self, request: RenderRequest) -> bool:
        """Return true: a path is turned into keys."""
        del request
        return True

    def load(self, request: RenderRequest, device: str, report: Callable[[Progress], None]) -> None:
        """Check that the packages for a session are installed; the model runs elsewhere."""
        del device, report
        if _recording(request) is not None:
            return
        try:
            import msgpack  # noqa: F401, PLC0415
            import websocket  # noqa: F401, PLC0415
        except ImportError as error:
            told = "The realtime engine needs msgpack and websocket-client: pip install them."
            raise EngineUnavailable(told) from error

    def unload(self) -> None:
        """Do nothing: the model runs elsewhere."""

    def render(self, task: RenderTask) -> Rendered:
        """Record ``task`` at the server, or encode what a live walk has recorded of it.

        Raises ``RenderError`` or a subclass.
        """
        if (recording := _recording(task.recipe.request)) is not None:
            from workbench.engines.realtime.recording import encode_recording  # noqa: PLC0415

            return encode_recording(task, recording)
        from workbench.engines.realtime.session import Dropped  # noqa: PLC0415

        until = time.monotonic() + self._settings.remote_timeout_s
        for attempt in range(self._settings.remote_retries + 1):
            try:
                return _Recording(self._settings, task, until, attempt).run()
            except Dropped as error:
                if attempt == self._settings.remote_retries:
                    raise
                told = f"{error} It is tried again."
                task.report(Progress("connecting", message=told))
        raise AssertionError("unreachable")  # pragma: no cover

    def live(self, request: RenderRequest, num_frames: int) -> LiveFeed:
        """Return the world of a complete request, to be steered while it is seen."""
        del num_frames  # the server goes on until it is left
        self.load(request, "cpu", lambda _: None)
        from workbench.engines.realtime.live import RealtimeFeed  # noqa: PLC0415  its libraries

        return RealtimeFeed(self._settings, request)

    def _problems(self, request: RenderRequest) -> list[FieldProblem]:
        problems = []
        parts = urlsplit(self._settings.remote_base_url)
        reachable = parts.scheme in {"http", "https", "ws", "wss"} and parts.hostname
        if not reachable and _recording(request) is None:
            text = (
                "The realtime engine needs WORKBENCH_REMOTE_BASE_URL, such as http://host:30000/v1."
            )
            problems.append(FieldProblem("engine", text))
        if (request.num_frames or 0) > self._settings.max_frames:
            text = f"At most {self._settings.max_frames} frames are allowed."
            problems.append(FieldProblem("num_frames", text))
        return [*problems, *option_problems(RealtimeOptions, request.options)]


def _recording(request: RenderRequest) -> Path | None:
    """Return the frames of the live walk that ``request`` records; None if there are none."""
    if not (named := request.options.get("recording")):
        return None
    path = input_file(str(named))
    return path if path.is_file() else None


def script_of(request: RenderRequest, frames_per_action: int = 1) -> tuple[str, ...]:
    """Return the keys held in each step of a complete ``request``; empty without a camera."""
    if (camera := request.camera) is None:
        return ()
    keys = camera.said if camera.is_keys else path_to_keys(camera.camera_path()).value
    return parse_keys(keys)[::frames_per_action]


def init_fields(request: RenderRequest, options: RealtimeOptions) -> dict[str, Any]:
    """Return the fields of the first message, without the script; raises ``InvalidRequest``."""
    fields: dict[str, Any] = {
        "prompt": request.text_for_model,
        "size": f"{request.width}x{request.height}",
        "fps": request.fps,
        "num_frames": request.num_frames,
        "seed": request.seed,
        **options.call,
    }
    for name in ("model", "negative_prompt", "num_inference_steps", "guidance_scale"):
        if (value := getattr(request, name)) not in (None, ""):
            fields[name] = value
    if options.image is not None:
        from workbench.engines.images import portable_image  # noqa: PLC0415  loads OpenCV

        try:
            fields["first_frame"] = portable_image(input_file(options.image))[0]
        except DamagedFile as error:
            raise InvalidRequest(f"The first frame cannot be used: {error}") from error
    return fields


def _check_length(made: int, wanted: int) -> None:
    if made < wanted:
        raise RenderError(f"The realtime server ended the session after {made} of {wanted} frames.")


class _Recording:
    """One attempt: a session from its first message to the last requested frame."""

    def __init__(self, settings: Settings, task: RenderTask, until: float, attempt: int) -> None:
        self._settings = settings
        self._task = task
        self._until = until
        self._attempt = attempt
        self._request = task.recipe.request
        options = {k: v for k, v in self._request.options.items() if k != _AS_RENDERED}
        self._options = RealtimeOptions.model_validate(options)
        self._told = 0.0

    def run(self) -> Rendered:
        """Return the recorded video."""
        from workbench.engines.encoder import VideoWriter  # noqa: PLC0415
        from workbench.engines.posters import write_posters  # noqa: PLC0415
        from workbench.engines.realtime.messages import init_message  # noqa: PLC0415
        from workbench.engines.realtime.session import RealtimeSession  # noqa: PLC0415
        from workbench.engines.recipes import embeddable  # noqa: PLC0415

        request, started = self._request, time.perf_counter()
        wanted, fps = request.num_frames or 1, float(request.fps or 16)
        script = script_of(request, self._options.frames_per_action)
        self._task.report(Progress("connecting", 0, wanted))
        session = RealtimeSession(
            self._settings.remote_base_url,
            self._settings.remote_api_key.get_secret_value(),
            silence_s=self._settings.remote_request_timeout_s,
            most_pixels=self._settings.max_pixels,
            check=self._check,
        )
        writer: VideoWriter | None = None
        middle = None
        made, first_s, width, height = 0, 0.0, 0, 0
        try:
            with session:
                session.begin(init_message(init_fields(request, self._options), script))
                for frames in session.batches():
                    shown = frames[: wanted - made]
                    if writer is None:
                        first_s = time.perf_counter() - started
                        height, width = shown.shape[1:3]
                        writer = VideoWriter(
                            self._task.folder / "video.mp4",
                            width,
                            height,
                            fps,
                            quality=self._options.quality,
                            effort=self._options.effort,
                            metadata=embeddable(self._task.recipe),
                        )
                    writer.write(shown)
                    if middle is None or made <= wanted // 2:
                        middle = shown[-1]
                    made += len(shown)
                    self._tell(made, wanted, shown[-1])
                    if made >= wanted:
                        break
            _check_length(made, wanted)
            if writer is not None:
                writer.close()
        except BaseException:
            if writer is not None:
                writer.abort()
            raise
        if middle is not None:
            write_posters(middle, self._task.folder)
        total_s = time.perf_counter() - started
        timings = {"first_frame": first_s, "total": total_s}
        told = {
            "endpoint": urlsplit(self._settings.remote_base_url).hostname,
            "chunks": session.reader.chunks,
            "keys": len(script),
            "attempts": self._attempt + 1,
        }
        effective = request.model_copy(
            update={
                "width": width,
                "height": height,
                "num_frames": made,
                "fps": whole_if_whole(fps),
                "options": {**request.options, _AS_RENDERED: told},
            }
        )
        return Rendered(width, height, made, fps, timings, effective)

    def _check(self) -> None:
        if self._task.cancelled():
            raise RenderCancelled("The render was cancelled.")
        if time.monotonic() > self._until:
            limit = self._settings.remote_timeout_s
            raise RenderTimeout(f"The realtime server took longer than {limit:g} seconds.")

    def _tell(self, made: int, wanted: int, frame: Any) -> None:
        from workbench.engines.posters import jpeg  # noqa: PLC0415

        now = time.monotonic()
        preview = None
        if now - self._told > 0.25 or made >= wanted:
            self._told = now
            preview = jpeg(frame, width=_PREVIEW_WIDTH, quality=72)
        text = f"{made} of {wanted} frames"
        self._task.report(Progress("recording", made, wanted, text, preview))
