"""The journey in Python: sessions, prompts, batches and videos as objects.

For notebooks, papermill runs and scripts. A thin layer over Studio; every object is a view that
reads the shared job manager on access, so that two notebooks see the same state.
"""

from __future__ import annotations

from workbench.journey.batches import Batch
from workbench.journey.beginnings import (
    devices,
    enhance,
    fetch_model,
    live,
    models,
    open_batch,
    open_session,
    open_video,
    open_world,
    render,
    start,
    storage,
    studio,
)
from workbench.journey.formatters import register_records
from workbench.journey.language import LanguageModelList, language_models
from workbench.journey.live_worlds import LiveWorld
from workbench.journey.prompts import Prompt, Session
from workbench.journey.videos import Video, VideoList
from workbench.journey.worlds import World

__all__ = [
    "Batch",
    "LanguageModelList",
    "LiveWorld",
    "Prompt",
    "Session",
    "Video",
    "VideoList",
    "World",
    "devices",
    "enhance",
    "fetch_model",
    "language_models",
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

register_records()
