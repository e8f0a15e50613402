"""What is read of a text: cast, beats, place, time, camera; where it stands; what was not read."""

from __future__ import annotations

from typing import Final

import pytest

from tests.prompts.labels import MEASURING, Label, measuring_labels, own_labels, score
from workbench.prompts.composer.composer import enhance, scene_of
from workbench.prompts.reading.reader import read
from workbench.scene import Aspect, EntityKind, Origin, When

ENOUGH: Final = {
    "subject": 0.90, "action": 0.80, "setting": 0.75, "time_of_day": 0.95, "weather": 0.95,
    "camera_movement": 0.90, "shot_size": 0.90, "style": 0.85,
}  # fmt: skip
needs_lists = pytest.mark.skipif(
    not MEASURING.is_dir(), reason="the prompt lists for measuring are not beside this checkout"
)


def _check(labels: list[Label]) -> None:
    scores = score((label, scene_of(label.prompt)) for label in labels)
    weak = {n: (round(s.f1, 3), s.misses) for n, s in scores.items() if s.f1 < ENOUGH[n]}
    assert not weak


def test_own_prompts_are_read_as_their_labels_say() -> None:
    labels = own_labels()
    assert len(labels) >= 100
    _check(labels)


@needs_lists
def test_real_prompts_are_read_as_their_labels_say() -> None:
    labels = measuring_labels()
    assert len(labels) >= 150
    _check(labels)


@pytest.mark.parametrize(
    ("prompt", "subject", "action", "setting"),
    [
        ("three women laughing in a cafe", "three women", "laughing", "a cafe"),
        ("dog running", "a dog", "running", ""),
        ("a zorblat frobbing a quux in a glade", "a zorblat", "frobbing a quux", "a glade"),
        ("a car driving through a tunnel", "a car", "driving through a tunnel", "a tunnel"),
        ("boiling an egg", "an egg", "boiling an egg", ""),
        ("kid bails twice then lands it", "a kid", "bailing twice, then landing it", ""),
        ("robot vacuum bumps a chair", "a robot vacuum", "bumping a chair", ""),
    ],
)
def test_who_does_what_where(prompt: str, subject: str, action: str, setting: str) -> None:
    scene = scene_of(prompt)
    assert (scene.subject, scene.action, scene.setting) == (subject, action, setting)


def test_everyone_who_is_named_is_in_the_cast_with_number_kind_and_looks() -> None:
    scene = scene_of("two tired nurses and a small brown dog wait beside an old red tram")
    nurses, dog, tram = scene.cast
    assert (nurses.noun, nurses.count, nurses.kind) == ("nurse", 2, EntityKind.PERSON)
    assert nurses.look(Aspect.STATE) == "tired"
    assert (dog.look(Aspect.BUILD), dog.look(Aspect.COLOUR)) == ("small", "brown")
    assert (tram.kind, tram.look(Aspect.COLOUR), tram.look(Aspect.AGE)) == (
        EntityKind.VEHICLE,
        "red",
        "old",
    )
    assert [entity.is_lead for entity in scene.cast] == [True, True, False]


def test_what_happens_is_read_in_order_with_who_does_it_and_to_what() -> None:
    scene = scene_of("a girl lifts a blue crate, then drops it while a goat watches her")
    girl, crate, goat = scene.cast
    assert [(b.text, b.actor, b.targets, b.when) for b in scene.beats] == [
        ("lifting a blue crate", girl.id, (crate.id,), When.TOGETHER),
        ("dropping it", girl.id, (crate.id,), When.THEN),
        ("watching her", goat.id, (girl.id,), When.WHILE),
    ]
    assert [len(moment) for moment in scene.moments()] == [1, 2]


def test_whoever_acted_goes_on_acting_where_nobody_is_named() -> None:
    scene = scene_of("a plumber kneels, opens a valve, waits")
    assert [b.actor for b in scene.beats] == ["e1", "e1", "e1"]
    assert [b.when for b in scene.beats] == [When.TOGETHER, When.THEN, When.THEN]


def test_one_and_the_other_are_parts_of_the_pair() -> None:
    scene = scene_of("two clowns: one juggles plates while the other rides a unicycle")
    assert [(b.actor, b.part, b.text) for b in scene.beats] == [
        ("e1", "one", "juggling plates"),
        ("e1", "the other", "riding a unicycle"),
    ]


def test_a_relative_clause_tells_what_its_noun_does() -> None:
    scene = scene_of("a robot arm that sorts screws")
    assert scene.cast[0].kind is EntityKind.ROBOT
    assert [(b.actor, b.text) for b in scene.beats] == [("e1", "sorting screws")]


@pytest.mark.parametrize(
    ("prompt", "viewpoint"),
    [
        ("dashcam pov, a truck merges", "dashcam"),
        ("first person view of hands tying a knot", "ego view"),
        ("my hands peel an orange", "ego view"),
        ("cctv footage of an empty lobby", "security camera"),
        ("wrist camera: a gripper takes a nut", "wrist camera"),
        ("fpv drone skims a canal", "drone"),
        ("a drone delivers a parcel", ""),
        ("pollen grains, phase contrast", "microscope"),
    ],
)
def test_whose_eye_it_is(prompt: str, viewpoint: str) -> None:
    assert scene_of(prompt).viewpoint == viewpoint


