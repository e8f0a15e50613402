"""Devices and the queue on the page: shown while a page is open, paused and resumed.

Every message of a kernel counts as activity, so a kernel that kept sending to a closed page would
never be culled. A page therefore reports its presence at intervals; without a report the kernel
stops sending.
"""

from __future__ import annotations

import asyncio
import math
import time
from contextlib import suppress
from typing import Final

from workbench.errors import InvalidRequest, SupervisorUnavailable
from workbench.jobs.cluster.status import ClusterState, ClusterStatus
from workbench.jobs.model import Changes, Device
from workbench.studio import Studio
from workbench.widgets.commands import command
from workbench.widgets.loop import WidgetTasks
from workbench.widgets.presentation import View, cluster_view, device_view
from workbench.widgets.renders import Renders, Screen

__all__ = ["Machines"]

_BUSY_S: Final = 1.0
_IDLE_S: Final = 4.0
_PAGE_GONE_S: Final = 25.0
"""A page that is silent for this long is closed or hidden; a hidden page reports again once it is
visible. A message sent while a page closes does not arrive."""

Seen = tuple[tuple[Device, ...], frozenset[str], ClusterStatus | None]


class Machines:
    """The devices, and whether they are paused. Every method runs on the loop."""

    def __init__(
        self,
        studio: Studio,
        tasks: WidgetTasks,
        screen: Screen,
        renders: Renders,
        *,
        private: bool = False,
    ) -> None:
        self._studio = studio
        self._jobs = studio.jobs
        self._tasks = tasks
        self._screen = screen
        self._renders = renders
        self._private = private
        self._watching = False
        self._heard_at_s = -math.inf
        self._stirred = asyncio.Event()

    @command
    async def hello(self) -> None:
        """Send a page that has just loaded the state that it lacks."""
        self._screen.tell_all_jobs()
        self._tasks.start(self._warm_up())
        await self.here()

    @command
    async def wake(self) -> None:
        """Note that the user is back: a render is likely, and the workers may have left."""
        await self._warm_up()

    @command
    async def here(self) -> None:
        """Note that a page is still open."""
        self._heard_at_s = time.monotonic()
        if not self._watching:
            self._watching = True
            self._tasks.start(self._watch())

    @command
    async def pause(self, device: str | None = None, *, on: bool) -> None:
        """Pause or resume a device or the whole queue; running jobs continue."""
        if self._private:
            raise InvalidRequest(
                "Others render on these devices too, so a visitor cannot pause them. Ask the "
                "owner of this dashboard."
            )
        await asyncio.to_thread(self._jobs.pause if on else self._jobs.resume, device)
        await self._show()

    async def _warm_up(self) -> None:
        with suppress(SupervisorUnavailable):  # the first render reports the error
            await self._studio.warm_up()

    async def _watch(self) -> None:
        stop = await asyncio.to_thread(self._jobs.watch, self._heard)
        try:
            while time.monotonic() - self._heard_at_s < _PAGE_GONE_S:
                self._stirred.clear()
                await self._show()
                await self._renders.tell_places()
                pause_s = _BUSY_S if self._renders.busy else _IDLE_S
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stirred.wait(), pause_s)
        finally:
            self._watching = False
            stop()

    def _heard(self, changes: Changes) -> None:
        """Refresh at once on a change that concerns no job: a pause, by any process."""
        if not changes.jobs:
            self._tasks.call(self._stirred.set)

    async def _show(self) -> None:
        devices, paused, status = await asyncio.to_thread(self._look)
        views = [self._view(device) for device in devices]
        if status is not None and status.state is not ClusterState.JOINED:
            views.append(cluster_view(status))
        self._screen.show("devices_state", views)
        self._screen.show("queue_state", {"paused": "" in paused})

    def _look(self) -> Seen:
        return self._jobs.devices(), self._jobs.paused(), self._jobs.cluster()

    def _view(self, device: Device) -> View:
        view = device_view(device)
        if self._private and not self._renders.knows(view["job"]):
            view["job"] = None  # other visitors' jobs are private
        return view
