"""Surface effects: grain, paper, dots, scratches, scan lines, instruments."""

from __future__ import annotations

import math

import cv2
import numpy as np

from workbench.engines.animatic.effects.plan import Plan
from workbench.engines.animatic.planes import Picture
from workbench.engines.pixels import Image

__all__ = [
    "Border",
    "Bumps",
    "Gears",
    "Grain",
    "Halftone",
    "Hud",
    "Paper",
    "Scanlines",
    "Scratches",
    "Viewfinder",
]

_WHOLE = 1 / 255


class Grain:
    """Film grain of ``amount`` grey levels, new on every second frame."""

    def __init__(self, plan: Plan, amount: float) -> None:
        random = plan.random(11)
        shape = (plan.height // 2 + 64, plan.width // 2 + 64)
        coarse = random.normal(0, amount, shape).astype(np.float32)
        grain = cv2.resize(coarse, (shape[1] * 2, shape[0] * 2), interpolation=cv2.INTER_LINEAR)
        self._light = np.clip(grain, 0, 255).astype(np.uint8)
        self._dark = np.clip(-grain, 0, 255).astype(np.uint8)
        self._places = random.integers(0, 100, (4096, 2))

    def apply(self, picture: Picture, index: int) -> None:
        """Add the grain."""
        x, y = self._places[(index // 2) % 4096]
        rows, columns = slice(y, y + picture.height), slice(x, x + picture.width)
        cv2.add(picture.y, self._light[rows, columns], dst=picture.y)
        cv2.subtract(picture.y, self._dark[rows, columns], dst=picture.y)


class _Gain:
    """Multiplies the frame's light by a fixed map."""

    def __init__(self, gain: Image) -> None:
        self._gain = np.clip(gain * 255, 0, 255).astype(np.uint8)

    def apply(self, picture: Picture, index: int) -> None:
        """Multiply."""
        del index
        cv2.multiply(picture.y, self._gain, dst=picture.y, scale=_WHOLE)


class Paper(_Gain):
    """The tooth of paper."""

    def __init__(self, plan: Plan, strength: float) -> None:
        tooth = 0.6 * plan.noise(21, 0.007) + 0.4 * plan.noise(22, 0.05)
        super().__init__(1 - strength * (1 - tooth) * 0.8)


class Bumps(_Gain):
    """Dents of thumbs in clay."""

    def __init__(self, plan: Plan, strength: float) -> None:
        height = plan.noise(23, 0.035)
        slope = np.roll(height, 2, 0) - height + np.roll(height, 2, 1) - height
        super().__init__(1 - strength * np.clip(0.5 + slope * 6, 0, 1))


class Border:
    """The picture fades into white paper at a ragged edge."""

    def __init__(self, plan: Plan, share: float) -> None:
        y, x = np.mgrid[: plan.height, : plan.width].astype(np.float32) / plan.height
        edge = np.minimum(np.minimum(x, plan.width / plan.height - x), np.minimum(y, 1 - y))
        ragged = edge + (plan.noise(24, 0.05) - 0.5) * share * 1.4
        cover = np.clip(1.3 - ragged / share, 0, 1)
        self._keep = np.clip(255 * (1 - cover), 0, 255).astype(np.uint8)
        self._white = np.clip(228 * cover, 0, 255).astype(np.uint8)
        small = (plan.width // 2, plan.height // 2)
        self._keep_half = cv2.resize(self._keep, small, interpolation=cv2.INTER_AREA)
        self._grey_half = cv2.resize(
            np.clip(128 * cover, 0, 255).astype(np.uint8), small, interpolation=cv2.INTER_AREA
        )

    def apply(self, picture: Picture, index: int) -> None:
        """Lay the paper around the picture."""
        del index
        cv2.multiply(picture.y, self._keep, dst=picture.y, scale=_WHOLE)
        cv2.add(picture.y, self._white, dst=picture.y)
        for plane in (picture.u, picture.v):
            cv2.multiply(plane, self._keep_half, dst=plane, scale=_WHOLE)
            cv2.add(plane, self._grey_half, dst=plane)


class Scratches:
    """Bright scratches and dark specks that come and go."""

    def __init__(self, plan: Plan, number: float) -> None:
        self._number, self._plan = int(number), plan

    def apply(self, picture: Picture, index: int) -> None:
        """Draw this frame's scratches."""
        slow, fast = self._plan.random(31 + index // 6), self._plan.random(5000 + index)
        for _ in range(self._number):
            x = int(slow.random() * (picture.width - 2))
            cv2.line(
                picture.y,
                (x, 0),
                (x + int(fast.integers(-2, 3)), picture.height),
                205,
                1,
                cv2.LINE_AA,
            )
        for _ in range(self._number * 2):
            at = (int(fast.random() * picture.width), int(fast.random() * picture.height))
            cv2.circle(picture.y, at, int(fast.integers(1, 3)), 30, -1, cv2.LINE_AA)


class Scanlines(_Gain):
    """Darker lines, as on an old screen."""

    def __init__(self, plan: Plan, strength: float) -> None:
        step = max(2, round(plan.height / 160))
        rows = 1 - strength * ((np.arange(plan.height) // step) % 2)
        super().__init__(np.repeat(rows[:, None], plan.width, 1))


class Halftone:
    """Printed dots, larger where it is darker."""

    def __init__(self, plan: Plan, strength: float) -> None:
        self._drop = strength * 150
        step = 2 * math.pi / max(4.0, plan.height / 88)
        y, x = np.mgrid[: plan.height, : plan.width].astype(np.float32)
        u, v = (x + y) * 0.7071, (x - y) * 0.7071
        self._dots = np.clip(96 + 70 * np.cos(u * step) * np.cos(v * step), 0, 255).astype(np.uint8)

    def apply(self, picture: Picture, index: int) -> None:
        """Print the dots."""
        del index
        ink = cv2.compare(picture.y, self._dots, cv2.CMP_LT)
        cv2.subtract(picture.y, cv2.convertScaleAbs(ink, alpha=self._drop / 255), dst=picture.y)


class Gears(_Gain):
    """Dark cogwheels in two corners, and rivets along the edge."""

    def __init__(self, plan: Plan, strength: float) -> None:
        sheet = np.full((plan.height, plan.width), 255, np.uint8)
        h, dark = plan.height, int(255 * (1 - strength))
        for x, y, r, teeth in (
            (0.02, 0.06, 0.20, 14),
            (0.27, 0.02, 0.10, 10),
            (1.0, 0.98, 0.22, 16),
        ):
            centre = (int(x * plan.width), int(y * h))
            angles = np.linspace(0, 2 * np.pi, teeth * 4, endpoint=False)
            radii = np.where((np.arange(teeth * 4) % 4) < 2, r, r * 0.84) * h
            rim = np.stack(
                [centre[0] + np.cos(angles) * radii, centre[1] + np.sin(angles) * radii], 1
            )
            cv2.fillPoly(sheet, [rim.astype(np.int32)], dark, cv2.LINE_AA)
            cv2.circle(sheet, centre, int(r * h * 0.6), 255, max(2, int(h * 0.05)), cv2.LINE_AA)
            cv2.circle(sheet, centre, int(r * h * 0.12), 255, -1, cv2.LINE_AA)
        for x in range(h // 12, plan.width, h // 6):
            cv2.circle(sheet, (x, h - h // 40), max(1, h // 90), dark, -1, cv2.LINE_AA)
        super().__init__(sheet / 255)


class _Lines:
    """Adds a fixed drawing of light."""

    def __init__(self, sheet: Image) -> None:
        self._sheet = sheet

    def apply(self, picture: Picture, index: int) -> None:
        """Add the drawing."""
        del index
        cv2.add(picture.y, self._sheet, dst=picture.y)


class Hud(_Lines):
    """The rings and brackets of an instrument."""

    def __init__(self, plan: Plan, light: float) -> None:
        sheet = np.zeros((plan.height, plan.width), np.uint8)
        h, w = plan.height, plan.width
        thick = max(1, h // 300)
        centre = (int(w * 0.82), int(h * 0.26))
        for r, a, b in ((0.13, 20, 300), (0.10, 120, 420), (0.15, 200, 250)):
            cv2.ellipse(sheet, centre, (int(r * h), int(r * h)), 0, a, b, light, thick, cv2.LINE_AA)
        for x0, y0, dx, dy in (
            (0.05, 0.08, 1, 1),
            (0.95, 0.08, -1, 1),
            (0.05, 0.92, 1, -1),
            (0.95, 0.92, -1, -1),
        ):
            at = (int(x0 * w), int(y0 * h))
            cv2.line(sheet, at, (at[0] + dx * h // 12, at[1]), light, thick, cv2.LINE_AA)
            cv2.line(sheet, at, (at[0], at[1] + dy * h // 12), light, thick, cv2.LINE_AA)
        for k in range(9):
            y = int(h * (0.3 + 0.045 * k))
            cv2.line(
                sheet,
                (int(w * 0.05), y),
                (int(w * 0.05) + h // (24 if k % 4 else 14), y),
                light,
                thick,
            )
        super().__init__(sheet)


class Viewfinder(_Lines):
    """The corner marks of a camera's viewfinder, and its red light's place."""

    def __init__(self, plan: Plan, inset: float) -> None:
        sheet = np.zeros((plan.height, plan.width), np.uint8)
        h, w = plan.height, plan.width
        d, arm, thick = int(inset * h), h // 14, max(1, h // 240)
        for x, dx in ((d, 1), (w - d, -1)):
            for y, dy in ((d, 1), (h - d, -1)):
                cv2.line(sheet, (x, y), (x + dx * arm, y), 110, thick, cv2.LINE_AA)
                cv2.line(sheet, (x, y), (x, y + dy * arm), 110, thick, cv2.LINE_AA)
        cv2.circle(sheet, (d + arm // 2, d + arm // 2), max(2, h // 70), 150, -1, cv2.LINE_AA)
        super().__init__(sheet)


class Stamp:
    """The running time that a dashcam (1) or a security camera (2) writes into its pictures."""

    def __init__(self, plan: Plan, kind: float) -> None:
        self._height = plan.height
        self._names = {1: "REC", 2: "CAM 02"}
        self._kind = int(kind)

    def apply(self, picture: Picture, index: int) -> None:
        """Write the time of the frame at ``index``, 24 to the second."""
        scale, thick = self._height / 760, max(1, self._height // 400)
        text = f"{self._names.get(self._kind, 'REC')}  00:00:{index // 24 % 60:02d}"
        at = (self._height // 28, self._height // 14)
        font = cv2.FONT_HERSHEY_PLAIN if self._kind == 2 else cv2.FONT_HERSHEY_SIMPLEX
        cv2.putText(picture.y, text, at, font, scale, 30, thick + 2, cv2.LINE_AA)
        cv2.putText(picture.y, text, at, font, scale, 225, thick, cv2.LINE_AA)
