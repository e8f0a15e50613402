"""The inputs of a pipeline class besides the prompt, and how they are passed.

The inputs of each class are data: ``inputs.toml``. Imports no model library before a render.
"""

from __future__ import annotations

import inspect
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, model_validator

from workbench.engines.control_frames import control_facts, control_frames
from workbench.engines.diffusers.adapters import chunk_sizes, parameters_of
from workbench.engines.diffusers.families import Family, ModelFacts, families
from workbench.engines.diffusers.options import Options
from workbench.engines.diffusers.tails import Continues, tail_arguments
from workbench.engines.diffusers.weight_files import header
from workbench.engines.images import start_frame
from workbench.engines.inputs import ending_of, input_file
from workbench.engines.probe import decode_video
from workbench.errors import DamagedFile, FieldProblem, InvalidRequest, RenderError
from workbench.rendering import INPUTS, NAMING_OPTIONS, Control, Lora, RenderRequest

__all__ = [
    "Inputs",
    "choose_class",
    "conditioned",
    "continues_of",
    "frames_to_estimate",
    "given_media",
    "inputs_of",
    "kinds_of",
    "media_of",
    "needs_of",
    "reference_problems",
    "reference_scale",
    "takers_of",
    "takes",
]

_CONDITIONS: Final = "conditions"
_IN_CONTEXT: Final = "reference_conditions"
_SCALED: Final = "reference_downscale_factor"
"""The name in a LoRA's own facts, and in the pipeline's call."""
_SCALE: Final = {str(factor): factor for factor in range(1, 9)}
_VIDEOS: Final = ("video", "control")
_SAME_MOMENT: Final = 1e-6


class Inputs(BaseModel):
    """What one pipeline class takes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    parameters: Mapping[str, str]
    """Our name of an input → the parameter of the pipeline's call."""
    needs: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    """The kinds of control."""
    length: Literal["", "same", "shorter"] = ""
    """What a video must be to what is made."""
    camera: Literal["", "c2w"] = ""
    """The form in which the call takes a camera path, besides its keys; empty: it takes none."""
    actions: str = ""
    """The parameter of the call that takes a robot's actions; empty: there is none."""
    form: Literal["", "chunks"] = ""
    """``chunks``: a video is a tensor (1×T×3×H×W, 0 to 1) of its last frames, as many as fill whole
    chunks of the model."""
    skeletons: Literal["", "bgr"] = ""
    """``bgr``: it was trained on poses whose colours have red and blue exchanged."""
    continues: Continues | None = None
    """How the class goes on from a segment of a rollout."""

    def fit(self, given: set[str]) -> bool:
        """Return whether the class takes all given inputs and none that it needs is missing.

        A ``tail`` replaces the inputs by which the class continues. Each parameter is given once,
        and only one of image and video, unless the parameter takes a list of both or the class
        needs both.
        """
        if "tail" in given:
            stands_for = self.continues.stands_for if self.continues else frozenset({"tail"})
            if given & stands_for:
                return False
            given = (given - {"tail"}) | stands_for
            if self.continues and self.continues.by == "masked":
                given -= {"mask", "video"} if "control" in given else {"mask"}
        if not given <= self.parameters.keys() or not given >= set(self.needs):
            return False
        used = [self.parameters[name] for name in given]
        repeated = {one for one in used if used.count(one) > 1}
        both = {"image", "video"}
        is_either = given >= both and not both <= set(self.needs) and _CONDITIONS not in used
        return repeated <= {_CONDITIONS} and not is_either

    @model_validator(mode="before")
    @classmethod
    def _read(cls, entry: Any) -> Any:
        own = dict(entry)
        apart: dict[str, Any] = {name: own.pop(name, ()) for name in ("needs", "kinds")}
        apart |= {
            name: own.pop(name, "") for name in ("length", "camera", "form", "actions", "skeletons")
        }
        apart["continues"] = own.pop("continues", None)
        return {**apart, "parameters": own}


