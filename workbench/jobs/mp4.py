"""Tells whether an mp4 is complete, from its boxes alone.

Decodes nothing and imports nothing heavy.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

__all__ = ["has_sound", "mp4_fault"]

_NEEDED: Final = (b"ftyp", b"moov", b"mdat")


def mp4_fault(path: Path) -> str:
    """Return what is wrong with the mp4 at ``path``, or an empty string if it is complete.

    Walks the top-level boxes (ISO/IEC 14496-12, section 4.2): a truncated file has a box that
    reaches beyond its end, or lacks one that a player needs.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            found = {kind for _, kind, _, _ in _walk(file, 0, size)}
    except ValueError as error:
        return str(error)
    except FileNotFoundError:
        return "it is not there"
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    missing = [kind.decode() for kind in _NEEDED if kind not in found]
    return f"it has no {missing[0]} box" if missing else ""


def has_sound(path: Path) -> bool:
    """Return whether the mp4 at ``path`` has a sound track; False if it cannot be read.

    A track's handler box names its kind (ISO/IEC 14496-12, section 8.4.3).
    """
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            return any(
                _kind_of_track(file, *media) == b"soun"
                for movie in _boxes(file, 0, size, b"moov")
                for track in _boxes(file, *movie, b"trak")
                for media in _boxes(file, *track, b"mdia")
            )
    except (OSError, ValueError):
        return False


def _kind_of_track(file: BinaryIO, start: int, end: int) -> bytes:
    for at, _ in _boxes(file, start, end, b"hdlr"):
        file.seek(at + 8)
        return file.read(4)
    return b""


def _boxes(file: BinaryIO, start: int, end: int, wanted: bytes) -> Iterator[tuple[int, int]]:
    """Yield where the contents of each box of the kind ``wanted`` begin and end."""
    for at, kind, head, length in _walk(file, start, end):
        if kind == wanted:
            yield at + head, at + length


def _walk(file: BinaryIO, start: int, end: int) -> Iterator[tuple[int, bytes, int, int]]:
    """Yield each box between two places: where it begins, its kind, its header's length, its length.

    Raises ``ValueError`` with what is wrong.
    """
    at = start
    while at < end:
        file.seek(at)
        head = file.read(16)
        if len(head) < 8:
            raise ValueError("it ends within a box header")
        length, kind = struct.unpack(">I4s", head[:8])
        header = 8
        if length == 1 and len(head) == 16:
            (length,), header = struct.unpack(">Q", head[8:]), 16
        elif length == 0:
            length = end - at
        if length < header or at + length > end:
            raise ValueError("it is truncated")
        yield at, kind, header, length
        at += length
