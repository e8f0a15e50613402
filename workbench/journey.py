"""The journey in Python: sessions, prompts, batches and videos as objects to compute with.

What a notebook, a papermill run or a script uses. Thin over Studio; every object is a view that
reads the shared job manager when asked, so that two notebooks see the same thing.
"""

from __future__ import annotations

import asyncio
import html
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final, Self

from workbench.archive import BatchArchive
from workbench.errors import RenderError
from workbench.jobs.model import Batch as BatchRecord
from workbench.jobs.model import BatchState, Device, Job, JobState, Priority
from workbench.prompts.model import Entry
from workbench.rendering import Recipe
from workbench.scene import Change, Scene
from workbench.settings import Settings
from workbench.studio import RenderParameters, Studio

__all__ = [
    "Batch",
    "Prompt",
    "Session",
    "Video",
    "devices",
    "enhance",
    "open_batch",
    "open_session",
    "open_video",
    "render",
    "start",
    "studio",
]

_POLL_S: Final = 0.5
_VARIATIONS: Final = 8


@cache
def studio() -> Studio:
    """Return this process's Studio, made with the settings of the environment at first use."""
    return Studio(Settings())


def enhance(rough_prompt: str, *, seed: int | None = None, using: Studio | None = None) -> Session:
    """Make a rough idea a full prompt, and return the session that it starts."""
    used = using or studio()
    session_id, _ = used.run(used.enhance(rough_prompt, seed=seed))
    return Session(session_id, using=used)


def start(prompt: str, *, using: Studio | None = None) -> Session:
    """Start a session from a prompt as it is."""
    used = using or studio()
    session_id, _ = used.run(used.initialize(prompt))
    return Session(session_id, using=used)


def render(
    prompts: str | Prompt | Sequence[str | Prompt],
    *,
    name: str = "",
    using: Studio | None = None,
    **parameters: Any,
) -> Batch:
    """Queue ``prompts`` as one batch and return at once.

    ``parameters`` are those of :class:`workbench.studio.RenderParameters`: ``seed``, ``engine``,
    ``model``, ``width``, ``height``, ``num_frames``, ``fps``, ``num_inference_steps``,
    ``guidance_scale``… Raises ``TypeError`` for a name that is none of them, ``InvalidRequest``
    for a value out of range, before anything is queued.
    """
    several = [prompts] if isinstance(prompts, str | Prompt) else list(prompts)
    sessions = {p.session.session_id for p in several if isinstance(p, Prompt)}
    first = next((p for p in several if isinstance(p, Prompt)), None)
    used = using or (first.session.studio if first else studio())
    record = used.run(
        used.render_batch(
            [str(prompt) for prompt in several],
            name=name,
            session_id=sessions.pop() if len(sessions) == 1 else None,
            parameters=RenderParameters(**parameters),
        )
    )
    return Batch(record.batch_id, using=used)


def open_session(session_id: str, *, using: Studio | None = None) -> Session:
    """Return a session from before; raises ``NotFound``."""
    used = using or studio()
    used.session(session_id)
    return Session(session_id, using=used)


def open_batch(batch_id: str, *, using: Studio | None = None) -> Batch:
    """Return a batch from before; raises ``NotFound``."""
    used = using or studio()
    used.jobs.batch(batch_id)
    return Batch(batch_id, using=used)


def open_video(job_id: str, *, using: Studio | None = None) -> Video:
    """Return a render from before; raises ``NotFound``."""
    used = using or studio()
    used.jobs.job(job_id)
    return Video(job_id, using=used)


