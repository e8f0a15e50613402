"""The renders of one screen's session: reorder, cancel, retry, star, download.

Knows nothing of prompts except the entry that a render belongs to.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Protocol

from pydantic import Field

from workbench.archive import BatchArchive
from workbench.captions import Captions
from workbench.errors import Conflict, FieldProblem, InvalidRequest, NotFound
from workbench.identifiers import is_identifier
from workbench.jobs.model import Batch, Job, JobState, Priority
from workbench.named_files import names_path
from workbench.rendering import INPUTS, RenderParameters, named_inputs
from workbench.studio import Studio
from workbench.widgets.commands import command
from workbench.widgets.feed import JobFeed, all_jobs
from workbench.widgets.loop import WidgetTasks
from workbench.widgets.presentation import View, result_view

__all__ = ["Renders", "Screen", "render_parameters"]

_TEXTS: Final = frozenset({"negative_prompt"})
"""Free text for a model."""
_ARCHIVE_BYTES: Final = 512 << 20
"""Largest ZIP, in bytes, sent through the kernel."""
_TAG: Final = r"^[\w-]{1,40}$"
_LOG_BYTES: Final = 64 << 10


class Screen(Protocol):
    """What the browser shows; called only on the loop."""

    def show(self, name: str, value: Any) -> None:
        """Set the state that the browser sees under ``name``."""

    def replace_jobs(self, views: Iterable[View]) -> None:
        """Show these jobs and no others."""

    def patch_jobs(self, views: Iterable[View]) -> None:
        """Send some jobs."""

    def tell_all_jobs(self) -> None:
        """Send every job."""

    def move_jobs(self, places: Mapping[str, View]) -> None:
        """Update waiting jobs: their positions in the queue."""

    def forget_job(self, job_id: str) -> None:
        """Remove a job."""

    def tell(self, message: View) -> None:
        """Send a message that pages loaded later do not need."""


class Renders:
    """The jobs of the open session. Every method runs on the loop."""

    def __init__(
        self, studio: Studio, tasks: WidgetTasks, screen: Screen, *, private: bool = False
    ) -> None:
        self._studio = studio
        self._jobs = studio.jobs
        self._private = private
        self._screen = screen
        self._session_id: str | None = None
        self._known: dict[str, Job] = {}
        self._captions = Captions(())
        self._told: dict[str, str] = {}
        """The captions as the page knows them."""
        self._sketch: str | None = None
        self._feed = JobFeed(studio.jobs, tasks, self.tell, self.forget)

    @property
    def busy(self) -> bool:
        """Whether any job is unfinished."""
        return any(not job.state.final for job in self._known.values())

    def knows(self, job_id: str | None) -> bool:
        """Tell whether a job is one of this session's."""
        return job_id in self._known

    def newest(self, entry_index: int) -> Job | None:
        """Return the newest render of a prompt of this session, or None."""
        own = [
            job
            for job in self._known.values()
            if job.entry_index == entry_index and job.preview_of is None
        ]
        return max(own, key=lambda job: (job.created_at, job.position), default=None)

    def close(self) -> None:
        """Stop watching; renders continue."""
        self._feed.close()

    async def follow(self, session_id: str | None) -> list[Job]:
        """Switch to the jobs of this session, and return them, newest first."""
        jobs = await self._feed.follow(session_id)
        self._session_id = session_id
        self._known = {job.job_id: job for job in jobs}
        self._captions = self._new_captions()
        self._told = {}
        self._screen.replace_jobs(self._view(job) for job in jobs)
        return jobs

    def tell(self, jobs: Iterable[Job]) -> None:
        """Show these jobs; an older state never replaces a newer one."""
        newer = [
            job
            for job in jobs
            if job.job_id not in self._known or self._known[job.job_id].revision <= job.revision
        ]
        has_more = any(job.job_id not in self._known for job in newer)
        self._known.update((job.job_id, job) for job in newer)
        self._screen.patch_jobs([self._view(job) for job in self._with_renamed(newer, has_more)])

    async def tell_places(self) -> None:
        """Update the queue positions of waiting jobs, which change while the jobs do not."""
        if not any(job.state is JobState.QUEUED for job in self._known.values()):
            return
        moved = {}
        for job in await asyncio.to_thread(self._waiting):
            known = self._known.get(job.job_id)
            if known is None or known.revision != job.revision or _place(known) == _place(job):
                continue
            self._known[job.job_id] = job
            moved[job.job_id] = _place(job)
        if moved:
            self._screen.move_jobs(moved)

    async def show_sketch(self, job: Job) -> None:
        """Show a render that belongs to no session until :meth:`end_sketch`."""
        self._sketch = job.job_id
        await self._feed.add(job.job_id)
        self.tell([job])

    async def end_sketch(self) -> None:
        """Remove the sketch, and cancel it if it is not finished."""
        sketch, self._sketch = self._sketch, None
        if sketch is None:
            return
        self._feed.drop(sketch)
        job = self._known.pop(sketch, None)
        self._screen.forget_job(sketch)
        if job is None or not job.state.final:
            await asyncio.to_thread(self._jobs.cancel, sketch)

    def _with_renamed(self, jobs: list[Job], has_more: bool) -> list[Job]:
        """Return ``jobs``, and if there are more than before, those renamed by that."""
        if not has_more:
            return jobs
        self._captions = self._new_captions()
        told = {job.job_id for job in jobs}
        return jobs + [
            job
            for job in self._known.values()
            if job.job_id not in told and self._captions.of(job) != self._told.get(job.job_id)
        ]

    def _new_captions(self) -> Captions:
        shown = (one for one in self._known.values() if one.job_id != self._sketch)
        return Captions(one for one in shown if one.preview_of is None)

    def _view(self, job: Job) -> View:
        view = result_view(job, self._captions, sketch=job.job_id == self._sketch)
        self._told[job.job_id] = view["caption"]
        return view

    @command
    async def cancel(self, job: str) -> None:
        """Cancel a render."""
        self.tell([await asyncio.to_thread(self._jobs.cancel, self._own(job).job_id)])

    @command
    async def retry(self, job: str) -> None:
        """Retry a failed or cancelled render."""
        self.tell([await asyncio.to_thread(self._jobs.retry, self._own(job).job_id)])

    @command
    async def cancel_batch(self, batch: str) -> None:
        """Cancel the unfinished renders of a batch."""
        own = self._own_batch(batch)
        self.tell((await asyncio.to_thread(self._jobs.cancel_batch, own)).jobs)

    @command
    async def cancel_many(self, jobs: list[str]) -> None:
        """Cancel these renders; finished ones are left alone."""
        own = [self._own(job).job_id for job in jobs]
        self.tell([await asyncio.to_thread(self._jobs.cancel, job) for job in own])

    @command
    async def log(self, job: str) -> str:
        """Return the end of a render's log."""
        if self._private:
            raise InvalidRequest("Only the dashboard's operator can read the log.")
        path = await asyncio.to_thread(self._jobs.log_path, self._own(job).job_id)
        return await asyncio.to_thread(_end_of, path)

    @command
    async def retry_failed(self, batch: str | None = None) -> None:
        """Retry every failed render of a batch, or of the whole session."""
        if batch is not None:
            own = self._own_batch(batch)
            self.tell((await asyncio.to_thread(self._jobs.retry_failed, own)).jobs)
            return
        failed = [job for job in self._known.values() if job.state is JobState.FAILED]
        if not failed:
            raise Conflict("No render of this session has failed.")
        for one in sorted({job.batch_id for job in failed if job.batch_id}):
            await self.retry_failed(one)
        for job in failed:
            if job.batch_id is None:
                await self.retry(job.job_id)

    @command
    async def delete(self, jobs: list[str], *, starred: bool = False) -> None:
        """Delete waiting and finished renders; starred ones only if confirmed."""
        own = [self._own(job).job_id for job in jobs]
        self.forget(await asyncio.to_thread(self._jobs.delete, own, starred=starred))

    @command
    async def undelete(self, jobs: list[str]) -> None:
        """Restore deleted renders of this session."""
        if self._session_id is None:
            raise InvalidRequest("There is no session to restore them to.")
        gone = await asyncio.to_thread(self._jobs.deleted_of_session, self._session_id)
        if strangers := [job for job in jobs if job not in gone]:
            raise NotFound("job", strangers[0])
        self.tell(await asyncio.to_thread(self._jobs.undelete, jobs))

    def forget(self, job_ids: Iterable[str]) -> None:
        """Remove these jobs from the screen."""
        for job_id in job_ids:
            self._told.pop(job_id, None)
            if self._known.pop(job_id, None) is not None:
                self._screen.forget_job(job_id)

    @command
    async def first(self, job: str) -> None:
        """Move a waiting render to the front of this session's queue."""
        own = self._own(job).job_id
        self.tell(await asyncio.to_thread(self._put_first, own))
        await self.tell_places()

    @command
    async def priority(self, job: str, to: Literal["interactive", "batch", "background"]) -> None:
        """Change the priority of a waiting render."""
        own = self._own(job).job_id
        wanted = Priority[to.upper()]
        self.tell([await asyncio.to_thread(self._jobs.set_priority, own, wanted)])
        await self.tell_places()

    @command
    async def star(self, job: str, *, on: bool) -> None:
        """Star or unstar a render."""
        own = self._own(job).job_id
        self.tell([await asyncio.to_thread(self._jobs.star, own, starred=on)])

    @command
    async def check(self, job: str) -> None:
        """Check whether a video shows what was asked for; its card shows the result."""
        own = self._own(job).job_id
        await asyncio.wrap_future(self._studio.begin(self._studio.check(own)))
        self.tell([await asyncio.to_thread(self._jobs.job, own)])

    @command
    async def note(self, job: str, text: str) -> None:
        """Set the note of a video; an empty one removes it."""
        self.tell([await asyncio.to_thread(self._jobs.note, self._own(job).job_id, text)])

    @command
    async def tag(self, jobs: list[str], tag: Annotated[str, Field(pattern=_TAG)]) -> None:
        """Add ``#tag`` to the notes of these videos if missing."""
        word = f"#{tag}"
        for job in [self._own(job) for job in jobs]:
            if word not in job.note.split():
                note = f"{job.note} {word}".strip()
                self.tell([await asyncio.to_thread(self._jobs.note, job.job_id, note)])

    @command
    async def curves(self, jobs: list[str]) -> View:
        """Return the scores of these videos over time, by job and score."""
        own = [self._own(job).job_id for job in jobs]
        return await asyncio.to_thread(lambda: {one: self._jobs.score_curves(one) for one in own})

    @command
    async def select(self, jobs: list[str]) -> None:
        """Remember the selected videos; the notebook reads them as ``selected``."""
        self._screen.show("selected_ids", [job for job in jobs if job in self._known])

    @command
    async def file(self, job: str, name: Literal["video", "poster"]) -> bytes:
        """Send a file if no server extension serves it."""
        finder = self._jobs.video_path if name == "video" else self._jobs.poster_path
        path = await asyncio.to_thread(finder, self._own(job).job_id)
        return await asyncio.to_thread(path.read_bytes)

    @command
    async def archive(self, jobs: list[str]) -> bytes:
        """Send the finished ones of these videos as one ZIP."""
        if not jobs:
            raise InvalidRequest("There is no video to download yet.")
        chosen = [self._own(job) for job in jobs]
        return await asyncio.to_thread(self._zip, chosen)

    def _zip(self, chosen: Sequence[Job]) -> bytes:
        session_id = chosen[0].session_id
        numbered = [dataclasses.replace(job, position=place) for place, job in enumerate(chosen)]
        batch = Batch(
            batch_id=session_id or "",
            name="workbench",
            session_id=session_id,
            created_at=min(job.created_at for job in chosen),
            jobs=tuple(numbered),
        )
        archive = BatchArchive(self._jobs, batch, self._known.values())
        if archive.size_bytes > _ARCHIVE_BYTES:
            raise InvalidRequest(
                "These videos are too large for one ZIP here; download them batch by batch."
            )
        return b"".join(archive)

    def _waiting(self) -> list[Job]:
        """Return this session's waiting jobs, the next first."""
        if self._session_id is None:
            return []
        return sorted(all_jobs(self._jobs, self._session_id, JobState.QUEUED), key=_turn)

    def _put_first(self, job_id: str) -> tuple[Job, ...]:
        waiting = self._waiting()
        job = next((one for one in waiting if one.job_id == job_id), None)
        if job is None:
            raise Conflict("This render is no longer waiting.")
        top = max(one.priority for one in waiting)
        if job.priority < top:
            self._jobs.set_priority(job_id, top)
        others = [one.job_id for one in waiting if one.priority == top and one is not job]
        return self._jobs.reorder([job_id, *others])

    def _own(self, job_id: str) -> Job:
        if job_id not in self._known:
            raise NotFound("job", job_id)
        return self._known[job_id]

    def _own_batch(self, batch_id: str) -> str:
        if all(job.batch_id != batch_id for job in self._known.values()):
            raise NotFound("batch", batch_id)
        return batch_id


