"""Unattended runs: planned as a whole, submitted as one batch, resumed when repeated.

A run is identified by the digest of its parameters and prompts. Its folder stores the plan, so that
the same request finds the same jobs: finished ones are not rendered again.
"""

from __future__ import annotations

import json
import os
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self

from filelock import FileLock

from workbench.errors import NotFound, RenderError
from workbench.jobs.model import Job, JobState
from workbench.journey import Batch, Video, studio
from workbench.prompts.markers import strip_marker
from workbench.prompts.model import Entry
from workbench.research.parameters import RunParameters, check
from workbench.research.planning import Cell, checked, submit
from workbench.research.prompt_files import Idea
from workbench.scene import Scene
from workbench.studio import Studio

__all__ = ["Run", "start_run"]

_PLAN: Final = "run.json"
_RUNS: Final = "runs"
_DIGEST_CHARS: Final = 12


def start_run(asked: Mapping[str, Any], *, using: Studio | None = None) -> Run:
    """Check, plan and queue a run, or resume the one with the same parameters; return at once.

    ``asked`` are the fields of :class:`workbench.research.parameters.RunParameters`. In a resumed
    run, finished jobs are kept, failed and cancelled ones are queued again. Raises
    ``InvalidRequest`` naming every problem, before anything is queued; ``Busy`` when the queue is
    full.
    """
    used = using or studio()
    parameters, ideas = check(asked, used.settings, used.found_inputs)
    digest = parameters.digest(ideas)
    folder = parameters.results or used.settings.outputs / _RUNS / _folder_name(parameters, digest)
    folder = folder.expanduser().absolute()
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".run.lock"):
        plan = _Plan.read(folder / _PLAN)
        resumed = plan is not None and plan.digest == digest and plan.stands(used)
        if plan is None or not resumed:
            plan = _Plan(
                digest, datetime.now(UTC).isoformat(), list(_cells(parameters, ideas, used))
            )
        plan.queue(folder / _PLAN, parameters, used)
    run = Run(parameters, plan.cells, folder, plan.batch_id, resumed=resumed, using=used)
    if resumed:
        run.take_up()
    return run


class Run:
    """A queued run: a view of its batch."""

    def __init__(
        self,
        parameters: RunParameters,
        cells: Sequence[Cell],
        folder: Path,
        batch_id: str,
        *,
        resumed: bool,
        using: Studio,
    ) -> None:
        self.parameters = parameters
        self.cells = tuple(cells)
        """The plan, one cell per job."""
        self.folder = folder
        """The folder for the results."""
        self.resumed = resumed
        """Whether it was resumed."""
        self.studio = using
        self.batch = Batch(batch_id, using=using)

    @property
    def jobs(self) -> tuple[Job, ...]:
        """The current jobs, in the order of the cells."""
        return self.batch.record.jobs

    @property
    def failed(self) -> tuple[Job, ...]:
        """The jobs that ended without a video."""
        return tuple(j for j in self.jobs if j.state in {JobState.FAILED, JobState.CANCELLED})

    def take_up(self) -> None:
        """Retry failed and cancelled jobs."""
        for job in self.failed:
            self.studio.jobs.retry(job.job_id)

    def follow(self, tell: Callable[[str], None] = print) -> Self:
        """Wait until every job has ended, printing a line for each.

        Ctrl-C cancels unfinished jobs or leaves them running, as ``on_interrupt`` says, and
        propagates.
        """
        with _Interruptible(self, tell):
            total = len(self.batch)
            for done, video in enumerate(self.batch, 1):
                tell(_line(done, total, video.job))
        return self

    def on_interrupt(self) -> str:
        """Carry out ``on_interrupt``; return a message."""
        if self.parameters.on_interrupt == "cancel":
            self.batch.cancel()
            return f"Interrupted: unfinished jobs of batch {self.batch.batch_id} are cancelled."
        return (
            f"Interrupted: batch {self.batch.batch_id} continues to render. "
            "Repeat the command to resume it."
        )

    def check(self) -> Self:
        """Raise ``RenderError`` naming every job without a video, and why."""
        failed = self.failed
        if failed:
            named = "".join(f"\n  {j.job_id}: {j.error or j.state}" for j in failed)
            raise RenderError(f"{len(failed)} of {len(self.jobs)} jobs did not complete:{named}")
        return self

    def __iter__(self) -> Iterator[Video]:
        """Yield each video as it ends."""
        return iter(self.batch)

    def __repr__(self) -> str:
        how = "resumed" if self.resumed else "new"
        return f"<Run {self.parameters.name} ({how}): {self.batch!r}>"

    def _repr_html_(self) -> str:
        return self.batch._repr_html_()


