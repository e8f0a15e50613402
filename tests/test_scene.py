"""The scene: values with origins, differences in words, locks, merging, schema."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from workbench.scene import (
    LIST_FIELDS,
    SCENE_FIELDS,
    Aspect,
    Beat,
    Change,
    Entity,
    EntityKind,
    Look,
    Origin,
    Scene,
    When,
    camera_moves,
    canonical_term,
    terms,
    vocabulary,
)

DOG = Scene(subject="a dog", action="running", time_of_day="midday", details=("a kite",))


def test_scenes_with_equal_values_are_equal_whatever_their_origins() -> None:
    said = Scene().edit({"mood": "calm"}, origin=Origin.SAID)
    chosen = Scene().edit({"mood": "calm"}, origin=Origin.INFERRED)
    assert said == chosen
    assert hash(said) == hash(chosen)
    assert said != chosen.edit({"lens": "50mm lens"})
    assert Scene.empty() == Scene()
    assert Scene.empty().model_dump() == Scene().model_dump()


def test_every_difference_is_described_in_a_sentence() -> None:
    after = DOG.edit({"time_of_day": "night", "weather": "rain", "details": ("a kite", "a ball")})
    assert [str(c) for c in DOG.changes_to(after)] == [
        "time of day: midday → night",
        "weather: none → rain",
        "details: + a ball",
    ]
    assert [str(c) for c in after.changes_to(DOG)] == [
        "time of day: night → midday",
        "weather: rain → none",
        "details: - a ball",
    ]
    assert DOG.differing(after) == {"time_of_day", "weather", "details"}
    assert DOG.changes_to(DOG) == ()
    swapped = Change(field="details", before=("a", "b"), after=("b", "a"))
    assert swapped.sentence == "details: reordered"


def test_an_edit_records_its_origin_and_an_empty_value_has_none() -> None:
    scene = DOG.edit({"mood": "calm"}, origin=Origin.SAID)
    assert scene.origin("mood") is Origin.SAID
    assert scene.origin("subject") is None
    assert scene.edit({"mood": ""}).origin("mood") is None
    assert DOG.origin("mood") is None, "an edit leaves the scene that it is made of alone"


def test_an_edit_validates_like_a_new_scene() -> None:
    assert DOG.edit({"subject": "  a cat "}).subject == "a cat"
    assert DOG.edit({"details": ["a ball", " a kite "]}).details == ("a ball", "a kite")
    with pytest.raises(ValidationError):
        DOG.edit({"subject": 7})
    with pytest.raises(ValidationError):
        DOG.edit({"details": (7,)})
    with pytest.raises(KeyError, match="colour_of_the_wind"):
        DOG.edit({"colour_of_the_wind": "blue"})


@pytest.mark.parametrize("name", SCENE_FIELDS)
def test_a_lock_protects_every_kind_of_field_until_unlocked(name: str) -> None:
    value, other = (("a",), ("b",)) if name in LIST_FIELDS else ("a", "b")
    locked = Scene().edit({name: value}).lock(name)
    for origin in (Origin.SAID, Origin.INFERRED, Origin.EDITED):
        assert getattr(locked.edit({name: other}, origin=origin), name) == value
    assert getattr(locked.merge(Scene.model_validate({name: other})), name) == value
    assert locked.unlock(name).origin(name) is Origin.EDITED
    assert getattr(locked.unlock(name).edit({name: other}), name) == other


def test_an_empty_field_can_be_locked_empty() -> None:
    locked = DOG.lock("weather")
    assert locked.is_locked("weather")
    assert locked.edit({"weather": "rain"}).weather == ""


def test_merging_overrides_with_stated_values_and_keeps_their_origin() -> None:
    said = Scene().edit({"weather": "rain", "subject": "a cat"}, origin=Origin.SAID)
    merged = DOG.lock("subject").merge(said.merge(Scene(mood="calm")))
    assert (merged.subject, merged.action, merged.weather, merged.mood) == (
        "a dog",
        "running",
        "rain",
        "calm",
    )
    assert merged.origin("weather") is Origin.SAID
    assert merged.origin("mood") is Origin.INFERRED
    assert merged.is_locked("subject")


def test_fields_can_get_their_earlier_origins_back() -> None:
    before = DOG.edit({"mood": "calm"}, origin=Origin.SAID)
    held = before.lock("mood", "subject").with_origins_of(before, ["mood", "subject"])
    assert held.origin("mood") is Origin.SAID
    assert held.origin("subject") is None


def test_a_scene_round_trips_through_json_with_its_schema() -> None:
    scene = DOG.edit({"mood": "calm"}, origin=Origin.SAID).lock("lens")
    again = Scene.model_validate_json(scene.model_dump_json())
    assert again == scene
    assert dict(again.provenance) == dict(scene.provenance)
    schema = Scene.model_json_schema()
    assert set(SCENE_FIELDS) < set(schema["properties"])
    assert schema["properties"]["details"]["type"] == "array"
    assert schema["properties"]["subject"]["type"] == "string"
    stray = {"subject": "a dog", "no_such_field": 1, "provenance": {"no_such_field": "said"}}
    assert Scene.model_validate(stray).provenance == {}


def test_every_phrase_of_a_field_belongs_to_one_term() -> None:
    for field, table in vocabulary().items():
        said = [(p.lower(), term) for term, others in table.items() for p in (term, *others)]
        assert len(dict(said)) == len(set(said)), field
        assert all(canonical_term(field, term.upper()) == term for term in terms(field))
    assert canonical_term("camera_movement", "vertigo effect") == "dolly zoom"
    assert canonical_term("subject", "a dog") is None


CHEFS = Scene(
    cast=(
        Entity("e1", "chefs", "chef", 2, EntityKind.PERSON, determiner="two", is_lead=True),
        Entity("e2", "pancakes", "pancake", None, EntityKind.FOOD),
        Entity("e3", "waiter", "waiter", 1, EntityKind.PERSON, determiner="a"),
        Entity("e4", "house", "house", position="behind them", determiner="a"),
    ),
    beats=(
        Beat("b1", "flipping pancakes", "e1", ("e2",), part="one"),
        Beat("b2", "cracking eggs", "e1", when=When.WHILE, part="the other"),
        Beat("b3", "rushing past", "e3", when=When.THEN),
    ),
)


def test_the_flat_fields_are_computed_from_cast_and_beats() -> None:
    assert CHEFS.subject == "two chefs"
    assert CHEFS.action == (
        "one flipping pancakes while the other cracking eggs, then a waiter rushing past"
    )
    dressed = Look(Aspect.CLOTHING, "in a white apron", "after")
    chefs = CHEFS.cast[0]
    assert CHEFS.with_entity(_with_looks(chefs, dressed)).subject_details == "in a white apron"


def test_given_flat_fields_create_a_cast_and_beats() -> None:
    scene = Scene(subject="an old man and two dogs", subject_details="grey", action="walking")
    assert [(e.id, e.noun, e.count, e.is_lead) for e in scene.cast] == [
        ("e1", "man", 1, True),
        ("e2", "dog", 2, True),
    ]
    assert [(b.text, b.actor) for b in scene.beats] == [("walking", "e1")]
    assert (scene.subject, scene.subject_details) == ("an old man and two dogs", "grey")
    assert Scene.model_validate({"subject": "water", "action": ""}).cast[0].phrase == "water"


def test_a_scene_with_a_cast_round_trips_through_json() -> None:
    again = Scene.model_validate_json(CHEFS.model_dump_json())
    assert again == CHEFS
    assert again.cast[0].kind is EntityKind.PERSON
    assert again.beats[2].when is When.THEN


def test_an_edit_of_the_subject_keeps_its_id_its_beats_and_the_others() -> None:
    after = CHEFS.edit({"subject": "three bakers"})
    assert [(e.id, e.count, e.noun) for e in after.cast][:2] == [
        ("e1", 3, "baker"),
        ("e2", None, "pancake"),
    ]
    assert after.beats == CHEFS.beats
    assert CHEFS.edit({"action": "sleeping"}).beats == (Beat("b1", "sleeping", "e1"),)
    assert CHEFS.edit({"action": CHEFS.action}).beats == CHEFS.beats


def test_entities_are_looked_up_changed_added_and_removed() -> None:
    house = CHEFS.entity("e4")
    assert house is not None
    red = CHEFS.with_entity(house.with_look(Aspect.COLOUR, "red"))
    assert [str(change) for change in CHEFS.changes_to(red)] == ["house: colour none → red"]
    assert CHEFS.changes_to(red)[0].entity == "e4"
    fewer = CHEFS.without_entity("e2")
    assert fewer.entity("e2") is None
    assert fewer.beats[0].targets == ()
    assert [str(change) for change in CHEFS.changes_to(fewer)] == ["cast: - pancakes"]
    dog = Entity(CHEFS.next_entity_id(), "dog", "dog", determiner="a")
    assert [str(c) for c in CHEFS.changes_to(CHEFS.with_entity(dog))] == ["cast: + a dog"]
    assert CHEFS.without_entity("e3").beats == CHEFS.beats[:2]
    assert CHEFS.entity("e9") is None


def test_a_change_of_the_subject_names_the_entity_and_the_aspect() -> None:
    chefs = CHEFS.cast[0]
    change = CHEFS.changes_to(CHEFS.with_entity(chefs.with_look(Aspect.AGE, "old")))
    assert [(c.field, c.entity, c.aspect, str(c)) for c in change] == [
        ("subject", "e1", "age", "subject: two chefs → two old chefs")
    ]


def test_beats_are_grouped_into_moments() -> None:
    assert [[beat.id for beat in moment] for moment in CHEFS.moments()] == [["b1", "b2"], ["b3"]]
    last = Beat(CHEFS.next_beat_id(), "bowing", "e1", when=When.FINALLY)
    assert [len(moment) for moment in CHEFS.with_beat(last).moments()] == [2, 1, 1]
    assert CHEFS.with_beat(last).without_beat("b4").beats == CHEFS.beats
    assert CHEFS.with_beat(last, at=0).beats[0] is last


def test_locks_protect_the_cast_and_the_fields_computed_from_it() -> None:
    chefs = CHEFS.cast[0]
    older = chefs.with_look(Aspect.AGE, "old")
    assert CHEFS.lock("subject").with_entity(older).subject == "two chefs"
    assert CHEFS.lock("cast").edit({"subject": "a cat"}).subject == "two chefs"
    assert CHEFS.lock("action").without_beat("b1").beats == CHEFS.beats
    house = CHEFS.cast[3].with_look(Aspect.COLOUR, "red")
    assert CHEFS.lock("subject").with_entity(house).entity("e4") == house
    assert CHEFS.lock("cast").edit({"cast": ()}, force=True).cast == ()


def test_a_look_replaces_the_earlier_look_of_its_aspect_in_place() -> None:
    dog = Entity("e1", "dog", "dog", determiner="a").with_look(Aspect.BUILD, "small")
    dog = dog.with_look(Aspect.COLOUR, "orange")
    assert dog.with_look(Aspect.BUILD, "old").name == "an old orange dog"
    assert dog.with_look(Aspect.BUILD, "").with_look(Aspect.COLOUR, "brown").name == "a brown dog"


def test_a_camera_movement_can_be_a_sequence() -> None:
    assert camera_moves("orbit, then push in") == ("orbit", "dolly in")
    assert camera_moves("crane up; pan left then hold still") == (
        "crane up",
        "pan left",
        "hold still",
    )
    assert camera_moves("") == ()


def _with_looks(entity: Entity, *looks: Look) -> Entity:
    return Entity(
        entity.id,
        entity.phrase,
        entity.noun,
        entity.count,
        entity.kind,
        looks,
        determiner=entity.determiner,
        is_lead=entity.is_lead,
    )
