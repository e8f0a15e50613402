"""The live view's commands: one live world at a screen, walked through and kept as a video.

Pictures go to the page as messages of the kind ``live``; see :class:`LiveShow`.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Final

from pydantic import Field

from workbench.actions.render_settings import RenderSettings, changed_settings
from workbench.errors import InvalidRequest
from workbench.live_worlds import LiveWalk
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
        self._settings = RenderSettings()
        self._placed: PlacedPrompt | None = None

    def close(self) -> None:
        """End the world, from any thread."""
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
        kept = changed_settings(RenderSettings(), settings)
        walk, placed = await asyncio.to_thread(self._walk, kept, index, idea, engine)
        if number != self._begun:  # begun again, or left, meanwhile
            walk.close()
            raise InvalidRequest(_GONE)
        self._settings, self._placed = kept, placed
        self._show = LiveShow(str(number), walk, self._tasks, self._send)
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
        """End the walk and queue the job that replays it; without a session one is started."""
        show = self._shown(world)
        show.close()
        walk, placed = show.walk, self._placed
        assert placed is not None  # noqa: S101  set with the show
        if not walk.led_by:
            raise InvalidRequest("No frame has been shown yet, so there is nothing to keep.")
        place = await self._place(placed)
        job = await asyncio.to_thread(self._studio.live_worlds.keep, walk, **place)
        index = place["entry_index"]
        await asyncio.to_thread(
            self._studio.sessions.link_jobs, place["session_id"], index, [job.job_id]
        )
        self._renders.tell([job])
        frames = job.request.num_frames or 1  # the walk itself may have drawn one more meanwhile
        return {"job": job.job_id, "index": index, "seconds": (frames - 1) / walk.fps}

    @command
    async def live_end(self, world: str) -> None:
        """End the walk and keep nothing."""
        if self._show is not None and self._show.world == world:
            self._leave()

    def _walk(
        self, kept: RenderSettings, index: int | None, idea: str, engine: str | None
    ) -> tuple[LiveWalk, PlacedPrompt]:
        placed = self._prompt(kept, index, idea)
        asked = RenderParameters(engine=engine)
        return self._studio.live_worlds.walk(placed, asked), placed

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

    async def _place(self, placed: PlacedPrompt) -> dict[str, Any]:
        """Return where the kept job belongs; an idea becomes the first prompt of a session."""
        if placed.entry_index is None:
            session_id, entry = await self._studio.sessions.initialize(
                placed.prompt, self._controller.session_to_write_in
            )
            await self._studio.set_render(session_id, self._settings.as_json(), index=entry.index)
            await self._controller.refresh(session_id)
            return {"session_id": session_id, "entry_index": entry.index}
        return {
            "session_id": self._controller.session_id,
            "entry_index": placed.entry_index,
            "parent_prompt": placed.parent_prompt,
        }

    def _shown(self, world: str) -> LiveShow:
        if self._show is None or self._show.world != world:
            raise InvalidRequest(_GONE)
        return self._show

    def _leave(self) -> None:
        self._begun += 1
        show, self._show = self._show, None
        if show is not None:
            show.close()
