"""Requests in people's words end in the right actions, and in nothing where they are not sure."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from tests.prompts.intents.asked import Asked, asked, signature
from workbench.actions.model import (
    AddEntity,
    EditEntity,
    Explain,
    GoBack,
    NotUnderstood,
    Propose,
    Render,
    Vary,
)
from workbench.prompts.composer.composer import NAME, scene_of
from workbench.prompts.conversation import Host, proposed
from workbench.prompts.entries import entry
from workbench.prompts.intents.context import Context, Landmark
from workbench.prompts.intents.revising import revise
from workbench.prompts.model import EntryKind, Revision, Turn
from workbench.prompts.sessions import Sessions
from workbench.settings import Settings

PAIR = "a man and a woman dancing in a ballroom"


def _after(start: str, *requests: str) -> Revision:
    """Return what the last of several requests makes of ``start``, each on top of the other."""
    context = Context(scene_of(start), start, current=0)
    revision = Revision(start, context.scene, (), True, "", NAME)
    turns: list[Turn] = []
    for request in requests:
        focus = tuple(
            a.entity for a in (turns[-1].actions if turns else ()) if isinstance(a, EditEntity)
        )
        context = replace(
            context, scene=revision.scene, prompt=revision.prompt, turns=tuple(turns), focus=focus
        )
        revision = revise(request, context)
        turns.append(Turn(request, revision.actions, entry=len(turns) + 1))
    return revision


@pytest.mark.parametrize("one", asked(), ids=lambda one: f"{one.start[:12]}: {one.request}")
def test_a_request_ends_in_its_actions_and_the_text_follows(one: Asked) -> None:
    revision = revise(one.request, one.context)
    assert signature(revision.actions) == one.actions
    assert revision.prompt == (one.prompt or one.start)


@pytest.mark.parametrize(
    "request_",
    ["the man should be black", "make the woman white", "white balance warmer", "the brown bag"],
)
def test_people_are_never_recoloured(request_: str) -> None:
    after = revise(request_, Context(scene_of(PAIR), PAIR)).scene
    people = [entity for entity in after.cast if entity.id in {"e1", "e2"}]
    assert not [look for entity in people for look in entity.looks if look.aspect == "colour"]


def test_black_and_white_is_a_style() -> None:
    revision = revise("make it black and white", Context(scene_of(PAIR), PAIR))
    assert revision.scene.style == "black and white"


def test_a_correction_gives_the_last_change_another_value() -> None:
    revision = _after("a red car in front of a house", "make the car blue", "no, actually green")
    assert revision.scene.cast[0].name == "a green car"
    assert "blue" not in revision.prompt


def test_the_missed_half_of_a_request_is_named_as_it_was_typed() -> None:
    start = "a dog running on a beach"
    revision = revise("make it night and flurb the Grobnik", Context(scene_of(start), start))
    assert revision.scene.time_of_day == "night"
    assert "flurb the Grobnik" in revision.message
    assert [a.words for a in revision.actions if isinstance(a, NotUnderstood)]


def test_a_question_is_answered_and_changes_nothing() -> None:
    start = "a dog running on a beach in the rain"
    revision = revise("is it raining?", Context(scene_of(start), start))
    (answer,) = revision.actions
    assert isinstance(answer, Explain)
    assert answer.answer.startswith("Yes")
    assert (revision.prompt, revision.changes) == (start, ())


def test_another_language_is_named_as_the_reason() -> None:
    start = "a dog running on a beach"
    said = "y que entre el nieto y la vea desde la puerta"
    revision = revise(said, Context(scene_of(start), start))
    assert not revision.understood
    assert "language model" in revision.message


def test_before_the_rain_is_the_prompt_from_which_rain_was_asked() -> None:
    start = "a dog running on a beach"
    scene = scene_of(start)
    wet = scene.edit({"weather": "rain"})
    landmarks = (
        Landmark(0, None, "", scene),
        Landmark(1, 0, "add rain", wet),
        Landmark(2, 1, "make it night", wet.edit({"time_of_day": "night"})),
    )
    context = Context(landmarks[2].scene, start, landmarks=landmarks, current=2)
    (back,) = revise("go back to before the rain", context).actions
    assert isinstance(back, GoBack)
    assert back.to == 0


def test_more_than_eight_renders_are_proposed() -> None:
    revision = Revision("a", scene_of("a dog"), (), True, "", NAME, actions=(Render(seeds=9),))
    base = entry(EntryKind.GIVEN, "a dog", scene_of("a dog"), provider=NAME)
    host = Host()
    (proposal,) = proposed(revision, base, host).actions
    assert isinstance(proposal, Propose)
    assert proposal.renders == 9
    few = replace(revision, actions=(Render(seeds=8), Vary(count=30)))
    assert proposed(few, base, host) == few


def test_nothing_is_added_for_words_that_name_no_thing() -> None:
    start = "a dog running on a beach"
    for said in ("client wants it better", "asdf qwer", "the vibe is off", "hmm", "a go back"):
        actions = revise(said, Context(scene_of(start), start)).actions
        assert not [a for a in actions if isinstance(a, AddEntity)], said


def test_a_proposal_is_confirmed_in_words(tmp_path: Path) -> None:
    settings = Settings(outputs=tmp_path / "outputs", language_provider="builtin")
    sessions = Sessions(settings)

    async def talk() -> list[Revision]:
        session_id, _ = await sessions.enhance("a dog running on a beach")
        return [(await sessions.update(session_id, said))[0] for said in ("9 seeds", "yes please")]

    proposal, started = asyncio.run(talk())
    sessions.close()
    assert [action.kind for action in proposal.actions] == ["propose"]
    assert started.actions == (Render(seeds=9),)


NOT_SEEN = [
    ("a robot arm on a bench", "more premium"),
    ("a man on a bench", "cheers, thats the one"),
    ("a man on a bench", "Good. And now the other"),
    ("two old fishermen mending nets on a quay", "the cap on the other one instead"),
    ("a worker walks across a hall", "seeds 1 to 4"),
    ("a clerk behind a counter", "i want it to smell of lavender"),
    ("a knight fights a crab", "can you see his face?"),
    ("a tall tower of blocks", "I need the control clip first"),
]
"""Words that name nothing to be seen, or leave some unread."""


@pytest.mark.parametrize(("start", "request_"), NOT_SEEN, ids=lambda one: str(one)[:30])
def test_what_cannot_be_seen_or_read_to_its_end_changes_nothing(start: str, request_: str) -> None:
    revision = _after(start, request_)
    assert revision.prompt == start


@pytest.mark.parametrize(
    ("request_", "signed"),
    [
        ("seed 77, 3 versions", "set_render values={'seed': 77}; vary count=3"),
        ("10 Sekunden", "set_render values={'seconds': 10}"),
        ("10 segundos por favor", "set_render values={'seconds': 10}"),
        ("formato vertical, 10 segundos", "set_render values={'aspect': '9:16', 'seconds': 10}"),
        ("10 secondes", "set_render values={'seconds': 10}"),
        ("10秒にして", "set_render values={'seconds': 10}"),
        ("keep this one", "star"),
    ],
)
def test_settings_and_marks_are_read_in_the_words_people_use(request_: str, signed: str) -> None:
    assert signature(_after("a fox crossing a frozen river", request_).actions) == signed


def test_a_bare_number_refers_to_the_entities_of_which_there_are_several() -> None:
    revision = _after("a shepherd and two dogs in the snow", "make it around 30")
    assert revision.prompt == "a shepherd and 30 dogs in the snow"


@pytest.mark.parametrize(
    ("start", "first", "then"),
    [
        ("a dog running on a beach", "add a red kite", "undo and make the kite blue"),
        (
            "A woman stops at a stall selling squid and the vendor brushes on sauce.",
            "the vendor is a kid covering for his dad",
            "the kid is a girl. undo",
        ),
    ],
)
def test_a_change_of_what_is_gone_after_going_back_does_not_fail(
    start: str, first: str, then: str, tmp_path: Path
) -> None:
    settings = Settings(outputs=tmp_path / "outputs", language_provider="builtin")
    sessions = Sessions(settings)

    async def talk() -> Revision:
        session_id, _ = await sessions.enhance(start)
        await sessions.update(session_id, first)
        return (await sessions.update(session_id, then))[0]

    revision = asyncio.run(talk())
    sessions.close()
    assert isinstance(revision.actions[0], GoBack)
    assert "no longer there" in revision.message
