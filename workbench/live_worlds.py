"""Live worlds: which engine shows one, what was seen of it, and the job that records it.

The storyboard, or the world of a realtime server where the settings say that there is one.
"""

from __future__ import annotations

import logging
import math
import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from workbench.actions.render_settings import RenderSettings
from workbench.control import CameraControl, parse_keys
from workbench.engines.live import LiveFrame
from workbench.engines.registry import create_engine
from workbench.errors import FieldProblem, InvalidRequest, NotFound, WorkbenchError
from workbench.jobs.client.leading import storyboard_size
from workbench.jobs.model import Job, JobState
from workbench.jobs.paths import JobPaths, WalkFiles
from workbench.live_journal import FoundWalk, WalkJournal, WalkPlace
from workbench.prompts.markers import strip_marker
from workbench.prompts.writer import scene_of
from workbench.render_requests import PLACEHOLDER_ENGINE, PlacedPrompt, seed_of
from workbench.rendering import RenderParameters, RenderRequest
from workbench.scene import Scene
from workbench.settings import Settings

if TYPE_CHECKING:
    from workbench.engines.live import LiveFeed
    from workbench.jobs.client.manager import JobManager
    from workbench.prompts.sessions import Sessions
    from workbench.render_requests import RenderRequests

__all__ = ["LiveFrame", "LiveWalk", "LiveWorlds", "RecordedWalk", "WalkPlace"]

_SERVER: Final = "realtime"
_STORYBOARD_S: Final = 30.0
_STORYBOARD_FPS: Final = 16
_LEAST_S: Final = 1.0
"""A walk that was shorter, or in which no key was held, leaves nothing."""
_FULL: Final = "The recording of this live world has reached its size limit, so the walk ends here."
_log = logging.getLogger(__name__)
_STILL: Final = CameraControl(said="none-1")
"""Steers a request whose keys are held later."""


@dataclass(slots=True)
class LiveWalk:
    """One walk through a live world, from its first frame."""

    request: RenderRequest
    """Complete, but for the keys."""
    most_frames: int
    feed: LiveFeed
    journal: WalkJournal
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
        """Yield each frame as it comes, up to the limit, once it is on disk.

        Raises ``RenderError``, and ``DiskFull`` where a frame cannot be written.
        """
        for frame in self.feed.frames():
            self.journal.add(frame)
            self.led_by.append(frame.led_by)
            yield frame
            if len(self.led_by) >= self.most_frames or self.journal.is_full:
                self.feed.close()
                return

    @property
    def is_empty(self) -> bool:
        """Whether no key was held yet, or less than a second has passed."""
        return _is_empty(self.led_by, self.fps)

    @property
    def told(self) -> str:
        """Why it ended before its limit; empty unless the recording is full."""
        return _FULL if self.journal.is_full else ""

    def close(self) -> None:
        """End the world; what was seen is on disk."""
        self.feed.close()
        self.journal.close()


@dataclass(frozen=True, slots=True)
class RecordedWalk:
    """A walk that has ended, and the job that records it."""

    job: Job
    place: WalkPlace
    keys: str
    seconds: float


