"""The commands of the screen, carried out through Studio.

Knows the open session and the variations in the grid; knows neither traits nor messages.
"""

from __future__ import annotations

import asyncio
import copy
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Annotated, Any, Final

from pydantic import Field

from workbench.actions.render_settings import RenderSettings, changed_settings
from workbench.errors import InvalidRequest, WorkbenchError
from workbench.jobs.model import Job, JobState
from workbench.model_library import inputs_of_model, model_objects
from workbench.named_files import names_path
from workbench.prompts.markers import strip_marker
from workbench.prompts.model import Entry, PromptSession, Turn
from workbench.render_requests import new_seed
from workbench.studio import RenderParameters, Studio
from workbench.widgets.commands import command
from workbench.widgets.debouncer import Debouncer
from workbench.widgets.presentation import View, session_view
from workbench.widgets.renders import Renders, Screen, render_parameters
from workbench.widgets.single_changes import single_changes
from workbench.widgets.sketch import sketched
from workbench.widgets.variation_grid import VariationGrid

__all__ = ["SessionController"]

_TURNS: Final = 200
"""Newest requests whose answers the screen shows."""
Index = Annotated[int, Field(ge=0)]
Text = Annotated[str, Field(min_length=1)]
Values = dict[str, str | list[str]]
Options = dict[str, Any]


