"""Controls as JSON documents: a union by ``type``, canonical JSON, and its digest."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from workbench.control.actions import ActionSequence
from workbench.control.camera_path import CameraPath
from workbench.control.control_video import ControlVideo
from workbench.control.conversion import invalid, problems_of

__all__ = ["Control", "control_digest", "control_json", "parse_control"]

Control = Annotated[CameraPath | ActionSequence | ControlVideo, Field(discriminator="type")]
"""The types of a request's ``control``."""


def parse_control(data: Any) -> CameraPath | ActionSequence | ControlVideo:
    """Return the control that the JSON-like ``data`` describes; raises ``InvalidRequest``."""
    if not isinstance(data, dict):
        raise invalid("control", "must be an object with a type")
    try:
        return _adapter().validate_python(data)
    except ValidationError as error:
        raise problems_of(error, "control") from error


def control_json(control: CameraPath | ActionSequence | ControlVideo) -> str:
    """Return the canonical JSON of ``control``: keys sorted, no spaces, unset fields omitted."""
    data = control.model_dump(mode="json", exclude_none=True)
    return json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False)


def control_digest(control: CameraPath | ActionSequence | ControlVideo) -> str:
    """Return the SHA-256 of :func:`control_json`, in hexadecimal."""
    return hashlib.sha256(control_json(control).encode()).hexdigest()


@cache
def _adapter() -> TypeAdapter[CameraPath | ActionSequence | ControlVideo]:
    return TypeAdapter(Control)
