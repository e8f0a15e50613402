"""Scores, scene checks, stars and notes of finished videos. A part of the manager."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from workbench.errors import FieldProblem, InvalidRequest, NotFound
from workbench.jobs.client.contact import Contact
from workbench.jobs.model import Job, JobState
from workbench.jobs.paths import JobPaths
from workbench.jobs.records import Judgement, write_judgement
from workbench.jobs.store import Index, Reader, Requests, ScoreBook
from workbench.measures.scene_check.model import SceneCheck
from workbench.measures.scene_check.records import read_check, write_check
from workbench.rendering import Recipe

__all__ = ["Judgements"]

_LONGEST_NOTE: Final = 4_000


class Judgements:
    """The part of the manager that stores scores, scene checks, stars and notes."""

    _index: Index
    _reader: Reader
    _requests: Requests
    _paths: JobPaths
    _contact: Contact

    def star(self, job_id: str, *, starred: bool = True) -> Job:
        """Star a job, so that retention never removes it, or remove the star."""
        return self._judge(job_id, lambda job: Judgement(starred, job.note))

    def note(self, job_id: str, text: str) -> Job:
        """Replace the note on a job; an empty one removes it.

        Raises ``InvalidRequest`` above 4,000 characters.
        """
        text = text.strip()
        if len(text) > _LONGEST_NOTE:
            problem = f"must have at most {_LONGEST_NOTE:,} characters"
            raise InvalidRequest(f"A note {problem}.", (FieldProblem("note", problem),))
        return self._judge(job_id, lambda job: Judgement(job.starred, text))

    def measure(self, job_ids: Sequence[str], timeout_s: float | None = None) -> tuple[Job, ...]:
        """Return these jobs once every finished one has scores, or a reason why not.

        They are measured by the supervisor's scorer, ahead of all others. Jobs that have not ended
        or have no video are returned as they are. Raises ``TimeoutError`` after ``timeout_s``.
        """
        jobs = self._reader.jobs_by_id(list(job_ids))
        if asked := [j.job_id for j in jobs if j.state is JobState.COMPLETE and j.scores is None]:
            with self._index.write() as writer:
                ScoreBook().ask(writer, asked)
            self._contact.tell(work=True)
        for _ in self._contact.looks(timeout_s):
            jobs = self._reader.jobs_by_id(list(job_ids))
            waiting = [job for job in jobs if _is_unmeasured(job)]
            if not waiting:
                return jobs
            self._contact.tell(work=True)  # the supervisor may have left
        raise TimeoutError(f"{len(waiting)} of {len(jobs)} videos have no scores yet.")

    def scene_check(self, job_id: str) -> SceneCheck | None:
        """Return the scene check of a finished video, or None.

        Raises ``NotFound`` for an unknown job or one without a video.
        """
        job = self._reader.job(job_id)
        files = self._paths.job(job_id, job.batch_id)
        try:
            recipe = Recipe.model_validate_json(files.recipe.read_bytes())
        except (OSError, ValueError) as error:
            raise NotFound("file", job_id, f"The job {job_id} has no video.") from error
        return read_check(files.check, recipe.outcome.sha256 if recipe.outcome else "")

    def keep_check(self, job: Job, check: SceneCheck) -> Job:
        """Store the scene check of a job's video beside it and in the index."""
        with suppress(OSError):  # only needed when the index is lost
            write_check(self._paths.job(job.job_id, job.batch_id).check, check)
        with self._index.write() as writer:
            told = json.dumps(check.overview)
            self._requests.set_checks(writer, job.job_id, job.attempt, told)
        self._contact.tell()
        return self._reader.job(job.job_id)

    def _judge(self, job_id: str, say: Callable[[Job], Judgement]) -> Job:
        with self._index.write() as writer:
            said = say(job := self._reader.job(job_id))
            self._requests.judge(writer, job_id, starred=said.starred, note=said.note)
            with suppress(OSError):  # only needed when the index is lost
                write_judgement(self._paths.job(job_id, job.batch_id), said)
        self._contact.tell()
        return self._reader.job(job_id)


def _is_unmeasured(job: Job) -> bool:
    return job.state is JobState.COMPLETE and job.scores is None and not job.scores_error
