"""Variations: a director's ideas with names; plausible, distinct, told with the user's own words."""

from __future__ import annotations

from random import Random

import pytest

from tests.prompts.labels import own_labels, stem
from workbench.lexicon.words import content_words, sentences
from workbench.prompts.composer.composer import enhance
from workbench.prompts.composer.harmony import clashes
from workbench.prompts.composer.ideas import ideas_for
from workbench.prompts.composer.opening import opening
from workbench.prompts.composer.varying import AXES, vary
from workbench.prompts.markers import add_marker, marker_of, strip_marker
from workbench.prompts.model import Draft, Source
from workbench.prompts.reading.reader import read
from workbench.scene import SCENE_FIELDS, Origin


def _draft(rough: str = "a fox crossing a field") -> Draft:
    return enhance(rough)


def test_every_variation_is_an_idea_with_a_name_and_keeps_who_does_what() -> None:
    for label in own_labels()[::4]:
        draft = enhance(label.prompt)
        made = vary([(draft.prompt, draft.scene)], 5)
        assert len({v.name for v in made}) == len(made), label.prompt
        for one in made:
            assert one.name
            assert one.scene.cast == draft.scene.cast
            assert one.scene.beats == draft.scene.beats
            assert one.changes == draft.scene.changes_to(one.scene)
            assert not set(clashes(one.scene)) - set(clashes(draft.scene))


def test_a_set_reaches_over_several_axes() -> None:
    draft = _draft()
    changed = {c.field for v in vary([(draft.prompt, draft.scene)], 7) for c in v.changes}
    assert len([axis for axis, fields in AXES.items() if changed & set(fields)]) >= 4


def test_a_variation_keeps_the_users_sentences_and_nothing_that_the_composer_had_added() -> None:
    for label in own_labels()[::5]:
        draft = enhance(label.prompt)
        own = set(opening(read(label.prompt)))
        added = set(sentences(draft.prompt)) - own
        for one in vary([(draft.prompt, draft.scene)], 5):
            assert not added & set(sentences(one.prompt)), one.prompt
            if not any(c.field in {"setting", "time_of_day", "weather"} for c in one.changes):
                assert one.prompt.startswith(" ".join(opening(read(label.prompt)))), one.prompt


def test_no_word_of_the_users_is_lost_but_for_the_place_that_is_left() -> None:
    for label in own_labels()[::5]:
        draft = enhance(label.prompt)
        place = content_words(draft.scene.setting)
        for one in vary([(draft.prompt, draft.scene)], 5):
            stems = {stem(word) for word in content_words(one.prompt)}
            said = [word for word in content_words(label.prompt) if word not in place]
            lost = [word for word in said if stem(word) not in stems]
            assert not lost, (label.prompt, one.prompt, lost)


def test_the_look_stays_unless_it_is_asked_for() -> None:
    draft = _draft("two monks playing chess in a courtyard")
    for one in vary([(draft.prompt, draft.scene)], 12):
        assert not {c.field for c in one.changes} & {"style", "color_palette", "mood"}
    styles = vary([(draft.prompt, draft.scene)], 4, axes=["style"])
    assert len({v.scene.style for v in styles}) == 4


def test_another_place_is_offered_where_the_place_was_said_and_is_asked_for() -> None:
    draft = _draft("a chef chopping onions in a kitchen")
    made = vary([(draft.prompt, draft.scene)], 4, axes=["setting"])
    assert len({v.scene.setting for v in made} - {draft.scene.setting}) == 4
    for one in made:
        assert one.scene.setting.removeprefix("a ").removeprefix("the ") in one.prompt
        assert "in a kitchen" not in one.prompt


def test_an_axis_that_cannot_vary_says_why() -> None:
    draft = _draft("dashcam, a cyclist runs a red light")
    made = vary([(draft.prompt, draft.scene)], 2, axes=["camera_angle"])
    assert all("dashcam" in v.message for v in made)
    locked = draft.scene.lock("setting")
    (one,) = vary([(draft.prompt, locked)], 1, axes=["setting"])
    assert "locked" in one.message


def test_a_viewpoint_keeps_its_camera() -> None:
    draft = _draft("first person view, my hands fold a towel")
    for one in vary([(draft.prompt, draft.scene)], 6):
        assert not {c.field for c in one.changes} & {"camera_angle", "camera_movement", "shot_size"}


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
    for axis in AXES:
        fields = {c.field for v in vary(parent, 3, axes=[axis]) for c in v.changes}
        assert fields <= set(AXES[axis])


def test_locked_fields_stay() -> None:
    draft = _draft()
    scene = draft.scene.lock("camera_movement", "mood")
    for made in vary([(draft.prompt, scene)], 7):
        assert made.scene.camera_movement == scene.camera_movement
        assert made.scene.is_locked("mood")


