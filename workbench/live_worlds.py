"""Live worlds: which engine shows one, what was seen of it, and the job that replays it.

The storyboard, or the world of a realtime server where the settings say that there is one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from workbench.actions.render_settings import RenderSettings
from workbench.control import CameraControl, parse_keys
from workbench.engines.live import LiveFrame
from workbench.engines.registry import create_engine
from workbench.errors import FieldProblem, InvalidRequest, WorkbenchError
from workbench.jobs.client.leading import storyboard_size
from workbench.jobs.model import Job
from workbench.prompts.markers import strip_marker
from workbench.prompts.writer import scene_of
from workbench.render_requests import PLACEHOLDER_ENGINE, PlacedPrompt, seed_of
from workbench.rendering import RenderParameters, RenderRequest
from workbench.settings import Settings

if TYPE_CHECKING:
    from workbench.engines.live import LiveFeed
    from workbench.jobs.client.manager import JobManager
    from workbench.render_requests import RenderRequests

__all__ = ["LiveFrame", "LiveWalk", "LiveWorlds"]

_SERVER: Final = "realtime"
_STORYBOARD_S: Final = 30.0
_STORYBOARD_FPS: Final = 16
_STILL: Final = CameraControl(said="none-1")
"""Steers a request whose keys are held later."""


@dataclass(slots=True)
class LiveWalk:
    """One walk through a live world, from its first frame."""

    request: RenderRequest
    """Complete, but for the keys."""
    most_frames: int
    feed: LiveFeed
    led_by: list[str] = field(default_factory=list)
    """The keys that led to each frame so far."""

    @property
    def fps(self) -> float:
        """Frames per second."""
        return float(self.request.fps or _STORYBOARD_FPS)

    @property
    def limit_s(self) -> float:
        """How long it may last."""
        return (self.most_frames - 1) / self.fps

    @property
    def keys(self) -> str:
        """The keys that led to the frames so far, such as ``w-12,none-4``; empty before the first."""
        return str(self.feed.replay(self.led_by)["camera"]) if self.led_by else ""

    def hold(self, keys: str) -> None:
        """Hold these keys, such as ``jw``, from now on; empty lets go.

        Raises ``InvalidRequest`` for other keys than w a s d i j k l.
        """
        self.feed.hold(parse_keys(f"{keys}-1")[0] if keys else "")

    def frames(self) -> Iterator[LiveFrame]:
        """Yield each frame as it comes, up to the limit; raises ``RenderError``."""
        for frame in self.feed.frames():
            self.led_by.append(frame.led_by)
            yield frame
            if len(self.led_by) >= self.most_frames:
                self.feed.close()
                return

    def close(self) -> None:
        """End the world; what was seen can still be kept."""
        self.feed.close()


class LiveWorlds:
    """Begins walks, and keeps them as jobs."""

    def __init__(self, settings: Settings, jobs: JobManager, requests: RenderRequests) -> None:
        self._settings = settings
        self._jobs = jobs
        self._requests = requests

    @property
    def engines(self) -> tuple[str, ...]:
        """The engines that have a live world here, the usual one first."""
        if not self._settings.remote_base_url:
            return (PLACEHOLDER_ENGINE,)
        # An endpoint that only renders videos has no world to begin with.
        both = (_SERVER, PLACEHOLDER_ENGINE)
        return both if self._settings.remote_worlds else both[::-1]

    @staticmethod
    def idea(text: str, settings: RenderSettings | None = None) -> PlacedPrompt:
        """Return a prompt that is in no session, as it would be rendered under ``settings``."""
        prompt = strip_marker(text)
        return PlacedPrompt(prompt, scene_of(prompt), settings=settings or RenderSettings())

    def walk(
        self, placed: PlacedPrompt, asked: RenderParameters, *, seconds: float | None = None
    ) -> LiveWalk:
        """Return a walk through the world of ``placed``, for up to ``seconds``.

        By default a storyboard lasts 30 s, at 16 frames a second and in the format of the session's
        renders; a server's world lasts as long as a video may. Raises ``InvalidRequest``, and
        ``EngineUnavailable`` where packages are missing.
        """
        name = asked.engine or self.engines[0]
        engine = create_engine(name, self._settings)
        begin = getattr(engine, "live", None)
        if begin is None:
            told = f"The {name} engine has no live world; the storyboard and realtime servers have."
            raise InvalidRequest(told, (FieldProblem("engine", told),))
        asked = asked.model_copy(update={"engine": name, "camera": _STILL})
        seed = seed_of(asked, placed)
        if name == PLACEHOLDER_ENGINE:
            placed, asked = self._drawn(placed, asked)
        request = self._requests.of(placed, asked, seed).request
        most = self._most_frames(request, seconds)
        request = request.model_copy(update={"num_frames": None})
        return LiveWalk(request, most, begin(request, most))

    def keep(self, walk: LiveWalk, **place: Any) -> Job:
        """Queue the job that replays what was seen of ``walk``; it can be kept once it has a frame.

        ``place`` is where the job belongs; see ``JobManager.submit``. Raises ``InvalidRequest``.
        """
        if not walk.led_by:
            raise InvalidRequest("No frame has been shown yet, so there is nothing to record.")
        told = walk.feed.replay(tuple(walk.led_by))
        camera = CameraControl(said=told.pop("camera"))
        request = walk.request.model_copy(update={**told, "camera": camera})
        complete = self._jobs.complete(request)
        return self._jobs.submit(complete, preview=self._requests.placeholder(complete), **place)

    def _drawn(
        self, placed: PlacedPrompt, asked: RenderParameters
    ) -> tuple[PlacedPrompt, RenderParameters]:
        """Return what a storyboard takes of a session's settings: the format."""
        width = height = None
        if placed.settings.stated() and not (asked.width or asked.height):
            with suppress(WorkbenchError):  # whoever renders is told
                width, height = storyboard_size(self._requests.completed(placed.settings))
        given = {"width": width, "height": height, "fps": _STORYBOARD_FPS}
        missing = {name: value for name, value in given.items() if getattr(asked, name) is None}
        asked = asked.model_copy(update=missing)
        return replace(placed, settings=RenderSettings()), asked

    def _most_frames(self, request: RenderRequest, seconds: float | None) -> int:
        """Return the limit in frames, the first included."""
        fps, most = float(request.fps or _STORYBOARD_FPS), self._settings.max_frames
        if seconds is None:
            if request.engine != PLACEHOLDER_ENGINE:
                return most
            return min(most, round(_STORYBOARD_S * fps) + 1)
        longest_s = (most - 1) / fps
        if not (math.isfinite(seconds) and 1 / fps <= seconds <= longest_s):
            told = f"must be at most {longest_s:g}, the length that a video may have"
            raise InvalidRequest(f"seconds {told}.", (FieldProblem("seconds", told),))
        return round(seconds * fps) + 1
