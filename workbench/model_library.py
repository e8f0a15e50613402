"""The video models on this machine as REST and the screen list them, and how each would run here."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, Field

from workbench.engines.diffusers.host_memory import available_bytes
from workbench.engines.diffusers.library import LibraryModel, find_model, find_models
from workbench.studio import Studio

__all__ = ["ModelInputs", "ModelObject", "inputs_of_model", "model_objects"]

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


class ModelInputs(BaseModel):
    """What a page may offer beside the prompt, of the model that renders."""

    takes: list[str] = Field(description="The inputs, as in a render: `image`, `mask` and so on.")
    control_kinds: list[str] = Field(description="The kinds of `control`.")
    components: list[str] = Field(description="What can be quantised apart.")


def inputs_of_model(engine: str, model: str) -> ModelInputs | None:
    """Return what a model takes; None where that is not known: it is not on this machine."""
    if engine == "animatic":
        return ModelInputs(takes=[], control_kinds=[], components=[])
    found = find_model(model) if engine == "diffusers" and model else None
    if found is None:
        return None
    return ModelInputs(
        takes=[name for name in found.takes if name != "text"],
        control_kinds=list(found.control_kinds),
        components=sorted(found.size_bytes),
    )


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
