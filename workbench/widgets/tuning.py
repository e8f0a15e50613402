"""The conversation on one screen: requests in plain words, their steps as they happen, undo."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field

from workbench.actions.model import Action, Render, Vary, actions_from, as_json
from workbench.presentation import step_object
from workbench.prompts.model import Entry, Revision
from workbench.studio import Studio
from workbench.widgets.commands import command
from workbench.widgets.presentation import View
from workbench.widgets.renders import Renders, Screen
from workbench.widgets.session_controller import SessionController

__all__ = ["Tuning"]

Index = Annotated[int, Field(ge=0)]
Text = Annotated[str, Field(min_length=1)]


class Tuning:
    """The conversation about the session of ``controller``. Every method runs on the loop."""

    def __init__(
        self, studio: Studio, controller: SessionController, renders: Renders, screen: Screen
    ) -> None:
        self._studio = studio
        self._controller = controller
        self._renders = renders
        self._screen = screen
        self._asked: asyncio.Future[tuple[Revision, Entry | None]] | None = None

    @command
    async def tune(self, index: Index, request: Text) -> View:
        """Carry out a request in plain words about the prompt at ``index``.

        Each step of a language model is shown when it is done; the message ``step`` names the
        prompt that it made. The model's text is streamed (``answering``). Steps that were done
        before :meth:`stop_tuning` are kept.
        """
        done: asyncio.Queue[Any] = asyncio.Queue()
        asked = asyncio.ensure_future(
            self._studio.update(
                self._controller.session_id,
                request,
                self._controller.entry(index).prompt,
                on_step=done.put_nowait,
                on_text=lambda text: self._screen.tell({"kind": "answering", "text": text}),
                cards=self._controller.cards,
            )
        )
        self._asked = asked
        asked.add_done_callback(lambda _: done.put_nowait(None))
        here = index
        try:
            while (step := await done.get()) is not None:
                told = step_object(step)
                here = here if told.index is None else told.index
                await self._controller.refresh()
                self._screen.tell(
                    {**told.model_dump(mode="json"), "did": told.kind, "kind": "step"}
                )
        finally:
            asked.cancel()
        if asked.cancelled():
            await self._controller.refresh()
            return {"stopped": True, "index": here}
        return await self._shown(index, *asked.result())

    @command
    async def stop_tuning(self) -> None:
        """Stop the language model between two steps; completed steps are kept."""
        if self._asked is not None:
            self._asked.cancel()

    @command
    async def act(self, index: Index, actions: list[dict[str, Any]]) -> View:
        """Carry out actions on the prompt at ``index``; a proposal's own actions confirm it."""
        prompt = self._controller.entry(index).prompt
        done = self._studio.act(self._controller.session_id, actions_from(actions), prompt)
        return await self._shown(index, *await done)

    @command
    async def undo(self, answer: Index, current: Index) -> View:
        """Undo the changes of the prompt at ``answer``, and keep later ones."""
        _, entry = await asyncio.to_thread(
            self._studio.sessions.take_back, self._controller.session_id, answer, current
        )
        await self._controller.refresh()
        return {"index": entry.index}

    async def _shown(self, index: int, revision: Revision, entry: Entry | None) -> View:
        """Show the result of a request about the prompt at ``index``, and return it."""
        await self._controller.refresh()
        here = index if entry is None else entry.index
        await self._show_done(here, revision.actions)
        return {
            "understood": revision.understood,
            "message": revision.message,
            "hint": revision.hint,
            "index": here,
            "actions": as_json(revision.actions),
        }

    async def _show_done(self, index: int, actions: Sequence[Action]) -> None:
        """Show the renders and the variations that a request led to."""
        for action in actions:
            if isinstance(action, Vary) and action.entries:
                self._controller.show_variations(index, action.entries)
            if isinstance(action, Render):
                jobs = self._studio.jobs
                self._renders.tell(
                    [await asyncio.to_thread(jobs.job, job_id) for job_id in action.job_ids]
                )
