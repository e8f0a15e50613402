"""Image and video files of the kinds that phones and editors write, made byte by byte."""

from __future__ import annotations

import struct
import zlib
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from workbench.engines.pixels import Image


def corners(width: int = 64, height: int = 48) -> Image:
    """Return a picture whose four quarters are red, green, blue and yellow."""
    picture = np.zeros((height, width, 3), np.uint8)
    half = height // 2, width // 2
    picture[: half[0], : half[1]] = (220, 30, 30)
    picture[: half[0], half[1] :] = (30, 200, 30)
    picture[half[0] :, : half[1]] = (30, 30, 220)
    picture[half[0] :, half[1] :] = (220, 220, 30)
    return picture


def grain(width: int = 320, height: int = 240) -> Image:
    """Return fine noise, so that a file of it is long."""
    return np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)


def encoded(suffix: str, pixels: Image, *options: int) -> bytes:
    """Return ``pixels`` (RGB, RGBA or grey) as a file."""
    if pixels.ndim == 3:
        code = cv2.COLOR_RGBA2BGRA if pixels.shape[2] == 4 else cv2.COLOR_RGB2BGR
        pixels = cv2.cvtColor(pixels, code)
    done, data = cv2.imencode(suffix, pixels, list(options))
    assert done
    return data.tobytes()


def exif(orientation: int, order: str = "<") -> bytes:
    """Return a TIFF block that says ``orientation`` and nothing else."""
    mark = b"II*\0" if order == "<" else b"MM\0*"
    entry = struct.pack(f"{order}HHIHH", 0x0112, 3, 1, orientation, 0)
    return mark + struct.pack(f"{order}IH", 8, 1) + entry + bytes(4)


def photo(orientation: int, pixels: Image | None = None, order: str = "<") -> bytes:
    """Return a JPEG as a phone writes it: stored one way, to be shown another."""
    plain = encoded(".jpg", corners() if pixels is None else pixels, cv2.IMWRITE_JPEG_QUALITY, 98)
    body = b"Exif\0\0" + exif(orientation, order)
    return plain[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + plain[2:]


def png(width: int, height: int, rows: bytes, *, bits: int, colour: int, **more: bytes) -> bytes:
    """Return a PNG of ``rows`` (each beginning with its filter byte) with ``more`` chunks."""
    parts = [(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))]
    parts += [(name.encode(), body) for name, body in more.items()]
    parts += [(b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    chunks = b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    )
    return b"\x89PNG\r\n\x1a\n" + chunks


def phone_video(path: Path, degrees: int, frames: int = 4) -> Path:
    """Write :func:`corners` as a video that is to be turned by ``degrees`` to be upright."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(8), options={"crf": "10"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.set_display_rotation(degrees)
        for _ in range(frames):
            frame = av.VideoFrame.from_ndarray(corners(), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
