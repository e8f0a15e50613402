"""Variations: designed over axes, spread far, plausible, distinct, the same for the same seed."""

from __future__ import annotations

import itertools
from statistics import mean

import pytest

from tests.prompts.labels import own_labels
from workbench.prompts.composer.composer import enhance
from workbench.prompts.composer.harmony import clashes
from workbench.prompts.composer.varying import AXES, distance, vary
from workbench.prompts.intents.context import Context
from workbench.prompts.intents.revising import revise
from workbench.prompts.markers import add_marker, marker_of, strip_marker
from workbench.prompts.model import Draft, Source
from workbench.scene import SCENE_FIELDS


def _draft(rough: str = "a fox crossing a field") -> Draft:
    return enhance(rough)


def test_every_variation_changes_two_to_four_fields_and_keeps_who_does_what() -> None:
    for label in own_labels()[::4]:
        draft = enhance(label.prompt)
        for made in vary([(draft.prompt, draft.scene)], 7):
            assert 2 <= len(made.changes) <= 4, (label.prompt, made.changes)
            assert made.scene.subject == draft.scene.subject
            assert made.scene.action == draft.scene.action
            assert made.changes == draft.scene.changes_to(made.scene)
            assert not set(clashes(made.scene)) - set(clashes(draft.scene))


def test_the_set_reaches_over_many_axes() -> None:
    draft = _draft()
    changed = {c.field for v in vary([(draft.prompt, draft.scene)], 7) for c in v.changes}
    touched = [axis for axis, fields in AXES.items() if changed & set(fields)]
    assert len(touched) >= 5


def test_the_set_spreads_farther_than_any_chance_set() -> None:
    draft = _draft()
    parent = [(draft.prompt, draft.scene)]
    chosen = [draft.scene, *(v.scene for v in vary(parent, 7))]
    nearest = min(distance(a, b) for a, b in itertools.combinations(chosen, 2))
    chance = []
    for seed in range(12):
        singles = [vary(parent, 1, seed=100 * seed + k)[0].scene for k in range(7)]
        pool = [draft.scene, *singles]
        chance.append(min(distance(a, b) for a, b in itertools.combinations(pool, 2)))
    assert nearest >= mean(chance)


def test_distinct_up_to_the_batch_limit() -> None:
    draft = _draft("a bowl of soup")
    made = vary([(draft.prompt, draft.scene)], 63)
    assert len({v.prompt for v in made} | {draft.prompt}) == 64


def test_the_same_seed_gives_the_same_set_and_another_another() -> None:
    draft = _draft()
    parent = [(draft.prompt, draft.scene)]
    assert vary(parent, 5, seed=1) == vary(parent, 5, seed=1)
    assert {v.prompt for v in vary(parent, 5, seed=1)} != {
        v.prompt for v in vary(parent, 5, seed=2)
    }


def test_named_axes_alone_vary_and_held_fields_stay() -> None:
    draft = _draft()
    parent = [(draft.prompt, draft.scene)]
    camera = vary(parent, 6, axes=["camera", "pace"])
    assert {c.field for v in camera for c in v.changes} <= {*AXES["camera"], *AXES["pace"]}
    held = vary(parent, 6, hold=["style", "time_of_day", "lighting"])
    assert not {c.field for v in held for c in v.changes} & {"style", "time_of_day", "lighting"}


def test_locked_fields_stay() -> None:
    draft = _draft()
    scene = draft.scene.lock("camera_movement", "mood")
    for made in vary([(draft.prompt, scene)], 7):
        assert made.scene.camera_movement == scene.camera_movement
        assert made.scene.mood == scene.mood
        assert made.scene.is_locked("mood")


def test_what_the_user_said_is_not_varied_away() -> None:
    draft = _draft("a fox crossing a field at night, pan left, in watercolour")
    for made in vary([(draft.prompt, draft.scene)], 7):
        assert made.scene.time_of_day == "night"
        assert made.scene.camera_movement == "pan left"
        assert made.scene.style == "watercolour"


