"""The render settings of a session: defaults for its next renders."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_serializer,
    field_validator,
    model_validator,
)

from workbench.control import CameraControl, GivenCamera
from workbench.errors import FieldProblem, InvalidRequest
from workbench.frame_rates import FrameRate
from workbench.identifiers import is_identifier
from workbench.rendering import (
    INPUTS,
    GivenControl,
    Keyframe,
    Lora,
    Profile,
    Quantisation,
    named_inputs,
)

__all__ = ["RENDER_SETTINGS", "RenderSettings", "aspect_of", "changed_settings"]

_MOST_KEYFRAMES: Final = 256
"""Maximum inline keyframes; longer paths are uploaded, because every prompt repeats the settings."""
_ASPECT: Final = re.compile(r"\d{1,2}(?:\.\d{1,2})?:\d{1,2}(?:\.\d{1,2})?")


class RenderSettings(BaseModel):
    """How the prompts of a session are rendered; None leaves a value to the engine.

    Inputs are ids: settings come from pages, requests and language models, which name no files of
    this machine. Sizes are pixels. ``aspect`` and ``short_side`` decide the size where ``width`` and ``height``
    are not set; ``seconds`` decides the number of frames where ``num_frames`` is not set.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    seconds: Annotated[float, Field(gt=0, le=3_600, allow_inf_nan=False)] | None = None
    num_frames: Annotated[int, Field(ge=1)] | None = None
    fps: FrameRate | None = None
    aspect: str | None = Field(None, description="Width to height, such as 16:9 or 9:16.")
    short_side: Annotated[int, Field(ge=64, le=4_320)] | None = Field(
        None, description="The shorter side in pixels: 720 for 720p."
    )
    width: Annotated[int, Field(ge=64, le=7_680)] | None = None
    height: Annotated[int, Field(ge=64, le=4_320)] | None = None
    seed: Annotated[int, Field(ge=0, le=2**63 - 1)] | None = None
    num_inference_steps: Annotated[int, Field(ge=1, le=1_000)] | None = None
    guidance_scale: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] | None = None
    model: str | None = Field(None, max_length=400)
    engine: str | None = Field(None, max_length=64)
    profile: Profile | None = None
    negative_prompt: str | None = Field(None, max_length=4_000)
    loras: tuple[Lora, ...] | None = Field(None, max_length=16)
    quantize: Quantisation | dict[str, Quantisation] | None = Field(
        None, description="Quantisation of the denoisers, or of each component by name."
    )
    image: str | None = Field(None, max_length=64, description="Id of the start image.")
    last_image: str | None = Field(None, max_length=64, description="Id of the end image.")
    video: str | None = Field(
        None, max_length=64, description="Id of the video to continue or change."
    )
    mask: str | None = Field(
        None, max_length=64, description="Id of the mask; white where the video may change."
    )
    references: tuple[Annotated[str, Field(max_length=64)], ...] | None = Field(
        None, max_length=16, description="Ids of reference images."
    )
    keyframes: tuple[Keyframe, ...] | None = Field(
        None, max_length=64, description="Images to show at given times."
    )
    control: GivenControl | None = Field(
        None, description="The control video to follow frame by frame."
    )
    camera: GivenCamera | None = Field(
        None,
        description="Where the camera goes in every render: words (orbit left, then push in), keys "
        "(w-80,jw-40), or a camera path in JSON.",
    )

    @model_validator(mode="after")
    def _names_no_file(self) -> Self:
        named = [field for field, text in named_inputs(self.stated()) if not is_identifier(text)]
        if self.control is not None and (self.control.estimator or self.control.detector):
            named.append("control")
        if named:
            raise ValueError(
                f"{', '.join(named)} must not be a path: give the id of an upload or job"
            )
        return self

    @field_validator("camera")
    @classmethod
    def _short_path(cls, value: CameraControl | None) -> CameraControl | None:
        if value is None:
            return None
        if not value.said and len(value.camera_path().keyframes) > _MOST_KEYFRAMES:
            raise ValueError(
                f"may have {_MOST_KEYFRAMES} keyframes at most; upload a longer path and give its id"
            )
        return value.as_given

    @field_serializer("camera")
    def _plain_camera(self, value: CameraControl | None) -> Any:
        return None if value is None else value.said or value.path

    @field_validator("aspect")
    @classmethod
    def _ratio(cls, value: str | None) -> str | None:
        if value is not None and (not _ASPECT.fullmatch(value) or not aspect_of(value)):
            raise ValueError("must be width:height, such as 16:9")
        return value

    def stated(self) -> dict[str, Any]:
        """Return the settings that are set, by name."""
        return {name: value for name, value in self if value is not None}

    def as_json(self) -> dict[str, Any]:
        """Return the settings that are set as plain JSON values."""
        return self.model_dump(mode="json", exclude_none=True)

    def with_values(self, values: dict[str, Any]) -> Self:
        """Return these settings with ``values`` set and the settings that they replace cleared.

        Aspect and short side replace width and height, and the reverse; so do seconds and number of
        frames. None clears a setting. Raises ``ValidationError``.
        """
        data = self.stated()
        for name in values:
            for replaced in _REPLACES.get(name, ()):
                data.pop(replaced, None)
        data |= values
        return type(self).model_validate({k: v for k, v in data.items() if v is not None})


RENDER_SETTINGS: Final = tuple(RenderSettings.model_fields)
"""The names of the settings, in display order."""

_REPLACES: Final = {
    "aspect": ("width", "height"),
    "short_side": ("width", "height"),
    "width": ("aspect", "short_side"),
    "height": ("aspect", "short_side"),
    "seconds": ("num_frames",),
    "num_frames": ("seconds",),
    "engine": ("model", "loras", "quantize", *INPUTS),
    "model": ("loras",),
}
"""The settings that each setting clears when it is set."""


def aspect_of(text: str) -> float:
    """Return the ratio of ``text`` (``16:9``); 0 if it is invalid or not between 1:8 and 8:1."""
    wide, _, high = text.partition(":")
    try:
        ratio = float(wide) / float(high)
    except (ValueError, ZeroDivisionError):
        return 0.0
    return ratio if 1 / 8 <= ratio <= 8 else 0.0


def changed_settings(settings: RenderSettings, values: Mapping[str, Any]) -> RenderSettings:
    """Return ``settings`` with ``values`` set; raises ``InvalidRequest`` for what does not fit."""
    try:
        return settings.with_values(dict(values))
    except ValidationError as error:
        problems = tuple(
            FieldProblem(".".join(["values", *(str(p) for p in e["loc"])]), e["msg"])
            for e in error.errors()
        )
        told = "; ".join(f"{p.field.rpartition('.')[2]} {p.problem}" for p in problems)
        raise InvalidRequest(f"These render settings are not valid: {told}.", problems) from error
