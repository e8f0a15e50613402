"""A slow language model: what the screen shows meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.screen import LOAD_MS, Screen
from tests.browser.slow_model import TEXT, SlowModel
from tests.live_server import LiveServer

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def model() -> Iterator[SlowModel]:
    """A slow streaming language model."""
    with SlowModel.running() as one:
        yield one


@pytest.fixture(scope="module")
def slow_server(tmp_path_factory: pytest.TempPathFactory, model: SlowModel) -> Iterator[LiveServer]:
    """A server whose prompts are written by that model."""
    outputs = tmp_path_factory.mktemp("slow") / "outputs"
    with LiveServer(outputs, environment=model.environment) as server:
        yield server


@contextmanager
def _held(model: SlowModel) -> Iterator[None]:
    """Let the model say half of each answer until the block ends."""
    model.may_go_on.clear()
    try:
        yield
    finally:
        model.may_go_on.set()


def test_the_prompt_streams_in_and_variations_arrive_one_by_one(
    open_screen: Callable[..., Screen], slow_server: LiveServer, model: SlowModel
) -> None:
    screen = open_screen(on=slow_server).open_dashboard()
    screen.step.get_by_label("Your idea").fill("dog running")
    growing = screen.step.locator(".wb-draft-words")
    with _held(model):
        screen.button("Enhance").click()
        expect(growing).to_contain_text("A small brown", timeout=LOAD_MS)
        first = growing.inner_text()
    assert TEXT.startswith(first.strip())
    assert len(first) < len(TEXT)
    expect(screen.prompt).to_have_text(TEXT, timeout=LOAD_MS)
    screen.button("Go to variations").click()
    with _held(model):
        screen.button("Make variations").click()
        expect(screen.cards.nth(2)).to_be_visible(timeout=LOAD_MS)
        expect(screen.step.locator(".wb-skeleton").first).to_be_visible(timeout=LOAD_MS)
    expect(screen.cards).to_have_count(8, timeout=LOAD_MS)
    expect(screen.step.locator(".wb-skeleton")).to_have_count(0)
    screen.assert_clean()


def test_a_storyboard_of_the_idea_plays_until_the_first_video_replaces_it(
    open_screen: Callable[..., Screen], slow_server: LiveServer, model: SlowModel
) -> None:
    screen = open_screen(on=slow_server).open_dashboard()
    screen.step.get_by_label("Your idea").fill("dog running")
    with _held(model):
        screen.button("Enhance").click()
        screen.wait_until_playing(".wb-step-prompt [data-shows=sketch] video")
        expect(screen.step.locator(".wb-draft-words")).to_contain_text("A small brown")
        expect(screen.step.get_by_text("A storyboard of your words")).to_be_visible()
        expect(screen.prompt).to_be_hidden()
    expect(screen.prompt).to_have_text(TEXT, timeout=LOAD_MS)
    screen.wait_until_playing(".wb-step-prompt [data-shows=video] video")
    expect(screen.step.get_by_text("A storyboard of your words")).to_be_hidden()
    screen.go("Results")
    expect(screen.cards).to_have_count(1)
    screen.assert_clean()


def test_cancelling_the_language_model_changes_nothing(
    open_screen: Callable[..., Screen], slow_server: LiveServer, model: SlowModel
) -> None:
    screen = open_screen(on=slow_server).open_dashboard()
    screen.step.get_by_label("Your idea").fill("dog running")
    with _held(model):
        screen.button("Enhance").click()
        screen.button("Stop").click(timeout=LOAD_MS)
        expect(screen.step.get_by_role("heading", name="What should happen?")).to_be_visible()
        expect(screen.step.get_by_label("Your idea")).to_have_value("dog running")
        expect(screen.button("Enhance")).to_be_enabled()


def test_text_written_by_the_fallback_is_marked_on_every_card(
    open_screen: Callable[..., Screen], tmp_path: Path
) -> None:
    with SlowModel.running() as gone:
        environment = gone.environment  # the endpoint is gone when it is called
    with LiveServer(tmp_path / "outputs", environment=environment) as server:
        screen = open_screen(on=server).open_dashboard()
        screen.enhance("dog running")
        expect(screen.step.locator(".wb-badge-fallback")).to_be_visible()
        screen.wait_until_playing(".wb-step-prompt [data-shows=video] video")
        screen.make_variations()
        marked = screen.cards.locator(".wb-badge-fallback:visible")
        expect(marked).to_have_count(8, timeout=LOAD_MS)
        expect(marked.first).to_have_text("written without the language model")
