"""The video models on this machine, and how each would run here, for REST and the screen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from pydantic import BaseModel, Field

from workbench.engines.diffusers.fetching import check_fetchable
from workbench.engines.diffusers.host_memory import available_bytes
from workbench.engines.diffusers.library import (
    LibraryModel,
    OnDevice,
    find_model,
    find_models,
)
from workbench.errors import Conflict, EngineUnavailable, WorkbenchError
from workbench.jobs.model import Device, JobState
from workbench.studio import Studio

__all__ = [
    "DownloadObject",
    "ModelInputs",
    "ModelObject",
    "ModelOnDevice",
    "begin_fetching",
    "download_objects",
    "inputs_of_model",
    "model_objects",
    "models_on_devices",
]

_GIB: Final = 1 << 30
_NO_MEDIA: Final = frozenset({"text", "camera", "actions", "loras"})
_JOBS_READ: Final = 100
"""Newest finished jobs in which measured times are looked for."""


class ModelOnDevice(BaseModel):
    """How a model would run on one device, at its family's default size."""

    device: str = Field(description="Such as `cuda:0`.")
    label: str = Field(description="The hardware's own name.")
    fits: bool | None = Field(description="Whether it fits, by the estimate; null if unknown.")
    placement: str = Field(description="`options.memory` as planned; empty if it does not fit.")
    quantize: str = Field(
        description="The least `quantize` with which it fits: `none`, `fp8` or `nf4`."
    )
    plan: str = Field(description="How it would run there, or why it cannot and what to do.")
    seconds_per_step: float | None = Field(
        description="Measured in its last render there; null if there was none."
    )
    measured_on: str = Field(description="Size, length and quantisation of that render.")


class ModelObject(BaseModel):
    """A video model on this machine."""

    name: str = Field(description="The value of `model` in a render: a folder or a hub name.")
    title: str
    family: str
    takes: list[str] = Field(
        description="Accepted inputs, named as in a render: `text`, `image`, `camera`, `loras`."
    )
    control_kinds: list[str] = Field(description="Accepted kinds of `control`; empty if none.")
    size_gib: float = Field(description="Size of its weights at 16 bits per parameter.")
    components: dict[str, float] = Field(description="GiB of each component, counted alike.")
    problems: list[str] = Field(description="Why it cannot be loaded; empty if it can.")
    fits: bool | None = Field(
        description="Whether it runs on the largest GPU here; null if unknown."
    )
    plan: str = Field(description="How it would run there, or why it cannot.")
    devices: list[ModelOnDevice] = Field(
        default_factory=list, description="How it would run on each GPU here."
    )


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
        takes=[name for name in found.takes if name not in _NO_MEDIA],
        control_kinds=list(found.control_kinds),
        components=sorted(found.size_bytes),
        takes_camera=found.takes_camera,
    )


def model_objects(studio: Studio) -> list[ModelObject]:
    """Return every model, by name. Reads folders and headers; loads nothing."""
    cards = _cards(studio)
    largest = max((one.memory_total_bytes for one in cards if one.memory_total_bytes), default=None)
    labels = {one.name: one.label for one in cards}
    return [_object(model, largest, labels) for model in models_on_devices(studio)]


def models_on_devices(studio: Studio) -> list[LibraryModel]:
    """Return every model, by name, with how it would run on each GPU here."""
    cards = _cards(studio)
    steps = _measured_steps(studio) if cards else {}
    return [
        model if model.problems else replace(model, devices=tuple(_on(model, cards, steps)))
        for model in find_models(studio.settings)
    ]


def _cards(studio: Studio) -> list[Device]:
    return [one for one in studio.jobs.devices() if one.kind == "cuda"]


def _on(
    model: LibraryModel,
    cards: Sequence[Device],
    steps: Mapping[tuple[str, str], tuple[float, str]],
) -> Iterator[OnDevice]:
    for card in cards:
        if card.memory_total_bytes is None:
            continue
        host = None if card.host else available_bytes()
        how, plan = model.easiest_on(card.memory_total_bytes, host)
        seconds, measured_on = steps.get((model.name, card.name), (None, ""))
        yield OnDevice(card.name, how, plan, seconds, measured_on)


def _measured_steps(studio: Studio) -> dict[tuple[str, str], tuple[float, str]]:
    """Return the seconds of a step in the last render of each model on each device."""
    found: dict[tuple[str, str], tuple[float, str]] = {}
    for job in studio.jobs.jobs(state=JobState.COMPLETE, limit=_JOBS_READ).jobs:
        request = job.request
        key = (request.model, job.device or "")
        if request.engine != "diffusers" or key in found:
            continue
        with suppress(WorkbenchError):  # its files are gone
            outcome = studio.jobs.recipe(job.job_id).outcome
            seconds = outcome.timings_s.get("step") if outcome else None
            how = "" if request.quantize == "none" else f", quantize={request.quantize}"
            size = f"{request.width}×{request.height}, {request.num_frames} frames{how}"
            if seconds is not None:
                found[key] = seconds, size
    return found


def _on_device(one: OnDevice, label: str) -> ModelOnDevice:
    return ModelOnDevice(
        device=one.device,
        label=label,
        fits=not one.plan.problem and not one.plan.hardly,
        placement="" if one.plan.problem else one.plan.placement,
        quantize=one.quantize,
        plan=one.plan.problem or one.plan.reason,
        seconds_per_step=one.seconds_per_step,
        measured_on=one.measured_on,
    )


def _object(model: LibraryModel, card_bytes: int | None, labels: Mapping[str, str]) -> ModelObject:
    plan = None
    if card_bytes is not None and not model.problems:
        plan = model.plan_on(card_bytes, available_bytes())
    return ModelObject(
        name=model.name,
        title=model.title,
        family=model.family,
        takes=list(model.takes),
        control_kinds=list(model.control_kinds),
        size_gib=round(sum(model.size_bytes.values()) / _GIB, 1),
        components={name: round(size / _GIB, 3) for name, size in model.size_bytes.items()},
        problems=list(model.problems),
        fits=None if plan is None else not plan.problem,
        plan="" if plan is None else plan.problem or plan.reason,
        devices=[_on_device(one, labels[one.device]) for one in model.devices],
    )
