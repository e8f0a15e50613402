"""Renders submitted together as one object: wait, iterate, measure, compare, download."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Generator, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from workbench.archive import BatchArchive
from workbench.errors import InvalidRequest
from workbench.jobs.model import Batch as BatchRecord
from workbench.jobs.model import BatchState, Job, JobState
from workbench.jobs.paths import JobPaths
from workbench.journey.measuring import fingerprints, measured
from workbench.journey.progress import is_watched, show_progress
from workbench.journey.showing import Shown, batch_html
from workbench.journey.tables import batch_rows, data_frame, video_paths
from workbench.journey.videos import Video
from workbench.measures.preferences import add_preference, preferences
from workbench.measures.scorers import score_names
from workbench.measures.scores import Scores
from workbench.studio import Studio

if TYPE_CHECKING:
    from workbench.measures.rankings import Ranked

__all__ = ["Batch"]

_POLL_S: Final = 0.25


class Batch(Shown):
    """Renders submitted together, in prompt order: ``batch[0]``, ``len(batch)``, ``batch.videos``.

    ``for video in batch`` yields each video as it ends; ``async for`` does the same without
    blocking, and ``await batch`` waits for all. A view: every property reads the shared job
    manager.
    """

    def __init__(self, batch_id: str, *, using: Studio) -> None:
        self.batch_id = batch_id
        self._studio = using

    @property
    def record(self) -> BatchRecord:
        """The current state of the batch, with all its jobs."""
        return self._studio.jobs.batch(self.batch_id)

    @property
    def state(self) -> BatchState:
        """The state of the whole batch."""
        return self.record.state

    @property
    def progress(self) -> float:
        """0 to 100."""
        return self.record.progress

    @property
    def videos(self) -> tuple[Video, ...]:
        """Every render, in prompt order."""
        return tuple(Video(job.job_id, using=self._studio) for job in self.record.jobs)

    @property
    def created_at(self) -> datetime:
        """Time of submission."""
        return self.record.created_at

    def __getitem__(self, position: int) -> Video:
        return Video(self.record.jobs[position].job_id, using=self._studio)

    def wait(self, timeout_s: float | None = None, *, progress: bool | None = None) -> Self:
        """Wait until every job has ended.

        ``progress`` shows a bar; by default there is one in a notebook and in a terminal. Raises
        ``TimeoutError`` after ``timeout_s`` seconds.
        """
        jobs = [job.job_id for job in self.record.jobs if not job.state.final]
        if progress or (progress is None and jobs and is_watched()):
            return self.progress_bar(timeout_s)
        self._studio.jobs.wait(jobs, timeout_s)
        return self

    def progress_bar(self, timeout_s: float | None = None) -> Self:
        """Wait like :meth:`wait`, with a bar in a terminal or a notebook."""
        show_progress(self._studio.jobs, self.batch_id, timeout_s)
        return self

    def cancel(self) -> Self:
        """Cancel every job that has not ended."""
        self._studio.jobs.cancel_batch(self.batch_id)
        return self

    def delete(self, *, starred: bool = False) -> None:
        """Delete all its videos; :meth:`Video.undelete` can restore them for a while.

        Raises ``Conflict`` while one is being rendered, or if one is starred and ``starred`` is
        false.
        """
        self._studio.jobs.delete_batch(self.batch_id, starred=starred)

    def retry_failed(self) -> Self:
        """Retry the failed jobs; raises ``Conflict`` if none has failed."""
        self._studio.jobs.retry_failed(self.batch_id)
        return self

    def zip(self, path: str | Path) -> Path:
        """Write the finished videos, their recipes and a manifest to ``path``.

        Raises ``Conflict`` when none has finished.
        """
        return BatchArchive(self._studio.jobs, self.record).write(Path(path))

    def scores(self) -> dict[Video, Scores]:
        """Return the scores of every finished video, waiting for those not measured yet.

        A video that cannot be measured is left out; ``video.job.scores_error`` says why.
        """
        return {
            self._video(job.job_id): Scores.of(job.scores)
            for job in measured(self.record.jobs, self._studio.jobs)
            if job.scores is not None
        }

    def sorted_by(self, score: str, *, descending: bool = True) -> tuple[Video, ...]:
        """Return the finished videos sorted by a score, such as ``"motion"``.

        Raises ``InvalidRequest`` for an unknown score.
        """
        found = {video: scores.by_name for video, scores in self.scores().items()}
        known = score_names(self._studio.settings)
        if score not in known:
            choice = ", ".join(known)
            raise InvalidRequest(f"There is no score {score!r}; choose one of {choice}.")
        having = [video for video in found if score in found[video]]
        return tuple(sorted(having, key=lambda v: found[v][score], reverse=descending))

    def where(
        self, score: str, *, at_least: float | None = None, at_most: float | None = None
    ) -> tuple[Video, ...]:
        """Return the finished videos with a score within these limits, in prompt order.

        Raises ``InvalidRequest`` for an unknown score.
        """
        low = float("-inf") if at_least is None else at_least
        high = float("inf") if at_most is None else at_most
        having = self.sorted_by(score)
        values = {v: s.by_name[score] for v, s in self.scores().items() if v in having}
        return tuple(v for v in self.videos if v in values and low <= values[v] <= high)

    def agreement(self, model: str) -> dict[Video, float]:
        """Return the agreement of each finished video with its prompt, by a CLIP-like model.

        ``model`` is a folder, or a hub name if the settings allow it; see
        :func:`workbench.measures.agreement.prompt_agreement`. Raises ``EngineUnavailable``.
        """
        from workbench.measures.agreement import prompt_agreement  # noqa: PLC0415

        jobs = self.record.jobs
        prompts = {job.job_id: job.request.prompt for job in jobs}
        paths = video_paths(jobs, self._studio.jobs)
        asked = {key: (path, prompts[key]) for key, path in paths.items()}
        found = prompt_agreement(asked, model, self._studio.settings) if asked else {}
        return {self._video(key): value for key, value in found.items()}

    def near_duplicates(self, limit: float | None = None) -> tuple[tuple[Video, ...], ...]:
        """Return groups of finished videos that look alike.

        ``limit`` is the largest difference, 0 to 1, see
        :func:`workbench.measures.clips.difference`; viewers see no difference at the default,
        0.02.
        """
        from workbench.measures.clips import NEAR_DUPLICATE  # noqa: PLC0415  loads OpenCV
        from workbench.measures.scorecards import near_duplicates  # noqa: PLC0415

        prints = fingerprints(self.record.jobs, self._studio.jobs)
        groups = near_duplicates(prints, NEAR_DUPLICATE if limit is None else limit)
        return tuple(tuple(self._video(key) for key in keys) for keys in groups)

    def prefer(self, better: Video, worse: Video) -> Self:
        """Record that ``better`` is preferred over ``worse``; both are videos of this batch."""
        jobs = [job.job_id for job in self.record.jobs]
        add_preference(self._preferences, better.job_id, worse.job_id, jobs)
        return self

    def next_pair(self) -> tuple[Video, Video] | None:
        """Return the two finished videos to compare next; None if there are fewer than two."""
        from workbench.measures.rankings import next_pair  # noqa: PLC0415

        done = list(video_paths(self.record.jobs, self._studio.jobs))
        pair = next_pair(done, [c for c in self._comparisons() if set(c) <= set(done)])
        return (self._video(pair[0]), self._video(pair[1])) if pair else None

    def ranking(self) -> list[Ranked]:
        """Return the jobs ranked by the recorded preferences, best first; see ``bradley_terry``."""
        from workbench.measures.rankings import bradley_terry  # noqa: PLC0415

        return bradley_terry([job.job_id for job in self.record.jobs], self._comparisons())

    def to_table(self, *, scores: bool = False) -> list[dict[str, Any]]:
        """Return one row per job in prompt order, for any table library.

        Position, id, prompt, changes, state, seed, engine, model, size, device, attempt, seconds
        queued and rendering, star, error; with ``scores`` also every measure.
        """
        return batch_rows(self.record, self._studio, scores=scores)

    def to_dataframe(self, *, scores: bool = True) -> Any:
        """Return :meth:`to_table` as a ``pandas.DataFrame`` by job id.

        Raises ``Unavailable`` if pandas is not installed.
        """
        return data_frame(self.to_table(scores=scores), "job_id")

    def __iter__(self) -> Iterator[Video]:
        """Yield each video as it ends."""
        left = [job.job_id for job in self.record.jobs]
        while left:
            jobs = self.record.jobs
            for job_id in self._just_ended(jobs, left):
                left.remove(job_id)
                yield self._video(job_id)
            if left:
                self._wait_briefly(left)

    async def __aiter__(self) -> AsyncIterator[Video]:
        """Yield each video as it ends, without blocking the event loop."""
        videos = iter(self)
        while (video := await asyncio.to_thread(next, videos, None)) is not None:
            yield video

    @staticmethod
    def _just_ended(jobs: Sequence[Job], left: Sequence[str]) -> list[str]:
        ended = sorted(
            (job for job in jobs if job.state.final and job.job_id in left),
            key=lambda job: (job.finished_at or job.created_at, job.position),
        )
        return [job.job_id for job in ended]

    def _wait_briefly(self, job_ids: Sequence[str]) -> None:
        try:
            self._studio.jobs.wait(job_ids[:1], _POLL_S)
        except TimeoutError:
            return

    def _video(self, job_id: str) -> Video:
        return Video(job_id, using=self._studio)

    def _comparisons(self) -> list[tuple[str, str]]:
        return [
            (said.better, said.worse) for said in preferences(self._preferences) if not said.is_tie
        ]

    @property
    def _preferences(self) -> Path:
        return JobPaths(self._studio.settings.outputs).preferences(self.batch_id)

    def __len__(self) -> int:
        return len(self.record.jobs)

    def __await__(self) -> Generator[Any, None, Self]:
        return asyncio.to_thread(self.wait, progress=False).__await__()

    def __repr__(self) -> str:
        record = self.record
        done = record.counts[JobState.COMPLETE]
        return f"<Batch {self.batch_id}: {record.state}, {done} of {len(record.jobs)} complete>"

    def _repr_html_(self) -> str:
        record = self.record
        title = f"{record.name or 'Batch'} · {repr(self)[1:-1]}"
        return batch_html(record.jobs, self._studio.jobs, title)
