"""The scene: values and where they came from, differences in words, locks, merging, schema."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from workbench.scene import (
    LIST_FIELDS,
    SCENE_FIELDS,
    Change,
    Origin,
    Scene,
    canonical_term,
    terms,
    vocabulary,
)

DOG = Scene(subject="a dog", action="running", time_of_day="midday", details=("a kite",))


def test_scenes_are_equal_when_their_values_are_wherever_they_came_from() -> None:
    said = Scene().edit({"mood": "calm"}, origin=Origin.SAID)
    chosen = Scene().edit({"mood": "calm"}, origin=Origin.INFERRED)
    assert said == chosen
    assert hash(said) == hash(chosen)
    assert said != chosen.edit({"lens": "50mm lens"})
    assert Scene.empty() == Scene()
    assert Scene.empty().model_dump() == Scene().model_dump()


def test_every_difference_is_a_plain_sentence() -> None:
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


def test_an_edit_knows_where_it_came_from_and_an_empty_value_from_nowhere() -> None:
    scene = DOG.edit({"mood": "calm"}, origin=Origin.SAID)
    assert scene.origin("mood") is Origin.SAID
    assert scene.origin("subject") is None
    assert scene.edit({"mood": ""}).origin("mood") is None
    assert DOG.origin("mood") is None, "an edit leaves the scene that it is made of alone"


def test_an_edit_checks_and_cleans_as_the_making_of_a_scene_does() -> None:
    assert DOG.edit({"subject": "  a cat "}).subject == "a cat"
    assert DOG.edit({"details": ["a ball", " a kite "]}).details == ("a ball", "a kite")
    with pytest.raises(ValidationError):
        DOG.edit({"subject": 7})
    with pytest.raises(ValidationError):
        DOG.edit({"details": (7,)})
    with pytest.raises(KeyError, match="colour_of_the_wind"):
        DOG.edit({"colour_of_the_wind": "blue"})


@pytest.mark.parametrize("name", SCENE_FIELDS)
def test_a_lock_holds_every_kind_of_field_until_it_is_freed(name: str) -> None:
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


def test_merging_lays_what_is_stated_over_and_keeps_its_origin() -> None:
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


def test_fields_can_take_back_the_origins_that_they_had() -> None:
    before = DOG.edit({"mood": "calm"}, origin=Origin.SAID)
    held = before.lock("mood", "subject").with_origins_of(before, ["mood", "subject"])
    assert held.origin("mood") is Origin.SAID
    assert held.origin("subject") is None


def test_a_scene_comes_back_from_json_as_it_was_and_knows_its_schema() -> None:
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


def test_every_phrase_of_a_field_stands_under_one_term() -> None:
    for field, table in vocabulary().items():
        said = [(p.lower(), term) for term, others in table.items() for p in (term, *others)]
        assert len(dict(said)) == len(set(said)), field
        assert all(canonical_term(field, term.upper()) == term for term in terms(field))
    assert canonical_term("camera_movement", "vertigo effect") == "dolly zoom"
    assert canonical_term("subject", "a dog") is None
