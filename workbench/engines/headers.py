"""Facts of an image file, read without decoding it: format, size, depth, colours, completeness.

Knows PNG, JPEG and WebP, the names of formats that are not taken, and how large a frame may be.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from workbench.errors import DamagedFile, InvalidRequest

__all__ = ["MOST_PIXELS", "ImageHeader", "check_size", "foreign_format", "read_image_header"]

MOST_PIXELS: Final = 1 << 26
"""The largest frame that is decoded: 67 million pixels, 8,192 × 8,192."""
_SIDEWAYS: Final = 5
"""EXIF orientations from 5 on swap width and height."""
_ORIENTATION_TAG: Final = 0x0112
_STANDALONE: Final = frozenset({0x01, *range(0xD0, 0xD8)})
"""JPEG markers without a length."""
_NO_FRAME: Final = frozenset({0xC4, 0xC8, 0xCC})
"""JPEG markers in the start-of-frame range that are not start-of-frame markers."""
_MOST_PROFILE_BYTES: Final = 8 << 20
_FOREIGN: Final = {
    b"GIF8": "GIF",
    b"BM": "BMP",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"\0\0\0\x0cJXL ": "JPEG XL",
    b"\xff\x0a": "JPEG XL",
    b"\0\0\0\x0cjP": "JPEG 2000",
    b"8BPS": "Photoshop",
    b"<svg": "SVG",
    b"%PDF": "PDF",
}
_FOREIGN_BRANDS: Final = {
    **dict.fromkeys(
        (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), "HEIC"
    ),
    **dict.fromkeys((b"avif", b"avis"), "AVIF"),
}
"""Brands of ISO base media files that are pictures, where others are videos."""


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """The facts in an image file's header."""

    format: Literal["png", "jpeg", "webp"]
    stored_width: int
    """Pixels, before the orientation is applied."""
    stored_height: int
    bits: int = 8
    """Bits per channel."""
    has_alpha: bool = False
    orientation: int = 1
    """EXIF orientation, 1 to 8; 1 is upright."""
    is_whole: bool = True
    """Whether the file reaches its end marker."""
    profile: bytes = b""
    """The ICC profile; empty without one."""
    is_cmyk: bool = False
    transfer: int = 0
    """Transfer characteristics by ITU-T H.273; 0 where the file says none."""
    primaries: int = 0
    """Colour primaries by ITU-T H.273."""

    @property
    def width(self) -> int:
        """Pixels, as shown upright."""
        return self.stored_height if self.orientation >= _SIDEWAYS else self.stored_width

    @property
    def height(self) -> int:
        """Pixels, as shown upright."""
        return self.stored_width if self.orientation >= _SIDEWAYS else self.stored_height


def check_size(width: int, height: int, what: str = "image") -> None:
    """Raise ``InvalidRequest`` for a size, in pixels, that is too large to decode."""
    if width * height > MOST_PIXELS:
        raise InvalidRequest(
            f"The {what} is {width}×{height} pixels; at most {MOST_PIXELS:,} pixels are "
            "accepted. Scale it down first."
        )


def foreign_format(data: bytes) -> str | None:
    """Return the name of a picture format that is not taken, by a file's first bytes."""
    if data[4:8] == b"ftyp":
        return _FOREIGN_BRANDS.get(data[8:12])
    return next((name for start, name in _FOREIGN.items() if data.startswith(start)), None)


def read_image_header(data: bytes) -> ImageHeader:
    """Return the header of the PNG, JPEG or WebP file in ``data``; raises ``DamagedFile``."""
    try:
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            return _png(data)
        if data.startswith(b"\xff\xd8\xff"):
            return _jpeg(data)
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return _webp(data)
    except (struct.error, IndexError) as error:
        raise DamagedFile("The image is cut off within its header.") from error
    if name := foreign_format(data[:16]):
        raise DamagedFile(f"{name} is not supported; save it as PNG or JPEG first.")
    raise DamagedFile("The file is not a PNG, JPEG or WebP image.")


def _png(data: bytes) -> ImageHeader:
    width, height, bits, colour_type = struct.unpack_from(">IIBB", data, 16)
    has_alpha, orientation, is_whole = colour_type in {4, 6}, 1, False
    profile, transfer, primaries = b"", 0, 0
    for kind, body, is_sound in _png_chunks(data):
        if not is_sound:
            break
        if kind == b"tRNS":
            has_alpha = True
        elif kind == b"eXIf":
            orientation = _orientation(body)
        elif kind == b"iCCP":
            profile = _inflated(body.partition(b"\0")[2][1:])
        elif kind == b"cICP" and len(body) == 4:
            primaries, transfer = body[:2]
        is_whole = kind == b"IEND"
    return ImageHeader(
        "png", width, height, bits, has_alpha, orientation, is_whole, profile,
        transfer=transfer, primaries=primaries,
    )  # fmt: skip


