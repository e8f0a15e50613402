"""What a stranger sees in a storyboard: sizes beside each other, motions, places, what is in hand."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from tests.engines.filming import frames
from workbench.engines.animatic.backdrops.halls import HALLS
from workbench.engines.animatic.film import Film
from workbench.engines.animatic.placement import names_of
from workbench.engines.animatic.proportions import metres_of
from workbench.engines.animatic.reading import read_scene
from workbench.engines.animatic.script import Script
from workbench.engines.animatic.tables import figures
from workbench.engines.pixels import to_rgb
from workbench.scene import Aspect, Beat, Entity, EntityKind, Look, Scene, When

PERSON, ANIMAL, OBJECT = EntityKind.PERSON, EntityKind.ANIMAL, EntityKind.OBJECT
Boxes = dict[str, npt.NDArray[np.float64]]
"""Name of a figure → its box in every frame: left, top, right, bottom, as shares."""


def entity(
    number: int, noun: str, kind: EntityKind = OBJECT, *, count: int | None = 1, lead: bool = False
) -> Entity:
    return Entity(f"e{number}", noun, noun, count, kind, determiner="a", is_lead=lead)


def script(*cast: Entity, beats: tuple[Beat, ...] = (), **fields: str) -> Script:
    return read_scene(Scene(cast=cast, beats=beats, **fields), 0)


def boxes(made: Script, *, num_frames: int = 49) -> Boxes:
    film = Film(made, 256, 144, num_frames, 24)
    found = film.boxes()
    return {name: found[:, at] for at, name in enumerate(names_of(film))}


def height(box: npt.NDArray[np.float64]) -> float:
    return float(np.median(box[:, 3] - box[:, 1]))


def middle(box: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray((box[:, 1] + box[:, 3]) / 2)


@pytest.mark.parametrize(
    ("large", "small", "share"),
    [
        (("woman", PERSON), ("cup", OBJECT), 0.35),
        (("girl", PERSON), ("ant", ANIMAL), 0.3),
        (("dog", ANIMAL), ("snail", ANIMAL), 0.5),
        (("car", EntityKind.VEHICLE), ("pigeon", ANIMAL), 0.7),
        (("otter", ANIMAL), ("fish", ANIMAL), 0.95),
        (("man", PERSON), ("pancake", OBJECT), 0.35),
    ],
)
def test_what_is_smaller_is_drawn_smaller_and_within_the_frame(
    large: tuple[str, EntityKind], small: tuple[str, EntityKind], share: float
) -> None:
    made = script(entity(1, *large, lead=True), entity(2, *small), setting="a meadow")
    seen = boxes(made)
    little = seen[small[0]]
    assert 0.03 < height(little) < share * height(seen[large[0]])
    inside = (little[:, 1] > -0.05) & (little[:, 3] < 1.05)
    assert inside.all()


def test_a_thing_alone_is_as_large_as_it_can_be_read() -> None:
    alone = boxes(script(entity(1, "cup", lead=True)))["cup"]
    beside = boxes(script(entity(1, "cup", lead=True), entity(2, "woman", PERSON)))["cup"]
    assert height(alone) > 1.5 * height(beside)


@pytest.mark.parametrize(
    ("action", "grows", "goes_down"),
    [
        ("falling", 1.0, 0.1),
        ("rising", 1.0, -0.1),
        ("inflating", 1.5, None),
        ("deflating", 0.6, None),
    ],
)
def test_a_thing_does_what_is_said_of_it(
    action: str, grows: float, goes_down: float | None
) -> None:
    made = script(entity(1, "sack", lead=True), beats=(Beat("b1", action, "e1"),), pace="")
    film = Film(made, 256, 144, 81, 24)
    box = film.boxes()[:, 0]
    first, last = box[0, 3] - box[0, 1], box[-1, 3] - box[-1, 1]
    assert last / first == pytest.approx(grows, rel=0.1) or (last / first - 1) * (grows - 1) > 0.2
    moved = middle(box)[-1] - middle(box)[0]
    if goes_down is not None:
        assert moved * np.sign(goes_down) > abs(goes_down)


def test_a_thing_that_swings_shakes_or_spins_moves_in_place() -> None:
    still = _stir("standing")
    for action in ("swinging", "shaking", "spinning", "bouncing"):
        assert _stir(action) > 1.5 * still + 0.5, action


def _stir(action: str) -> float:
    """Return how much a box changes from one frame to another, in the mean of the grey levels."""
    scene = Scene(
        cast=(entity(1, "crate", lead=True),),
        beats=(Beat("b1", action, "e1"),),
        camera_movement="static",
    )
    first, second = frames(scene, 3, 9)
    return float(np.abs(first - second).mean())


@pytest.mark.parametrize("place", ["a laundrette", "a supermarket", "a school gym", "a warehouse"])
def test_a_hall_is_furnished_and_told_from_a_plain_room(place: str) -> None:
    woman = entity(1, "woman", PERSON, lead=True)
    assert script(woman, setting=place).backdrop in HALLS
    hall, room = (
        frames(Scene(cast=(woman,), setting=setting), 5)[0] for setting in (place, "a living room")
    )
    assert np.abs(hall - room).mean() > 15
    beside_her = hall[50:85, :90] @ np.array([0.299, 0.587, 0.114])
    assert beside_her.std(1).mean() > 12, "nothing stands along the wall"


def test_small_things_lie_on_a_table_where_people_are_indoors() -> None:
    cast = (entity(1, "man", PERSON, lead=True), entity(2, "jar"), entity(3, "plate"))
    seen = boxes(script(*cast, setting="a kitchen"))
    for name in ("jar", "plate"):
        feet, floor = np.median(seen[name][:, 3]), np.median(seen["table"][:, 3])
        assert feet < floor - 0.05
    assert "table" not in boxes(script(*cast, setting="a beach"))


def test_a_trade_that_no_figure_shows_is_a_person_with_its_tool() -> None:
    made = script(entity(1, "accordionist", PERSON, lead=True))
    assert (made.actors[0].figure, made.actors[0].prop) == ("person", "accordion")
    assert script(entity(1, "nan", PERSON, lead=True)).actors[0].figure == "elderwoman"


def test_the_camera_that_takes_the_picture_is_not_in_it() -> None:
    cast = (entity(1, "mug", lead=True), entity(2, "camera"))
    assert [a.figure for a in script(*cast).actors] == ["cup"]
    alone = script(entity(1, "camera", lead=True))
    assert [a.figure for a in alone.actors] == ["camera"]


def test_a_crowd_stands_behind_whoever_leads() -> None:
    cast = (
        entity(1, "man", PERSON, lead=True),
        Entity("e2", "crowd", "crowd", None, EntityKind.CROWD, determiner="a"),
    )
    seen = boxes(script(*cast, setting="a train station"))
    others = [box for name, box in seen.items() if name.startswith("crowd")]
    assert len(others) >= 4
    assert all(height(box) < 0.85 * height(seen["man"]) for box in others)


def test_a_vehicles_doors_are_its_own_and_a_rooms_door_is_behind() -> None:
    doors = Entity("e2", "doors", "door", None, OBJECT, determiner="the")
    van = script(entity(1, "van", EntityKind.VEHICLE, lead=True), doors)
    assert [a.figure for a in van.actors] == ["van"]
    made = script(entity(1, "waiter", PERSON, lead=True), doors, setting="a restaurant")
    assert {a.figure: a.place.depth for a in made.actors}["door"] == "behind"


def test_what_is_worn_is_not_also_held_or_standing_beside() -> None:
    worn = Look(Aspect.CLOTHING, "with fur hat", "after")
    man = Entity("e1", "man", "man", 1, PERSON, (worn,), determiner="a", is_lead=True)
    hat = Entity("e2", "fur hat", "hat", 1, OBJECT, determiner="a")
    made = script(man, hat, beats=(Beat("b1", "walking in a fur hat", "e1"),))
    assert [(a.figure, a.prop) for a in made.actors] == [("man", "")]
    assert dict(made.actors[0].look)["hat"] == "brim"


def test_a_wide_thing_in_a_hand_is_no_wider_than_its_holders_reach() -> None:
    made = script(
        entity(1, "waiter", PERSON, lead=True),
        entity(2, "plate"),
        beats=(Beat("b1", "carrying a plate", "e1", ("e2",)),),
    )
    assert made.actors[0].prop == "plate"
    box = boxes(made)["waiter"]
    wide = float(np.median(box[:, 2] - box[:, 0])) * 256 / 144
    assert wide < 0.8 * height(box)


@pytest.mark.parametrize("noun", ["tray", "hedgehog", "bread"])
def test_a_close_up_of_a_wide_thing_holds_all_of_it(noun: str) -> None:
    box = boxes(script(entity(1, noun, lead=True), shot_size="close-up"))[noun]
    assert (box[:, 0] > -0.02).all()
    assert (box[:, 2] < 1.02).all()
    assert (box[:, 3] < 1.0).all()


def test_a_windscreen_means_that_one_sits_behind_it() -> None:
    made = script(
        entity(1, "foam", lead=True), beats=(Beat("b1", "sliding down the windscreen", "e1"),)
    )
    assert (made.backdrop, made.frame) == ("road ahead", "hood")


def test_lockers_line_a_corridor() -> None:
    hallway = Entity(
        "e1", "hallway", "hallway", 1, EntityKind.STRUCTURE, determiner="a", is_lead=True
    )
    lockers = Entity("e2", "lockers", "locker", None, OBJECT)
    made = script(hallway, lockers, viewpoint="ego view")
    assert (made.backdrop, made.frame, made.not_drawn) == ("corridor", "hands", ())
    picture = to_rgb(Film(made, 256, 144, 9, 24).frame(4).planes).astype(float)
    for side in (picture[60:80, 20:70], picture[60:80, -70:-20]):
        assert (side[..., 2] - side[..., 0]).mean() > 15, "the walls are not of blue-green steel"


@pytest.mark.parametrize("key", sorted(key for key, spec in figures().items() if "metres" in spec))
def test_a_height_in_metres_is_one_that_things_have(key: str) -> None:
    assert 0.001 <= metres_of(key) <= 1000


def test_toast_jumps_out_of_a_toaster_that_stays() -> None:
    made = script(entity(1, "toast", lead=True), beats=(Beat("b1", "popping up too high", "e1"),))
    film = Film(made, 256, 144, 81, 24)
    tops, feet = (film.boxes()[:, 0, side] for side in (1, 3))
    assert np.ptp(tops) > 0.15
    assert np.ptp(feet) < 0.05


def test_what_is_done_to_a_thing_is_seen_on_it_and_stays_so() -> None:
    cat, vase = entity(1, "cat", ANIMAL, lead=True), entity(2, "vase")
    beats = (
        Beat("b1", "knocking a vase over", "e1", ("e2",)),
        Beat("b2", "walking away", "e1", when=When.THEN),
    )
    made = script(cat, vase, beats=beats)
    gaits = {a.figure: [a.gait, *(later.gait for later in a.later)] for a in made.actors}
    assert gaits["vase"] in (["tip"], ["tip", "tip"])
    box = boxes(made, num_frames=81)["vase"]
    wide, tall = box[:, 2] - box[:, 0], box[:, 3] - box[:, 1]
    assert tall[0] > wide[0] * 16 / 9 * 1.1
    assert tall[-1] * 1.1 < wide[-1] * 16 / 9, "it has not fallen over"
    assert box[-1, 3] < box[0, 3] + 0.05, "it has sunk into the floor"


def test_people_at_sea_are_aboard_the_ship_that_is_with_them() -> None:
    seen = boxes(
        script(
            entity(1, "ferry", EntityKind.VEHICLE, lead=True),
            entity(2, "woman", PERSON),
            setting="the open sea",
        )
    )
    ship, woman = np.median(seen["ferry"], 0), np.median(seen["woman"], 0)
    assert ship[1] < woman[3] < ship[3] - 0.02
    assert ship[0] < (woman[0] + woman[2]) / 2 < ship[2]
    assert height(seen["woman"]) < height(seen["ferry"])


def test_parked_cars_leave_the_road_ahead_free() -> None:
    ball = entity(1, "ball", lead=True)
    cars = Entity("e2", "parked cars", "car", None, EntityKind.VEHICLE)
    seen = boxes(script(ball, cars, viewpoint="dashcam"))
    middles = sorted(float(np.median(b[:, 0] + b[:, 2])) / 2 for n, b in seen.items() if "car" in n)
    assert middles[0] < 0.4
    assert middles[-1] > 0.6


def test_a_humanoid_sees_hands_of_steel_and_a_cart_none() -> None:
    towel = entity(2, "towel")
    for noun, frame in (("humanoid robot", "robot hands"), ("delivery robot", "none")):
        eye = Entity("e1", noun, "robot", 1, EntityKind.ROBOT, determiner="a", is_lead=True)
        made = script(eye, towel, viewpoint="ego view")
        assert made.frame == frame
        assert [a.figure for a in made.actors] == ["towel"]
    skin, steel = (
        to_rgb(Film(made, 256, 144, 3, 24).frame(1).planes).astype(float)[118:134, 76:96]
        for made in (
            script(towel, viewpoint="ego view"),
            script(
                Entity("e1", "humanoid robot", "robot", 1, EntityKind.ROBOT, is_lead=True),
                towel,
                viewpoint="ego view",
            ),
        )
    )
    assert (skin[..., 0] - skin[..., 2]).mean() > (steel[..., 0] - steel[..., 2]).mean() + 10


def test_a_line_cook_is_one_and_a_line_of_cooks_are_several() -> None:
    assert read_scene(Scene(subject="a line cook"), 0).actors[0].count == 1
    assert read_scene(Scene(subject="a line of cooks"), 0).actors[0].count == 5


def test_a_machines_arm_is_no_person() -> None:
    arm = Entity("e1", "left arm", "arm", 1, EntityKind.BODY_PART, determiner="the", is_lead=True)
    beats = (Beat("b1", "regrasping a towel", "e1"),)
    assert script(arm, beats=beats, setting="a lab").actors[0].figure == "robotarm"


def test_a_building_stands_beyond_whoever_is_before_it() -> None:
    seen = boxes(
        script(entity(1, "postman", PERSON, lead=True), entity(2, "house", EntityKind.STRUCTURE))
    )
    assert height(seen["house"]) > height(seen["postman"]) * 0.7
    assert np.median(seen["house"][:, 3]) < np.median(seen["postman"][:, 3]) - 0.03


def test_outside_a_shop_is_the_street() -> None:
    pigeon = entity(1, "pigeon", ANIMAL, lead=True)
    assert script(pigeon, setting="outside a bakery").backdrop == "city street"


def test_no_snow_falls_in_a_laundrette() -> None:
    scene = {"setting": "a laundrette", "camera_movement": "static"}
    dry, snowed = (
        frames(Scene(cast=(entity(1, "sock", lead=True),), weather=weather, **scene), 3, 5)
        for weather in ("", "snow")
    )
    assert np.abs(snowed[0] - snowed[1]).mean() < np.abs(dry[0] - dry[1]).mean() + 0.5


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("saying SOLD OUT SORRY", "SOLD OUT SORRY"),
        ('reading "Happy Birthday"', "Happy Birthday"),
        ("swinging in the wind", ""),
    ],
)
def test_a_sign_bears_the_words_that_it_is_said_to_bear(said: str, written: str) -> None:
    made = script(entity(1, "sign", lead=True), beats=(Beat("b1", said, "e1"),), action=said)
    (sign,) = made.actors
    assert dict(sign.look).get("letters", "") == written
    if not written:
        assert sign.figure == "sign"
        return
    plain = script(entity(1, "sign", lead=True), beats=(Beat("b1", "saying OK", "e1"),))
    first, other = (
        Film(one, 256, 144, 3, 24).frame(1).planes.astype(float) for one in (made, plain)
    )
    assert np.abs(first - other).max() > 60
    assert list(boxes(made)) == ["sign"]


def test_what_a_thing_shows_by_itself_is_not_drawn_beside_it() -> None:
    balls = Entity("e2", "balls", "ball", 5, OBJECT, determiner="five")
    cradle = Entity("e1", "newton's cradle", "cradle", 1, OBJECT, determiner="a", is_lead=True)
    assert [a.figure for a in script(cradle, balls).actors] == ["newtonscradle"]


def test_what_something_is_dropped_into_does_not_fall() -> None:
    made = script(
        entity(1, "marble", lead=True),
        entity(2, "jar"),
        beats=(Beat("b1", "falling into a jar", "e1", ("e2",)),),
    )
    assert [(a.figure, a.gait) for a in made.actors] == [("bubble", "fall"), ("jar", "rest")]


def test_people_with_things_of_a_home_are_at_home() -> None:
    nan = entity(1, "nan", PERSON, lead=True)
    assert script(nan, entity(2, "candle")).backdrop == "room"
    assert script(nan, entity(2, "pancake")).backdrop == "kitchen"
    assert script(nan, entity(2, "bicycle")).backdrop == "city street"
    assert script(entity(1, "pancake", lead=True)).backdrop == "tabletop"


def test_a_close_up_shows_whoever_leads_and_not_what_is_beside() -> None:
    made = script(
        entity(1, "fisherman", PERSON, lead=True),
        entity(2, "boat", EntityKind.VEHICLE),
        shot_size="close-up",
        camera_movement="static",
    )
    box = boxes(made)["fisherman"]
    assert 0.3 < float(np.median(box[:, 0] + box[:, 2])) / 2 < 0.7
    assert float(np.median(box[:, 1])) < 0.4
    assert float(np.median(box[:, 1])) > -0.2


def test_people_in_a_carriage_are_as_large_as_alone() -> None:
    cast = (entity(1, "woman", PERSON, lead=True), entity(2, "bus", EntityKind.VEHICLE))
    made = script(*cast, setting="a night bus")
    assert made.backdrop == "carriage"
    assert [(a.figure, a.scale) for a in made.actors] == [("woman", 1.0)]


@pytest.mark.parametrize(
    ("noun", "figure"),
    [
        ("pier", "bridge"), ("dam", "bridge"), ("antenna", "eiffel"), ("cucumber", "banana"),
        ("pepper", "banana"), ("ski", "skateboard"), ("tongs", "scissors"), ("potato", "orange"),
        ("slot machine", "machine"), ("lantern", "candle"), ("hexapod", "robot"),
        ("parachute", "balloon"), ("jar", "bottle"), ("shoe", "clothes"), ("hippo", "rhino"), ("sun", "planet"),
    ],
)  # fmt: skip
def test_a_thing_is_not_drawn_as_its_neighbour(noun: str, figure: str) -> None:
    thing = Entity("e1", noun, noun.rsplit(maxsplit=1)[-1], 1, OBJECT, determiner="a", is_lead=True)
    assert script(thing).actors[0].figure not in {figure, "card"}


def test_a_modifier_is_no_thing_to_be_seen() -> None:
    hands = Entity(
        "e1", "tea picker's hands", "hand", None, EntityKind.OBJECT, determiner="the", is_lead=True
    )
    assert all(a.figure != "cup" for a in script(hands).actors)
    keeper = Entity("e1", "lighthouse keeper", "keeper", 1, PERSON, determiner="a", is_lead=True)
    assert script(keeper).actors[0].figure == "person"


def test_weather_that_leads_is_in_the_air_and_not_on_a_card() -> None:
    hail = Entity("e1", "hail", "hail", None, EntityKind.PHENOMENON, is_lead=True)
    made = script(hail, setting="a greenhouse")
    assert (made.actors, made.not_drawn, made.backdrop) == ((), (), "greenhouse")
    assert made.weather


def test_a_cook_is_in_a_kitchen_wherever_nothing_else_is_said() -> None:
    baker = entity(1, "baker", PERSON, lead=True)
    made = script(baker, beats=(Beat("b1", "kneading", "e1"),))
    assert made.backdrop == "kitchen"


def test_bread_rises_where_it_lies() -> None:
    made = script(entity(1, "dough", lead=True), beats=(Beat("b1", "rising", "e1"),))
    box = boxes(made, num_frames=81)["dough"]
    tall = box[:, 3] - box[:, 1]
    assert tall[-1] > 1.5 * tall[0]
    assert abs(box[-1, 3] - box[0, 3]) < 0.05
