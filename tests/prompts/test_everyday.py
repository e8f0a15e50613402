"""What the composer does with everyday prompts and requests."""

from __future__ import annotations

import pytest

from workbench.prompts.composer.composer import enhance
from workbench.prompts.composer.varying import vary
from workbench.prompts.intents.context import Context
from workbench.prompts.intents.revising import revise
from workbench.scene import Origin, Scene

ROUGH = (
    "dog running",
    "a red car in the rain at night",
    "a horse and a rider",
    "two cats sleeping on a sofa",
    "an old man reading a newspaper in the park",
    "a spaceship landing on mars",
    "ocean waves at sunset",
    "a bowl of soup",
)


@pytest.mark.parametrize("rough", ROUGH)
def test_a_rough_prompt_becomes_60_to_120_words(rough: str) -> None:
    assert 60 <= len(enhance(rough).prompt.split()) <= 120


def test_the_same_seed_writes_the_same_prompt_and_another_seed_another() -> None:
    assert enhance("dog running", seed=3) == enhance("dog running", seed=3)
    assert enhance("dog running", seed=3).prompt != enhance("dog running", seed=4).prompt


def test_what_is_said_is_told_from_what_is_inferred() -> None:
    scene = enhance("a red car driving at night").scene
    assert (scene.subject, scene.action, scene.time_of_day) == ("a red car", "driving", "night")
    assert scene.origin("time_of_day") is Origin.SAID
    assert scene.origin("camera_movement") is Origin.INFERRED


@pytest.mark.parametrize(
    ("request_", "field", "value"),
    [
        ("make it night", "time_of_day", "night"),
        ("add rain", "weather", "rain"),
        ("pan left", "camera_movement", "pan left"),
        ("make it more dramatic", "mood", "dramatic"),
        ("make it look like anime", "style", "anime"),
        ("slow motion please", "pace", "slow motion"),
        ("replace the dog with a cat", "subject", "a cat"),
        ("make him jump", "action", "jumping"),
        ("on a beach", "setting", "a beach"),
        ("give it a red hat", "subject_details", "wearing a red hat"),
    ],
)
def test_a_common_request_sets_its_field(request_: str, field: str, value: str) -> None:
    draft = enhance("dog running", seed=7)
    revision = revise(request_, Context(draft.scene, draft.prompt))
    assert revision.understood
    assert getattr(revision.scene, field) == value
    assert field in {change.field for change in revision.changes}
    assert revision.prompt != draft.prompt


def test_what_is_not_understood_changes_nothing_and_says_what_can_be_asked() -> None:
    draft = enhance("dog running")
    revision = revise("blorp the fnord", Context(draft.scene, draft.prompt))
    assert not revision.understood
    assert (revision.prompt, revision.scene, revision.changes) == (draft.prompt, draft.scene, ())
    assert "make it night" in revision.message


def test_a_locked_field_stays_and_the_message_says_so() -> None:
    draft = enhance("dog running at sunset")
    scene = draft.scene.lock("time_of_day")
    revision = revise("make it night", Context(scene, draft.prompt))
    assert revision.scene.time_of_day == "sunset"
    assert "time of day" in revision.message


def test_variations_are_distinct_keep_the_subject_and_say_what_they_change() -> None:
    draft = enhance("a fox crossing a field")
    made = vary([(draft.prompt, draft.scene)], 7)
    assert len({v.prompt for v in made} | {draft.prompt}) == 8
    for variation in made:
        assert variation.scene.subject == draft.scene.subject
        assert variation.scene.action == draft.scene.action
        assert 2 <= len(variation.changes) <= 4
        assert variation.changes == draft.scene.changes_to(variation.scene)


def test_an_empty_scene_can_be_varied_and_tuned() -> None:
    made = vary([("something", Scene())], 3)
    assert len({v.prompt for v in made}) == 3
    assert revise("make it night", Context(Scene(), "something")).scene.time_of_day == "night"


