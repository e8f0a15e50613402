"""The storyboard of an idea as it was typed, moving while a language model still writes its prompt."""

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
    studio: Studio, renders: Renders, idea: str, settings: RenderSettings
) -> AsyncIterator[None]:
    """Have ``idea`` drawn, in the shape and length of ``settings``, and shown while the body runs.

    Not with the composer, whose prompt stands at once. Whatever keeps the sketch from being drawn
    is left to the first video to tell.
    """
    if not studio.writer.takes_time:
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
        shape = studio.standing(settings.with_values({"engine": _ENGINE}))
        parameters = RenderParameters(
            engine=_ENGINE, seed=settings.seed, width=shape.width, height=shape.height
        )
        job = await studio.render(idea, priority=Priority.PREVIEW, parameters=parameters)
        await renders.show_sketch(job)
