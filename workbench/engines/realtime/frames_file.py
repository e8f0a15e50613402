"""The frames of a live walk on disk, appended as they come.

A file of JPEG pictures, each after its length in four bytes, big-endian. What follows the last
complete picture is ignored, so a process may be killed while it writes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from workbench.errors import DamagedFile

if TYPE_CHECKING:
    from workbench.engines.pixels import Image

__all__ = ["framed", "read_frames"]

_LENGTH: Final = struct.Struct(">I")


def framed(picture: bytes) -> bytes:
    """Return a JPEG picture as it is appended to the file."""
    return _LENGTH.pack(len(picture)) + picture


def read_frames(path: Path) -> Iterator[Image]:
    """Yield every complete frame (RGB, H×W×3, ``uint8``) of the file."""
    import cv2  # noqa: PLC0415  only where pictures are decoded
    import numpy as np  # noqa: PLC0415

    with path.open("rb") as file:
        while len(head := file.read(_LENGTH.size)) == _LENGTH.size:
            (length,) = _LENGTH.unpack(head)
            data = file.read(length)
            if len(data) < length:
                return
            bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
            if bgr is None:
                raise DamagedFile(f"{path.name} holds what is no picture.")
            yield cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
