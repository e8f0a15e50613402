"""Control as data: where the camera goes, what a robot does, which video a model follows.

Knows numbers, the scene's vocabulary and the errors; neither engines nor jobs. Loads numpy and
pydantic alone. Every control is immutable, hashable and the same JSON each time.
"""

from __future__ import annotations

from workbench.control.camera_path import CameraPath, Intrinsics, Keyframe
from workbench.control.conversion import Converted
from workbench.control.keys import SANA_WM, KeySpeeds, path_from_keys, path_to_keys

__all__ = [
    "SANA_WM",
    "CameraPath",
    "Converted",
    "Intrinsics",
    "KeySpeeds",
    "Keyframe",
    "path_from_keys",
    "path_to_keys",
]
