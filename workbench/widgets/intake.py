"""Files that a page uploads: images and videos to start from, and workbench videos to continue."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Final

from workbench.engines.recipes import read_recipe
from workbench.errors import InvalidRequest, NotFound
from workbench.render_requests import continuation_of
from workbench.rendering import Recipe, RenderParameters
from workbench.studio import Studio
from workbench.widgets.commands import command
from workbench.widgets.presentation import View
from workbench.widgets.renders import Renders
from workbench.widgets.session_controller import SessionController

__all__ = ["Intake"]

_MOST_BYTES: Final = 64 << 20
"""Largest file accepted through the kernel; REST accepts larger ones."""


class Intake:
    """Accepts files from one screen. Every method runs on the loop."""

    def __init__(
        self,
        studio: Studio,
        controller: SessionController,
        renders: Renders,
        *,
        private: bool = False,
    ) -> None:
        self._studio = studio
        self._controller = controller
        self._renders = renders
        self._private = private

    @command
    async def keep_input(self, data: bytes) -> View:
        """Store an image or a video for renders to start from, and return its id."""
        kept = await asyncio.to_thread(self._studio.jobs.keep_input, _bounded(data))
        return {"id": kept.input_id}

    @command
    async def input(self, name: str) -> bytes:
        """Return an input for display."""
        path = await asyncio.to_thread(self._studio.jobs.input_path, name)
        return await asyncio.to_thread(path.read_bytes)

    @command
    async def extend(self, job: str) -> View:
        """Render a continuation from the last frame of ``job``, a video of this session."""
        if not self._renders.knows(job):
            raise NotFound("job", job)
        video = await asyncio.to_thread(self._studio.jobs.job, job)
        made = await self._studio.render(
            video.request.prompt,
            session_id=video.session_id,
            parameters=RenderParameters.of(continuation_of(video)),
        )
        self._renders.tell([made])
        return {"job": made.job_id}

    @command
    async def restore(self, data: bytes, known: list[str]) -> View:
        """Open the session that a workbench video was made in, or start one from its recipe."""
        recipe = await asyncio.to_thread(_recipe_in, _bounded(data))
        session_id = recipe.session_id
        if session_id is not None and (not self._private or session_id in known):
            try:
                entries = await asyncio.to_thread(self._studio.sessions.history, session_id)
            except NotFound:  # made elsewhere, or deleted
                entries = ()
            found = [one for one in entries if recipe.job_id in one.job_ids]
            if found:
                await self._controller.take_up(session_id)
                return {"index": found[-1].index, "begun": False}
        session_id, entry = await self._studio.restore(recipe)
        await self._controller.take_up(session_id)
        return {"index": entry.index, "begun": True}


def _bounded(data: bytes) -> bytes:
    if len(data) > _MOST_BYTES:
        raise InvalidRequest(f"Files may be {_MOST_BYTES >> 20} MiB at most.")
    return data


def _recipe_in(data: bytes) -> Recipe:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "brought.mp4"
        path.write_bytes(data)
        return read_recipe(path)
