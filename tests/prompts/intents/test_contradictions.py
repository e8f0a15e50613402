"""A statement takes the place of what it contradicts, and no fragment is ever added."""

from __future__ import annotations

import pytest

from workbench.lexicon.words import sentences
from workbench.prompts.composer.composer import scene_of
from workbench.prompts.intents.context import Context
from workbench.prompts.intents.revising import revise
from workbench.prompts.intents.soundness import whole_sentence


def _tuned(start: str, request: str) -> str:
    return revise(request, Context(scene_of(start), start, current=0)).prompt


@pytest.mark.parametrize(
    ("start", "request_", "there", "gone"),
    [
        (
            "A keeper climbs the stairs. The camera follows from below as his shadow moves.",
            "camera should be above him looking down instead",
            "The camera is above him looking down as his shadow moves.",
            "from below",
        ),
        (
            "A robot arm stacks three blue cubes on a white table.",
            "middle cube green pls",
            "three cubes, the middle one green and the others blue, on a white table",
            "three blue cubes",
        ),
        (
            "A boy ties the rope to a bollard.",
            "the boy should be a girl, about 10",
            "A girl ties the rope to a bollard. The girl is about 10.",
            "boy",
        ),
        (
            "A rider weaves through stalled traffic in the city.",
            "the traffic is moving slowly",
            "moving traffic",
            "stalled",
        ),
        (
            'A board in a classroom reads "EXAM TODAY".',
            'change the text to "NO CLASS"',
            '"NO CLASS"',
            "EXAM TODAY",
        ),
        (
            "A teenage boy teaches his grandfather to skate. The grandfather wobbles.",
            "swap them",
            "A grandfather teaches his teenage boy to skate. The teenage boy wobbles.",
            "A teenage boy teaches",
        ),
        (
            "The left gripper drops its corner on the first try.",
            "make it the right one",
            "The right gripper drops its corner on the first try.",
            "left",
        ),
    ],
)
def test_what_a_statement_contradicts_gives_way(
    start: str, request_: str, there: str, gone: str
) -> None:
    prompt = _tuned(start, request_)
    assert there in prompt
    assert gone not in prompt


@pytest.mark.parametrize(
    "request_",
    [
        "it should pop", "reverse it", "like honey", "for phones", "empty it", "steam era",
        "can the one with the hat hesitate a beat before he charges",
    ],
)  # fmt: skip
def test_orders_questions_and_fragments_stay_out_of_the_prompt(request_: str) -> None:
    start = "A man rides a horse along a beach."
    assert len(sentences(_tuned(start, request_))) == 1


@pytest.mark.parametrize(
    ("said", "whole"),
    [
        ("the middle cube green", "the middle cube is green"),
        ("all cars parked", "all cars are parked"),
        ("inside dead calm", "inside it is dead calm"),
        ("50s, short grey hair", "the woman is in her 50s, with short grey hair"),
        ("he laugh", "he laughs"),
        ("only the farmer and his ducks", "only the farmer and his ducks are seen"),
        ("the taller one pours", "the taller one pours"),
        ("only hands and wok", "only hands and wok are seen"),
        ("last one snaps tight", "last one snaps tight"),
        ("as well as 16:9", ""),
        ("slow the brushes down", ""),
        ("it is the right one", ""),
    ],
)
def test_a_fragment_is_made_whole_or_refused(said: str, whole: str) -> None:
    prompt = "A woman and a farmer with ducks look at three cubes and cars."
    assert whole_sentence(said, prompt, "the woman") == whole


@pytest.mark.parametrize(
    ("start", "request_", "there"),
    [
        (
            "A mechanic slides out from under a car and wipes his hands on a rag.",
            "woman mechanic",
            "A woman mechanic slides out from under a car and wipes her hands on a rag.",
        ),
        (
            "A robot folds a grey T-shirt on a table.",
            "shirt -> striped towel",
            "striped towel on a table",
        ),
        (
            "A pot of milk warms until it foams up.",
            "stop right before it spills",
            "The shot ends right before it spills.",
        ),
        (
            "A woman waits in a small cinema. The camera follows from behind.",
            "raise the camera to the height of her eyes",
            "The camera is at the height of her eyes.",
        ),
        (
            "A woman waits in a small cinema.",
            "sit her on the back row",
            "She sits on the back row.",
        ),
        (
            "Brushes sweep the windscreen and foam slides down the glass.",
            "more colourful foam, and slow the brushes down",
            "The foam is more colourful. The brushes move slowly.",
        ),
        (
            "A man carries a birdcage out of a doorway. Neighbours watch from the street.",
            "empty the street",
            "The street is empty.",
        ),
    ],
)
def test_both_halves_are_done_and_pronouns_follow(start: str, request_: str, there: str) -> None:
    assert there in _tuned(start, request_)
