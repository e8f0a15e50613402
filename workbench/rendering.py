"""Render requests, progress reports, recipes and outcomes.

The types shared by the job manager and the engines; knows neither.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from workbench.control import CameraControl, GivenCamera
from workbench.errors import FieldProblem, InvalidRequest
from workbench.scene import Scene

__all__ = [
    "INPUTS",
    "RECIPE_VERSION",
    "REPLACEABLE",
    "Channel",
    "Control",
    "Keyframe",
    "Lora",
    "Outcome",
    "Profile",
    "Progress",
    "Quantisation",
    "Recipe",
    "RenderParameters",
    "RenderRequest",
    "RolloutSegment",
    "named_inputs",
    "whole_if_whole",
    "with_inputs",
]

RECIPE_VERSION: Final = 1

INPUTS: Final = ("image", "last_image", "video", "mask", "references", "keyframes", "control")
"""The parameters that name files to start from; engines find them among the options."""

Channel = Literal["camera", "depth", "segments", "boxes", "flow", "edges"]
"""What an engine that knows its world can write beside the video."""

_FILES: Final = ("image", "video")
"""What names the file in an input that says more about it."""


def whole_if_whole(fps: float) -> float:
    """Return ``fps`` as an ``int`` if it is whole; clients of old know no other."""
    return int(fps) if fps == int(fps) else fps


_Seed = Annotated[int, Field(ge=0, le=2**63 - 1)]
_Width = Annotated[int, Field(ge=64, le=7_680)]
_Height = Annotated[int, Field(ge=64, le=4_320)]
_Frames = Annotated[int, Field(ge=1)]
_Fps = Annotated[int | float, Field(ge=1, le=120), AfterValidator(whole_if_whole)]
_Steps = Annotated[int, Field(ge=1, le=1_000)]
_Weights = Annotated[str, Field(max_length=4_096)]
_Guidance = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]

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


class Keyframe(BaseModel):
    """A picture at its place in the video."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at_s: float = Field(ge=0, le=3_600, allow_inf_nan=False, description="Seconds from the start.")
    image: str = Field(min_length=1, max_length=4_096)
    """Named like every image: an id or, in Python alone, a path."""


class Control(BaseModel):
    """A video that says frame by frame what is where."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["depth", "edges", "pose", "segments", "blur", "layout"]
    video: str = Field(min_length=1, max_length=4_096)
    """Named like every video: an id or, in Python alone, a path."""
    channel: bool = Field(
        False,
        description="Whether to follow the channel of that kind of a finished job, instead of its "
        "video.",
    )

    @model_validator(mode="after")
    def _is_a_channel(self) -> Self:
        if self.channel and self.kind not in get_args(Channel):
            raise ValueError(f"there is no channel of kind {self.kind}")
        return self


class RolloutSegment(BaseModel):
    """Which part of a longer film a segment of a rollout is, and what it goes on from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: int = Field(ge=0, le=4_095)
    """Its first frame, counted from the beginning of the world."""
    planned: int = Field(ge=1, le=4_096)
    """How many frames the world is planned for: its figures pace themselves by it."""
    parent: str = Field("", max_length=64)
    """The batch that it branches off from; empty for the root."""
    fork: int = Field(0, ge=0, le=4_095)
    """The first frame that is not shared with the parent."""


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
    width: _Width | None = None
    height: _Height | None = None
    num_frames: _Frames | None = None
    fps: _Fps | None = None
    num_inference_steps: _Steps | None = None
    guidance_scale: _Guidance | None = None
    loras: tuple[Lora, ...] = Field((), max_length=16)
    transformer: str = ""
    """Weights in place of the model's own: a folder, a ``.safetensors`` or a ``.gguf`` file."""
    transformer_2: str = ""
    text_encoder: str = ""
    vae: str = ""
    quantize: Quantisation | Mapping[str, Quantisation] = "none"
    """How the denoisers are quantised, or each component by name."""
    camera: GivenCamera | None = None
    """Where the camera goes."""
    channels: tuple[Channel, ...] = ()
    """The channels to write beside the video, in this order."""
    options: Mapping[str, Any] = Field(default_factory=dict)
    """Parameters specific to one engine."""

    @property
    def text_for_model(self) -> str:
        """The prompt to send to the model."""
        return self.model_prompt or self.prompt

    def with_camera(self, camera: CameraControl) -> RenderRequest:
        """Return this request with ``camera``, told to the model in words if that is its way."""
        update: dict[str, Any] = {"camera": camera}
        text = self.text_for_model
        if camera.way == "words" and camera.words not in text and not text.startswith("{"):
            update["model_prompt"] = f"{text.rstrip('. ')}. The camera: {camera.words.rstrip('.')}."
        return self.model_copy(update=update)

    @property
    def weights_key(self) -> str:
        """What requests share that one loaded model can serve: everything but their LoRAs."""
        named = [f"{name}={given}" for name in REPLACEABLE if (given := getattr(self, name))]
        if self.quantize != "none":
            named.append(f"quantize={self.quantize}")
        return ";".join((f"{self.model}@{self.revision}", *named))


