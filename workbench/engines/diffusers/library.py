"""The models on this machine: in the folders of ``WORKBENCH_MODELS`` and in the hub's cache.

Reads folders, configurations and headers of weight files; loads nothing and asks no network.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from workbench.engines.diffusers.conditioning import inputs_of, kinds_of, media_of, needs_of
from workbench.engines.diffusers.families import Family, ModelFacts, family_of
from workbench.engines.diffusers.memory import MemoryPlan, is_denoiser, need_of, plan_memory
from workbench.engines.diffusers.own_weights import bits_of
from workbench.engines.diffusers.pipeline_classes import (
    class_problem,
    makes_no_video,
    takes_loras,
)
from workbench.engines.diffusers.weights import Weights, find_weights, hub_cache, model_facts
from workbench.rendering import Quantisation, RenderRequest
from workbench.settings import Settings

__all__ = ["LibraryModel", "OnDevice", "find_model", "find_models"]

_USUAL_BITS: Final = 16
_LEAST_FIRST: Final[tuple[Quantisation, ...]] = ("none", "fp8", "nf4")
_DEEPEST: Final = 3
"""Levels of subfolders searched below a folder of models."""


@dataclass(frozen=True, slots=True)
class OnDevice:
    """How a model would run on one device, at its family's default size."""

    device: str
    """Such as ``cuda:0``."""
    quantize: Quantisation
    """The least quantisation of its denoisers with which it fits."""
    plan: MemoryPlan
    seconds_per_step: float | None = None
    """Of its last render there; None if there was none."""
    measured_on: str = ""
    """Size, length and quantisation of that render."""


@dataclass(frozen=True, slots=True)
class LibraryModel:
    """One video model on this machine."""

    name: str
    """The name to use in a request: a hub name or a folder."""
    family: str
    title: str
    class_name: str
    size_bytes: Mapping[str, int]
    """By component, at 16 bits per number."""
    takes: tuple[str, ...]
    """What it can start from: ``text``, ``image``, ``last_image``, ``video``, ``mask``,
    ``references``, ``keyframes``, ``control``; and what else it follows: ``camera``, ``actions``,
    ``loras``."""
    control_kinds: tuple[str, ...]
    """The kinds of control that it was trained on."""
    problems: tuple[str, ...]
    """Why it cannot be loaded: missing and damaged files, or a class that cannot run here."""
    takes_camera: bool
    """Whether it follows the poses of a camera path."""
    _family: Family = field(repr=False)
    _facts: ModelFacts = field(repr=False)
    modular: bool = False
    devices: tuple[OnDevice, ...] = ()
    """How it would run on each device here, if asked for."""

    @property
    def is_for_videos(self) -> bool:
        """Whether it makes videos, as far as its class tells."""
        return self._family.known or not makes_no_video(self.class_name)

    def plan_on(self, free_bytes: int | None, host_bytes: int | None) -> MemoryPlan:
        """Return how it would run at its family's default size, with this much free memory."""
        return self._plan("none", free_bytes, host_bytes)

    def easiest_on(
        self, free_bytes: int | None, host_bytes: int | None
    ) -> tuple[Quantisation, MemoryPlan]:
        """Return the least quantisation with which it fits, and the plan with it.

        ``none`` and its plan if even four bits do not fit.
        """
        for how in _LEAST_FIRST:
            plan = self._plan(how, free_bytes, host_bytes)
            if not plan.problem and not plan.hardly:
                return how, plan
        return "none", self.plan_on(free_bytes, host_bytes)

    def _plan(
        self, how: Quantisation, free_bytes: int | None, host_bytes: int | None
    ) -> MemoryPlan:
        own = self._family.defaults
        request = RenderRequest(
            prompt="a plan", width=own.width, height=own.height, num_frames=own.num_frames
        )
        bits = _USUAL_BITS if how == "none" else bits_of(how)
        sizes = {
            name: int(size * bits / _USUAL_BITS) if is_denoiser(name) else size
            for name, size in self.size_bytes.items()
        }
        wide = self.size_bytes if how == "fp8" or self.modular else {}
        need = need_of(request, self._family, sizes, self._facts.configs, through_host=wide)
        return plan_memory(need, free_bytes, host_bytes, modular=self.modular)


def find_models(settings: Settings) -> list[LibraryModel]:
    """Return every video model on this machine, by name; models of images are left out."""
    found = [_entry(name, weights) for name, weights in sorted(dict(_places(settings)).items())]
    return [one for one in found if one.is_for_videos]


def find_model(name: str) -> LibraryModel | None:
    """Return one model by its name in a request; None if it is not on this machine."""
    weights = find_weights(name)
    return None if weights is None else _entry(name, weights)


def _places(settings: Settings) -> Iterator[tuple[str, Weights]]:
    for root in filter(None, settings.models.split(os.pathsep)):
        for folder in _folders(Path(root).expanduser(), _DEEPEST):
            yield str(folder), Weights(folder, "")
    for home in sorted(hub_cache().glob("models--*--*")):
        name = home.name.removeprefix("models--").replace("--", "/", 1)
        if (weights := find_weights(name)) is not None:
            yield name, weights
    if settings.model and (weights := find_weights(settings.model)) is not None:
        yield settings.model, weights


def _folders(folder: Path, depth: int) -> Iterator[Path]:
    """Yield the folders of models in ``folder``, itself included."""
    if any((folder / name).is_file() for name in ("model_index.json", "modular_model_index.json")):
        yield folder.resolve()
    elif depth and folder.is_dir():
        for inner in sorted(folder.iterdir()):
            if inner.is_dir() and not inner.name.startswith("."):
                yield from _folders(inner, depth - 1)


def _entry(name: str, weights: Weights) -> LibraryModel:
    facts = model_facts(name, weights)
    family = family_of(facts)
    takes = [] if needs_of(facts, family) else ["text"]
    takes += media_of(facts, family) or ()
    own = inputs_of(facts.class_name)
    takes_camera = own is not None and bool(own.camera)
    if takes_camera:
        takes.append("camera")
    trained = facts.configs.get("transformer", {}).get("action_gen", False)
    if own is not None and own.actions and trained:
        takes.append("actions")
    parts = (entry for name, entry in facts.index.items() if is_denoiser(name))
    if any(isinstance(entry, list) and takes_loras(str(entry[-1])) for entry in parts):
        takes.append("loras")
    return LibraryModel(
        name=name,
        family=family.name,
        title=family.title,
        class_name=facts.class_name,
        size_bytes={
            part: stored.bytes_at(_USUAL_BITS) for part, stored in weights.stored().items()
        },
        takes=tuple(takes),
        control_kinds=kinds_of(facts, family),
        problems=tuple(filter(None, (class_problem(family, facts), *weights.problems(name)))),
        takes_camera=takes_camera,
        _family=family,
        _facts=facts,
        modular=weights.modular,
    )
