"""How the animatic engine stages a cast and its beats: place, action, time, looks."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import numpy as np
import pytest

from tests.engines.filming import difference, frames, luma
from workbench.engines.animatic.camera import Camera, film_path
from workbench.engines.animatic.figures.drawing import colours
from workbench.engines.animatic.film import Film
from workbench.engines.animatic.label import Label
from workbench.engines.animatic.reading import read_scene
from workbench.engines.animatic.script import Script
from workbench.engines.animatic.tables import figures, held, lexicon, viewpoints
from workbench.engines.pixels import to_rgb
from workbench.scene import Aspect, Beat, Entity, EntityKind, Look, Scene, When, terms

PERSON, ANIMAL, OBJECT = EntityKind.PERSON, EntityKind.ANIMAL, EntityKind.OBJECT


def entity(
    name: str,
    noun: str,
    kind: EntityKind = OBJECT,
    *,
    after: str = "",
    at: str = "",
    lead: bool = True,
) -> Entity:
    number, words = name[:2], name[3:].split()
    looks = [Look(Aspect.COLOUR, word) for word in words[1:-1]]
    looks += [Look(Aspect.OTHER, after, "after")] if after else []
    count = {"two": 2, "three": 3}.get(words[0], 1)
    return Entity(number, words[-1], noun, count, kind, tuple(looks), at, words[0], lead)


def script(*cast: Entity, beats: tuple[Beat, ...] = (), **fields: str) -> Script:
    return read_scene(Scene(cast=cast, beats=beats, **fields), 0)


def film(made: Script, size: tuple[int, int] = (256, 144), num_frames: int = 49) -> Film:
    return Film(made, *size, num_frames, 24)


def test_every_entity_gets_its_figure_count_colour_and_place() -> None:
    made = script(
        entity("e1 a red car", "car", EntityKind.VEHICLE, at="on the right"),
        entity("e2 two dogs", "dog", ANIMAL, at="on the left"),
        entity(
            "e3 a lighthouse", "lighthouse", EntityKind.STRUCTURE, at="in the distance", lead=False
        ),
    )
    assert [(a.figure, a.count) for a in made.actors] == [("car", 1), ("dog", 2), ("lighthouse", 1)]
    assert made.actors[0].colour == colours()["red"]
    stage = film(made).players
    names = [p.parts[0].actor.figure for p in stage]
    left, _, right, _ = film(made).boxes()[24].T
    across = dict(zip(names, (left + right) / 2, strict=True))
    assert across["dog"] < 0.5 < across["car"]
    assert stage[0].parts[0].actor.figure == "lighthouse", "what is far is drawn first"
    assert stage[0].p < 0.6


def test_what_lies_on_something_is_drawn_on_top_of_it() -> None:
    made = script(
        entity("e1 a cat", "cat", ANIMAL, at="on a table"),
        entity("e2 a table", "table", lead=False),
    )
    feet = {p.parts[0].actor.figure: p.parts[0].y for p in film(made).players}
    assert feet["cat"] < feet["table"] - 0.5 * figures()["table"]["size"]


def test_beats_play_in_order_each_for_its_share_of_the_video() -> None:
    beats = (
        Beat("b1", "running", "e1"),
        Beat("b2", "sitting down", "e1", when=When.THEN),
        Beat("b3", "sleeping", "e1", when=When.FINALLY),
    )
    made = script(entity("e1 a dog", "dog", ANIMAL), beats=beats, setting="a meadow")
    (dog,) = made.actors
    assert [a.gait for a in (dog, *dog.later)] == ["run", "sit", "sleep"]
    (player,) = film(made, num_frames=72).players
    way = [player.travelled(t) for t in np.arange(0, 3, 0.125)]
    steps = [b - a for a, b in pairwise(way)]
    assert min(steps[:7]) > 0, "it runs in the first second"
    assert max(map(abs, steps[9:])) == 0, "and stays where it came to"


def test_simultaneous_beats_share_one_moment() -> None:
    beats = (Beat("b1", "waving", "e1"), Beat("b2", "jumping", "e2", when=When.WHILE))
    made = script(entity("e1 a man", "man", PERSON), entity("e2 a dog", "dog", ANIMAL), beats=beats)
    assert made.moments == 1
    assert [a.gait for a in made.actors] == ["wave", "jump"]


def test_a_handled_thing_is_held_and_drawn_once() -> None:
    beats = (Beat("b1", "lifting the red cube", "e1", ("e2",)),)
    made = script(
        entity("e1 a arm", "arm", EntityKind.ROBOT).__class__(
            "e1", "robot arm", "arm", 1, EntityKind.ROBOT, determiner="a", is_lead=True
        ),
        entity("e2 a red cube", "cube", lead=False),
        beats=beats,
    )
    (arm,) = made.actors
    assert (arm.figure, arm.prop, arm.prop_colour) == ("robotarm", "cube", colours()["red"])


@pytest.mark.parametrize(
    ("text", "prop", "beside"),
    [
        ("reading a book", "book", ()),
        ("standing under a streetlight", "", ("streetlamp",)),
        ("walking past a fence", "", ("fence",)),
        ("pouring sauce over a bowl", "bowl", ()),
    ],
)
def test_only_handled_things_are_held(text: str, prop: str, beside: tuple[str, ...]) -> None:
    made = script(entity("e1 a woman", "woman", PERSON), beats=(Beat("b1", text, "e1"),))
    assert made.actors[0].prop == prop
    assert tuple(a.figure for a in made.actors[1:]) == beside


def test_animals_that_chase_a_horse_do_not_mount_it() -> None:
    made = script(
        entity("e1 three wolves", "wolf", ANIMAL),
        entity("e2 a horse", "horse", ANIMAL),
        beats=(Beat("b1", "chasing the horse", "e1", ("e2",)),),
    )
    assert [(a.figure, a.count, a.rider) for a in made.actors] == [
        ("wolf", 3, ""),
        ("horse", 1, ""),
    ]


def test_a_cyclist_has_a_bicycle_and_the_stated_clothes() -> None:
    made = script(
        entity("e1 a cyclist", "cyclist", PERSON, after="in a green jacket"),
        beats=(Beat("b1", "riding down a street", "e1"),),
    )
    assert (made.actors[0].figure, made.actors[0].rider) == ("bicycle", "person")
    assert ("top", colours()["green"]) in made.actors[0].rider_look


def test_an_entity_without_a_figure_is_labelled_and_not_replaced() -> None:
    made = script(
        entity("e1 a platypus", "platypus", ANIMAL), entity("e2 a umbrella", "umbrella", lead=False)
    )
    assert [a.figure for a in made.actors] == ["umbrella"]
    assert made.not_drawn == ("platypus",)
    with_note = film(made, (832, 480)).frame(0)
    without = film(dataclasses.replace(made, not_drawn=()), (832, 480)).frame(0)
    changed = np.argwhere(with_note.y != without.y)
    assert len(changed)
    assert changed.min(0)[0] > 430, "only in the label"
    assert changed.min(0)[1] > 400


def test_a_label_never_grows_wider_than_the_frame() -> None:
    many = [f"thing number {n}" for n in range(30)]
    for width, height in ((832, 480), (144, 256)):
        label = Label(width, height, many)
        assert label._sprite.width <= width


@pytest.mark.parametrize("term", terms("viewpoint"))
def test_every_viewpoint_changes_the_picture(term: str) -> None:
    assert term in viewpoints()
    scene = Scene(subject="a red car", action="driving", setting="a city street")
    seen = frames(scene.edit({"viewpoint": term}), 12)[0]
    assert difference(frames(scene, 12)[0], seen) > 1


def test_a_scenes_camera_takes_precedence_over_its_viewpoint() -> None:
    made = script(viewpoint="drone", camera_movement="static", camera_angle="eye level")
    assert (made.moves, made.camera_angle) == (("static",), "eye level")


def test_a_dashcam_sees_the_rear_of_vehicles_and_its_own_bonnet() -> None:
    made = script(
        entity("e1 a red truck", "truck", EntityKind.VEHICLE),
        beats=(Beat("b1", "braking", "e1"),),
        viewpoint="dashcam",
    )
    assert (made.backdrop, made.frame) == ("road ahead", "hood")
    assert film(made).players[0].front == "rear"


def test_hands_without_a_person_are_seen_in_first_person() -> None:
    hands = Entity("e1", "hands", "hand", 2, EntityKind.BODY_PART, is_lead=True)
    made = script(
        hands,
        entity("e2 a laptop", "laptop", lead=False),
        beats=(Beat("b1", "typing", "e1", ("e2",)),),
    )
    assert (made.frame, [a.figure for a in made.actors]) == ("hands", ["laptop"])


def test_a_camera_makes_its_moves_in_order_without_a_jump() -> None:
    made = script(camera_movement="crane up, then dolly in")
    assert made.moves == ("crane up", "dolly in")
    path = film_path(made, Camera(k=0.2), 97, 24)
    assert len(path) == 97
    sizes = [c.f / (1 - c.k) for c in path]
    assert path[47].y < path[0].y - 0.1, "it rises first"
    assert sizes[47] == pytest.approx(sizes[0])
    assert sizes[-1] > sizes[48] * 1.15, "then it comes nearer"
    assert path[-1].y == pytest.approx(path[48].y, abs=0.02), "and stays up"
    for field in ("x", "y", "k", "pan", "tilt"):
        values = [getattr(c, field) for c in path]
        assert max(abs(b - a) for a, b in pairwise(values)) < 0.05, field


@pytest.mark.parametrize("move", ["orbit", "pan left", "zoom in", "handheld"])
def test_a_single_move_is_unchanged(move: str) -> None:
    one, twice = script(camera_movement=move), script(camera_movement=f"{move}, then static")
    start = Camera(k=0.1)
    first, second = film_path(one, start, 49, 24), film_path(twice, start, 98, 24)
    assert first[0] == second[0]
    assert first[24].x == pytest.approx(second[24].x, abs=0.02)


def test_a_close_up_shows_stated_features_of_a_face() -> None:
    def face(details: str) -> np.ndarray:
        woman = entity("e1 a woman", "woman", PERSON, after=details)
        made = script(woman, shot_size="close-up", setting="a studio")
        return to_rgb(film(made, (416, 240)).frame(24).planes).astype(float)

    plain = face("")
    for details in (
        "with silver hair",
        "with tears on her cheeks",
        "wearing sunglasses",
        "smiling",
    ):
        changed = np.abs(face(details) - plain).max(-1) > 40
        assert changed[30:210, 120:300].sum() > 60, details
    grey = face("with silver hair")[20:60, 190:226]
    assert (grey.max(-1) - grey.min(-1)).mean() < (
        plain[20:60, 190:226].max(-1) - plain[20:60, 190:226].min(-1)
    ).mean()


def test_a_close_up_is_closer_than_a_medium_shot() -> None:
    def skin(shot: str) -> int:
        made = script(entity("e1 a man", "man", PERSON), shot_size=shot, setting="a studio")
        rgb = to_rgb(film(made, (416, 240)).frame(24).planes).astype(int)
        return int(((rgb[..., 0] > rgb[..., 2] + 40) & (rgb[..., 0] > 130)).sum())

    assert skin("close-up") > 3 * skin("medium shot")


def test_a_person_at_night_stands_out_from_the_background() -> None:
    scene = Scene(subject="a man", setting="a forest", time_of_day="night", shot_size="medium shot")
    made = film(read_scene(scene, 0), (416, 240))
    shown = to_rgb(made.frame(24).planes).astype(float)
    made.players = []
    empty = to_rgb(made.frame(24).planes).astype(float)
    figure = np.abs(shown - empty).max(-1) > 8
    assert figure.mean() > 0.03
    assert shown[figure].mean() > 1.5 * empty[figure].mean()
    assert luma(shown) < 90, "and it is night all the same"


def test_two_players_face_each_other_across_one_board() -> None:
    made = script(
        entity("e1 a man", "man", PERSON),
        entity("e2 a girl", "girl", PERSON),
        entity("e3 a chessboard", "chessboard", lead=False),
        beats=(Beat("b1", "playing chess", "e1", ("e3",)),),
    )
    assert [a.prop for a in made.actors] == ["chessboard", ""]
    assert [part._mirrored for p in sorted(film(made).players, key=lambda p: p.x) for part in p.parts] == [
        False, True,
    ]  # fmt: skip


def test_a_teapot_pours_into_the_cup_below_its_spout() -> None:
    made = script(
        entity("e1 a teapot", "teapot"),
        entity("e2 a cup", "cup", lead=False),
        beats=(Beat("b1", "pouring tea into the cup", "e1", ("e2",)),),
    )
    assert made.actors[0].gait == "pour"
    places = {p.parts[0].actor.figure: p.x for p in film(made).players}
    assert places["teapot"] < places["cup"]


def test_a_ship_off_a_cliff_floats_on_the_sea() -> None:
    ship = entity("e1 a ship", "ship", EntityKind.VEHICLE)
    assert script(ship, setting="a cliff above the sea").backdrop == "ocean"
    assert script(setting="a cliff above the sea").backdrop == "mountains"
    assert script(ship, setting="a storm").backdrop == "ocean"


def test_every_name_in_the_data_tables_exists() -> None:
    assert set(held()) <= set(figures())
    assert set(lexicon()["comes_with"].values()) <= set(figures())


def test_people_of_a_crowd_do_not_all_wear_the_same() -> None:
    made = script(Entity("e1", "tourists", "tourist", 5, PERSON, determiner="five", is_lead=True))
    looks = {p.parts[0].actor.look for p in film(made).players}
    assert len(looks) == 5


def test_a_shot_of_hands_shows_the_handled_thing_and_no_people() -> None:
    made = read_scene(Scene(subject="hands", action="repairing a bicycle"), 0)
    assert ([a.figure for a in made.actors], made.frame) == (["bicycle"], "hands")


def test_a_thing_has_its_usual_colour_unless_another_is_stated() -> None:
    milk = script(entity("e1 a milk", "milk", EntityKind.FOOD))
    assert milk.actors[0].colour == colours()["white"]
    assert script(entity("e1 a blue lemon", "lemon")).actors[0].colour == colours()["blue"]


def test_a_grandmother_has_no_beard_and_a_boy_with_a_kite_stays_on_the_ground() -> None:
    (grandmother,) = read_scene(Scene(subject="a grandmother"), 0).actors
    assert figures()[grandmother.figure]["look"]["hairstyle"] != "beard"
    boy, kite = read_scene(Scene(subject="a boy", action="flying a kite"), 0).actors
    assert (boy.gait, kite.figure) == ("stand", "kite")


def test_worn_and_abstract_things_are_not_reported_as_missing() -> None:
    made = script(
        entity("e1 a skateboarder", "skateboarder", PERSON, after="with a green beanie"),
        Entity("e2", "beanie", "beanie", determiner="a"),
        Entity("e3", "beard", "beard", kind=EntityKind.BODY_PART, determiner="a"),
        Entity("e4", "surprised", "surprised"),
        Entity("e5", "abacus", "abacus", kind=OBJECT, determiner="a"),
    )
    assert made.not_drawn == ("abacus",)


def test_an_owner_is_drawn_as_a_person() -> None:
    made = script(
        Entity("e1", "violinist's", "violinist's", 1, PERSON, determiner="a", is_lead=True)
    )
    assert [a.figure for a in made.actors] == ["person"]


def test_a_person_at_a_microscope_is_shown_instead_of_its_view() -> None:
    scientist = entity("e1 a scientist", "scientist", PERSON)
    assert script(scientist, viewpoint="microscope").viewpoint == ""
    assert script(viewpoint="microscope").effects == ("iris 0.48",)


def test_an_eyepiece_is_black_all_around() -> None:
    rgb = frames(Scene(viewpoint="microscope", setting="a garden"), 5)[0]
    assert rgb[:10, :20].max() < 12


def test_a_deer_before_a_dashcam_crosses_the_road() -> None:
    made = script(
        entity("e1 a deer", "deer", ANIMAL),
        beats=(Beat("b1", "crossing the road", "e1"),),
        viewpoint="dashcam",
        setting="a forest road",
    )
    assert made.backdrop == "road ahead"
    assert film(made).players[0].front == "side"


def test_an_animal_lies_on_the_stated_thing() -> None:
    made = script(
        entity("e1 a cat", "cat", ANIMAL),
        entity("e2 a chair", "chair", lead=False),
        beats=(Beat("b1", "sleeping on a chair", "e1", ("e2",)),),
        setting="a room",
    )
    feet = {p.parts[0].actor.figure: (p.x, p.parts[0].y) for p in film(made).players}
    assert feet["cat"][0] == pytest.approx(feet["chair"][0], abs=0.1)
    assert feet["cat"][1] < feet["chair"][1] - 0.1


def test_actions_on_two_things_in_turn_show_both() -> None:
    made = script(
        Entity("e1", "knights", "knight", 2, PERSON, determiner="two", is_lead=True),
        Entity("e2", "swords", "sword", None, OBJECT),
        beats=(Beat("b1", "fighting with swords in front of a castle", "e1", ("e2",)),),
    )
    assert [(a.figure, a.prop) for a in made.actors] == [("knight", "sword"), ("castle", "")]
    assert made.actors[1].place.depth == "behind"


@pytest.mark.parametrize(
    ("name", "not_drawn"),
    [("a kangaroo", True), ("a syringe", True), ("a ferris wheel", False), ("a statue", False)],
)
def test_nothing_is_drawn_as_something_else(name: str, *, not_drawn: bool) -> None:
    noun = name.rsplit(maxsplit=1)[-1]
    made = script(Entity("e1", name[2:], noun, 1, OBJECT, determiner="a", is_lead=True))
    assert bool(made.not_drawn) is not_drawn
    assert (made.actors[0].figure == "card") is not_drawn
