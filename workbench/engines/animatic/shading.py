"""Light and shade on figures: modelling, foreshortening, cast shadows."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from workbench.engines.animatic.colour import Colour
from workbench.engines.animatic.planes import Sprite, sprite_of
from workbench.engines.pixels import Image

__all__ = ["UNTURNED", "foreshortened", "modelled", "shadow_of", "squashed"]


UNTURNED: Final = frozenset(
    {"card", "firework", "drawing", "jelly", "crawler", "person", "quadruped", "car", "arm"}
)
"""Forms with their own front and rear views, or equal from all sides."""


def squashed(pixels: Image, share: float, foot: int) -> Image:
    """Return a painted figure at ``share`` of its height, with its foot on the same row."""
    height, width = pixels.shape[:2]
    low = cv2.resize(pixels, (width, max(2, int(height * share))), interpolation=cv2.INTER_AREA)
    result = np.zeros_like(pixels)
    top = max(0, int(foot * (1 - share)))
    rows = min(len(low), height - top)
    result[top : top + rows] = low[:rows]
    return result


def foreshortened(pixels: Image, front: str, form: str) -> Image:
    """Return a painted figure from the front or rear: narrower, unless round."""
    if front == "side" or form in UNTURNED:
        return pixels
    share = 0.6
    height, width = pixels.shape[:2]
    narrow = max(2, int(width * share) // 2 * 2)
    left = (width - narrow) // 2
    turned = np.zeros_like(pixels)
    turned[:, left : left + narrow] = cv2.resize(
        pixels, (narrow, height), interpolation=cv2.INTER_AREA
    )
    if front == "rear":
        return np.ascontiguousarray(turned[:, ::-1])
    return turned


def modelled(sprite: Sprite, side: int, px: float, strength: float) -> Sprite:
    """Return ``sprite`` with a soft edge light from ``side`` and a soft shade opposite.

    Computed at half the size: it is soft, and needed for every pose.
    """
    if sprite.keep is None or sprite.keep_half is None or px < 40:
        return sprite
    step = max(1, round(px * 0.0175 * (0.6 + 0.4 * strength)))
    opaque = cv2.bitwise_not(sprite.keep_half)
    size = 2 * step + 1
    body = cv2.blur(opaque, (size, size))
    lit, shaded = np.zeros_like(body), np.zeros_like(body)
    later, sooner = slice(step, None), slice(None, -step)
    across, back = (sooner, later) if side > 0 else (later, sooner)
    # The edge uncovered by shifting the body down and away from the light is lit.
    lit[later, across] = body[sooner, back]
    shaded[sooner, back] = body[later, across]
    inside = cv2.bitwise_not(sprite.keep)
    whole = (sprite.width, sprite.height)
    for shift, share, combine in ((lit, 0.17, cv2.add), (shaded, 0.22, cv2.subtract)):
        edge = cv2.convertScaleAbs(cv2.bitwise_not(shift), alpha=share * strength)
        edge = cv2.resize(cv2.min(edge, opaque), whole, interpolation=cv2.INTER_LINEAR)
        combine(sprite.y, cv2.min(edge, inside), dst=sprite.y)
    return sprite


def shadow_of(width: float, strength: float, shade: Colour) -> tuple[Sprite, float]:
    """Return a soft shadow ``width`` pixels across, and half its sprite's width."""
    w = max(8, int(width * 1.5)) // 2 * 2
    h = max(6, int(width * 0.26)) // 2 * 2
    across = np.linspace(-1, 1, w, dtype=np.float32)[None]
    down = np.linspace(-1, 1, h, dtype=np.float32)[:, None]
    fall = np.clip(1.15 - np.sqrt(across**2 + down**2) * 1.2, 0, 1)
    alpha = fall * fall * (3 - 2 * fall) * 255 * min(1.0, strength * 1.5)
    dark = [c * 0.25 for c in shade]
    pixels = cv2.merge([alpha * dark[2], alpha * dark[1], alpha * dark[0], alpha]).astype(np.uint8)
    return sprite_of(pixels), w / 2
