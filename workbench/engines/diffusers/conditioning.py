"""What a pipeline class takes besides the prompt, and how it is handed over.

Which class takes what is data: ``inputs.toml``. Imports no model library before a render.
"""

from __future__ import annotations

import inspect
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, model_validator

from workbench.engines.channels import control_frames, kind_of
from workbench.engines.diffusers.adapters import parameters_of
from workbench.engines.diffusers.families import Family, ModelFacts
from workbench.engines.diffusers.options import Options
from workbench.engines.images import start_frame
from workbench.engines.inputs import ending_of, input_file
from workbench.engines.probe import decode_video, probe_video
from workbench.errors import DamagedFile, FieldProblem, InvalidRequest, RenderError
from workbench.rendering import INPUTS, RenderRequest

__all__ = [
    "Inputs",
    "choose_class",
    "conditioned",
    "given_media",
    "inputs_of",
    "kinds_of",
    "media_of",
    "needs_of",
    "takes",
]

_CONDITIONS: Final = "conditions"
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

    def fit(self, given: set[str]) -> bool:
        """Return whether the class takes all that is given, and is given all that it needs.

        What goes into one parameter is given once, and of an image and a video one, unless the
        parameter holds a list of both or the class needs both.
        """
        if not given <= self.parameters.keys() or not given >= set(self.needs):
            return False
        used = [self.parameters[name] for name in given]
        both = {"image", "video"}
        alone = len(set(used)) == len(used) and (not given >= both or both <= set(self.needs))
        return alone or set(used) == {_CONDITIONS}

    @model_validator(mode="before")
    @classmethod
    def _read(cls, entry: Any) -> Any:
        own = dict(entry)
        apart: dict[str, Any] = {name: own.pop(name, ()) for name in ("needs", "kinds")}
        apart |= {name: own.pop(name, "") for name in ("length", "camera")}
        return {**apart, "parameters": own}


def inputs_of(class_name: str) -> Inputs | None:
    """Return what the pipeline class takes; None if it is not known."""
    return _table().get(class_name)


def given_media(options: Options | Mapping[str, Any]) -> frozenset[str]:
    """Return the names of the inputs that are set in ``options``."""
    read = options.get if isinstance(options, Mapping) else lambda name: getattr(options, name)
    return frozenset(name for name in INPUTS if read(name))


def takes(name: str, class_names: Iterable[str]) -> bool:
    """Return whether any of these classes takes the input ``name``."""
    known = filter(None, map(inputs_of, class_names))
    return any(name in one.parameters for one in known)


def needs_of(facts: ModelFacts, family: Family) -> tuple[tuple[str, ...], ...]:
    """Return what a model must be given: of each group of inputs one."""
    if family.needs:
        return (family.needs,)
    if (own := inputs_of(facts.class_name)) is not None:
        return tuple((name,) for name in own.needs)
    if any(sign in facts.class_name for sign in ("ImageToVideo", "Image2Video", "I2V")):
        return (("image",),)
    return (("video",),) if "VideoToVideo" in facts.class_name else ()


def choose_class(given: Iterable[str], class_name: str, family: Family) -> str | None:
    """Return the first class that takes everything in ``given``: the model's own, or a variant.

    None if there is none. A class that is not known is chosen if no other is to be had.
    """
    wanted = set(given)
    for name in (class_name, *family.variants):
        taken = inputs_of(name)
        if taken is not None and taken.fit(wanted):
            return name
    return class_name if inputs_of(class_name) is None else None


def media_of(facts: ModelFacts, family: Family) -> tuple[str, ...] | None:
    """Return the inputs that a model takes; None if its pipeline class is not known."""
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


def conditioned(
    pipe: Any, request: RenderRequest, options: Options, scale: int = 1
) -> dict[str, Any]:
    """Return the arguments of ``pipe``'s call for its inputs, at the request's size over ``scale``.

    Raises ``InvalidRequest`` for what a class that ``inputs.toml`` does not know does not take, or
    lacks, and for a video that is too short.
    """
    taken = inputs_of(type(pipe).__name__)
    size = ((request.width or 0) // scale, (request.height or 0) // scale)
    if taken is None:
        _check_signature(pipe, given_media(options))
    parameters = dict(taken.parameters) if taken else {name: name for name in INPUTS}
    if _CONDITIONS in parameters.values():
        conditions = _conditions(pipe, request, options, size)
        return {_CONDITIONS: conditions} if conditions else {}
    arguments = {}
    for name in INPUTS:
        if name not in given_media(options):
            continue
        read = _read(name, options, request, size)
        if taken and name in _VIDEOS and request.num_frames:
            read = _of_length(name, read, taken.length, request.num_frames)
        arguments[parameters[name]] = read
    return arguments


def _check_signature(pipe: Any, given: frozenset[str]) -> None:
    """Raise ``InvalidRequest`` unless the call takes what is given and misses nothing."""
    own = parameters_of(pipe)
    for name in INPUTS:
        if name in given and name not in own:
            text = f"{type(pipe).__name__} takes no {name}."
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
            return [_picture(one, (0, 0)) for one in given]  # pipelines keep their proportions
        case "video":
            return _frames(given, size)
        case "control":
            return _control(given.video, size, request.fps)
        case "mask":
            return _mask(given, request.num_frames or 1, size)
        case _:
            return _picture(given, size)


def _conditions(
    pipe: Any, request: RenderRequest, options: Options, size: tuple[int, int]
) -> list[Any]:
    """Return the pictures and videos of an LTX pipeline, each at its frame."""
    last = (request.num_frames or 1) - 1
    fps = request.fps or 1
    placed: list[tuple[Any, int]] = []
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
        # It counts latent frames: the first holds one frame, each later one `step` of them.
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


def _control(path: str, size: tuple[int, int], fps: float | None) -> list[Any]:
    """Return the frames that a model follows; those of a channel at the model's own rate."""
    from PIL import Image  # noqa: PLC0415

    file = input_file(path)
    if not kind_of(file):
        return _frames(path, size)
    own = probe_video(file).fps
    shown = [_fitted(Image.fromarray(frame), size) for frame in control_frames(file)]
    if not fps or fps == own:
        return shown
    count = int((len(shown) - 1) / own * fps + _SAME_MOMENT) + 1
    return [shown[round(index / fps * own)] for index in range(count)]


def _mask(path: str, num_frames: int, size: tuple[int, int]) -> list[Any]:
    """Return one mask for each frame; a picture is used for all, the last frame of a video is repeated."""
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