def _inflated(data: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, _MOST_PROFILE_BYTES)
    except zlib.error:
        return b""


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes, bool]]:
    at = 8
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        end = at + 12 + length
        if end > len(data):
            return
        (checksum,) = struct.unpack_from(">I", data, end - 4)
        kind = data[at + 4 : at + 8]
        yield kind, data[at + 8 : end - 4], zlib.crc32(data[at + 4 : end - 4]) == checksum
        if kind == b"IEND":
            return
        at = end


def _jpeg(data: bytes) -> ImageHeader:
    size: tuple[int, int, int, int] | None = None
    profile: dict[int, bytes] = {}
    orientation, at = 1, 2
    while at + 2 <= len(data):
        marker = data[at + 1]
        if data[at] != 0xFF or marker == 0xFF:
            at += 1
            continue
        if marker == 0xD9:
            break
        if marker in _STANDALONE:
            at += 2
            continue
        (length,) = struct.unpack_from(">H", data, at + 2)
        body = data[at + 4 : at + 2 + length]
        if marker == 0xE1 and body.startswith(b"Exif\0\0"):
            orientation = _orientation(body[6:])
        elif marker == 0xE2 and body.startswith(b"ICC_PROFILE\0"):
            profile[body[12]] = body[14:]
        elif 0xC0 <= marker <= 0xCF and marker not in _NO_FRAME:
            size = struct.unpack_from(">BHHB", body)
        elif marker == 0xDA:
            at = _after_scan(data, at + 2 + length)
            continue
        at += 2 + length
    if size is None:
        raise DamagedFile("The JPEG image does not state its size.")
    is_whole = data[at : at + 2] == b"\xff\xd9"
    return ImageHeader(
        "jpeg", size[2], size[1], size[0], orientation=orientation, is_whole=is_whole,
        profile=b"".join(profile[part] for part in sorted(profile)), is_cmyk=size[3] == 4,
    )  # fmt: skip


def _after_scan(data: bytes, at: int) -> int:
    """Return the offset of the marker after the entropy-coded data that begins at ``at``."""
    while (at := data.find(b"\xff", at)) >= 0 and at + 1 < len(data):
        if data[at + 1] not in {0x00, 0xFF, *range(0xD0, 0xD8)}:
            return at
        at += 1 if data[at + 1] == 0xFF else 2
    return len(data)


def _webp(data: bytes) -> ImageHeader:
    (length,) = struct.unpack_from("<I", data, 4)
    is_whole = len(data) >= length + 8 - length % 2
    width = height = 0
    has_alpha, orientation, profile, at = False, 1, b"", 12
    while at + 8 <= len(data):
        kind = data[at : at + 4]
        (size,) = struct.unpack_from("<I", data, at + 4)
        body = data[at + 8 : at + 8 + size]
        if kind == b"VP8X":
            has_alpha = bool(body[0] & 0x10)
            width = 1 + int.from_bytes(body[4:7], "little")
            height = 1 + int.from_bytes(body[7:10], "little")
        elif kind == b"VP8L" and not width:
            (packed,) = struct.unpack_from("<I", body, 1)
            width, height = 1 + (packed & 0x3FFF), 1 + (packed >> 14 & 0x3FFF)
            has_alpha = bool(packed >> 28 & 1)
        elif kind == b"VP8 " and not width:
            width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", body, 6))
        elif kind == b"EXIF":
            orientation = _orientation(body.removeprefix(b"Exif\0\0"))
        elif kind == b"ICCP":
            profile = body
        at += 8 + size + size % 2
    if not width or not height:
        raise DamagedFile("The WebP image does not state its size.")
    return ImageHeader("webp", width, height, 8, has_alpha, orientation, is_whole, profile)


def _orientation(exif: bytes) -> int:
    """Return the orientation in a TIFF block; 1 if it has none or is damaged."""
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None:
        return 1
    try:
        (at,) = struct.unpack_from(f"{order}I", exif, 4)
        (count,) = struct.unpack_from(f"{order}H", exif, at)
        for entry in range(at + 2, at + 2 + 12 * count, 12):
            tag, _, _, value = struct.unpack_from(f"{order}HHIH", exif, entry)
            if tag == _ORIENTATION_TAG:
                return int(value) if 1 <= value <= 8 else 1
    except struct.error:
        return 1
    return 1
