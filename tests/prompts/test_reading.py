"""How well the composer understands what people write, measured against labels made by hand."""

from __future__ import annotations

import pytest

from tests.prompts.labels import MEASURING, Label, measuring_labels, own_labels, score
from workbench.prompts.composer.composer import enhance, scene_of
from workbench.prompts.composer.reading import read
from workbench.scene import Origin

ENOUGH = 0.90
needs_lists = pytest.mark.skipif(
    not MEASURING.is_dir(), reason="the prompt lists for measuring are not beside this checkout"
)


def _check(labels: list[Label]) -> None:
    scores = score((label, scene_of(label.prompt)) for label in labels)
    weak = {name: (round(s.f1, 3), s.misses) for name, s in scores.items() if s.f1 < ENOUGH}
    assert not weak


def test_own_prompts_are_read_as_their_labels_say() -> None:
    labels = own_labels()
    assert len(labels) >= 100
    _check(labels)


@needs_lists
def test_real_prompts_are_read_as_their_labels_say() -> None:
    labels = measuring_labels()
    assert len(labels) >= 150
    assert {label.name.split(":")[0] for label in labels} == {"vbench_category", "vbench_dimension"}
    _check(labels)


@pytest.mark.parametrize(
    ("prompt", "subject", "action", "setting"),
    [
        ("a horse and a rider", "a horse and a rider", "", ""),
        ("three women laughing in a cafe", "three women", "laughing", "a cafe"),
        ("a tranquil tableau of a bowl", "a bowl", "", ""),
        ("dog running", "a dog", "running", ""),
        ("a zorblat frobbing a quux in a glade", "a zorblat", "frobbing a quux", "a glade"),
        ("a car driving through a tunnel", "a car", "driving through a tunnel", "a tunnel"),
        ("boiling an egg", "", "boiling an egg", ""),
    ],
)
def test_who_does_what_where(prompt: str, subject: str, action: str, setting: str) -> None:
    scene = scene_of(prompt)
    assert (scene.subject, scene.action, scene.setting) == (subject, action, setting)


@pytest.mark.parametrize(
    ("prompt", "field", "term"),
    [
        ("a cat, pan left", "camera_movement", "pan left"),
        ("the camera slowly pans left across a beach", "camera_movement", "pan left"),
        ("drone view of a village", "camera_angle", "aerial view"),
        ("drone footage of a village", "camera_movement", "drone shot"),
        ("a cat in the style of Van Gogh", "style", "expressionism"),
        ("a cat in the style of Rothko", "style", "Rothko"),
        ("a street on a rainy night", "weather", "rain"),
        ("a street on a rainy night", "time_of_day", "night"),
        ("a snow leopard on a rock", "weather", ""),
        ("a woman in an evening gown", "time_of_day", ""),
        ("a beach with no people", "negative_prompt", "people"),
    ],
)
def test_how_it_is_filmed(prompt: str, field: str, term: str) -> None:
    assert getattr(scene_of(prompt), field) == term


def test_typing_slips_are_mended_and_told() -> None:
    draft = enhance("a dog runing in teh park")
    assert (draft.scene.action, draft.scene.setting) == ("running", "the park")
    assert "runing" in draft.message


def test_words_that_no_lexicon_knows_are_kept_as_they_are() -> None:
    draft = enhance("a zorblat frobbing a quux")
    assert {"zorblat", "quux"} <= set(draft.prompt.lower().replace(",", "").split())
    assert draft.message == ""


@pytest.mark.parametrize("prompt", ["кот на крыше", "一只猫在屋顶上", "قطة على السطح"])
def test_other_scripts_are_kept_and_the_user_is_told(prompt: str) -> None:
    draft = enhance(prompt)
    assert prompt in draft.prompt
    assert prompt.split(maxsplit=1)[0] in draft.message


def test_everything_that_is_read_is_marked_as_said() -> None:
    scene = scene_of("a red fox crossing a snowy field at dawn, pan left, in watercolour")
    assert {scene.origin(name) for name in scene.stated()} == {Origin.SAID}


def test_four_thousand_characters_of_plot_are_kept_word_for_word() -> None:
    line = "Mara climbs the old tower while the bells ring over the harbour and the gulls scatter."
    plot = " ".join(f"{line[:-1]} {i}." for i in range(45))[:4_000].rsplit(".", 1)[0] + "."
    draft = enhance(plot)
    for sentence in plot.split(". ")[1:-1]:
        assert sentence in draft.prompt


@pytest.mark.parametrize("text", ["!!!", "?", "...", "a", "-", "😀", "1234", "the of and"])
def test_scraps_do_not_break_the_reader(text: str) -> None:
    assert read(text).scene is not None
    assert enhance(text).prompt


def test_a_prompt_that_the_composer_wrote_is_read_back_as_its_scene() -> None:
    wrong: dict[str, int] = {}
    labels = own_labels()
    for label in labels:
        draft = enhance(label.prompt)
        found = scene_of(draft.prompt)
        for name in ("lighting", "mood", "style", "camera_movement", "time_of_day", "lens"):
            if getattr(found, name) != getattr(draft.scene, name):
                wrong[name] = wrong.get(name, 0) + 1
    assert sum(wrong.values()) <= 0.02 * 6 * len(labels), wrong
