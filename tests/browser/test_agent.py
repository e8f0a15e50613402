"""A language model that tunes: connected on the screen, seen at work, undone, stopped, killed."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.screen import LOAD_MS, Screen
from tests.prompts.agent.scripted import call, say, scripted
from workbench.jobs.client.manager import JobManager
from workbench.settings import Settings

pytestmark = pytest.mark.browser

ENHANCED = (
    "A brown dog is running along a wide beach at noon, low waves breaking beside it, wet sand "
    "flying from its paws while the camera keeps level with its shoulder."
)
STEPS = (
    ("edit_field", {"field": "time_of_day", "value": "night"}),
    ("add_entity", {"phrase": "gulls", "count": 2, "determiner": "two"}),
    ("set_render", {"values": {"aspect": "9:16"}}),
)
SNOW = ("edit_field", {"field": "weather", "value": "snow"})


class Talker:
    """A language model that does three steps in its first turn and waits before the second."""

    def __init__(self) -> None:
        self.may_go_on = threading.Event()
        self._turn = iter([*(call(step) for step in STEPS), say("Late, with gulls, upright.")])

    def reply(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Enhance every idea alike, and play the turn."""
        if "tools" not in body:
            return enhanced(body)
        if sum(message["role"] == "tool" for message in body["messages"]) == 1:
            self.may_go_on.wait(50)
        return next(self._turn)


