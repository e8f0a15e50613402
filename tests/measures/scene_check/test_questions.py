"""Questions come from the scene alone, each with its field; changing one field changes only its own."""

from __future__ import annotations

import pytest

from workbench.cast import Aspect, Beat, Entity, EntityKind, Look, When
from workbench.measures.scene_check.model import CheckAnswer, SceneCheck, Verdict
from workbench.measures.scene_check.questions import MOST_QUESTIONS, Question, questions_of
from workbench.scene import SCENE_FIELDS, Scene, terms

FOXES = Entity(
    "e1",
    "foxes",
    "fox",
    2,
    EntityKind.ANIMAL,
    looks=(Look(Aspect.COLOUR, "red"),),
    position="on the left",
    determiner="two",
    is_lead=True,
)
BALL = Entity("e2", "ball", "ball", determiner="a")
SCENE = Scene(
    cast=(FOXES, BALL),
    beats=(
        Beat("b1", "jumping", "e1"),
        Beat("b2", "falling", "e2", when=When.THEN),
    ),
    setting="a bridge",
    time_of_day="night",
    weather="rain",
    camera_movement="pan left",
    style="film noir",
    on_screen_text="SALE",
    details=("a lantern", "wet stones"),
    negative_prompt="people, cars",
)


def _asked(scene: Scene) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for question in questions_of(scene):
        found.setdefault(question.field, []).append(question.text)
    return found


def test_every_part_of_a_scene_is_asked_for_under_its_field() -> None:
    assert _asked(SCENE) == {
        "subject": ["Are there any foxes?", "Are there two foxes?"],
        "subject_details": ["Are the foxes red?"],
        "cast": ["Are the foxes on the left?", "Is there a ball?"],
        "action": [
            "Are the foxes jumping?",
            "Is the ball falling?",
            "Does this come first: two foxes jumping; and only then: a ball falling?",
        ],
        "setting": ["Does it take place here: a bridge?"],
        "time_of_day": ["Is the time of day night?"],
        "weather": ["Is the weather rain?"],
        "style": ["Is the visual style this: film noir?"],
        "camera_movement": ["Does the camera move like this: pan left?"],
        "on_screen_text": ["Can these words be read in the picture: SALE?"],
        "details": ["Can this be seen: a lantern?", "Can this be seen: wet stones?"],
        "negative_prompt": [
            "Is the picture free of this: people?",
            "Is the picture free of this: cars?",
        ],
    }


def test_a_name_that_began_its_sentence_is_small_in_a_question() -> None:
    scene = Scene(cast=(Entity("e1", "kite", "kite", 1, determiner="A", is_lead=True),))
    assert [question.text for question in questions_of(scene)] == ["Is there a kite?"]


def test_an_empty_scene_asks_for_nothing() -> None:
    assert questions_of(Scene()) == ()


def test_a_scene_of_hundreds_of_details_asks_a_bounded_number_of_short_questions() -> None:
    scene = SCENE.edit({"details": tuple(f"thing {n} " + "x" * 500 for n in range(300))})
    asked = questions_of(scene)
    assert len(asked) == MOST_QUESTIONS
    assert max(len(question.text) for question in asked) <= 200
    assert asked[0].field == "subject"


def _check(asked: tuple[Question, ...], shown: Scene) -> SceneCheck:
    """Check a video that shows the scene ``shown`` by a model that makes no mistake."""
    there = {question.text for question in questions_of(shown)}
    answers = [
        CheckAnswer(
            field=q.field,
            question=q.text,
            wanted=q.wanted,
            verdict=Verdict.YES if q.text in there else Verdict.NO,
        )
        for q in asked
    ]
    return SceneCheck(video="", answers=tuple(answers))


@pytest.mark.parametrize("field", [field for field in SCENE_FIELDS if terms(field)])
def test_a_video_of_another_value_loses_that_fields_verdict_and_no_other(field: str) -> None:
    values = terms(field)
    assert len(values) > 1
    for value, other in zip(values, [*values[1:], values[0]], strict=True):
        scene = SCENE.edit({field: value})
        asked = questions_of(scene)
        shown = _check(asked, scene)
        assert set(shown.verdicts.values()) == {Verdict.YES}
        changed = _check(asked, scene.edit({field: other}))
        lost = {f for f, verdict in changed.verdicts.items() if verdict is not Verdict.YES}
        assert lost == {field}, (value, other)
        (lost_one,) = changed.missing
        assert value in lost_one.wanted


def test_a_summary_counts_names_what_is_missing_and_says_what_is_not_known() -> None:
    said = [Verdict.YES, Verdict.YES, Verdict.PARTLY, Verdict.NO, Verdict.UNKNOWN]
    answers = tuple(
        CheckAnswer(field=f"f{n}", question=str(n), wanted=f"thing {n}", verdict=verdict)
        for n, verdict in enumerate(said)
    )
    check = SceneCheck(video="", answers=answers)
    assert check.summary == "2 of 5 asked for; missing: thing 2 (partly), thing 3; 1 unknown"
    assert check.request == "make sure that this shows: thing 2, thing 3"
    assert SceneCheck(video="", answers=answers[:2]).request == ""


def test_a_field_with_mixed_answers_is_partly_there_and_unknown_counts_for_neither() -> None:
    def of(*verdicts: Verdict) -> Verdict:
        answers = tuple(
            CheckAnswer(field="details", question=str(n), wanted="", verdict=verdict)
            for n, verdict in enumerate(verdicts)
        )
        return SceneCheck(video="", answers=answers).verdicts["details"]

    assert of(Verdict.YES, Verdict.NO) is Verdict.PARTLY
    assert of(Verdict.YES, Verdict.UNKNOWN) is Verdict.YES
    assert of(Verdict.UNKNOWN, Verdict.UNKNOWN) is Verdict.UNKNOWN
