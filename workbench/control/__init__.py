"""Control as data: where the camera goes, what a robot does, which video a model follows.

Knows numbers, the scene's vocabulary and the errors; neither engines nor jobs. Loads only numpy and
pydantic, on first use of a name below. Every control is immutable and hashable, and its JSON is
canonical.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.control.action_control import ActionControl, GivenActions
    from workbench.control.actions import (
        ActionSequence,
        actions_from_bytes,
        actions_to_csv,
        actions_to_npy,
        read_actions,
    )
    from workbench.control.camera_control import CameraControl, GivenCamera
    from workbench.control.camera_path import CameraPath, Intrinsics, Keyframe
    from workbench.control.colmap import path_to_colmap
    from workbench.control.control_video import (
        ControlKind,
        ControlVideo,
        FinishedVideo,
        StoryboardChannel,
        UploadedVideo,
    )
    from workbench.control.conversion import Converted
    from workbench.control.document import Control, control_digest, control_json, parse_control
    from workbench.control.drawing import path_from_drawing, path_to_drawing
    from workbench.control.embodiment import Embodiment, embodiments
    from workbench.control.keys import SANA_WM, KeySpeeds, parse_keys, path_from_keys, path_to_keys
    from workbench.control.path_files import (
        path_from_bytes,
        path_from_document,
        path_to_npz,
        read_path,
    )
    from workbench.control.tum import path_to_tum
    from workbench.control.wording import path_to_words
    from workbench.control.words import path_from_words

__all__ = [
    "SANA_WM",
    "ActionControl",
    "ActionSequence",
    "CameraControl",
    "CameraPath",
    "Control",
    "ControlKind",
    "ControlVideo",
    "Converted",
    "Embodiment",
    "FinishedVideo",
    "GivenActions",
    "GivenCamera",
    "Intrinsics",
    "KeySpeeds",
    "Keyframe",
    "StoryboardChannel",
    "UploadedVideo",
    "actions_from_bytes",
    "actions_to_csv",
    "actions_to_npy",
    "control_digest",
    "control_json",
    "embodiments",
    "parse_control",
    "parse_keys",
    "path_from_bytes",
    "path_from_document",
    "path_from_drawing",
    "path_from_keys",
    "path_from_words",
    "path_to_colmap",
    "path_to_drawing",
    "path_to_keys",
    "path_to_npz",
    "path_to_tum",
    "path_to_words",
    "read_actions",
    "read_path",
]

_HOMES = {
    "ActionControl": "action_control",
    "ActionSequence": "actions",
    "CameraControl": "camera_control",
    "CameraPath": "camera_path",
    "Control": "document",
    "ControlKind": "control_video",
    "ControlVideo": "control_video",
    "Converted": "conversion",
    "Embodiment": "embodiment",
    "FinishedVideo": "control_video",
    "GivenActions": "action_control",
    "GivenCamera": "camera_control",
    "Intrinsics": "camera_path",
    "KeySpeeds": "keys",
    "Keyframe": "camera_path",
    "SANA_WM": "keys",
    "StoryboardChannel": "control_video",
    "UploadedVideo": "control_video",
    "actions_from_bytes": "actions",
    "actions_to_csv": "actions",
    "actions_to_npy": "actions",
    "control_digest": "document",
    "control_json": "document",
    "embodiments": "embodiment",
    "parse_control": "document",
    "parse_keys": "keys",
    "path_from_bytes": "path_files",
    "path_from_document": "path_files",
    "path_from_drawing": "drawing",
    "path_from_keys": "keys",
    "path_from_words": "words",
    "path_to_colmap": "colmap",
    "path_to_drawing": "drawing",
    "path_to_keys": "keys",
    "path_to_npz": "path_files",
    "path_to_tum": "tum",
    "path_to_words": "wording",
    "read_actions": "actions",
    "read_path": "path_files",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
