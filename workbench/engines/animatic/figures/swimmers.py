"""Swimmers: fish, sharks, whales, jellyfish, octopuses. One unit long, facing right."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from workbench.engines.animatic.canvas import Canvas
from workbench.engines.animatic.colour import mix
from workbench.engines.animatic.figures.body import Ink, Pose, colour_of, smooth

__all__ = ["paint_fish", "paint_jelly"]


def paint_fish(canvas: Canvas, pose: Pose, ink: Ink, look: Mapping[str, Any]) -> None:
    """Paint a fish, shark, dolphin or whale, its body beating from head to tail."""
    coat = ink.main or colour_of(look, "coat", (0.92, 0.52, 0.16))
    belly = colour_of(look, "belly", mix(coat, (1, 1, 1), 0.55))
    fat, flat = float(look.get("fat", 0.26)), look.get("fluke", False)
    us = np.linspace(-0.8, 0.8, 13)
    swing = 2 * math.pi * pose.phase
    sway = 0.10 * ((0.8 - us) / 1.6) ** 2 * np.sin(swing + us * 2.4)
    spine = -0.5 + (sway if flat else sway * 0.55)
    half = (
        fat * np.sqrt(np.clip(1 - ((us - 0.18) / np.where(us > 0.18, 0.64, 1.04)) ** 2, 0.0, 1))
        + 0.012
    )
    top, low = np.stack([us, spine - half], 1), np.stack([us, spine + half * 0.92], 1)
    tail_y, kick = spine[0], 0.14 * math.sin(swing - 1.6)
    tone = ink.half(mix(coat, (0, 0, 0), 0.12))
    if flat:
        canvas.polygon(
            smooth(
                [
                    (-0.74, tail_y),
                    (-1.06, tail_y - 0.09 + kick),
                    (-1.02, tail_y + kick),
                    (-1.06, tail_y + 0.07 + kick),
                ]
            ),
            tone,
        )
    else:
        wide = 1 - 0.35 * abs(math.sin(swing))
        canvas.polygon(
            smooth(
                [
                    (-0.72, tail_y),
                    (-0.72 - 0.34 * wide, tail_y - 0.28),
                    (-0.72 - 0.2 * wide, tail_y),
                    (-0.72 - 0.34 * wide, tail_y + 0.26),
                ]
            ),
            tone,
        )
    fin = float(look.get("fin", 0.2))
    canvas.polygon(
        smooth(
            [
                (0.22, spine[8] - fat * 0.9),
                (-0.08, spine[6] - fat - fin),
                (-0.2, spine[5] - fat - fin * 0.8),
                (-0.22, spine[5] - fat * 0.8),
            ]
        ),
        tone,
    )
    canvas.polygon(np.concatenate([top, low[::-1]]), ink.lit(coat))
    under = np.stack([us, spine + half * 0.25], 1)
    canvas.polygon(np.concatenate([under, low[::-1]]), ink.half(belly))
    if look.get("marks") == "bands":
        for u in (4, 7, 10):
            canvas.polygon(
                np.concatenate([top[u : u + 2], low[u : u + 2][::-1]]), ink.lit((0.96, 0.95, 0.92))
            )
    paddle = 0.1 * math.sin(swing + 0.8)
    canvas.polygon(
        smooth(
            [
                (0.30, spine[9] + fat * 0.3),
                (0.02, spine[7] + fat * 0.95 + paddle),
                (-0.06, spine[6] + fat * 0.8 + paddle),
                (0.16, spine[8] + fat * 0.3),
            ]
        ),
        tone,
    )
    canvas.ellipse(0.60, spine[11] - fat * 0.18, 0.035, 0.035, ink.lit((0.97, 0.97, 0.95)))
    canvas.ellipse(0.61, spine[11] - fat * 0.18, 0.02, 0.022, ink.dark((0.04, 0.04, 0.05)))
    canvas.line(
        smooth(
            [
                (0.79, spine[12] + fat * 0.18),
                (0.68, spine[12] + fat * 0.26),
                (0.58, spine[11] + fat * 0.24),
            ],
            closed=False,
        ),
        0.012,
        ink.dark(coat),
    )


def paint_jelly(canvas: Canvas, pose: Pose, ink: Ink, look: Mapping[str, Any]) -> None:
    """Paint a jellyfish or octopus, pulsing, arms trailing."""
    coat = ink.main or colour_of(look, "coat", (0.72, 0.52, 0.86))
    pulse = pose.swing()
    wide, tall = 0.36 + 0.05 * pulse, 0.32 - 0.05 * pulse
    y = -0.66 + 0.04 * pose.swing(0.25)
    arms = int(look.get("arms", 7))
    for k in range(arms):
        x = (k / (arms - 1) - 0.5) * 1.6 * wide
        ts = np.linspace(0, 1, 9)
        line = np.stack(
            [
                x * (1 + 0.25 * ts) + 0.06 * np.sin(2 * math.pi * (pose.phase - ts) + k) * ts,
                y + 0.06 + ts * (0.52 + 0.06 * (k % 2)),
            ],
            1,
        )
        for index in range(8):
            r = float(look.get("thick", 0.022)) * (1 - 0.8 * index / 8)
            canvas.limb(
                line[index], line[index + 1], r, r * 0.9, ink.half(coat) if k % 2 else ink.lit(coat)
            )
    canvas.polygon(
        smooth(
            [
                (-wide, y + 0.08),
                (-wide * 0.92, y - tall * 0.5),
                (0, y - tall),
                (wide * 0.92, y - tall * 0.5),
                (wide, y + 0.08),
                (wide * 0.4, y + 0.03),
                (0, y + 0.08),
                (-wide * 0.4, y + 0.03),
            ]
        ),
        ink.lit(coat),
    )
    canvas.polygon(
        smooth(
            [
                (-wide * 0.6, y - 0.02),
                (-wide * 0.5, y - tall * 0.6),
                (0, y - tall * 0.85),
                (wide * 0.2, y - tall * 0.55),
                (-wide * 0.2, y - tall * 0.3),
            ]
        ),
        ink.glow(mix(coat, (1, 1, 1), 0.4)),
    )
    if look.get("eyes"):
        for x in (0.06, 0.22):
            canvas.ellipse(x, y - 0.02, 0.05, 0.06, ink.lit((0.98, 0.97, 0.92)))
            canvas.ellipse(x + 0.015, y - 0.01, 0.024, 0.03, ink.dark((0.05, 0.05, 0.06)))
