"""What a request requires: its queue, its model key and its cost key."""

from __future__ import annotations

import hashlib

from workbench.engines.completion import CompleteRequest
from workbench.jobs.store import NewJob
from workbench.rendering import RenderRequest

__all__ = ["describe", "model_key"]


def describe(
    complete: CompleteRequest,
    *,
    job_id: str,
    priority: int,
    created_at: float,
    batch_id: str | None = None,
    position: int = 0,
    session_id: str | None = None,
    entry_index: int | None = None,
    parent_prompt: str = "",
    preview_of: str | None = None,
    preview_job_id: str | None = None,
) -> NewJob:
    """Return the job that renders ``complete``."""
    request = complete.request
    return NewJob(
        job_id=job_id,
        batch_id=batch_id,
        position=position,
        session_id=session_id,
        entry_index=entry_index,
        parent_prompt=parent_prompt,
        priority=int(priority),
        request=request.model_dump_json(),
        prompt=request.prompt,
        # A render with a placeholder is slow on any device: it must not delay placeholders.
        queue="gpu" if complete.needs_gpu else "slow" if preview_job_id else "cpu",
        model_key=model_key(request),
        cost_key=_cost_key(request),
        created_at=created_at,
        preview_of=preview_of,
        preview_job_id=preview_job_id,
    )


def model_key(request: RenderRequest) -> str:
    """Return the key shared by requests that a worker serves without reloading a model."""
    if not request.model:
        return ""
    return f"{request.engine}:{request.weights_key}:{request.profile}"


def _cost_key(request: RenderRequest) -> str:
    """Return the key shared by equal work: engine, model, size, length and steps."""
    facts = (
        request.engine,
        request.weights_key,
        request.profile,
        request.width,
        request.height,
        request.num_frames,
        request.num_inference_steps,
        sorted((key, str(value)) for key, value in request.options.items()),
    )
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:24]
