"""Starts a journey: from an idea, a prompt, or earlier work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from workbench.engines.diffusers.fetching import fetch_model as fetched
from workbench.engines.diffusers.library import LibraryModel
from workbench.jobs.client.deleting import Storage
from workbench.jobs.model import Device
from workbench.journey.batches import Batch
from workbench.journey.live_worlds import LiveWorld
from workbench.journey.prompts import Prompt, Session
from workbench.journey.videos import Video, named_inputs
from workbench.journey.worlds import World
from workbench.model_library import models_on_devices
from workbench.settings import Settings
from workbench.studio import RenderParameters, Studio

__all__ = [
    "devices",
    "enhance",
    "fetch_model",
    "live",
    "models",
    "open_batch",
    "open_session",
    "open_video",
    "open_world",
    "render",
    "start",
    "storage",
    "studio",
]


@cache
def studio() -> Studio:
    """Return this process's Studio, created from the environment's settings on first use."""
    return Studio(Settings())


def enhance(rough_prompt: str, *, seed: int | None = None, using: Studio | None = None) -> Session:
    """Turn a rough idea into a full prompt, and return its new session.

    The same ``seed`` gives the same prompt. Raises ``InvalidRequest`` for an empty idea or one of
    more than 4,000 characters (a setting).
    """
    used = using or studio()
    used.run(used.warm_up())  # a render is likely to follow
    session_id, _ = used.run(used.enhance(rough_prompt, seed=seed))
    return Session(session_id, using=used)


def start(prompt: str, *, using: Studio | None = None) -> Session:
    """Start a session from a prompt as it is, with the scene found in it.

    Raises ``InvalidRequest`` for an empty prompt or one of more than 4,000 characters.
    """
    used = using or studio()
    used.run(used.warm_up())
    session_id, _ = used.run(used.sessions.initialize(prompt))
    return Session(session_id, using=used)


def render(
    prompts: str | Prompt | Sequence[str | Prompt],
    *,
    name: str = "",
    using: Studio | None = None,
    **parameters: Any,
) -> Batch:
    """Queue ``prompts`` as one batch and return at once.

    All share one seed, random unless given, so that they differ only by their prompts.
    ``parameters`` are those of :class:`workbench.rendering.RenderParameters`: ``seed``, ``engine``,
    ``model``, ``width``, ``height``, ``num_frames``, ``fps``, ``num_inference_steps``,
    ``guidance_scale``…, and ``image``, ``last_image`` or ``video`` to start from, if the model
    accepts one: a path, or a finished :class:`Video`, whose last frame is used; ``camera`` is the
    camera path: words, keys, a ``CameraPath``, or the path of its file. Raises ``TypeError`` for an
    unknown parameter, ``InvalidRequest`` for a value out of range, before anything is queued.
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
            parameters=RenderParameters.of(named_inputs(parameters)),
        )
    )
    return Batch(record.batch_id, using=used)


def live(
    prompt: str | Prompt,
    *,
    seconds: float | None = None,
    using: Studio | None = None,
    **parameters: Any,
) -> LiveWorld:
    """Return a world to be steered while it is seen, for at most ``seconds``.

    The storyboard, or the world of the remote endpoint if ``WORKBENCH_REMOTE_WORLDS`` says that it
    has worlds; ``engine`` (``animatic``, ``realtime``) chooses in any case. A storyboard lasts 30 s
    unless said otherwise; its figures pace themselves by that. ``parameters`` are those of
    :func:`render`, such as ``image``, ``seed``, ``width`` and ``height``. Raises ``InvalidRequest``
    for what it cannot do.
    """
    own = prompt.session.studio if isinstance(prompt, Prompt) else None
    return LiveWorld(prompt, using=using or own or studio(), seconds=seconds, **parameters)


def open_session(session_id: str, *, using: Studio | None = None) -> Session:
    """Return an existing session; raises ``NotFound``."""
    used = using or studio()
    used.sessions.session(session_id)
    return Session(session_id, using=used)


def open_batch(batch_id: str, *, using: Studio | None = None) -> Batch:
    """Return an existing batch; raises ``NotFound``."""
    used = using or studio()
    used.jobs.batch(batch_id)
    return Batch(batch_id, using=used)


def open_video(job_id: str, *, using: Studio | None = None) -> Video:
    """Return an existing render; raises ``NotFound``."""
    used = using or studio()
    used.jobs.job(job_id)
    return Video(job_id, using=used)


def models(*, using: Studio | None = None) -> list[LibraryModel]:
    """Return the video models on this machine, with their family, sizes and inputs.

    Looks in the folders of ``WORKBENCH_MODELS`` and in the hub's cache; ``devices`` of each says how
    it would run on each GPU here, ``plan_on`` how with a given amount of free memory.
    """
    return models_on_devices(using or studio())


def fetch_model(
    model: str,
    *,
    revision: str = "",
    on_progress: Callable[[int, int], object] | None = None,
    using: Studio | None = None,
) -> Path:
    """Fetch a model from the hub and return its folder; files already here are not fetched again.

    ``on_progress`` is called with the bytes fetched so far and the total. A broken download resumes
    where it stopped. Raises ``InvalidRequest`` if ``model`` is not a hub name or not a diffusers
    pipeline, ``EngineUnavailable``, with advice, if the hub is not allowed
    (``WORKBENCH_ALLOW_HUB``) or cannot be reached.
    """
    settings = (using or studio()).settings
    return fetched(model, settings, revision=revision, on_progress=on_progress).folder


def storage(*, using: Studio | None = None) -> Storage:
    """Return the space that finished videos take, in total and by session."""
    return (using or studio()).jobs.storage()


def devices(*, using: Studio | None = None) -> tuple[Device, ...]:
    """Return every device and its activity; unknown readings are None."""
    return (using or studio()).jobs.devices()


def open_world(batch_id: str, *, using: Studio | None = None) -> World:
    """Return a branch of a rolled-out world by its batch; raises ``NotFound``."""
    return World(batch_id, using=using or studio())