def inputs_of(class_name: str) -> Inputs | None:
    """Return the inputs of the pipeline class; None if unknown."""
    return _table().get(class_name)


def given_media(options: Options | Mapping[str, Any]) -> frozenset[str]:
    """Return the names of the inputs that are set in ``options``."""
    read = (
        options.get if isinstance(options, Mapping) else lambda name: getattr(options, name, None)
    )
    return frozenset(name for name in NAMING_OPTIONS if read(name))


def takes(name: str, class_names: Iterable[str]) -> bool:
    """Return whether any of these classes takes the input ``name``."""
    known = filter(None, map(inputs_of, class_names))
    return any(name in one.parameters for one in known)


def needs_of(facts: ModelFacts, family: Family) -> tuple[tuple[str, ...], ...]:
    """Return the inputs that a model requires: one of each group."""
    if family.needs:
        return (family.needs,)
    if (own := inputs_of(facts.class_name)) is not None:
        return tuple((name,) for name in own.needs)
    if any(sign in facts.class_name for sign in ("ImageToVideo", "Image2Video", "I2V")):
        return (("image",),)
    return (("video",),) if "VideoToVideo" in facts.class_name else ()


def choose_class(given: Iterable[str], class_name: str, family: Family) -> str | None:
    """Return the first class that takes everything in ``given``: the model's own, or a variant.

    None if there is none. An unknown class is chosen if no other fits.
    """
    wanted = set(given)
    fitting = [
        name
        for name in (class_name, *family.variants)
        if (taken := inputs_of(name)) is not None and taken.fit(wanted)
    ]
    if fitting:
        return max(fitting, key=_sees_of_the_tail) if "tail" in wanted else fitting[0]
    return class_name if inputs_of(class_name) is None else None


def _sees_of_the_tail(class_name: str) -> int:
    """Return how many frames of the tail the class uses; latents rank highest."""
    taken = inputs_of(class_name)
    if taken is None or taken.continues is None:
        return -1
    return 1_000 if taken.continues.by == "latents" else taken.continues.frames


def continues_of(given: Iterable[str], facts: ModelFacts, family: Family) -> Continues | None:
    """Return how a model continues a segment if also ``given`` these inputs; None if it cannot."""
    chosen = choose_class({*given, "tail"}, facts.class_name, family)
    taken = inputs_of(chosen) if chosen else None
    if taken is None or taken.continues is None:
        return None
    allowed = all(family.allows(name, facts) for name in taken.continues.stands_for)
    return taken.continues if allowed else None


def media_of(facts: ModelFacts, family: Family) -> tuple[str, ...] | None:
    """Return the inputs that a model takes; None if its pipeline class is unknown."""
    if inputs_of(facts.class_name) is None:
        return None
    found: set[str] = set()
    for name in (facts.class_name, *family.variants):
        if (taken := inputs_of(name)) is not None:
            found |= taken.parameters.keys()
    return tuple(name for name in INPUTS if name in found and family.allows(name, facts))


def kinds_of(facts: ModelFacts, family: Family) -> tuple[str, ...]:
    """Return the kinds of control that a model was trained on."""
    known = filter(None, map(inputs_of, (facts.class_name, *family.variants)))
    return tuple(dict.fromkeys(kind for one in known for kind in one.kinds))


def takers_of(kind: str) -> tuple[str, ...]:
    """Return the families that follow a control of ``kind``, by title."""
    found = (
        family.title
        for family in families()
        if not family.refused
        and any(
            kind in taken.kinds
            for name in (*family.classes, *family.variants)
            if (taken := inputs_of(name)) is not None
        )
    )
    return tuple(dict.fromkeys(found))


