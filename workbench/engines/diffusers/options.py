"""The options that the diffusers engine alone understands, validated before a job is queued."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workbench.errors import FieldProblem

__all__ = ["AS_RENDERED", "Options", "option_problems", "read_options"]

AS_RENDERED = "as_rendered"
"""The option under which a recipe says what was in effect; ignored when a recipe is rendered again."""

_RESERVED = frozenset(
    {
        "prompt", "negative_prompt", "width", "height", "num_frames", "frames", "video_length",
        "num_inference_steps", "guidance_scale", "generator", "output_type", "return_dict",
        "callback_on_step_end", "callback_on_step_end_tensor_inputs", "num_videos_per_prompt",
        "num_images_per_prompt", "latents", "image", "video",
    }
)  # fmt: skip


class Options(BaseModel):
    """What ``request.options`` may hold for this engine; everything has a default."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    image: str | None = None
    """Path of a picture to begin from."""
    last_image: str | None = None
    """Path of a picture to end at, where the pipeline takes one."""
    video: str | None = None
    """Path of a video to begin from, or to change."""
    strength: float | None = Field(None, ge=0, le=1)
    """How far a video is changed: 0 not at all, 1 wholly."""
    guidance_scale_2: float | None = Field(None, ge=0, le=100)
    """Guidance of the second, low-noise transformer, where there are two."""
    true_cfg_scale: float | None = Field(None, ge=0, le=100)
    """Classifier-free guidance of models distilled for embedded guidance."""
    flow_shift: float | None = Field(None, gt=0, le=100)
    """The scheduler's shift of noise levels."""
    decode_timestep: float | None = Field(None, ge=0, le=1)
    decode_noise_scale: float | None = Field(None, ge=0, le=1)
    max_sequence_length: int | None = Field(None, ge=1, le=4_096)
    """Longest prompt, in tokens."""
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = "auto"
    memory: Literal["auto", "full", "model_offload", "group_offload"] = "auto"
    tiled_vae: bool | None = None
    """Whether the VAE decodes in tiles; None: where memory asks for it."""
    attention: str = "auto"
    """Attention backend of diffusers; ``auto`` takes the best that really works here."""
    compile: bool | None = None
    """Whether the transformer's blocks are compiled; None: as the profile says."""
    quick_parts: bool = True
    """Whether the VAE and the projections may take their quicker way on a GPU."""
    cache: Literal["auto", "none", "first-block", "pyramid"] = "auto"
    cache_threshold: float = Field(0.1, gt=0, le=1)
    """How much change the first-block cache ignores."""
    safety_checker: bool = True
    """Whether a family's own safety checker is used, where it has one."""
    previews: int = Field(6, ge=0, le=50)
    """How many previews are shown while denoising."""
    # as the encoder has them; it is not imported here, for a server has no need of it
    quality: Literal["phone", "light", "standard", "high"] = "standard"
    effort: Literal["live", "balanced", "thorough"] = "balanced"
    encoder: Literal["software", "auto"] = "software"
    call: Mapping[str, Any] = Field(default_factory=dict)
    """Further parameters of the pipeline's own call, by name; plain JSON values."""


def read_options(options: Mapping[str, Any]) -> Options:
    """Return ``options`` as an object; raises pydantic's ``ValidationError``."""
    return Options.model_validate({k: v for k, v in options.items() if k != AS_RENDERED})


def option_problems(options: Mapping[str, Any]) -> list[FieldProblem]:
    """Return what is wrong with ``options``, one problem a field; empty when nothing is."""
    try:
        read = read_options(options)
    except ValidationError as error:
        return [
            FieldProblem(".".join(("options", *map(str, one["loc"]))), _sentence(one))
            for one in error.errors()
        ]
    return [
        FieldProblem(
            f"options.call.{name}", f"{name!r} is set by the request, not by options.call."
        )
        for name in read.call
        if name in _RESERVED
    ]


def _sentence(error: Mapping[str, Any]) -> str:
    if error["type"] == "extra_forbidden":
        return f"The diffusers engine has no option {error['loc'][0]!r}."
    return f"{error['msg']}."
