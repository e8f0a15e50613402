"""A camera path as COLMAP text: ``images.txt`` (world to camera) and ``cameras.txt``.

Form: https://colmap.github.io/format.html. COLMAP counts pixels from the corner of the picture; the
workbench, like OpenCV, from the middle of the first pixel: principal points differ by 0.5.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from workbench.control.camera_path import CameraPath, Intrinsics
from workbench.control.conversion import DEFAULT_FPS, MAX_FRAMES, Converted, invalid
from workbench.control.files import parse_numbers
from workbench.control.rotation import inverse_pose, quaternion_of
from workbench.control.tum import rotation_of

__all__ = ["path_from_colmap", "path_to_colmap"]

_MODELS: Final[Mapping[str, tuple[tuple[int, int, int, int], int]]] = {
    "SIMPLE_PINHOLE": ((0, 0, 1, 2), 3),
    "PINHOLE": ((0, 1, 2, 3), 4),
    "SIMPLE_RADIAL": ((0, 0, 1, 2), 4),
    "RADIAL": ((0, 0, 1, 2), 5),
    "OPENCV": ((0, 1, 2, 3), 8),
    "FULL_OPENCV": ((0, 1, 2, 3), 12),
}
"""Camera model → positions of fx, fy, cx, cy among its parameters, and their number."""


def path_from_colmap(
    texts: Mapping[str, str], *, fps: float = DEFAULT_FPS
) -> Converted[CameraPath]:
    """Return the path of ``texts["images.txt"]`` and ``texts["cameras.txt"]``.

    Images are sorted by name, one per frame at ``fps``. Raises ``InvalidRequest``.
    """
    cameras, notes = _parse_cameras(texts["cameras.txt"])
    names: list[str] = []
    table: list[list[float]] = []
    lenses: list[Intrinsics] = []
    lines = iter(enumerate(texts["images.txt"].splitlines(), 1))
    for number, line in lines:
        words = line.split(maxsplit=9)
        if not words or words[0].startswith("#"):
            continue
        where = f"images.txt, line {number}"
        if len(words) < 10:
            raise invalid(
                where,
                "needs IMAGE_ID QW QX QY QZ TX TY TZ CAMERA_ID NAME, with a line of points after it",
            )
        if words[8] not in cameras:
            raise invalid(where, f"names camera {words[8][:20]!r}, which cameras.txt lacks")
        if len(table) == MAX_FRAMES:
            raise invalid("images.txt", f"has more than {MAX_FRAMES} images")
        table.append(parse_numbers(words[1:8], where))
        names.append(words[9].strip())
        lenses.append(cameras[words[8]])
        next(lines, None)  # the points of the image
    if not table:
        raise invalid("images.txt", "contains no image")
    order = np.array(sorted(range(len(names)), key=names.__getitem__))
    values = np.array(table)[order]
    w2c = np.tile(np.eye(4), (len(values), 1, 1))
    w2c[:, :3, :3] = rotation_of(values[:, :4], "images.txt")
    w2c[:, :3, 3] = values[:, 4:7]
    ordered = [lenses[i] for i in order]
    path = CameraPath.of_poses(inverse_pose(w2c), fps=fps, intrinsics=ordered[0], lenses=ordered)
    timed = f"COLMAP has no times: images follow each other by name at {fps:g} fps."
    return Converted(path, (timed, *notes))


def path_to_colmap(path: CameraPath) -> Converted[dict[str, str]]:
    """Return the keyframes of ``path`` as the texts of ``images.txt`` and ``cameras.txt``."""
    w2c = inverse_pose(path.c2w)
    rows = np.column_stack([quaternion_of(w2c[:, :3, :3]), w2c[:, :3, 3]]).tolist()
    lenses = [frame.intrinsics or path.intrinsics for frame in path.keyframes]
    numbers = {lens: number for number, lens in enumerate(dict.fromkeys(lenses), 1)}
    images = ["# IMAGE_ID QW QX QY QZ TX TY TZ CAMERA_ID NAME", "# POINTS2D"]
    for index, (row, lens) in enumerate(zip(rows, lenses, strict=True)):
        pose = " ".join(map(repr, row))
        images += [f"{index + 1} {pose} {numbers[lens]} frame_{index:05d}.png", ""]
    cameras = ["# CAMERA_ID MODEL WIDTH HEIGHT PARAMS"]
    for lens, number in numbers.items():
        params = (lens.fx, lens.fy, lens.cx + 0.5, lens.cy + 0.5)
        size = f"{lens.width} {lens.height}"
        cameras.append(f"{number} PINHOLE {size} {' '.join(map(repr, params))}")
    texts = {"images.txt": "\n".join([*images, ""]), "cameras.txt": "\n".join([*cameras, ""])}
    return Converted(texts, ("COLMAP has no times: only the order of the poses is kept.",))


def _parse_cameras(text: str) -> tuple[dict[str, Intrinsics], tuple[str, ...]]:
    cameras: dict[str, Intrinsics] = {}
    distorted = False
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        where = f"cameras.txt, line {number}"
        if len(words) < 5:
            raise invalid(where, "needs CAMERA_ID MODEL WIDTH HEIGHT PARAMS")
        if words[1] not in _MODELS:
            known = ", ".join(_MODELS)
            raise invalid(where, f"has camera model {words[1][:20]!r}; supported: {known}")
        places, count = _MODELS[words[1]]
        width, height, *params = parse_numbers(words[2:], where)
        if len(params) != count:
            raise invalid(where, f"{words[1]} has {count} parameters; got {len(params)}")
        if len(cameras) == MAX_FRAMES:
            raise invalid("cameras.txt", f"has more than {MAX_FRAMES} cameras")
        if max(abs(width), abs(height)) > 1e6:
            raise invalid(where, "has a picture size out of bounds")
        fx, fy, cx, cy = (params[place] for place in places)
        lens = (fx, fy, cx - 0.5, cy - 0.5)
        cameras[words[0]] = Intrinsics.of_vector(lens, int(width), int(height))
        distorted |= any(params[max(places) + 1 :])
    lost = "The distortion of the lens is left out: a path has pinhole cameras."
    return cameras, (lost,) if distorted else ()
