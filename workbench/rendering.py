"""Render requests, progress reports, recipes and outcomes.

The types shared by the job manager and the engines; knows neither.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workbench.control import CameraControl, GivenActions, GivenCamera
from workbench.control.control_request import Control, GivenControl
from workbench.errors import FieldProblem, InvalidRequest
from workbench.frame_rates import FrameRate, GivenFrameRate
from workbench.scene import Scene

__all__ = [
    "INPUTS",
    "NAMING_OPTIONS",
    "RECIPE_VERSION",
    "REPLACEABLE",
    "Channel",
    "Control",
    "DriftBounds",
    "ForkPoint",
    "GivenControl",
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
    "Tail",
    "Take",
    "named_inputs",
    "with_inputs",
]

RECIPE_VERSION: Final = 1

INPUTS: Final = ("image", "last_image", "video", "mask", "references", "keyframes", "control")
"""The parameters that name input files; engines find them among the options."""

NAMING_OPTIONS: Final = (*INPUTS, "tail", "recording")
"""The options that name local files; only the workbench sets ``tail`` and ``recording``."""

Channel = Literal[
    "camera", "depth", "segments", "boxes", "flow", "edges", "gray", "frames", "latents", "actions"
]
"""The channels that an engine can write beside the video."""

_FILES: Final = ("image", "video", "frames", "latents")
"""The key that names the file in an input with several fields."""


_LONGEST: Final = 4_096
"""Most frames of a world."""

_Seed = Annotated[int, Field(ge=0, le=2**63 - 1)]
_Width = Annotated[int, Field(ge=64, le=7_680)]
_Height = Annotated[int, Field(ge=64, le=4_320)]
_Frames = Annotated[int, Field(ge=1)]
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
    """A safetensors file, a folder that contains one, or a hub name."""
    weight: float = Field(1.0, ge=-10, le=10, allow_inf_nan=False)
    """Strength; 0 has no effect."""
    stage: Literal["high", "low"] | None = None
    """For a model with two transformers: the high-noise or low-noise one; None means both, unless
    the file's name says ``high_noise`` or ``low_noise``."""
    file: str = Field("", max_length=512)
    """The file to use if ``path`` contains several."""


class Keyframe(BaseModel):
    """An image at its position in the video."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at_s: float = Field(ge=0, le=3_600, allow_inf_nan=False, description="Seconds from the start.")
    image: str = Field(min_length=1, max_length=4_096)
    """Given like every image: as an id or, only in Python, as a path."""


class Tail(BaseModel):
    """The end of a segment, from which a model continues: never decoded from its H.264."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    frames: str = Field("", max_length=4_096)
    """The file of its lossless frames."""
    latents: str = Field("", max_length=4_096)
    """The file of its latents, for a model that continues from latents."""
    num_frames: int = Field(0, ge=0)
    """How many of its frames precede the new ones; 0 for all."""


class DriftBounds(BaseModel):
    """How far a segment may drift, or jump at its start, before it is rendered again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    exposure: float = Field(0.5, gt=0)
    """Base-2 logarithm of the luminance."""
    colour: float = Field(8.0, gt=0)
    """Distance in the a and b of CIELAB."""
    sharpness: float = Field(1.5, gt=0)
    """Base-2 logarithm of the gradients' energy."""
    seam: bool = True
    """Whether a visible jump at its start is out of bounds."""


class Take(BaseModel):
    """One render of a segment, and how far it drifts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: _Seed
    exposure: float
    """From the frame before it to its last frame, as a base-2 logarithm."""
    colour: float
    sharpness: float
    seam: bool | None = None
    """Whether light, colour or detail visibly jumps at its start; None for the first segment."""
    kept: bool = False


class RolloutSegment(BaseModel):
    """The position of a rollout segment in its film, and what it continues from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: int = Field(ge=0, le=_LONGEST - 1)
    """Its first new frame, counted from the start of the world."""
    planned: int = Field(_LONGEST, ge=1, le=_LONGEST)
    """Planned number of frames of the world: it sets the pace of a storyboard's figures."""
    overlap: int = Field(0, ge=0)
    """Number of its first frames that repeat the end of the previous segment; set by the engine."""
    bounds: DriftBounds | None = None
    """Beyond these bounds it is rendered again, with another seed; None: never."""
    most_retakes: int = Field(2, ge=0, le=8)
    """Most retakes; the take that drifts least is kept after that."""
    takes: tuple[Take, ...] = Field((), max_length=9)
    """Its takes; known once it is complete."""
    parent: str = Field("", max_length=64)
    """The batch or the video that it branches off from; empty for the root."""
    fork: int = Field(0, ge=0, le=_LONGEST - 1)
    """The first frame that is not shared with the parent."""
    of: str = Field("", max_length=64)
    """The video that it makes again, with what a model goes on from; empty for none."""


