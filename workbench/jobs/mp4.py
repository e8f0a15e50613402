"""Tells whether an mp4 is complete, from its boxes alone.

Decodes nothing and imports nothing heavy.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Final

__all__ = ["mp4_fault"]

_NEEDED: Final = (b"ftyp", b"moov", b"mdat")


def mp4_fault(path: Path) -> str:
    """Return what is wrong with the mp4 at ``path``, or an empty string if it is complete.

    Walks the top-level boxes (ISO/IEC 14496-12, section 4.2): a truncated file has a box that
    reaches beyond its end, or lacks one that a player needs.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            found, at = set(), 0
            while at < size:
                file.seek(at)
                head = file.read(16)
                if len(head) < 8:
                    return "it ends within a box header"
                length, kind = struct.unpack(">I4s", head[:8])
                if length == 1 and len(head) == 16:
                    (length,) = struct.unpack(">Q", head[8:])
                elif length == 0:
                    length = size - at
                if length < 8 or at + length > size:
                    return "it is truncated"
                found.add(kind)
                at += length
    except FileNotFoundError:
        return "it is not there"
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    missing = [kind.decode() for kind in _NEEDED if kind not in found]
    return f"it has no {missing[0]} box" if missing else ""
