"""The language model: shown on every step, chosen in JupyterLab, read-only in a dashboard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.front_end import open_front_end
from tests.browser.screen import LOAD_MS, Screen
from tests.browser.slow_model import TEXT, SlowModel

pytestmark = pytest.mark.browser

_COMPOSER: Final = {
    "provider": "builtin",
    "model": "",
    "base_url": "",
    "label": "built-in composer",
}
_KNOWN: Final = {
    "name": "Qwen3 4B", "file": "qwen3.gguf", "bytes": 2_500_000_000, "memory_bytes": 5_500_000_000,
    "licence": "Apache-2.0", "good_at": "Full prompts.", "is_here": False, "fetched_bytes": None,
    "problem": "", "command": "hf download Qwen/Qwen3-4B-GGUF qwen3.gguf",
}  # fmt: skip
_PLACES: Final = """
() => Object.fromEntries([...document.querySelectorAll("dialog[open] :is(button, input)")]
  .filter((node) => node.checkVisibility())
  .map((node) => [node.getAttribute("aria-label") || node.closest("label, button").textContent, node])
  .map(([name, node]) => [name, [node.getBoundingClientRect().x, node.getBoundingClientRect().y]]))
"""


def test_an_endpoint_is_tested_and_chosen_and_then_writes(
    open_screen: Callable[..., Screen],
) -> None:
    with SlowModel.running() as model:
        screen = open_screen().open_lab()
        line = screen.page.get_by_role("group", name="Who writes and what renders")
        who = line.get_by_role("button", name="Prompts by")
        expect(who).to_contain_text("built-in composer", timeout=LOAD_MS)
        who.click()
        panel = screen.page.get_by_role("dialog", name="Who writes the prompts")
        composer = panel.get_by_role("button", name="built-in composer")
        expect(composer).to_have_attribute("aria-current", "true", timeout=LOAD_MS)
        panel.get_by_label("Address").fill(model.url)
        panel.get_by_role("button", name="List its models").click()
        expect(panel.get_by_label("Model", exact=True)).to_have_value("slow", timeout=LOAD_MS)
        panel.get_by_role("button", name="Test", exact=True).click()
        expect(panel.get_by_role("status")).to_contain_text(" s)", timeout=LOAD_MS)
        panel.get_by_role("button", name="Use it").click()
        expect(composer).not_to_have_attribute("aria-current", "true", timeout=LOAD_MS)
        expect(who).to_contain_text("slow")
        screen.page.keyboard.press("Escape")
        screen.enhance("dog running")
        expect(screen.prompt).to_have_text(TEXT, timeout=LOAD_MS)
        expect(who).to_contain_text("slow")
        screen.page.get_by_role("button", name="Sessions").click()
        screen.page.get_by_role("button", name="New session").click()
        expect(who).to_contain_text("built-in composer", timeout=LOAD_MS)
        screen.assert_clean()


def test_an_endpoint_that_does_not_answer_is_reported_with_a_reason(
    open_screen: Callable[..., Screen],
) -> None:
    with SlowModel.running() as gone:
        url = gone.url
    screen = open_screen().open_lab()
    screen.page.get_by_role("button", name="Prompts by").click(timeout=LOAD_MS)
    panel = screen.page.get_by_role("dialog", name="Who writes the prompts")
    panel.get_by_label("Address").fill(url)
    panel.get_by_role("button", name="List its models").click()
    expect(panel.locator(".wb-endpoint .wb-notice")).to_be_visible(timeout=LOAD_MS)


def test_nothing_in_the_panel_moves_under_the_pointer_when_answers_arrive(browser: Browser) -> None:
    page = open_front_end(browser, entries=[], jobs=[])
    server = {"name": "Ollama", "base_url": "http://127.0.0.1:11434/v1", "models": ["one", "two"]}
    overview = {
        "choice": _COMPOSER, "servers": [server], "catalog": [_KNOWN], "can_fetch": False,
        "key_place": "",
    }  # fmt: skip
    tested = {"message": "It answers.", "duration_s": 0.5}
    page.evaluate(
        "(values) => { window.values = values; window.held = []; }",
        {"language": overview, "test_language": tested},
    )
    page.get_by_role("button", name="Prompts by").click()
    panel = page.get_by_role("dialog", name="Who writes the prompts")
    expect(panel).to_be_visible()
    page.wait_for_function("() => !document.querySelector('dialog[open]').getAnimations().length")
    empty = page.evaluate(_PLACES)
    page.evaluate("window.release()")
    expect(panel.get_by_role("button", name="two")).to_be_visible()
    full = page.evaluate(_PLACES)
    assert {"Close", "For new sessions too"} <= empty.keys()
    assert {name: full[name] for name in empty} == empty
    panel.get_by_role("button", name="Test", exact=True).click()
    expect(panel.get_by_role("status")).to_contain_text("It answers")
    assert page.evaluate(_PLACES) == full
    page.context.close()


def test_a_visitor_sees_the_language_model_but_cannot_change_it(
    open_screen: Callable[..., Screen],
) -> None:
    screen = open_screen().open_dashboard()
    line = screen.page.get_by_role("group", name="Who writes and what renders")
    expect(line).to_contain_text("built-in composer", timeout=LOAD_MS)
    assert line.get_by_role("button", name="Prompts by").count() == 0
