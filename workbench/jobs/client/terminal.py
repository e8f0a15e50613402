"""Prints jobs: a line each, a JSON object each, or the details of one."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Final

from workbench.errors import NotFound
from workbench.jobs.client.manager import JobManager
from workbench.jobs.model import Job, JobState

__all__ = ["counted", "details", "json_line", "line", "shortened"]

_PROMPT_CHARS: Final = 60


def line(job: Job, *, score: str = "") -> str:
    """Return one line: id, submission time, state, progress, position, prompt or error.

    With the name of a ``score``, its value precedes the prompt.
    """
    where = job.device or (f"#{job.queue_position}" if job.queue_position is not None else "-")
    told = shortened(job.error or job.request.prompt)
    asked = f"{job.created_at.astimezone():%m-%d %H:%M}"
    value = (job.scores or {}).get(score) if score else None
    told = told if value is None else f"{value:8.3g}  {told}"
    return f"{job.job_id}  {asked}  {job.state:<9} {job.progress:3.0f}%  {where:<7} {told}"


def json_line(job: Job) -> str:
    """Return one JSON object."""
    return json.dumps(
        {
            "job_id": job.job_id,
            "batch_id": job.batch_id,
            "state": job.state,
            "progress": job.progress,
            "device": job.device,
            "attempt": job.attempt,
            "created_at": job.created_at.isoformat(),
            "prompt": job.request.prompt,
            "error": job.error,
            "scores": None if job.scores is None else dict(job.scores),
        }
    )


def details(manager: JobManager, job: Job) -> str:
    """Return the details of one job: state, times, files."""
    request = job.request
    rate = f"{request.fps:.5g} fps" if request.fps else "fps not known"
    size = f"{request.width}×{request.height}, {request.num_frames} frames, {rate}"
    model = f" {request.model}" if request.model else ""
    facts = {
        "job": job.job_id,
        "batch": job.batch_id,
        "session": job.session_id,
        "state": _state(job),
        "waits": None if job.wait_s is None else f"about {job.wait_s:.0f} s more",
        "renders": None if job.eta_s is None else f"about {job.eta_s:.0f} s more",
        "device": job.device,
        "attempt": str(job.attempt) if job.attempt else None,
        "asked": _moment(job.created_at),
        "started": _moment(job.started_at),
        "ended": _moment(job.finished_at),
        "prompt": shortened(request.prompt, None),
        "render": f"{request.engine}{model}, {size}, seed {request.seed}",
        "starred": "yes" if job.starred else None,
        "error": shortened(job.error, None) if job.error else None,
        "video": _video(manager, job),
        "log": _log(manager, job),
    }
    return "\n".join(f"{name:<8} {told}" for name, told in facts.items() if told)


def counted(count: int, noun: str) -> str:
    """Return a number with its noun: ``1 job``, ``2 jobs``."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def shortened(text: str, limit: int | None = _PROMPT_CHARS) -> str:
    """Return ``text`` on one line, without control characters."""
    flat = "".join(letter if letter.isprintable() else " " for letter in text)
    return flat if limit is None or len(flat) <= limit else f"{flat[: limit - 1]}…"


def _state(job: Job) -> str:
    if job.state is JobState.QUEUED and job.queue_position is not None:
        return f"queued, {counted(job.queue_position, 'job')} ahead"
    if job.state is JobState.RUNNING:
        return f"running, {job.progress:.0f}% ({job.message or job.stage})"
    return str(job.state)


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment.astimezone():%Y-%m-%d %H:%M:%S %Z}"


def _video(manager: JobManager, job: Job) -> str | None:
    try:
        return f"{manager.video_path(job.job_id)} ({(job.video_bytes or 0) >> 10} KiB)"
    except NotFound:
        return None


def _log(manager: JobManager, job: Job) -> str | None:
    try:
        return str(manager.log_path(job.job_id))
    except NotFound:
        return None
