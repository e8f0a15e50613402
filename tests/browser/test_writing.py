"""A language model that takes its time: what is on the screen meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.screen import LOAD_MS, Screen
from tests.browser.slow_model import TEXT, SlowModel
from tests.live_server import LiveServer

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def slow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server whose prompts are written by a model that thinks aloud."""
    outputs = tmp_path_factory.mktemp("slow") / "outputs"
    with (
        SlowModel.running() as model,
        LiveServer(outputs, environment=model.environment) as server,
    ):
        yield server


def test_a_prompt_grows_on_the_screen_and_variations_come_one_by_one(
    open_screen: Callable[..., Screen], slow_server: LiveServer
) -> None:
    screen = open_screen(on=slow_server).open_dashboard()
    screen.step.get_by_label("Your idea").fill("dog running")
    screen.button("Enhance").click()
    growing = screen.step.locator(".wb-draft-words")
    expect(growing).to_contain_text("A small brown", timeout=LOAD_MS)
    first = growing.inner_text()
    assert TEXT.startswith(first.strip())
    assert len(first) < len(TEXT)
    expect(screen.prompt).to_have_text(TEXT, timeout=LOAD_MS)
    screen.button("Make variations").click()
    expect(screen.step.locator(".wb-skeleton").first).to_be_visible(timeout=LOAD_MS)
    expect(screen.cards.nth(2)).to_be_visible(timeout=LOAD_MS)
    expect(screen.cards).to_have_count(8, timeout=LOAD_MS)
    expect(screen.step.locator(".wb-skeleton")).to_have_count(0)
    screen.assert_clean()


def test_a_model_that_is_left_changes_nothing(
    open_screen: Callable[..., Screen], slow_server: LiveServer
) -> None:
    screen = open_screen(on=slow_server).open_dashboard()
    screen.step.get_by_label("Your idea").fill("dog running")
    screen.button("Enhance").click()
    screen.button("Stop").click(timeout=LOAD_MS)
    expect(screen.step.get_by_role("heading", name="What should happen?")).to_be_visible()
    expect(screen.step.get_by_label("Your idea")).to_have_value("dog running")
    expect(screen.button("Enhance")).to_be_enabled()