def devices(*, using: Studio | None = None) -> tuple[Device, ...]:
    """Return every device and what it is doing."""
    return (using or studio()).jobs.devices()


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt of a session: its text, the scene behind it, and how it came to be."""

    session: Session
    index: int
    text: str
    scene: Scene
    changes: tuple[Change, ...]
    parent: int | None
    is_fallback: bool = False
    message: str = ""

    def __str__(self) -> str:
        return self.text

    def render(self, **parameters: Any) -> Video:
        """Queue one render of this prompt, ahead of batches, and return at once."""
        used = self.session.studio
        job = used.run(
            used.render(
                self.text,
                session_id=self.session.session_id,
                priority=Priority.INTERACTIVE,
                parameters=RenderParameters(**parameters),
            )
        )
        return Video(job.job_id, using=used)

    def _repr_html_(self) -> str:
        changes = "".join(f"<li>{html.escape(change.sentence)}</li>" for change in self.changes)
        listed = f"<ul>{changes}</ul>" if changes else ""
        return f"<blockquote>{html.escape(self.text)}</blockquote>{listed}"


class Session:
    """One journey: a tree of prompts, kept durably under ``session_id``."""

    def __init__(self, session_id: str, *, using: Studio) -> None:
        self.session_id = session_id
        self.studio = using

    @property
    def history(self) -> tuple[Prompt, ...]:
        """Every prompt of the session, oldest first."""
        return tuple(self._prompt(e) for e in self.studio.sessions.history(self.session_id))

    @property
    def prompt(self) -> Prompt:
        """The newest prompt."""
        return self.history[-1]

    @property
    def scene(self) -> Scene:
        """The scene behind the newest prompt."""
        return self.prompt.scene

    def variations(
        self,
        total: int = _VARIATIONS,
        *,
        of: Prompt | Sequence[Prompt] | None = None,
        axes: Sequence[str] = (),
        hold: Sequence[str] = (),
        seed: int | None = None,
    ) -> tuple[Prompt, ...]:
        """Return ``total`` distinct prompts: the newest (or ``of``) first, then variations of it.

        ``axes`` are the scene fields to vary and ``hold`` those to keep; the same seed gives the
        same set.
        """
        chosen = of or self.prompt
        parents = [chosen] if isinstance(chosen, Prompt) else list(chosen)
        entries = self.studio.run(
            self.studio.variations(
                self.session_id,
                [parent.index for parent in parents],
                total,
                axes=axes,
                hold=hold,
                seed=seed,
            )
        )
        return tuple(self._prompt(entry) for entry in entries)

    def tune(self, request: str) -> Prompt:
        """Change the newest prompt as the request says, and return the prompt that then stands.

        A request that is not understood changes nothing: the prompt returned is the one before,
        and its ``message`` says what can be asked.
        """
        revision, entry = self.studio.run(self.studio.update(self.session_id, request))
        if entry is not None:
            return self._prompt(entry, revision.message)
        latest = self.prompt
        return Prompt(
            latest.session,
            latest.index,
            latest.text,
            latest.scene,
            (),
            latest.parent,
            latest.is_fallback,
            revision.message,
        )

    def edit(self, lock: Sequence[str] = (), unlock: Sequence[str] = (), **values: Any) -> Prompt:
        """Set scene fields by hand, lock or free them; returns the prompt written anew."""
        used = self.studio
        entry = used.run(used.set_parameters(self.session_id, values, lock=lock, unlock=unlock))
        return self._prompt(entry)

    def render(self, **parameters: Any) -> Video:
        """Queue one render of the newest prompt and return at once."""
        return self.prompt.render(**parameters)

    def _prompt(self, entry: Entry, message: str = "") -> Prompt:
        return Prompt(
            self,
            entry.index,
            entry.prompt,
            entry.scene,
            entry.changes,
            entry.parent,
            entry.is_fallback,
            message or entry.message,
        )

    def __repr__(self) -> str:
        return f"<Session {self.session_id}: {len(self.history)} prompts>"


class Video:
    """One render: its state while it works, its file when it is done."""

    def __init__(self, job_id: str, *, using: Studio) -> None:
        self.job_id = job_id
        self._studio = using

    @property
    def job(self) -> Job:
        """The job as it is now."""
        return self._studio.jobs.job(self.job_id)

    @property
    def state(self) -> JobState:
        """Where the render is in its life."""
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
        """All that is needed to make it again."""
        return self._studio.jobs.recipe(self.job_id)

    def wait(self, timeout_s: float | None = None) -> Self:
        """Wait until it is done.

        Raises ``RenderError`` when it ended without a video, ``TimeoutError`` after ``timeout_s``
        seconds.
        """
        (job,) = self._studio.jobs.wait([self.job_id], timeout_s)
        if job.state is not JobState.COMPLETE:
            raise RenderError(job.error or f"The render was {job.state}.")
        return self

    def cancel(self) -> Self:
        """End it."""
        self._studio.jobs.cancel(self.job_id)
        return self

    def retry(self) -> Self:
        """Run it again under the same id, after it failed or was cancelled."""
        self._studio.jobs.retry(self.job_id)
        return self

    def __await__(self) -> Generator[Any, None, Self]:
        return asyncio.to_thread(self.wait).__await__()

    def __repr__(self) -> str:
        job = self.job
        return f"<Video {self.job_id}: {job.state} {job.progress:.0f} %>"

    def _repr_html_(self) -> str:
        job = self.job
        caption = f"<figcaption>{html.escape(job.request.prompt)}</figcaption>"
        if job.state is not JobState.COMPLETE:
            told = html.escape(job.error or job.message or job.state)
            return (
                f'<figure><progress max="100" value="{job.progress:.0f}"></progress> {told}'
                f"{caption}</figure>"
            )
        folder = f"{job.batch_id}/{job.job_id}" if job.batch_id else job.job_id
        # absolute under the usual base URL; with another one the widgets know better
        return (
            f'<figure><video src="/static/videos/{folder}/video.mp4" controls muted loop '
            f'playsinline preload="metadata" width="416"></video>{caption}</figure>'
        )


class Batch:
    """Renders submitted together, in prompt order."""

    def __init__(self, batch_id: str, *, using: Studio) -> None:
        self.batch_id = batch_id
        self._studio = using

    @property
    def record(self) -> BatchRecord:
        """The batch as it is now, with all its jobs."""
        return self._studio.jobs.batch(self.batch_id)

    @property
    def state(self) -> BatchState:
        """Where the whole is."""
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
        """When it was submitted."""
        return self.record.created_at

    def wait(self, timeout_s: float | None = None) -> Self:
        """Wait until every job has ended, well or not; raises ``TimeoutError``."""
        jobs = [job.job_id for job in self.record.jobs]
        self._studio.jobs.wait(jobs, timeout_s)
        return self

    def cancel(self) -> Self:
        """End what has not ended."""
        self._studio.jobs.cancel_batch(self.batch_id)
        return self

    def retry_failed(self) -> Self:
        """Run the failed ones again."""
        self._studio.jobs.retry_failed(self.batch_id)
        return self

    def zip(self, path: str | Path) -> Path:
        """Write the finished videos, their recipes and a manifest to ``path``.

        Raises ``Conflict`` when none has finished.
        """
        with BatchArchive(self._studio.jobs, self.record) as archive:
            return archive.write(Path(path))

    def to_table(self) -> list[Mapping[str, Any]]:
        """Return one row per job, ready for ``pandas.DataFrame``."""
        return [
            {
                "job_id": job.job_id,
                "prompt": job.request.prompt,
                "state": str(job.state),
                "seed": job.request.seed,
                "engine": job.request.engine,
                "device": job.device,
                "attempt": job.attempt,
                "error": job.error,
            }
            for job in self.record.jobs
        ]

    def __iter__(self) -> Iterator[Video]:
        """Yield each video as it ends, the first to end first."""
        left = [job.job_id for job in self.record.jobs]
        while left:
            ended = {job.job_id for job in self.record.jobs if job.state.final}
            for job_id in [job_id for job_id in left if job_id in ended]:
                left.remove(job_id)
                yield Video(job_id, using=self._studio)
            if left:
                self._wait_briefly(left)

    def _wait_briefly(self, job_ids: Sequence[str]) -> None:
        try:
            self._studio.jobs.wait(job_ids[:1], _POLL_S)
        except TimeoutError:
            return

    def __len__(self) -> int:
        return len(self.record.jobs)

    def __await__(self) -> Generator[Any, None, Self]:
        return asyncio.to_thread(self.wait).__await__()

    def __repr__(self) -> str:
        record = self.record
        done = record.counts[JobState.COMPLETE]
        return f"<Batch {self.batch_id}: {record.state}, {done} of {len(record.jobs)} complete>"
