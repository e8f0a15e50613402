"""A camera path as the panel shows it, and the panel's edits of it."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Annotated, Any, Final, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workbench import control
from workbench.control import SANA_WM, CameraControl, CameraPath, Intrinsics
from workbench.control.conversion import DEFAULT_FPS, problems_of
from workbench.control.editing import (
    Gaze,
    Placing,
    aimed,
    drawn_path,
    few_keyframes,
    gaze_of,
    joined,
    placed,
    placings,
    stretched,
    with_keyframe,
    without_keyframe,
)
from workbench.control.rotation import to_yaw_pitch_roll
from workbench.errors import InvalidRequest
from workbench.rendering import RenderRequest

__all__ = ["CameraEdit", "edited", "top_view"]

_CURVE: Final = 49
_PLACES: Final = 4
_Number = Annotated[float, Field(allow_inf_nan=False)]
Made = tuple[CameraControl | None, str, int | None]
"""The camera after an edit (None: as the prompt says), its description, the edited keyframe."""


class CameraEdit(BaseModel):
    """One edit of the camera."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    do: Literal["say", "append", "draw", "place", "add", "remove", "look", "fit"]
    said: str = Field("", max_length=4_000)
    """Words or keys; empty: as the prompt says."""
    points: tuple[tuple[_Number, _Number], ...] = Field((), max_length=4_096)
    at: int = 0
    """The keyframe to edit."""
    time_s: _Number | None = None
    right: _Number | None = None
    forward: _Number | None = None
    up: _Number | None = None
    turn_deg: _Number | None = None
    tilt_deg: _Number | None = None
    gaze: Gaze = "subject"

    @classmethod
    def of(cls, values: dict[str, Any]) -> Self:
        """Return the edit that a page sent; raises ``InvalidRequest``."""
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise problems_of(error, "edit") from error


def top_view(
    camera: CameraControl, request: RenderRequest, given: CameraControl | None = None
) -> dict[str, Any]:
    """Return the path of a complete request, seen from above.

    ``curve`` has [seconds, right, forward, turn in degrees], evenly spaced over the path's time;
    ``keyframes`` are those that can be moved. The unit of length is the distance to the subject.
    """
    path = _whole(given or camera, request)
    few = few_keyframes(path)
    path = path.relative()
    curve = curve_of(path.poses(_CURVE), path.times_s[-1] - path.times_s[0])
    lens = path.keyframes[0].intrinsics or path.intrinsics
    return {
        "label": camera.label,
        "said": camera.said,
        "is_keys": camera.is_keys,
        "keys": camera.said if camera.is_keys else _keys(path),
        "curve": curve,
        "keyframes": [
            {name: round(value, _PLACES) for name, value in asdict(one).items()}
            for one in placings(few.value)
        ],
        "gaze": gaze_of(few.value),
        "duration_s": round(path.duration_s, 3),
        "video_s": _video_s(request),
        "view_deg": _view_deg(lens),
        "words": camera.words,
        "notes": [*camera.notes, *few.notes],
    }


def curve_of(poses: Any, duration_s: float) -> list[list[float]]:
    """Return the ``curve`` of :func:`top_view` for poses (T×4×4) that are evenly spaced in time."""
    poses = np.asarray(poses)
    yaw, _, _ = to_yaw_pitch_roll(poses[:, :3, :3])
    times = np.linspace(0, duration_s, len(poses))
    curve = np.column_stack([times, poses[:, 0, 3], poses[:, 2, 3], np.degrees(yaw)])
    rounded: list[list[float]] = curve.round(_PLACES).tolist()
    return rounded


