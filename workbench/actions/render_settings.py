"""The render settings of a session: what the next render uses unless it sets its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from workbench.errors import FieldProblem, InvalidRequest
from workbench.rendering import INPUTS, Control, Keyframe, Lora, Profile, Quantisation

__all__ = ["RENDER_SETTINGS", "RenderSettings", "aspect_of", "changed_settings"]

_ASPECT: Final = re.compile(r"\d{1,2}(?:\.\d{1,2})?:\d{1,2}(?:\.\d{1,2})?")


class RenderSettings(BaseModel):
    """How the prompts of a session are rendered; None leaves a value to the engine.

    Sizes are pixels. ``aspect`` and ``short_side`` decide the size where ``width`` and ``height``
    are not set; ``seconds`` decides the number of frames where ``num_frames`` is not set.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    seconds: Annotated[float, Field(gt=0, le=3_600, allow_inf_nan=False)] | None = None
    num_frames: Annotated[int, Field(ge=1)] | None = None
    fps: Annotated[int | float, Field(ge=1, le=120)] | None = None
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
        None, description="How the denoisers are quantised, or each component by name."
    )
    image: str | None = Field(
        None, max_length=64, description="The image that renders start from, by id."
    )
    last_image: str | None = Field(None, max_length=64, description="What renders end with.")
    video: str | None = Field(None, max_length=64, description="What renders continue or change.")
    mask: str | None = Field(None, max_length=64, description="White where the video may change.")
    references: tuple[Annotated[str, Field(max_length=64)], ...] | None = Field(
        None, max_length=16, description="Pictures of what is to be seen."
    )
    keyframes: tuple[Keyframe, ...] | None = Field(
        None, max_length=64, description="Pictures that are to be seen at their second."
    )
    control: Control | None = Field(
        None, description="A video that says frame by frame what is where."
    )

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
        """Return these settings with ``values`` set and what they replace cleared.

        A new aspect or short side replaces a fixed width and height, a new length in seconds the
        number of frames, and the reverse. None frees a setting. Raises ``ValidationError``.
        """
        data = self.stated()
        for name in values:
            for replaced in _REPLACES.get(name, ()):
                data.pop(replaced, None)
        data |= values
        return type(self).model_validate({k: v for k, v in data.items() if v is not None})


RENDER_SETTINGS: Final = tuple(RenderSettings.model_fields)
"""The names of the settings, in the order in which they are shown."""

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
"""The settings that a new value of each one makes void."""


def aspect_of(text: str) -> float:
    """Return the ratio that ``text`` (``16:9``) says; 0 where it says none between 1:8 and 8:1."""
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
        raise InvalidRequest(f"These render settings do not fit: {told}.", problems) from error
