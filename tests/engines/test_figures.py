"""Every figure in every gait and every backdrop from every angle is painted."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final

import numpy as np
import pytest

from tests.engines.filming import expansion, film, frames
from workbench.engines.animatic.acting import acted, motion_of
from workbench.engines.animatic.backdrops import BACKDROPS
from workbench.engines.animatic.canvas import Canvas
from workbench.engines.animatic.colour import Colour
from workbench.engines.animatic.figures.arm import held_at
from workbench.engines.animatic.figures.body import Ink, Pose
from workbench.engines.animatic.figures.forms import FORMS
from workbench.engines.animatic.script import Actor
from workbench.engines.animatic.tables import figures, gaits
from workbench.engines.pixels import Image
from workbench.scene import Scene, terms

TALL: Final = 60


def painted(key: str, gait: str, phase: float, front: str = "side", **actor: Any) -> Image:
    spec = acted(Actor(key, key, gait=gait, **actor))
    form = FORMS[spec["form"]]
    x0, y0, x1, y1 = spec.get("room", form.box)
    canvas = Canvas(x0, y0, x1, y1, TALL)
    motion = motion_of(spec, gait)
    look = {**spec["look"], "words": key}
    form.paint(canvas, Pose(motion.gait, phase, front), Ink(as_lit), look)
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


def test_four_legged_animals_have_distinct_silhouettes() -> None:
    kinds = ["dog", "cat", "horse", "wolf", "cow", "elephant", "bear", "rabbit"]
    shapes = {key: painted(key, "walk", 0.1)[..., 3] > 128 for key in kinds}
    for first in kinds:
        for second in kinds:
            if first < second:
                apart = (shapes[first] ^ shapes[second]).sum() / shapes[first].sum()
                assert apart > 0.12, f"{first} and {second} have one silhouette"


ENDED: Final = ("dog", "cat", "horse", "elephant", "lion", "cow", "car", "van", "bus", "truck")
ENDED_TOO: Final = ("bicycle", "motorcycle", "train", "tractor", "boat", "ship", "galleon", "canoe")


@pytest.mark.parametrize("key", [*ENDED, *ENDED_TOO])
def test_from_the_front_and_from_behind_a_body_is_narrow_and_the_two_differ(key: str) -> None:
    gait = figures()[key].get("gait", "walk")
    side, front, rear = (painted(key, gait, 0.0, face) for face in ("side", "front", "rear"))
    wide, narrow = (np.ptp(np.flatnonzero((p[..., 3] > 128).any(0))) for p in (side, front))
    assert narrow < 0.75 * wide
    assert np.abs(front.astype(float) - rear.astype(float)).mean() > 0.3


def test_a_plane_comes_with_both_wings_and_goes_with_its_fin() -> None:
    level = 0.3
    side, front, rear = (painted("plane", "fly", level, f) for f in ("side", "front", "rear"))
    assert mirrored(front) > 0.85
    assert mirrored(rear) > 0.85
    assert mirrored(side) < 0.7
    assert np.abs(front.astype(float) - rear.astype(float)).mean() > 0.3


def mirrored(pixels: Image) -> float:
    """Return the share of a painted figure that its mirror image covers."""
    covered = pixels[..., 3] > 128
    columns = np.flatnonzero(covered.any(0))
    whole = covered[:, columns[0] : columns[-1] + 1]
    return float((whole & whole[:, ::-1]).sum() / (whole | whole[:, ::-1]).sum())


RIDDEN: Final = {
    "a knight": "riding a horse",
    "a cyclist": "riding a bicycle",
    "a biker": "riding a motorcycle",
    "a woman": "riding an elephant",
    "a man": "paddling a canoe",
}


@pytest.mark.parametrize("rider", sorted(RIDDEN))
@pytest.mark.parametrize("side", ["front", "rear"])
def test_a_rider_sits_astride_from_the_front_and_from_behind(rider: str, side: str) -> None:
    def seen(angle: str, action: str) -> Image:
        scene = Scene(subject=rider, action=action, setting="a studio", camera_angle=angle)
        player = film(scene).players[-1]
        assert player.front == (side if angle else "side")
        keep = player.parts[0].pose(0.0, 8, 0).sprite.keep
        assert keep is not None
        return np.repeat(255 - keep[..., None], 4, -1)

    whole = seen(f"{side} view", RIDDEN[rider])
    assert mirrored(whole) > 0.75
    assert mirrored(whole) > mirrored(seen("", RIDDEN[rider])) + 0.1


@pytest.mark.parametrize(("angle", "grows"), [("rear view", 1), ("front view", -1)])
@pytest.mark.parametrize(
    ("subject", "place"), [("a train", "a railway"), ("a red car", "a country road")]
)
def test_what_comes_or_goes_has_its_way_before_or_behind_it(
    subject: str, place: str, angle: str, grows: int
) -> None:
    scene = Scene(subject=subject, action="driving", setting=place, camera_angle=angle)
    made = film(scene)
    assert made.script.backdrop.endswith(" ahead")
    assert made.players[-1].front == angle.removesuffix(" view")
    # The marks on the road vary between two frames: only many frames show its direction.
    moved = [expansion(*frames(scene, at, at + 3)) for at in range(2, 20, 3)]
    assert grows * float(np.mean(moved)) > 0.1


@pytest.mark.parametrize("key", ["woman", "man", "astronaut", "chef"])
def test_a_person_has_a_face_in_front_and_hair_behind(key: str) -> None:
    front, rear = (painted(key, "walk", 0.1, face) for face in ("front", "rear"))
    assert (front[..., 3] > 128).mean() > 0.02
    assert np.abs(front.astype(float) - rear.astype(float)).mean() > 0.2


@pytest.mark.parametrize(("angle", "grows"), [("rear view", 1), ("front view", -1)])
def test_the_world_comes_or_goes_about_somebody_who_walks_ahead(angle: str, grows: int) -> None:
    scene = Scene(subject="a man", action="walking", setting="a forest", camera_angle=angle)
    first, last = frames(scene.edit({"camera_movement": "tracking shot"}), 6, 9)
    assert grows * expansion(first, last) > 0.1
    still, moved = frames(scene.edit({"camera_movement": "tracking shot"}), 0, 24)
    middle = slice(96, 160)
    tall = [np.abs(f[:, middle] - f[:, :1]).mean() for f in (still, moved)]
    assert 0.5 < tall[0] / tall[1] < 2.0


@pytest.mark.parametrize("place", ["a highway", "a corridor"])
def test_one_moves_into_a_road_and_a_corridor(place: str) -> None:
    scene = Scene(setting=place, action="moving forward", camera_angle="point of view")
    assert expansion(*frames(scene, 8, 11)) > 0.1
    still = scene.edit({"camera_movement": "static", "pace": "frozen"})
    assert abs(expansion(*frames(still, 8, 11))) < 0.05


def test_a_robot_arm_carries_what_it_picks_up_and_never_lets_it_leap() -> None:
    places = np.array([held_at(Pose("rest", phase)) for phase in np.linspace(0, 0.999, 120)])
    assert np.abs(np.diff(places[:, :2], axis=0)).max() < 0.08
    assert np.ptp(places[:, 0]) > 0.3
    assert np.ptp(places[:, 1]) > 0.3


def test_a_panda_can_stand_up() -> None:
    four, two = (painted("panda", "stand", 0.0, upright=up)[..., 3] > 128 for up in (False, True))
    assert np.ptp(np.flatnonzero(two.any(0))) < 0.7 * np.ptp(np.flatnonzero(four.any(0)))


@pytest.mark.parametrize("backdrop", sorted(BACKDROPS))
def test_a_backdrop_covers_the_frame_from_every_angle(backdrop: str) -> None:
    for angle in ("eye level", "overhead", "worm's-eye view"):
        made = film(Scene(setting=backdrop, camera_angle=angle), size=(160, 96), num_frames=3)
        first, last = made.frame(0), made.frame(2)
        # Uncovered pixels keep the initial grey: exactly one value, without texture.
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


def test_a_voxel_world_is_built_of_equal_cubes_with_a_lit_top() -> None:
    scene = Scene(setting="mountains", style="voxel", camera_movement="static")
    (rgb,) = frames(scene, 4, size=(416, 240))
    shown = rgb[:200, :300, 1]
    cell = 6
    across = np.abs(np.diff(shown, axis=1)).sum(0)
    edges = np.isin((np.arange(len(across)) + 1) % cell, (0, cell - 1))
    assert across[edges].sum() > 0.98 * across.sum()
    blocks = shown[: 200 // cell * cell].reshape(-1, cell, 300)
    tops, fronts = blocks[:, 0], blocks[:, cell // 2]
    assert (tops > fronts + 8).mean() > 5 * (tops < fronts - 8).mean()
    assert (tops > fronts + 8).mean() > 0.02
