"""A video's frames on one picture, each with its time, and a number that proves it was seen.

The questions ask for the number printed on the sheet: the answers of a model that cannot name it
are discarded.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from workbench.engines.probe import decode_video, probe_video
from workbench.errors import DamagedFile

__all__ = ["ContactSheet", "contact_sheet", "number_strip", "sheet_number", "sheet_of_picture"]

Picture = npt.NDArray[Any]

_FRAMES: Final = 12
_COLUMNS: Final = 4
_WIDTH: Final = 320
"""Pixels of one frame."""
_STRIP: Final = 28
_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX
_INK, _PAPER = (20, 20, 20), (235, 235, 235)


@dataclass(frozen=True, slots=True)
class ContactSheet:
    """Frames in reading order, evenly spaced from the first to the last."""

    jpeg: bytes
    times_s: tuple[float, ...]
    """The time of each frame."""
    number: int
    """Three digits, printed below the frames."""


def sheet_number(digest: str) -> int:
    """Return the number on the sheet of the video with this SHA-256: 100 to 999."""
    return 100 + int(digest[:12], 16) % 900


def contact_sheet(video: Path, digest: str) -> ContactSheet:
    """Return the sheet of the video at ``video``, up to 12 frames; raises ``DamagedFile``."""
    probed = probe_video(video)
    count = max(1, probed.num_frames)
    chosen = set(np.linspace(0, count - 1, min(_FRAMES, count)).round().astype(int).tolist())
    tiles, times = [], []
    for index, frame in enumerate(decode_video(video)):
        if index in chosen:
            times.append(round(index / probed.fps, 2))
            tiles.append(_tile(frame, f"{index / probed.fps:.2f} s"))
    if not tiles:
        raise DamagedFile("The video has no frame.")
    return _sheet(tiles, times, digest)


def sheet_of_picture(picture: bytes, digest: str) -> ContactSheet:
    """Return the sheet of a single picture (JPEG); raises ``DamagedFile``."""
    pixels = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    if pixels is None:
        raise DamagedFile("The picture cannot be decoded.")
    return _sheet([_tile(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), "0.00 s")], [0.0], digest)


def _sheet(tiles: list[Picture], times: list[float], digest: str) -> ContactSheet:
    blank = np.full_like(tiles[0], 255)
    tiles = tiles + [blank] * (-len(tiles) % min(_COLUMNS, len(tiles)))
    columns = min(_COLUMNS, len(tiles))
    rows = [np.hstack(tiles[at : at + columns]) for at in range(0, len(tiles), columns)]
    number = sheet_number(digest)
    sheet = np.vstack([*rows, number_strip(number, rows[0].shape[1])])
    _, data = cv2.imencode(
        ".jpg", cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 85]
    )
    return ContactSheet(data.tobytes(), tuple(times), number)


def number_strip(number: int, width: int, *, of: str = "sheet") -> Picture:
    """Return the strip below the frames, RGB, 28 pixels high."""
    return _labelled(f"{of} {number}", width)


def _tile(frame: Picture, label: str) -> Picture:
    height, width = frame.shape[:2]
    size = (_WIDTH, max(2, round(height * _WIDTH / width)))
    return np.vstack(
        [cv2.resize(frame, size, interpolation=cv2.INTER_AREA), _labelled(label, _WIDTH)]
    )


def _labelled(text: str, width: int) -> Picture:
    strip: Picture = np.full((_STRIP, width, 3), _PAPER, np.uint8)
    cv2.putText(strip, text, (6, _STRIP - 8), _FONT, 0.6, _INK, 1, cv2.LINE_AA)
    return strip
