"""What a request would put into a prompt is looked at as English before it is put there."""

from __future__ import annotations

import pytest

from tests.prompts.intents.test_own_words import revised
from workbench.prompts.intents.alike import named_alike
from workbench.prompts.intents.grammar import is_broken

START = "A marble rolls down a ramp and strikes a line of blocks."


@pytest.mark.parametrize(
    "sentence",
    [
        "The food truck stops the rain but keep it wet on the ground.",
        "She gets to the bottom of the letter, fold it really small, don't make her cry.",
        "The flame is go out from lack of oxygen.",
        "The spray is blind us.",
        "There is one little girl who stop and dance.",
        "There is a then pop.",
        "The ball strikes an of twice the diameter.",
        "The first thing was good.",
        "Nobody cares about him, that's funnier.",
        "It is cutting off before the pour finishes.",
        "Everything else is fixed.",
        "Not abandoned, there is a bored teenager at the till.",
        "Less clutter but two brackets are interlocked.",
        "Two of them meets in the hall.",
        "Two girls in goggles pours the vinegar.",
        "We feel it.",
        "It is feathers.",
        "The wheel is overcast, cold.",
        "Only one pencil makes noise so show just that desk.",
        "That one's nice but lets see him with one hand again.",
        "The dentist is not as calm.",
        "Mood: calm it down.",
        "Camera: keep handheld.",
        ": a robot hand threads a shoelace.",
        "tracks alongside the dog.",
        "夜の駅 on the platform an old bench.",
    ],
)
def test_what_is_no_english_about_the_picture_is_told_from_what_is(sentence: str) -> None:
    assert is_broken(START, f"{START} {sentence}")


@pytest.mark.parametrize(
    "sentence",
    [
        "It boils over.",
        "She never takes it off.",
        "The lead vehicle brakes hard at around the midpoint.",
        "There is snow outside.",
        "There is steam rising from the cup.",
        "Left-hand traffic (UK), so circulation is clockwise.",
        "He tears it in half and walks away.",
        "They fumble it a bit but don't drop it.",
        "We never see the camera in the mirrors.",
        "The kids hop, duck and laugh.",
        "The drummer is the only one in focus.",
        "La lona azul del puesto gotea.",
        "夜の駅、雨。",
        "Style: grainy like 16mm.",
        "Shot with a macro lens.",
    ],
)
def test_plain_sentences_stand(sentence: str) -> None:
    assert not is_broken(START, f"{START} {sentence}")


def test_what_stood_there_before_is_nobodys_fault() -> None:
    before = "The first thing was good. Less is more."
    assert not is_broken(before, f"{before} It rains.")


@pytest.mark.parametrize(
    ("prompt", "request_", "named"),
    [
        ("A girl in a yellow raincoat jumps.", "make the coat green", "make the raincoat green"),
        ("A barber trims a small boy.", "kid looks up", "the boy looks up"),
        ("A girl jumps while her father watches.", "lose the dad", "lose the father"),
        ("A cowboy on a horse rides in.", "horse drinks", "the horse drinks"),
        ("A boy and a girl run.", "the kid stops", "the kid stops"),  # two could be meant
        ("A boy runs.", "add a kid beside him", "add a kid beside him"),
        ("A boy runs.", "the kids laugh", "the kids laugh"),
    ],
)
def test_a_request_names_what_the_prompt_names(prompt: str, request_: str, named: str) -> None:
    assert named_alike(request_, prompt) == named


