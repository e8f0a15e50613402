"""What a render is asked, what it says while it works, and what it leaves behind.

The language of the seam between the job manager and the engines; knows neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from workbench.scene import Scene

__all__ = ["RECIPE_VERSION", "Outcome", "Profile", "Progress", "Recipe", "RenderRequest"]

RECIPE_VERSION: Final = 1

_Seed = Annotated[int, Field(ge=0, le=2**63 - 1)]

Profile = Literal["reference", "exact", "fast", "draft"]


class RenderRequest(BaseModel):
    """All that an engine needs to make one video; parameter names are diffusers'.

    ``None`` stands for the engine's own default. Sizes are pixels, ``fps`` is frames per second.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt: str = Field(min_length=1)
    """The prompt as the user sees it."""
    model_prompt: str = ""
    """The prompt as the model gets it: without markers, in its family's form; empty: the same."""
    negative_prompt: str = ""
    scene: Scene = Field(default_factory=Scene)
    seed: _Seed = 0
    engine: str = "animatic"
    model: str = ""
    revision: str = ""
    profile: Profile = "exact"
    width: int | None = Field(None, ge=64, le=7_680)
    height: int | None = Field(None, ge=64, le=4_320)
    num_frames: int | None = Field(None, ge=1)
    fps: int | None = Field(None, ge=1, le=120)
    num_inference_steps: int | None = Field(None, ge=1, le=1_000)
    guidance_scale: float | None = Field(None, ge=0, le=100, allow_inf_nan=False)
    options: Mapping[str, Any] = Field(default_factory=dict)
    """Further parameters that one engine alone understands."""

    @property
    def text_for_model(self) -> str:
        """The prompt to hand to the model."""
        return self.model_prompt or self.prompt


@dataclass(frozen=True, slots=True)
class Progress:
    """One report of a render at work."""

    stage: str
    """What is being done: ``loading``, ``drawing``, ``denoising``, ``decoding``, ``encoding``."""
    step: int = 0
    total: int = 0
    """Steps of the whole render; 0 where that is not known."""
    message: str = ""
    preview: bytes | None = None
    """A small picture of the video so far, as JPEG or WebP."""

    @property
    def fraction(self) -> float:
        """How much is done, from 0 to 1."""
        return min(1.0, self.step / self.total) if self.total else 0.0


class Outcome(BaseModel):
    """How a render went; known only when it has ended, so not part of the embedded recipe."""

    model_config = ConfigDict(frozen=True, extra="allow")

    width: int
    height: int
    num_frames: int
    fps: float
    size_bytes: int
    sha256: str
    """Digest of ``video.mp4``."""
    timings_s: Mapping[str, float] = Field(default_factory=dict)


class Recipe(BaseModel):
    """Everything needed to make a video again, and to know where it came from.

    ``recipe.json`` holds it whole; the mp4's own metadata hold it without the outcome. Fields of a
    newer release are kept as they are.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    version: int = Field(RECIPE_VERSION, ge=1)
    job_id: str
    batch_id: str | None = None
    session_id: str | None = None
    parent_prompt: str = ""
    """The prompt that this one was made from."""
    attempt: int = Field(1, ge=1)
    created_at: datetime
    request: RenderRequest
    """With every default filled in."""
    device: str = ""
    """The device's name and the hardware behind it."""
    libraries: Mapping[str, str] = Field(default_factory=dict)
    """Version of each library that took part."""
    outcome: Outcome | None = None
