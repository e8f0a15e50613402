"""Foreground fixed to the camera: a shoulder, the viewer's hands, a steering wheel."""

from __future__ import annotations

import math

from workbench.engines.animatic.camera import presets
from workbench.engines.animatic.canvas import Canvas, ellipse_points
from workbench.engines.animatic.colour import Colour, mix, scale
from workbench.engines.animatic.compositing import lay
from workbench.engines.animatic.figures.body import smooth
from workbench.engines.animatic.planes import Picture, Sprite, sprite_of
from workbench.engines.animatic.world import World

__all__ = ["Foreground", "foreground"]


class Foreground:
    """A sprite fixed to the camera, swaying a little with it."""

    def __init__(self, sprite: Sprite, sway: float) -> None:
        self._sprite, self._sway = sprite, sway

    def draw(self, picture: Picture, t: float) -> None:
        """Composite it over ``picture`` at ``t`` seconds of film."""
        x = self._sway * math.sin(2.1 * t) * picture.height
        y = self._sway * abs(math.sin(3.1 * t)) * picture.height
        lay(picture, self._sprite, scale=1.0, x=x - 0.03 * picture.height, y=y)


def foreground(world: World) -> Foreground | None:
    """Return the foreground of the script's camera angle, if any."""
    angle = presets()["camera_angle"].get(world.script.camera_angle, {})
    kind = world.script.frame or angle.get("frame", "")
    if world.script.backdrop == "road ahead" and kind in {"", "hands"}:
        kind = "wheel" if kind or not world.script.actors else ""
    makers = {
        "shoulder": _shoulder,
        "hands": _hands,
        "robot hands": _robot_hands,
        "wheel": _wheel,
        "hood": _hood,
        "cockpit": _cockpit,
        "gripper": _gripper,
    }
    return makers[kind](world) if kind in makers else None


def _seen(world: World, colour: Colour, lit: float) -> Colour:
    """Return ``colour`` lit enough for hands to be visible at night."""
    near = world.air.sheer(scale(colour, 0.35 + 0.4 * lit))
    return mix(world.tone(colour, lit=lit), near, 0.6 * world.air.darkness)


def _canvas(world: World) -> Canvas:
    return Canvas(0.0, 0.0, world.view.aspect + 0.06, 1.0, world.frame_px)


def _shoulder(world: World) -> Foreground:
    canvas = _canvas(world)
    coat, hair = world.tone((0.16, 0.17, 0.22), lit=0.35), world.tone((0.14, 0.10, 0.08), lit=0.35)
    skin = world.tone((0.66, 0.46, 0.36), lit=0.4)
    canvas.polygon(
        smooth([(-0.1, 0.62), (0.16, 0.66), (0.40, 0.78), (0.56, 1.1), (-0.1, 1.1)]), coat
    )
    canvas.limb((0.10, 0.72), (0.10, 0.5), 0.085, 0.08, skin)
    canvas.ellipse(0.11, 0.36, 0.165, 0.21, hair)
    canvas.ellipse(0.265, 0.41, 0.022, 0.05, skin)
    canvas.blur(0.010)
    return Foreground(sprite_of(canvas.pixels), 0.006)


def _wheel(world: World) -> Foreground:
    """Paint a dashboard and a steering wheel held by two hands: the driver's own view."""
    canvas = _canvas(world)
    middle, right = world.view.aspect / 2 + 0.03, world.view.aspect + 0.06
    board, edge = world.tone((0.13, 0.14, 0.17), lit=0.6), world.tone((0.26, 0.28, 0.32), lit=0.8)
    rim, skin = world.tone((0.08, 0.08, 0.10), lit=0.7), world.tone((0.80, 0.58, 0.46), lit=0.9)
    sleeve = world.tone((0.24, 0.32, 0.44), lit=0.7)
    top = [(0.0, 0.90), (middle - 0.5, 0.845), (middle + 0.5, 0.845), (right, 0.90)]
    canvas.polygon(smooth([*top, (right, 1.2), (0.0, 1.2)], count=8), board)
    canvas.line(smooth(top, closed=False), 0.008, edge)
    centre = (middle, 1.08)
    around = ellipse_points(*centre, 0.30, 0.26, count=48)
    canvas.line([*around, around[0]], 0.036, rim)
    canvas.ellipse(*centre, 0.085, 0.07, rim)
    for s in (-1, 1):
        canvas.limb(centre, (middle + s * 0.29, 1.04), 0.03, 0.022, rim)
        grip = (middle + s * 0.262, 0.955)
        canvas.limb((middle + s * 0.58, 1.2), (grip[0] + s * 0.06, 1.0), 0.1, 0.06, sleeve)
        canvas.limb((grip[0] + s * 0.05, grip[1] + 0.035), grip, 0.048, 0.045, skin)
        for k in range(4):
            knuckle = (grip[0] - s * 0.012 * k, grip[1] - 0.03 + 0.014 * k)
            canvas.limb(grip, knuckle, 0.02, 0.017, skin)
    canvas.blur(0.002)
    return Foreground(sprite_of(canvas.pixels), 0.003)


