"""Wishes in the user's own words: what is said of the picture stands in the prompt, talk never does."""

from __future__ import annotations

import random
import re

import pytest

from benchmarks.phrases import phrases
from workbench.actions.model import (
    AddBeat,
    EditField,
    Explain,
    GoBack,
    Render,
    RewriteSentence,
    SetRender,
)
from workbench.prompts.composer.composer import enhance, scene_of
from workbench.prompts.intents.context import Context, Landmark
from workbench.prompts.intents.revising import revise
from workbench.prompts.intents.stating import statement
from workbench.prompts.intents.talk import is_talk, is_vague
from workbench.prompts.model import Revision


def revised(start: str, request: str) -> Revision:
    """Return what ``request`` makes of ``start`` as it stands."""
    return revise(request, Context(scene_of(start), start, current=0))


STATED = [
    ("make the walls mint green and the floor dark oak", "The walls are mint green and the floor dark oak."),
    ("the drone should hover for a moment before it lands", "The drone hovers for a moment before it lands."),
    ("can he please hold the map upside down?", "He holds the map upside down."),
    ("i want the old lady to wave at the end", "The old lady waves at the end."),
    ("don't let the glass break", "The glass does not break."),
    ("show the spark travelling along the fuse", "We see the spark travelling along the fuse."),
    ("give him a torn left glove", "He has a torn left glove."),
    ("put a kettle on the stove, steam coming out", "There is a kettle on the stove, steam coming out."),
    ("she needs a helmet, legal insists", "She has a helmet."),
    ("first he knocks, then nobody answers, so he leaves a note", "First he knocks, then nobody answers, so he leaves a note."),
    ("so close you can see every hair", "So close we see every hair."),
    ("the crate must never touch the ground", "The crate never touches the ground."),
    ("copper pipes, peeling paint, one bare bulb", "Copper pipes, peeling paint, one bare bulb."),
    ("its the younger one who finds it", "It is the younger one who finds it."),
]  # fmt: skip


@pytest.mark.parametrize(("said", "stated"), STATED, ids=[said for said, _ in STATED])
def test_a_wish_becomes_a_plain_statement_in_the_users_words(said: str, stated: str) -> None:
    assert statement(said, "a man in a room") == stated


@pytest.mark.parametrize(
    "said",
    [
        "lol the guy on the left looks like my boss",
        "reviewers will say it is staged",
        "that's it, perfect",
        "i saw tomatoes on a stall",
        "you put the dog in the water",
        "right now everything happens at once",
        "the composition is great",
    ],
)
def test_comments_ask_for_nothing(said: str) -> None:
    assert is_talk(said)
    revision = revised("a man on a bench in a park", said)
    assert revision.prompt == "a man on a bench in a park"
    assert any(isinstance(action, Explain) for action in revision.actions)


@pytest.mark.parametrize(
    "said", ["make it better idk", "more oomph", "not quite what i had in mind", "somethings off, fix it"]
)  # fmt: skip
def test_a_wish_without_direction_is_answered_with_three_choices(said: str) -> None:
    assert is_vague(said)
    revision = revised("a knight climbs out of a lake", said)
    assert revision.prompt == "a knight climbs out of a lake"
    assert revision.message.count("“") >= 3


def test_reasons_and_whom_it_is_for_stay_out_of_the_prompt() -> None:
    start = "a can on a table"
    for said, part in (
        ("a hand opens the can, for my daughter's class", "daughter"),
        ("the can is covered in frost because the client sells ice", "client"),
        ("two lemons beside it, i promise that is all", "promise"),
    ):
        prompt = revised(start, said).prompt
        assert part not in prompt
        assert len(prompt) > len(start)


def test_a_denied_event_stays_denied() -> None:
    revision = revised("a girl with a scarf on a bridge", "she never takes it off")
    assert "never takes it off" in revision.prompt


def test_both_halves_of_a_request_are_done() -> None:
    revision = revised(
        "a player shoots at the basket in a gym", "twice as long, the bench storms the court after"
    )
    assert "The bench storms the court after" in revision.prompt
    assert revision.actions[0].kind == "set_render" or revision.actions[-1].kind == "set_render"


def test_the_words_of_a_request_that_names_another_thing_take_its_place() -> None:
    start = "A diver swims past a wreck. A big grouper comes out of the cockpit."
    revision = revised(start, "shark, not grouper")
    assert "shark" in revision.prompt
    assert "grouper" not in revision.prompt


def test_a_loop_is_said_in_one_sentence_and_only_once() -> None:
    start = "ink drops in water"
    first = revised(start, "can it loop so you dont see where it starts")
    assert "loops without a visible seam" in first.prompt
    again = revise("needs to loop", Context(first.scene, first.prompt, current=1))
    assert again.prompt == first.prompt


