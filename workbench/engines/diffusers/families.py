"""Model families: their rules and recommended values, read from ``families.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from fnmatch import fnmatch
from functools import cache
from importlib import resources
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from workbench.engines.diffusers.cache_options import StepCache
from workbench.frame_rates import whole_if_whole

__all__ = ["Family", "MemoryRule", "ModelFacts", "Rule", "families", "family_of"]

_FPS: Final = ("fps", "frame_rate", "sample_fps", "default_fps", "base_fps")
"""What configurations name the frame rate."""


class Rule(BaseModel):
    """The allowed values of a number: ``every``·k + ``plus``, at least ``least``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    every: int = Field(1, ge=1)
    plus: int = Field(0, ge=0)
    least: int = Field(1, ge=1)

    def allows(self, value: int) -> bool:
        """Return whether ``value`` is allowed."""
        return value >= self.least and (value - self.plus) % self.every == 0

    def near(self, value: int) -> tuple[int, int]:
        """Return the allowed numbers just below (or the least) and just above ``value``."""
        below = max(self.least, (value - self.plus) // self.every * self.every + self.plus)
        return below, below + self.every if below <= value else below


class _Defaults(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    width: int | None = None
    height: int | None = None
    num_frames: int | None = None
    fps: int | float | None = None
    num_inference_steps: int | None = None
    guidance_scale: float | None = None


class MemoryRule(BaseModel):
    """What a family needs beyond its weights; see the top of ``families.toml``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    denoise: int = 120
    decode: int = 320
    decode_frames: int | None = None


class Family(BaseModel):
    """One model family; fields are explained at the top of ``families.toml``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    classes: tuple[str, ...] = ()
    hub: tuple[str, ...] = ()
    when: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)
    multiple: int = 1
    widths: Rule | None = None
    heights: Rule | None = None
    frames: Rule = Rule()
    most_frames: int | None = None
    most_pixels: int | None = None
    names: Mapping[str, str] = Field(default_factory=dict)
    fixed: Mapping[str, Any] = Field(default_factory=dict)
    fixed_vae: Literal["", "tiled"] = ""
    guidance: Literal["call", "guider", "none"] = "call"
    needs: tuple[str, ...] = ()
    sections: Rule | None = None
    stages: int = Field(1, ge=1)
    refused: str = ""
    needs_packages: tuple[str, ...] = ()
    needs_packages_when: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)
    variants: tuple[str, ...] = ()
    inputs_when: Mapping[str, Mapping[str, Mapping[str, Any]]] = Field(default_factory=dict)
    stream: Literal["decoder", "chunks", "whole"] = "whole"
    cache: tuple[StepCache, ...] = ()
    scale: int = Field(1, ge=1)
    writer: Literal["long", "short", "tags"] = "long"
    safety: Literal["", "cosmos"] = ""
    defaults: _Defaults = _Defaults()
    draft: _Defaults = _Defaults()
    options: Mapping[str, Any] = Field(default_factory=dict)
    flow_shift: float | None = None
    dtype: Literal["bfloat16", "float16", "float32"] = "bfloat16"
    vae_dtype: Literal["bfloat16", "float16", "float32"] | None = None
    negative: str = ""
    memory: MemoryRule = MemoryRule()

    def size_rule(self, name: str) -> Rule:
        """Return the rule of ``width`` or ``height``."""
        own = self.widths if name == "width" else self.heights
        return own or Rule(every=self.multiple, least=self.multiple)

    def sections_of(self, num_frames: int) -> int:
        """Return in how many sections a video is made; each takes all steps."""
        if self.sections is None:
            return 1
        return max(1, -(-(num_frames - self.sections.plus) // self.sections.every))

    def frames_at_once(self, num_frames: int) -> int:
        """Return how many frames are in memory: a section is whole even in a shorter video."""
        return self.sections.every + self.sections.plus if self.sections else num_frames

    def packages_for(self, facts: ModelFacts) -> tuple[str, ...]:
        """Return the packages that this model needs."""
        return self.needs_packages if _stands(self.needs_packages_when, facts) else ()

    def allows(self, name: str, facts: ModelFacts) -> bool:
        """Return whether these weights can use the input ``name``, if their pipeline takes it.

        True if unknown because the weights are not downloaded yet.
        """
        rule = self.inputs_when.get(name, {})
        known = {part: wanted for part, wanted in rule.items() if part == "index" or facts.configs}
        return not facts.class_name or _stands(known, facts)

    @property
    def known(self) -> bool:
        """Whether this is a family with its own rules, not the general one."""
        return bool(self.classes)

    @property
    def negative_prompt(self) -> str:
        """The negative prompt that the authors recommend; may be empty."""
        return _table("negatives.toml")[self.negative] if self.negative else ""


GENERAL = Family(name="general", title="this model")
"""For unknown pipelines: the pipeline's own defaults apply."""


class ModelFacts(BaseModel):
    """Facts of a model, known without loading it."""

    model_config = ConfigDict(frozen=True)

    hub_name: str = ""
    class_name: str = ""
    """The pipeline class; empty if ``model_index.json`` is missing."""
    index: Mapping[str, Any] = Field(default_factory=dict)
    """The whole ``model_index.json``."""
    configs: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)
    """``config.json`` of the components."""

    @property
    def own_fps(self) -> float | None:
        """Frames per second that the model's own configuration names, from 1 to 120."""
        for table in (self.index, *self.configs.values()):
            for name in _FPS:
                value = table.get(name)
                if isinstance(value, int | float) and 1 <= value <= 120:
                    return whole_if_whole(value)
        return None


def families() -> tuple[Family, ...]:
    """Return every family, in the order in which they are tried."""
    return tuple(Family(name=name, **entry) for name, entry in _table("families.toml").items())


def family_of(facts: ModelFacts) -> Family:
    """Return the family of a model, by its class if known, otherwise by its hub name.

    Unknown models get :data:`GENERAL`.
    """
    return next((family for family in _families() if _claims(family, facts)), GENERAL)


@cache
def _families() -> tuple[Family, ...]:
    return families()


def _claims(family: Family, facts: ModelFacts) -> bool:
    if facts.class_name:
        return facts.class_name in family.classes and _stands(family.when, facts)
    name = facts.hub_name.lower()
    return any(fnmatch(name, pattern) for pattern in family.hub)


def _stands(when: Mapping[str, Mapping[str, Any]], facts: ModelFacts) -> bool:
    return all(
        _holds(facts.index if part == "index" else facts.configs.get(part, {}), wanted)
        for part, wanted in when.items()
    )


def _holds(table: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(_present(table.get(key)) if value is True else table.get(key) == value
               for key, value in wanted.items())  # fmt: skip


def _present(value: Any) -> bool:
    """Return whether a component or flag is present; an absent one reads ``[null, null]``."""
    return bool(value) and value != [None, None]


@cache
def _table(name: str) -> dict[str, Any]:
    text = resources.files("workbench.engines.diffusers").joinpath(name).read_text("utf-8")
    return tomllib.loads(text)