def edited(camera: CameraControl | None, request: RenderRequest, edit: CameraEdit) -> Made:
    """Return ``camera`` after ``edit``, for renders such as ``request``.

    Raises ``InvalidRequest`` for an edit that is not possible.
    """
    if edit.do == "say":
        said = edit.said.strip()
        return (CameraControl.of(said), said, None) if said else (None, "As the prompt says.", None)
    if edit.do == "draw":
        path = drawn_path(edit.points, _video_s(request), edit.gaze, _lens(request))
        return _of(path), f"Drawn: {len(path.keyframes)} keyframes.", len(path.keyframes) - 1
    if edit.do == "append":
        return _appended(camera, request, edit.said.strip())
    if camera is None:
        raise InvalidRequest("There is no path yet: hold a key, add a named move, or draw one.")
    whole = _whole(camera, request)
    if edit.do == "fit":
        path = stretched(few_keyframes(whole).value, _video_s(request))
        return _of(path), f"The path now lasts {path.duration_s:.1f} s, as the video does.", None
    path = few_keyframes(whole).value
    if edit.do == "look":
        return _of(aimed(path, edit.gaze)), f"The camera looks {_LOOKS[edit.gaze]}.", None
    if edit.do == "add":
        path, index = with_keyframe(path, edit.time_s)
        return _of(path), f"Added: {_said_of(path, index)}", index
    if edit.do == "remove":
        path = without_keyframe(path, edit.at)
        return _of(path), f"Keyframe {edit.at + 1} removed.", min(edit.at, len(path.keyframes) - 1)
    path = _placed(path, edit)
    return _of(path), _said_of(path, edit.at), edit.at


_LOOKS: Final = {
    "subject": "at the subject", "ahead": "ahead, as at the start", "along": "along the path",
    "own": "as each keyframe says",
}  # fmt: skip


def _placed(path: CameraPath, edit: CameraEdit) -> CameraPath:
    known = placings(path)
    if not 0 <= edit.at < len(known):
        raise InvalidRequest(f"There are {len(known)} keyframes.")
    names = ("time_s", "right", "forward", "up", "turn_deg", "tilt_deg")
    values = {name: value for name in names if (value := getattr(edit, name)) is not None}
    turns = {"turn_deg", "tilt_deg"} & values.keys()
    gaze = "own" if turns else gaze_of(path)
    return placed(path, edit.at, Placing(**{**asdict(known[edit.at]), **values}), gaze)


def _appended(camera: CameraControl | None, request: RenderRequest, said: str) -> Made:
    more = CameraControl.of(said) if said else None
    if more is None:
        raise InvalidRequest("Name a movement to add, such as orbit left, or keys such as w-16.")
    if camera is None:
        return more, said, None
    if camera.said and camera.is_keys == more.is_keys:
        both = f"{camera.said},{said}" if more.is_keys else f"{camera.said}, then {said}"
        return CameraControl.of(both), both, None
    first = few_keyframes(_whole(camera, request)).value
    path = joined(first, _whole(more, request))
    if path.duration_s > (whole_s := _video_s(request)):
        path = stretched(path, whole_s)
    return _of(path), f"Added: {said}.", len(path.keyframes) - 1


def _whole(camera: CameraControl, request: RenderRequest) -> CameraPath:
    """Return the path of ``camera`` unchanged, at its own rate and length."""
    if not camera.said and camera.path is not None:
        return camera.camera_path()
    width, height = _size(request)
    fps = request.fps or DEFAULT_FPS
    frames = max(2, round(_video_s(request) * fps) + 1)
    if camera.is_keys:
        return control.path_from_keys(camera.said, intrinsics=_lens(request)).value
    found = camera.resolved(width=width, height=height, num_frames=frames, fps=fps)
    return found.camera_path()


def _said_of(path: CameraPath, index: int) -> str:
    """Return a description of a keyframe: "Keyframe 2 at 1.5 s: 1.2 left, 3 forward."."""
    one = placings(path)[index]
    parts = [
        f"{abs(value):.2g} {more if value > 0 else less}"
        for value, more, less in (
            (one.right, "right", "left"), (one.forward, "forward", "back"), (one.up, "up", "down"),
        )
        if abs(value) >= 0.005
    ]  # fmt: skip
    return f"Keyframe {index + 1} at {one.time_s:.1f} s: {', '.join(parts) or 'at the start'}."


def _of(path: CameraPath) -> CameraControl:
    return CameraControl.of(path)


def _keys(path: CameraPath) -> str:
    if path.duration_s * SANA_WM.fps < 0.5:
        return ""
    return control.path_to_keys(path).value


def _size(request: RenderRequest) -> tuple[int, int]:
    return request.width or 832, request.height or 480


def _lens(request: RenderRequest) -> Intrinsics:
    return Intrinsics.of_view(*_size(request))


def _video_s(request: RenderRequest) -> float:
    fps = request.fps or DEFAULT_FPS
    return round(((request.num_frames or round(5 * fps) + 1) - 1) / fps, 3)


def _view_deg(lens: Intrinsics) -> float:
    return round(2 * math.degrees(math.atan2(lens.width / 2, lens.fx)), 1)