class LiveWorlds:
    """Begins walks, and records them as jobs."""

    def __init__(
        self, settings: Settings, jobs: JobManager, requests: RenderRequests, sessions: Sessions
    ) -> None:
        self._settings = settings
        self._jobs = jobs
        self._requests = requests
        self._sessions = sessions
        self._paths = JobPaths(settings.outputs)

    @property
    def engines(self) -> tuple[str, ...]:
        """The engines that have a live world here, the usual one first."""
        if not self._settings.remote_base_url:
            return (PLACEHOLDER_ENGINE,)
        # An endpoint that only renders videos has no world to begin with.
        both = (_SERVER, PLACEHOLDER_ENGINE)
        return both if self._settings.remote_worlds else both[::-1]

    @staticmethod
    def idea(
        text: str, settings: RenderSettings | None = None, scene: Scene | None = None
    ) -> PlacedPrompt:
        """Return a prompt as it would be rendered under ``settings``; its scene is read from it."""
        prompt = strip_marker(text)
        kept = settings or RenderSettings()
        return PlacedPrompt(prompt, scene or scene_of(prompt), settings=kept)

    def walk(
        self,
        placed: PlacedPrompt,
        asked: RenderParameters,
        *,
        seconds: float | None = None,
        place: WalkPlace | None = None,
    ) -> LiveWalk:
        """Return a walk through the world of ``placed``, for up to ``seconds``.

        ``place`` is where its job will belong; without one, in no session.

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
        feed = begin(request, most)
        files = self._paths.walk(f"{time.time_ns():020d}-{secrets.token_hex(4)}")
        kept = place or WalkPlace()
        journal = WalkJournal(files, request, most, kept, with_frames=not feed.repeats)
        return LiveWalk(request, most, feed, journal)

    def keep(self, walk: LiveWalk) -> Job:
        """Queue a job that records what was seen of ``walk`` so far; it can still go on.

        Raises ``InvalidRequest`` before the first frame.
        """
        if not walk.led_by:
            raise InvalidRequest("No frame has been shown yet, so there is nothing to record.")
        files = walk.journal.files
        request = self._replayed(walk.request, walk.feed, tuple(walk.led_by), files)
        job = self._submitted(request, None, walk.journal.place)
        if files.frames.is_file():
            files.note(job.job_id)
        return job

    def record(self, walk: LiveWalk, *, short: bool = False) -> RecordedWalk | None:
        """End ``walk`` and queue the job that records it.

        None for a walk that was shorter than a second or in which no key was held, unless a
        ``short`` one is wanted too; nothing is left of it then. Also None if it was recorded
        before. If this raises, the walk stays on disk and is recorded later.
        """
        walk.close()
        return self._record(walk.journal.files, short=short)

    def drop(self, walk: LiveWalk) -> None:
        """End ``walk`` and leave nothing of it but the jobs that were kept of it."""
        walk.close()
        if (found := FoundWalk.take(walk.journal.files)) is not None:
            found.forget()
            found.close()

    def record_left(self) -> list[RecordedWalk]:
        """Queue the jobs of all walks whose process has ended without doing so.

        Walks that cannot become jobs now, such as on a full disk, stay for another time. Removes
        the frames of walks whose jobs are complete.
        """
        recorded = []
        for files in self._paths.walks():
            try:
                if (one := self._record(files)) is not None:
                    recorded.append(one)
                self._clear(files)
            except (WorkbenchError, OSError):
                _log.exception("A live walk could not be recorded; it stays in %s.", files.folder)
        return recorded

    def _record(self, files: WalkFiles, *, short: bool = False) -> RecordedWalk | None:
        found = FoundWalk.take(files)
        if found is None:
            return None
        try:
            fps = float(found.request.fps or _STORYBOARD_FPS)
            seconds = (len(found.led_by) - 1) / fps
            if not found.led_by or (not short and _is_empty(found.led_by, fps)):
                found.forget()
                return None
            engine: Any = create_engine(found.request.engine, self._settings)
            feed = engine.live(found.request, found.most_frames)
            request = self._replayed(found.request, feed, found.led_by, files)
            place = self._placed(found)
            job = self._submitted(request, f"live {files.folder.name}", place)
            if place.session_id is not None and place.entry_index is not None:
                self._sessions.link_jobs(place.session_id, place.entry_index, [job.job_id])
            found.became(job.job_id)
            keys = "" if request.camera is None else str(request.camera.said)
            return RecordedWalk(job, place, keys, seconds)
        finally:
            found.close()

    def _replayed(
        self, request: RenderRequest, feed: LiveFeed, led_by: tuple[str, ...], files: WalkFiles
    ) -> RenderRequest:
        """Return the request whose video has the frames that these keys led to."""
        told = feed.replay(led_by)
        told["camera"] = CameraControl(said=told["camera"])
        if files.frames.is_file():
            recording = str(files.frames.resolve())
            told["options"] = {**request.options, "recording": recording}
        return request.model_copy(update=told)

    def _submitted(self, request: RenderRequest, key: str | None, place: WalkPlace) -> Job:
        complete = self._jobs.complete(request)
        is_recorded = "recording" in complete.request.options
        preview = None if is_recorded else self._requests.placeholder(complete)
        return self._jobs.submit(complete, preview=preview, idempotency_key=key, **place.told)

    def _placed(self, found: FoundWalk) -> WalkPlace:
        """Return the place of a walk, whose idea becomes a prompt if none has it yet."""
        place, request = found.place, found.request
        try:
            if place.session_id is not None:
                self._sessions.session(place.session_id)
        except NotFound:  # it was deleted meanwhile
            place = WalkPlace(begins=place.begins, settings=place.settings)
        if place.begins:
            session_id, entry = self._sessions.restore(
                request.prompt, request.scene, place.session_id
            )
            self._sessions.set_render(session_id, place.settings, index=entry.index)
            place = WalkPlace(session_id=session_id, entry_index=entry.index)
            found.placed(place)
        return place

    def _clear(self, files: WalkFiles) -> None:
        """Remove what is left of a walk that no job needs: each is complete or deleted."""
        if files.journal.is_file() or not files.jobs.is_file():
            return
        for job_id in files.noted():
            with suppress(NotFound):
                if self._jobs.job(job_id).state is not JobState.COMPLETE:
                    return
        shutil.rmtree(files.folder, ignore_errors=True)

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


def _is_empty(led_by: Sequence[str], fps: float) -> bool:
    return not any(led_by) or len(led_by) - 1 < _LEAST_S * fps
