"""Coat markings: stripes, spots, patches, a saddle, wool, spines."""

from __future__ import annotations

import numpy as np

from workbench.engines.animatic.canvas import Canvas
from workbench.engines.animatic.colour import mix
from workbench.engines.animatic.figures.animal import Animal
from workbench.engines.animatic.figures.body import smooth

__all__ = ["paint_markings"]


def paint_markings(canvas: Canvas, animal: Animal) -> None:
    """Paint the markings of the animal's look on its body, seen from the side."""
    at, marks = animal.at, animal.look.get("marks")
    dark = animal.ink.half(animal.points)
    if marks == "stripes":
        for u in np.linspace(-1.15, 1.05, 10):
            canvas.polygon(
                smooth(
                    [
                        at(u, 0.46),
                        at(u + 0.07, 0.44),
                        at(u + 0.12, 0.02),
                        at(u + 0.05, -0.2),
                        at(u + 0.03, 0.1),
                    ]
                ),
                dark,
            )
    elif marks in {"spots", "patches"}:
        size = 0.10 if marks == "spots" else 0.24
        places = [
            (-1.0, 0.2),
            (-0.7, -0.05),
            (-0.5, 0.3),
            (-0.2, 0.05),
            (0.1, 0.3),
            (0.3, -0.1),
            (0.55, 0.22),
            (0.85, 0.0),
            (0.95, 0.34),
        ]
        for index, (u, up) in enumerate(places if marks == "spots" else places[::3]):
            x, y = at(u, up)
            r = size * animal.deep * (0.8 + 0.4 * (index % 3) / 2)
            canvas.ellipse(x, y, r * 1.4, r, dark)
    elif marks == "saddle":
        canvas.polygon(
            smooth(
                [
                    at(0.9, 0.5),
                    at(0.5, 0.1),
                    at(-0.6, 0.12),
                    at(-1.2, 0.2),
                    at(-1.0, 0.49),
                    at(0, 0.47),
                ]
            ),
            dark,
        )
    elif marks == "wool":
        for u in np.linspace(-1.15, 1.1, 8):
            for up in (0.42, 0.1, -0.24):
                x, y = at(u + 0.1 * (up > 0.2), up)
                canvas.ellipse(
                    x,
                    y,
                    0.2 * animal.deep * 1.5,
                    0.2 * animal.deep * 1.4,
                    animal.ink.lit(mix(animal.coat, (1, 1, 1), 0.15 + 0.1 * up)),
                )
    elif marks == "spines":
        for u in np.linspace(-1.25, 0.8, 16):
            x, y = at(u, 0.34)
            canvas.polygon(((x - 0.02, y), (x - 0.09, y - 0.16), (x + 0.02, y)), dark)
