"""Every established term makes a visible difference in the picture."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import combinations, pairwise
from typing import Final

import cv2
import numpy as np
import pytest

from tests.engines.filming import difference, expansion, field, flow, frames, luma, saturation
from workbench.engines.pixels import Image
from workbench.scene import Scene, terms, vocabulary

SCENE: Final = Scene(
    subject="a woman", action="walking", setting="a city street", time_of_day="afternoon"
)
PICTURE_FIELDS: Final = (
    "shot_size",
    "camera_angle",
    "lens",
    "time_of_day",
    "weather",
    "lighting",
    "mood",
    "style",
    "color_palette",
)
# Two frames a little apart, so that what moves in place (rain, flicker, focus) counts as well.
AT: Final = (2, 20)


@cache
def seen(field_name: str, term: str) -> tuple[Image, ...]:
    return tuple(frames(SCENE.edit({field_name: term}), *AT, size=(240, 136)))


def apart_by(first: Sequence[Image], second: Sequence[Image]) -> float:
    return max(difference(a, b) for a, b in zip(first, second, strict=True))


@cache
def filmed(movement: str, pace: str = "", *at: int) -> tuple[Image, ...]:
    scene = Scene(subject="a dog", action="running", setting="a forest").edit(
        {"camera_movement": movement, "pace": pace}
    )
    return tuple(frames(scene, *(at or (8, 10)), size=(256, 144)))


@pytest.mark.parametrize("name", PICTURE_FIELDS)
def test_no_two_terms_of_a_field_look_the_same(name: str) -> None:
    for first, second in combinations(terms(name), 2):
        apart = apart_by(seen(name, first), seen(name, second))
        assert apart > 1.5, f"{name}: {first!r} and {second!r} differ by only {apart:.2f}"


@pytest.mark.parametrize("name", PICTURE_FIELDS)
def test_every_term_differs_from_saying_nothing_or_is_the_default(name: str) -> None:
    plain = frames(SCENE.edit({name: ""}), *AT, size=(240, 136))
    same = [t for t in terms(name) if apart_by(plain, seen(name, t)) < 1.0]
    assert len(same) <= 1, f"{name}: {same} all look like the default"


def test_all_camera_movements_differ() -> None:
    def path(movement: str) -> Image:
        shots = filmed(movement, "", 0, 8, 16, 24)
        return np.concatenate([field(a, b) for a, b in pairwise(shots)])

    paths = {movement: path(movement) for movement in terms("camera_movement")}
    for first, second in combinations(paths, 2):
        apart = float(np.abs(paths[first] - paths[second]).mean())
        assert apart > 0.15, f"{first!r} and {second!r} differ by only {apart:.2f} pixels"


def test_every_pace_has_its_own_speed_and_they_run_from_still_to_fast() -> None:
    speeds = [flow(*filmed("tracking shot", pace, 10, 11)) for pace in terms("pace")]
    assert speeds[0] < 0.1
    assert all(slow < fast for slow, fast in pairwise(speeds[:6])), speeds


def test_a_time_lapse_hurries_the_clouds() -> None:
    sky = Scene(setting="the sky")
    slow, fast = (
        difference(*frames(sky.edit({"pace": pace, "camera_movement": "static"}), 2, 14))
        for pace in ("real time", "time-lapse")
    )
    assert fast > 1.5 * slow


@pytest.mark.parametrize(("movement", "right"), [("pan left", 1), ("pan right", -1)])
def test_a_pan_moves_everything_sideways(movement: str, right: int) -> None:
    moved = field(*filmed(movement, "frozen", 11, 12))
    assert right * float(np.median(moved[..., 0])) > 0.8
    assert abs(float(np.median(moved[..., 1]))) < 0.3


def test_a_whip_pan_smears_the_middle_sideways() -> None:
    first, middle = filmed("whip pan", "frozen", 0, 12)

    def lean(rgb: Image) -> float:
        """Return the ratio of horizontal to vertical detail."""
        return float(np.abs(np.diff(rgb, axis=1)).mean() / np.abs(np.diff(rgb, axis=0)).mean())

    assert lean(middle) < 0.65 * lean(first)


@pytest.mark.parametrize(
    ("movement", "down"), [("tilt up", 1), ("tilt down", -1), ("crane up", 1), ("crane down", -1)]
)
def test_a_tilt_and_a_crane_move_the_picture_up_and_down(movement: str, down: int) -> None:
    moved = field(*filmed(movement, "frozen", 11, 12))
    assert down * float(np.mean(moved[72:, :, 1])) > 0.25


@pytest.mark.parametrize(
    ("movement", "grows"), [("dolly in", 1), ("dolly out", -1), ("zoom in", 1), ("zoom out", -1)]
)
def test_coming_nearer_makes_the_picture_grow(movement: str, grows: int) -> None:
    assert grows * expansion(*filmed(movement, "frozen", 11, 13)) > 0.1


def test_a_zoom_magnifies_the_background_more_than_a_dolly() -> None:
    scene = Scene(setting="mountains", pace="frozen")
    far = slice(30, 62)
    changed = {}
    for movement in ("dolly in", "zoom in"):
        first, last = frames(scene.edit({"camera_movement": movement}), 2, 22)
        changed[movement] = difference(first[far], last[far])
    assert changed["zoom in"] > 1.5 * changed["dolly in"]


def test_a_tracking_shot_keeps_the_runner_and_moves_the_trees() -> None:
    moved = field(*filmed("tracking shot", "", 10, 11))
    still = field(*filmed("static", "", 10, 11))
    assert float(np.median(moved[60:100, :, 0])) < -1.0
    assert abs(float(np.median(still[60:100, :, 0]))) < 0.2


def test_an_orbit_moves_foreground_against_background() -> None:
    moved = field(*filmed("orbit", "frozen", 10, 12))
    assert float(np.median(moved[:50, :, 0])) > float(np.median(moved[125:, :, 0])) + 0.3


def test_a_handheld_camera_trembles_and_a_static_one_does_not() -> None:
    still = filmed("static", "frozen", 8, 9)
    hand = filmed("handheld", "frozen", 8, 9)
    assert flow(*still) < 0.05
    assert flow(*hand) > 0.1


def test_the_hours_run_from_dark_to_light_and_back() -> None:
    bright = {term: luma(seen("time_of_day", term)[0]) for term in terms("time_of_day")}
    assert bright["midnight"] < bright["night"] < bright["dusk"] < bright["midday"]
    assert bright["dawn"] < bright["morning"]


@pytest.mark.parametrize("style", ["black and white", "film noir", "ink wash", "pencil sketch"])
def test_styles_without_colour_have_none(style: str) -> None:
    assert saturation(seen("style", style)[0]) < 2


def test_noir_is_darker_than_plain_black_and_white() -> None:
    assert luma(seen("style", "film noir")[0]) < luma(seen("style", "black and white")[0])


def test_fog_takes_contrast_and_rain_takes_light() -> None:
    clear, fog, rain = (seen("weather", w)[0] for w in ("clear", "fog", "rain"))
    assert fog[20:80].std() < 0.7 * clear[20:80].std()
    assert luma(rain) < 0.9 * luma(clear)


def test_snow_whitens_the_ground() -> None:
    field_scene = Scene(setting="a meadow")
    clear, snow = (frames(field_scene.edit({"weather": w}), 4)[0] for w in ("clear", "snow"))
    assert luma(snow[100:]) > 1.25 * luma(clear[100:])
    assert saturation(snow[100:]) < 0.6 * saturation(clear[100:])


def test_lightning_strikes_now_and_then() -> None:
    storm = Scene(setting="a meadow", weather="thunderstorm", camera_movement="static")
    bright = [luma(f) for f in frames(storm, *range(0, 72, 2), size=(128, 72), num_frames=73)]
    assert max(bright) > 1.25 * float(np.median(bright))


def test_the_palette_turns_the_picture_warm_or_cool() -> None:
    def warmth(rgb: Image) -> float:
        return float((rgb[..., 0] - rgb[..., 2]).mean())

    warm, cool = (seen("color_palette", p)[0] for p in ("warm tones", "cool tones"))
    assert warmth(warm) > warmth(cool) + 15
    assert (
        saturation(seen("color_palette", "vibrant")[0])
        > saturation(seen("color_palette", "muted")[0]) + 10
    )


def test_a_silhouette_is_dark_before_light() -> None:
    plain = frames(SCENE.edit({"time_of_day": "sunset"}), 12)[0]
    dark = frames(SCENE.edit({"time_of_day": "sunset", "lighting": "silhouette"}), 12)[0]
    assert (dark.max(-1) < 40).mean() > (plain.max(-1) < 40).mean() + 0.005


def test_a_closer_shot_blurs_the_background() -> None:
    def sharpness(rgb: Image) -> float:
        grey = cv2.cvtColor(rgb.astype(np.uint8), cv2.COLOR_RGB2GRAY)
        return float(cv2.Laplacian(grey[:60, :60], cv2.CV_32F).var())

    wide, close = (seen("shot_size", s)[0] for s in ("wide shot", "close-up"))
    assert sharpness(close) < 0.6 * sharpness(wide)


def test_every_field_of_the_vocabulary_is_tested_here() -> None:
    assert set(vocabulary()) - {"viewpoint"} == {*PICTURE_FIELDS, "camera_movement", "pace"}
