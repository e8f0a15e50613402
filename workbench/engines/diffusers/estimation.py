"""Estimates a control from the pictures of a video with learnt models: depth, pose, segments, boxes.

The models are transformers' own classes, loaded from a folder of the user, in single precision, and freed
when the last frame is done. Pictures are prepared by their PIL image processors: no torchvision.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import PIL.Image
import torch
import transformers
from safetensors import SafetensorError

from workbench.engines.control_frames import draw_box
from workbench.engines.diffusers.conditioning import frames_to_estimate
from workbench.engines.diffusers.estimators import (
    architecture_of,
    estimates_distance,
    estimator_files,
)
from workbench.engines.diffusers.families import family_of
from workbench.engines.diffusers.options import read_options
from workbench.engines.diffusers.poses import Person, drawn_skeletons, joints_of, person_crop
from workbench.engines.diffusers.weights import find_weights, model_facts
from workbench.engines.engine import RenderTask
from workbench.engines.inputs import input_file
from workbench.engines.pixels import Image
from workbench.errors import EngineUnavailable, RenderCancelled
from workbench.rendering import Control, Progress

__all__ = ["LastEstimate", "estimated_control", "load_estimator"]

Estimate = Callable[[Image], Image]
"""From a frame (RGB, H×W×3, ``uint8``) to its control, in the same form."""

_PERSON: Final = "person"
_SURE: Final = 0.3
"""Least score of a person and of a joint, as in ViTPose's documentation."""
_ZOE_PADDING: Final = 3


