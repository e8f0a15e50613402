"""Videos with sound: muted by default, one at a time, switched with the picture when compared."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.screen import LOAD_MS, Screen
from tests.live_server import LiveServer

pytestmark = pytest.mark.browser

_HEARD = "() => [...document.querySelectorAll('.wb video')].filter((one) => !one.muted).length"


@pytest.fixture(scope="module")
def screen(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Screen]:
    """The results of two videos with sound."""
    outputs: Path = tmp_path_factory.mktemp("sound") / "outputs"
    engines = {"sounding": "tests.engines.sounding:SoundingEngine"}
    environment = {"WORKBENCH_ENGINES": json.dumps(engines), "WORKBENCH_ENGINE": "sounding"}
    with LiveServer(outputs, environment=environment) as server:
        one = Screen(browser, server).open_dashboard()
        one.enhance("dog running")
        one.make_variations()
        one.render_all()
        one.go("Results")
        one.wait_for_videos(8)
        yield one
        one.assert_clean()
        one.close()


def _heard(screen: Screen) -> int:
    count: int = screen.page.evaluate(_HEARD)
    return count


def test_videos_are_muted_and_at_most_one_is_unmuted(screen: Screen) -> None:
    assert _heard(screen) == 0
    first, second = (screen.cards.nth(n).get_by_role("button", name="Sound") for n in (0, 1))
    first.click()
    expect(first).to_have_attribute("aria-pressed", "true")
    assert _heard(screen) == 1
    second.click()
    expect(second).to_have_attribute("aria-pressed", "true")
    expect(first).to_have_attribute("aria-pressed", "false")
    assert _heard(screen) == 1
    second.click()
    assert _heard(screen) == 0


def test_comparing_switches_sound_and_picture_together(screen: Screen) -> None:
    for place in (0, 1):
        screen.cards.nth(place).get_by_role("checkbox").check()
    screen.button("Compare 2").click()
    dialog = screen.page.get_by_role("dialog", name="Compare videos")
    videos = dialog.locator("video")
    expect(videos).to_have_count(2)

    def muted() -> Any:
        return videos.evaluate_all("(all) => all.map((one) => one.muted)")

    assert muted() == [True, True]
    dialog.get_by_role("button", name="Sound").click()
    assert muted() == [False, True]
    dialog.get_by_label("Wipe across").fill("20")
    assert muted() == [True, False]
    dialog.get_by_role("button", name="Side by side").click()
    dialog.get_by_role("group", name="Left").hover()
    assert muted() == [False, True]
    screen.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden(timeout=LOAD_MS)
    assert _heard(screen) == 0
