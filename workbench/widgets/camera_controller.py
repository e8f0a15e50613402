"""The camera panel's commands: a path seen from above, its edits, previews along it.

Stateless: the page sends the camera, and stores it as a render setting of the session.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from pydantic import Field

from workbench.actions.render_settings import RenderSettings, changed_settings
from workbench.errors import NotFound
from workbench.forks import fork_of
from workbench.jobs.model import Job
from workbench.render_requests import PLACEHOLDER_ENGINE
from workbench.scene import Scene
from workbench.storyboard_strips import storyboard_follows, storyboard_strip
from workbench.studio import RenderParameters, Studio
from workbench.widgets.commands import command
from workbench.widgets.presentation import View
from workbench.widgets.renders import Renders
from workbench.widgets.session_controller import SessionController

__all__ = ["CameraController"]

Options = dict[str, Any]
Count = Annotated[int, Field(ge=1, le=48)]


class CameraController:
    """The camera of one screen's session. Every method runs on the loop."""

    def __init__(self, studio: Studio, controller: SessionController, renders: Renders) -> None:
        self._studio = studio
        self._controller = controller
        self._renders = renders
        self._drawing = asyncio.Lock()

    @command
    async def camera(
        self,
        settings: Options,
        edit: Options | None = None,
        index: Annotated[int, Field(ge=0)] | None = None,
        idea: str = "",
    ) -> View:
        """Return the camera path of ``settings``, seen from above, with ``edit`` applied if given.

        ``camera`` in the answer is the camera setting; null means the prompt's own movement. With
        a prompt or an idea, ``held`` tells what the storyboard of it cannot follow. Raises
        ``InvalidRequest`` for an invalid path.
        """
        shown = idea if index is None else self._controller.entry(index).scene
        return await asyncio.to_thread(self._described, settings, edit, shown)

    @command
    async def camera_moves(self) -> list[str]:
        """Return the named movements."""
        return await asyncio.to_thread(_moves)

    @command
    async def camera_preview(
        self,
        settings: Options,
        index: Annotated[int, Field(ge=0)] | None = None,
        idea: str = "",
        count: Count = 8,
    ) -> bytes:
        """Return ``count`` frames of the storyboard, evenly spaced, side by side as one JPEG."""
        shown = idea if index is None else self._controller.entry(index).scene
        async with self._drawing:  # one at a time: the page only asks for the newest path
            return await asyncio.to_thread(self._drawn, settings, shown, count)

    @command
    async def job_camera(self, job: str) -> View | None:
        """Return the camera path of a render, seen from above; null if it had none."""
        if not self._renders.knows(job):
            raise NotFound("job", job)
        found: Job = await asyncio.to_thread(self._studio.jobs.job, job)
        camera = found.request.camera
        if camera is None or camera.path is None:
            return None
        return await asyncio.to_thread(_from_above, found)

    @command
    async def fork(
        self,
        job: str,
        at_s: Annotated[float, Field(ge=0)],
        actions: Annotated[str, Field(min_length=1, max_length=4_000)],
    ) -> View:
        """Render a fork of a storyboard of this session at a given second; see ``fork_of``."""
        if not self._renders.knows(job):
            raise NotFound("job", job)
        found = await asyncio.to_thread(self._studio.jobs.job, job)
        parameters = RenderParameters.of(
            await asyncio.to_thread(fork_of, found, at_s, actions.strip())
        )
        made = await self._studio.render(
            found.request.prompt, session_id=found.session_id, parameters=parameters
        )
        self._renders.tell([made])
        return {"job": made.job_id}

    def _described(self, settings: Options, edit: Options | None, shown: Scene | str) -> View:
        # Numpy is loaded when a path is first shown, not with the workbench.
        from workbench.widgets.camera_edits import CameraEdit, edited, top_view  # noqa: PLC0415

        kept = changed_settings(RenderSettings(), settings)
        request = self._studio.completed(kept)
        told, chosen = "", None
        if edit is not None:
            camera, told, chosen = edited(kept.camera, request, CameraEdit.of(edit))
            kept = changed_settings(kept, {"camera": camera})
            request = self._studio.completed(kept)
        view: View = {"camera": kept.as_json().get("camera"), "told": told, "chosen": chosen}
        if request.camera is None:
            return view
        held = storyboard_follows(request, shown)[0] if shown else ()
        return {
            **view,
            **top_view(request.camera, request, kept.camera),
            "way": request.camera.way,
            "held": list(held),
        }

    def _drawn(self, settings: Options, shown: Scene | str, count: int) -> bytes:
        request = self._studio.completed(changed_settings(RenderSettings(), settings))
        return storyboard_strip(request, shown, count)


def _moves() -> list[str]:
    from workbench.control.moves import named_moves  # noqa: PLC0415  loads numpy

    return list(named_moves())


def _from_above(job: Job) -> View:
    """Return the path of a render; ``asked`` is the commanded one where the stage held it back."""
    from workbench.widgets.camera_edits import curve_of, top_view  # noqa: PLC0415  loads numpy

    request, camera = job.request, job.request.camera
    assert camera is not None  # noqa: S101  the caller has looked
    view = {**top_view(camera, request), "way": camera.way}
    if request.engine != PLACEHOLDER_ENGINE:
        return view
    held, poses = storyboard_follows(request, request.scene)
    if not held:
        return view
    return {
        **view,
        "asked": view["curve"],
        "curve": curve_of(poses, view["video_s"]),
        "duration_s": view["video_s"],
    }
