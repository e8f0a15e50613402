"""The agent on a real session: turns of several steps, confirmation by click, failures."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openai  # noqa: F401  its import takes longer than a first question should wait
import pytest

from tests.prompts.agent.scripted import call, say, scripted
from tests.prompts.misbehaving import Misbehaving
from tests.prompts.test_language_models import NONSENSE, SLOW
from workbench.actions.model import GoBack, Propose
from workbench.errors import InvalidRequest
from workbench.prompts.agent.conversation import Step
from workbench.prompts.conversation import MODEL_OFFER
from workbench.prompts.language_models.choice import LanguageChoice
from workbench.prompts.model import Revision
from workbench.settings import Settings
from workbench.studio import Studio

NIGHT = ("edit_field", {"field": "time_of_day", "value": "night"})
TALL = ("set_render", {"values": {"aspect": "9:16"}})


@contextmanager
def session(folder: Path, base_url: str, **more: Any) -> Iterator[tuple[Studio, str]]:
    """A session with one prompt, tuned by the language model at ``base_url``."""
    composer = Studio(Settings(outputs=folder, language_provider="builtin"))
    session_id, _ = composer.run(composer.enhance("a dog running on a beach"))
    composer.close()
    settings = Settings(
        outputs=folder,
        language_provider="openai",
        language_model="m",
        language_base_url=base_url,
        **{"language_retries": 0, "language_timeout_s": 60.0, **more},
    )
    studio = Studio(settings)
    try:
        yield studio, session_id
    finally:
        studio.close()


def ask(studio: Studio, session_id: str, request: str, steps: list[Step] | None = None) -> Revision:
    note = None if steps is None else steps.append
    revision, _ = studio.run(studio.update(session_id, request, on_step=note))
    return revision


def test_a_turn_of_three_steps_adds_three_entries_each_undone_alone(
    tmp_path: Path,
) -> None:
    answers = [
        call(NIGHT),
        call(("add_entity", {"phrase": "gulls", "count": 2, "determiner": "two"})),
        call(TALL),
        say("Night, two gulls, upright."),
    ]
    with scripted(answers) as script, session(tmp_path, script.base_url) as (studio, session_id):
        steps: list[Step] = []
        revision = ask(studio, session_id, "night, with two gulls, and stand the picture up", steps)
        assert revision.message == "Night, two gulls, upright."
        assert [a.kind for a in revision.actions] == ["edit_field", "add_entity", "set_render"]
        assert len(steps) == 3
        assert "night" in revision.prompt
        assert "gulls" in revision.prompt
        history = studio.sessions.history(session_id)
        assert len(history) == 4
        assert studio.settings_of(session_id).aspect == "9:16"
        ask(studio, session_id, "undo")
        assert studio.settings_of(session_id).aspect is None
        here = studio.sessions.current(session_id)
        assert here is not None
        assert here.scene.time_of_day == "night"
        assert "gulls" in here.prompt


def test_a_turn_is_one_dialogue_entry_and_can_be_read(tmp_path: Path) -> None:
    with (
        scripted([call(NIGHT), call(TALL), say("Done.")]) as script,
        session(tmp_path, script.base_url) as (studio, session_id),
    ):
        ask(studio, session_id, "make it a night thing for my phone")
        (turn,) = studio.sessions.turns(session_id)
        assert (turn.request, turn.message) == ("make it a night thing for my phone", "Done.")
        assert turn.entry is not None
        assert len(studio.sessions.transcript(session_id, turn.entry)) == 3


def test_the_agent_gets_the_session_and_its_numbered_cards(tmp_path: Path) -> None:
    with (
        scripted([call(("look", {"card": 2})), say("I see.")]) as script,
        session(tmp_path, script.base_url) as (studio, session_id),
    ):
        composer = Studio(Settings(outputs=tmp_path, language_provider="builtin"))
        made = composer.run(composer.variations(session_id, [0], 4))
        composer.close()
        ask(studio, session_id, "what about that second card, hm")
        told = script.asked[0]["messages"][1]["content"]
        assert "a dog running on a beach" in told
        assert '"card": 3' in told
        looked = script.asked[1]["messages"][-1]["content"]
        assert made[2].prompt in looked


def test_more_than_eight_renders_wait_for_a_click(tmp_path: Path) -> None:
    with (
        scripted(
            [call(("vary", {"count": 40, "render": True})), say("Forty wait for you.")]
        ) as script,
        session(tmp_path, script.base_url) as (studio, session_id),
    ):
        revision = ask(studio, session_id, "give me a whole zoo of forty takes, rendered")
        assert [type(a) for a in revision.actions] == [Propose]
        assert studio.jobs.jobs().total == 0


def test_the_agent_cannot_change_a_locked_field(tmp_path: Path) -> None:
    with (
        scripted([call(NIGHT), say("Done.")]) as script,
        session(tmp_path, script.base_url) as (studio, session_id),
    ):
        studio.sessions.set_scene(session_id, None, {"time_of_day": "noon"}, lock=["time_of_day"])
        revision = ask(studio, session_id, "wouldn't midnight be rather nice")
        assert revision.scene.time_of_day == "noon"


def test_requests_about_the_session_that_the_rules_know_need_no_model(
    tmp_path: Path,
) -> None:
    with (
        scripted([say("Never asked.")]) as script,
        session(tmp_path, script.base_url) as (studio, session_id),
    ):
        ask(studio, session_id, "16:9")
        assert studio.settings_of(session_id).aspect == "16:9"
        assert script.asked == []


def test_a_clarifying_question_is_shown_and_changes_nothing(tmp_path: Path) -> None:
    with (
        scripted([call(("ask", {"question": "Which of the two?"}))]) as script,
        session(tmp_path, script.base_url) as (studio, session_id),
    ):
        revision = ask(studio, session_id, "hmm, make that one sort of nicer")
        assert revision.message == "Which of the two?"
        assert revision.changes == ()


def test_an_endpoint_killed_during_a_turn_keeps_the_finished_steps(tmp_path: Path) -> None:
    with (
        scripted([call(NIGHT), 401]) as script,
        session(tmp_path, script.base_url) as (studio, session_id),
    ):
        revision = ask(studio, session_id, "could you darken the hour and then some")
        assert revision.scene.time_of_day == "night"
        assert "stays" in revision.message


def test_stopping_a_turn_keeps_its_finished_steps(tmp_path: Path) -> None:
    with (
        scripted([call(NIGHT), 0]) as script,
        session(tmp_path, script.base_url) as (studio, session_id),
    ):

        async def stop_after_one_step() -> None:
            done = asyncio.Event()
            asked = asyncio.ensure_future(
                studio.update(
                    session_id, "dim the hour, please, and then go on", on_step=lambda _: done.set()
                )
            )
            await done.wait()
            asked.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asked

        studio.run(stop_after_one_step())
        script.release.set()
        here = studio.sessions.current(session_id)
        assert here is not None
        assert here.scene.time_of_day == "night"


@pytest.mark.parametrize("name", NONSENSE)
def test_the_rules_answer_the_request_when_the_endpoint_fails(name: str, tmp_path: Path) -> None:
    limit = 2.0 if name in SLOW else 60.0
    with Misbehaving.running() as endpoint:
        endpoint.answers(*NONSENSE[name])
        with session(tmp_path, endpoint.base_url, language_timeout_s=limit) as (studio, session_id):
            revision = ask(studio, session_id, "add rain")
            assert revision.scene.weather == "rain"
            assert revision.is_fallback
            assert "built-in rules" in revision.message


def test_returning_to_a_card_is_an_ordinary_step(tmp_path: Path) -> None:
    with (
        scripted([call(("go_back", {"to": 1})), call(NIGHT), say("Done.")]) as script,
        session(tmp_path, script.base_url) as (studio, session_id),
    ):
        composer = Studio(Settings(outputs=tmp_path, language_provider="builtin"))
        made: Sequence[Any] = composer.run(composer.variations(session_id, [0], 3))
        composer.close()
        revision = ask(studio, session_id, "the first card but later in the day, way later")
        assert isinstance(revision.actions[0], GoBack)
        assert revision.scene.time_of_day == "night"
        kept = made[1].scene.stated().items() - {("time_of_day", made[1].scene.time_of_day)}
        assert kept <= revision.scene.stated().items() | {("lighting", made[1].scene.lighting)}


@pytest.mark.parametrize("undone", [0, 1, 2])
def test_each_step_of_a_turn_is_undone_alone(undone: int, tmp_path: Path) -> None:
    answers = [
        call(NIGHT),
        call(("add_entity", {"phrase": "gulls", "count": 2, "determiner": "two"})),
        call(TALL),
        say("Done."),
    ]
    with scripted(answers) as script, session(tmp_path, script.base_url) as (studio, session_id):
        ask(studio, session_id, "night, with two gulls, and stand the picture up")
        steps = studio.sessions.history(session_id)[1:]
        _, entry = studio.sessions.take_back(session_id, steps[undone].index)
        kept = [
            entry.scene.time_of_day == "night",
            "gulls" in entry.prompt,
            entry.settings.aspect == "9:16",
        ]
        assert kept == [number != undone for number in range(3)]
        assert studio.sessions.current(session_id) == entry


def test_only_steps_on_the_current_branch_can_be_undone(tmp_path: Path) -> None:
    with (
        scripted([call(NIGHT), say("Done.")]) as script,
        session(tmp_path, script.base_url) as (studio, session_id),
    ):
        ask(studio, session_id, "could you darken the hour and then some")
        for index in (0, 99):
            with pytest.raises(InvalidRequest):
                studio.sessions.take_back(session_id, index)


def test_the_last_step_is_taken_back_by_undo_and_undo_by_redo(tmp_path: Path) -> None:
    with Studio(Settings(outputs=tmp_path)) as studio:
        session_id, first = studio.run(studio.enhance("a dog running on a beach"))
        _, night = studio.run(studio.update(session_id, "make it night"))
        assert night is not None
        _, undone = studio.sessions.take_back(session_id, night.index)
        assert undone.prompt == first.prompt
        _, again = studio.sessions.take_back(session_id, undone.index)
        assert again.prompt == night.prompt


def test_a_step_is_taken_back_from_the_prompt_that_is_looked_at(tmp_path: Path) -> None:
    with Studio(Settings(outputs=tmp_path)) as studio:
        session_id, _ = studio.run(studio.enhance("a dog running on a beach"))
        _, night = studio.run(studio.update(session_id, "make it night"))
        _, rain = studio.run(studio.update(session_id, "in heavy rain"))
        assert night is not None
        assert rain is not None
        studio.run(studio.update(session_id, "slow motion"))
        _, without = studio.sessions.take_back(session_id, night.index, rain.index)
        assert without.scene.time_of_day != "night"
        assert without.scene.weather == "heavy rain"
        assert without.scene.pace == rain.scene.pace


def test_what_a_model_adds_is_said_once_a_session_and_not_where_one_is_connected(
    tmp_path: Path,
) -> None:
    with Studio(Settings(outputs=tmp_path)) as studio:
        session_id, _ = studio.run(studio.enhance("a dog running on a beach"))
        understood = ask(studio, session_id, "make it night")
        partly = ask(studio, session_id, "in heavy rain and qwertz uiop")
        refused = ask(studio, session_id, "asdf ghjk")
        other, _ = studio.run(studio.enhance("a cat"))
        assert (understood.hint, refused.hint) == ("", "")
        assert MODEL_OFFER in partly.hint
        assert "wb.language_models()" in partly.hint
        assert ask(studio, other, "asdf ghjk").hint == partly.hint
    with scripted([403]) as script, session(tmp_path, script.base_url) as (studio, session_id):
        assert ask(studio, session_id, "asdf ghjk").hint == ""


@pytest.mark.parametrize("has_model", [True, False])
def test_a_video_model_that_must_be_fetched_waits_for_a_click(
    has_model: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    settings = {"allow_hub": True, "engine": "diffusers", "model": "someone/a-model"}
    with (
        scripted([call(("render", {})), say("It waits.")]) as script,
        session(tmp_path, script.base_url, **settings) as (studio, session_id),
    ):
        if not has_model:
            studio.run(studio.choose_language(LanguageChoice(), session_id))
        asked = "could you show it to me, in motion, please" if has_model else "render it"
        (proposal,) = ask(studio, session_id, asked).actions
        assert isinstance(proposal, Propose)
        assert (proposal.renders, proposal.fetches) == (1, "someone/a-model")
        assert studio.jobs.jobs().total == 0


def test_the_agent_is_told_scores_of_cards_and_shown_frames_of_what_it_looks_at(
    tmp_path: Path,
) -> None:
    with (
        scripted([call(("look", {"card": 1})), say("It hardly moves.")]) as script,
        session(tmp_path, script.base_url) as (studio, session_id),
    ):
        here = studio.sessions.prompt_at(session_id, 0)
        job = studio.run(studio.render(here, session_id=session_id))
        studio.jobs.wait([job.job_id], 120)
        index = studio.jobs.job(job.job_id).entry_index
        assert index is not None
        asked = studio.update(session_id, "does the third of them move at all", cards=[index])
        studio.run(asked)
        view = json.loads(script.asked[0]["messages"][1]["content"])["data"]["session"]
        assert [card["video"]["state"] for card in view["cards"]] == ["complete"]
        shown = script.asked[1]["messages"][-1]["content"]
        assert [part["type"] for part in shown] == ["text", "image_url", "image_url"]
        assert shown[0]["text"].startswith('{"data"')


def test_a_stopped_turn_is_in_the_dialogue_with_its_finished_steps(tmp_path: Path) -> None:
    with (
        scripted([call(NIGHT), 0]) as script,
        session(tmp_path, script.base_url) as (studio, session_id),
    ):

        async def stop_after_one_step() -> None:
            done = asyncio.Event()
            asked = asyncio.ensure_future(
                studio.update(session_id, "dim the hour, please", on_step=lambda _: done.set())
            )
            await done.wait()
            asked.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asked

        studio.run(stop_after_one_step())
        script.release.set()
        (turn,) = studio.sessions.turns(session_id)
        assert turn.message == "Stopped."
        assert [action.kind for action in turn.actions] == ["edit_field"]
