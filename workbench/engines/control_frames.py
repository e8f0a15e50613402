"""The frames of a storyboard's channel as a model follows them: eight-bit RGB.

Depth is bright where it is near, boxes are outlines on white (as the layouts that Wan VACE was trained
on), flow has the colours of the Middlebury wheel.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from workbench.engines.channels import channel_facts, decode_flow, kind_of, read_channel
from workbench.engines.optical_flow import flow_colours
from workbench.engines.pixels import Image
from workbench.engines.probe import probe_video
from workbench.errors import DamagedFile

__all__ = ["ControlFacts", "control_facts", "control_frames", "draw_box"]

_BOXES: Final = ".json"
_LINE: Final = 2
"""Pixels of a box's outline, as in VACE's ``LayoutBboxAnnotator``."""


@dataclass(frozen=True, slots=True)
class ControlFacts:
    """The length of a control video, and whether it is a storyboard's channel."""

    num_frames: int
    fps: float
    is_channel: bool


def control_facts(path: Path) -> ControlFacts:
    """Return the facts of the control video or channel at ``path``; raises ``DamagedFile``."""
    if path.suffix == _BOXES:
        boxes = _box_document(path)
        return ControlFacts(boxes["num_frames"], boxes["fps"], is_channel=True)
    facts = probe_video(path)
    return ControlFacts(facts.num_frames, facts.fps, is_channel=bool(kind_of(path)))


def control_frames(path: Path, size: tuple[int, int] = (0, 0)) -> Iterator[Image]:
    """Yield a channel as a model follows it: RGB (H×W×3, ``uint8``).

    Boxes are drawn at ``size`` (width, height), scaled to cover it as pictures are; the others keep
    the storyboard's own size. A frame of flow shows the motion from the frame before; the first one
    shows that to the second. Raises ``DamagedFile``.
    """
    if path.suffix == _BOXES:
        yield from _drawn_boxes(_box_document(path), size)
        return
    kind = kind_of(path)
    stored = read_channel(path)
    if kind == "flow":
        yield from _shown_flow(stored)
        return
    for frame in stored:
        shown = (frame >> 8).astype(np.uint8) if kind == "depth" else frame
        yield np.repeat(shown[..., None], 3, axis=2) if shown.ndim == 2 else shown


def _shown_flow(stored: Iterator[Image]) -> Iterator[Image]:
    """Yield each motion at the frame where it ends; what is unknown shows as still."""
    first = next(stored, None)
    if first is None:
        return
    for moved, _ in pairwise(chain((first, first), stored)):
        flow, known = decode_flow(moved)
        yield flow_colours(np.where(known[..., None], flow, 0))


def _drawn_boxes(document: Mapping[str, Any], size: tuple[int, int]) -> Iterator[Image]:
    own_width, own_height = document["size"]
    width, height = size if all(size) else (own_width, own_height)
    scale = max(width / own_width, height / own_height)
    left, top = (own_width * scale - width) / 2, (own_height * scale - height) / 2
    moved = np.array([left, top, left, top])
    for index in range(document["num_frames"]):
        frame = np.full((height, width, 3), 255, np.uint8)
        for entity in document["entities"]:
            if (box := entity["boxes"][index]) is not None:
                x, y, right, low = np.rint(np.array(box) * scale - moved).astype(int).tolist()
                draw_box(frame, (x, y, right, low))
        yield frame


def draw_box(frame: Image, box: tuple[int, int, int, int]) -> None:
    """Outline a box (left, top, right, bottom in pixels) in ``frame``, black."""
    cv2.rectangle(frame, box[:2], box[2:], (0, 0, 0), _LINE)


def _box_document(path: Path) -> dict[str, Any]:
    """Return the content of ``boxes.json``; older ones have their size in ``channels.json``."""
    try:
        document: dict[str, Any] = dict(json.loads(path.read_text("utf-8")))
        if "entities" in document and "size" not in document:
            document = {**channel_facts(path.parent), **document}
        _check(document)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedFile(f"{path.name} is missing or damaged.") from error
    return document


def _check(document: Mapping[str, Any]) -> None:
    """Raise ``ValueError``, ``KeyError`` or ``TypeError`` unless every frame has its boxes."""
    width, height = document["size"]
    count, rate = document["num_frames"], document["fps"]
    if not all(isinstance(one, int) and one > 0 for one in (width, height, count)) or rate <= 0:
        raise ValueError
    for entity in document["entities"]:
        boxes: Sequence[Any] = entity["boxes"]
        if len(boxes) != count or not all(one is None or len(one) == 4 for one in boxes):
            raise ValueError
