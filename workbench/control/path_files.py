"""Reads and writes camera paths as files: JSON, NPZ, NPY, COLMAP and TUM text.

JSON and NPZ hold all of a path. Formats are identified by content, never only by name.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from workbench.control.camera_path import CameraPath, Intrinsics
from workbench.control.colmap import path_from_colmap
from workbench.control.conversion import DEFAULT_FPS, MAX_FRAMES, Converted, invalid, validated
from workbench.control.drawing import path_from_drawing
from workbench.control.files import (
    NPY_MAGIC,
    ZIP_MAGIC,
    parse_json,
    parse_npy,
    parse_npz,
    parse_texts,
    read_bounded,
    text_of,
)
from workbench.control.rotation import Array
from workbench.control.tum import path_from_tum

__all__ = ["path_from_bytes", "path_from_document", "path_to_npz", "read_path"]

_COLMAP = ("images.txt", "cameras.txt")
_NO_LENS = "The file has no intrinsics: an angle of view of 60° is assumed."


def read_path(
    path: Path, *, fps: float = DEFAULT_FPS, intrinsics: Intrinsics | None = None
) -> Converted[CameraPath]:
    """Return the camera path in the file, or in the folder of COLMAP texts, at ``path``.

    ``fps`` gives the times if the file has none, ``intrinsics`` the lens. JSON is the path's own
    document, ``{"c2w": …, "intrinsics": …, "size": [width, height], "fps": …}`` or a list of 4×4
    matrices, or a drawing: ``{"drawing": [[x, z, seconds], …], "look": …, "height": …}``; NPZ has arrays of the same names; NPY has only poses. Raises ``InvalidRequest``.
    """
    if path.is_dir() or path.name == "images.txt":
        folder = path if path.is_dir() else path.parent
        texts = {name: text_of(read_bounded(folder / name), name) for name in _COLMAP}
        return path_from_colmap(texts, fps=fps)
    return path_from_bytes(read_bounded(path), path.name, fps=fps, intrinsics=intrinsics)


def path_from_bytes(
    data: bytes,
    name: str,
    *,
    fps: float = DEFAULT_FPS,
    intrinsics: Intrinsics | None = None,
) -> Converted[CameraPath]:
    """Return the camera path in the content of a file; messages use ``name``.

    The format is identified by content; a ZIP with COLMAP's two texts is one too. Otherwise like :func:`read_path`; raises
    ``InvalidRequest``.
    """
    start = data[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    if data.startswith(ZIP_MAGIC):
        if (texts := parse_texts(data, name, _COLMAP)) is not None:
            return path_from_colmap(texts, fps=fps)
        return _of_arrays(parse_npz(data, name), fps, intrinsics, name)
    if data.startswith(NPY_MAGIC):
        arrays = {"c2w": parse_npy(data, name)}
        return _of_arrays(arrays, fps, intrinsics, name)
    if start[:1] in {b"{", b"["}:
        document = parse_json(data, name)
        return path_from_document(document, name, fps=fps, intrinsics=intrinsics)
    return path_from_tum(text_of(data, name), name=name, intrinsics=intrinsics)


def path_to_npz(path: CameraPath) -> Converted[bytes]:
    """Return the path as an NPZ file: exact, in ``float64``."""
    file = io.BytesIO()
    arrays: dict[str, Any] = {
        "c2w": path.c2w,
        "times_s": path.times_s,
        "intrinsics": np.array(path.intrinsics.vector),
        "size": np.array([path.intrinsics.width, path.intrinsics.height]),
        "linear": np.array(path.interpolation == "linear"),
    }
    if any(frame.intrinsics for frame in path.keyframes):
        lenses = [frame.intrinsics or path.intrinsics for frame in path.keyframes]
        arrays["lenses"] = np.array([lens.vector for lens in lenses])
    np.savez_compressed(file, **arrays)
    return Converted(file.getvalue())


def path_from_document(
    document: Any,
    name: str,
    *,
    fps: float = DEFAULT_FPS,
    intrinsics: Intrinsics | None = None,
) -> Converted[CameraPath]:
    """Return the camera path in a JSON document; messages use ``name``.

    Forms, ``fps`` and ``intrinsics`` are those of :func:`read_path`. Raises
    ``InvalidRequest``.
    """
    if isinstance(document, list):
        return _of_arrays({"c2w": _array(document, f"{name}.c2w")}, fps, intrinsics, name)
    if "drawing" in document:
        return _of_drawing(document, name, intrinsics)
    if "keyframes" in document:
        return Converted(validated(CameraPath, document, name))
    known = {"c2w", "intrinsics", "size", "fps", "times_s"}
    arrays = {
        key: _array(value, f"{name}.{key}") for key, value in document.items() if key in known
    }
    found = _of_arrays(arrays, fps, intrinsics, name)
    unread = sorted(document.keys() - known)
    if not unread:
        return found
    shown = ", ".join(key[:40] for key in unread[:8])
    return Converted(found.value, (*found.notes, f"Not read from {name}: {shown}."))


def _of_drawing(
    document: Mapping[str, Any], name: str, intrinsics: Intrinsics | None
) -> Converted[CameraPath]:
    """Return the path of a drawing: its points, ``look`` and ``height``."""
    if unread := document.keys() - {"drawing", "look", "height"}:
        raise invalid(name, f"is a drawing, which has no {min(unread)[:40]}: drawing, look, height")
    points, look, height = (document.get(key) for key in ("drawing", "look", "height"))
    if not isinstance(points, list) or not all(isinstance(one, list | tuple) for one in points):
        raise invalid(f"{name}.drawing", "must be a list of points: x, z, seconds")
    if not isinstance(height, int | float | None):
        raise invalid(f"{name}.height", "must be a number")
    aim = _aim_of(look, f"{name}.look")
    return path_from_drawing(points, look=aim, height=height or 0.0, intrinsics=intrinsics)


def _aim_of(look: Any, where: str) -> Any:
    """Return where a drawing's camera looks; raises ``InvalidRequest``."""
    aim = "along" if look is None else tuple(look) if isinstance(look, list) else look
    if not isinstance(aim, str) and not (isinstance(aim, tuple) and len(aim) == 2):
        raise invalid(where, "must be along, ahead, or a point (x, z)")
    return aim


