"""One render as an object: its state while running, then its file, scores and note."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from workbench.errors import NotFound, RenderError, Unavailable
from workbench.forks import fork_of
from workbench.jobs.model import Job, JobState
from workbench.journey.channels import Channel
from workbench.journey.control_files import with_control_files
from workbench.journey.showing import Shown, batch_html, video_html
from workbench.measures.scene_check.model import SceneCheck
from workbench.measures.scores import Scores
from workbench.render_requests import continuation_of
from workbench.rendering import Recipe
from workbench.studio import RenderParameters, Studio

if TYPE_CHECKING:
    from workbench.journey.worlds import World
    from workbench.measures.divergence import Divergence
    from workbench.measures.subjects import SubjectError

__all__ = ["Video", "VideoList", "named_inputs"]


class Video(Shown):
    """One render. A view: every property reads the shared job manager.

    Its methods raise ``NotFound`` if the job has been removed.
    """

    def __init__(self, job_id: str, *, using: Studio) -> None:
        self.job_id = job_id
        self._studio = using

    @property
    def job(self) -> Job:
        """The current state of the job."""
        return self._studio.jobs.job(self.job_id)

    @property
    def state(self) -> JobState:
        """The state of the render."""
        return self.job.state

    @property
    def progress(self) -> float:
        """0 to 100."""
        return self.job.progress

    @property
    def prompt(self) -> str:
        """The prompt as it was rendered."""
        return self.job.request.prompt

    @property
    def path(self) -> Path:
        """The finished mp4; raises ``NotFound`` until there is one."""
        return self._studio.jobs.video_path(self.job_id)

    @property
    def recipe(self) -> Recipe:
        """Everything needed to render it again; raises ``NotFound`` until it is finished."""
        return self._studio.jobs.recipe(self.job_id)

    def channel(self, name: str) -> Channel:
        """Return an exact channel, such as ``depth``; it can be the ``control`` of another render.

        Raises ``NotFound`` until the video is finished, or if it was rendered without the channel.
        """
        self._studio.jobs.video_path(self.job_id)
        return Channel(name, self._studio.jobs.channel_path(self.job_id, name), self.job_id)

    @property
    def scores(self) -> Scores:
        """Its scores: motion, flicker, sharpness, colour.

        Measured about a second after the render; this waits for them. Raises
        ``NotFound`` until the video is finished, ``Unavailable`` when it cannot be measured.
        """
        (job,) = self._studio.jobs.measure([self.job_id])
        if job.scores is not None:
            return Scores.of(job.scores)
        if job.state is JobState.COMPLETE:
            raise Unavailable(job.scores_error)
        raise NotFound("file", job.job_id, f"The job {job.job_id} has no video: it is {job.state}.")

    def check(self) -> SceneCheck:
        """Check whether it shows what its scene asks for: an answer to each question, by field.

        Image analysis answers what it can, a vision language model the rest; questions that neither
        can answer are ``cannot tell``. The same model is asked the same question once. Raises
        ``NotFound`` until the video is finished.
        """
        return self._studio.run(self._studio.check(self.job_id))

    def subject_error(self) -> SubjectError | None:
        """Return how far its main figure deviates from the one in the storyboard of its scene.

        Offset in picture widths, and the angle between the two directions of motion; None if the
        figure is lost. Meaningful if the video follows the storyboard, as with control. Raises
        ``NotFound`` until it is finished.
        """
        from workbench.measures.comparisons import subject_against_storyboard  # noqa: PLC0415

        return subject_against_storyboard(self.path, self.recipe.request)

    def parts_from(self, other: Video, seeds: Sequence[Video] = ()) -> Divergence:
        """Return how far ``other``, made with other actions from the same start, diverges from it.

        ``seeds`` are videos with its own actions and other seeds: they differ by chance alone.
        Raises ``NotFound`` until all are finished, ``InvalidRequest`` unless their sizes agree.
        """
        from workbench.measures.comparisons import videos_part  # noqa: PLC0415

        return videos_part(self.path, other.path, [one.path for one in seeds])

    def note(self, text: str) -> Self:
        """Set its note, read as ``video.job.note``; an empty one removes it.

        Raises ``InvalidRequest`` above 4,000 characters.
        """
        self._studio.jobs.note(self.job_id, text)
        return self

    def rollout(self, actions: Any = None, seconds: float | None = None, **more: Any) -> World:
        """Roll out the world of this video: render it again from its start, then continue.

        ``actions`` are keys, words or a ``CameraPath``; a storyboard requires them. ``more``:
        ``at_s``, the time at which a branch leaves a model's video; ``segment_s``, the length of a
        job; ``planned_s``, the longest duration of a storyboard's world; ``prompts``, ``seed``,
        ``control``, ``last_image``, ``bounds``, ``most_retakes``; see
        :class:`workbench.rollouts.RolloutParameters`. Raises ``InvalidRequest``.
        """
        from workbench.journey.worlds import roll_out  # noqa: PLC0415  it builds on this module

        return roll_out(self, actions, seconds, **more)

    @property
    def studio(self) -> Studio:
        """The Studio that this view reads."""
        return self._studio

    def star(self, *, starred: bool = True) -> Self:
        """Star or unstar it; retention never removes a starred video."""
        self._studio.jobs.star(self.job_id, starred=starred)
        return self

    def wait(self, timeout_s: float | None = None) -> Self:
        """Wait until it is done.

        Raises ``RenderError`` if it ended without a video, ``TimeoutError`` after ``timeout_s``
        seconds.
        """
        (job,) = self._studio.jobs.wait([self.job_id], timeout_s)
        if job.state is not JobState.COMPLETE:
            raise RenderError(job.error or f"The render was {job.state}.")
        return self

    def delete(self, *, starred: bool = False) -> None:
        """Delete it; :meth:`undelete` can restore it for a while.

        Raises ``Conflict`` while it is being rendered, or if it is starred and ``starred`` is
        false.
        """
        self._studio.jobs.delete([self.job_id], starred=starred)

    def undelete(self) -> Self:
        """Restore it; raises ``NotFound`` once it is permanently deleted."""
        self._studio.jobs.undelete([self.job_id])
        return self

    def cancel(self) -> Self:
        """Cancel it."""
        self._studio.jobs.cancel(self.job_id)
        return self

    def retry(self) -> Self:
        """Retry it under the same id; raises ``Conflict`` unless it failed or was cancelled."""
        self._studio.jobs.retry(self.job_id)
        return self

    def continued(self, prompt: str | None = None, **parameters: Any) -> Self:
        """Queue a video that continues from this one's last frame; its prompt is the default.

        The model is the same and must accept a start image; profile, size, length, frame rate and
        steps default to this video's. ``parameters`` are those of
        :class:`workbench.rendering.RenderParameters`. Raises ``InvalidRequest`` if the model does
        not accept an image, or this video is not finished.
        """
        job = self.job
        given = {**continuation_of(job), **named_inputs(parameters)}
        made = self._studio.run(
            self._studio.render(
                prompt or job.request.prompt,
                session_id=job.session_id,
                parameters=RenderParameters.of(given),
            )
        )
        return type(self)(made.job_id, using=self._studio)

    def forked(self, at_s: float, actions: str) -> Self:
        """Queue a fork of this storyboard that follows ``actions`` from ``at_s`` seconds on.

        ``actions`` are keys or words, relative to the camera at that time. The fork is as long as
        this video and shares its frames up to there, bit for bit. Raises ``InvalidRequest`` for a
        video without a camera path, or of another engine: use :meth:`rollout` for those.
        """
        job = self.job
        made = self._studio.run(
            self._studio.render(
                job.request.prompt,
                session_id=job.session_id,
                parameters=RenderParameters.of(fork_of(job, at_s, actions)),
            )
        )
        return type(self)(made.job_id, using=self._studio)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Video) and self.job_id == other.job_id

    def __hash__(self) -> int:
        return hash(self.job_id)

    def __await__(self) -> Generator[Any, None, Self]:
        return asyncio.to_thread(self.wait).__await__()

    def __repr__(self) -> str:
        job = self.job
        return f"<Video {self.job_id}: {job.state} {job.progress:.0f} %>"

    def _repr_html_(self) -> str:
        return video_html(self.job, self._studio.jobs)


class VideoList(list[Video]):
    """A list of videos, which a notebook shows as a contact sheet."""

    def _repr_html_(self) -> str:
        if not self:
            return "<p><em>no video</em></p>"
        manager = self[0]._studio.jobs  # noqa: SLF001  a video of this module
        jobs = [video.job for video in self]
        return batch_html(jobs, manager, f"{len(jobs)} video{'' if len(jobs) == 1 else 's'}")


def named_inputs(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``parameters`` with videos replaced by ids, channels by their content, paths by text.

    Reads the file that ``camera`` names; raises ``InvalidRequest``.
    """
    return {
        name: value.job_id if isinstance(value, Video) else
        value.as_input(name) if isinstance(value, Channel) else
        str(value) if isinstance(value, Path) else value
        for name, value in with_control_files(parameters).items()
    }  # fmt: skip
