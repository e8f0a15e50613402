"""What a request requires: its queue, its model key and its cost key."""

from __future__ import annotations

import hashlib
from typing import Any

from workbench.engines.completion import CompleteRequest
from workbench.jobs.store import NewJob
from workbench.rendering import RenderRequest

__all__ = ["cost_key", "describe", "model_key"]


def describe(
    complete: CompleteRequest, *, preview_job_id: str | None = None, **placed: Any
) -> NewJob:
    """Return the job that renders ``complete``; ``placed`` are the remaining ``NewJob`` fields."""
    request = complete.request
    return NewJob(
        request=request.model_dump_json(),
        prompt=request.prompt,
        # A render with a placeholder is slow on any device: it must not delay placeholders.
        queue="gpu" if complete.needs_gpu else "slow" if preview_job_id else "cpu",
        model_key=model_key(request),
        cost_key=cost_key(request),
        preview_job_id=preview_job_id,
        **placed,
    )


def model_key(request: RenderRequest) -> str:
    """Return the key shared by requests that a worker serves without reloading a model."""
    if not request.model:
        return ""
    return f"{request.engine}:{request.weights_key}:{request.profile}"


def cost_key(request: RenderRequest) -> str:
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
