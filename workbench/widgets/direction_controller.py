"""Directing the chosen model with a storyboard of the open session, from the large view."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from pydantic import Field

from workbench.actions.render_settings import RenderSettings, changed_settings
from workbench.direction import direct, direction_kinds, why_no_direction
from workbench.errors import InvalidRequest, NotFound
from workbench.jobs.model import Job
from workbench.model_library import inputs_of_model
from workbench.studio import Studio
from workbench.widgets.commands import command
from workbench.widgets.presentation import View
from workbench.widgets.renders import Renders
from workbench.widgets.session_controller import SessionController

__all__ = ["DirectionController"]

Kind = Annotated[str, Field(max_length=16)]


class DirectionController:
    """Directs models with the storyboards of one screen's session. Runs on the loop."""

    def __init__(self, studio: Studio, controller: SessionController, renders: Renders) -> None:
        self._studio = studio
        self._controller = controller
        self._renders = renders

    @command
    async def direction(self, job: str, settings: dict[str, Any]) -> View:
        """Return what of a storyboard the model of ``settings`` can follow, the usual one first.

        ``why_not`` is a sentence if there is nothing; both are empty if no model is chosen.
        """
        chosen = await self._settings(settings)
        return await asyncio.to_thread(self._told, job, chosen)

    @command
    async def direct(self, job: str, kind: Kind, settings: dict[str, Any]) -> View:
        """Render a storyboard's prompt on the model of ``settings``, led by its channel ``kind``."""
        chosen, own = await self._settings(settings), self._own(job)
        told = await asyncio.to_thread(self._told, job, chosen)
        if kind not in told["kinds"]:
            raise InvalidRequest(told["why_not"] or f"This model does not follow {kind}.")
        made = await direct(self._studio, own, kind, chosen)
        self._renders.tell([made])
        return {"job": made.job_id}

    def _told(self, job_id: str, settings: RenderSettings) -> View:
        none: View = {"kinds": [], "why_not": ""}
        own = self._own(job_id)
        engine = settings.engine or self._studio.settings.engine
        if engine == own.request.engine:
            return none
        if problem := why_no_direction(own):
            return none | {"why_not": problem}
        model = settings.model or self._studio.settings.model
        taken = inputs_of_model(engine, model)
        if taken is None:
            name = model or engine
            return none | {"why_not": f"It is not known what {name} follows: it is not here."}
        kinds = direction_kinds(taken.control_kinds, takes_camera=taken.takes_camera)
        if not kinds:
            named = ", ".join(taken.control_kinds)
            takes = f"follows only {named}" if named else "reads only its prompt and pictures"
            return none | {
                "why_not": f"The chosen model {takes}. Wan VACE follows a storyboard's depth and "
                "edges, Sana-WM its camera path."
            }
        has_path = own.request.camera is not None or "camera" in own.request.channels
        if kinds == ("camera",) and not has_path:
            told = "The chosen model follows a camera path, and this storyboard has none."
            return none | {"why_not": told}
        return none | {"kinds": list(kinds)}

    def _own(self, job_id: str) -> Job:
        if not self._renders.knows(job_id):
            raise NotFound("job", job_id)
        return self._studio.jobs.job(job_id)

    async def _settings(self, values: dict[str, Any]) -> RenderSettings:
        """Return the settings that the page sent, without file paths; raises ``InvalidRequest``."""
        await self._controller.check_names(values)
        return changed_settings(RenderSettings(), values)
