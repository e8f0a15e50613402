"""The one opener of images: upright, opaque, 8-bit sRGB, bounded before anything is decoded."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import cv2
import numpy as np

from workbench.engines.colour_spaces import (
    HDR_TRANSFERS,
    cmyk_jpeg_as_srgb,
    hdr_as_srgb,
    is_srgb,
    profiled_as_srgb,
)
from workbench.engines.headers import ImageHeader, check_size, read_image_header
from workbench.engines.pixels import Image
from workbench.engines.probe import decode_video
from workbench.errors import DamagedFile, InvalidRequest

__all__ = ["open_image", "portable_image", "start_frame"]

_MOST_BYTES: Final = 1 << 28
_VIDEO_SUFFIXES: Final = frozenset({".mp4", ".webm", ".mov", ".mkv"})
_MEDIA_TYPES: Final = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}
_JPEG_QUALITY: Final = 95


def open_image(path: Path) -> Image:
    """Return the image at ``path`` as it should be seen: upright sRGB, H×W×3, ``uint8``.

    Applies the EXIF orientation and the colour profile, maps HDR to a standard screen, scales 16 bits
    to 8, lays transparent pixels over white, and takes the first picture of an animation. Raises
    ``InvalidRequest`` for an image that is too large, ``DamagedFile`` for one that is damaged or cut
    off.
    """
    data, header = _read(path)
    return _decoded(data, header, path.name)


def start_frame(path: Path) -> Image:
    """Return the image at ``path``, or the last frame of the video there, as RGB."""
    if path.suffix.lower() not in _VIDEO_SUFFIXES:
        return open_image(path)
    frame: Image | None = None
    for frame in decode_video(path):  # noqa: B007  only the last one is wanted
        pass
    if frame is None:
        raise DamagedFile(f"{path.name} contains no frame.")
    return frame


def portable_image(path: Path) -> tuple[bytes, str]:
    """Return an image, or a video's last frame, as a portable image file, and its media type.

    The file itself where it is upright, opaque, 8-bit and sRGB; else what :func:`open_image` makes of
    it, as JPEG where it was one and as PNG otherwise.
    """
    if path.suffix.lower() in _VIDEO_SUFFIXES:
        return _encoded(start_frame(path), "png")
    data, header = _read(path)
    if _is_plain(header):
        if not header.is_whole:
            raise DamagedFile(f"{path.name} is cut off.")
        return data, _MEDIA_TYPES[header.format]
    picture = _decoded(data, header, path.name)
    return _encoded(picture, "jpeg" if header.format == "jpeg" else "png")


def _is_plain(header: ImageHeader) -> bool:
    """Tell whether every reader shows the stored pixels correctly."""
    plain = header.orientation == 1 and header.bits <= 8 and not header.has_alpha
    return plain and not header.is_cmyk and not _is_hdr(header) and is_srgb(header.profile)


def _is_hdr(header: ImageHeader) -> bool:
    return header.transfer in HDR_TRANSFERS


def _read(path: Path) -> tuple[bytes, ImageHeader]:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InvalidRequest(f"{path.name} is larger than {_MOST_BYTES >> 20} MiB.")
        data = path.read_bytes()
        header = read_image_header(data)
    except OSError as error:
        raise DamagedFile(f"{path.name} cannot be read: {error.strerror}.") from error
    except DamagedFile as error:
        raise DamagedFile(f"{path.name} cannot be opened as an image: {error}") from error
    check_size(header.width, header.height)
    return data, header


def _decoded(data: bytes, header: ImageHeader, name: str) -> Image:
    if not header.is_whole:
        raise DamagedFile(f"{name} is cut off: its end is missing.")
    if header.is_cmyk:
        try:
            return _upright(cmyk_jpeg_as_srgb(data, header.profile), header.orientation)
        except (OSError, ValueError) as error:
            raise DamagedFile(f"{name} cannot be decoded: it is damaged.") from error
    stored = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if stored is None or stored.shape[:2] != (header.stored_height, header.stored_width):
        raise DamagedFile(f"{name} cannot be decoded: it is damaged.")
    if _is_hdr(header):
        stored = _hdr(stored, header)
    rgb = _opaque(_eight_bits(stored))
    if not _is_hdr(header) and not is_srgb(header.profile):
        rgb = profiled_as_srgb(rgb, header.profile)
    return _upright(rgb, header.orientation)


def _hdr(stored: Image, header: ImageHeader) -> Image:
    """Return HDR pixels as stored for a standard screen: BGR, with alpha where there was any."""
    if stored.ndim == 2:
        stored = cv2.cvtColor(stored, cv2.COLOR_GRAY2BGR)
    shown = hdr_as_srgb(stored[..., 2::-1], header.transfer, header.primaries)[..., ::-1]
    return np.dstack([shown, _eight_bits(stored[..., 3:])])


def _eight_bits(stored: Image) -> Image:
    if stored.dtype == np.uint16:
        return ((stored.astype(np.uint32) * 255 + 32_767) // 65_535).astype(np.uint8)
    return stored.astype(np.uint8, copy=False)


def _opaque(stored: Image) -> Image:
    """Return BGRA, BGR or grey pixels as RGB, composited over white."""
    if stored.ndim == 2:
        return cv2.cvtColor(stored, cv2.COLOR_GRAY2RGB)
    if stored.shape[2] == 3:
        return cv2.cvtColor(stored, cv2.COLOR_BGR2RGB)
    alpha = stored[..., -1:].astype(np.uint16)
    colours = stored[..., 2::-1] if stored.shape[2] == 4 else stored[..., [0, 0, 0]]
    return ((colours * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)


def _upright(rgb: Image, orientation: int) -> Image:
    """Return ``rgb`` rotated and mirrored by an EXIF orientation (1 to 8)."""
    if orientation in {5, 6, 7, 8}:
        rgb = rgb.swapaxes(0, 1)
    if orientation in {2, 3, 6, 7}:
        rgb = rgb[:, ::-1]
    if orientation in {3, 4, 7, 8}:
        rgb = rgb[::-1]
    return np.ascontiguousarray(rgb)


def _encoded(rgb: Image, form: str) -> tuple[bytes, str]:
    options = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY] if form == "jpeg" else []
    suffix = ".jpg" if form == "jpeg" else ".png"
    done, data = cv2.imencode(suffix, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), options)
    if not done:
        raise DamagedFile(f"The image could not be written as {form}.")
    return data.tobytes(), _MEDIA_TYPES[form]