def enhanced(_body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Answer with the same prompt whatever the idea is."""
    return say(json.dumps({"prompt": ENHANCED, "scene": {"subject": "a brown dog"}}))


def test_an_endpoint_is_connected_tunes_in_three_steps_and_is_killed_in_its_next_turn(
    open_screen: Callable[..., Screen],
) -> None:
    talker = Talker()
    with scripted([talker.reply]) as script:
        screen = open_screen().open_lab()
        connect(screen, script.base_url)
        screen.enhance("a dog running on a beach")
        expect(screen.prompt).to_have_text(ENHANCED, timeout=LOAD_MS)
        screen.button("Tune it first").click()

        ask(screen, "a late hour and some gulls, and stand the picture up")
        turn = screen.step.locator(".wb-turn").last
        steps = turn.locator(".wb-step-done")
        expect(steps).to_have_count(1, timeout=LOAD_MS)
        expect(turn.get_by_label("Working")).to_be_visible()
        expect(screen.prompt).to_contain_text("night")
        talker.may_go_on.set()
        expect(steps).to_have_count(3, timeout=LOAD_MS)
        expect(turn).to_contain_text("Late, with gulls, upright.", timeout=LOAD_MS)
        expect(screen.prompt).to_contain_text("gulls")

        steps.nth(1).get_by_role("button", name="Undo").click()
        expect(screen.prompt).not_to_contain_text("gulls", timeout=LOAD_MS)
        expect(screen.prompt).to_contain_text("night")
        how = screen.page.get_by_role("button", name="Render settings")
        expect(how).to_contain_text("474 × 842")

        script.answers, script.asked = [call(SNOW), 0], []
        ask(screen, "let the air turn white and everything feel colder")
        killed = screen.step.locator(".wb-turn").last
        expect(killed.locator(".wb-step-done")).to_have_count(1, timeout=LOAD_MS)
        expect(killed.get_by_label("Working")).to_be_visible()
        script.kill()
        expect(killed).to_contain_text("could not be reached", timeout=LOAD_MS)
        expect(killed).to_contain_text("What was done so far stays.")
        expect(screen.prompt).to_contain_text("Snow is falling")

        ask(screen, "make it foggy")
        ruled = screen.step.locator(".wb-turn").last
        expect(ruled).to_contain_text("The built-in rules answered instead.", timeout=LOAD_MS)
        expect(screen.prompt).to_contain_text("fog")
        screen.assert_clean()


def test_escape_stops_a_turn_and_what_was_done_stays(open_screen: Callable[..., Screen]) -> None:
    with scripted([enhanced]) as script:
        screen = open_screen().open_lab()
        connect(screen, script.base_url)
        screen.enhance("a dog running on a beach")
        screen.button("Tune it first").click()
        script.answers, script.asked = [call(STEPS[0]), 0], []
        ask(screen, "a late hour and then some more of the same, please")
        turn = screen.step.locator(".wb-turn").last
        expect(turn.locator(".wb-step-done")).to_have_count(1, timeout=LOAD_MS)
        screen.page.keyboard.press("Escape")
        expect(turn).to_contain_text("Stopped.", timeout=LOAD_MS)
        expect(screen.prompt).to_contain_text("night")
        expect(screen.step.get_by_role("button", name="Send")).to_be_visible()


def test_more_than_eight_renders_wait_for_a_click_and_none_begins_when_they_are_declined(
    open_screen: Callable[..., Screen],
) -> None:
    asked = "show me nine takes of it, each with a look of its own"
    with scripted([enhanced]) as script:
        screen = open_screen().open_lab()
        connect(screen, script.base_url)
        screen.enhance("a dog running on a beach")
        screen.button("Tune it first").click()
        script.answers = [call(("render", {"seeds": 9})), say("Nine of them wait for you.")] * 2
        script.asked = []
        videos = screen.page.get_by_role("navigation", name="Steps").locator(".wb-step-count")
        expect(videos.last).to_contain_text("/1", timeout=LOAD_MS)
        manager = JobManager(Settings(outputs=screen.server.outputs))
        try:
            session = manager.jobs(limit=1).jobs[0].session_id

            ask(screen, asked)
            declined = screen.step.locator(".wb-turn").last
            expect(declined).to_contain_text("Nine of them wait for you.", timeout=LOAD_MS)
            start = screen.step.get_by_role("button", name="Start 9 renders")
            expect(start).to_be_visible()
            assert manager.jobs(session_id=session).total == 1
            declined.get_by_role("button", name="Not now").click()
            expect(start).to_have_count(0)
            expect(declined).to_contain_text("Nine of them wait for you.")

            ask(screen, f"{asked} once more")
            expect(start).to_be_visible(timeout=LOAD_MS)
            assert manager.jobs(session_id=session).total == 1
            start.click()
            expect(videos.last).to_contain_text("/10", timeout=LOAD_MS)
            assert manager.jobs(session_id=session).total == 10
            expect(start).to_have_count(0)
        finally:
            manager.close()
        screen.assert_clean()


def test_the_first_refused_request_says_once_what_a_model_adds_and_leads_to_the_panel(
    open_screen: Callable[..., Screen],
) -> None:
    screen = open_screen().open_lab()
    screen.enhance("dog running")
    screen.button("Tune it first").click()
    for request in ("qwertz uiop", "asdf ghjk lmnop"):
        ask(screen, request)
        last = screen.step.locator(".wb-turn[data-missed]").last
        expect(last).to_contain_text(request, timeout=LOAD_MS)
    expect(screen.step.get_by_text("A language model would understand")).to_have_count(1)
    last.get_by_role("button", name="Choose a language model").click()
    expect(screen.page.get_by_role("dialog", name="Who writes the prompts")).to_be_visible()


def connect(screen: Screen, url: str) -> None:
    """Choose the endpoint at ``url`` in the panel and see that it writes."""
    who = screen.page.get_by_role("button", name="Prompts by")
    expect(who).to_contain_text("built-in composer", timeout=LOAD_MS)
    who.click()
    panel = screen.page.get_by_role("dialog", name="Who writes the prompts")
    panel.get_by_label("Address").fill(url)
    panel.get_by_label("Model", exact=True).fill("talker")
    panel.get_by_role("button", name="Use it").click()
    expect(who).to_contain_text("talker", timeout=LOAD_MS)
    screen.page.keyboard.press("Escape")


def ask(screen: Screen, request: str) -> None:
    """Say what should be different, and wait until the last turn is that request's."""
    field = screen.step.get_by_label("What should be different")
    field.fill(request)
    field.press("Enter")
    turn = screen.step.locator(".wb-turn").last
    expect(turn.locator(".wb-request")).to_have_text(request, timeout=LOAD_MS)