class ForkPoint(BaseModel):
    """The video that a fork branches off from, and the frame."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    of: str = Field(min_length=1, max_length=64)
    """The job with which it shares its first frames."""
    frame: int = Field(ge=0, le=4_095)
    """The last shared frame, counted from 0."""


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
    fps: FrameRate | None = None
    num_inference_steps: _Steps | None = None
    guidance_scale: _Guidance | None = None
    loras: tuple[Lora, ...] = Field((), max_length=16)
    transformer: str = ""
    """Weights that replace the model's own: a folder, a ``.safetensors`` or a ``.gguf`` file."""
    transformer_2: str = ""
    text_encoder: str = ""
    vae: str = ""
    quantize: Quantisation | Mapping[str, Quantisation] = "none"
    """Quantisation of the denoisers, or of each component by name."""
    camera: GivenCamera | None = None
    """The camera path."""
    actions: GivenActions | None = None
    """A robot's actions, given or to be predicted."""
    channels: tuple[Channel, ...] = ()
    """The channels to write beside the video, in this order."""
    options: Mapping[str, Any] = Field(default_factory=dict)
    """Parameters specific to one engine."""

    @property
    def text_for_model(self) -> str:
        """The prompt to send to the model."""
        return self.model_prompt or self.prompt

    def with_camera(self, camera: CameraControl) -> RenderRequest:
        """Return this request with ``camera``, added to the model's text if its way is words."""
        update: dict[str, Any] = {"camera": camera}
        text = self.text_for_model
        if camera.way == "words" and camera.words not in text and not text.startswith("{"):
            update["model_prompt"] = f"{text.rstrip('. ')}. The camera: {camera.words.rstrip('.')}."
        return self.model_copy(update=update)

    @property
    def weights_key(self) -> str:
        """Key of the loaded model that can serve this request: everything but its LoRAs."""
        named = [f"{name}={given}" for name in REPLACEABLE if (given := getattr(self, name))]
        if self.quantize != "none":
            named.append(f"quantize={self.quantize}")
        return ";".join((f"{self.model}@{self.revision}", *named))


class RenderParameters(BaseModel):
    """What a client may set for a render besides its prompt; None means the default.

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
    fps: GivenFrameRate | None = Field(
        None,
        description="Frames per second: a number, or an exact ratio as text such as `24000/1001`.",
    )
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
    text_encoder: _Weights | None = Field(
        None,
        description="A folder in the transformers layout, or a single safetensors or GGUF file.",
    )
    vae: _Weights | None = Field(None, description="A folder or a .safetensors file.")
    quantize: Quantisation | dict[str, Quantisation] | None = Field(
        None, description="Quantisation of the denoisers, or of each component by name."
    )
    options: dict[str, Any] | None = Field(
        None, description="Options of the engine; see docs/models.md."
    )
    image: str | None = None
    """The image that the video starts from, if the model takes one: the id of an upload, the id
    of a finished job (its last frame is used) or, only in Python, a path."""
    last_image: str | None = None
    """The image that the video ends with, given likewise."""
    video: str | None = None
    """The video to continue or change, given likewise."""
    mask: str | None = None
    """Mask image or video, white where ``video`` may change, given likewise."""
    references: Annotated[tuple[str, ...], Field(max_length=16)] | None = None
    """Reference images, given likewise."""
    keyframes: Annotated[tuple[Keyframe, ...], Field(max_length=64)] | None = None
    """Images to show at given times."""
    control: GivenControl | None = Field(
        None,
        description="The control video to follow frame by frame: an object, or text such as `depth` "
        "(of the request's own storyboard) or `depth=j_…`; see docs/worlds.md.",
    )
    camera: GivenCamera | None = Field(
        None,
        description="Where the camera goes: in words (`orbit left, then push in`), as keys "
        "(`w-80,jw-40`), as a camera path in JSON, or the id of an uploaded path or of a job whose "
        "path is taken; see docs/worlds.md.",
    )
    actions: GivenActions | None = Field(
        None,
        description="What a robot does, for Cosmos 3: an embodiment and rows of numbers, or the id of "
        "an upload; or a mode in which the model finds the actions; see docs/worlds.md.",
    )
    channels: Annotated[tuple[Channel, ...], Field(max_length=10)] | None = Field(
        None,
        description="Exact channels to write beside the video, if the engine knows them, as the "
        "storyboard does; see docs/worlds.md.",
    )
    prompt_form: Literal["auto", "paragraph", "short", "wan", "ltx", "cosmos"] | None = Field(
        None,
        description="The form in which the model receives the prompt; the prompt shown stays the same.",
    )

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Return the parameters in ``values``.

        Raises ``TypeError`` for an unknown parameter, ``InvalidRequest`` for a value out
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
    """Yield each input's field, such as ``keyframes.1.image``, and the name of its file.

    ``values`` are a request's options or the given parameters. Values other than text are skipped.
    """
    for name in NAMING_OPTIONS:
        yield from _texts(name, values.get(name))


def with_inputs(values: Mapping[str, Any], change: Callable[[str, str], str]) -> dict[str, Any]:
    """Return the inputs in ``values`` as plain data, with ``change(field, text)`` for each text."""
    return {
        name: _changed(name, values[name], change)
        for name in NAMING_OPTIONS
        if values.get(name) is not None
    }


def _texts(field: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield field, value
    elif isinstance(value, list | tuple):
        for place, one in enumerate(value):
            yield from _texts(f"{field}.{place}", one)
    elif isinstance(value, Keyframe | Control | Tail):
        yield from _texts(field, value.model_dump())
    elif isinstance(value, Mapping):
        for name in _FILES:
            if value.get(name):
                yield from _texts(f"{field}.{name}", value[name])


def _changed(field: str, value: Any, change: Callable[[str, str], str]) -> Any:
    if isinstance(value, str):
        return change(field, value)
    if isinstance(value, list | tuple):
        return [_changed(f"{field}.{place}", one, change) for place, one in enumerate(value)]
    if isinstance(value, Keyframe | Control | Tail):
        value = value.model_dump()
    if isinstance(value, Mapping):
        files = [name for name in _FILES if value.get(name)]
        return {**value, **{n: _changed(f"{field}.{n}", value[n], change) for n in files}}
    return value