class LastEstimate:
    """Estimates the control of renders, and keeps the last one for renders that follow it too."""

    def __init__(self) -> None:
        self._key: tuple[Any, ...] = ()
        self._frames: list[Any] = []

    def of(self, task: RenderTask, device: str) -> list[Any]:
        """Return the frames (PIL) of the control of ``task``, which a learnt model makes.

        Raises ``EngineUnavailable``, ``RenderCancelled``, and what the model raises.
        """
        request = task.recipe.request
        options = read_options(request.options)
        control = options.control
        if control is None:
            raise ValueError("the request has no control")
        scale = family_of(
            model_facts(request.model, find_weights(request.model, request.revision))
        ).scale
        files = [input_file(control.video), *(file for _, file in estimator_files(request.options))]
        stamps = [(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
        shape = (request.width, request.height, request.num_frames, request.fps, scale)
        key = (control, *stamps, *shape, device)
        if key != self._key:
            pictures = frames_to_estimate(request, options, scale)
            self._key, self._frames = (), []
            made = estimated_control(control, pictures, device, task.report, task.cancelled)
            self._key, self._frames = key, [PIL.Image.fromarray(one) for one in made]
        return self._frames


def estimated_control(
    control: Control,
    frames: Sequence[Any],
    device: str,
    report: Callable[[Progress], None],
    cancelled: Callable[[], bool],
) -> list[Image]:
    """Return ``frames`` (RGB, H×W×3, ``uint8``) as control of its kind, in the same form.

    Raises ``EngineUnavailable`` for weights that do not load, and ``RenderCancelled``.
    """
    report(Progress("loading", message=f"the model that estimates {control.kind}"))
    estimate = load_estimator(
        control.kind, input_file(control.estimator), device, _detector(control)
    )
    made = []
    for number, frame in enumerate(frames, 1):
        if cancelled():
            raise RenderCancelled
        told = f"{control.kind} of the control video: frame {number} of {len(frames)}"
        report(Progress("estimating", message=told))
        with torch.inference_mode():
            made.append(estimate(np.asarray(frame)))
    return made


def load_estimator(kind: str, folder: Path, device: str, detector: Path | None = None) -> Estimate:
    """Return what estimates ``kind`` with the weights in ``folder``, on ``device``."""
    model, processor = _loaded(folder, device)
    match kind:
        case "depth":
            is_distance = estimates_distance(folder)
            return lambda frame: _depth(model, processor, frame, is_distance=is_distance)
        case "segments":
            return lambda frame: _segments(model, processor, frame)
        case "boxes":
            return lambda frame: _boxes(model, processor, frame)
        case "pose":
            found = _loaded(detector, device) if detector else None
            return lambda frame: _pose(model, processor, found, frame)
        case _:
            raise ValueError(f"{kind} is not estimated")


def _detector(control: Control) -> Path | None:
    return input_file(control.detector) if control.detector else None


def _loaded(folder: Path, device: str) -> tuple[Any, Any]:
    """Return the model and the image processor in ``folder``; raises ``EngineUnavailable``."""
    try:
        model_class = getattr(transformers, architecture_of(folder))
        processor = transformers.AutoImageProcessor.from_pretrained(
            folder, backend="pil", local_files_only=True
        )
        model = model_class.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, dtype=torch.float32
        )
    except (
        OSError,
        ValueError,
        ImportError,
        AttributeError,
        RuntimeError,
        SafetensorError,
    ) as error:
        if isinstance(error, torch.OutOfMemoryError):
            raise
        raise EngineUnavailable(f"{folder.name} does not load: {error}") from error
    return model.to(device).eval(), processor


def _depth(model: Any, processor: Any, frame: Image, *, is_distance: bool) -> Image:
    """Return depth from the farthest (0) to the nearest (255) of the frame."""
    inputs = processor(images=frame, return_tensors="pt").to(model.device)
    found = model(**inputs).predicted_depth[None]
    height, width = frame.shape[:2]
    if getattr(processor, "do_pad", False) and "Zoe" in type(processor).__name__:
        found = _without_padding(found, height, width)
    else:
        found = _resized(found, height, width)
    depth = found[0, 0].double().cpu().numpy()
    if is_distance:
        depth = 1 / np.maximum(depth, np.finfo(np.float32).tiny)
    low, high = depth.min(), depth.max()
    shown = (depth - low) / (high - low) if high > low else np.zeros_like(depth)
    return np.repeat((shown * 255).astype(np.uint8)[..., None], 3, axis=2)


def _without_padding(depth: Any, height: int, width: int) -> Any:
    """Return the depth of a padded picture at the picture's own size."""
    high, wide = (int(np.sqrt(one / 2) * _ZOE_PADDING) for one in (height, width))
    whole = _resized(depth, height + 2 * high, width + 2 * wide)
    return whole[..., high : high + height, wide : wide + width]


def _resized(depth: Any, height: int, width: int) -> Any:
    return torch.nn.functional.interpolate(
        depth, size=(height, width), mode="bicubic", align_corners=False
    )


def _segments(model: Any, processor: Any, frame: Image) -> Image:
    """Return one colour for each class, the same in every frame."""
    inputs = processor(images=frame, return_tensors="pt").to(model.device)
    (classes,) = processor.post_process_semantic_segmentation(
        model(**inputs), target_sizes=[frame.shape[:2]]
    )
    numbers = classes.cpu().numpy().astype(np.uint8)
    coloured: Image = _palette()[numbers]
    return coloured


def _palette() -> Image:
    """Return the 256 colours of PASCAL VOC: the bits of a number, spread over three channels."""
    numbers = np.arange(256)
    colours = np.zeros((256, 3), np.uint8)
    for place in range(8):
        for channel in range(3):
            colours[:, channel] |= ((numbers >> channel & 1) << 7 - place).astype(np.uint8)
        numbers >>= 3
    return colours


def _pose(model: Any, processor: Any, detector: tuple[Any, Any] | None, frame: Image) -> Image:
    """Return the skeletons of the people in the frame; without a detector, of one who fills it."""
    height, width = frame.shape[:2]
    people = _people(*detector, frame) if detector else [(0.0, 0.0, float(width), float(height))]
    if not people:
        return np.zeros_like(frame)
    size = (processor.size["width"], processor.size["height"])
    crops = np.stack([person_crop(frame, person, size) for person in people])
    values = crops * processor.rescale_factor if processor.do_rescale else crops
    if processor.do_normalize:
        values = (values - np.array(processor.image_mean)) / np.array(processor.image_std)
    pixels = torch.from_numpy(values).float().permute(0, 3, 1, 2).to(model.device)
    experts = getattr(model.config.backbone_config, "num_experts", 1)
    more = {"dataset_index": torch.zeros(len(people), dtype=torch.long, device=model.device)}
    heatmaps = model(pixel_values=pixels, **(more if experts > 1 else {})).heatmaps
    joints = joints_of(heatmaps.float().cpu().numpy(), people, size)
    return drawn_skeletons(joints, (width, height), threshold=_SURE)


def _boxes(model: Any, processor: Any, frame: Image) -> Image:
    """Return the outlines of all that is found in ``frame``, as a storyboard's boxes are drawn."""
    shown = np.full_like(frame, 255)
    for _, corners in _things(model, processor, frame):
        left, top, right, low = np.rint(corners).astype(int).tolist()
        draw_box(shown, (left, top, right, low))
    return shown


def _people(model: Any, processor: Any, frame: Image) -> list[Person]:
    """Return the boxes of the people in ``frame``, the surest first."""
    return [
        (left, top, right - left, low - top)
        for name, (left, top, right, low) in _things(model, processor, frame)
        if name == _PERSON
    ]


def _things(model: Any, processor: Any, frame: Image) -> list[tuple[str, list[float]]]:
    """Return the class and the corners of each thing in ``frame``, the surest first."""
    inputs = processor(images=frame, return_tensors="pt").to(model.device)
    (found,) = processor.post_process_object_detection(
        model(**inputs), target_sizes=[frame.shape[:2]], threshold=_SURE
    )
    named = model.config.id2label
    return [
        (named[label], corners)
        for label, corners in zip(found["labels"].tolist(), found["boxes"].tolist(), strict=True)
    ]
