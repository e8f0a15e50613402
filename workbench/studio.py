"""Studio: the journey as one object over prompts and jobs.

Handlers, widgets and notebooks call it and its parts: ``sessions``, ``language``, ``jobs``, ``rollouts``,
``live_worlds``.
Besides it they import only types, the public JSON, the archive and recipes. Knows neither HTTP nor
notebooks.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Self, TypeVar

from workbench.actions.model import Action, Render, Vary, renders_asked
from workbench.actions.render_settings import RenderSettings
from workbench.downloads import Downloads, OnProgress
from workbench.engines.registry import engine_names
from workbench.errors import (
    FieldProblem,
    InvalidRequest,
    LanguageModelError,
    WorkbenchError,
)
from workbench.jobs.client.manager import JobManager
from workbench.jobs.model import Batch, Job, Priority
from workbench.live_worlds import LiveWorlds
from workbench.measures.scene_check.model import SceneCheck
from workbench.prompts.agent.conversation import Step
from workbench.prompts.conversation import Host
from workbench.prompts.language_models.choice import LanguageChoice
from workbench.prompts.markers import strip_marker
from workbench.prompts.model import Entry, Revision
from workbench.prompts.sessions import Sessions
from workbench.prompts.writer import scene_of
from workbench.render_requests import (
    PLACEHOLDER_ENGINE,
    PlacedPrompt,
    RenderRequests,
    new_seed,
    seed_of,
    settings_of_request,
)
from workbench.rendering import Recipe, RenderParameters, RenderRequest
from workbench.rollouts import Rollouts
from workbench.scene_checks import check_in, lacks_subject
from workbench.settings import Settings
from workbench.start_pictures import picture_for_model
from workbench.workplace import converse_in

__all__ = ["RenderParameters", "Studio"]


T = TypeVar("T")


class Studio:
    """The four steps (enhance, variations, tune, results) over one index and job manager.

    Cheap to create; starts no process until something is rendered. Asynchronous methods may wait
    for a language model; :meth:`run` calls them from code that has no event loop. Safe to use
    from several threads.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self.sessions = Sessions(self.settings)
        self.language = self.sessions.language
        self.jobs = JobManager(self.settings)
        self.model_downloads = Downloads(self._fetch_model)
        self._requests = RenderRequests(self.settings, self.jobs)
        self.rollouts = Rollouts(self.jobs, self._requests)
        self.live_worlds = LiveWorlds(self.settings, self.jobs, self._requests, self.sessions)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loop_guard = threading.Lock()

    def _fetch_model(self, name: str, on_progress: OnProgress) -> object:
        from workbench.engines.diffusers.fetching import fetch_model  # noqa: PLC0415  brings PyAV

        return fetch_model(name, self.settings, on_progress=on_progress)

    # prompts

    async def enhance(
        self,
        rough_prompt: str,
        session_id: str | None = None,
        *,
        seed: int | None = None,
        on_text: Callable[[str], object] | None = None,
        image: str | None = None,
    ) -> tuple[str, Entry]:
        """Turn a rough idea into a full prompt; a null or unknown ``session_id`` starts a session.

        ``on_text`` is called by the event loop with the whole prompt so far each time it grows, if
        the language model can stream; never with the composer, which is done at once. A second
        attempt starts over. The entry's text replaces the streamed text, and may differ from it if
        the model broke off. Cancelling the task discards the model's answer.

        ``image`` is the start image of the video (an input's id or a path); a vision language model
        takes it into account. Raises ``InvalidRequest`` if it does not exist.
        """
        picture = await self._picture(session_id, image)
        return await self.sessions.enhance(
            rough_prompt, session_id, seed=seed or 0, on_text=on_text, picture=picture
        )

    async def choose_language(
        self,
        choice: LanguageChoice,
        session_id: str | None = None,
        *,
        api_key: str = "",
        as_default: bool = False,
    ) -> str | None:
        """Choose the language model of a session, of a new one, or the default; return the session.

        Without a session, and unless ``as_default``, a new session is started for the choice. See
        :meth:`SessionLanguage.choose` for what it raises.
        """
        kept = await self.language.choose(
            choice, session_id, api_key=api_key, as_default=as_default
        )
        if session_id is None and not as_default:
            session_id = self.sessions.begin()
            await self.language.choose(kept, session_id)
        return session_id

    async def variations(
        self,
        session_id: str,
        selected: Sequence[int],
        total: int = 8,
        *,
        axes: Sequence[str] = (),
        hold: Sequence[str] = (),
        seed: int | None = None,
        on_entry: Callable[[Entry], object] | None = None,
        image: str | None = None,
    ) -> tuple[Entry, ...]:
        """Return ``total`` distinct prompts: the selected ones first, then variations of them.

        ``on_entry`` is called by the event loop with each new one as soon as it is in the history;
        with a language model the first arrive well before the last. The answer has all of them;
        several selected prompts are varied in turn.
        """
        if total > self.settings.max_batch_prompts:
            problem = f"must be at most {self.settings.max_batch_prompts}"
            raise InvalidRequest(f"total_count {problem}.", (FieldProblem("total_count", problem),))
        return await self.sessions.variations(
            session_id,
            selected,
            total,
            axes=axes,
            hold=hold,
            seed=seed or 0,
            on_entry=on_entry,
            picture=await self._picture(session_id, image),
        )

    async def update(
        self,
        session_id: str,
        user_request: str,
        prompt: str | None = None,
        *,
        on_step: Callable[[Step], object] | None = None,
        on_text: Callable[[str], object] | None = None,
        image: str | None = None,
        cards: Sequence[int] = (),
    ) -> tuple[Revision, Entry | None]:
        """Tune the session's current prompt, or ``prompt``, as requested.

        The request may edit the scene, set render settings for the next renders, make variations
        or queue videos; the revision's actions list what was done. More than eight renders are
        only proposed; :meth:`act` carries out a proposal.

        A connected language model uses the same actions as its tools, each as an entry of its own;
        ``on_step`` is called by the event loop when each is done, ``on_text`` with the model's text
        as it grows, and cancelling the task stops it. Requests about the session alone that the
        rules understand are carried out at once. ``cards`` are the prompts that the user sees as
        numbered cards, in order; by default the newest variations. ``image`` is the video's first
        frame, by default the session's start image. Raises ``NotFound``, ``InvalidRequest``.
        """
        host, failure = self._host(), None
        endpoint = self.language.writer(session_id).endpoint
        by_rules = endpoint is None or await self.sessions.is_about_session(
            session_id, user_request, prompt, host
        )
        if not by_rules:
            try:
                picture = await self._picture(session_id, image)
                return await converse_in(
                    self, session_id, user_request, prompt, on_step=on_step, on_text=on_text,
                    picture=picture, cards=cards,
                )  # fmt: skip
            except LanguageModelError as error:
                failure = error
        revision, entry = await self.sessions.update(
            session_id, user_request, prompt, host=host, failure=failure
        )
        return await self._rendered(session_id, revision, entry)

    async def act(
        self,
        session_id: str,
        actions: Sequence[Action],
        prompt: str | None = None,
        *,
        request: str = "",
        is_turn: bool = True,
    ) -> tuple[Revision, Entry | None]:
        """Carry out ``actions`` on the session's current prompt, or on ``prompt``.

        ``request`` is the text that led to them, if any; ``is_turn`` says whether this is a
        separate turn of the dialogue. Raises ``NotFound``, and ``InvalidRequest`` for an action
        that does not fit.
        """
        revision, entry = await self.sessions.act(
            session_id, actions, prompt, host=self._host(), request=request, is_turn=is_turn
        )
        return await self._rendered(session_id, revision, entry)

    def settings_of(self, session_id: str, entry: Entry | None = None) -> RenderSettings:
        """Return the render settings of ``entry`` or the current prompt; raises ``NotFound``."""
        here = entry or self.sessions.current(session_id)
        return RenderSettings() if here is None else here.settings

    def effective_settings(self, settings: RenderSettings) -> RenderSettings:
        """Return ``settings`` with the engine's defaults filled in; raises ``InvalidRequest``."""
        return self._requests.effective(settings)

    def completed(self, settings: RenderSettings) -> RenderRequest:
        """Return the complete request of a prompt with ``settings``; raises ``InvalidRequest``."""
        return self._requests.completed(settings)

    def found_inputs(self, given: RenderParameters) -> RenderParameters:
        """Return ``given`` with what its camera, control and actions name by an id.

        Raises ``InvalidRequest``.
        """
        return self._requests.found(given)

    def model_to_fetch(self, settings: RenderSettings) -> str:
        """Return the model that a render with ``settings`` would have to fetch; empty if none."""
        return self._requests.model_to_fetch(settings)

    async def set_render(
        self, session_id: str, values: Mapping[str, Any], *, index: int | None = None
    ) -> None:
        """Change the render settings of a session, or of its prompt at ``index``.

        ``values`` are names and values of ``RenderSettings``; None resets one. Raises ``NotFound``,
        ``InvalidRequest``.
        """
        await asyncio.to_thread(
            self.sessions.set_render, session_id, values, index=index, host=self._host()
        )

    async def restore(self, recipe: Recipe) -> tuple[str, Entry]:
        """Start a session from the prompt and scene of a recipe."""
        request = recipe.request
        session_id, entry = self.sessions.restore(request.prompt, request.scene)
        self.sessions.set_render(session_id, settings_of_request(request))
        return session_id, self.sessions.history(session_id)[entry.index]

    async def _picture(self, session_id: str | None, image: str | None) -> str:
        """Return the start image for the session's language model; empty for the composer.

        By default it is the session's own, which may have been deleted since.
        """
        if not self.language.writer(session_id).takes_time:
            return ""
        if image is not None or session_id is None:
            return await asyncio.to_thread(picture_for_model, self.jobs, image)
        with suppress(WorkbenchError):
            own = self.settings_of(session_id).image
            return await asyncio.to_thread(picture_for_model, self.jobs, own)
        return ""

    # renders

    async def render(
        self,
        prompt: str,
        *,
        session_id: str | None = None,
        priority: int = Priority.INTERACTIVE,
        parameters: RenderParameters | None = None,
        settings: RenderSettings | None = None,
        storyboard: RenderRequest | None = None,
        idempotency_key: str | None = None,
    ) -> Job:
        """Queue one render and return its job.

        ``settings`` replace those that the session keeps for the prompt. ``storyboard`` is the one
        to draw if the control waits for the request's own; by default one of its prompt.

        Raises ``InvalidRequest``, ``NotFound`` for an unknown session, ``Busy`` when the queue is
        full, ``SupervisorUnavailable``.
        """
        asked = parameters or RenderParameters()
        placed = await self._place(prompt, session_id)
        if settings is not None:
            placed = replace(placed, settings=settings)
        request = self._requests.of(placed, asked, seed_of(asked, placed))
        job = await asyncio.to_thread(
            self.jobs.submit,
            request,
            session_id=session_id,
            entry_index=placed.entry_index,
            parent_prompt=placed.parent_prompt,
            priority=priority,
            preview=storyboard or self._requests.placeholder(request),
            idempotency_key=idempotency_key,
        )
        self._link(session_id, [placed], [job])
        return job

    async def render_batch(
        self,
        prompts: Sequence[str],
        *,
        name: str = "",
        session_id: str | None = None,
        priority: int = Priority.BATCH,
        parameters: RenderParameters | None = None,
        seeds: Sequence[int] = (),
        idempotency_key: str | None = None,
    ) -> Batch:
        """Queue several renders as one batch, in order, all with one seed unless one is given.

        With the same seed, cards differ only by their prompts; ``seeds`` gives each its own.
        Raises as :meth:`render` does.
        """
        if not prompts:
            raise InvalidRequest(
                "A batch needs at least one prompt.", (FieldProblem("prompts", "is empty"),)
            )
        asked = parameters or RenderParameters()
        placed = [await self._place(prompt, session_id) for prompt in prompts]
        given = list(seeds) or [seed_of(asked, placed[0])] * len(placed)
        requests = [
            self._requests.of(place, asked, seed) for place, seed in zip(placed, given, strict=True)
        ]
        batch = await asyncio.to_thread(
            self.jobs.submit_batch,
            requests,
            name=name,
            session_id=session_id,
            entry_indices=[place.entry_index for place in placed],
            parent_prompts=[place.parent_prompt for place in placed],
            priority=priority,
            previews=[
                self._requests.placeholder(request, ahead=at) for at, request in enumerate(requests)
            ],
            idempotency_key=idempotency_key,
        )
        self._link(session_id, placed, batch.jobs)
        return batch

    async def check(self, job_id: str) -> SceneCheck:
        """Check whether a finished video shows what its scene asks for, and store the answers.

        Image analysis answers what it can, a vision language model the rest; other answers are
        unknown. Raises ``NotFound`` until there is a video, ``DamagedFile``.
        """
        return await check_in(self, job_id)

    async def preview_lacks(self, job: Job, picture: bytes) -> tuple[str, int]:
        """Return what the preview of a render (a JPEG) lacks of its subject, and the tokens used.

        Empty unless the session's language model sees the image and denies the subject.
        """
        return await lacks_subject(self, job, picture)

    def delete_session(self, session_id: str, *, starred: bool = False) -> tuple[str, ...]:
        """Delete a session with its renders and return their ids; ``JobManager.delete`` says how.

        :meth:`undelete_session` restores it within ``undo_s`` of the settings.
        """
        deleted_at = time.time()
        self.sessions.session(session_id)
        jobs = self.jobs.delete(self.jobs.ids_of_session(session_id), starred=starred)
        self.sessions.delete(session_id, deleted_at)
        self.sessions.forget_deleted(deleted_at - self.settings.undo_s)
        return jobs

    def undelete_session(self, session_id: str) -> tuple[Job, ...]:
        """Restore a deleted session with its renders; raises ``NotFound``."""
        deleted_at = self.sessions.undelete(session_id)
        return self.jobs.undelete(self.jobs.deleted_of_session(session_id, deleted_at))

    def engine_names(self) -> tuple[str, ...]:
        """Return the names of the available engines."""
        return engine_names(self.settings)

    # life

    async def warm_up(self) -> None:
        """Start the supervisor and its first worker, so that the first render starts at once.

        Called by a screen while the user is typing. Returns quickly without waiting; ignores a
        failed start, which the render itself will report.
        """
        with suppress(WorkbenchError):
            await asyncio.to_thread(self.jobs.warm_up)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run an asynchronous method from synchronous code, in a notebook or elsewhere."""
        return self.begin(coroutine).result()

    def begin(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Start an asynchronous method on Studio's own loop and return at once.

        A language model's connections belong to that loop. Cancelling the future cancels the method.
        """
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop)

    def close(self) -> None:
        """Close the index and any language model connection; renders continue."""
        with self._loop_guard:
            loop, self._loop = self._loop, None
        if loop is not None:
            asyncio.run_coroutine_threadsafe(self.language.close(), loop).result()
            loop.call_soon_threadsafe(loop.stop)
        self.sessions.close()
        self.jobs.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """Studio's event loop, in a thread of its own; started at first use."""
        with self._loop_guard:
            if self._loop is None:
                loop = asyncio.new_event_loop()
                threading.Thread(
                    target=_serve, args=(loop,), name="workbench-studio", daemon=True
                ).start()
                self._loop = loop
            return self._loop

    # parts of a render

    async def _place(self, prompt: str, session_id: str | None) -> PlacedPrompt:
        """Find the prompt in its session, or add it, so that every render has a parent."""
        if session_id is None:
            text = strip_marker(prompt)
            return PlacedPrompt(text, scene_of(text))
        entry = await self.sessions.place(session_id, prompt)
        parent = self.sessions.parent_of(session_id, entry)
        text = strip_marker(parent.prompt) if parent else ""
        return PlacedPrompt(
            strip_marker(entry.prompt), entry.scene, entry.index, text, entry.settings
        )

    def _host(self) -> Host:
        """Return what the dialogue needs to know of rendering: defaults, limits, model names."""
        names = {name: name for name in self.engine_names()}
        names |= {"storyboard": PLACEHOLDER_ENGINE, "the storyboard": PLACEHOLDER_ENGINE}
        if self.settings.model:
            names[Path(self.settings.model).name.lower()] = self.settings.model
        return Host(
            standing=self._requests.effective, models=names, model_to_fetch=self.model_to_fetch
        )

    async def _rendered(
        self, session_id: str, revision: Revision, entry: Entry | None
    ) -> tuple[Revision, Entry | None]:
        """Queue the renders among the actions of ``revision`` and note their jobs in them."""
        actions, notes = list(revision.actions), []
        here = entry or self.sessions.current(session_id)
        for at, action in enumerate(actions):
            if not isinstance(action, Render | Vary) or not renders_asked(action):
                continue
            try:
                actions[at] = await self._render_action(session_id, action, here)
            except WorkbenchError as error:
                # The other actions of the request are done and stay.
                notes.append(f"Nothing was rendered: {error}")
        message = " ".join([revision.message, *notes]).strip()
        return replace(revision, actions=tuple(actions), message=message), entry

    async def _render_action(
        self, session_id: str, action: Render | Vary, here: Entry | None
    ) -> Render | Vary:
        indices = action.entries or (() if here is None else (here.index,))
        prompts = [self.sessions.prompt_at(session_id, index) for index in indices]
        times = action.seeds if isinstance(action, Render) else 1
        if len(prompts) * times == 1:
            job = await self.render(prompts[0], session_id=session_id)
            return action.model_copy(update={"job_ids": (job.job_id,)})
        repeated = [prompt for prompt in prompts for _ in range(times)]
        seeds = [new_seed() for _ in repeated] if times > 1 else ()
        batch = await self.render_batch(repeated, session_id=session_id, seeds=seeds)
        ids = tuple(job.job_id for job in batch.jobs)
        return action.model_copy(update={"job_ids": ids, "batch_id": batch.batch_id})

    def _link(
        self, session_id: str | None, placed: Sequence[PlacedPrompt], jobs: Sequence[Job]
    ) -> None:
        if session_id is None:
            return
        for place, job in zip(placed, jobs, strict=True):
            if place.entry_index is not None:
                self.sessions.link_jobs(session_id, place.entry_index, [job.job_id])


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    loop.run_forever()
    loop.close()