def _array(value: Any, where: str) -> Array:
    try:
        array = np.asarray(value, dtype=np.float64)
    except (ValueError, TypeError, OverflowError) as error:
        raise invalid(where, "is not a table of numbers") from error
    if not np.isfinite(array).all():
        raise invalid(where, "contains numbers that are not finite")
    return array


def _of_arrays(
    arrays: Mapping[str, Array], fps: float, intrinsics: Intrinsics | None, name: str
) -> Converted[CameraPath]:
    if "c2w" not in arrays:
        raise invalid(name, "has no c2w: poses of 4×4, camera to world")
    poses = arrays["c2w"]
    if poses.ndim == 2:
        poses = poses[None]
    if poses.ndim != 3 or poses.shape[1:] not in {(4, 4), (3, 4)} or len(poses) > MAX_FRAMES:
        raise invalid(f"{name}.c2w", f"needs 1 to {MAX_FRAMES} poses of 4×4; got {poses.shape}")
    if poses.shape[1] == 3:
        last = np.tile([0.0, 0.0, 0.0, 1.0], (len(poses), 1, 1))
        poses = np.concatenate([poses, last], axis=1)
    times = arrays.get("times_s")
    if times is not None and times.shape != (len(poses),):
        raise invalid(f"{name}.times_s", f"needs one time for each of {len(poses)} poses")
    lens, lenses = _lenses(arrays, len(poses), name)
    path = CameraPath.of_poses(
        poses,
        fps=float(arrays["fps"].ravel()[0]) if arrays.get("fps", poses[:0]).size else fps,
        times_s=None if times is None else times.tolist(),
        intrinsics=lens or intrinsics,
        lenses=lenses,
    )
    if arrays.get("linear", poses[:0]).any():
        path = path.model_copy(update={"interpolation": "linear"})
    return Converted(path, () if lens or intrinsics else (_NO_LENS,))


def _lenses(
    arrays: Mapping[str, Array], count: int, name: str
) -> tuple[Intrinsics | None, list[Intrinsics] | None]:
    """Return the lens of the path, and one per pose if they differ."""
    if "intrinsics" not in arrays:
        return None, None
    given = arrays["intrinsics"]
    if given.shape[-2:] == (3, 3):
        given = given[..., (0, 1, 0, 1), (0, 1, 2, 2)]
    if given.shape not in {(4,), (count, 4)}:
        raise invalid(
            f"{name}.intrinsics",
            f"must be fx, fy, cx, cy or a 3×3 matrix, once or for each of {count} poses",
        )
    size = arrays.get("size")
    if size is None:
        # The principal point is near the middle of the picture.
        middle = given.reshape(-1, 4)[0, 2:]
        size = np.rint(middle * 2 + 1)
    if size.shape != (2,) or not (np.abs(size) < 1e6).all():
        raise invalid(f"{name}.size", "must be width and height in pixels")
    width, height = map(int, size)
    rows = arrays.get("lenses", given)
    if rows.ndim == 1:
        return Intrinsics.of_vector(rows.tolist(), width, height), None
    if rows.shape != (count, 4):
        raise invalid(f"{name}.lenses", f"needs fx, fy, cx, cy for each of {count} poses")
    base = given if given.ndim == 1 else rows[0]
    return (
        Intrinsics.of_vector(base.tolist(), width, height),
        [Intrinsics.of_vector(row.tolist(), width, height) for row in rows],
    )
