"""Writes the exact channels of a film, frame by frame, beside its video.

The channels show the world without weather, shadows, lens effects and the label.
"""

from __future__ import annotations

import colorsys
import json
from collections.abc import Hashable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import cv2
import numpy as np

from workbench.control import CameraPath, Intrinsics
from workbench.engines.animatic.camera import HORIZON
from workbench.engines.animatic.film import Film
from workbench.engines.animatic.placement import Placement, names_of, placements
from workbench.engines.animatic.planes import Picture
from workbench.engines.channels import CANNY, LosslessVideo, encode_depth, encode_flow
from workbench.engines.pixels import Image
from workbench.rendering import Channel

__all__ = ["ChannelWriter", "Truth", "camera_of", "truth_of"]

_OPAQUE: Final = 128
_FULL_RANGE: Final = np.rint(np.clip((np.arange(256) - 16) * 255 / 219, 0, 255)).astype(np.uint8)
"""A plane of luma is of limited range: 16 is black, 235 white."""
_GOLDEN: Final = 0.618034
_NOTHING: Final = -1
_SLANT: Final = 1.5
"""Margin on the least distance, for slanted views of a plane."""


@dataclass(frozen=True, slots=True)
class Truth:
    """The ground truth of one frame. Sizes are H×W; distances are units of the path."""

    inverse_depth: Image
    """1 over the distance along the optical axis; 0 for the sky."""
    flow: Image
    """H×W×2: motion to the next frame in pixels."""
    known: Image
    """Where the motion is known and its end is visible in the next frame."""
    things: Image
    """Index in ``placements`` of what is visible at each pixel; -1 for none."""
    placements: Sequence[Placement]


def truth_of(film: Film, index: int, *, with_flow: bool = True) -> Truth:
    """Return the ground truth of the frame at ``index``."""
    now = placements(film, index)
    things = _seen(film, now)
    rays = _rays(film, index)
    near = np.array([film.unit / one.distance for one in now] + [0.0])
    inverse = near[things] * rays
    size = film.height, film.width
    flow, known = np.zeros((*size, 2), np.float32), np.zeros(size, bool)
    if with_flow and index + 1 < film.num_frames:
        later = placements(film, index + 1)
        _flow(now, later, things, _seen(film, later), flow, known)
    return Truth(inverse, flow, known, things, now)


def camera_of(film: Film, first_frame: int = 0) -> CameraPath:
    """Return the camera of every frame from ``first_frame`` on, as filmed.

    The film's first camera is the origin.

    The unit is the distance to the subject. Without a commanded path the camera of the film moves
    and shifts its lens; a backdrop that passes a walking lead moves by itself.
    """
    width, height, fps = film.width, film.height, film.fps
    poses, lenses = [], []
    for index in range(first_frame, film.num_frames):
        shot = film.shot(index)
        if shot is not None:
            pose, lens = shot.c2w, shot.lens
            grown = height / film.drawn_height
            focal = float(lens[0, 0]) * grown
            middle = (
                (float(lens[0, 2]) + 0.5) * grown - 0.5,
                (float(lens[1, 2]) + 0.5) * grown - 0.5,
            )
        else:
            camera, first = film.path[index], film.path[0]
            pose = np.eye(4)
            pose[:3, 3] = np.array((camera.x - first.x, camera.y - first.y, camera.k - first.k))
            pose[:3, 3] /= film.unit
            focal = camera.f * height
            middle = width / 2 + camera.pan * height - 0.5, (HORIZON + camera.tilt) * height - 0.5
        poses.append(pose)
        lenses.append(Intrinsics.of_vector((focal, focal, *middle), width, height))
    return CameraPath.of_poses(poses, fps=fps, intrinsics=lenses[0], lenses=lenses)


class ChannelWriter:
    """Writes the requested channels into a folder; a context manager."""

    def __init__(
        self, folder: Path, film: Film, channels: Sequence[Channel], first: int = 0
    ) -> None:
        self._first = first
        self._folder, self._film, self._wanted = folder, film, frozenset(channels)
        self._stack = ExitStack()
        self._videos = {
            name: LosslessVideo(folder / f"{name}.mkv", name, film.width, film.height, film.fps)
            for name in ("depth", "flow", "segments", "edges", "gray")
            if name in self._wanted
        }
        for video in self._videos.values():
            self._stack.enter_context(video)
        self._names = names_of(film)
        self._places = [f"{film.script.backdrop}", f"{film.script.backdrop} in front"]
        self._colours = _palette([*self._places, *self._names])
        self._near = _nearest(film) if "depth" in self._wanted else 1.0
        self._boxes: dict[str, list[list[int] | None]] = {name: [] for name in self._names}

    def write(self, index: int, picture: Picture) -> None:
        """Write the frame at ``index``, drawn as ``picture``."""
        if "edges" in self._videos:
            self._videos["edges"].write(cv2.Canny(picture.y, *CANNY))
        if "gray" in self._videos:
            self._videos["gray"].write(_FULL_RANGE[picture.y])
        if not self._wanted & {"depth", "flow", "segments", "boxes"}:
            return
        truth = truth_of(self._film, index, with_flow="flow" in self._wanted)
        if "depth" in self._videos:
            self._videos["depth"].write(encode_depth(truth.inverse_depth, self._near))
        if "flow" in self._videos:
            self._videos["flow"].write(encode_flow(truth.flow, truth.known))
        if "segments" in self._videos:
            table = [self._colours[one.name] for one in truth.placements] + [(0, 0, 0)]
            self._videos["segments"].write(np.array(table, np.uint8)[truth.things])
        if "boxes" in self._wanted:
            self._keep_boxes(truth)

    def _keep_boxes(self, truth: Truth) -> None:
        found = {
            one.name: _box(truth.things == number)
            for number, one in enumerate(truth.placements)
            if one.is_entity
        }
        for name in self._names:
            self._boxes[name].append(found.get(name))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: Any) -> None:  # noqa: PYI036  a stack takes them as they are
        self._stack.__exit__(*exc_info)
        if exc_info[0] is None:
            self._write_texts()

    def _write_texts(self) -> None:
        facts_of_film: dict[str, Any] = {
            "size": [self._film.width, self._film.height],
            "num_frames": self._film.num_frames - self._first,
            "fps": self._film.fps,
        }
        facts = dict(facts_of_film)
        if "depth" in self._wanted:
            facts["depth"] = {"near": self._near, "unit": "distance to the subject"}
        if "segments" in self._wanted:
            facts["segments"] = [
                {"name": name, "colour": list(colour), "is_entity": name in self._names}
                for name, colour in self._colours.items()
            ]
        if bends := self._film.bends:
            facts["notes"] = [
                f"The video is bent by {', '.join(bends)}; the channels are straight."
            ]
        self._put("channels.json", facts)
        if "boxes" in self._wanted:
            entities = [{"name": name, "boxes": boxes} for name, boxes in self._boxes.items()]
            self._put("boxes.json", {**facts_of_film, "entities": entities})
        if "camera" in self._wanted:
            path = camera_of(self._film, self._first)
            self._put("camera.json", path.model_dump(mode="json", exclude_none=True))

    def _put(self, name: str, document: Mapping[str, Any]) -> None:
        (self._folder / name).write_text(json.dumps(document, allow_nan=False), "utf-8")


