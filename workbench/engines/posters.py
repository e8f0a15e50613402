"""Still images of a video: posters (JPEG and small WebP) and previews."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import cv2

from workbench.engines.pixels import Image
from workbench.errors import RenderError

__all__ = ["jpeg", "webp", "write_posters"]

_POSTER_QUALITY: Final = 88
_SMALL_WIDTH: Final = 416
_SMALL_QUALITY: Final = 72


def write_posters(rgb: Image, folder: Path) -> None:
    """Write ``poster.jpg`` at full size and ``poster.webp``, at most 416 pixels wide.

    Raises ``OSError`` if writing fails.
    """
    (folder / "poster.jpg").write_bytes(jpeg(rgb, quality=_POSTER_QUALITY))
    (folder / "poster.webp").write_bytes(webp(rgb, width=_SMALL_WIDTH, quality=_SMALL_QUALITY))


def jpeg(rgb: Image, *, width: int | None = None, quality: int = 85) -> bytes:
    """Return ``rgb`` (H×W×3, ``uint8``) as JPEG, at most ``width`` pixels wide."""
    return _encoded(".jpg", rgb, width, [cv2.IMWRITE_JPEG_QUALITY, quality])


def webp(rgb: Image, *, width: int | None = None, quality: int = 75) -> bytes:
    """Return ``rgb`` (H×W×3, ``uint8``) as WebP, at most ``width`` pixels wide."""
    return _encoded(".webp", rgb, width, [cv2.IMWRITE_WEBP_QUALITY, quality])


def _encoded(form: str, rgb: Image, width: int | None, options: list[int]) -> bytes:
    if width and rgb.shape[1] > width:
        height = max(1, round(rgb.shape[0] * width / rgb.shape[1]))
        rgb = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)
    done, data = cv2.imencode(form, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), options)
    if not done:
        raise RenderError(f"The picture could not be written as {form[1:]}.")
    return data.tobytes()
