"""The video models on this machine as REST and the screen list them, and how each would run here."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, Field

from workbench.engines.diffusers.host_memory import available_bytes
from workbench.engines.diffusers.library import LibraryModel, find_models
from workbench.studio import Studio

__all__ = ["ModelObject", "model_objects"]

_GIB: Final = 1 << 30


class ModelObject(BaseModel):
    """A video model on this machine."""

    name: str = Field(description="What a render names it by in `model`: a folder or a hub name.")
    title: str
    family: str
    takes: list[str] = Field(description="What it starts from: `text`, `image`, `video`.")
    size_gib: float = Field(description="Its weights at 16 bits a number.")
    problems: list[str] = Field(description="Why it cannot be loaded; empty where it can.")
    fits: bool | None = Field(
        description="Whether it runs on the largest GPU here; null where that is not known."
    )
    plan: str = Field(description="How it would run there, or why not.")


def model_objects(studio: Studio) -> list[ModelObject]:
    """Return every model, by name. Reads folders and headers; loads nothing."""
    cards = [one.memory_total_bytes for one in studio.jobs.devices() if one.kind == "cuda"]
    largest = max((size for size in cards if size), default=None)
    return [_object(model, largest) for model in find_models(studio.settings)]


def _object(model: LibraryModel, card_bytes: int | None) -> ModelObject:
    plan = None
    if card_bytes is not None and not model.problems:
        plan = model.plan_on(card_bytes, available_bytes())
    return ModelObject(
        name=model.name,
        title=model.title,
        family=model.family,
        takes=list(model.takes),
        size_gib=round(sum(model.size_bytes.values()) / _GIB, 1),
        problems=list(model.problems),
        fits=None if plan is None else not plan.problem,
        plan="" if plan is None else plan.problem or plan.reason,
    )
