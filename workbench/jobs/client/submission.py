"""Queues requests: complete, recorded, all or none. A part of the manager."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from workbench.actions.render_settings import RenderSettings
from workbench.engines.completion import CompleteRequest, Completion
from workbench.engines.engine import Continuation
from workbench.errors import DiskFull, FieldProblem, InvalidRequest
from workbench.identifiers import Kind, new_identifier
from workbench.jobs.client.contact import Contact
from workbench.jobs.client.leading import led_by, storyboard_of, waiting_control
from workbench.jobs.model import Batch, Job, JobState, Priority
from workbench.jobs.paths import JobFiles, JobPaths
from workbench.jobs.publishing import clear_attempts
from workbench.jobs.records import Ended, Submission, write_ended, write_submission
from workbench.jobs.requirements import cost_key, describe, model_key
from workbench.jobs.store import Index, NewJob, Reader, Requests, Writer
from workbench.rendering import RenderRequest
from workbench.settings import Settings

__all__ = ["Submitting"]

_SEED: Final = re.compile(r'"seed":\d+,')


class Submitting:
    """The part of the manager that queues renders durably."""

    _settings: Settings
    _paths: JobPaths
    _index: Index
    _reader: Reader
    _requests: Requests
    _completion: Completion
    _contact: Contact

    def complete(
        self, request: RenderRequest, shape: RenderSettings | None = None
    ) -> CompleteRequest:
        """Return ``request`` as it would be queued; see :meth:`Completion.complete`."""
        return self._completion.complete(request, shape)

    def continuation(self, request: RenderRequest) -> Continuation:
        """Return where a video made of a complete ``request`` can go on."""
        return self._completion.continuation(request)

    def expected_s(self, complete: CompleteRequest) -> float | None:
        """Return how long ``complete`` takes if submitted now; None if unknown or if it would wait."""
        request = complete.request
        return self._reader.expected_s(cost_key(request), model_key(request))

    def submit(
        self,
        request: RenderRequest | CompleteRequest,
        *,
        session_id: str | None = None,
        entry_index: int | None = None,
        parent_prompt: str = "",
        priority: int = Priority.INTERACTIVE,
        preview: RenderRequest | CompleteRequest | None = None,
        idempotency_key: str | None = None,
    ) -> Job:
        """Queue one render. ``preview`` is an animatic to show until the render is complete.

        A repeated ``idempotency_key`` with the same request returns the first call's job.
        Raises ``InvalidRequest`` if its engine cannot render it.
        """
        now = time.time()
        jobs = self._described(
            request,
            preview,
            priority=priority,
            created_at=now,
            session_id=session_id,
            entry_index=entry_index,
            parent_prompt=parent_prompt,
        )
        job_id = jobs[-1].job_id
        record = self._paths.job(job_id).asked

        def place(writer: Writer) -> None:
            self._requests.add_jobs(writer, jobs)
            write_submission(record, Submission(jobs, created_at=now, session_id=session_id))

        job_id = self._placed(place, job_id, record.parent, idempotency_key, jobs)
        self._contact.tell(work=True)
        return self._reader.job(job_id)

    def submit_batch(
        self,
        requests: Sequence[RenderRequest | CompleteRequest],
        *,
        name: str = "",
        session_id: str | None = None,
        entry_indices: Sequence[int | None] = (),
        parent_prompts: Sequence[str] = (),
        priority: int = Priority.BATCH,
        previews: Sequence[RenderRequest | CompleteRequest | None] = (),
        follows: Sequence[int | str | None] = (),
        idempotency_key: str | None = None,
    ) -> Batch:
        """Queue renders as one batch, all or none; the sequences are empty or one per request.

        ``follows`` names what each continues from: the position of an earlier request here, the id
        of a job, or nothing. The job is held until that one is complete, and its option ``tail``
        gets the paths of that job's frames and latents. If it waits for a storyboard of its own, it
        follows that of the last request before it that has a preview.
        """
        if not requests:
            problem = "A batch needs at least one render."
            raise InvalidRequest(problem, (FieldProblem("prompts", problem),))
        count = len(requests)
        for field, given in (
            ("entry_indices", entry_indices),
            ("parent_prompts", parent_prompts),
            ("previews", previews),
            ("follows", follows),
        ):
            if given and len(given) != count:
                problem = f"{field} has {len(given)} items for {count} requests."
                raise InvalidRequest(problem, (FieldProblem(field, problem),))
        now = time.time()
        batch_id = new_identifier(Kind.BATCH)
        jobs: list[NewJob] = []
        made: list[str] = []
        led: JobFiles | None = None
        for position, asked in enumerate(requests):
            request, earlier = asked, follows[position] if follows else None
            follows_id: str | None = None
            if earlier is not None:
                follows_id = made[earlier] if isinstance(earlier, int) else earlier
                inside = (
                    batch_id if isinstance(earlier, int) else self._reader.job(earlier).batch_id
                )
                request = _going_on(self._completed(asked), self._paths.job(follows_id, inside))
            jobs.extend(
                self._described(
                    request,
                    previews[position] if previews else None,
                    priority=priority,
                    created_at=now,
                    batch_id=batch_id,
                    position=position,
                    session_id=session_id,
                    entry_index=entry_indices[position] if entry_indices else None,
                    parent_prompt=parent_prompts[position] if parent_prompts else "",
                    follows=follows_id,
                    led=led if isinstance(earlier, int) else None,
                )
            )
            if previews and previews[position] is not None and jobs[-1].preview_job_id:
                led = self._paths.job(jobs[-1].preview_job_id, batch_id)
            made.append(jobs[-1].job_id)
        record = self._paths.batch_record(batch_id)
        submission = Submission(tuple(jobs), batch_id, name, session_id, now)

        def place(writer: Writer) -> None:
            self._requests.add_batch(writer, batch_id, name, session_id)
            self._requests.add_jobs(writer, jobs)
            write_submission(record, submission)

        batch_id = self._placed(place, batch_id, record.parent, idempotency_key, jobs)
        self._contact.tell(work=True)
        return self._reader.batch(batch_id)

    def _mark_cancelled(self, jobs: Sequence[Job]) -> None:
        """Record that queued jobs were cancelled, so that a rebuilt index does not queue them."""
        for job in jobs:
            files = self._paths.job(job.job_id, job.batch_id)
            if job.attempt:
                clear_attempts(files)
            with suppress(OSError):
                write_ended(files, Ended(job.state, "", job.attempt, time.time()))

    def _mark_again(self, job: Job) -> None:
        """Record that a job is queued again, and how many attempts it had."""
        files = self._paths.job(job.job_id, job.batch_id)
        with suppress(OSError):
            write_ended(files, Ended(JobState.QUEUED, "", job.attempt, time.time()))

    def _placed(
        self,
        place: Callable[[Writer], None],
        identifier: str,
        folder: Path,
        key: str | None,
        jobs: Sequence[NewJob],
    ) -> str:
        """Run ``place`` in one transaction, once per idempotency key; return the id."""
        try:
            self._check_disk()
            with self._index.write() as writer:
                if key is not None:
                    digest = _digest(jobs)
                    first = self._requests.answered(writer, key, digest)
                    if first is not None:
                        return first
                    self._requests.remember(writer, key, digest, identifier)
                place(writer)
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise DiskFull(
                f"Nothing can be written to {self._paths.outputs}: {error.strerror}; make room or "
                "give this user write permission."
            ) from error
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return identifier

    def _described(
        self,
        request: RenderRequest | CompleteRequest,
        preview: RenderRequest | CompleteRequest | None,
        *,
        priority: int,
        led: JobFiles | None = None,
        **facts: Any,
    ) -> tuple[NewJob, ...]:
        """Return the job, preceded by its preview animatic if one is requested.

        A render that follows its own storyboard always has one, and waits for it, which then waits
        for what the render continues; but one that is ``led`` by the storyboard of an earlier render
        has none.
        """
        job_id = new_identifier(Kind.JOB)
        complete = self._completed(request)
        control = waiting_control(complete.request)
        if control is not None and led is not None:
            complete, control = led_by(complete, control, led), None
        if control is not None and (
            preview is None or control.kind not in self._completed(preview).request.channels
        ):
            preview = storyboard_of(complete.request, control)
        if preview is None:
            return (describe(complete, job_id=job_id, priority=priority, **facts),)
        preview_id = new_identifier(Kind.JOB)
        own = dict(facts)
        if control is not None:
            files = self._paths.job(preview_id, facts.get("batch_id"))
            complete, own["follows"] = led_by(complete, control, files), preview_id
        return (
            describe(
                self._completed(preview),
                job_id=preview_id,
                priority=Priority.PREVIEW,
                preview_of=job_id,
                **(facts if control is not None else {**facts, "follows": None}),
            ),
            describe(complete, job_id=job_id, priority=priority, preview_job_id=preview_id, **own),
        )

    def _completed(self, request: RenderRequest | CompleteRequest) -> CompleteRequest:
        if isinstance(request, CompleteRequest):
            return request
        return self._completion.complete(request)

    def _check_disk(self) -> None:
        self._paths.control.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self._paths.outputs).free
        reserve = self._settings.disk_reserve_bytes
        if free < reserve:
            raise DiskFull(
                f"The disk of {self._paths.outputs} has {free >> 20} MiB free, less than the "
                f"{reserve >> 20} MiB that are kept in reserve; remove some videos, or lower "
                "WORKBENCH_DISK_RESERVE_BYTES."
            )


def _going_on(complete: CompleteRequest, files: JobFiles) -> CompleteRequest:
    """Return ``complete`` with the paths of the tail that it continues from."""
    request = complete.request
    tail = dict(request.options.get("tail") or {})
    for name in ("frames", "latents"):
        tail[name] = str(files.channel(name)) if name in request.channels else ""
    options = {**request.options, "tail": tail}
    return replace(complete, request=request.model_copy(update={"options": options}))


def _digest(jobs: Sequence[NewJob]) -> str:
    """Return a digest of the submission without its seeds and ids, which are new in each call.

    Nor do previews count: whether there is one depends on how long the render is expected to take.
    """
    jobs = [job for job in jobs if job.preview_of is None]
    # A quote inside a JSON string is escaped, so the pattern finds the request's own seed.
    texts = [(job.session_id, _SEED.sub("", job.request, count=1)) for job in jobs]
    whole = json.dumps(texts)
    # A segment names the files of the one before it, whose ids are new in each call.
    for number, job in enumerate(jobs):
        for name, kind in ((job.batch_id, "b"), (job.job_id, "j"), (job.preview_job_id, "p")):
            whole = whole.replace(name, f"{kind}{number}") if name else whole
    return hashlib.sha256(whole.encode()).hexdigest()
