"""Lens and gate effects: bloom, letterbox, flare, fisheye, tilt-shift, weave."""

from __future__ import annotations

import math

import cv2
import numpy as np

from workbench.engines.animatic.effects.plan import Plan
from workbench.engines.animatic.planes import Picture, above, shrunk
from workbench.engines.pixels import Image

__all__ = ["Bands", "Bloom", "Fisheye", "Letterbox", "Ripple", "Roll", "Streak", "Weave"]

_BLACK = 16


class Bloom:
    """Bright parts glow into their surroundings."""

    def __init__(self, plan: Plan, strength: float) -> None:
        self._strength = strength
        self._small = (max(2, plan.width // 8), max(2, plan.height // 8))
        self._reach = max(3, plan.height // 60) | 1

    def apply(self, picture: Picture, index: int) -> None:
        """Add a blurred copy of the light, and take a little contrast."""
        del index
        small = cv2.blur(shrunk(picture.y, self._small), (self._reach, self._reach))
        small = cv2.convertScaleAbs(above(small, 60), alpha=1.5 * self._strength)
        soft = cv2.resize(small, (picture.width, picture.height), interpolation=cv2.INTER_LINEAR)
        cv2.addWeighted(picture.y, 1 - 0.22 * self._strength, soft, 0.62, 2, dst=picture.y)


class Letterbox:
    """Black bars above and below, each ``share`` of the height."""

    def __init__(self, plan: Plan, share: float) -> None:
        self._rows = round(plan.height * share / 2) // 2 * 2 + 2

    def apply(self, picture: Picture, index: int) -> None:
        """Blacken the bars."""
        del index
        rows = self._rows
        picture.y[:rows] = _BLACK
        picture.y[-rows:] = _BLACK
        for plane in (picture.u, picture.v):
            plane[: rows // 2] = 128
            plane[-(rows // 2) :] = 128


class Streak:
    """A long blue flare across the frame, as anamorphic glass draws it."""

    def __init__(self, plan: Plan, strength: float) -> None:
        y = np.arange(plan.height)[:, None] / plan.height
        x = np.arange(plan.width)[None] / plan.width
        line = np.exp(-(((y - 0.3) * 90) ** 2)) * (0.35 + 0.65 * np.exp(-(((x - 0.68) * 2.4) ** 2)))
        self._light = np.clip(line * 130 * strength, 0, 255).astype(np.uint8)
        self._blue = cv2.resize(
            np.clip(line * 44 * strength, 0, 255).astype(np.uint8),
            (plan.width // 2, plan.height // 2),
        )

    def apply(self, picture: Picture, index: int) -> None:
        """Add the flare."""
        del index
        cv2.add(picture.y, self._light, dst=picture.y)
        cv2.add(picture.u, self._blue, dst=picture.u)


class _Warp:
    """Moves every pixel by a fixed map; made once."""

    def __init__(self, x: Image, y: Image) -> None:
        height, width = x.shape
        self._maps = cv2.convertMaps(x.astype(np.float32), y.astype(np.float32), cv2.CV_16SC2)
        half = [cv2.resize(m.astype(np.float32), (width // 2, height // 2)) / 2 for m in (x, y)]
        self._half = cv2.convertMaps(half[0], half[1], cv2.CV_16SC2)

    def apply(self, picture: Picture, index: int) -> None:
        """Warp the frame."""
        del index
        picture.y[:] = _remap(picture.y, self._maps)
        picture.u[:] = _remap(picture.u, self._half)
        picture.v[:] = _remap(picture.v, self._half)


class Fisheye(_Warp):
    """Bulges the frame as a very short lens does."""

    def __init__(self, plan: Plan, strength: float) -> None:
        y, x = np.mgrid[: plan.height, : plan.width].astype(np.float32)
        cx, cy = plan.width / 2, plan.height / 2
        dx, dy = (x - cx) / cy, (y - cy) / cy
        far = np.hypot(dx, dy) / math.hypot(cx / cy, 1)
        pull = (1 - strength) + strength * far**2 * 1.05
        super().__init__(cx + dx * pull * cy, cy + dy * pull * cy)


class Ripple(_Warp):
    """Bends the frame in slow waves, as in a dream."""

    def __init__(self, plan: Plan, amount: float) -> None:
        y, x = np.mgrid[: plan.height, : plan.width].astype(np.float32)
        h = plan.height
        super().__init__(
            x + amount * h * np.sin(y / h * 11), y + amount * 1.5 * h * np.sin(x / h * 8 + 0.6)
        )


class Roll(_Warp):
    """Tilts the frame by ``degrees``, enlarged so that no corner is empty."""

    def __init__(self, plan: Plan, degrees: float) -> None:
        y, x = np.mgrid[: plan.height, : plan.width].astype(np.float32)
        cx, cy, angle = plan.width / 2, plan.height / 2, math.radians(degrees)
        grow = math.cos(angle) + math.sin(angle) * plan.width / plan.height
        c, s = math.cos(angle) / grow, math.sin(angle) / grow
        dx, dy = x - cx, y - cy
        super().__init__(cx + c * dx + s * dy, cy - s * dx + c * dy)


class Bands:
    """Sharp in a band across the middle, blurred above and below: everything looks small."""

    def __init__(self, plan: Plan, strength: float) -> None:
        rows = np.abs(np.arange(plan.height, dtype=np.float32) / plan.height - 0.58)
        share = np.clip((rows - 0.12) / 0.22, 0, 1) * min(1.0, strength)
        self._top = int(np.argmax(share < 0.01))
        self._low = plan.height - int(np.argmax(share[::-1] < 0.01))
        self._small = (max(2, plan.width // 6), max(2, plan.height // 6))
        self._weights = np.ascontiguousarray(np.repeat(share[:, None], plan.width, 1))

    def apply(self, picture: Picture, index: int) -> None:
        """Blur what lies outside the band."""
        del index
        small = cv2.blur(cv2.resize(picture.y, self._small, interpolation=cv2.INTER_AREA), (3, 3))
        soft = cv2.resize(small, (picture.width, picture.height), interpolation=cv2.INTER_LINEAR)
        for rows in (slice(0, self._top), slice(self._low, None)):
            weight = self._weights[rows]
            if weight.size:
                mixed = cv2.blendLinear(soft[rows], picture.y[rows], weight, 1 - weight)
                picture.y[rows] = mixed


class Weave:
    """The frame wanders a little in its gate, from frame to frame."""

    def __init__(self, plan: Plan, amount: float) -> None:
        self._steps = plan.random(6).normal(0, amount * plan.height, (4096, 2))

    def apply(self, picture: Picture, index: int) -> None:
        """Move the frame by whole pixels."""
        x, y = (round(float(step)) * 2 for step in self._steps[(index // 2) % 4096] / 2)
        if x or y:
            picture.y[:] = np.roll(picture.y, (y, x), (0, 1))
            for plane in (picture.u, picture.v):
                plane[:] = np.roll(plane, (y // 2, x // 2), (0, 1))


def _remap(plane: Image, maps: tuple[Image, Image]) -> Image:
    return cv2.remap(plane, maps[0], maps[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
