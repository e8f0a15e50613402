"""The renders of the session at one screen: start, end, keep, hand over; and the devices.

Knows jobs and devices; knows nothing of prompts but the entry that a render belongs to.
"""

from __future__ import annotations

import asyncio
import dataclasses
import math
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, Final, Literal, Protocol

from pydantic import TypeAdapter

from workbench.archive import BatchArchive
from workbench.errors import InvalidRequest, NotFound, SupervisorUnavailable
from workbench.jobs.cluster.standing import ClusterState
from workbench.jobs.model import Batch, Job
from workbench.studio import RenderParameters, Studio
from workbench.widgets.commands import command
from workbench.widgets.feed import JobFeed
from workbench.widgets.loop import LoopThread
from workbench.widgets.presentation import View, cluster_view, device_view, job_view

__all__ = ["Renders", "Screen", "render_parameters"]

_PARAMETERS: Final = TypeAdapter(RenderParameters)
_DEVICES_BUSY_S: Final = 1.0
_DEVICES_IDLE_S: Final = 4.0
_PAGE_GONE_S: Final = 150.0
"""A page says every so often that it is there; without a word for this long it has been closed. Longer
than a browser lets the timers of a page in the background sleep."""
_ARCHIVE_BYTES: Final = 512 << 20
"""Most bytes that go through the kernel as one ZIP."""


class Screen(Protocol):
    """Where things are shown; called on the loop alone."""

    def show(self, name: str, value: Any) -> None:
        """Set what the browser sees under ``name``."""

    def patch_jobs(self, views: Iterable[View]) -> None:
        """Tell of some jobs."""

    def tell_all_jobs(self) -> None:
        """Tell of every job."""

    def tell(self, message: View) -> None:
        """Say something in passing, that a page which loads later need not know."""


class Renders:
    """The jobs of the open session. Every method runs on the loop."""

    def __init__(
        self, studio: Studio, loop: LoopThread, screen: Screen, *, private: bool = False
    ) -> None:
        self._studio = studio
        self._jobs = studio.jobs
        self._loop = loop
        self._screen = screen
        self._private = private
        self._known: dict[str, Job] = {}
        self._feed = JobFeed(studio.jobs, loop, self.tell)
        self._watches_devices = False
        self._heard_at_s = -math.inf

    def close(self) -> None:
        """Stop watching; renders go on."""
        self._feed.close()

    async def follow(self, session_id: str | None) -> list[Job]:
        """Show the jobs of this session from now on, and return them, newest first."""
        jobs = await self._feed.follow(session_id)
        self._known = {job.job_id: job for job in jobs}
        self._screen.show("jobs_state", {job.job_id: job_view(job) for job in jobs})
        return jobs

    def tell(self, jobs: Iterable[Job]) -> None:
        """Show these jobs as they are now; an older state never hides a newer one."""
        newer = [
            job
            for job in jobs
            if job.job_id not in self._known or self._known[job.job_id].revision <= job.revision
        ]
        self._known.update((job.job_id, job) for job in newer)
        self._screen.patch_jobs([job_view(job) for job in newer])

    @command
    async def hello(self) -> None:
        """A page has loaded: tell it what it cannot know."""
        self._screen.tell_all_jobs()
        self._loop.start(self._warm_up())
        await self.here()

    @command
    async def here(self) -> None:
        """A page is still there. Without any, the devices are told to nobody, and the kernel rests.

        Every message of a kernel counts as activity, so one that talked to a closed page would
        never be culled.
        """
        self._heard_at_s = time.monotonic()
        if not self._watches_devices:
            self._watches_devices = True
            self._loop.start(self._watch_devices())

    @command
    async def leave(self) -> None:
        """A page has been closed. Any other says that it is there before long."""
        self._heard_at_s = -math.inf

    @command
    async def cancel(self, job: str) -> None:
        """End a render."""
        self.tell([await asyncio.to_thread(self._jobs.cancel, self._own(job).job_id)])

    @command
    async def retry(self, job: str) -> None:
        """Run a render again that failed or was cancelled."""
        self.tell([await asyncio.to_thread(self._jobs.retry, self._own(job).job_id)])

    @command
    async def cancel_batch(self, batch: str) -> None:
        """End what is left of a batch."""
        if all(job.batch_id != batch for job in self._known.values()):
            raise NotFound("batch", batch)
        self.tell((await asyncio.to_thread(self._jobs.cancel_batch, batch)).jobs)

    @command
    async def star(self, job: str, *, on: bool) -> None:
        """Mark a render to be kept, or no longer."""
        own = self._own(job).job_id
        self.tell([await asyncio.to_thread(self._jobs.star, own, starred=on)])

    @command
    async def note(self, job: str, text: str) -> None:
        """Keep a note beside a video in place of the one before; an empty one removes it."""
        self.tell([await asyncio.to_thread(self._jobs.note, self._own(job).job_id, text)])

    @command
    async def select(self, jobs: list[str]) -> None:
        """Note which videos are chosen; the notebook reads them as ``selected``."""
        self._screen.show("selected_ids", [job for job in jobs if job in self._known])

    @command
    async def file(self, job: str, name: Literal["video", "poster"]) -> bytes:
        """Hand over a file where no server does."""
        finder = self._jobs.video_path if name == "video" else self._jobs.poster_path
        path = await asyncio.to_thread(finder, self._own(job).job_id)
        return await asyncio.to_thread(path.read_bytes)

    @command
    async def archive(self, jobs: list[str]) -> bytes:
        """Hand over the finished ones of these as one ZIP."""
        if not jobs:
            raise InvalidRequest("There is no video to download yet.")
        chosen = [self._own(job) for job in jobs]
        return await asyncio.to_thread(self._zip, chosen)

    def _zip(self, chosen: Sequence[Job]) -> bytes:
        session_id = chosen[0].session_id
        numbered = [dataclasses.replace(job, position=place) for place, job in enumerate(chosen)]
        batch = Batch(
            batch_id=session_id or "",
            name="workbench",
            session_id=session_id,
            created_at=min(job.created_at for job in chosen),
            jobs=tuple(numbered),
        )
        with BatchArchive(self._jobs, batch) as archive:
            if archive.size_bytes > _ARCHIVE_BYTES:
                raise InvalidRequest(
                    "These videos are too much for one ZIP here; download them batch by batch."
                )
            return b"".join(archive)

    async def _warm_up(self) -> None:
        with suppress(SupervisorUnavailable):  # the first render will say so
            await self._studio.warm_up()

    async def _watch_devices(self) -> None:
        shown: list[View] | None = None
        while time.monotonic() - self._heard_at_s < _PAGE_GONE_S:
            views = [device_view(one) for one in await asyncio.to_thread(self._jobs.devices)]
            if self._private:  # what others render is theirs
                views = [v | {"job": v["job"] if v["job"] in self._known else None} for v in views]
            standing = await asyncio.to_thread(self._jobs.cluster)
            if standing is not None and standing.state is not ClusterState.JOINED:
                views.append(cluster_view(standing))
            if views != shown:
                shown = views
                self._screen.show("devices_state", views)
            busy = any(not job.state.final for job in self._known.values())
            await asyncio.sleep(_DEVICES_BUSY_S if busy else _DEVICES_IDLE_S)
        self._watches_devices = False

    def _own(self, job_id: str) -> Job:
        if job_id not in self._known:
            raise NotFound("job", job_id)
        return self._known[job_id]


def render_parameters(options: dict[str, Any] | None) -> RenderParameters:
    """Return what the screen's render settings say; raises ``ValidationError``."""
    return _PARAMETERS.validate_python(options or {})
