"""Best-of-N runs of the open session: starts, shows, judges and cancels them for its page."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import Field

from workbench.actions.render_settings import RenderSettings
from workbench.errors import NotFound, WorkbenchError
from workbench.measures.scorers import score_names
from workbench.prompts.markers import strip_marker
from workbench.render_requests import new_seed
from workbench.research.best_of import ASKED_FOR, BestOf, best_of, runs_of_session
from workbench.research.best_of_overview import overview
from workbench.research.best_of_process import RunProcesses
from workbench.studio import Studio
from workbench.widgets.commands import command
from workbench.widgets.presentation import View
from workbench.widgets.session_controller import SessionController

__all__ = ["BestOfController"]

_COSTLY: Final = ("num_inference_steps", "width", "height", "num_frames")
"""The parameters that determine a render's time."""
_TILE: Final = 32
_MINUTE_S: Final = 60


class BestOfController:
    """The runs of the open session. Every method runs on the loop."""

    def __init__(self, studio: Studio, controller: SessionController) -> None:
        self._studio = studio
        self._controller = controller
        self._processes = RunProcesses()
        self._revisions: dict[str, int] = {}

    def close(self) -> None:
        """End the processes that carry out runs."""
        self._processes.close()

    @command
    async def best_of_choices(self) -> View:
        """Return the available critics, and whether a vision model can see the videos."""
        writer = self._studio.language.writer(self._controller.session_id)
        names = await asyncio.to_thread(score_names, self._studio.settings)
        return {"critics": [ASKED_FOR, *names], "model": writer.takes_time}

    @command
    async def best_of_begin(
        self,
        index: Annotated[int, Field(ge=0)],
        n: Annotated[int, Field(ge=2, le=64)],
        keep: Annotated[int, Field(ge=1, le=64)],
        critics: list[str],
        minutes: Annotated[float, Field(gt=0, le=10_000)] | None = None,
        revise: Annotated[int, Field(ge=0, le=3)] = 0,
    ) -> View:
        """Start a run with the prompt at ``index``, and return it."""
        entry = self._controller.entry(index)
        session_id = self._controller.session_id

        def begin() -> View:
            whole, draft = self._costs(entry.settings)
            run = best_of(
                strip_marker(entry.prompt),
                n=n,
                keep=keep,
                budget=None if minutes is None else minutes * _MINUTE_S,
                critics=critics,
                revise=revise,
                seed=new_seed(),
                session_id=session_id,
                using=self._studio,
                draft=draft,
                **whole,
            )
            self._processes.start(run)
            return self._view(run)

        return await asyncio.to_thread(begin)

    @command
    async def best_of_runs(self) -> list[View]:
        """Return a line for each run of the session, newest first."""

        def look() -> list[View]:
            runs = runs_of_session(self._controller.session_id, using=self._studio)
            return [
                {
                    "name": run.name,
                    "planned_at": run.planned_at,
                    "n": run.plan.asked["n"],
                    "done": run.is_done,
                }
                for run in runs
            ]

        return await asyncio.to_thread(look)

    @command
    async def best_of_run(self, name: str) -> View:
        """Return the current state of a run of the session."""
        view = await asyncio.to_thread(lambda: self._view(self._own(name)))
        if len(view["revisions"]) > self._revisions.get(name, 0):
            self._revisions[name] = len(view["revisions"])
            await self._controller.refresh()  # its prompts came from another process
        return view

    @command
    async def best_of_go_on(self, name: str) -> View:
        """Resume a run whose process has ended."""

        def go_on() -> View:
            run = self._own(name)
            if not run.is_followed:
                self._processes.start(run)
            return self._view(run)

        return await asyncio.to_thread(go_on)

    @command
    async def best_of_cancel(self, name: str) -> View:
        """Cancel a run; finished renders are kept."""
        return await asyncio.to_thread(lambda: self._view(self._own(name).cancel()))

    @command
    async def best_of_vote(
        self, name: str, better: int, worse: int, *, undecided: bool = False
    ) -> View:
        """Record which of two candidates is better."""

        def vote() -> View:
            return self._view(self._own(name).prefer(better, worse, is_tie=undecided))

        return await asyncio.to_thread(vote)

    def _own(self, name: str) -> BestOf:
        run = BestOf.open(name, using=self._studio)
        if run.session_id != self._controller.session_id:
            raise NotFound("run", name)
        return run

    def _view(self, run: BestOf) -> View:
        found = overview(run)
        if found["state"] == "waiting" and self._processes.carries_out(run.name):
            found["state"] = "running"  # its process has only just started
        return found

    def _costs(self, settings: RenderSettings) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the cost parameters of whole renders and drafts, which a budget needs.

        A draft uses the engine's draft profile; an engine without one renders a smaller video.
        """
        whole = self._effective(settings)
        draft = self._effective(settings.with_values({"profile": "draft"}))
        if draft and all(draft.get(name) == whole.get(name) for name in _COSTLY):
            small: dict[str, Any] = {
                side: _halved(whole[side]) for side in ("width", "height") if side in whole
            }
            return whole, {"profile": "draft", **small}
        return whole, {"profile": "draft", **draft}

    def _effective(self, settings: RenderSettings) -> dict[str, Any]:
        try:
            found: Mapping[str, Any] = self._studio.effective_settings(settings).as_json()
        except WorkbenchError:
            return {}  # the render itself reports why
        return {name: found[name] for name in _COSTLY if found.get(name)}


def _halved(size: int) -> int:
    return max(64, round(size / 2 / _TILE) * _TILE)
