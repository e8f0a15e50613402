"""A storyboard of the idea as typed, shown while a language model is writing the prompt."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from workbench.actions.render_settings import RenderSettings
from workbench.errors import WorkbenchError
from workbench.jobs.model import Priority
from workbench.studio import RenderParameters, Studio
from workbench.widgets.renders import Renders

__all__ = ["sketched"]

_ENGINE: Final = "animatic"


@asynccontextmanager
async def sketched(
    studio: Studio,
    renders: Renders,
    idea: str,
    settings: RenderSettings,
    session_id: str | None,
) -> AsyncIterator[None]:
    """Draw and show ``idea``, in the size of ``settings``, while the body runs.

    Not with the composer, which writes the prompt at once. Errors are ignored: the first video
    reports them.
    """
    if not studio.language.writer(session_id).takes_time:
        yield
        return
    drawing = asyncio.ensure_future(_draw(studio, renders, idea, settings))
    try:
        yield
    finally:
        await drawing
        await renders.end_sketch()


async def _draw(studio: Studio, renders: Renders, idea: str, settings: RenderSettings) -> None:
    with suppress(WorkbenchError, ValueError):  # pydantic's is a ValueError
        shape = studio.effective_settings(settings.with_values({"engine": _ENGINE}))
        parameters = RenderParameters(
            engine=_ENGINE,
            seed=settings.seed,
            width=shape.width,
            height=shape.height,
            camera=settings.camera,
        )
        job = await studio.render(idea, priority=Priority.PREVIEW, parameters=parameters)
        await renders.show_sketch(job)