def test_what_the_user_said_is_not_varied_away() -> None:
    draft = _draft("a fox crossing a field at night, pan left, in watercolour")
    for made in vary([(draft.prompt, draft.scene)], 7):
        assert made.scene.time_of_day == "night"
        assert made.scene.camera_movement == "pan left"
        assert made.scene.style == "watercolour"


def test_several_parents_share_the_count() -> None:
    drafts = [_draft(), _draft("a red car in the rain"), _draft("a quiet library")]
    made = vary([(d.prompt, d.scene) for d in drafts], 7)
    assert sorted(sum(v.parent == i for v in made) for i in range(3)) == [2, 2, 3]
    for one in made:
        assert one.scene.subject == drafts[one.parent].scene.subject


def test_texts_to_avoid_are_avoided() -> None:
    draft = _draft()
    parent = [(draft.prompt, draft.scene)]
    first = vary(parent, 5)
    again = vary(parent, 5, avoid=[v.prompt for v in first])
    assert not {v.prompt for v in first} & {v.prompt for v in again}


def test_axes_name_fields_of_a_scene() -> None:
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


def test_where_everything_is_held_the_same_scene_is_told_in_other_words_and_says_so() -> None:
    draft = _draft()
    held = vary([(draft.prompt, draft.scene)], 7, hold=SCENE_FIELDS)
    locked = vary([(draft.prompt, draft.scene.lock(*SCENE_FIELDS))], 7)
    for made in (held, locked):
        assert {v.scene for v in made} == {draft.scene}
        assert len({v.prompt for v in made} | {draft.prompt}) == 8
        assert all(v.message for v in made)


@pytest.mark.parametrize(
    "rough",
    ["dashcam, rain, a cyclist runs a red light", "yeast cells budding, phase contrast",
     "first person view, my hands fold a towel", "lava meets the ocean, drone, dawn",
     "the taste of iron", "close-up of a watchmaker's hands, static shot", "fog",
     "an octopus opens a jar", "two sumo wrestlers"],
)  # fmt: skip
def test_every_scene_gets_seven_ideas_and_none_that_only_says_it_in_other_words(rough: str) -> None:
    draft = _draft(rough)
    made = vary([(draft.prompt, draft.scene)], 7)
    assert not [one.name for one in made if one.name.startswith("In other words")]


@pytest.mark.parametrize(
    "rough", ["a fox crosses a field, pan left", "a robot arm sorts bolts, fixed cam", "close-up of a key"]
)  # fmt: skip
def test_a_camera_that_was_stated_is_never_moved(rough: str) -> None:
    draft = _draft(rough)
    for one in vary([(draft.prompt, draft.scene)], 7):
        changed = {change.field for change in one.changes}
        assert not changed & {"camera_movement", "camera_angle", "shot_size"}, one.name


def test_no_time_of_day_comes_twice_in_a_set() -> None:
    for label in own_labels()[::6]:
        draft = enhance(label.prompt)
        made = vary([(draft.prompt, draft.scene)], 5)
        times = [c.after for one in made for c in one.changes if c.field == "time_of_day"]
        assert len(set(times)) == len(times), label.prompt


def test_a_text_in_another_language_stays_whole_before_the_idea() -> None:
    rough = "ein alter Mann füttert Tauben im Park"
    draft = _draft(rough)
    for one in vary([(draft.prompt, draft.scene)], 5):
        assert one.prompt.startswith(f"{rough}. ")


def test_what_is_eaten_or_shared_is_no_partner_in_the_scene() -> None:
    draft = enhance("two otters share a fish on a river bank")
    made = vary([(draft.prompt, draft.scene)], 12)
    assert not any("fish alone" in one.prompt or "fish at the other" in one.prompt for one in made)
    draft = enhance("two otters chase a heron on a river bank")
    assert any(
        "heron" in one.prompt.partition("bank.")[2]
        for one in vary([(draft.prompt, draft.scene)], 12)
    )


def test_a_look_is_varied_by_whose_it_is_whatever_was_varied_before() -> None:
    """Scenes are equal whatever their provenance; what is remembered of one must not serve another."""
    scene = read("a fox crosses a meadow").scene.edit({"lighting": "neon glow"}, force=True)
    by = {
        who: scene.model_copy(update={"provenance": {**scene.provenance, "lighting": who}})
        for who in (Origin.INFERRED, Origin.SAID)
    }
    assert by[Origin.INFERRED] == by[Origin.SAID]
    for order in (tuple(by), tuple(by)[::-1]):
        lit = {
            who: any(
                idea.axis in {"light", "time"} for idea in ideas_for(by[who], (), (), Random(3))
            )
            for who in order
        }
        assert lit == {Origin.INFERRED: True, Origin.SAID: False}
