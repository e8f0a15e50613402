"""Presets for weights distilled to few steps, read from ``presets.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from fnmatch import fnmatch
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from workbench.rendering import RenderRequest

__all__ = ["Preset", "preset_for", "presets", "unproven_of"]


class Preset(BaseModel):
    """How to run distilled weights; the fields are explained at the top of ``presets.toml``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    families: tuple[str, ...]
    names: tuple[str, ...]
    num_inference_steps: int
    guidance_scale: float
    flow_shift: float | None = None
    options: Mapping[str, Any] = Field(default_factory=dict)
    call: Mapping[str, Any] = Field(default_factory=dict)
    classes: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)
    unproven: str = ""

    def call_of(self, class_name: str) -> dict[str, Any]:
        """Return the further parameters of the call of a pipeline class."""
        return {**self.call, **self.classes.get(class_name, {})}


@cache
def presets() -> tuple[Preset, ...]:
    """Return every preset, in the order in which they are tried."""
    text = (
        resources.files("workbench.engines.diffusers").joinpath("presets.toml").read_text("utf-8")
    )
    return tuple(Preset(name=name, **entry) for name, entry in tomllib.loads(text).items())


def preset_for(request: RenderRequest, family: str) -> Preset | None:
    """Return the preset for the request's weights; None if there is none.

    ``options.preset`` wins if it is set.
    """
    asked = request.options.get("preset", "auto")
    if asked != "auto":
        return next((one for one in presets() if one.name == asked), None)
    named = [_name(request.model), _name(request.transformer)]
    named += [_name(lora.path) for lora in request.loras if lora.weight]
    for preset in presets():
        if family in preset.families and any(
            fnmatch(name, pattern) for name in named for pattern in preset.names
        ):
            return preset
    return None


def unproven_of(name: str) -> str:
    """Return what is unproven of the preset of that name, as a clause; empty if nothing is."""
    return next((one.unproven for one in presets() if one.name == name), "")


def _name(path: str) -> str:
    """Return the names of the weights: the file or folder, and its hub name if cached."""
    given = Path(path)
    hub = [part for part in given.parts if part.startswith("models--")]
    return "/".join([*hub, given.name if given.is_absolute() else path]).lower()
