"""A camera path as held keys: ``"w-80,jw-40"``, the action language of Sana-WM.

Source: ``diffusers/pipelines/sana_wm/cam_utils.py`` of diffusers 0.42 (``action_string_to_c2w``).
Segments ``<keys>-<frames>`` are consecutive; w s a d move on the ground plane along the
camera's heading, i k pitch up and down, j l yaw left and right, ``none`` holds still. Each frame
turns first and then moves. N frames of keys make N + 1 poses, of which the first is the origin.
"""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, Self

import numpy as np

from workbench.control.camera_path import CameraPath, Intrinsics
from workbench.control.conversion import MAX_FRAMES, Converted, invalid
from workbench.control.rotation import Array, to_yaw_pitch_roll

__all__ = [
    "SANA_WM",
    "KeySpeeds",
    "KeyWalk",
    "keys_text",
    "parse_keys",
    "path_from_keys",
    "path_to_keys",
]

_SEGMENT: Final = re.compile(r"([A-Za-z]+)-([0-9]+)")
_LONGEST_TEXT: Final = 100_000
_NEGLIGIBLE: Final = 1e-6


@dataclass(frozen=True, slots=True)
class KeySpeeds:
    """How far a key held for one frame moves the camera."""

    units: float = 0.05
    degrees: float = 1.2
    pitch_limit_deg: float = 85.0
    """A step that would pitch beyond this is ignored."""
    fps: float = 16.0
    """The frame rate of the keys."""


SANA_WM: Final = KeySpeeds()
"""The fixed speeds of Sana-WM's pipeline."""


def parse_keys(text: str) -> tuple[str, ...]:
    """Return the keys held in each frame, sorted; empty if none are. Raises ``InvalidRequest``."""
    cleaned = "".join(text[: _LONGEST_TEXT + 1].replace("\uff0c", ",").split())
    if not cleaned:
        raise invalid("keys", "are empty; write segments such as w-80,jw-40")
    if len(text) > _LONGEST_TEXT:
        raise invalid("keys", f"may be {_LONGEST_TEXT} characters long at most")
    frames: list[str] = []
    for segment in cleaned.split(","):
        found = _SEGMENT.fullmatch(segment)
        if not found or len(found[2]) > 6 or not int(found[2]):
            shown = segment[:40]
            raise invalid("keys", f"{shown!r} is not <keys>-<frames>, such as w-80 or none-16")
        held = "" if found[1].lower() == "none" else "".join(sorted(set(found[1].lower())))
        if unknown := set(held) - set("wasdijkl"):
            raise invalid(
                "keys", f"{segment[:40]!r} has unknown keys {sorted(unknown)}; use w a s d i j k l"
            )
        if len(frames) + int(found[2]) >= MAX_FRAMES:
            raise invalid("keys", f"hold more than {MAX_FRAMES - 1} frames")
        frames.extend([held] * int(found[2]))
    return tuple(frames)


def path_from_keys(
    text: str, *, speeds: KeySpeeds = SANA_WM, intrinsics: Intrinsics | None = None
) -> Converted[CameraPath]:
    """Return the path of the keys in ``text``, one pose per frame, from the origin.

    Raises ``InvalidRequest``.
    """
    walk = KeyWalk(speeds)
    poses = [walk.pose]
    ignored = 0
    for held in parse_keys(text):
        ignored += not walk.step(held)
        poses.append(walk.pose)
    limit = f"the pitch limit of {speeds.pitch_limit_deg:g}°"
    notes = (f"{ignored} frames hold i or k at {limit}, where they do nothing.",) if ignored else ()
    path = CameraPath.of_poses(np.stack(poses), fps=speeds.fps, intrinsics=intrinsics)
    return Converted(path, notes)


def path_to_keys(path: CameraPath, *, speeds: KeySpeeds = SANA_WM) -> Converted[str]:
    """Return the keys that follow ``path`` most closely, frame by frame at ``speeds.fps``.

    Exact for a path made of keys. Otherwise the remainder of each frame carries over to the next,
    and the notes give the largest deviation. Raises ``InvalidRequest`` for a path shorter
    than one frame.
    """
    count = round(path.duration_s * speeds.fps) + 1
    if not 2 <= count <= MAX_FRAMES:
        raise invalid("path", f"must last 1 to {MAX_FRAMES - 1} frames at {speeds.fps:g} fps")
    poses = path.relative().poses(count, speeds.fps)
    yaw, pitch, roll = to_yaw_pitch_roll(poses[:, :3, :3])
    target = np.column_stack([np.unwrap(yaw), pitch, poses[:, 0, 3], poses[:, 2, 3]])
    walk = KeyWalk(speeds)
    held: list[str] = []
    errors = []
    for wanted in target[1:]:
        keys = walk.keys_towards(wanted)
        walk.step(keys)
        held.append(keys)
        errors.append(np.abs(wanted - walk.state))
    return Converted(keys_text(held), _notes(path, poses, roll, np.array(errors)))