@dataclass(slots=True)
class _Plan:
    """The plan of a run, stored before it is queued."""

    digest: str
    planned_at: str
    cells: list[Cell]
    batch_id: str = ""

    @classmethod
    def read(cls, path: Path) -> _Plan | None:
        try:
            document = json.loads(path.read_bytes())
            cells = [_cell(**values) for values in document["cells"]]
            return cls(document["digest"], document["planned_at"], cells, document["batch_id"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def stands(self, used: Studio) -> bool:
        """Tell whether the batch still exists, or was never queued."""
        if not self.batch_id:
            return True
        try:
            used.jobs.batch(self.batch_id)
        except NotFound:
            return False
        return True

    def queue(self, path: Path, parameters: RunParameters, used: Studio) -> None:
        """Submit the cells unless already submitted; a crash in between does not submit them twice.

        Raises ``InvalidRequest`` with every problem of every cell, before anything is stored.
        """
        if self.batch_id:
            return
        requests = checked(used, self.cells)
        self._write(path, parameters)
        batch = submit(
            used,
            self.cells,
            requests,
            name=parameters.name,
            priority=parameters.priority,
            idempotency_key=f"run-{self.digest[:40]}-{self.planned_at}",
        )
        self.batch_id = batch.batch_id
        self._write(path, parameters)

    def _write(self, path: Path, parameters: RunParameters) -> None:
        document = {
            "digest": self.digest,
            "planned_at": self.planned_at,
            "batch_id": self.batch_id,
            "parameters": parameters.model_dump(mode="json"),
            "cells": [
                {**asdict(cell), "scene": cell.scene.model_dump(mode="json")} for cell in self.cells
            ],
        }
        aside = path.with_name(f".{path.name}.{os.getpid()}")
        aside.write_text(json.dumps(document, indent=1, ensure_ascii=False), "utf-8")
        aside.replace(path)


class _Interruptible:
    """Handles an interrupted wait."""

    def __init__(self, run: Run, tell: Callable[[str], None]) -> None:
        self._run, self._tell = run, tell

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None and issubclass(kind, KeyboardInterrupt):
            self._tell(self._run.on_interrupt())


def _cells(parameters: RunParameters, ideas: Sequence[Idea], used: Studio) -> Iterator[Cell]:
    """Yield every render of the run, ordered by idea, prompt and seed."""
    for number, idea in enumerate(ideas, 1):
        session_id, entry = _begun(parameters, idea, used)
        entries: Sequence[Entry] = (entry,)
        if parameters.variations > 1:
            entries = used.run(
                used.variations(
                    session_id,
                    [entry.index],
                    parameters.variations,
                    axes=parameters.axes,
                    hold=parameters.hold,
                    seed=parameters.seed,
                )
            )
        seeds = (idea.values["seed"],) if "seed" in idea.values else parameters.seed_list
        for place, made in enumerate(entries):
            changed = {c.field: _text(c.after) for c in made.changes} if made is not entry else {}
            for seed in seeds:
                yield Cell(
                    prompt=strip_marker(made.prompt),
                    scene=made.scene,
                    values={**parameters.render_values, **idea.values, "seed": seed},
                    labels={**idea.labels, "idea": str(number), "variation": str(place), **changed},
                    changes=tuple(c.sentence for c in made.changes) if place else (),
                    parent_prompt=entry.prompt if place else "",
                    session_id=session_id,
                )


def _begun(parameters: RunParameters, idea: Idea, used: Studio) -> tuple[str, Entry]:
    if idea.scene is not None:
        return used.sessions.restore(idea.text, idea.scene)
    if parameters.enhance:
        return used.run(used.enhance(idea.text, seed=parameters.seed))
    return used.run(used.sessions.initialize(idea.text))


def _cell(**values: Any) -> Cell:
    changes = tuple(values.pop("changes"))
    scene = Scene.model_validate(values.pop("scene"))
    return Cell(scene=scene, changes=changes, **values)


def _line(done: int, total: int, job: Job) -> str:
    width = len(str(total))
    taken = ""
    if job.started_at and job.finished_at:
        taken = f"{(job.finished_at - job.started_at).total_seconds():.1f} s"
    told = job.error.splitlines()[0] if job.error else job.request.prompt
    return f"{done:{width}} of {total}  {job.state:9}  {job.device or '':7} {taken:>7}  {textwrap.shorten(told, 72, placeholder=' …')}"


def _folder_name(parameters: RunParameters, digest: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", parameters.name.lower()).strip("-")[:40]
    return f"{slug or 'run'}-{digest[:_DIGEST_CHARS]}"


def _text(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else ", ".join(value)
