"""The typed actions: their JSON, what they do to a scene, and what locks hold."""

from __future__ import annotations

import pytest

from workbench.actions.carrying import carry_out, held_by_locks
from workbench.actions.model import (
    AddBeat,
    AddEntity,
    EditEntity,
    EditField,
    RemoveEntity,
    Render,
    Vary,
    actions_from,
    as_json,
    renders_asked,
)
from workbench.errors import InvalidRequest
from workbench.scene import Scene

DOG = Scene(subject="a brown dog", action="running", setting="a meadow")


def test_actions_round_trip_through_plain_json() -> None:
    actions = (EditField(field="weather", value="rain"), Render(seeds=2), Vary(count=3))
    told = as_json(actions)
    assert told[0] == {"kind": "edit_field", "field": "weather", "value": "rain"}
    assert actions_from(told) == actions


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ([{"kind": "dance"}], "actions"),
        ([{"kind": "vary"}], "count"),
        ([{"kind": "set_render", "values": {"aspect": "wide"}}], "aspect"),
        ([{"kind": "render", "extra": 1}], "extra"),
    ],
)
def test_an_invalid_action_is_refused_by_field(data: list[dict[str, object]], field: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        actions_from(data)
    assert any(field in problem.field for problem in refused.value.problems)


def test_scene_actions_change_the_cast_and_the_beats() -> None:
    after = carry_out(
        [
            EditEntity(entity="e1", aspect="count", value=2, determiner="two"),
            AddEntity(phrase="cat", determiner="a", id="e2"),
            AddBeat(text="hissing", actor="e2"),
        ],
        DOG,
    )
    assert after.subject == "two brown dogs"
    assert [(beat.text, beat.actor) for beat in after.beats][-1] == ("hissing", "e2")
    gone = carry_out([RemoveEntity(entity="e2")], after)
    assert [entity.id for entity in gone.cast] == ["e1"]
    assert [beat.text for beat in gone.beats] == ["running"]


def test_a_colour_replaces_a_colour_and_a_state_joins_the_others() -> None:
    scene = DOG
    for value, aspect in (("white", "colour"), ("wet", "state"), ("black", "colour")):
        scene = carry_out([EditEntity(entity="e1", aspect=aspect, value=value)], scene)
    assert [look.text for look in scene.cast[0].looks] == ["wet", "black"]


def test_an_unknown_entity_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="no entity 'e9'"):
        carry_out([EditEntity(entity="e9", aspect="colour", value="red")], DOG)
    with pytest.raises(InvalidRequest, match="aspect"):
        carry_out([EditEntity(entity="e1", aspect="taste", value="sour")], DOG)


def test_a_locked_field_is_not_changed_by_an_action() -> None:
    locked = DOG.lock("subject", "weather")
    assert held_by_locks(EditField(field="weather", value="rain"), locked) == ("weather",)
    assert held_by_locks(EditEntity(entity="e1", aspect="count", value=2), locked) == ("subject",)
    assert held_by_locks(AddBeat(text="barking", actor="e1"), locked) == ()


def test_renders_are_counted_before_they_are_started() -> None:
    assert renders_asked(Render(entries=(1, 2), seeds=3)) == 6
    assert renders_asked(Vary(count=5)) == 0
    assert renders_asked(Vary(count=5, render=True)) == 5