class RenderParameters(BaseModel):
    """What a client may say about a render beside its prompt; None means the default.

    Sizes are in pixels, ``fps`` in frames per second. REST's ``RenderOptions`` derives from this: a
    new parameter is added here.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: _Seed | None = None
    engine: Annotated[str, Field(max_length=64)] | None = None
    model: Annotated[str, Field(max_length=512)] | None = None
    profile: Profile | None = None
    negative_prompt: Annotated[str, Field(max_length=4_000)] | None = None
    width: _Width | None = None
    height: _Height | None = None
    num_frames: _Frames | None = None
    fps: _Fps | None = None
    num_inference_steps: _Steps | None = None
    guidance_scale: _Guidance | None = None
    loras: Annotated[tuple[Lora, ...], Field(max_length=16)] | None = Field(
        None, description="LoRAs to apply; see docs/models.md."
    )
    transformer: _Weights | None = Field(
        None,
        description="Weights in place of the model's own: a folder, a .safetensors or a .gguf "
        "file on the machine that renders.",
    )
    transformer_2: _Weights | None = Field(None, description="The same for low noise.")
    text_encoder: _Weights | None = Field(None, description="A folder in transformers' form.")
    vae: _Weights | None = Field(None, description="A folder or a .safetensors file.")
    quantize: Quantisation | dict[str, Quantisation] | None = Field(
        None, description="How the denoisers are quantised, or each component by name."
    )
    options: dict[str, Any] | None = Field(
        None, description="What the engine alone understands; see docs/models.md."
    )
    image: str | None = None
    """The image that the video starts from, if the model takes one: the id of an upload, the id
    of a finished job (its last frame is taken) or, in Python alone, a path."""
    last_image: str | None = None
    """The image at which the video ends, named likewise."""
    video: str | None = None
    """The video that is continued or changed, named likewise."""
    mask: str | None = None
    """A picture or video, white where ``video`` may change, named likewise."""
    references: Annotated[tuple[str, ...], Field(max_length=16)] | None = None
    """Pictures of what is to be seen, named likewise."""
    keyframes: Annotated[tuple[Keyframe, ...], Field(max_length=64)] | None = None
    """Pictures that are to be seen at their second."""
    control: Control | None = None
    """A video that says frame by frame what is where."""
    camera: GivenCamera | None = Field(
        None,
        description="Where the camera goes: in words (`orbit left, then push in`), as keys "
        "(`w-80,jw-40`), as a camera path in JSON, or the id of an uploaded path or of a job whose "
        "path is taken; see docs/worlds.md.",
    )
    channels: Annotated[tuple[Channel, ...], Field(max_length=6)] | None = Field(
        None,
        description="Exact channels to write beside the video, if the engine knows them, as the "
        "storyboard does; see docs/worlds.md.",
    )
    prompt_form: Literal["auto", "paragraph", "short", "wan", "ltx", "cosmos"] | None = Field(
        None, description="The prompt form that the model gets; the prompt shown is unchanged."
    )

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Return the parameters in ``values``.

        Raises ``TypeError`` for a name that is not a parameter, ``InvalidRequest`` for a value out
        of range.
        """
        if unknown := sorted(values.keys() - cls.model_fields.keys()):
            raise TypeError(f"There is no render parameter {', '.join(map(repr, unknown))}.")
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            problems = tuple(
                FieldProblem(".".join(map(str, item["loc"])), item["msg"])
                for item in error.errors()
            )
            told = "; ".join(f"{p.field}: {p.problem}" for p in problems)
            raise InvalidRequest(f"The request is not valid. {told}.", problems) from error

    @property
    def given(self) -> dict[str, Any]:
        """The parameters that are set, by name."""
        values = {name: getattr(self, name) for name in RenderParameters.model_fields}
        return {name: value for name, value in values.items() if value is not None}


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
    has_audio: bool = False
    """Whether the video has a sound track."""
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


def named_inputs(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each input's field, such as ``keyframes.1.image``, and what names its file.

    ``values`` are a request's options or the parameters that are given. What is no text is left out.
    """
    for name in INPUTS:
        yield from _texts(name, values.get(name))


def with_inputs(values: Mapping[str, Any], change: Callable[[str, str], str]) -> dict[str, Any]:
    """Return the inputs in ``values`` as plain data, each text as ``change(field, text)``."""
    return {
        name: _changed(name, values[name], change)
        for name in INPUTS
        if values.get(name) is not None
    }


def _texts(field: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield field, value
    elif isinstance(value, list | tuple):
        for place, one in enumerate(value):
            yield from _texts(f"{field}.{place}", one)
    elif isinstance(value, Keyframe | Control):
        yield from _texts(field, value.model_dump())
    elif isinstance(value, Mapping):
        for name in _FILES:
            yield from _texts(f"{field}.{name}", value.get(name))


def _changed(field: str, value: Any, change: Callable[[str, str], str]) -> Any:
    if isinstance(value, str):
        return change(field, value)
    if isinstance(value, list | tuple):
        return [_changed(f"{field}.{place}", one, change) for place, one in enumerate(value)]
    if isinstance(value, Keyframe | Control):
        value = value.model_dump()
    if isinstance(value, Mapping):
        files = [name for name in _FILES if name in value]
        return {**value, **{n: _changed(f"{field}.{n}", value[n], change) for n in files}}
    return value
