"""Inputs of renders: images and videos, identified by their first bytes, never by name.

A recipe names an input by its path on the machine of the outputs/ folder. A worker on another
machine gets a copy, under a name derived from that path.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from workbench.engines.headers import check_size, foreign_format, read_image_header
from workbench.engines.inspection import decode_apart
from workbench.errors import InvalidRequest

__all__ = [
    "ACTIONS_SUFFIX",
    "BROUGHT",
    "PATH_SUFFIX",
    "InputFacts",
    "brought_name",
    "ending_of",
    "input_file",
    "inspect_input",
]

InputKind = Literal["image", "video", "camera_path", "actions"]

BROUGHT: Final = "WORKBENCH_BROUGHT"
"""The environment variable that names the folder of copied inputs."""

_MAGIC: Final[tuple[tuple[str, InputKind, Callable[[bytes], bool]], ...]] = (
    (".png", "image", lambda start: start.startswith(b"\x89PNG\r\n\x1a\n")),
    (".jpg", "image", lambda start: start.startswith(b"\xff\xd8\xff")),
    (".webp", "image", lambda start: start[:4] == b"RIFF" and start[8:12] == b"WEBP"),
    (".mp4", "video", lambda start: start[4:8] == b"ftyp"),
    (".webm", "video", lambda start: start.startswith(b"\x1aE\xdf\xa3")),
)
_KINDS: Final = {ending: kind for ending, kind, _ in _MAGIC}


PATH_SUFFIX: Final = ".json"
"""The ending of an input that is a camera path."""
ACTIONS_SUFFIX: Final = ".actions"
"""The ending of an input that holds a robot's actions, as JSON."""


@dataclass(frozen=True, slots=True)
class InputFacts:
    """The facts of one image, video, camera path or sequence of actions."""

    kind: InputKind
    width: int
    """Pixels; 0 for actions."""
    height: int
    num_frames: int
    """1 for a picture; the poses of a camera path, the steps of actions."""


def brought_name(path: str) -> str:
    """Return the name of the copy of the input at ``path``."""
    return hashlib.sha256(path.encode()).hexdigest()[:32] + Path(path).suffix


def input_file(path: str) -> Path:
    """Return the path of a request's input for this process."""
    if folder := os.environ.get(BROUGHT):
        brought = Path(folder, brought_name(path))
        if brought.is_file():
            return brought
    return Path(path)


def ending_of(data: bytes) -> str:
    """Return the file ending that ``data`` has by its first bytes, such as ``.png``.

    Raises ``InvalidRequest`` for an unsupported format.
    """
    if name := foreign_format(data[:16]):
        raise InvalidRequest(f"{name} is not supported; save it as PNG or JPEG first.")
    for ending, _, fits in _MAGIC:
        if fits(data[:16]):
            return ending
    raise InvalidRequest("Send a PNG, JPEG or WebP image, or an MP4 or WebM video.")


def inspect_input(path: Path) -> InputFacts:
    """Return the facts of the image or video at ``path``, whose suffix names its format.

    The size in the header is checked first; then a separate process, limited in memory and time,
    decodes the file. Raises ``InvalidRequest`` if it is too large, ``DamagedFile`` if it does not
    decode.
    """
    if _KINDS[path.suffix] == "image":
        header = read_image_header(path.read_bytes())
        check_size(header.width, header.height)
    return InputFacts(*decode_apart(path))
