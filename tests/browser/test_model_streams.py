"""What a language model writes and sees, on the screen: words and variations as they come, a start image."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.screen import LOAD_MS, Screen
from tests.browser.test_agent import ENHANCED, ask, connect
from tests.live_server import LiveServer
from tests.models_on_disk import write_model
from tests.prompts.agent.scripted import say, scripted
from tests.prompts.misbehaving import Misbehaving, Reply
from tests.prompts.test_misbehaviour import called
from tests.prompts.test_vision import pictures

pytestmark = pytest.mark.browser

GOOD: Final = json.dumps({"prompt": ENHANCED, "scene": {"subject": "a brown dog"}})
WORDS: Final = "It is night on the beach now, and the waves are all that can be heard."
SKIES: Final = ("rain", "snow", "fog", "hail", "mist", "sleet")


def in_pieces(text: str, gate: threading.Event | None = None) -> Reply:
    return Reply.streamed(*(text[i : i + 9] for i in range(0, len(text), 9)), gate=gate)


@contextlib.contextmanager
def enhanced_by(
    behave: Callable[[dict[str, Any]], Reply], open_screen: Callable[..., Screen]
) -> Iterator[Screen]:
    """Open the lab with an idea that an endpoint of this behaviour has made a prompt."""
    with Misbehaving.running() as endpoint:
        endpoint.behaviour = behave
        screen = open_screen().open_lab()
        connect(screen, endpoint.base_url)
        screen.enhance("a dog running on a beach")
        expect(screen.prompt).to_have_text(ENHANCED, timeout=LOAD_MS)
        yield screen
        screen.assert_clean()


def test_what_the_agent_says_grows_in_the_chat(open_screen: Callable[..., Screen]) -> None:
    may_go_on = threading.Event()
    night = {"field": "time_of_day", "value": "night"}
    act = called(
        {
            "id": "c1", "index": 0, "type": "function",
            "function": {"name": "edit_field", "arguments": json.dumps(night)},
        }
    )  # fmt: skip

    def behave(asked: dict[str, Any]) -> Reply:
        if "tools" not in asked:
            return in_pieces(GOOD)
        if any(message["role"] == "tool" for message in asked["messages"]):
            return in_pieces(WORDS, may_go_on)
        return act(asked)

    with enhanced_by(behave, open_screen) as screen:
        screen.button("Tune it first").click()
        ask(screen, "a late hour, and say what you did")
        turn = screen.step.locator(".wb-turn").last
        expect(turn).to_contain_text(WORDS[:20], timeout=LOAD_MS)
        expect(turn.get_by_label("Working")).to_be_visible()
        expect(turn).not_to_contain_text(WORDS)
        may_go_on.set()
        expect(turn).to_contain_text(WORDS, timeout=LOAD_MS)
        expect(turn.get_by_label("Working")).to_be_hidden()


def test_variations_come_from_one_question_one_by_one_and_a_near_duplicate_is_replaced(
    open_screen: Callable[..., Screen],
) -> None:
    may_go_on = threading.Event()
    counts: list[int] = []

    def behave(asked: dict[str, Any]) -> Reply:
        task = json.loads(asked["messages"][1]["content"])["data"]
        if "count" not in task:
            return in_pieces(GOOD)
        counts.append(task["count"])
        if len(counts) > 1:
            return in_pieces(json.dumps({"variations": [variation("a dust storm")]}))
        listed = [variation(sky) for sky in SKIES]
        again = {**listed[0], "prompt": listed[0]["prompt"].replace("wide", "very wide")}
        return in_pieces(json.dumps({"variations": [*listed, again]}), may_go_on)

    with enhanced_by(behave, open_screen) as screen:
        screen.button("Go to variations").click()
        screen.button("Make variations").click()
        expect(screen.cards.filter(has_text="Under rain").first).to_be_visible(timeout=LOAD_MS)
        expect(screen.step.locator(".wb-skeleton").first).to_be_visible()
        assert 1 < screen.cards.count() < 8
        assert counts == [7]
        may_go_on.set()
        expect(screen.cards).to_have_count(8, timeout=LOAD_MS)
        for sky in (*SKIES, "a dust storm"):
            expect(screen.cards.filter(has_text=f"Under {sky}")).to_have_count(1)
        assert counts == [7, 1]


def variation(sky: str) -> dict[str, Any]:
    text = f"{ENHANCED} Over the beach and far out over the water there is {sky}."
    return {"prompt": text, "scene": {"weather": sky}, "name": f"Under {sky}"}


def test_a_start_image_goes_with_the_idea_and_the_prompt_tells_of_it(
    open_screen: Callable[..., Screen], tmp_path: Path
) -> None:
    folder = write_model(tmp_path / "models" / "wan-image", takes_image=True)
    picture = tmp_path / "wall.png"
    Image.new("RGB", (1_600, 900), (210, 20, 20)).save(picture)
    sent: list[bytes] = []

    def describe(body: Mapping[str, Any]) -> Mapping[str, Any]:
        found = pictures(dict(body))
        sent.extend(found)
        wall = "bright red wall" if found and is_red(found[0]) else "wall that nobody has seen"
        text = f"A brown dog is running along a {wall}, its shadow keeping pace on the bricks."
        return say(json.dumps({"prompt": text, "scene": {"subject": "a brown dog"}}))

    with scripted([describe]) as script:
        environment = {
            "WORKBENCH_MODELS": str(folder.parent),
            "WORKBENCH_LANGUAGE_PROVIDER": "openai",
            "WORKBENCH_LANGUAGE_MODEL": "seeing",
            "WORKBENCH_LANGUAGE_BASE_URL": script.base_url,
        }
        with LiveServer(tmp_path / "outputs", environment=environment) as server:
            screen = open_screen(on=server).open_dashboard()
            videos = screen.page.get_by_role("button", name="Videos by")
            videos.click()
            screen.page.get_by_role("button", name="wan-image").click(timeout=LOAD_MS)
            expect(videos).to_contain_text("wan-image", timeout=LOAD_MS)
            screen.page.keyboard.press("Escape")
            panel = screen.open_settings()
            start = panel.get_by_label("Start image", exact=True)
            expect(start).to_be_visible(timeout=LOAD_MS)
            start.set_input_files(picture)
            expect(panel.locator(".wb-input-picture:visible")).to_have_count(1, timeout=LOAD_MS)
            screen.page.keyboard.press("Escape")
            screen.enhance("dog running")
            expect(screen.prompt).to_contain_text("bright red wall", timeout=LOAD_MS)
            screen.assert_clean()
    assert len(sent) == 1
    (asked,) = script.asked
    assert "first frame" in asked["messages"][0]["content"]
    told = [part for part in asked["messages"][1]["content"] if part["type"] == "text"]
    assert "base64" not in json.dumps(told)


def is_red(jpeg: bytes) -> bool:
    """Tell whether a picture is red throughout; its size is a model's, not the file's."""
    shown = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert shown is not None
    assert max(shown.shape[:2]) <= 768
    blue, green, red = shown.reshape(-1, 3).mean(axis=0)
    return bool(red > 180 and green < 60 and blue < 60)