class SessionController:
    """One open session at one screen. Every method runs on the loop."""

    def __init__(
        self, studio: Studio, renders: Renders, screen: Screen, *, private: bool = False
    ) -> None:
        self._studio = studio
        self._renders = renders
        self._screen = screen
        self._private = private
        self._session: PromptSession | None = None
        self._turns: tuple[Turn, ...] = ()
        self._begun: str | None = None
        """A session without a prompt yet, started to choose a language model in."""
        self._grid = VariationGrid()
        self._writing: asyncio.Future[tuple[str, Entry]] | None = None

    # sessions

    @command
    async def open(self, session: str, board: list[int] | None = None) -> None:
        """Open an earlier session with its variations."""
        await self.take_up(session)
        known = len(self._session.entries) if self._session else 0
        if board and all(0 <= index < known for index in board):
            self._grid.indices = list(dict.fromkeys(board))
            self._show_grid()

    @command
    async def fresh(self) -> None:
        """Clear the screen for a new session; the old session is kept."""
        self._begun = None
        self._session = None
        self._grid = VariationGrid()
        await self._renders.follow(None)
        self._screen.show("session_state", {})
        self._show_grid()

    async def take_up(self, session_id: str) -> None:
        """Show the session ``session_id``; raises ``NotFound`` if there is none."""
        session = await self._read(session_id)
        self._grid = VariationGrid.of(session.entries, await self._renders.follow(session_id))
        self._show_grid()
        self._screen.show("session_state", session_view(session, self._turns))

    # prompt

    @command
    async def enhance(
        self,
        text: Text,
        options: Options | None = None,
        settings: Options | None = None,
        *,
        new_seeds: bool = False,
    ) -> View:
        """Turn an idea into a prompt, shown as it is written, and start its first video.

        ``settings`` are a new session's render settings. It keeps one seed unless ``new_seeds``.
        """
        session_id = self.session_to_write_in
        kept = await self._settings_to_begin_with(settings or {}, new_seeds=new_seeds)
        growing: Debouncer[str] = Debouncer(self._show_growing)
        asked = self._studio.enhance(text, session_id, on_text=growing.hear, image=kept.image)
        self._writing = asyncio.ensure_future(asked)
        try:
            async with sketched(self._studio, self._renders, text, kept, session_id):
                session_id, entry = await self._writing
        except asyncio.CancelledError:
            return {"stopped": True}
        finally:
            growing.close()
        try:
            await self._studio.set_render(session_id, kept.as_json(), index=entry.index)
        except InvalidRequest as error:
            await self.refresh(session_id)
            return {"index": entry.index, "job": None, "warning": str(error)}
        await self.refresh(session_id)
        return {"index": entry.index, **await self._first_video(entry, options or {})}

    @command
    async def stop_writing(self) -> None:
        """Stop the language model that is writing a prompt and discard its text."""
        if self._writing is not None:
            self._writing.cancel()

    @command
    async def accept(self, index: Index, text: Text) -> View:
        """Replace the prompt at ``index`` with a text written by hand."""
        entry = self.entry(index)
        if text.strip() == strip_marker(entry.prompt):
            return {"index": index}
        session_id, accepted = await self._studio.sessions.initialize(
            text.strip(), self.session_id, parent=index
        )
        await self.refresh(session_id)
        return {"index": accepted.index}

    @command
    async def set_parameters(
        self,
        index: Index,
        values: Values | None = None,
        lock: list[str] | None = None,
        unlock: list[str] | None = None,
    ) -> View:
        """Set, lock or free fields of the prompt at ``index``."""
        entry = await asyncio.to_thread(
            self._studio.sessions.set_scene,
            self.session_id,
            index,
            values or {},
            lock=lock or (),
            unlock=unlock or (),
        )
        await self.refresh()
        return {"index": entry.index}

    # variations

    @command
    async def vary(
        self,
        index: Index,
        total: Annotated[int, Field(ge=2, le=64)] = 8,
        axes: list[str] | None = None,
        *,
        one_thing: bool = False,
        again: bool = False,
    ) -> None:
        """Show ``total`` cards: the prompt at ``index``, the pinned ones, and new variations.

        With ``one_thing`` each variation differs from the prompt in one field.
        """
        before = copy.deepcopy(self._grid)
        kept = before.kept(index)
        dealt: list[int] = []
        arriving: Debouncer[Entry] = Debouncer(lambda entries: self._deal(index, dealt, entries))
        self._grid.deal(index, dealt)
        self._show_grid()
        try:
            entries = await self._variations(
                index,
                max(1, total - len(kept)),
                axes or [],
                one_thing=one_thing,
                seed=secrets.randbits(31) if again else None,
                on_entry=arriving.hear,
            )
        except WorkbenchError:
            self._grid = before
            raise
        finally:
            arriving.close()
            self._show_grid()
        await self.refresh()
        self._grid.deal(index, [entry.index for entry in entries[1:]])
        self._show_grid()

    async def _variations(
        self,
        index: int,
        total: int,
        axes: list[str],
        *,
        one_thing: bool,
        seed: int | None,
        on_entry: Callable[[Entry], object] | None = None,
    ) -> tuple[Entry, ...]:
        if one_thing:
            base = self.entry(index)
            return await single_changes(
                self._studio, self.session_id, base, total, axes, seed=seed, on_entry=on_entry
            )
        return await self._studio.variations(
            self.session_id, [index], total, axes=axes, seed=seed, on_entry=on_entry
        )

    @command
    async def regenerate(
        self, index: Index, axes: list[str] | None = None, *, one_thing: bool = False
    ) -> View:
        """Replace the card ``index`` with another variation."""
        parent = self.entry(index).parent
        if parent is None:
            raise InvalidRequest("The original prompt cannot be replaced by a variation of itself.")
        seed = secrets.randbits(31)
        entries = await self._variations(parent, 2, axes or [], one_thing=one_thing, seed=seed)
        if len(entries) < 2:
            raise InvalidRequest("No new variation was found along these axes; choose others.")
        await self.refresh()
        self._grid.replace(index, entries[-1].index)
        self._show_grid()
        return {"index": entries[-1].index}

    @command
    async def rewrite(self, index: Index, text: Text) -> View:
        """Replace the text of the card ``index`` with a text written by hand."""
        accepted = await self.accept(index, text)
        self._grid.replace(index, accepted["index"])
        self._show_grid()
        return accepted

    @command
    async def drop(self, index: Index) -> None:
        """Remove a card from the grid."""
        self._grid.drop(index)
        self._show_grid()

    @command
    async def pin(self, index: Index, on: bool) -> None:
        """Pin or unpin a card: pinned cards stay when new variations are made."""
        if on and index in self._grid.indices:
            self._grid.pinned.add(index)
        else:
            self._grid.pinned.discard(index)
        self._show_grid()

    @command
    async def render_all(
        self, options: Options | None = None, seeds: Annotated[int, Field(ge=1, le=8)] = 1
    ) -> View:
        """Render every card as one batch, each with ``seeds`` seeds: the session's own and new ones."""
        entries = [self.entry(index) for index in self._grid.indices]
        most = self._studio.settings.max_batch_prompts
        if len(entries) * seeds > most:
            raise InvalidRequest(
                f"A batch has at most {most} renders; choose fewer cards or seeds."
            )
        batch = await self._studio.render_batch(
            [entry.prompt for entry in entries for _ in range(seeds)],
            session_id=self.session_id,
            parameters=render_parameters(options),
            seeds=_seeds(entries[0], seeds) * len(entries) if seeds > 1 and entries else (),
        )
        self._renders.tell(batch.jobs)
        self._grid.batch_id = batch.batch_id
        self._show_grid()
        return {"batch": batch.batch_id}

    @command
    async def render_rest(self, options: Options | None = None) -> None:
        """Render the cards without a video: retry failed and cancelled ones, queue the others."""
        anew = []
        for index in self._grid.indices:
            job = self._renders.newest(index)
            if job is None:
                anew.append(self.entry(index).prompt)
            elif job.state in {JobState.FAILED, JobState.CANCELLED}:
                await self._renders.retry(job.job_id)
        if anew:
            batch = await self._studio.render_batch(
                anew, session_id=self.session_id, parameters=render_parameters(options)
            )
            self._renders.tell(batch.jobs)

    # renders

    @command
    async def set_render(self, values: Options, settings: Options | None = None) -> View:
        """Change the session's render settings; without a session, return ``settings`` changed."""
        await self.check_names(values)
        if self._session is None:
            return {"settings": changed_settings(_settings(settings or {}), values).as_json()}
        await self._studio.set_render(self.session_id, values)
        await self.refresh()
        return {}

    @command
    async def render_values(self, settings: Options) -> View:
        """Return the values that renders with ``settings`` use, and the inputs of the model."""
        kept = _settings(settings)
        own = RenderSettings(engine=kept.engine, model=kept.model, profile=kept.profile)
        engine = kept.engine or self._studio.settings.engine
        model = kept.model or self._studio.settings.model
        taken = await asyncio.to_thread(inputs_of_model, engine, model)
        inputs = None if taken is None else taken.model_dump()
        found: View = {"values": {}, "defaults": {}, "problem": "", "inputs": inputs}
        for name, one in (("defaults", own), ("values", kept)):
            try:
                full = await asyncio.to_thread(self._studio.effective_settings, one)
            except WorkbenchError as error:
                found["problem"] = str(error)
            else:
                found[name] = full.as_json()
        return found

    @command
    async def library(self) -> list[View]:
        """Return the video models on this machine, and how each would fit its largest GPU."""
        found = await asyncio.to_thread(model_objects, self._studio)
        return [one.model_dump() for one in found]

    @command
    async def render(self, index: Index, options: Options | None = None) -> View:
        """Render the prompt at ``index``, ahead of batches."""
        job = await self._render(self.entry(index), options or {})
        return {"job": job.job_id}

    # internal

    async def _first_video(self, entry: Entry, options: Options) -> View:
        """Start the background video; if that fails, the prompt is still kept."""
        try:
            job = await self._render(entry, options)
        except WorkbenchError as error:
            return {"job": None, "warning": str(error)}
        return {"job": job.job_id}

    async def _render(self, entry: Entry, options: Options) -> Job:
        job = await self._studio.render(
            entry.prompt, session_id=self.session_id, parameters=render_parameters(options)
        )
        self._renders.tell([job])
        return job

    async def _settings_to_begin_with(self, draft: Options, *, new_seeds: bool) -> RenderSettings:
        """Return the settings for a new idea: those of the session, or the profile ``draft``."""
        if self._session is not None:
            here = await asyncio.to_thread(self._studio.sessions.current, self._session.session_id)
            if here is not None:
                return here.settings
        await self.check_names(draft)
        kept = _settings(draft)
        if kept.seed is None and not new_seeds:
            kept = kept.with_values({"seed": new_seed()})
        return kept

    async def check_names(self, values: Options) -> None:
        """Reject files that are not in the model library; raises ``InvalidRequest``."""
        model = values.get("model")
        if isinstance(model, str) and names_path(model):
            known = await asyncio.to_thread(model_objects, self._studio)
            if model in {one.name for one in known}:
                values = {name: value for name, value in values.items() if name != "model"}
        render_parameters({k: v for k, v in values.items() if k in RenderParameters.model_fields})

    def _show_growing(self, texts: Sequence[str]) -> None:
        self._screen.tell({"kind": "growing", "text": texts[-1]})

    async def _read(self, session_id: str) -> PromptSession:
        """Read the session and its dialogue, keep and return it; raises ``NotFound``."""
        sessions = self._studio.sessions
        self._session = await asyncio.to_thread(sessions.session, session_id)
        self._turns = await asyncio.to_thread(sessions.turns, session_id, limit=_TURNS)
        return self._session

    def _deal(self, base: int, dealt: list[int], arrived: Sequence[Entry]) -> None:
        """Show variations as they are written."""
        dealt.extend(entry.index for entry in arrived)
        if self._session is None:
            return
        known = {entry.index: entry for entry in (*self._session.entries, *arrived)}
        if len(known) != max(known) + 1:  # another command ran meanwhile; all are shown at the end
            return
        entries = tuple(known[index] for index in sorted(known))
        self._session = replace(self._session, entries=entries)
        self._screen.show("session_state", session_view(self._session, self._turns))
        self._grid.deal(base, dealt)
        self._show_grid()

    async def refresh(self, session_id: str | None = None) -> None:
        """Show the open session, or another, as stored."""
        wanted = session_id or self.session_id
        if self._session is None or self._session.session_id != wanted:
            await self.take_up(wanted)
            return
        self._session = await self._read(wanted)
        self._screen.show("session_state", session_view(self._session, self._turns))

    @property
    def cards(self) -> tuple[int, ...]:
        """The prompts on the numbered cards, in order."""
        return tuple(self._grid.indices)

    def show_variations(self, base: int, indices: Sequence[int]) -> None:
        """Show these variations of the prompt at ``base`` as cards."""
        self._grid.deal(base, list(indices))
        self._show_grid()

    def _show_grid(self) -> None:
        self._screen.show("board_state", self._grid.view())

    @property
    def session_to_write_in(self) -> str | None:
        """The open session, or the one chosen for the next prompt; None for a new one."""
        return self.open_session or self._begun

    def write_in(self, session_id: str | None) -> None:
        """Use this session for the next prompt if none is open."""
        self._begun = session_id

    @property
    def open_session(self) -> str | None:
        """The id of the open session, or None."""
        return self._session.session_id if self._session else None

    @property
    def session_id(self) -> str:
        """The id of the open session; raises ``InvalidRequest`` if none is open."""
        if self._session is None:
            raise InvalidRequest("There is no prompt yet; describe your idea first.")
        return self._session.session_id

    def entry(self, index: int) -> Entry:
        """Return the prompt at ``index``; raises ``InvalidRequest``."""
        entries = self._session.entries if self._session else ()
        if index >= len(entries):
            raise InvalidRequest(f"This session has no prompt {index}.")
        return entries[index]


def _settings(values: Options) -> RenderSettings:
    """Return the render settings that a page sent; raises ``InvalidRequest``."""
    return changed_settings(RenderSettings(), values)


def _seeds(entry: Entry, count: int) -> list[int]:
    """Return the seed of an entry's session, if it keeps one, and further random seeds."""
    own = [] if entry.settings.seed is None else [entry.settings.seed]
    return [*own, *(new_seed() for _ in range(count - len(own)))]