def keys_text(held: Sequence[str]) -> str:
    """Return the keys held in each frame as one text, such as ``w-12,none-4``."""
    return ",".join(f"{keys or 'none'}-{len(list(run))}" for keys, run in groupby(held))


class KeyWalk:
    """A camera driven by keys, frame by frame, as Sana-WM drives it."""

    def __init__(self, speeds: KeySpeeds = SANA_WM) -> None:
        self._units = speeds.units
        self._turn = math.radians(speeds.degrees)
        self._limit = math.radians(speeds.pitch_limit_deg)
        self._yaw = self._pitch = self._x = self._z = 0.0

    @property
    def state(self) -> Array:
        """Yaw and pitch in radians, x and z in units."""
        return np.array([self._yaw, self._pitch, self._x, self._z])

    @property
    def pose(self) -> Array:
        """Camera to world, 4×4: yaw to the right, then pitch up."""
        sine, cosine = math.sin(self._yaw), math.cos(self._yaw)
        up, level = math.sin(self._pitch), math.cos(self._pitch)
        return np.array(
            [
                [cosine, sine * up, sine * level, self._x],
                [0.0, level, -up, 0.0],
                [-sine, cosine * up, cosine * level, self._z],
                [0.0, 0.0, 0.0, 1.0],
            ]
        )

    def stepped(self, held: str) -> Self | None:
        """Return the walk one frame further; None where a pitch key would have no effect."""
        further = copy.copy(self)
        return further if further.step(held) else None

    def step(self, held: str) -> bool:
        """Advance one frame; return whether every pitch key had its effect."""
        pitch = self._pitch + (("i" in held) - ("k" in held)) * self._turn
        allowed = -self._limit <= pitch <= self._limit
        if allowed:
            self._pitch = pitch
        self._yaw += (("l" in held) - ("j" in held)) * self._turn
        forward = (("w" in held) - ("s" in held)) * self._units
        right = (("d" in held) - ("a" in held)) * self._units
        sine, cosine = math.sin(self._yaw), math.cos(self._yaw)
        self._x += forward * sine + right * cosine
        self._z += forward * cosine - right * sine
        return allowed

    def keys_towards(self, wanted: Array) -> str:
        """Return the keys whose next frame comes closest to yaw, pitch, x and z as ``wanted``."""
        yaw_steps = self._nearest(wanted[0] - self._yaw, self._turn)
        pitch_steps = self._nearest(wanted[1] - self._pitch, self._turn)
        if abs(self._pitch + pitch_steps * self._turn) > self._limit:
            pitch_steps = 0
        yaw = self._yaw + yaw_steps * self._turn
        x, z = wanted[2] - self._x, wanted[3] - self._z
        forward = self._nearest(x * math.sin(yaw) + z * math.cos(yaw), self._units)
        right = self._nearest(x * math.cos(yaw) - z * math.sin(yaw), self._units)
        pairs = (("j", "l", yaw_steps), ("k", "i", pitch_steps), ("s", "w", forward))
        chosen = [more if steps > 0 else less for less, more, steps in pairs if steps]
        if right:
            chosen.append("d" if right > 0 else "a")
        return "".join(sorted(chosen))

    @staticmethod
    def _nearest(distance: float, step: float) -> int:
        return max(-1, min(1, round(distance / step)))


def _notes(path: CameraPath, poses: Array, roll: Array, errors: Array) -> tuple[str, ...]:
    notes = []
    if not np.allclose(path.c2w[0], np.eye(4), atol=_NEGLIGIBLE):
        notes.append("Keys start at the origin: the path is taken relative to its first pose.")
    degrees = float(np.degrees(errors[:, :2].max()))
    units = float(np.hypot(errors[:, 2], errors[:, 3]).max())
    if degrees > _NEGLIGIBLE or units > _NEGLIGIBLE:
        notes.append(
            f"Keys follow the path within {degrees:.2g}° and {units:.2g} units;"
            " one key moves by a fixed step."
        )
    if (height := float(np.abs(poses[:, 1, 3]).max())) > _NEGLIGIBLE:
        notes.append(f"Keys cannot change the camera's height: up to {height:.2g} units are lost.")
    if (rolled := float(np.degrees(np.abs(roll).max()))) > 1e-4:
        notes.append(f"Keys cannot roll the camera: up to {rolled:.2g}° are lost.")
    if path.zooms:
        notes.append("Keys cannot zoom: the change of lens is lost.")
    return tuple(notes)
