"""Animals that do not walk on four legs: birds, fish, whales, insects, snakes, crabs, jellyfish.

Each is drawn one unit tall or long, facing right; fliers and swimmers about (0, −0.5).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from workbench.engines.animatic.canvas import Canvas
from workbench.engines.animatic.colour import mix
from workbench.engines.animatic.figures.body import Ink, Pose, colour_of, joint, smooth

__all__ = [
    "paint_bird",
    "paint_crawler",
    "paint_fish",
    "paint_insect",
    "paint_jelly",
    "paint_snake",
]


def paint_bird(canvas: Canvas, pose: Pose, ink: Ink, look: Mapping[str, Any]) -> None:
    """Paint a bird: flying, gliding, walking or perched; ``look`` sets coat, beak, neck, legs."""
    coat = ink.main or colour_of(look, "coat", (0.35, 0.42, 0.55))
    belly = (
        mix(coat, (1, 1, 1), 0.5)
        if ink.main
        else colour_of(look, "belly", mix(coat, (1, 1, 1), 0.5))
    )
    flying = pose.gait in {"fly", "glide"}
    if flying:
        _flying_bird(canvas, pose, ink, look, coat, belly)
    else:
        _standing_bird(canvas, pose, ink, look, coat, belly)


def _flying_bird(
    canvas: Canvas, pose: Pose, ink: Ink, look: Mapping[str, Any], coat: Any, belly: Any
) -> None:
    beat = pose.swing() if pose.gait == "fly" else 0.25 + 0.12 * pose.swing()
    y = -0.5 + (0.05 * pose.swing(0.25) if pose.gait == "fly" else 0.0)
    span = float(look.get("span", 0.62))
    _wing(canvas, (0.06, y - 0.03), span * 0.9, beat, ink.dark(mix(coat, (0, 0, 0), 0.1)), -0.10)
    canvas.polygon(
        smooth(
            [
                (-0.28, y + 0.01),
                (-0.62, y - 0.07),
                (-0.66, y + 0.02),
                (-0.60, y + 0.09),
                (-0.26, y + 0.06),
            ]
        ),
        ink.half(coat),
    )
    canvas.polygon(
        smooth(
            [
                (0.34, y - 0.04),
                (0.16, y - 0.10),
                (-0.14, y - 0.08),
                (-0.36, y + 0.02),
                (-0.12, y + 0.10),
                (0.16, y + 0.09),
                (0.32, y + 0.03),
            ]
        ),
        ink.lit(coat),
    )
    canvas.polygon(
        smooth(
            [
                (0.28, y + 0.03),
                (0.1, y + 0.02),
                (-0.2, y + 0.05),
                (-0.1, y + 0.10),
                (0.15, y + 0.09),
            ]
        ),
        ink.lit(belly),
    )
    _bird_head(canvas, (0.36 + 0.12 * look.get("neck", 0), y - 0.05), 0.085, ink, look, coat)
    _wing(canvas, (0.04, y - 0.02), span, beat, ink.lit(mix(coat, (1, 1, 1), 0.06)), 0.02)


def _wing(
    canvas: Canvas, root: tuple[float, float], span: float, beat: float, colour: Any, lean: float
) -> None:
    x, y = root
    inner, outer = math.radians(-58 * beat - 8), math.radians(-78 * beat - 4 + 22 * abs(beat))
    elbow = (x - 0.06 + lean, y + math.sin(inner) * span * 0.5)
    tip = (elbow[0] - 0.30 * span, elbow[1] + math.sin(outer) * span * 0.72)
    trail = [
        (tip[0] - 0.10, tip[1] + 0.05),
        ((elbow[0] + x) / 2 - 0.30, (elbow[1] + y) / 2 + 0.07),
        (x - 0.24, y + 0.06),
    ]
    canvas.polygon(smooth([(x + 0.13, y), (elbow[0] + 0.10, elbow[1]), tip, *trail]), colour)


def _standing_bird(
    canvas: Canvas, pose: Pose, ink: Ink, look: Mapping[str, Any], coat: Any, belly: Any
) -> None:
    neck, leg = float(look.get("neck", 0.0)), float(look.get("leg", 0.2))
    nod = 0.02 * pose.swing(0, 2)
    hip = (-0.02, -leg - 0.14)
    stride = 26 if pose.gait in {"walk", "run"} else 0
    for k, tone in ((0.5, ink.dark), (0.0, ink.half)):
        swing = stride * pose.swing(k)
        foot = joint((hip[0], hip[1] + 0.1), leg + 0.04 - 0.02 * abs(swing) / 26, swing)
        claw = colour_of(look, "beak", (0.9, 0.6, 0.2))
        canvas.line(((hip[0], hip[1] + 0.1), foot), 0.025, tone(claw))
        canvas.line((foot, (foot[0] + 0.09, foot[1])), 0.022, tone(claw))
    if look.get("fan"):
        for a in np.linspace(200, 300, 9):
            tip = (
                hip[0] + math.cos(math.radians(a)) * 0.75,
                hip[1] + math.sin(math.radians(a)) * 0.75,
            )
            canvas.limb(hip, tip, 0.02, 0.06, ink.half((0.16, 0.5, 0.42)))
            canvas.ellipse(*tip, 0.035, 0.035, ink.lit((0.2, 0.3, 0.75)))
    x, y = hip
    canvas.polygon(
        smooth(
            [(x - 0.18, y - 0.04), (x - 0.50, y + 0.06), (x - 0.52, y + 0.12), (x - 0.16, y + 0.10)]
        ),
        ink.half(coat),
    )
    canvas.polygon(
        smooth(
            [
                (x + 0.22, y - 0.10),
                (x + 0.05, y - 0.20),
                (x - 0.20, y - 0.10),
                (x - 0.24, y + 0.06),
                (x, y + 0.16),
                (x + 0.20, y + 0.06),
            ]
        ),
        ink.lit(coat),
    )
    canvas.polygon(
        smooth(
            [(x + 0.22, y - 0.06), (x + 0.08, y - 0.02), (x - 0.02, y + 0.13), (x + 0.14, y + 0.11)]
        ),
        ink.lit(belly),
    )
    canvas.polygon(
        smooth(
            [(x + 0.08, y - 0.10), (x - 0.14, y - 0.06), (x - 0.36, y + 0.06), (x - 0.08, y + 0.06)]
        ),
        ink.half(mix(coat, (0, 0, 0), 0.15)),
    )
    head = (x + 0.20 + 0.06 * neck + nod, y - 0.26 - 0.38 * neck)
    canvas.limb((x + 0.14, y - 0.06), head, 0.10 - 0.03 * neck, 0.06, ink.lit(coat))
    _bird_head(canvas, head, 0.10, ink, look, coat)


def _bird_head(
    canvas: Canvas, at: tuple[float, float], r: float, ink: Ink, look: Mapping[str, Any], coat: Any
) -> None:
    x, y = at
    beak, long = (
        ink.lit(colour_of(look, "beak", (0.92, 0.62, 0.18))),
        float(look.get("bill", 0.9)) * r,
    )
    canvas.ellipse(x, y, r, r * 0.95, ink.lit(colour_of(look, "cap", coat)))
    canvas.polygon(
        ((x + r * 0.8, y - r * 0.3), (x + r + long, y + r * 0.15), (x + r * 0.75, y + r * 0.45)),
        beak,
    )
    if look.get("comb"):
        canvas.polygon(
            smooth(
                [
                    (x - r * 0.6, y - r * 0.7),
                    (x - r * 0.3, y - r * 1.5),
                    (x + r * 0.1, y - r * 1.1),
                    (x + r * 0.4, y - r * 1.5),
                    (x + r * 0.6, y - r * 0.6),
                ]
            ),
            ink.lit((0.8, 0.15, 0.12)),
        )
    canvas.ellipse(x + r * 0.35, y - r * 0.15, r * 0.17, r * 0.19, ink.dark((0.05, 0.05, 0.06)))
    canvas.ellipse(x + r * 0.4, y - r * 0.2, r * 0.05, r * 0.06, ink.lit((1, 1, 1)))


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