def _hood(world: World) -> Foreground:
    """Paint the edge of a dashboard and the bonnet before it: what a dashcam always sees."""
    canvas = _canvas(world)
    middle, right = world.view.aspect / 2 + 0.03, world.view.aspect + 0.06
    paint, shine = world.tone((0.20, 0.23, 0.28), lit=0.7), world.tone((0.46, 0.50, 0.56), lit=0.9)
    low = world.tone((0.07, 0.07, 0.08), lit=0.5)
    edge = [(0.0, 0.945), (middle - 0.42, 0.872), (middle + 0.42, 0.872), (right, 0.945)]
    canvas.polygon(smooth([*edge, (right, 1.2), (0.0, 1.2)], count=8), paint)
    canvas.line(smooth(edge, closed=False), 0.006, shine)
    for x in (-0.2, 0.2):
        canvas.line(((middle + x * 0.9, 0.88), (middle + x * 1.6, 0.97)), 0.004, shine, 0.6)
    canvas.polygon(((0.0, 0.975), (right, 0.975), (right, 1.1), (0.0, 1.1)), low)
    return Foreground(sprite_of(canvas.pixels), 0.002)


def _cockpit(world: World) -> Foreground:
    """Paint a cockpit: window posts and an instrument panel with its lights."""
    canvas = _canvas(world)
    middle, right = world.view.aspect / 2 + 0.03, world.view.aspect + 0.06
    post, panel = world.tone((0.16, 0.17, 0.20), lit=0.6), world.tone((0.10, 0.11, 0.13), lit=0.6)
    canvas.polygon(((0.0, 0.0), (0.09, 0.0), (0.2, 0.8), (0.0, 0.9)), post)
    canvas.polygon(((right, 0.0), (right - 0.09, 0.0), (right - 0.2, 0.8), (right, 0.9)), post)
    canvas.polygon(
        ((middle - 0.02, 0.0), (middle + 0.02, 0.0), (middle + 0.03, 0.8), (middle - 0.03, 0.8)),
        post,
    )
    top = [(0.0, 0.86), (middle - 0.5, 0.76), (middle + 0.5, 0.76), (right, 0.86)]
    canvas.polygon(smooth([*top, (right, 1.2), (0.0, 1.2)], count=8), panel)
    for number, x in enumerate((-0.42, -0.25, -0.08, 0.09, 0.26, 0.43)):
        at = (middle + x, 0.885)
        canvas.ellipse(*at, 0.066, 0.066, world.tone((0.04, 0.05, 0.06)))
        canvas.ellipse(*at, 0.056, 0.056, world.air.sheer((0.10, 0.20, 0.24)))
        turn = 0.8 * number
        tip = (at[0] + 0.045 * math.cos(turn), at[1] + 0.045 * math.sin(turn))
        canvas.line((at, tip), 0.008, world.air.sheer((0.55, 0.95, 0.75)))
    return Foreground(sprite_of(canvas.pixels), 0.003)


def _gripper(world: World) -> Foreground:
    """Paint the two fingers of a robot's gripper, as the camera on its wrist sees them."""
    canvas = _canvas(world)
    middle = world.view.aspect / 2 + 0.03
    steel, dark = world.tone((0.62, 0.65, 0.70), lit=0.85), world.tone((0.20, 0.21, 0.24), lit=0.6)
    pad = world.tone((0.12, 0.12, 0.13), lit=0.5)
    for s in (-1, 1):
        outer, inner = middle + s * 0.44, middle + s * 0.27
        canvas.polygon(
            ((outer, 1.05), (inner, 1.05), (middle + s * 0.17, 0.66), (middle + s * 0.27, 0.62)),
            steel,
        )
        canvas.polygon(
            (
                (inner, 1.05),
                (middle + s * 0.22, 1.05),
                (middle + s * 0.145, 0.67),
                (middle + s * 0.17, 0.66),
            ),
            dark,
        )
        canvas.limb((middle + s * 0.165, 0.68), (middle + s * 0.19, 0.80), 0.022, 0.022, pad)
    canvas.blur(0.003)
    return Foreground(sprite_of(canvas.pixels), 0.002)


def _hands(world: World) -> Foreground:
    return _two_hands(world, (0.24, 0.32, 0.44), (0.80, 0.58, 0.46))


def _robot_hands(world: World) -> Foreground:
    """Paint two hands of steel with dark wrists: what a humanoid robot sees of itself."""
    return _two_hands(world, (0.16, 0.17, 0.20), (0.74, 0.77, 0.82))


def _two_hands(world: World, cuff: Colour, hand: Colour) -> Foreground:
    canvas = _canvas(world)
    middle = world.view.aspect / 2 + 0.03
    sleeve, skin = _seen(world, cuff, 0.7), _seen(world, hand, 0.9)
    shade = _seen(world, hand, 0.55)
    for s in (-1, 1):
        wrist = (middle + s * 0.36, 0.93)
        canvas.limb((middle + s * 0.62, 1.2), wrist, 0.12, 0.066, sleeve)
        palm = (middle + s * 0.29, 0.86)
        canvas.limb(wrist, palm, 0.05, 0.055, skin)
        for k, (dx, dy) in enumerate(
            ((-0.115, -0.035), (-0.10, -0.075), (-0.07, -0.105), (-0.03, -0.115))
        ):
            canvas.limb(
                palm, (palm[0] + s * dx, palm[1] + dy), 0.022, 0.015, skin if k % 2 else shade
            )
        canvas.limb(palm, (palm[0] + s * -0.07, palm[1] + 0.045), 0.024, 0.016, skin)
    canvas.blur(0.003)
    return Foreground(sprite_of(canvas.pixels), 0.012)
