"""How the animatic engine reads words: figures, counts, gaits, colours, places."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from workbench.engines.animatic.backdrops import BACKDROPS
from workbench.engines.animatic.colour import luma
from workbench.engines.animatic.figures.drawing import colours
from workbench.engines.animatic.figures.forms import FORMS
from workbench.engines.animatic.reading import find_term, read_scene
from workbench.engines.animatic.script import Actor
from workbench.engines.animatic.tables import figures, gaits, lexicon
from workbench.prompts.composer import composer
from workbench.scene import Scene

PROMPTS: Final = Path(__file__).parents[2].parent / "shared" / "data"


def actors(subject: str, action: str = "", **more: str) -> tuple[Actor, ...]:
    return read_scene(Scene(subject=subject, action=action, **more), 0).actors


@pytest.mark.parametrize(
    ("subject", "figure", "count"),
    [
        ("a dog", "dog", 1),
        ("two dogs", "dog", 2),
        ("a herd of elephants", "elephant", 6),
        ("wolves", "wolf", 3),
        ("a golden retriever puppy", "dog", 1),
        ("a polar bear", "polar", 1),
        ("an old fishing boat", "ship", 1),
        ("a cup of coffee", "cup", 1),
        ("a chess player", "person", 1),
        ("three children", "child", 3),
        ("an unlikely accountant", "person", 1),
        ("an unlikely abacus", "card", 1),
        ("a violinist", "person", 1),
    ],
)
def test_a_subject_is_found_with_its_count(subject: str, figure: str, count: int) -> None:
    first = actors(subject)[0]
    assert (first.figure, first.count) == (figure, count)


def test_a_robot_arm_handles_what_is_said_in_the_colour_that_is_said() -> None:
    (arm,) = actors("a robot arm", "picking up a blue cube", setting="a laboratory")
    assert (arm.figure, arm.prop) == ("robotarm", "cube")
    assert arm.prop_colour == colours()["blue"]


def test_an_animal_at_play_runs_about_and_one_with_an_instrument_stands_up() -> None:
    (dogs,) = actors("two dogs", "playing in a park")
    assert (dogs.gait, dogs.upright) == ("run", False)
    (cat,) = actors("a cat", "playing guitar")
    assert (cat.prop, cat.upright) == ("guitar", True)


def test_a_driver_sees_the_road_and_not_the_car() -> None:
    scene = Scene(
        subject="a car", action="driving", setting="a highway", camera_angle="point of view"
    )
    script = read_scene(scene, 0)
    assert (script.backdrop, script.actors) == ("road ahead", ())
    assert read_scene(scene.edit({"camera_angle": ""}), 0).backdrop == "road"


def test_what_cannot_be_drawn_becomes_a_title_card() -> None:
    (card,) = actors("a glimmering quandary")
    assert (card.figure, card.words) == ("card", "a glimmering quandary")


@pytest.mark.parametrize(
    ("figure", "action", "gait"),
    [
        ("a dog", "running along the shore", "run"),
        ("a woman", "dancing in the rain", "dance"),
        ("a horse", "grazing", "eat"),
        ("a bird", "perched on a branch", "rest"),
        ("a bird", "soaring", "fly"),
        ("a car", "parked", "rest"),
        ("a car", "", "drive"),
        ("a man", "", "stand"),
        ("a boat", "drifting", "sail"),
    ],
)
def test_an_action_becomes_a_gait_that_suits_the_figure(
    figure: str, action: str, gait: str
) -> None:
    assert actors(figure, action)[0].gait == gait


def test_a_rider_sits_on_the_horse() -> None:
    for scene in (actors("a horse and a rider", "galloping"), actors("a woman", "riding a horse")):
        (pair,) = scene
        assert pair.figure == "horse"
        assert pair.rider in {"person", "woman"}


def test_an_animal_with_a_human_task_stands_up() -> None:
    (panda,) = actors("a panda", "drinking coffee in a cafe")
    assert panda.upright
    assert panda.prop == "cup"
    (zebra,) = actors("a zebra", "bending down to drink water from a river")
    assert not zebra.upright


def test_stated_colours_are_used() -> None:
    assert actors("a red car")[0].colour == colours()["red"]
    assert actors("a cat", subject_details="with black fur")[0].colour == colours()["black"]
    assert actors("an orange cat")[0].figure == "cat"
    assert actors("an orange")[0].figure == "orange"


@pytest.mark.parametrize(
    ("setting", "backdrop"),
    [
        ("a busy city street", "city street"),
        ("a snowy mountain pass", "mountains"),
        ("under the sea", "underwater"),
        ("the surface of mars", "planet surface"),
        ("a cosy café", "cafe"),
        ("a cosy cottage interior", "room"),
        ("a football stadium", "stadium"),
        ("somewhere unheard of", "meadow"),
    ],
)
def test_a_setting_becomes_a_backdrop(setting: str, backdrop: str) -> None:
    assert read_scene(Scene(subject="a dog", setting=setting), 0).backdrop == backdrop


def test_a_fish_in_the_ocean_is_seen_below_the_surface() -> None:
    assert read_scene(Scene(subject="a shark", setting="the ocean"), 0).backdrop == "underwater"


def test_terms_are_found_inside_longer_phrases() -> None:
    assert find_term("lighting", "soft golden hour light from the left") == "golden light"
    assert find_term("camera_movement", "a slow push in towards the door") == "dolly in"
    assert find_term("style", "nothing of the kind") == ""


def test_an_empty_scene_still_renders() -> None:
    assert read_scene(Scene(), 0).backdrop == "meadow"


def test_every_data_table_refers_to_existing_names() -> None:
    forms = {spec["form"] for spec in figures().values()}
    assert forms == set(FORMS)
    assert set(lexicon()["backdrops"]) == set(BACKDROPS)
    assert set(lexicon()["homes"].values()) <= set(BACKDROPS)
    assert all(
        entry["as"] in table
        for table in gaits().values()
        for entry in table.values()
        if "as" in entry
    )
    assert 0 < luma(colours()["red"]) < 1


@pytest.mark.skipif(not PROMPTS.is_dir(), reason="the real prompts are not beside this checkout")
def test_most_real_prompts_get_a_subject_that_is_drawn() -> None:
    prompts = [
        line
        for name in ("vbench_category.txt", "vbench_dimension.txt")
        for line in (PROMPTS / name).read_text("utf-8").splitlines()
    ]
    drawn = [
        all(actor.figure != "card" for actor in read_scene(composer.scene_of(prompt), 0).actors)
        for prompt in prompts
    ]
    assert sum(drawn) / len(drawn) >= 0.95


@pytest.mark.parametrize("said", ["voxel art", "a Minecraft-like world", "in a blocky voxel style"])
def test_worlds_of_blocks_are_voxels(said: str) -> None:
    assert find_term("style", said) == "voxel"


@pytest.mark.parametrize("mount", ["motorcycle", "bicycle", "horse"])
def test_someone_on_a_thing_rides_it_and_someone_beside_it_does_not(mount: str) -> None:
    (ridden,) = actors(f"a man on a {mount}", "driving")
    assert (ridden.figure, ridden.rider) == (mount, "man")
    assert [a.figure for a in actors(f"a man and a {mount}", "standing")] == ["man", mount]
