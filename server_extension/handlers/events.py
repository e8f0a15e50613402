"""The event stream: a job object at each change, pushed over a websocket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from jupyter_server.auth.decorator import authorized, ws_authenticated
from jupyter_server.base.websocket import WebSocketMixin
from tornado.web import HTTPError
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from server_extension.handlers.base import AUTH_RESOURCE, STUDIO_SETTING, JsonErrors
from server_extension.presentation import Presenter
from workbench.errors import Busy
from workbench.jobs.client.manager import JobManager
from workbench.jobs.model import Changes, Job
from workbench.studio import Studio

__all__ = ["EVENTS_SETTING", "EventHub", "EventsHandler"]

EVENTS_SETTING: Final = "workbench_events"
_MOST_RESUMED: Final = 5_000
"""Most jobs sent at once to a client that resumes."""


@dataclass(eq=False, slots=True)
class Subscriber:
    """One listener: the jobs it asked for, and the newest unsent state of each."""

    job_ids: frozenset[str]
    batch_ids: frozenset[str]
    pending: dict[str, Job] = field(default_factory=dict)
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    def wants(self, job: Job) -> bool:
        """Tell whether ``job`` was asked for; without a filter, every job is."""
        if not self.job_ids and not self.batch_ids:
            return True
        return job.job_id in self.job_ids or job.batch_id in self.batch_ids

    def offer(self, job: Job) -> None:
        """Queue the newest state of ``job``; a slow listener skips states, never the last one."""
        known = self.pending.get(job.job_id)
        if known is None or known.revision <= job.revision:
            self.pending[job.job_id] = job
            self.woken.set()


class EventHub:
    """Passes each change of the index to all subscribers of one server, with one watcher."""

    def __init__(self, jobs: JobManager, most: int) -> None:
        self._jobs = jobs
        self._most = most
        self._subscribers: set[Subscriber] = set()
        self._stop: Callable[[], None] | None = None

    def add(self, subscriber: Subscriber) -> None:
        """Add ``subscriber``; the first one starts the watcher.

        Raises ``Busy`` if there are too many.
        """
        if len(self._subscribers) >= self._most:
            raise Busy("Too many clients listen to events; try again later.", retry_after_s=30)
        self._subscribers.add(subscriber)
        if self._stop is None:
            loop = asyncio.get_running_loop()

            def hand_over(changes: Changes) -> None:
                loop.call_soon_threadsafe(self._publish, changes)

            self._stop = self._jobs.watch(hand_over)

    def remove(self, subscriber: Subscriber) -> None:
        """Remove ``subscriber``; the last one stops the watcher."""
        self._subscribers.discard(subscriber)
        if not self._subscribers:
            self.close()

    def close(self) -> None:
        """Stop the watcher."""
        stop, self._stop = self._stop, None
        if stop is not None:
            stop()

    def _publish(self, changes: Changes) -> None:
        for subscriber in self._subscribers:
            for job in changes.jobs:
                if subscriber.wants(job):
                    subscriber.offer(job)


class EventsHandler(WebSocketMixin, WebSocketHandler, JsonErrors):
    """WS /api/video/events: the current state of the jobs asked for, then every change.

    ``job_id`` and ``batch_id`` may be repeated; without them every job is sent. ``since`` (a
    ``revision`` seen before) resumes: changes since then are sent first.
    """

    auth_resource = AUTH_RESOURCE
    _subscriber: Subscriber | None = None
    _sender: asyncio.Task[None] | None = None

    @ws_authenticated
    @authorized
    async def get(self, *args: Any, **kwargs: Any) -> None:
        """Check what is asked for, then upgrade."""
        subscriber = Subscriber(
            frozenset(self.get_query_arguments("job_id")),
            frozenset(self.get_query_arguments("batch_id")),
        )
        # Subscribe before reading, so that no change is missed in between.
        self._hub.add(subscriber)
        try:
            for job in await asyncio.to_thread(self._present_jobs, subscriber):
                subscriber.offer(job)
            self._subscriber = subscriber
            await super().get(*args, **kwargs)
        finally:
            if self._sender is None:  # refused, or not upgraded
                self._hub.remove(subscriber)

    def open(self, *args: Any, **kwargs: Any) -> None:
        """Start sending."""
        super().open(*args, **kwargs)
        if self._subscriber is None:
            self.close()
            return
        self._sender = asyncio.ensure_future(self._send(self._subscriber))

    def on_message(self, message: str | bytes) -> None:
        """Ignore messages: the URL holds the request."""

    def on_close(self) -> None:
        """Stop sending."""
        if self._subscriber is not None:
            self._hub.remove(self._subscriber)
        if self._sender is not None:
            self._sender.cancel()

    async def _send(self, subscriber: Subscriber) -> None:
        present = Presenter(self.base_url)
        stall_s = self._studio.settings.client_stall_s
        while True:
            await subscriber.woken.wait()
            subscriber.woken.clear()
            pending, subscriber.pending = subscriber.pending, {}
            for job in sorted(pending.values(), key=lambda job: job.revision):
                text = present.job(job).model_dump_json()
                try:
                    await asyncio.wait_for(self._write(text), stall_s)
                except TimeoutError:  # it does not read: its queue must not grow
                    self.log.info(
                        "An event client read nothing for %g s and was disconnected.", stall_s
                    )
                    self._hub.remove(subscriber)
                    # The HTTP connection handed its stream over and can close nothing; the
                    # websocket asks for an end first and drops the stream after seconds.
                    self.close()
                    return
                except WebSocketClosedError:
                    return

    async def _write(self, text: str) -> None:
        await self.write_message(text)

    def _present_jobs(self, subscriber: Subscriber) -> tuple[Job, ...]:
        jobs = self._studio.jobs
        since = self.get_query_argument("since", None)
        if since is not None:
            if not (since.isascii() and since.isdecimal() and len(since) < 19):
                raise HTTPError(400, "since must be a revision: a whole number.")
            resumed = jobs.changes(int(since), limit=_MOST_RESUMED + 1).jobs
            if len(resumed) > _MOST_RESUMED:
                raise HTTPError(
                    400,
                    f"More than {_MOST_RESUMED:,} jobs have changed since then; list them with "
                    "/api/video/jobs, and listen from the newest revision.",
                )
            return tuple(job for job in resumed if subscriber.wants(job))
        found = [jobs.job(job_id) for job_id in subscriber.job_ids]
        for batch_id in subscriber.batch_ids:
            found.extend(jobs.batch(batch_id).jobs)
        return tuple(found)

    @property
    def _studio(self) -> Studio:
        studio: Studio = self.settings[STUDIO_SETTING]
        return studio

    @property
    def _hub(self) -> EventHub:
        hub: EventHub = self.settings[EVENTS_SETTING]
        return hub