def test_no_snow_at_the_beach_party_unless_asked() -> None:
    draft = _draft("a beach party")
    weather = {v.scene.weather for v in vary([(draft.prompt, draft.scene)], 30)}
    assert not weather & {"snow", "blizzard", "hail"}
    indoors = _draft("a chef cutting onions in a kitchen")
    assert {v.scene.weather for v in vary([(indoors.prompt, indoors.scene)], 20)} == {""}


def test_several_parents_share_the_count() -> None:
    drafts = [_draft(), _draft("a red car in the rain"), _draft("a quiet library")]
    made = vary([(d.prompt, d.scene) for d in drafts], 7)
    shares = [sum(v.parent == i for v in made) for i in range(3)]
    assert sorted(shares) == [2, 2, 3]
    for one in made:
        assert one.scene.subject == drafts[one.parent].scene.subject


def test_texts_to_avoid_are_avoided() -> None:
    draft = _draft()
    parent = [(draft.prompt, draft.scene)]
    first = vary(parent, 5)
    again = vary(parent, 5, avoid=[v.prompt for v in first])
    assert not {v.prompt for v in first} & {v.prompt for v in again}


def test_each_text_says_what_its_scene_says() -> None:
    draft = _draft()
    for made in vary([(draft.prompt, draft.scene)], 7):
        for change in made.changes:
            words = str(change.after).lower().split()
            if change.field in {"mood", "style", "lighting", "time_of_day", "camera_movement"}:
                assert any(w.rstrip("s")[:5] in made.prompt.lower() for w in words), change
    assert set(AXES) >= {"camera", "light", "time", "mood", "style", "pace", "setting"}
    assert {f for fields in AXES.values() for f in fields} <= set(SCENE_FIELDS)


@pytest.mark.parametrize("source", [Source.FALLBACK, Source.SUBSTITUTE, Source.EMERGENCY])
def test_markers_trail_and_come_off_again(source: Source) -> None:
    marked = add_marker("A dog runs.", source)
    assert marked.startswith("A dog runs. (")
    assert f"({source.value}" in marked
    assert marker_of(marked) is source
    assert strip_marker(marked) == "A dog runs."
    assert strip_marker(add_marker(marked, source)) == "A dog runs."


def test_a_parenthesis_of_the_users_own_is_no_marker() -> None:
    assert strip_marker("A person petting an animal (not a cat)") == (
        "A person petting an animal (not a cat)"
    )
    assert add_marker("A dog runs.", Source.PROVIDER) == "A dog runs."


def test_what_was_tuned_is_not_varied_away() -> None:
    draft = _draft()
    tuned = revise("make it night and set the mood to eerie", Context(draft.scene, draft.prompt))
    for made in vary([(tuned.prompt, tuned.scene)], 7):
        assert (made.scene.time_of_day, made.scene.mood) == ("night", "eerie")


def test_where_everything_is_held_other_words_are_found_for_the_same_scene() -> None:
    draft = _draft()
    held = vary([(draft.prompt, draft.scene)], 7, hold=SCENE_FIELDS)
    locked = vary([(draft.prompt, draft.scene.lock(*SCENE_FIELDS))], 7)
    for made in (held, locked):
        assert {v.scene for v in made} == {draft.scene}
        assert len({v.prompt for v in made} | {draft.prompt}) == 8
        assert not any("Take" in v.prompt for v in made)
        assert all(40 <= len(v.prompt.split()) <= 130 for v in made)


def test_one_axis_alone_serves_a_whole_batch() -> None:
    draft = _draft()
    made = vary([(draft.prompt, draft.scene)], 40, axes=["mood"])
    assert len({v.prompt for v in made} | {draft.prompt}) == 41
    assert {c.field for v in made for c in v.changes} == {"mood"}


def test_a_scene_that_clashes_by_the_users_own_will_is_varied_like_any_other() -> None:
    draft = _draft("a fox crossing a field at night")
    scene = draft.scene.edit({"lighting": "sunlight"}).lock("lighting", "time_of_day")
    made = vary([(draft.prompt, scene)], 7)
    assert all(2 <= len(v.changes) <= 4 for v in made)
    assert {v.scene.lighting for v in made} == {"sunlight"}
    assert not {v.scene.weather for v in made} & {"hail", "blizzard", "dust storm"}
