"""The live view's commands: one live world at a screen, recorded as a video when it has ended.

Pictures go to the page as messages of the kind ``live``; see :class:`LiveShow`.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Final

from pydantic import Field

from workbench.actions.render_settings import RenderSettings, changed_settings
from workbench.errors import InvalidRequest, WorkbenchError
from workbench.live_worlds import LiveWalk, RecordedWalk, WalkPlace
from workbench.prompts.markers import strip_marker
from workbench.render_requests import PlacedPrompt
from workbench.rendering import RenderParameters
from workbench.studio import Studio
from workbench.widgets.commands import command
from workbench.widgets.live_show import LiveShow, Send
from workbench.widgets.loop import WidgetTasks
from workbench.widgets.presentation import View
from workbench.widgets.renders import Renders
from workbench.widgets.session_controller import SessionController

__all__ = ["LiveController"]

_GONE: Final = "This live world has ended; start over."
Options = dict[str, Any]


class LiveController:
    """The live world of one screen. Every method runs on the loop."""

    def __init__(
        self,
        studio: Studio,
        tasks: WidgetTasks,
        controller: SessionController,
        renders: Renders,
        send: Send,
    ) -> None:
        self._studio = studio
        self._tasks = tasks
        self._controller = controller
        self._renders = renders
        self._send = send
        self._show: LiveShow | None = None
        self._begun = 0

    def close(self) -> None:
        """End the world, from any thread; it is recorded while the process lives, or later."""
        self._tasks.call(self._leave)

    @command
    async def live_begin(
        self,
        settings: Options,
        index: Annotated[int, Field(ge=0)] | None = None,
        idea: Annotated[str, Field(max_length=4_000)] = "",
        engine: str | None = None,
    ) -> View:
        """Begin to walk through the world of a prompt, or of an idea, in place of an earlier walk."""
        self._leave()
        self._begun = number = self._begun + 1
        await self._controller.check_names(settings)
        kept = changed_settings(RenderSettings(), settings)
        walk = await asyncio.to_thread(self._walk, kept, index, idea, engine)
        if number != self._begun:  # begun again, or left, meanwhile
            self._studio.live_worlds.drop(walk)
            raise InvalidRequest(_GONE)
        self._show = LiveShow(str(number), walk, self._tasks, self._send, self._ended)
        self._show.start()
        request = walk.request
        return {
            "world": self._show.world,
            "engine": request.engine,
            "width": request.width,
            "height": request.height,
            "fps": walk.fps,
            "limit_s": walk.limit_s,
            "rests": walk.feed.rests,
        }

    @command
    async def live_hold(self, world: str, keys: Annotated[str, Field(max_length=8)]) -> None:
        """Hold these keys from now on."""
        self._shown(world).hold(keys)

    @command
    async def live_seen(self, world: str, frame: int) -> None:
        """Take note that the page has drawn a picture, so that it gets another."""
        self._shown(world).seen(frame)

    @command
    async def live_run(self, world: str, *, on: bool) -> None:
        """Let time go on, or stand still."""
        self._shown(world).run(on=on)

    @command
    async def live_keys(self, world: str) -> str:
        """Return the keys that led to what was seen so far."""
        return self._shown(world).walk.keys

    @command
    async def live_keep(self, world: str) -> View:
        """End the walk and queue the job that records it, however short it was."""
        show = self._shown(world)
        if not show.walk.led_by:
            raise InvalidRequest("No frame has been shown yet, so there is nothing to keep.")
        recorded = await self._record(show, short=True)
        if recorded is None:
            raise InvalidRequest(_GONE)
        return recorded

    @command
    async def live_end(self, world: str) -> None:
        """End the walk; it is recorded unless it was very short."""
        if self._show is not None and self._show.world == world:
            self._leave()

    @command
    async def live_left(self) -> list[View]:
        """Record the walks that were cut off, such as by a kernel's end; return this screen's."""
        found = await asyncio.to_thread(self._studio.live_worlds.record_left)
        here = self._controller.open_session
        ours = [one for one in found if here is not None and one.place.session_id == here]
        self._renders.tell(one.job for one in ours)
        return [_view(one) for one in ours]

    def _ended(self, show: LiveShow) -> None:
        """Record a world that has ended by itself; a very short one is still there to be kept."""
        if not show.walk.is_empty:
            self._tasks.start(self._record_and_tell(show))

    async def _record_and_tell(self, show: LiveShow) -> None:
        try:
            recorded = await self._record(show)
        except WorkbenchError as error:
            told = f"This walk could not be recorded yet: {error} It stays on the disk."
            self._send({"kind": "live_recorded", "world": show.world, "error": told}, None)
            return
        if recorded is not None:
            self._send({"kind": "live_recorded", "world": show.world, **recorded}, None)

    async def _record(self, show: LiveShow, *, short: bool = False) -> View | None:
        """End a world and record it once; a session that the walk began is opened."""
        show.close()
        async with show.recording:
            record = self._studio.live_worlds.record
            found = await asyncio.to_thread(record, show.walk, short=short)
            if found is not None:
                show.recorded = _view(found)
        if found is None:
            return show.recorded
        session_id = found.place.session_id
        if session_id is not None and (
            self._controller.open_session is None or session_id == self._controller.open_session
        ):
            await self._controller.refresh(session_id)
            self._renders.tell([found.job])
        return show.recorded

    def _walk(
        self, kept: RenderSettings, index: int | None, idea: str, engine: str | None
    ) -> LiveWalk:
        self._studio.live_worlds.record_left()
        placed = self._prompt(kept, index, idea)
        asked = RenderParameters(engine=engine)
        return self._studio.live_worlds.walk(placed, asked, place=self._place(placed, kept))

    def _prompt(self, kept: RenderSettings, index: int | None, idea: str) -> PlacedPrompt:
        if index is None:
            if not idea.strip():
                raise InvalidRequest("There is no prompt yet; describe your idea first.")
            return self._studio.live_worlds.idea(idea.strip(), kept)
        entry = self._controller.entry(index)
        parent = self._studio.sessions.parent_of(self._controller.session_id, entry)
        return PlacedPrompt(
            strip_marker(entry.prompt),
            entry.scene,
            entry.index,
            strip_marker(parent.prompt) if parent else "",
            kept,
        )

    def _place(self, placed: PlacedPrompt, kept: RenderSettings) -> WalkPlace:
        """Return where the walk's job belongs; an idea becomes the first prompt of a session."""
        if placed.entry_index is None:
            return WalkPlace(
                session_id=self._controller.session_to_write_in,
                begins=True,
                settings=kept.as_json(),
            )
        return WalkPlace(
            session_id=self._controller.session_id,
            entry_index=placed.entry_index,
            parent_prompt=placed.parent_prompt,
        )

    def _shown(self, world: str) -> LiveShow:
        if self._show is None or self._show.world != world:
            raise InvalidRequest(_GONE)
        return self._show

    def _leave(self) -> None:
        self._begun += 1
        show, self._show = self._show, None
        if show is not None:
            show.close()
            self._tasks.start(self._record_and_tell(show))


def _view(found: RecordedWalk) -> View:
    """Return what the page says of a recorded walk."""
    return {
        "job": found.job.job_id,
        "index": found.place.entry_index,
        "seconds": found.seconds,
    }
