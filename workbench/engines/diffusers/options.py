"""The options of the diffusers engine, validated before a job is queued."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from workbench.engines.diffusers.cache_options import StepCache, cache_values, settings_problems
from workbench.engines.diffusers.presets import presets
from workbench.errors import FieldProblem
from workbench.rendering import Control, Keyframe, RolloutSegment, Tail

__all__ = ["AS_RENDERED", "Options", "option_problems", "read_options"]

AS_RENDERED = "as_rendered"
"""The option in which a recipe records the effective settings; ignored when re-rendering."""

_RESERVED = frozenset(
    {
        "prompt", "negative_prompt", "width", "height", "num_frames", "frames", "video_length",
        "num_inference_steps", "guidance_scale", "generator", "output_type", "return_dict",
        "callback_on_step_end", "callback_on_step_end_tensor_inputs", "num_videos_per_prompt",
        "num_images_per_prompt", "latents", "image", "video",
    }
)  # fmt: skip


_NO_AUDIO: Final = (
    "No video pipeline of this diffusers follows a sound that it is given: LTX-2 takes encoded sound "
    "as the start of its denoising only, and MiniMax-H3 is refused. LTX-2, "
    "Cosmos 3, Kandinsky 6 and Echo generate sound with the picture."
)


class Options(BaseModel):
    """The options of the diffusers engine; all have defaults."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    image: str | None = None
    """Path of the start image."""
    last_image: str | None = None
    """Path of the end image, if the pipeline takes one."""
    video: str | None = None
    """Path of the input video."""
    mask: str | None = None
    """Path of a picture or video, white where the input video may change."""
    references: tuple[str, ...] = Field((), max_length=16)
    """Paths of pictures of what is to be seen."""
    keyframes: tuple[Keyframe, ...] = Field((), max_length=64)
    """Images to show at given times."""
    control: Control | None = None
    """The control video to follow frame by frame."""
    rollout: RolloutSegment | None = None
    """Which segment of a rollout it is."""
    tail: Tail | None = None
    """What a segment goes on from; the job manager sets it."""
    strength: float | None = Field(None, ge=0, le=1)
    """How much the input video changes: 0 not at all, 1 completely."""
    guidance_scale_2: float | None = Field(None, ge=0, le=100)
    """Guidance of the second, low-noise transformer, if there are two."""
    true_cfg_scale: float | None = Field(None, ge=0, le=100)
    """Classifier-free guidance of models distilled for embedded guidance."""
    flow_shift: float | None = Field(None, gt=0, le=100)
    """The scheduler's shift of noise levels."""
    dmd_steps: tuple[float, ...] | None = Field(None, min_length=1, max_length=100)
    """Timesteps from 1000 to above 0 of weights distilled by distribution matching."""
    decode_timestep: float | None = Field(None, ge=0, le=1)
    decode_noise_scale: float | None = Field(None, ge=0, le=1)
    max_sequence_length: int | None = Field(None, ge=1, le=4_096)
    """Longest prompt, in tokens."""
    preset: str = "auto"
    """The few-step preset: a name, ``none``, or ``auto``, chosen by the weights' names."""
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = "auto"
    memory: Literal["auto", "full", "text_offload", "model_offload", "group_offload"] = "auto"
    """Where the weights are placed; ``auto`` uses the fastest placement that fits each render."""
    tiled_vae: bool | None = None
    """Whether the VAE decodes in tiles; None: if memory requires it."""
    attention: str = "auto"
    """Attention backend of diffusers; ``auto`` uses the fastest that works."""
    compile: bool | None = None
    """Whether the transformer's blocks are compiled; None: by profile."""
    quick_parts: bool = True
    """Whether the VAE may use its faster implementation on a GPU."""
    cache: Literal["auto", "none"] | StepCache = "auto"
    """The step cache; ``auto``: the family's preferred one in the fast profile, else none."""
    cache_threshold: float | None = Field(None, gt=0, le=1)
    """How much change the cache ignores, if it has a threshold; None: as in diffusers."""
    cache_settings: Mapping[str, Any] = Field(default_factory=dict)
    """Further settings of the named cache, by diffusers' names."""
    safety_checker: bool = True
    """Whether to use the family's safety checker, if it has one."""
    sound: bool = True
    """Whether the video keeps the sound that the model makes with it, if it makes any."""
    previews: int = Field(6, ge=0, le=50)
    """Number of previews while denoising."""
    # as in the encoder, which is not imported here because servers do not need it
    quality: Literal["phone", "light", "standard", "high"] = "standard"
    effort: Literal["live", "balanced", "thorough"] = "balanced"
    encoder: Literal["software", "auto"] = "software"
    call: Mapping[str, Any] = Field(default_factory=dict)
    """Further parameters of the pipeline's call, as JSON values."""

    @field_validator("dmd_steps")
    @classmethod
    def _falls(cls, steps: tuple[float, ...] | None) -> tuple[float, ...] | None:
        for higher, lower in pairwise((1000.1, *(steps or ()), 0.0)):
            if higher <= lower:
                raise PydanticCustomError("order", "Timesteps fall from 1000 to above 0")
        return steps

    def cache_values(self, cache: str) -> dict[str, Any]:
        """Return the settings of ``cache``: those that it has, with defaults for the rest."""
        own = self.cache_settings if cache == self.cache else {}
        return cache_values(cache, self.cache_threshold, own)


def read_options(options: Mapping[str, Any]) -> Options:
    """Return ``options`` as an object; raises pydantic's ``ValidationError``."""
    return Options.model_validate({k: v for k, v in options.items() if k != AS_RENDERED})


def option_problems(options: Mapping[str, Any]) -> list[FieldProblem]:
    """Return the problems of ``options``, one per field; empty if there are none."""
    try:
        read = read_options(options)
    except ValidationError as error:
        return [
            FieldProblem(".".join(("options", *map(str, one["loc"]))), _sentence(one))
            for one in error.errors()
        ]
    known = {"auto", "none", *(one.name for one in presets())}
    if read.preset not in known:
        names = ", ".join(sorted(known))
        return [FieldProblem("options.preset", f"There is no preset {read.preset!r}: {names}.")]
    if problems := settings_problems(read.cache, read.cache_settings):
        return problems
    return [
        FieldProblem(
            f"options.call.{name}", f"{name!r} is set by the request, not by options.call."
        )
        for name in read.call
        if name in _RESERVED
    ]


def _sentence(error: Mapping[str, Any]) -> str:
    if error["type"] == "extra_forbidden" and error["loc"][0] == "audio":
        return _NO_AUDIO
    if error["type"] == "extra_forbidden":
        return f"The diffusers engine has no option {error['loc'][0]!r}."
    return f"{error['msg']}."
