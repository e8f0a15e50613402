"""One render as an object: its state while running, then its file, scores and note."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from workbench import control
from workbench.errors import NotFound, RenderError, Unavailable
from workbench.jobs.model import Job, JobState
from workbench.journey.channels import Channel
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

__all__ = ["Video", "VideoList", "named_inputs", "with_camera_files"]

_PATH_SUFFIXES: Final = frozenset({".json", ".npz", ".npy", ".txt", ".tum"})


class Video(Shown):
    """One render. A view: every property reads the shared job manager.

    Its methods raise ``NotFound`` if the job has been removed.
    """

    def __init__(self, job_id: str, *, using: Studio) -> None:
        self.job_id = job_id
        self._studio = using

    @property
    def job(self) -> Job:
        """The job as it is now."""
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
        """All that is needed to render it again; raises ``NotFound`` until it is finished."""
        return self._studio.jobs.recipe(self.job_id)

    def channel(self, name: str) -> Channel:
        """Return an exact channel, such as ``depth``; it can be the ``control`` of another render.

        Raises ``NotFound`` until the video is finished, or where it was rendered without.
        """
        self._studio.jobs.video_path(self.job_id)
        return Channel(name, self._studio.jobs.channel_path(self.job_id, name), self.job_id)

    @property
    def scores(self) -> Scores:
        """Its scores: motion, flicker, sharpness, colour.

        Measured within about a second of its end; this waits for it. Raises
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

        Pixels answer what they can, the language model the rest, if it sees; ``cannot tell`` is what
        nobody could answer. The same model is asked the same question once. Raises ``NotFound``
        until the video is finished.
        """
        return self._studio.run(self._studio.check(self.job_id))

    def subject_error(self) -> SubjectError | None:
        """Return how far its main figure is from where the storyboard of its scene has it move.

        Offset in picture widths, and the angle between the two ways; None if the figure is lost.
        Means something where the storyboard was followed, such as by control. Raises ``NotFound``
        until it is finished.
        """
        from workbench.measures.comparisons import subject_against_storyboard  # noqa: PLC0415

        return subject_against_storyboard(self.path, self.recipe.request)

    def parts_from(self, other: Video, seeds: Sequence[Video] = ()) -> Divergence:
        """Return how far ``other``, made with other actions from the same beginning, parts from it.

        ``seeds`` are made with its own actions and other seeds: what they differ by is chance.
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

    def rollout(self, actions: Any, seconds: float | None = None, **planning: float) -> World:
        """Roll out the world of this storyboard from where its camera starts.

        ``actions`` are keys, words or a ``CameraPath``. ``planning``: ``segment_s``, the length of a
        job, and ``planned_s``, how long the world may become. Raises ``InvalidRequest``.
        """
        from workbench.journey.worlds import roll_out  # noqa: PLC0415  it builds on this module

        return roll_out(self, actions, seconds, **planning)

    @property
    def studio(self) -> Studio:
        """The Studio that this is a view of."""
        return self._studio

    def star(self, *, starred: bool = True) -> Self:
        """Star or unstar it; no retention removes a starred video."""
        self._studio.jobs.star(self.job_id, starred=starred)
        return self

    def wait(self, timeout_s: float | None = None) -> Self:
        """Wait until it is done.

        Raises ``RenderError`` when it ended without a video, ``TimeoutError`` after ``timeout_s``
        seconds.
        """
        (job,) = self._studio.jobs.wait([self.job_id], timeout_s)
        if job.state is not JobState.COMPLETE:
            raise RenderError(job.error or f"The render was {job.state}.")
        return self

    def delete(self, *, starred: bool = False) -> None:
        """Delete it; :meth:`undelete` brings it back for a while.

        Raises ``Conflict`` while it is being rendered, or where it has a star and ``starred`` is false.
        """
        self._studio.jobs.delete([self.job_id], starred=starred)

    def undelete(self) -> Self:
        """Bring it back; raises ``NotFound`` once it is gone for good."""
        self._studio.jobs.undelete([self.job_id])
        return self

    def cancel(self) -> Self:
        """End it."""
        self._studio.jobs.cancel(self.job_id)
        return self

    def retry(self) -> Self:
        """Retry it under the same id; raises ``Conflict`` unless it failed or was cancelled."""
        self._studio.jobs.retry(self.job_id)
        return self

    def continued(self, prompt: str | None = None, **parameters: Any) -> Self:
        """Queue a video that continues from this one's last frame; its prompt is the default.

        The model is the same and must take an image; profile, size, length, rate and steps are the
        defaults. ``parameters`` are those of :class:`workbench.rendering.RenderParameters`. Raises
        ``InvalidRequest`` where the model takes no image, or this video is not finished.
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
    """Videos in a list, which a notebook shows as a contact sheet."""

    def _repr_html_(self) -> str:
        if not self:
            return "<p><em>no video</em></p>"
        manager = self[0]._studio.jobs  # noqa: SLF001  a video of this module
        jobs = [video.job for video in self]
        return batch_html(jobs, manager, f"{len(jobs)} video{'' if len(jobs) == 1 else 's'}")


def named_inputs(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``parameters`` with every video among them as its id, and every path as text.

    The file that ``camera`` names is read; raises ``InvalidRequest``.
    """
    return {
        name: value.job_id if isinstance(value, Video) else
        value.as_control() if isinstance(value, Channel) else
        str(value) if isinstance(value, Path) else value
        for name, value in with_camera_files(parameters).items()
    }  # fmt: skip


def with_camera_files(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``parameters`` with the camera path in the file that ``camera`` names.

    A text names a file by its ending. Raises ``InvalidRequest`` for a file that holds no path.
    """
    given = parameters.get("camera")
    if isinstance(given, str) and Path(given).suffix.lower() in _PATH_SUFFIXES:
        given = Path(given)
    if not isinstance(given, Path):
        return dict(parameters)
    return {**parameters, "camera": control.read_path(given.expanduser()).value}
