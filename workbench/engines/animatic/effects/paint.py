"""Painting styles: outlines, flat tones, facets, brush strokes, pencil."""

from __future__ import annotations

import cv2
import numpy as np

from workbench.engines.animatic.effects.plan import Plan
from workbench.engines.animatic.planes import Picture, above
from workbench.engines.pixels import Image

__all__ = [
    "Dabs",
    "Displace",
    "Edges",
    "Emboss",
    "Facets",
    "Pencil",
    "Posterise",
    "Relief",
    "Strokes",
    "Swirls",
]

_WHOLE = 1 / 255


class Posterise:
    """Posterises to a number of tones with short soft steps between them."""

    def __init__(self, plan: Plan, levels: float) -> None:
        del plan
        values = np.arange(256) / 255 * levels
        whole = np.floor(values)
        share = np.clip((values - whole - 0.36) / 0.28, 0, 1)
        self._table = np.clip((whole + share) / levels * 255, 0, 255).astype(np.uint8)

    def apply(self, picture: Picture, index: int) -> None:
        """Flatten the tones."""
        del index
        cv2.LUT(picture.y, self._table, dst=picture.y)


class Edges:
    """Dark outlines where light changes sharply."""

    def __init__(self, plan: Plan, strength: float) -> None:
        self._strength = strength
        size = 3 if plan.height < 700 else 5
        self._kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))

    def apply(self, picture: Picture, index: int) -> None:
        """Draw the outlines."""
        del index
        edge = cv2.morphologyEx(picture.y, cv2.MORPH_GRADIENT, self._kernel)
        line = cv2.convertScaleAbs(above(edge, 16), alpha=self._strength)
        cv2.subtract(picture.y, line, dst=picture.y)


