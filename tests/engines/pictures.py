"""Image and video files of the kinds that phones, cameras and editors write."""

from __future__ import annotations

import io
import struct
import zlib
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import cv2
import numpy as np
from PIL import Image as Pillow

from workbench.engines.pixels import Image


def corners(width: int = 64, height: int = 48) -> Image:
    """Return a picture with red, green, blue and yellow quarters."""
    picture = np.zeros((height, width, 3), np.uint8)
    half = height // 2, width // 2
    picture[: half[0], : half[1]] = (220, 30, 30)
    picture[: half[0], half[1] :] = (30, 200, 30)
    picture[half[0] :, : half[1]] = (30, 30, 220)
    picture[half[0] :, half[1] :] = (220, 220, 30)
    return picture


def grain(width: int = 320, height: int = 240) -> Image:
    """Return fine noise, which compresses badly."""
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
    """Return an EXIF block with only an ``orientation``."""
    mark = b"II*\0" if order == "<" else b"MM\0*"
    entry = struct.pack(f"{order}HHIHH", 0x0112, 3, 1, orientation, 0)
    return mark + struct.pack(f"{order}IH", 8, 1) + entry + bytes(4)


def photo(orientation: int, pixels: Image | None = None, order: str = "<") -> bytes:
    """Return a JPEG as a phone writes it, with an EXIF orientation."""
    plain = encoded(".jpg", corners() if pixels is None else pixels, cv2.IMWRITE_JPEG_QUALITY, 98)
    body = b"Exif\0\0" + exif(orientation, order)
    return plain[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + plain[2:]


def png(width: int, height: int, rows: bytes, *, bits: int, colour: int, **more: bytes) -> bytes:
    """Return a PNG of ``rows`` (each starts with its filter byte) with ``more`` chunks."""
    parts = [(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))]
    parts += [(name.encode(), body) for name, body in more.items()]
    parts += [(b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    chunks = b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    )
    return b"\x89PNG\r\n\x1a\n" + chunks


_P3: Final = {
    "r": (0.5151, 0.2412, -0.0011),
    "g": (0.2920, 0.6922, 0.0419),
    "b": (0.1571, 0.0666, 0.7841),
}
"""Display P3's primaries as a profile holds them: X, Y, Z under D50."""


def display_p3(space: bytes = b"RGB ") -> bytes:
    """Return a version 2 ICC profile: Display P3 with gamma 2.2, or grey with that gamma."""

    def point(x: float, y: float, z: float) -> bytes:
        return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(v * 65_536) for v in (x, y, z)))

    curve = b"curv" + bytes(4) + struct.pack(">IHH", 1, round(2.2 * 256), 0)
    name = b"Wide\0"
    text = b"desc" + bytes(4) + struct.pack(">I", len(name)) + name + bytes(79)
    tags = [
        (b"desc", text),
        (b"cprt", b"text" + bytes(4) + b"none\0"),
        (b"wtpt", point(0.9642, 1, 0.8249)),
    ]
    if space == b"RGB ":
        tags += [(f"{one}XYZ".encode(), point(*_P3[one])) for one in "rgb"]
        tags += [(f"{one}TRC".encode(), curve) for one in "rgb"]
    else:
        tags.append((b"kTRC", curve))
    table, body = struct.pack(">I", len(tags)), b""
    for tag, data in tags:
        at = 128 + 4 + 12 * len(tags) + len(body)
        table += tag + struct.pack(">II", at, len(data))
        body += data + bytes(-len(data) % 4)
    head = bytearray(128)
    head[:4] = struct.pack(">I", 128 + len(table) + len(body))
    head[8:12] = b"\2\x40\0\0"
    head[12:24] = b"mntr" + space + b"XYZ "
    head[36:40] = b"acsp"
    head[68:80] = struct.pack(">3i", *(round(v * 65_536) for v in (0.9642, 1, 0.8249)))
    return bytes(head) + table + body


def saved(form: str, pixels: Image, mode: str = "RGB", **options: Any) -> bytes:
    """Return ``pixels`` (RGB) saved by Pillow in a mode such as ``CMYK``."""
    file = io.BytesIO()
    Pillow.fromarray(pixels).convert(mode).save(file, form, **options)
    return file.getvalue()


def animation(form: str, **options: Any) -> bytes:
    """Return an animation whose first frame is :func:`corners`."""
    moved = [Pillow.fromarray(np.roll(corners(), 8 * step, 1)) for step in range(1, 4)]
    return saved(form, corners(), save_all=True, append_images=moved, duration=100, **options)


def hdr_video(path: Path, signal: float, transfer: int, degrees: int = 0) -> Path:
    """Write a uniform 10-bit HDR video of ``signal`` (0 to 1), as phones record it."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(8), options={"crf": "5"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p10le"
        codec = stream.codec_context
        codec.color_trc, codec.color_primaries, codec.colorspace = transfer, 9, 9
        stream.set_display_rotation(degrees)
        pixels = np.full((48, 64, 3), round(signal * 65_535), np.uint16)
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb48le")))
        container.mux(stream.encode(None))
    return path


def phone_video(path: Path, degrees: int, frames: int = 4) -> Path:
    """Write :func:`corners` as a video with a rotation of ``degrees``."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(8), options={"crf": "10"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.set_display_rotation(degrees)
        for _ in range(frames):
            frame = av.VideoFrame.from_ndarray(corners(), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
