"""A person's face, from the front and from the side: eyes, brows, mouth and their stated looks.

``look`` may set ``mouth`` (smile, laugh, frown, open), ``brows`` (angry), ``eyes`` (closed),
``tears``, ``glasses`` (clear, dark), ``moustache``, ``freckles``, ``wrinkles``, ``lips``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from workbench.engines.animatic.canvas import Canvas
from workbench.engines.animatic.colour import Colour, mix
from workbench.engines.animatic.figures.body import Ink, Pose, smooth

__all__ = ["paint_face", "paint_profile", "paint_scarf"]

_TEAR: Final[Colour] = (0.72, 0.88, 1.0)
_EYE: Final = 0.34
"""Distance of an eye from the middle of the face, in half widths of the face."""


def paint_face(
    canvas: Canvas,
    at: tuple[float, float],
    r: float,
    pose: Pose,
    ink: Ink,
    clothes: Mapping[str, Colour],
    look: Mapping[str, Any],
) -> None:
    """Paint the features of a face seen from the front."""
    x, y = at
    skin, hair = clothes["skin"], clothes["hair"]
    dark, shade = ink.dark((0.1, 0.08, 0.08)), ink.half(mix(skin, (0.55, 0.28, 0.22), 0.35))
    for side in (-1, 1):
        canvas.ellipse(x + side * r * 0.86, y + r * 0.06, r * 0.12, r * 0.2, ink.half(skin))
    _cheeks(canvas, x, y, r, ink, skin, look)
    blinks = look.get("eyes") == "closed" or 0.92 < pose.phase < 0.97
    for side in (-1, 1):
        eye = (x + side * _EYE * r, y - r * 0.04)
        if blinks:
            lid = [(eye[0] - r * 0.15, eye[1]), (eye[0], eye[1] + r * 0.06)]
            canvas.line(smooth([*lid, (eye[0] + r * 0.15, eye[1])], closed=False), r * 0.05, dark)
        else:
            canvas.ellipse(*eye, r * 0.16, r * 0.105, ink.lit((0.97, 0.96, 0.95)))
            canvas.ellipse(*eye, r * 0.085, r * 0.1, ink.half((0.30, 0.22, 0.16)))
            canvas.ellipse(*eye, r * 0.045, r * 0.055, dark)
            canvas.ellipse(eye[0] - r * 0.03, eye[1] - r * 0.035, r * 0.02, r * 0.02,
                           ink.lit((1, 1, 1)))  # fmt: skip
            canvas.line(
                smooth(
                    [
                        (eye[0] - r * 0.17, eye[1] - r * 0.04),
                        (eye[0], eye[1] - r * 0.125),
                        (eye[0] + r * 0.17, eye[1] - r * 0.04),
                    ],
                    closed=False,
                ),
                r * 0.045,
                dark,
            )
        _brow(canvas, eye, side, r, ink.half(mix(hair, (0, 0, 0), 0.25)), look)
    nose = [
        (x - r * 0.05, y + r * 0.02),
        (x - r * 0.12, y + r * 0.28),
        (x + r * 0.04, y + r * 0.31),
    ]
    canvas.line(smooth(nose, closed=False), r * 0.05, shade)
    if look.get("moustache"):
        canvas.ellipse(x - r * 0.15, y + r * 0.4, r * 0.18, r * 0.06, ink.half(hair), angle=-12)
        canvas.ellipse(x + r * 0.15, y + r * 0.4, r * 0.18, r * 0.06, ink.half(hair), angle=12)
    _mouth(canvas, x, y + r * 0.53, r, ink, dark, look)
    if look.get("tears"):
        for side, later in ((-1, 0.0), (1, 0.45)):
            _tears(canvas, x + side * _EYE * 1.04 * r, y + r * 0.08, r, pose, ink, later)
    if look.get("glasses"):
        _glasses(canvas, x, y - r * 0.04, r, ink, str(look["glasses"]))


def paint_profile(
    canvas: Canvas, at: tuple[float, float], r: float, pose: Pose, ink: Ink, look: Mapping[str, Any]
) -> None:
    """Paint the stated looks of a face on a head seen from the side, facing right."""
    x, y = at
    if look.get("tears"):
        _tears(canvas, x + r * 0.56, y + r * 0.12, r, pose, ink, 0.0)
    if look.get("moustache"):
        canvas.ellipse(x + r * 0.66, y + r * 0.42, r * 0.16, r * 0.06, ink.half((0.2, 0.14, 0.1)))
    if look.get("mouth") in {"open", "laugh"}:
        canvas.ellipse(x + r * 0.62, y + r * 0.52, r * 0.12, r * 0.1, ink.dark((0.3, 0.08, 0.08)))
    if glasses := look.get("glasses"):
        frame = ink.dark((0.08, 0.08, 0.09))
        canvas.line(((x - r * 0.3, y - r * 0.06), (x + r * 0.5, y)), r * 0.05, frame)
        fill = frame if glasses == "dark" else ink.lit((0.82, 0.9, 0.95))
        canvas.ellipse(x + r * 0.62, y + r * 0.02, r * 0.15, r * 0.17, frame)
        canvas.ellipse(x + r * 0.62, y + r * 0.02, r * 0.11, r * 0.13, fill, opacity=0.8)


def paint_scarf(
    canvas: Canvas, neck: tuple[float, float], ink: Ink, colour: Colour, pose: Pose
) -> None:
    """Paint a scarf around ``neck``, its end swaying."""
    x, y = neck
    canvas.limb((x - 0.05, y), (x + 0.05, y), 0.034, 0.034, ink.lit(colour))
    end = (x + 0.05 + 0.012 * pose.swing(), y + 0.17)
    canvas.limb((x + 0.035, y + 0.02), end, 0.026, 0.03, ink.half(colour))


def _cheeks(
    canvas: Canvas, x: float, y: float, r: float, ink: Ink, skin: Colour, look: Mapping[str, Any]
) -> None:
    rosy = ink.lit(mix(skin, (0.92, 0.42, 0.38), 0.3))
    shade = ink.half(mix(skin, (0.4, 0.22, 0.16), 0.35))
    for side in (-1, 1):
        canvas.ellipse(x + side * r * 0.48, y + r * 0.3, r * 0.17, r * 0.12, rosy, opacity=0.55)
        if look.get("freckles"):
            for dx, dy in ((0.3, 0.2), (0.42, 0.26), (0.36, 0.34), (0.52, 0.22)):
                canvas.dot(x + side * dx * r, y + dy * r, r * 0.022, shade)
        if look.get("wrinkles"):
            for dy in (-0.02, 0.06):
                start = (x + side * r * 0.55, y + dy * r)
                canvas.line((start, (start[0] + side * r * 0.14, y + (dy + 0.05) * r)),
                            r * 0.02, shade)  # fmt: skip
            fold = [(x + side * r * 0.2, y + r * 0.3), (x + side * r * 0.36, y + r * 0.56)]
            canvas.line(fold, r * 0.025, shade)
    if look.get("wrinkles"):
        for dy in (-0.52, -0.43):
            canvas.line(
                ((x - r * 0.28, y + dy * r), (x + r * 0.28, y + (dy + 0.01) * r)), r * 0.02, shade
            )


def _brow(
    canvas: Canvas, eye: tuple[float, float], side: int, r: float, colour: Colour,
    look: Mapping[str, Any],
) -> None:  # fmt: skip
    x, y = eye[0], eye[1] - r * 0.2
    inner = {"angry": 0.09}.get(str(look.get("brows")), -0.07 if look.get("tears") else 0.0)
    line = [(x - side * r * 0.17, y + inner * r), (x, y - r * 0.05)]
    canvas.line(smooth([*line, (x + side * r * 0.18, y)], closed=False), r * 0.055, colour)


def _mouth(
    canvas: Canvas, x: float, y: float, r: float, ink: Ink, dark: Colour, look: Mapping[str, Any]
) -> None:
    kind = str(look.get("mouth", "frown" if look.get("tears") else ""))
    lip = ink.half((0.72, 0.26, 0.26)) if look.get("lips") else ink.half((0.62, 0.30, 0.26))
    if kind in {"laugh", "open"}:
        tall = 0.13 if kind == "laugh" else 0.17
        wide = 0.27 if kind == "laugh" else 0.15
        canvas.ellipse(x, y + r * 0.03, r * wide, r * tall, ink.dark((0.32, 0.08, 0.08)))
        if kind == "laugh":
            canvas.rectangle(x - r * 0.2, y - r * 0.08, x + r * 0.2, y - r * 0.02,
                             ink.lit((0.98, 0.97, 0.95)))  # fmt: skip
        return
    bend = {"smile": 0.09, "frown": -0.07}.get(kind, 0.03)
    line = [
        (x - r * 0.26, y - bend * r * 0.5),
        (x, y + bend * r),
        (x + r * 0.26, y - bend * r * 0.5),
    ]
    canvas.line(smooth(line, closed=False), r * (0.1 if look.get("lips") else 0.07), lip)
    del dark


def _tears(
    canvas: Canvas, x: float, y: float, r: float, pose: Pose, ink: Ink, later: float
) -> None:
    """Paint a wet trail down the cheek, and a drop running along it."""
    wet = ink.lit(_TEAR)
    canvas.line(((x, y), (x + r * 0.02, y + r * 0.52)), r * 0.035, wet, 0.55)
    fallen = y + r * (0.06 + 0.5 * ((pose.phase + later) % 1.0))
    canvas.ellipse(x + r * 0.01, fallen, r * 0.05, r * 0.075, wet)
    canvas.ellipse(x - r * 0.008, fallen - r * 0.02, r * 0.015, r * 0.02, ink.lit((1, 1, 1)))


def _glasses(canvas: Canvas, x: float, y: float, r: float, ink: Ink, kind: str) -> None:
    frame = ink.dark((0.08, 0.08, 0.09))
    for side in (-1, 1):
        at = (x + side * 0.36 * r, y + r * 0.02)
        if kind == "dark":
            canvas.ellipse(*at, r * 0.28, r * 0.22, frame)
            shine = ((at[0] - r * 0.12, at[1] - r * 0.1), (at[0], at[1] - r * 0.14))
            canvas.line(shine, r * 0.03, ink.lit((0.8, 0.85, 0.9)), 0.7)
        else:
            ring = [(at[0] + r * 0.25 * c, at[1] + r * 0.21 * s) for c, s in _RING]
            canvas.line(ring, r * 0.045, frame)
        canvas.line(((at[0] + side * r * 0.25, y), (x + side * r * 0.84, y - r * 0.04)),
                    r * 0.04, frame)  # fmt: skip
    canvas.line(((x - r * 0.1, y), (x + r * 0.1, y)), r * 0.045, frame)


_RING: Final = (
    (1.0, 0.0), (0.87, 0.5), (0.5, 0.87), (0.0, 1.0), (-0.5, 0.87), (-0.87, 0.5), (-1.0, 0.0),
    (-0.87, -0.5), (-0.5, -0.87), (0.0, -1.0), (0.5, -0.87), (0.87, -0.5), (1.0, 0.0),
)  # fmt: skip
