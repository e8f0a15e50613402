"""Every figure in every gait, and every backdrop from every angle, is really painted."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final

import numpy as np
import pytest

from tests.engines.filming import film, frames
from workbench.engines.animatic.acting import acted, motion_of
from workbench.engines.animatic.backdrops import BACKDROPS
from workbench.engines.animatic.canvas import Canvas
from workbench.engines.animatic.colour import Colour
from workbench.engines.animatic.figures.body import Ink, Pose
from workbench.engines.animatic.figures.forms import FORMS
from workbench.engines.animatic.script import Actor
from workbench.engines.animatic.tables import figures, gaits
from workbench.engines.encoder import Image
from workbench.scene import Scene, terms

TALL: Final = 60


def painted(key: str, gait: str, phase: float, **actor: Any) -> Image:
    spec = acted(Actor(key, key, gait=gait, **actor))
    form = FORMS[spec["form"]]
    x0, y0, x1, y1 = spec.get("room", form.box)
    canvas = Canvas(x0, y0, x1, y1, TALL)
    motion = motion_of(spec, gait)
    look = {**spec["look"], "words": key}
    form.paint(canvas, Pose(motion.gait, phase), Ink(as_lit), look)
    return canvas.pixels


def as_lit(colour: Colour, lit: float) -> Colour:
    share = min(1.0, lit)
    return colour[0] * share, colour[1] * share, colour[2] * share


@pytest.mark.parametrize("key", sorted(figures()))
def test_a_figure_fills_its_room_and_nothing_of_it_is_lost(key: str) -> None:
    pixels = painted(key, figures()[key].get("gait", "rest"), 0.2)
    covered = pixels[..., 3] > 128
    assert covered.mean() > 0.02
    sides = covered[:, 0].sum() + covered[:, -1].sum()
    assert sides < 0.5 * covered.shape[0], "it is cut off at a side"


@pytest.mark.parametrize("key", ["dog", "horse", "elephant", "rabbit", "woman", "robot", "eagle"])
def test_a_gait_moves_the_limbs_through_its_cycle(key: str) -> None:
    table = gaits()[figures()[key]["form"]]
    for gait in table:
        poses = [painted(key, gait, phase).astype(float) for phase in (0.0, 0.3, 0.6)]
        moved = max(np.abs(a - b).mean() for a, b in pairwise(poses))
        assert moved > 0.05, f"{key} does not move when it does {gait!r}"


def test_four_legged_animals_have_silhouettes_of_their_own() -> None:
    kinds = ["dog", "cat", "horse", "wolf", "cow", "elephant", "bear", "rabbit"]
    shapes = {key: painted(key, "walk", 0.1)[..., 3] > 128 for key in kinds}
    for first in kinds:
        for second in kinds:
            if first < second:
                apart = (shapes[first] ^ shapes[second]).sum() / shapes[first].sum()
                assert apart > 0.12, f"{first} and {second} have one silhouette"


def test_a_panda_can_stand_up() -> None:
    four, two = (painted("panda", "stand", 0.0, upright=up)[..., 3] > 128 for up in (False, True))
    assert np.ptp(np.flatnonzero(two.any(0))) < 0.7 * np.ptp(np.flatnonzero(four.any(0)))


@pytest.mark.parametrize("backdrop", sorted(BACKDROPS))
def test_a_backdrop_covers_the_frame_from_every_angle(backdrop: str) -> None:
    for angle in ("eye level", "overhead", "worm's-eye view"):
        made = film(Scene(setting=backdrop, camera_angle=angle), size=(160, 96), num_frames=3)
        first, last = made.frame(0), made.frame(2)
        # What nothing covers keeps the grey it was made with: exactly one value, without texture.
        for picture in (first, last):
            bare = (picture.y == 96) & (np.repeat(np.repeat(picture.u, 2, 0), 2, 1) == 128)
            assert bare.mean() < 0.03, f"{backdrop} leaves holes seen from {angle!r}"


@pytest.mark.parametrize("size", [(64, 64), (130, 66), (1080 // 4, 1920 // 4)])
def test_any_size_and_length_is_drawn(size: tuple[int, int]) -> None:
    made = film(Scene(subject="a dog", action="running"), size=size, num_frames=1)
    assert made.frame(0).planes.shape == (size[1] * 3 // 2, size[0])


def test_frames_drawn_out_of_order_are_the_same() -> None:
    made = film(Scene(subject="a cat", weather="rain"), size=(128, 72))
    late = made.frame(9).planes.copy()
    made.frame(2)
    assert np.array_equal(late, made.frame(9).planes)


def test_every_style_can_be_drawn_at_a_size_that_does_not_halve() -> None:
    for style in terms("style"):
        assert frames(Scene(subject="a dog", style=style), 1, size=(130, 74))[0].std() > 3
