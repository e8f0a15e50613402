"""Small creatures: butterflies, bees, spiders, ants, crabs, snakes. About one unit, facing right."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from workbench.engines.animatic.canvas import Canvas
from workbench.engines.animatic.colour import mix
from workbench.engines.animatic.figures.body import Ink, Pose, colour_of, smooth

__all__ = ["paint_crawler", "paint_insect", "paint_snake"]


def paint_insect(canvas: Canvas, pose: Pose, ink: Ink, look: Mapping[str, Any]) -> None:
    """Paint a butterfly, bee or dragonfly: wings beating over a jointed body."""
    coat = colour_of(look, "coat", (0.16, 0.13, 0.12))
    wing = ink.main or colour_of(look, "wing", (0.92, 0.52, 0.16))
    beat = abs(pose.swing()) if pose.gait == "fly" else 0.8 + 0.12 * pose.swing()
    y = -0.45 + (0.05 * pose.swing(0.1) if pose.gait == "fly" else 0)
    kind = look.get("kind", "butterfly")
    if kind == "butterfly":
        for share, tone in ((0.72, ink.dark), (1.0, ink.lit)):
            h = (0.18 + 0.82 * beat) * share
            upper = smooth(
                [
                    (0.05, y),
                    (0.10, y - 0.34 * h),
                    (-0.10, y - 0.62 * h),
                    (-0.42, y - 0.60 * h),
                    (-0.44, y - 0.26 * h),
                    (-0.10, y),
                ]
            )
            lower = smooth(
                [
                    (0.0, y),
                    (-0.34, y - 0.22 * h),
                    (-0.52, y - 0.02 * h),
                    (-0.40, y + 0.22 * h),
                    (-0.10, y + 0.12 * h),
                ]
            )
            canvas.polygon(lower, tone(mix(wing, (0, 0, 0), 0.15)))
            canvas.polygon(upper, tone(wing))
            for dx, dy, r in ((-0.3, -0.48, 0.05), (-0.2, -0.36, 0.04), (-0.38, 0.06, 0.05)):
                canvas.ellipse(dx, y + dy * h, r, r * h, tone(mix(wing, (1, 1, 1), 0.55)))
    else:
        long = 0.62 if kind == "dragonfly" else 0.4
        pale = ink.lit((0.86, 0.93, 0.97))
        for lean in (-0.28, 0.0) if kind == "dragonfly" else (-0.05, -0.18):
            for side in (-1, 1):
                tip = (lean - 0.12, y - long * (0.25 + 0.75 * beat) * (1 if side < 0 else 0.55))
                canvas.polygon(
                    smooth(
                        [
                            (0.02, y - 0.04),
                            (tip[0] + 0.12, tip[1] + 0.06),
                            tip,
                            (tip[0] - 0.16, tip[1] + 0.16),
                        ]
                    ),
                    pale,
                    0.55,
                )
    thick = float(look.get("thick", 0.05))
    body = ink.main if kind != "butterfly" and ink.main else coat
    end = (-float(look.get("abdomen", 0.34)), y + 0.05)
    canvas.limb((0.0, y), end, thick, thick * 0.6, ink.lit(body))
    if look.get("marks") == "bands":
        for u in (0.3, 0.55, 0.8):
            x = end[0] * u
            canvas.line(
                ((x, y + 0.05 * u - thick * 0.8), (x, y + 0.05 * u + thick * 0.8)),
                0.045,
                ink.dark((0.1, 0.08, 0.06)),
            )
    canvas.ellipse(0.06, y, thick * 1.3, thick * 1.2, ink.half(mix(body, (0, 0, 0), 0.4)))
    canvas.ellipse(0.15, y - 0.01, thick * 0.9, thick * 0.85, ink.dark(body))
    for dy in (-0.12, -0.05):
        canvas.line(
            smooth([(0.17, y - 0.03), (0.26, y + dy - 0.04), (0.34, y + dy - 0.1)], closed=False),
            0.012,
            ink.dark(coat),
        )


def paint_crawler(canvas: Canvas, pose: Pose, ink: Ink, look: Mapping[str, Any]) -> None:
    """Paint a spider, crab, ant or beetle: a round body between stepping legs."""
    coat = ink.main or colour_of(look, "coat", (0.32, 0.22, 0.18))
    legs, wide = int(look.get("legs", 4)), float(look.get("wide", 0.34))
    y = -0.34
    for near in (False, True):
        tone = ink.half if near else ink.dark
        for k in range(legs):
            u = (k + 0.5) / legs - 0.5
            lift = 0.09 * max(0.0, pose.swing(0.5 * (k % 2) + (0.25 if near else 0)))
            reach = u * 2.3 + 0.07 * pose.swing(0.5 * (k % 2) + 0.25 + (0.25 if near else 0))
            knee = (u * 1.5, y - 0.30 + 0.05 * abs(u))
            canvas.line(
                (((u * wide * 1.6), y), knee, (reach, -lift)), 0.035 if near else 0.03, tone(coat)
            )
    for x, r in {
        "ant": ((-0.36, 0.2), (0.0, 0.12), (0.26, 0.14)),
        "spider": ((-0.2, 0.26), (0.16, 0.15)),
    }.get(look.get("kind", ""), ((0.0, wide),)):
        canvas.ellipse(x, y, r, r * float(look.get("flat", 0.8)), ink.lit(coat))
        canvas.ellipse(
            x - r * 0.1, y + r * 0.25, r * 0.8, r * 0.42, ink.half(mix(coat, (0, 0, 0), 0.2))
        )
    if look.get("kind") == "beetle":
        canvas.line(((-wide, y), (wide * 0.6, y - 0.02)), 0.02, ink.dark((0.05, 0.05, 0.05)))
        for dx, dy in ((-0.16, -0.1), (0.05, -0.14), (-0.05, 0.06), (0.18, 0.02)):
            canvas.ellipse(dx, y + dy, 0.045, 0.045, ink.dark((0.05, 0.05, 0.05)))
        canvas.ellipse(wide * 0.95, y + 0.03, 0.1, 0.1, ink.dark((0.05, 0.05, 0.05)))
    if look.get("claws"):
        snap = 0.05 * pose.swing()
        for s in (-1, 1):
            canvas.line(((s * wide * 0.8, y), (s * 0.62, y - 0.16)), 0.06, ink.lit(coat))
            canvas.polygon(
                smooth(
                    [
                        (s * 0.60, y - 0.14),
                        (s * 0.56, y - 0.4 - snap),
                        (s * 0.72, y - 0.34),
                        (s * 0.8, y - 0.42 + snap),
                        (s * 0.78, y - 0.16),
                    ]
                ),
                ink.lit(coat),
            )
        for dx in (-0.1, 0.1):
            canvas.line(((dx, y - 0.2), (dx, y - 0.36)), 0.025, ink.half(coat))
            canvas.ellipse(dx, y - 0.38, 0.04, 0.04, ink.dark((0.05, 0.05, 0.05)))
    elif look.get("kind") in {"ant", "spider"}:
        canvas.ellipse(0.34, y - 0.05, 0.03, 0.03, ink.lit((0.9, 0.9, 0.85)))


def paint_snake(canvas: Canvas, pose: Pose, ink: Ink, look: Mapping[str, Any]) -> None:
    """Paint a snake, worm or lizard winding along."""
    coat = ink.main or colour_of(look, "coat", (0.36, 0.50, 0.22))
    thick = float(look.get("thick", 0.09))
    us = np.linspace(-1.1, 0.85, 26)
    line = np.stack(
        [us, -0.16 - 0.10 * np.sin(5.2 * us + 2 * math.pi * pose.phase) * np.linspace(1, 0.6, 26)],
        1,
    )
    if look.get("feet"):
        for k, u in enumerate((6, 17)):
            for s in (0.0, 0.5):
                foot = (line[u][0] + 0.12 * pose.swing(s + 0.5 * k), 0.0)
                canvas.line((line[u], (foot[0] - 0.06, -0.1), foot), 0.05, ink.half(coat))
    for index in range(25):
        r = thick * min(1.0, 0.22 + index / 12) * float(np.interp(index, (0, 18, 25), (1, 1, 0.8)))
        tone = (
            ink.half(mix(coat, (0, 0, 0), 0.35))
            if index % 5 == 2 and look.get("marks")
            else ink.lit(coat)
        )
        canvas.limb(line[index], line[index + 1] if index < 24 else line[25], r, r, tone)
    x, y = line[-1]
    canvas.ellipse(x + 0.06, y - 0.02, thick * 1.45, thick * 1.05, ink.lit(coat))
    canvas.ellipse(x + 0.10, y - 0.05, 0.024, 0.026, ink.dark((0.05, 0.05, 0.05)))
    if not look.get("feet") and pose.swing() > 0.3:
        canvas.line(((x + 0.17, y), (x + 0.27, y + 0.01)), 0.012, ink.lit((0.8, 0.15, 0.2)))