@pytest.mark.parametrize(
    ("start", "request_", "after"),
    [
        ("A golden retriever in a yellow raincoat stands on a jetty.", "make the coat green",
         "A golden retriever in a green raincoat stands on a jetty."),
        ("A girl jumps in puddles while her father watches from a gate.", "get rid of the dad",
         "A girl jumps in puddles."),
        ("Two teenagers eat noodles on a car, a mountain range behind them.",
         "lose the mountain range", "Two teenagers eat noodles on a car."),
        ("A man and a woman dance in the rain.", "remove the woman", "A man dances in the rain."),
        ("A toddler stacks blocks. The cat knocks the tower down.",
         "actually no, the kid knocks it down",
         "A toddler stacks blocks. The toddler knocks the tower down."),
        ("A red car waits. The man is asleep.", "the man is awake",
         "A red car waits. The man is awake."),
        ("A chef cooks, with a waiter standing behind her.", "remove the waiter", "A chef cooks."),
        ("A baker pulls a tray of dark rye loaves from an oven.", "croissants not rye",
         "A baker pulls a tray of dark croissants from an oven."),
        ("A barista draws a leaf in the foam of a latte.", "can the foam say MUM",
         "A barista draws a leaf in the foam of a latte. The foam says MUM."),
        ("A boy runs while a thunderstorm builds.", "lose the storm", "A boy runs."),
        ("Two sisters race trolleys.", "how bout a security guard who comes out to shout",
         "Two sisters race trolleys. There is a security guard who comes out to shout."),
        ("A boxer trains.", "16mm grain, b&w", "A boxer trains. Style: 16mm grain, black and white."),
        ("A violinist plays under a bridge while commuters hurry past.", "what if nobody walks past",
         "A violinist plays under a bridge. Nobody walks past."),
        ("A clown crosses a crosswalk while office workers stare.", "nobody should care about him",
         "A clown crosses a crosswalk. Nobody cares about him."),
    ],
)  # fmt: skip
def test_what_goes_takes_along_what_said_more_of_it(start: str, request_: str, after: str) -> None:
    assert revised(start, request_).prompt == after


def test_what_the_prompt_shows_is_not_kept_out_of_it_at_the_same_time() -> None:
    start = "A chef torches a crust. A blue flame is reflected in her glasses."
    revision = revised(start, "no glasses on her")
    assert revision.prompt == start
    assert not revision.scene.negative_prompt
    assert "glasses" in revision.message


def test_a_sentence_that_begins_with_a_word_that_goes_is_no_stump() -> None:
    revision = revised(
        "16 bit side scroller, a knight jumps across lava.", "8 bit, like an old console"
    )
    assert all(one[:1].isupper() or one[:1].isdigit() for one in revision.prompt.split(". "))


@pytest.mark.parametrize(
    ("start", "request_"),
    [
        ("清晨的胡同里，一位老人提着鸟笼散步", "改成八十年代"),
        ("비 오는 날 포장마차에서 혼자 라면 먹는 남자", "비는 그쳤고 밤이에요"),
        ("Ein Uhrmacher arbeitet, draußen schneit es", "statt dessen lieber ein Gewitter draußen"),
        ("A heron stands in a shallow river.", "no, the other one"),
        ("A dancer stretches alone.", "key light from the right, 3200K"),
    ],
)
def test_what_is_not_understood_changes_neither_text_nor_render(start: str, request_: str) -> None:
    revision = revised(start, request_)
    assert not any(a.kind in {"set_render", "star"} for a in revision.actions)
    assert revision.prompt.startswith(start)
    assert not any(said in revision.prompt for said in ("改成", "그쳤", "statt dessen"))


def test_a_question_about_versions_is_answered_with_their_number() -> None:
    start = "A mule refuses to leave a bakery."
    assert "one prompt" in revised(start, "how many versions do I have now?").message


@pytest.mark.parametrize("request_", ["dont save this one, throw it out", "star that one not this"])
def test_what_is_not_to_be_starred_is_not(request_: str) -> None:
    revision = revised("A mule refuses to leave a bakery.", request_)
    assert not any(a.kind == "star" for a in revision.actions)


def test_a_loop_is_told_and_not_rendered_without_it() -> None:
    assert "loops" in revised("A glacier calves.", "render it loopable").prompt


@pytest.mark.parametrize(
    "request_", ["no widescreen", "no vertical please", "don't want a square video"]
)
def test_a_format_that_is_ruled_out_is_not_set(request_: str) -> None:
    revision = revised("A cat sleeps.", request_)
    assert not any(a.kind == "set_render" for a in revision.actions)
    assert "16:9" in revision.message


def test_a_format_beside_one_that_is_ruled_out_is_set() -> None:
    revision = revised("A cat sleeps.", "not vertical, make it square")
    assert any(a.kind == "set_render" for a in revision.actions)
