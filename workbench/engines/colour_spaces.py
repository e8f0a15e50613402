"""Colours as their file means them, as sRGB: ICC profiles, CMYK, and the HDR signals of BT.2100.

Knows neither files nor codecs. The numbers of transfers and primaries are those of ITU-T H.273.
"""

from __future__ import annotations

import io
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow
from PIL import ImageCms

from workbench.engines.pixels import Image

__all__ = ["HDR_TRANSFERS", "cmyk_jpeg_as_srgb", "hdr_as_srgb", "is_srgb", "profiled_as_srgb"]

_PQ, _HLG = 16, 18
HDR_TRANSFERS: Final = frozenset({_PQ, _HLG})
_BT2020, _P3_DCI, _P3 = 9, 11, 12
_WHITE_NITS: Final = 203.0
"""What white is on an HDR screen, by BT.2408."""
_HLG_PEAK_NITS, _HLG_GAMMA = 1_000.0, 1.2
_KNEE: Final = 0.8
"""Brighter than this share of white, light is compressed rather than cut."""
_ROWS: Final = 128
"""Rows worked on at a time: floating point takes four times the memory of what it becomes."""
_TO_BT709: Final = {  # linear light, by BT.2407 and SMPTE EG 432-1
    _BT2020: ((1.6605, -0.5876, -0.0728), (-0.1246, 1.1329, -0.0083), (-0.0182, -0.1006, 1.1187)),
    _P3: ((1.2249, -0.2247, 0.0), (-0.0420, 1.0419, 0.0), (-0.0197, -0.0786, 1.0979)),
}
_TO_BT709[_P3_DCI] = _TO_BT709[_P3]

_Light = npt.NDArray[np.float32]


def is_srgb(profile: bytes) -> bool:
    """Tell whether an ICC profile is sRGB by name, or is none that can be read."""
    read = _read(profile)
    return read is None or "srgb" in ImageCms.getProfileDescription(read).lower()


def profiled_as_srgb(rgb: Image, profile: bytes) -> Image:
    """Return RGB pixels (H×W×3, ``uint8``) that ``profile`` explains, as sRGB.

    A damaged profile, or one of other inks, explains nothing: the pixels stay.
    """
    read = _read(profile)
    space = read.profile.xcolor_space.strip() if read is not None else ""
    if space not in {"RGB", "GRAY"}:
        return rgb
    mode = "RGB" if space == "RGB" else "L"
    try:
        transform = ImageCms.buildTransform(read, ImageCms.createProfile("sRGB"), mode, "RGB")
    except ImageCms.PyCMSError:
        return rgb
    stored = Pillow.fromarray(rgb if mode == "RGB" else np.ascontiguousarray(rgb[..., 0]))
    return np.asarray(ImageCms.applyTransform(stored, transform))


def cmyk_jpeg_as_srgb(data: bytes, profile: bytes) -> Image:
    """Return a JPEG of four inks as RGB, by its profile where it has one; raises ``OSError``."""
    with Pillow.open(io.BytesIO(data)) as picture:
        picture.load()
        read = _read(profile)
        if read is not None and picture.mode == "CMYK":
            try:
                srgb = ImageCms.createProfile("sRGB")
                transform = ImageCms.buildTransform(read, srgb, "CMYK", "RGB")
                return np.asarray(ImageCms.applyTransform(picture, transform))
            except ImageCms.PyCMSError:
                pass  # a profile of something else
        return np.asarray(picture.convert("RGB"))


def hdr_as_srgb(rgb: Image, transfer: int, primaries: int) -> Image:
    """Return an HDR picture (H×W×3, ``uint16`` or ``uint8``) as a standard screen shows it.

    ``transfer`` is one of ``HDR_TRANSFERS``. White is 203 nits; what is brighter is compressed.
    """
    shown = np.empty(rgb.shape, np.uint8)
    full = np.float32(np.iinfo(rgb.dtype).max)
    for top in range(0, rgb.shape[0], _ROWS):
        signal = rgb[top : top + _ROWS].astype(np.float32) / full
        nits = _pq_nits(signal) if transfer == _PQ else _hlg_nits(signal)
        light = nits / np.float32(_WHITE_NITS)
        if matrix := _TO_BT709.get(primaries):
            light = np.maximum(light @ np.asarray(matrix, np.float32).T, 0)
        shown[top : top + _ROWS] = np.rint(_srgb_signal(_compressed(light)) * 255)
    return shown


def _read(profile: bytes) -> Any:
    if not profile:
        return None
    try:
        return ImageCms.ImageCmsProfile(io.BytesIO(profile))
    except OSError:
        return None


def _pq_nits(signal: _Light) -> _Light:
    """Return light by the EOTF of SMPTE ST 2084, in nits."""
    root = signal ** np.float32(1 / 78.84375)
    share = np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)
    return np.asarray(10_000 * share ** (1 / 0.1593017578125), np.float32)


def _hlg_nits(signal: _Light) -> _Light:
    """Return light by the inverse OETF and the OOTF of BT.2100 for a screen of 1,000 nits."""
    high = (np.exp((signal - 0.55991073) / 0.17883277) + 0.28466892) / 12
    scene = np.where(signal <= 0.5, signal**2 / 3, high)
    luminance = scene @ np.asarray((0.2627, 0.6780, 0.0593), np.float32)
    gain = _HLG_PEAK_NITS * np.maximum(luminance, 1e-6) ** (_HLG_GAMMA - 1)
    return np.asarray(scene * gain[..., None], np.float32)


def _compressed(light: _Light) -> _Light:
    """Return light that is at most 1: its hue is kept, highlights approach white."""
    brightest = light.max(axis=-1, keepdims=True)
    over = np.maximum(brightest - _KNEE, 0) / (1 - _KNEE)
    wanted = np.minimum(brightest, _KNEE) + (1 - _KNEE) * (1 - np.exp(-over))
    return np.asarray(light * wanted / np.maximum(brightest, 1e-6), np.float32)


def _srgb_signal(light: _Light) -> _Light:
    """Return the signal by IEC 61966-2-1."""
    high = 1.055 * np.maximum(light, 1e-6) ** np.float32(1 / 2.4) - 0.055
    return np.where(light <= 0.0031308, light * 12.92, high)