def conditioned(
    pipe: Any,
    request: RenderRequest,
    options: Options,
    scale: int = 1,
    estimated: Sequence[Any] | None = None,
) -> dict[str, Any]:
    """Return the arguments of ``pipe``'s call for its inputs, at the request's size over ``scale``.

    ``estimated`` are the frames of a control that a learnt model has made. Raises ``InvalidRequest`` for a video that is too short and, if ``inputs.toml`` does not list
    the class, for inputs that its call does not take or lacks.
    """
    taken = inputs_of(type(pipe).__name__)
    # Cosmos 3 fits the start of its actions into its own canvas.
    size = ((request.width or 0) // scale, (request.height or 0) // scale)
    if taken is None:
        _check_signature(pipe, given_media(options))
    parameters = dict(taken.parameters) if taken else {name: name for name in INPUTS}
    tailed: dict[str, Any] = {}
    if (
        estimated
        and taken
        and taken.skeletons
        and options.control
        and options.control.kind == "pose"
    ):
        estimated = [_exchanged(one) for one in estimated]
    how = taken.continues if taken and options.tail is not None else None
    led: list[Any] = []
    if (
        taken
        and options.control
        and ((how and how.by == "masked") or _IN_CONTEXT in parameters.values())
    ):
        led = _led(options, request, size, estimated)
        led = _of_length("control", led, taken.length, request.num_frames or len(led))
    if options.tail is not None and how is not None:
        tailed = tail_arguments(how, options.tail, size, request.num_frames or 1, led)
    if _CONDITIONS in parameters.values():
        conditions = _conditions(pipe, request, options, size, tailed.get("video"))
        led_by = _in_context(led, reference_scale(request.loras))
        return ({_CONDITIONS: conditions} if conditions else {}) | led_by
    arguments = {parameters.get(name, name): value for name, value in tailed.items()}
    for name in INPUTS:
        if name not in given_media(options) or (name == "control" and led):
            continue
        if name == "control":
            read = _led(options, request, size, estimated)
        else:
            read = _read(name, options, request, size)
        if taken and name in _VIDEOS and request.num_frames:
            read = _of_length(name, read, taken.length, request.num_frames)
        arguments[parameters[name]] = read
    if taken and taken.form == "chunks" and "video" in arguments:
        arguments["video"] = _in_chunks(pipe, arguments["video"])
    return arguments


def frames_to_estimate(request: RenderRequest, options: Options, scale: int = 1) -> list[Any]:
    """Return the pictures from which the control of ``request`` is estimated, those of its frames."""
    control = options.control
    if control is None:
        return []
    size = ((request.width or 0) // scale, (request.height or 0) // scale)
    own = control_facts(input_file(control.video)).fps
    rate = request.fps or own
    first = round(control.start_s * rate)
    shown = _resampled(_frames(control.video, size), own, rate)[first:]
    return shown[: request.num_frames]


def _led(
    options: Options,
    request: RenderRequest,
    size: tuple[int, int],
    estimated: Sequence[Any] | None,
) -> list[Any]:
    if estimated is not None:
        return list(estimated)
    return _control(options.control, size, request.fps) if options.control else []


def _exchanged(picture: Any) -> Any:
    """Return ``picture`` with red and blue exchanged."""
    from PIL import Image  # noqa: PLC0415

    red, green, blue = picture.split()
    return Image.merge("RGB", (blue, green, red))


def reference_scale(loras: Sequence[Lora]) -> int:
    """Return how many times smaller than the video the control is that ``loras`` were trained on.

    Each file says so itself. Raises ``InvalidRequest`` if two of them disagree, and ``DamagedFile``.
    """
    found = {
        _SCALE.get(str(facts[_SCALED]), 0)
        for one in loras
        if (file := Path(one.path)).suffix == ".safetensors"
        and file.is_file()
        and _SCALED in (facts := header(file).get("__metadata__", {}))
    }
    if len(found) > 1 or 0 in found:
        text = "These LoRAs name no single size of the control that they follow: use one of them."
        raise InvalidRequest(text, (FieldProblem("loras", text),))
    return found.pop() if found else 1


def reference_problems(request: RenderRequest, family: Family) -> list[FieldProblem]:
    """Return why the control cannot be made as small as the request's in-context LoRA takes it."""
    if not request.options.get("control"):
        return []
    try:
        scale = reference_scale(request.loras)
    except (InvalidRequest, DamagedFile) as error:
        return [FieldProblem("loras", str(error))]
    step = scale * family.multiple
    if all(not one or one % step == 0 for one in (request.width, request.height)):
        return []
    text = (
        f"The LoRA follows a control of 1/{scale} of the size: width and height must be multiples "
        f"of {step}."
    )
    return [FieldProblem("width", text)] if scale > 1 else []


def _in_context(frames: list[Any], scale: int) -> dict[str, Any]:
    """Return a control video as LTX-2's reference, which an in-context LoRA follows.

    The pipeline makes it smaller by ``scale`` itself.
    """
    if not frames:
        return {}
    from diffusers.pipelines.ltx2.pipeline_ltx2_ic_lora import (  # noqa: PLC0415
        LTX2ReferenceCondition,
    )

    smaller = {_SCALED: scale} if scale > 1 else {}
    return {_IN_CONTEXT: [LTX2ReferenceCondition(frames=frames)], **smaller}


def _in_chunks(pipe: Any, frames: list[Any]) -> Any:
    import numpy as np  # noqa: PLC0415
    import torch  # noqa: PLC0415

    step = int(pipe.vae_scale_factor_temporal)
    whole = 0
    for latents in np.cumsum(chunk_sizes(pipe, len(frames))):
        count = (int(latents) - 1) * step + 1
        whole = count if count <= len(frames) else whole
    shown = np.stack([np.asarray(frame) for frame in frames[-whole:]])
    return torch.from_numpy(shown).permute(0, 3, 1, 2)[None].float() / 255


def _check_signature(pipe: Any, given: frozenset[str]) -> None:
    """Raise ``InvalidRequest`` unless the call takes the given inputs and lacks none."""
    own = parameters_of(pipe)
    for name in INPUTS:
        if name in given and name not in own:
            text = f"{type(pipe).__name__} does not accept {name}."
        elif name not in given and own.get(name) is inspect.Parameter.empty:
            text = f"This model starts from an {name}: give one in options.{name}."
        else:
            continue
        raise InvalidRequest(text, (FieldProblem(f"options.{name}", text),))


def _of_length(name: str, frames: list[Any], length: str, num_frames: int) -> list[Any]:
    if length == "same" and len(frames) < num_frames:
        text = f"The video has {len(frames)} frames, fewer than the {num_frames} to be made."
    elif length == "shorter" and len(frames) >= num_frames:
        text = f"The video has {len(frames)} frames; ask for more than that: it is continued."
    else:
        return frames[:num_frames] if length else frames
    raise InvalidRequest(text, (FieldProblem(f"options.{name}", text),))


@cache
def _table() -> dict[str, Inputs]:
    text = resources.files("workbench.engines.diffusers").joinpath("inputs.toml").read_text("utf-8")
    return {name: Inputs.model_validate(entry) for name, entry in tomllib.loads(text).items()}


def _read(name: str, options: Options, request: RenderRequest, size: tuple[int, int]) -> Any:
    given = getattr(options, name)
    match name:
        case "references":
            return [_picture(one, (0, 0)) for one in given]  # pipelines keep the aspect ratio
        case "video":
            return _frames(given, size)
        case "mask":
            return _mask(given, request.num_frames or 1, size)
        case _:
            return _picture(given, size)


def _conditions(
    pipe: Any,
    request: RenderRequest,
    options: Options,
    size: tuple[int, int],
    tail: list[Any] | None = None,
) -> list[Any]:
    """Return the pictures and videos of an LTX pipeline, each at its frame."""
    last = (request.num_frames or 1) - 1
    fps = request.fps or 1
    placed: list[tuple[Any, int]] = []
    if tail:
        placed.append((tail, 0))
    if options.video:
        placed.append((_frames(options.video, size), 0))
    if options.image:
        placed.append((_picture(options.image, size), 0))
    placed += [
        (_picture(one.image, size), min(last, round(one.at_s * fps))) for one in options.keyframes
    ]
    if options.last_image:
        placed.append((_picture(options.last_image, size), last))
    if type(pipe).__name__.startswith("LTX2"):
        from diffusers.pipelines.ltx2.pipeline_ltx2_condition import (  # noqa: PLC0415
            LTX2VideoCondition,
        )

        step = int(pipe.vae_temporal_compression_ratio)
        # Indices count latent frames: the first holds one frame, each later one `step` frames.
        return [LTX2VideoCondition(frames=what, index=-(-at // step)) for what, at in placed]
    from diffusers.pipelines.ltx.pipeline_ltx_condition import LTXVideoCondition  # noqa: PLC0415

    return [
        LTXVideoCondition(**{"video" if isinstance(what, list) else "image": what}, frame_index=at)
        for what, at in placed
    ]


def _picture(path: str, size: tuple[int, int]) -> Any:
    """Return the image at ``path``, or the last frame of the video there."""
    from PIL import Image  # noqa: PLC0415

    try:
        return _fitted(Image.fromarray(start_frame(input_file(path))), size)
    except DamagedFile as error:
        raise RenderError(str(error)) from error


def _frames(path: str, size: tuple[int, int]) -> list[Any]:
    from PIL import Image  # noqa: PLC0415

    return [_fitted(Image.fromarray(frame), size) for frame in decode_video(input_file(path))]


def _control(control: Control, size: tuple[int, int], fps: float | None) -> list[Any]:
    """Return the frames of a control video from its start on.

    A channel and what is computed from a video are resampled to the model's rate; of any other
    video a frame is a frame.
    """
    from PIL import Image  # noqa: PLC0415

    file = input_file(control.video)
    facts = control_facts(file)
    rate = fps or facts.fps
    first = round(control.start_s * rate)
    if facts.is_channel:
        drawn = map(Image.fromarray, control_frames(file, size))
        return _resampled([_fitted(one, size) for one in drawn], facts.fps, rate)[first:]
    shown = _frames(control.video, size)
    if control.ready:
        return shown[first:]
    return _computed(control.kind, _resampled(shown, facts.fps, rate), first)


def _resampled(frames: list[Any], own: float, rate: float) -> list[Any]:
    """Return the frames of a video of ``own`` frames a second at another rate."""
    if rate == own:
        return frames
    count = int((len(frames) - 1) / own * rate + _SAME_MOMENT) + 1
    return [frames[round(index / rate * own)] for index in range(count)]


def _computed(kind: str, pictures: list[Any], first: int) -> list[Any]:
    import numpy as np  # noqa: PLC0415
    from PIL import Image  # noqa: PLC0415

    from workbench.engines.computed_control import computed_controls  # noqa: PLC0415

    frames = [np.asarray(one) for one in pictures[max(first - 1, 0) :]]
    before = frames.pop(0) if first else None
    return [Image.fromarray(one) for one in computed_controls(kind, frames, before=before)]


def _mask(path: str, num_frames: int, size: tuple[int, int]) -> list[Any]:
    """Return one mask per frame: a picture repeated, or a video padded with its last frame."""
    with input_file(path).open("rb") as file:
        is_video = ending_of(file.read(16)) in {".mp4", ".webm"}
    masks = _frames(path, size) if is_video else [_picture(path, size)]
    shown = [one.convert("L") for one in masks[:num_frames]]
    return shown + [shown[-1]] * (num_frames - len(shown))


def _fitted(picture: Any, size: tuple[int, int]) -> Any:
    """Return ``picture`` scaled to cover ``size`` and center-cropped to it."""
    from PIL import Image, ImageOps  # noqa: PLC0415

    if not all(size) or picture.size == size:
        return picture
    return ImageOps.fit(picture, size, method=Image.Resampling.LANCZOS)
