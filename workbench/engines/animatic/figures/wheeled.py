"""Road vehicles: cars, trucks, buses, bicycles. Drawn one unit tall, wheels on y = 0, facing right."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from workbench.engines.animatic.canvas import Canvas
from workbench.engines.animatic.colour import Colour, mix
from workbench.engines.animatic.figures.body import Ink, Pose, colour_of, smooth
from workbench.engines.animatic.figures.frontal import paint_car_end

__all__ = ["paint_car"]

_GLASS: Colour = (0.42, 0.55, 0.64)


def wheel(canvas: Canvas, x: float, r: float, pose: Pose, ink: Ink, *, spokes: int = 5) -> None:
    """Paint a turning wheel standing at ``x``."""
    y = -r
    canvas.ellipse(x, y, r, r, ink.lit((0.09, 0.09, 0.10)))
    canvas.ellipse(x, y, r * 0.62, r * 0.62, ink.lit((0.66, 0.68, 0.71)))
    turn = 2 * math.pi * pose.phase / spokes
    for k in range(spokes):
        a = turn + 2 * math.pi * k / spokes
        tip = (x + math.cos(a) * r * 0.5, y + math.sin(a) * r * 0.5)
        canvas.limb((x, y), tip, r * 0.07, r * 0.11, ink.half((0.30, 0.31, 0.34)))
    canvas.ellipse(x, y, r * 0.14, r * 0.14, ink.lit((0.8, 0.8, 0.82)))


def paint_car(canvas: Canvas, pose: Pose, ink: Ink, look: Mapping[str, Any]) -> None:
    """Paint a car; ``look`` may set its shape (``saloon``, ``sport``, ``van``) and paint."""
    if pose.front != "side":
        paint_car_end(canvas, pose, ink, look)
        return
    body = ink.main or colour_of(look, "paint", (0.78, 0.20, 0.18))
    bob = 0.012 * pose.swing(0, 1)
    shape = look.get("shape", "saloon")
    roof, hood, half = {
        "sport": (-0.80, -0.52, 1.62),
        "van": (-1.0, -0.62, 1.45),
        "jeep": (-1.0, -0.62, 1.3),
    }.get(shape, (-1.0, -0.6, 1.55))
    lit, dark = ink.lit(body), ink.dark(body)

    def at(x: float, y: float) -> tuple[float, float]:
        return x, y + bob

    cabin = {
        "sport": [at(-1.1, -0.55), at(-0.62, roof), at(0.25, roof), at(0.85, -0.52)],
        "van": [at(-1.4, -0.5), at(-1.36, roof), at(0.55, roof), at(1.02, -0.56)],
        "jeep": [at(-1.25, -0.5), at(-1.2, roof), at(0.25, roof), at(0.52, -0.58)],
    }.get(shape, [at(-1.12, -0.56), at(-0.74, roof), at(0.34, roof), at(0.86, -0.56)])
    canvas.polygon(cabin, ink.half(body))
    inset = np.asarray(cabin) * (0.92, 1) + (0, 0)
    inset[[1, 2], 1] += 0.07
    inset[[0, 3], 1] -= 0.02
    canvas.polygon(inset, ink.half(_GLASS))
    shine = ink.lit(mix(_GLASS, (1, 1, 1), 0.45))
    canvas.polygon(
        [
            inset[1] + (0.12, 0.0),
            inset[1] + (0.34, 0.0),
            inset[0] + (0.42, 0.0),
            inset[0] + (0.2, 0.0),
        ],
        shine,
        0.5,
    )
    canvas.polygon(
        [at(-0.2, roof + 0.03), at(-0.12, roof + 0.03), at(-0.1, -0.52), at(-0.18, -0.52)],
        ink.half(body),
    )
    hull = smooth(
        [
            at(-half, -0.36),
            at(-half + 0.06, -0.56),
            at(-1.0, -0.60),
            at(0.6, -0.60),
            at(half - 0.28, hood + 0.06),
            at(half - 0.02, -0.40),
            at(half, -0.2),
            at(half - 0.1, -0.14),
            at(-half + 0.08, -0.14),
            at(-half - 0.01, -0.22),
        ],
        count=5,
    )
    canvas.polygon(hull, lit)
    canvas.polygon(
        [
            at(-half + 0.03, -0.26),
            at(half - 0.03, -0.26),
            at(half - 0.08, -0.13),
            at(-half + 0.08, -0.13),
        ],
        dark,
    )
    canvas.line(
        [at(-half + 0.08, -0.50), at(half - 0.25, -0.49)],
        0.022,
        ink.lit(mix(body, (1, 1, 1), 0.5)),
        0.7,
    )
    canvas.line([at(-0.16, -0.56), at(-0.14, -0.2)], 0.014, dark)
    canvas.ellipse(half - 0.06, -0.40 + bob, 0.07, 0.055, ink.glow((1.0, 0.94, 0.72)))
    canvas.ellipse(-half + 0.05, -0.42 + bob, 0.05, 0.06, ink.glow((0.9, 0.14, 0.1)))
    for x in (-0.92, 0.92):
        canvas.ellipse(x, -0.25, 0.31, 0.31, ink.dark((0.12, 0.12, 0.14)))
        wheel(canvas, x, 0.25, pose, ink)
