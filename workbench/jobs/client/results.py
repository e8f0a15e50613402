"""Paths of a job's files, checked so that they can be opened."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from workbench.errors import NotFound
from workbench.identifiers import Kind, is_identifier
from workbench.jobs.client.inputs import Input, Inputs
from workbench.jobs.client.verification import Verification
from workbench.jobs.model import Job, JobState
from workbench.jobs.paths import JobFiles, JobPaths
from workbench.jobs.store import Reader
from workbench.measures.records import read_record
from workbench.rendering import Recipe
from workbench.settings import Settings

__all__ = ["Results"]


class Results:
    """The part of the manager that returns files."""

    _settings: Settings
    _paths: JobPaths
    _reader: Reader
    _verification: Verification

    def video_path(self, job_id: str) -> Path:
        """Return the finished video; raises ``NotFound`` when there is none."""
        job = self._verification.of_job(self._reader.job(job_id))
        if job.state is not JobState.COMPLETE:
            raise NotFound("file", job_id, f"The job {job_id} has no video: it is {job.state}.")
        return self._files(job).video

    def keep_input(self, data: bytes) -> Input:
        """Store an image or video for renders to start from; raises ``InvalidRequest``."""
        return Inputs(self._paths, self._settings).keep(data)

    def keep_camera_path(self, data: bytes) -> Input:
        """Store a camera path for renders to follow; raises ``InvalidRequest``."""
        return Inputs(self._paths, self._settings).keep_camera_path(data)

    def keep_actions(self, data: bytes, embodiment: str | None = None) -> Input:
        """Store a robot's actions for renders to show; raises ``InvalidRequest``."""
        return Inputs(self._paths, self._settings).keep_actions(data, embodiment)

    def input_path(self, name: str) -> Path:
        """Return the file of an input, or a finished job's video, by its id; raises ``NotFound``."""
        if is_identifier(name, Kind.JOB):
            return self.video_path(name)
        return Inputs(self._paths, self._settings).path(name)

    def poster_path(self, job_id: str) -> Path:
        """Return the finished video's poster; raises ``NotFound`` when there is none."""
        return self._existing(job_id, self._files(self._reader.job(job_id)).poster, "poster")

    def channel_path(self, job_id: str, name: str) -> Path:
        """Return the file of a finished video's channel; raises ``NotFound`` when there is none.

        ``facts`` names and scales the channels of a job that has any.
        """
        job = self._reader.job(job_id)
        if name in job.request.channels or (name == "facts" and job.request.channels):
            return self._existing(job_id, self._files(job).channel(name), name)
        problem = f"The job {job_id} has no {name}: render it with channels=[{name!r}]."
        raise NotFound("file", job_id, problem)

    def score_curves(self, job_id: str) -> Mapping[str, tuple[float, ...]]:
        """Return the scores of a video over time, by score; empty until it is measured.

        See :class:`workbench.measures.measurement.Measurement`. Raises ``NotFound`` for an unknown job.
        """
        record = read_record(self._files(self._reader.job(job_id)).scores)
        return record.curves if record else {}

    def preview_path(self, job_id: str) -> Path:
        """Return the newest preview of a render; raises ``NotFound`` if there is none.

        An announced preview stays available after the render has ended or restarted: from an
        earlier attempt, or as the poster of the finished video. A job that failed or was cancelled
        has none, even while its worker still writes.
        """
        job = self._reader.job(job_id)
        files = self._files(job)
        ended = job.state.final and job.state is not JobState.COMPLETE
        attempts = () if ended else sorted(files.attempts_made(), reverse=True)
        for picture in (*(files.attempt(number).preview for number in attempts), files.poster):
            if picture.is_file():  # checked once: the next preview may replace it at any time
                return picture
        raise NotFound("file", job_id, f"The job {job_id} has no preview.")

    def log_path(self, job_id: str) -> Path:
        """Return the log of a job's renders; raises ``NotFound`` if none has started."""
        return self._existing(job_id, self._files(self._reader.job(job_id)).log, "log")

    def recipe_path(self, job_id: str) -> Path:
        """Return the finished video's recipe; raises ``NotFound`` when there is none."""
        return self._existing(job_id, self._files(self._reader.job(job_id)).recipe, "recipe")

    def scores_path(self, job_id: str) -> Path:
        """Return the file of the video's scores; raises ``NotFound`` if it was not measured."""
        return self._existing(job_id, self._files(self._reader.job(job_id)).scores, "scores")

    def recipe(self, job_id: str) -> Recipe:
        """Return the finished video's recipe; raises ``NotFound`` if there is none."""
        path = self.recipe_path(job_id)
        try:
            return Recipe.model_validate_json(path.read_bytes())
        except (OSError, ValueError) as error:
            problem = f"The recipe of the job {job_id} cannot be read."
            raise NotFound("file", job_id, problem) from error

    def _files(self, job: Job) -> JobFiles:
        return self._paths.job(job.job_id, job.batch_id)

    @staticmethod
    def _existing(job_id: str, path: Path, what: str) -> Path:
        if not path.is_file():
            raise NotFound("file", job_id, f"The job {job_id} has no {what}.")
        return path