@pytest.mark.parametrize(
    ("prompt", "field", "value"),
    [
        ("a cat, pan left", "camera_movement", "pan left"),
        ("a chef, camera orbits him then pushes in", "camera_movement", "orbit, then dolly in"),
        ("camera starts on a boot and glides to a face", "camera_movement", "starting on a boot, then gliding to a face"),
        ("a street on a rainy night", "weather", "rain"),
        ("a street on a rainy night", "time_of_day", "night"),
        ("a snow leopard on a rock", "weather", ""),
        ("a woman in an evening gown", "time_of_day", ""),
        ("a harbour, fantasy", "style", "fantasy"),
        ("a beach with no people", "negative_prompt", ""),
        ("an empty lobby, no people", "negative_prompt", "people"),
        ('a neon sign that says "OPEN LATE"', "on_screen_text", "OPEN LATE"),
        ('a boy says "hello" to a cow', "on_screen_text", ""),
        ("a dog outside a bakery", "setting", "outside a bakery"),
    ],
)  # fmt: skip
def test_how_it_is_filmed_and_what_else_is_said(prompt: str, field: str, value: str) -> None:
    assert getattr(scene_of(prompt), field) == value


def test_each_value_knows_the_words_that_it_comes_from() -> None:
    reading = read("a red fox crosses a frozen lake at dawn")
    words = {(one.field, reading.text[one.start : one.end]) for one in reading.said}
    assert ("cast", "a red fox") in words
    assert ("setting", "a frozen lake") in words
    assert ("beats", "crosses a frozen lake at dawn") in words
    assert any(field == "time_of_day" and "dawn" in text for field, text in words)


def test_what_is_hardly_understood_is_kept_word_for_word_and_told() -> None:
    draft = enhance("a goat stands on a rock, zumba glorp the fnord quickly")
    assert "zumba glorp the fnord quickly" in draft.prompt


def test_typing_slips_are_mended_and_told_and_real_words_are_not() -> None:
    draft = enhance("a dog runing in teh park")
    assert (draft.scene.action, draft.scene.setting) == ("running", "the park")
    assert "runing" in draft.message
    kept = "a bandana, a cup of matcha, the beach at Carmel, an umami bento"
    assert enhance(kept).message == ""
    assert all(word in enhance(kept).prompt for word in ("bandana", "matcha", "Carmel", "umami"))


def test_everything_that_is_read_is_marked_as_said() -> None:
    scene = scene_of("a red fox crossing a snowy field at dawn, pan left, in watercolour")
    assert {scene.origin(name) for name in scene.stated()} == {Origin.SAID}


@pytest.mark.parametrize(
    "text", ["!!!", "?", "...", "a", "-", "😀", "1234", "the of and", '"', "''"]
)
def test_scraps_do_not_break_the_reader(text: str) -> None:
    assert read(text).scene is not None
    assert enhance(text).prompt


@pytest.mark.parametrize(
    ("text", "language", "said"),
    [
        ("un perro corre por la playa de noche", "Spanish", {"time_of_day": "night", "setting": "the beach", "subject": "dog"}),
        ("ein Hund rennt im Regen durch den Wald", "German", {"weather": "rain", "setting": "a forest"}),
        ("uma criança dança na chuva", "Portuguese", {"weather": "rain", "action": "dancing"}),
        ("un gatto dorme sul tetto e piove", "Italian", {"subject": "cat", "weather": "rain"}),
        ("le chien qui court dans la rue", "French", {"subject": "dog", "action": "running"}),
        ("雨の夜に猫が走る", "Japanese", {"time_of_day": "night", "weather": "rain", "subject": "cat"}),
        ("夜晚一只狗在街上奔跑", "Chinese", {"time_of_day": "night", "subject": "dog"}),
        ("밤에 고양이가 달리다", "Korean", {"time_of_day": "night", "subject": "cat"}),
        ("रात में कुत्ता दौड़ रहा है", "Hindi", {"time_of_day": "night", "subject": "dog"}),
        ("кот на крыше", "Russian", {}),
    ],
)  # fmt: skip
def test_other_languages_are_kept_word_for_word_and_only_sure_words_are_read(
    text: str, language: str, said: dict[str, str]
) -> None:
    draft = enhance(text)
    assert draft.prompt == text
    assert {name: getattr(draft.scene, name) for name in said} == said
    assert not draft.scene.lighting
    assert not draft.scene.mood
    assert language in draft.message
    assert "WORKBENCH_LANGUAGE_PROVIDER" in draft.message


@pytest.mark.parametrize(
    "text",
    ["a café in Paris", "a man plays la guitarra", "an 80s workout video", "tai chi in a park"],
)
def test_a_foreign_word_does_not_make_a_text_foreign(text: str) -> None:
    assert read(text).language == ""


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Nebbia sul lago, due pescatori in barca, nessuno parla", "Italian"),
        ("perro corriendo", "Spanish"),
        ("hund läuft am strand", "German"),
        ("un chat dort, slow motion", "French"),
    ],
)
def test_a_short_text_is_told_by_its_sure_words(text: str, language: str) -> None:
    assert read(text).language == language
    assert read(text).text == text


def test_a_longer_word_is_not_read_as_the_shorter_one_in_it() -> None:
    assert [e.noun for e in read("一只熊猫在竹林里").scene.cast] == ["panda"]
    assert read("縁側で風鈴が鳴る").scene.weather == ""


def test_a_pronoun_means_nobody_of_the_other_sex() -> None:
    scene = read("a man proposes at a game and she says no").scene
    assert [beat.actor for beat in scene.beats] == ["e1", ""]


@pytest.mark.parametrize(
    ("text", "told"), [("a bus never comes", "not coming"), ("nobody listens", "not listening")]
)
def test_what_never_happens_and_what_nobody_does_is_negated(text: str, told: str) -> None:
    assert [beat.text for beat in read(text).scene.beats] == [told]