def _seen(film: Film, placed: Sequence[Placement]) -> Image:
    """Return the index in ``placed`` of what is visible at each pixel."""
    things = np.full((film.height, film.width), _NOTHING, np.int16)
    for number, one in enumerate(placed):
        height, width = one.sprite.height, one.sprite.width
        corners = np.array([(x, y, 1.0) for x in (0, width) for y in (0, height)]) @ one.onto.T
        if corners[:, 2].min() <= 0:
            left, top, right, low = 0, 0, film.width, film.height
        else:
            flat = corners[:, :2] / corners[:, 2:]
            left, top = np.maximum(0, np.floor(flat.min(axis=0)).astype(int) - 1)
            right, low = np.ceil(flat.max(axis=0)).astype(int) + 2
            right, low = min(film.width, right), min(film.height, low)
        if right <= left or low <= top:
            continue
        there = np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1.0]]) @ one.onto
        keep = one.sprite.keep
        opacity = np.full((height, width), 255, np.uint8) if keep is None else cv2.bitwise_not(keep)
        shown = cv2.warpPerspective(
            opacity, there, (right - left, low - top), flags=cv2.INTER_LINEAR
        )
        things[top:low, left:right][shown >= _OPAQUE] = number
    return things


def _rays(film: Film, index: int) -> Image:
    """Return, for each pixel, the advance of its ray of unit depth along the stage's axis."""
    shot = film.shot(index)
    size = film.height, film.width
    if shot is None or shot.warp is None:
        return np.ones(size)
    grown = film.height / film.drawn_height
    x = (np.arange(film.width) + 0.5) / grown - 0.5
    y = (np.arange(film.height) + 0.5) / grown - 0.5
    across, down, ahead = (shot.c2w[2, :3] @ np.linalg.inv(shot.lens)).tolist()
    return np.asarray(across * x[None, :] + down * y[:, None] + ahead)


def _flow(
    now: Sequence[Placement],
    later: Sequence[Placement],
    things: Image,
    things_later: Image,
    flow: Image,
    known: Image,
) -> None:
    """Fill in ``flow`` and ``known``."""
    found: dict[Hashable, tuple[int, Placement]] = {
        one.key: (number, one) for number, one in enumerate(later)
    }
    height, width = things.shape
    for number, one in enumerate(now):
        if one.key not in found:
            continue
        rows, columns = np.nonzero(things == number)
        if not len(rows):
            continue
        number_later, then = found[one.key]
        across = then.moves @ np.linalg.inv(one.moves)
        points = np.stack([columns, rows, np.ones_like(rows)]).astype(np.float64)
        x, y, z = across @ points
        x, y = x / z, y / z
        flow[rows, columns, 0], flow[rows, columns, 1] = x - columns, y - rows
        ends = np.rint(x).astype(int), np.rint(y).astype(int)
        inside = (ends[0] >= 0) & (ends[0] < width) & (ends[1] >= 0) & (ends[1] < height) & (z > 0)
        at = np.clip(ends[1], 0, height - 1), np.clip(ends[0], 0, width - 1)
        same_pose = one.sprite is then.sprite
        known[rows, columns] = inside & (things_later[at] == number_later) & same_pose


def _nearest(film: Film) -> float:
    """Return a lower bound on all distances in the film, in the path's units."""
    least = min(one.distance for index in range(film.num_frames) for one in placements(film, index))
    return float(least / film.unit / _SLANT)


def _box(seen: Image) -> list[int] | None:
    """Return left, top, right and bottom of the visible part, in pixels; None if hidden."""
    left, top, wide, tall = cv2.boundingRect(seen.astype(np.uint8))
    return [left, top, left + wide, top + tall] if wide else None


def _palette(names: Sequence[str]) -> dict[str, tuple[int, int, int]]:
    """Return a distinct colour for each name: places dark, entities bright."""
    colours = {}
    for number, name in enumerate(dict.fromkeys(names)):
        value = 0.35 if number < 2 else 0.95
        red, green, blue = colorsys.hsv_to_rgb((0.3 + _GOLDEN * number) % 1, 0.75, value)
        colours[name] = (round(red * 255), round(green * 255), round(blue * 255))
    return colours
