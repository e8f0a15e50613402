"""Render requests, progress reports, recipes and outcomes.

The types shared by the job manager and the engines; knows neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from workbench.scene import Scene

__all__ = [
    "RECIPE_VERSION",
    "REPLACEABLE",
    "Lora",
    "Outcome",
    "Profile",
    "Progress",
    "Quantisation",
    "Recipe",
    "RenderRequest",
]

RECIPE_VERSION: Final = 1

_Seed = Annotated[int, Field(ge=0, le=2**63 - 1)]

Profile = Literal["reference", "exact", "fast", "draft"]
Quantisation = Literal["none", "fp8", "int8", "nf4"]
REPLACEABLE: Final = ("transformer", "transformer_2", "text_encoder", "vae")
"""Components of a model that a request may replace, by parameter."""


class Lora(BaseModel):
    """A LoRA to apply to a model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str = Field(min_length=1, max_length=4_096)
    """A safetensors file, a folder that holds one, or a hub name."""
    weight: float = Field(1.0, ge=-10, le=10, allow_inf_nan=False)
    """Its strength; 0 renders as without it."""
    stage: Literal["high", "low"] | None = None
    """For a model with two transformers: the one for high or for low noise; None means both, unless
    the file's name says ``high_noise`` or ``low_noise``."""
    file: str = Field("", max_length=512)
    """Which file, where ``path`` holds several."""


class RenderRequest(BaseModel):
    """Everything an engine needs to render one video. Parameter names follow diffusers.

    ``None`` means the engine's default. Sizes are in pixels, ``fps`` in frames per second.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt: str = Field(min_length=1)
    """The prompt as the user sees it."""
    model_prompt: str = ""
    """The prompt sent to the model, without markers; empty means ``prompt`` is sent."""
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
    loras: tuple[Lora, ...] = Field((), max_length=16)
    transformer: str = ""
    """Weights in place of the model's own: a folder, a ``.safetensors`` or a ``.gguf`` file."""
    transformer_2: str = ""
    text_encoder: str = ""
    vae: str = ""
    quantize: Quantisation | Mapping[str, Quantisation] = "none"
    """How the denoisers are quantised, or each component by name."""
    options: Mapping[str, Any] = Field(default_factory=dict)
    """Parameters specific to one engine."""

    @property
    def text_for_model(self) -> str:
        """The prompt to send to the model."""
        return self.model_prompt or self.prompt

    @property
    def weights_key(self) -> str:
        """What requests share that one loaded model can serve: everything but their LoRAs."""
        named = [f"{name}={given}" for name in REPLACEABLE if (given := getattr(self, name))]
        if self.quantize != "none":
            named.append(f"quantize={self.quantize}")
        return ";".join((f"{self.model}@{self.revision}", *named))


@dataclass(frozen=True, slots=True)
class Progress:
    """One progress report of a running render."""

    stage: str
    """The current stage: ``loading``, ``drawing``, ``denoising``, ``decoding``, ``encoding``."""
    step: int = 0
    total: int = 0
    """Total steps of the render; 0 if unknown."""
    message: str = ""
    preview: bytes | None = None
    """A small preview image, as JPEG or WebP."""

    @property
    def fraction(self) -> float:
        """Completed share, 0 to 1."""
        return min(1.0, self.step / self.total) if self.total else 0.0


class Outcome(BaseModel):
    """The result of a render. Known only at the end, so not part of the embedded recipe."""

    model_config = ConfigDict(frozen=True, extra="allow")

    width: int
    height: int
    num_frames: int
    fps: float
    size_bytes: int
    sha256: str
    """SHA-256 of ``video.mp4``."""
    timings_s: Mapping[str, float] = Field(default_factory=dict)


class Recipe(BaseModel):
    """Everything needed to render a video again and to trace its origin.

    ``recipe.json`` holds all of it; the mp4 metadata hold it without the outcome. Fields written by
    a newer release are preserved.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    version: int = Field(RECIPE_VERSION, ge=1)
    job_id: str
    batch_id: str | None = None
    session_id: str | None = None
    parent_prompt: str = ""
    """The prompt this one was derived from."""
    attempt: int = Field(1, ge=1)
    created_at: datetime
    request: RenderRequest
    """The request with all defaults filled in."""
    device: str = ""
    """Device name and hardware."""
    libraries: Mapping[str, str] = Field(default_factory=dict)
    """Versions of the libraries used."""
    outcome: Outcome | None = None