def render_parameters(options: dict[str, Any] | None) -> RenderParameters:
    """Return the page's render settings; inputs are ids, never paths.

    Raises ``InvalidRequest``.
    """
    try:
        asked = RenderParameters.of(options or {})
    except TypeError as error:
        raise InvalidRequest(str(error)) from error
    named = {
        name: value
        for name, value in asked.given.items()
        if name not in {*_TEXTS, *INPUTS} and names_path(value)
    }
    for field, value in named_inputs(asked.given):
        if not is_identifier(value):
            named[field.partition(".")[0]] = value
    if asked.control is not None and (asked.control.estimator or asked.control.detector):
        named["control"] = asked.control.label
    if named:
        problems = tuple(FieldProblem(name, "must not be a path") for name in named)
        raise InvalidRequest(f"A page cannot use file paths: {', '.join(sorted(named))}.", problems)
    return asked


def _end_of(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _LOG_BYTES))
        return file.read().decode("utf-8", "replace")


def _place(job: Job) -> View:
    """Return the fields that change while a job waits."""
    wait_s = None if job.wait_s is None else round(job.wait_s)
    return {"queue_position": job.queue_position, "wait_s": wait_s}


def _turn(job: Job) -> tuple[bool, int, int]:
    return job.queue_position is None, job.queue_position or 0, job.position
