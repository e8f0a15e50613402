"""Fakes NVIDIA's library: reports the GPUs in the file FAKE_GPUS, read at each call.

The file is a JSON list of GPUs; a missing file is a driver that has gone. A GPU's ``broken`` names
calls that fail for it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any


class NVMLError(Exception):
    """What the real library raises."""


def _gpus() -> list[dict[str, Any]]:
    try:
        found: list[dict[str, Any]] = json.loads(Path(os.environ["FAKE_GPUS"]).read_text())
    except (OSError, KeyError, ValueError) as error:
        raise NVMLError("Driver Not Loaded") from error
    return found


def _read(handle: dict[str, Any], call: str) -> Any:
    if call in handle.get("broken", ()) or call not in handle:
        raise NVMLError("Not Supported")
    return handle[call]


def nvmlInit() -> None:  # noqa: N802  the library's own name
    _gpus()


def nvmlDeviceGetCount() -> int:  # noqa: N802
    return len(_gpus())


def nvmlDeviceGetHandleByIndex(index: int) -> dict[str, Any]:  # noqa: N802
    return _gpus()[index]


def nvmlDeviceGetHandleByUUID(uuid: str) -> dict[str, Any]:  # noqa: N802
    for gpu in _gpus():
        if gpu["uuid"] == uuid:
            return gpu
    raise NVMLError("Not Found")


def nvmlDeviceGetUUID(handle: dict[str, Any]) -> str:  # noqa: N802
    return str(_read(handle, "uuid"))


def nvmlDeviceGetName(handle: dict[str, Any]) -> bytes:  # noqa: N802  older releases give bytes
    return str(_read(handle, "name")).encode()


def nvmlDeviceGetMemoryInfo(handle: dict[str, Any]) -> SimpleNamespace:  # noqa: N802
    return SimpleNamespace(total=_read(handle, "total"), used=_read(handle, "used"))


def nvmlDeviceGetUtilizationRates(handle: dict[str, Any]) -> SimpleNamespace:  # noqa: N802
    return SimpleNamespace(gpu=_read(handle, "load"))


def nvmlDeviceGetTemperature(handle: dict[str, Any], sensor: int) -> int:  # noqa: N802
    return int(_read(handle, "heat"))


def nvmlDeviceGetPowerUsage(handle: dict[str, Any]) -> int:  # noqa: N802
    return int(_read(handle, "milliwatts"))
