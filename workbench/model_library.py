"""The video models on this machine, and how each would run here, for REST and the screen."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, Field

from workbench.engines.diffusers.fetching import check_fetchable
from workbench.engines.diffusers.host_memory import available_bytes
from workbench.engines.diffusers.library import LibraryModel, find_model, find_models
from workbench.errors import Conflict, EngineUnavailable
from workbench.studio import Studio

__all__ = [
    "DownloadObject",
    "ModelInputs",
    "ModelObject",
    "begin_fetching",
    "download_objects",
    "inputs_of_model",
    "model_objects",
]

_GIB: Final = 1 << 30


class ModelObject(BaseModel):
    """A video model on this machine."""

    name: str = Field(description="The value of `model` in a render: a folder or a hub name.")
    title: str
    family: str
    takes: list[str] = Field(description="Accepted inputs: `text`, `image`, `video`.")
    size_gib: float = Field(description="Size of its weights at 16 bits per parameter.")
    problems: list[str] = Field(description="Why it cannot be loaded; empty if it can.")
    fits: bool | None = Field(
        description="Whether it runs on the largest GPU here; null if unknown."
    )
    plan: str = Field(description="How it would run there, or why it cannot.")


class DownloadObject(BaseModel):
    """A download from the hub, running or ended, since the server started."""

    model: str
    bytes_here: int
    total_bytes: int = Field(description="0 while unknown.")
    is_done: bool
    problem: str = Field(description="Why the download failed and what to do.")


def begin_fetching(studio: Studio, model: str) -> None:
    """Fetch a model from the hub in the background; :func:`download_objects` reports progress.

    Raises ``InvalidRequest`` for an invalid hub name, ``Conflict`` with the command to run if the
    hub is not allowed.
    """
    try:
        check_fetchable(model, studio.settings)
    except EngineUnavailable as error:
        raise Conflict(str(error)) from error
    studio.model_downloads.start(model)


def download_objects(studio: Studio) -> list[DownloadObject]:
    """Return the downloads that :func:`begin_fetching` started, by name."""
    return [
        DownloadObject(
            model=name,
            bytes_here=one.bytes_here,
            total_bytes=one.total_bytes,
            is_done=one.is_done,
            problem=one.problem,
        )
        for name, one in sorted(studio.model_downloads.known.items())
    ]


class ModelInputs(BaseModel):
    """The inputs besides the prompt that a page can offer for a model."""

    takes: list[str] = Field(
        description="Accepted inputs, named as in a render: `image`, `mask` and so on."
    )
    control_kinds: list[str] = Field(description="Accepted kinds of `control`.")
    components: list[str] = Field(description="Components that can be quantised separately.")
    takes_camera: bool = Field(False, description="Whether it follows the poses of a camera path.")


def inputs_of_model(engine: str, model: str) -> ModelInputs | None:
    """Return the inputs of a model; None if unknown, as the model is not on this machine."""
    if engine == "animatic":
        return ModelInputs(takes=[], control_kinds=[], components=[])
    found = find_model(model) if engine == "diffusers" and model else None
    if found is None:
        return None
    return ModelInputs(
        takes=[name for name in found.takes if name != "text"],
        control_kinds=list(found.control_kinds),
        components=sorted(found.size_bytes),
        takes_camera=found.takes_camera,
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