class Pencil:
    """Graphite on white: outlines, and hatching where it is dark."""

    def __init__(self, plan: Plan, strength: float) -> None:
        self._strength = strength
        y, x = np.mgrid[: plan.height, : plan.width].astype(np.float32)
        step = 2 * np.pi / max(3.5, plan.height / 110)
        wobble = plan.noise(41, 0.03) * 3
        lines = 0.5 + 0.5 * np.sin((x * 0.8 + y * 0.62) * step + wobble)
        self._hatch = np.clip(70 + 110 * lines + 26 * plan.noise(42, 0.006), 0, 255).astype(
            np.uint8
        )
        self._reach = max(5, plan.height // 60) | 1

    def apply(self, picture: Picture, index: int) -> None:
        """Draw the frame again with a pencil."""
        del index
        soft = cv2.blur(picture.y, (self._reach, self._reach))
        line = cv2.convertScaleAbs(cv2.subtract(soft, picture.y), alpha=3.2 * self._strength)
        shade = cv2.compare(soft, self._hatch, cv2.CMP_LT)
        tone = cv2.addWeighted(picture.y, 0.28, picture.y, 0.0, 172)
        cv2.subtract(tone, line, dst=tone)
        cv2.subtract(tone, cv2.convertScaleAbs(shade, alpha=0.26), dst=picture.y)


class Emboss:
    """Every edge raised, lit from above on the left, as cut paper."""

    def __init__(self, plan: Plan, strength: float) -> None:
        self._strength, self._step = strength, max(2, plan.height // 160)

    def apply(self, picture: Picture, index: int) -> None:
        """Raise the edges."""
        del index
        step, y = self._step, picture.y
        shadow = np.zeros_like(y)
        lit = np.zeros_like(y)
        cv2.subtract(y[:-step, :-step], y[step:, step:], dst=shadow[step:, step:])
        cv2.subtract(y[step:, step:], y[:-step, :-step], dst=lit[step:, step:])
        cv2.subtract(y, cv2.convertScaleAbs(shadow, alpha=0.5 * self._strength), dst=y)
        cv2.add(y, cv2.convertScaleAbs(lit, alpha=0.12 * self._strength), dst=y)


class Relief:
    """The ridges of thick paint, lit from the side."""

    def __init__(self, plan: Plan, strength: float) -> None:
        ridges = plan.noise(51, 0.006, wide=5.0) - np.roll(plan.noise(51, 0.006, wide=5.0), 2, 0)
        gain = 1 - strength * np.clip(0.42 + ridges * 1.4, 0, 1)
        self._gain = np.clip(gain * 1.16 * 255, 0, 255).astype(np.uint8)

    def apply(self, picture: Picture, index: int) -> None:
        """Light the ridges."""
        del index
        cv2.multiply(picture.y, self._gain, dst=picture.y, scale=_WHOLE * 1.06)


class _Moved:
    """Takes every pixel from nearby by a fixed map, at half size: paint has no fine edges."""

    def __init__(self, plan: Plan, dx: Image, dy: Image, *, how: int = cv2.INTER_LINEAR) -> None:
        self._how, self._fine = how, plan.fine
        half = _maps(dx, dy, (plan.width // 2, plan.height // 2), 2)
        self._luma = half if plan.fine else _maps(dx, dy, (plan.width, plan.height), 1)
        self._chroma = half
        self._size = (plan.width // 2, plan.height // 2)

    def apply(self, picture: Picture, index: int) -> None:
        """Move the paint."""
        del index
        if self._fine:
            small = cv2.resize(picture.y, self._size, interpolation=cv2.INTER_AREA)
            moved = self._remap(small, self._luma)
            cv2.resize(moved, (picture.width, picture.height), dst=picture.y)
        else:
            picture.y[:] = self._remap(picture.y, self._luma)
        for plane in (picture.u, picture.v):
            plane[:] = self._remap(plane, self._chroma)

    def _remap(self, plane: Image, maps: tuple[Image, Image]) -> Image:
        return cv2.remap(plane, maps[0], maps[1], self._how, borderMode=cv2.BORDER_REFLECT)


def _maps(dx: Image, dy: Image, size: tuple[int, int], reduced: int) -> tuple[Image, Image]:
    """Return the map for planes of ``size`` that moves by (``dx``, ``dy``) pixels of the frame."""
    near_x, near_y = (cv2.resize(d, size, interpolation=cv2.INTER_NEAREST) for d in (dx, dy))
    y, x = np.mgrid[: size[1], : size[0]].astype(np.float32)
    first, second = cv2.convertMaps(x + near_x / reduced, y + near_y / reduced, cv2.CV_16SC2)
    return first, second


class Displace(_Moved):
    """Edges wander by ``amount`` heights, in blobs of ``cell``."""

    def __init__(self, plan: Plan, amount: float, cell: float) -> None:
        reach = amount * plan.height * 2
        dx, dy = ((plan.noise(salt, cell) - 0.5) * reach * 2 for salt in (61, 62))
        super().__init__(plan, dx, dy)


class Strokes(_Moved):
    """Brush strokes: each takes one colour, ``long`` by ``wide`` heights."""

    def __init__(self, plan: Plan, wide: float, long: float, slant: float) -> None:
        dx, dy = _stroked(
            plan, wide, long, lambda x, y: slant + 0.5 * np.sin(x * 3 + 1) + 0.4 * np.cos(y * 4)
        )
        super().__init__(plan, dx, dy)


class Dabs(_Moved):
    """Round dabs of one colour each, ``size`` heights across."""

    def __init__(self, plan: Plan, size: float) -> None:
        dx, dy = _stroked(plan, size, size * 1.5, lambda x, y: 0.35 + 0.0 * x * y)
        super().__init__(plan, dx, dy)


class Swirls(_Moved):
    """Long strokes that turn around unseen centres."""

    def __init__(self, plan: Plan, wide: float, long: float) -> None:
        def turn(x: Image, y: Image) -> Image:
            return np.asarray(
                np.arctan2(
                    np.sin(4 * y + 1.1 * np.sin(3 * x)), np.cos(3.2 * x + 0.9 * np.sin(4 * y))
                )
            )

        dx, dy = _stroked(plan, wide, long, turn)
        super().__init__(plan, dx, dy)


class Facets(_Moved):
    """Triangles of one colour each, ``size`` heights across."""

    def __init__(self, plan: Plan, size: float) -> None:
        labels, centres = _triangles(plan, size)
        y, x = np.mgrid[: plan.height, : plan.width].astype(np.float32)
        super().__init__(
            plan, centres[labels, 0] - x, centres[labels, 1] - y, how=cv2.INTER_NEAREST
        )


def _triangles(plan: Plan, size: float) -> tuple[Image, Image]:
    """Return for each pixel its triangle, and each triangle's centre: a shaken grid, cut in two."""
    step = size * plan.height
    columns, rows = int(plan.width / step) + 3, int(plan.height / step) + 3
    random = plan.random(71)
    gx, gy = np.meshgrid(np.arange(columns) - 1.0, np.arange(rows) - 1.0)
    points = np.stack([gx, gy], -1) + random.uniform(-0.34, 0.34, (rows, columns, 2))
    points *= step
    a, b, c, d = points[:-1, :-1], points[:-1, 1:], points[1:, 1:], points[1:, :-1]
    halves = [np.stack(corners, -2) for corners in ((a, b, d), (b, c, d))]
    triangles = np.stack(halves, 2).reshape(-1, 3, 2)
    labels = np.zeros((plan.height, plan.width), np.int32)
    for index, corners in enumerate(np.rint(triangles).astype(np.int32)):
        cv2.fillConvexPoly(labels, corners, index)
    return labels, triangles.mean(1).astype(np.float32)


def _stroked(plan: Plan, wide: float, long: float, turn: object) -> tuple[Image, Image]:
    """Return, per pixel, the offset to the middle of the stroke that covers it."""
    random = plan.random(81)
    aspect = plan.width / plan.height
    number = int(min(2600, 2.2 * aspect / (wide * long)))
    xs, ys = random.random(number) * aspect, random.random(number)
    angles = turn(xs, ys) if callable(turn) else xs
    labels = np.zeros((plan.height // 2, plan.width // 2), np.int32)
    h = plan.height / 2
    thick = max(1, int(wide * h * 1.5))
    ux, uy = np.cos(angles) * long / 2, np.sin(angles) * long / 2
    ends = np.stack([xs - ux, ys - uy, xs + ux, ys + uy], 1) * h
    for k, (ax, ay, bx, by) in enumerate(ends.astype(np.int32).tolist(), 1):
        cv2.line(labels, (ax, ay), (bx, by), k, thick)
    middles = np.stack([np.concatenate([[0], xs]), np.concatenate([[0], ys])], 1) * h
    y, x = np.mgrid[: labels.shape[0], : labels.shape[1]].astype(np.float32)
    covered = labels > 0
    dx = np.where(covered, middles[labels, 0] - x, 0) * 2
    dy = np.where(covered, middles[labels, 1] - y, 0) * 2
    size = (plan.width, plan.height)
    return (
        cv2.resize(dx.astype(np.float32), size, interpolation=cv2.INTER_NEAREST),
        cv2.resize(dy.astype(np.float32), size, interpolation=cv2.INTER_NEAREST),
    )