def test_a_sentence_that_was_told_goes_with_what_it_tells() -> None:
    start = "a robot drives along a street"
    told = revised(start, "a sprinkler is on at the second house, it waits until it swings away")
    assert "sprinkler" in told.prompt
    gone = revise("drop the sprinkler", Context(told.scene, told.prompt, current=1))
    assert "sprinkler" not in gone.prompt


def test_a_dry_road_at_noon_leaves_neither_rain_nor_dusk() -> None:
    draft = enhance("dashcam, rainy highway at dusk, a mattress falls off a truck")
    prompt = revise(
        "same but a dry road at noon", Context(draft.scene, draft.prompt)
    ).prompt.lower()
    assert "rain" not in prompt
    assert "dusk" not in prompt
    assert "dry road" in prompt


def test_each_of_several_commands_becomes_a_sentence() -> None:
    said = "let him hold a red balloon, and give the dog a scarf and have it bark at the ducks"
    prompt = revised("a man on a bench", said).prompt
    for sentence in ("He holds a red balloon.", "The dog has a scarf.", "It barks at the ducks."):
        assert sentence in prompt


LANDMARKS = (
    Landmark(0, None, "", scene_of("soldiers build a bridge")),
    Landmark(1, 0, "make it deep winter", scene_of("soldiers build a bridge in winter")),
    Landmark(2, 1, "add a general", scene_of("soldiers build a bridge, a general watches")),
)


def test_undoing_one_thing_keeps_what_came_after_it() -> None:
    start = "soldiers build a bridge, a general watches"
    context = Context(scene_of(start), start, landmarks=LANDMARKS, current=2)
    (back,) = revise("actually undo the winter, the general can stay", context).actions
    assert back == GoBack(to=1, only=True)


def test_both_of_the_last_two_are_rendered() -> None:
    start = "soldiers build a bridge, a general watches"
    context = Context(scene_of(start), start, landmarks=LANDMARKS, current=2)
    assert revise("render both", context).actions == (Render(entries=(1, 2)),)


FOREIGN = [
    ("un puesto de tacos de noche, el taquero corta la piña, hay clientes esperando",
     "quita a los clientes", "clientes", ""),
    ("Ein Fuchs läuft im Schnee durch ein Dorf", "statt Schnee lieber Herbst", "Schnee", "Herbst"),
    ("清晨的胡同里，有个男孩骑自行车经过", "男孩换成女孩", "男孩", "女孩"),
    ("雨の日の商店街を歩く猫", "首に赤い鈴をつけてください", "ください", "赤い鈴"),
    ("una abuela hace pan en una cocina", "añade un gato dormido en la silla", "añade", "un gato dormido en la silla"),
]  # fmt: skip


@pytest.mark.parametrize(("start", "said", "gone", "there"), FOREIGN, ids=[f[1] for f in FOREIGN])
def test_a_prompt_in_another_language_is_changed_in_that_language(
    start: str, said: str, gone: str, there: str
) -> None:
    prompt = revised(start, said).prompt
    assert gone not in prompt
    assert there.lower() in prompt.lower()


def requests() -> list[tuple[str, str]]:
    """Return several hundred ideas and requests, the same ones on every run."""
    return [(one.start, one.request) for one in random.Random(7).sample(phrases(), 300)]


ADDRESSED = re.compile(
    r"\b(?:please|pls|plz|can you|could you|would you|i want|i need|i'd like|thanks|thank you|render|undo|"
    r"prompt|another seed|i think|lol|make sure)\b|\?",
    re.IGNORECASE,
)


def test_no_written_value_addresses_the_tool_or_asks() -> None:
    wrong = []
    for idea, request in requests():
        for action in revised(idea, request).actions:
            values = []
            if isinstance(action, AddBeat):
                values = [action.text, action.told]
            elif isinstance(action, RewriteSentence):
                values = [action.after]
            elif isinstance(action, EditField) and isinstance(action.value, str):
                values = [action.value]
            wrong += [
                (request, v) for v in values if ADDRESSED.search(v) and not ADDRESSED.search(idea)
            ]
    assert not wrong


REMARKS = [
    "the hat is too big",
    "too fast now, the first try was better",
    "the mouth is creepy",
    "less.",
    "the second one is best",
    "i can't remember what it is called",
]


@pytest.mark.parametrize("said", REMARKS)
def test_a_remark_on_the_result_never_stands_in_the_prompt(said: str) -> None:
    start = "A woman in a hat smiles at a dog."
    revision = revised(start, said)
    assert revision.prompt == start
    assert revision.message


def test_what_is_too_small_is_answered_with_the_opposite() -> None:
    assert (
        "bigger"
        in revised("An ant carries a crumb.", "crumb is too small!! ants are strong").message
    )


def test_a_second_version_is_explained_and_nothing_is_changed() -> None:
    start = "Children climb a tree in autumn."
    revision = revised(start, "also a snowy one, but don't throw away the autumn one, i want both")
    assert revision.prompt == start
    assert "history" in revision.message