@pytest.mark.parametrize(
    ("rough", "said"),
    [
        ("coral reef with a turtle swimming", {"subject": "a coral reef", "action": ""}),
        ("a garden with children playing", {"subject": "a garden", "action": ""}),
        ("a man with his dog walking", {"subject": "a man", "action": "walking"}),
        ("cyberpunk city", {"subject": "a cyberpunk city", "style": "cyberpunk"}),
        ("a self-driving car at an intersection", {"subject": "a self-driving car", "action": ""}),
        ("inside a spaceship corridor", {"subject": "", "setting": "a spaceship corridor"}),
        ("in a dark forest at night", {"subject": "", "setting": "a dark forest"}),
        ("a penguin slides on ice", {"subject": "a penguin", "action": "sliding"}),
        ("man riding horse", {"subject": "a man", "action": "riding horse"}),
        ("woman and man dancing", {"subject": "a woman and a man", "action": "dancing"}),
        ("a bridge in rainy Tokyo", {"setting": "rainy Tokyo"}),
        ("a street, third person", {"camera_angle": "over-the-shoulder"}),
        ("I want a video where a fox jumps", {"subject": "a fox", "action": "jumping"}),
        ("make a clip of a car chase", {"subject": "a car chase"}),
        (
            "kitchen scene: someone chopping",
            {"subject": "someone", "action": "chopping", "setting": "a kitchen"},
        ),
        (
            "beach scene with two kids building a sandcastle",
            {"subject": "two kids", "action": "building a sandcastle", "setting": "a beach"},
        ),
        (
            "misty forest, a deer drinking from a stream",
            {"subject": "a deer", "setting": "a misty forest"},
        ),
        ("a busy street scene", {"subject": "a busy street scene", "setting": "a busy street"}),
    ],
)
def test_a_short_idea_is_read_as_it_is_meant(rough: str, said: dict[str, str]) -> None:
    scene = enhance(rough).scene
    read = {f: v for f, v in scene.values().items() if scene.origin(f) is Origin.SAID}
    assert {field: read.get(field, "") for field in said} == said


@pytest.mark.parametrize(
    ("rough", "sentence"),
    [
        ("POV skateboarding down a hill", "A POV shot of someone skateboarding down a hill"),
        ("first-person drive through a city", "A first-person view of a drive through a city"),
        ("inside a cave", "opens inside a cave"),
        ("kitchen scene: someone chopping", "in a kitchen scene"),
        ("walking through an empty mall", "someone walk"),
        ("a person grooming dog", "a dog"),
    ],
)
def test_what_is_short_opens_as_a_sentence(rough: str, sentence: str) -> None:
    texts = [enhance(rough, seed=seed).prompt for seed in range(6)]
    assert all(sentence.lower() in text.lower() for text in texts)


@pytest.mark.parametrize("seed", range(8))
def test_a_sentence_is_shown_as_what_it_shows(seed: int) -> None:
    first = enhance("a penguin slides on ice", seed=seed).prompt.split(". ")[0]
    shown = any(f"{verb} a penguin" in first for verb in ("shows", "frames", "presents", "follows"))
    assert ("sliding" in first) == shown


@pytest.mark.parametrize(
    "rough",
    [
        "Ein Hund läuft am Strand und im Regen",
        "un gato negro durmiendo en el sofá",
        "un homme marche dans la rue",
        "夜晚的东京街道",
    ],
)
def test_another_language_is_kept_and_nothing_invented_against_it(rough: str) -> None:
    draft = enhance(rough)
    assert rough in draft.prompt
    assert rough in draft.message
    unknown = ("setting", "time_of_day", "weather", "lighting", "color_palette", "mood")
    assert not any(getattr(draft.scene, field) for field in unknown)


@pytest.mark.parametrize(
    "rough", ["a scene from Le Mans", "the Los Angeles skyline", "a crème brûlée on a table"]
)
def test_a_foreign_name_does_not_make_a_prompt_foreign(rough: str) -> None:
    assert enhance(rough).message == ""


def test_an_explosion_is_not_calm() -> None:
    assert {enhance("explosion", seed=seed).scene.mood for seed in range(6)} == {"energetic"}


@pytest.mark.parametrize("rough", ["a fox running through the snow", "a wolf running through fog"])
def test_what_runs_through_something_runs_in_a_place_and_not_through_that_too(rough: str) -> None:
    for seed in range(12):
        opening = enhance(rough, seed=seed).prompt.partition(". ")[0]
        assert opening.split().count("through") == 1, opening