def test_what_is_removed_leaves_the_text() -> None:
    revision = revised("A man waits at a bus stop. Shot on Kodachrome film.", "lose the Kodachrome")
    assert "Kodachrome" not in revision.prompt
    assert "bus stop" in revision.prompt


@pytest.mark.parametrize(
    ("start", "said", "values"),
    [
        ("清晨的胡同里，有个男孩骑自行车经过", "十二秒，其他都别变", None),
        ("清晨的胡同里，有个男孩骑自行车经过", "时长改成六秒，别的都不动", {"seconds": 6}),
        ("सुबह की धुंध में एक नाव", "isko 9:16 me kar do", {"aspect": "9:16"}),
    ],
)
def test_a_wish_about_the_render_never_stands_in_a_foreign_prompt(
    start: str, said: str, values: dict[str, object] | None
) -> None:
    revision = revised(start, said)
    assert revision.prompt == start
    set_now = [a.values for a in revision.actions if a.kind == "set_render"]
    if values is not None:
        assert set_now == [values]


def test_another_seed_in_french_is_a_setting() -> None:
    start = "une femme danse dans une cuisine"
    revision = revised(start, "pareil avec une autre graine")
    assert revision.prompt == start
    assert [a.kind for a in revision.actions] == ["set_render"]


def test_a_question_about_what_the_prompt_lacks_is_answered_so() -> None:
    revision = revised("A truck drives past a sign.", "did the umbrella change?")
    assert "umbrella" in revision.message
    assert "sign" not in revision.message


@pytest.mark.parametrize(
    "request_",
    [
        "overfill it",
        "day for night",
        "ccw",
        "Key from a single hard source camera right",
        "i don't want to see whose hand it is",
    ],
)
def test_what_names_nothing_that_can_be_seen_is_refused_with_a_way_on(request_: str) -> None:
    draft = enhance("a fox running through the snow")
    revision = revise(request_, Context(draft.scene, draft.prompt))
    assert revision.prompt == draft.prompt
    assert not revision.changes
    assert "the fox" in revision.message or "For the camera" in revision.message


def test_the_camera_is_named_once_where_it_is_told() -> None:
    draft = enhance("a fox running through the snow")
    told = revise(
        "with the camera following from behind", Context(draft.scene, draft.prompt)
    ).prompt
    assert told.endswith("Camera: following from behind.")


@pytest.mark.parametrize(
    ("request_", "values"),
    [
        ("shorter pls like 4 secs", {"seconds": 4}),
        ("trim it to 4 seconds", {"seconds": 4}),
        ("extend it by 3 seconds", {"seconds": 8}),
        ("2 seconds shorter", {"seconds": 3}),
        ("8 seconds and make it tall for tiktok", {"aspect": "9:16", "seconds": 8}),
        ("it needs to go on my phone, the tall way up", {"aspect": "9:16"}),
        ("2.39 please, not 16:9", {"aspect": "21:9"}),
        ("scope frame, 6 seconds", {"aspect": "21:9", "seconds": 6}),
    ],
)
def test_lengths_and_formats_are_set_in_the_words_people_use(
    request_: str, values: dict[str, object]
) -> None:
    draft = enhance("a fox running through the snow")
    revision = revise(request_, Context(draft.scene, draft.prompt))
    (action,) = revision.actions
    assert isinstance(action, SetRender)
    assert action.values == values
    assert revision.prompt == draft.prompt


def test_several_seeds_are_answered_with_the_way_to_have_them() -> None:
    draft = enhance("a fox running through the snow")
    revision = revise("Same prompt, seeds 11, 12 and 13.", Context(draft.scene, draft.prompt))
    assert not revision.actions
    assert "“seed 11, render it”" in revision.message


@pytest.mark.parametrize(
    ("request_", "seeds"),
    [("one more, don't touch anything", 1), ("do me like four goes at this, same words", 4)],
)
def test_more_of_the_same_is_rendered(request_: str, seeds: int) -> None:
    draft = enhance("a fox running through the snow")
    (action,) = revise(request_, Context(draft.scene, draft.prompt)).actions
    assert isinstance(action, Render)
    assert action.seeds == seeds


@pytest.mark.parametrize("request_", ["go back to 4", "back to 2", "go back to number 12"])
def test_going_back_to_a_number_that_is_not_there_starts_no_render(request_: str) -> None:
    draft = enhance("a fox running through the snow")
    revision = revise(request_, Context(draft.scene, draft.prompt))
    assert not revision.actions
    assert "History" in revision.message


def test_help_names_the_lead_only_where_the_example_speaks_of_one() -> None:
    for idea, named in (
        ("a fox running", "then the fox falls"),
        ("two dogs running", "the … falls"),
    ):
        draft = enhance(idea)
        assert named in revise("blow it out", Context(draft.scene, draft.prompt)).message
