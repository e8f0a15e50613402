"""Best of N on the screen: started, watched, voted on by mouse and keys, cancelled, reported."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, expect

from tests.browser.screen import LOAD_MS, RENDER_MS, Screen
from tests.live_server import LiveServer
from tests.prompts.misbehaving import KEY, Misbehaving, Reply
from tests.vision_endpoint import Seeing
from workbench.jobs.client.manager import JobManager
from workbench.jobs.model import JobState
from workbench.settings import Settings

pytestmark = pytest.mark.browser

PROMPT = "Two red foxes cross a wooden bridge at night in the rain."
SCENE = {
    "subject": "two red foxes",
    "action": "crossing",
    "setting": "a wooden bridge",
    "time_of_day": "night",
    "weather": "rain",
}


@pytest.fixture
def manager(server: LiveServer) -> Iterator[JobManager]:
    """The queue as another process sees it; resumed after the test."""
    one = JobManager(Settings(outputs=server.outputs))
    yield one
    for name in one.paused():
        one.resume(name or None)
    one.close()


def _begin(screen: Screen, *, drafts: int, keep: int) -> Locator:
    """Begin a run of small drafts of the prompt at hand, judged by two scores."""
    screen.slow_renders(9)
    screen.button("Tune it first").click()
    screen.button("Best of…").click()
    panel = screen.page.get_by_role("dialog", name="Best of", exact=True)
    panel.get_by_role("spinbutton", name="Drafts").fill(str(drafts))
    panel.get_by_role("spinbutton", name="Keep").fill(str(keep))
    judged = panel.get_by_role("group", name="Judged by", exact=True)
    expect(judged.get_by_role("button", name="What was asked for")).to_have_attribute(
        "aria-pressed", "true", timeout=LOAD_MS
    )
    judged.get_by_role("button", name="Sharpest", exact=True).click()
    panel.get_by_role("button", name="Start").click()
    return panel


def test_drafts_are_made_voted_on_and_reported_with_reasons(
    open_screen: Callable[..., Screen],
) -> None:
    screen = open_screen().open_dashboard()
    screen.enhance("a red kite over a beach")
    panel = _begin(screen, drafts=4, keep=1)
    expect(panel.locator(".wb-best-stage")).to_have_text("Done", timeout=RENDER_MS)
    drafts = panel.get_by_role("list", name="Drafts").get_by_role("listitem")
    expect(drafts).to_have_count(4)
    expect(drafts.first).to_contain_text("rendered whole")
    expect(drafts.nth(1)).to_contain_text(re.compile("Place 2 of 4 in round 1.*sharp [0-9.]+"))
    expect(drafts.locator("[data-shows=video]")).to_have_count(4, timeout=RENDER_MS)

    pair = panel.get_by_role("region", name="Which is better?")
    screen.wait_until_playing(".wb-vote video", 2)
    first = pair.locator("figcaption").all_inner_texts()
    pair.get_by_role("button", name="The left one is better").click()
    expect(pair).to_contain_text("1 vote", timeout=LOAD_MS)
    assert pair.locator("figcaption").all_inner_texts() != first
    for count, key in enumerate(("ArrowRight", "ArrowDown"), 2):
        screen.page.keyboard.press(key)
        expect(pair).to_contain_text(f"{count} votes", timeout=LOAD_MS)
    placed = drafts.filter(has_text=re.compile(r"your place \d"))
    assert placed.count() in {3, 4}, "those in the two decided pairs"
    critics = panel.get_by_role("region", name="Critics").get_by_role("listitem")
    sharp = critics.filter(has_text="Sharpest")
    expect(sharp).to_contain_text(re.compile(r"\d+ % of 2 votes \(\d+ to \d+ %\)"))
    serious = Axe().run(screen.page, context=".wb-best").response["violations"]
    assert [one["id"] for one in serious if one["impact"] in {"serious", "critical"}] == []
    for count in range(4, 7):  # every pair once
        pair.get_by_role("button", name="Cannot say").click()
        if count < 6:
            expect(pair).to_contain_text(f"{count} votes", timeout=LOAD_MS)
    expect(pair).to_be_hidden(timeout=LOAD_MS)

    panel.get_by_role("button", name="Close").click()
    screen.go("Results")
    expect(screen.cards).to_have_count(6, timeout=LOAD_MS)  # the first video, drafts, the best
    screen.button("Best of…").click()
    panel.get_by_role("combobox", name="Run").select_option(index=1)
    expect(drafts).to_have_count(4, timeout=LOAD_MS)
    screen.assert_clean()


def test_a_run_is_cancelled_and_what_is_finished_is_kept(
    open_screen: Callable[..., Screen], manager: JobManager
) -> None:
    screen = open_screen().open_lab()
    screen.begin_session()
    screen.enhance("a heron in the reeds")
    screen.wait_for_videos(1)
    manager.pause()
    panel = _begin(screen, drafts=3, keep=1)
    expect(panel.locator(".wb-best-stage")).to_have_text(
        "Round 1 of 2: 0 of 3 rendered", timeout=RENDER_MS
    )
    panel.get_by_role("button", name="Cancel the run").click()
    expect(panel.locator(".wb-best-stage")).to_contain_text("Cancelled", timeout=LOAD_MS)
    session = manager.jobs(limit=1).jobs[0].session_id
    limit = time.monotonic() + RENDER_MS / 1000
    while True:  # the run is marked before its jobs are
        states = [job.state for job in manager.jobs(session_id=session, limit=20).jobs]
        if states.count(JobState.CANCELLED) == 3:
            break
        assert time.monotonic() < limit, states
        time.sleep(0.05)
    assert states.count(JobState.COMPLETE) >= 1
    screen.assert_clean()


def _seeing(asked: dict[str, Any]) -> Reply:
    """See everything but the rain, and write every prompt alike."""
    if isinstance(asked["messages"][-1]["content"], list):
        truth = "no", "yes"
        return Seeing(lambda _n, question: truth["rain" not in question], watches=True)(asked)
    return Reply(json.dumps({"prompt": PROMPT, "scene": SCENE}))


@pytest.fixture(scope="module")
def seeing_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server whose language model sees."""
    with Misbehaving.running() as endpoint:
        endpoint.behaviour = _seeing
        environment = {
            "WORKBENCH_LANGUAGE_PROVIDER": "openai",
            "WORKBENCH_LANGUAGE_MODEL": "seer",
            "WORKBENCH_LANGUAGE_BASE_URL": endpoint.base_url,
            "WORKBENCH_LANGUAGE_API_KEY": KEY,
        }
        outputs = tmp_path_factory.mktemp("seeing") / "outputs"
        with LiveServer(outputs, environment=environment) as live:
            yield live


def test_a_card_says_what_is_missing_and_a_click_asks_for_it(
    open_screen: Callable[..., Screen], seeing_server: LiveServer
) -> None:
    screen = open_screen(on=seeing_server).open_dashboard()
    screen.enhance("foxes on a bridge")
    screen.wait_for_videos(1)
    screen.go("Results")
    card = screen.cards.first
    card.get_by_role("button", name="Check", exact=True).click()
    line = card.locator(".wb-check")
    expect(line).to_contain_text(re.compile(r"\d of \d asked for"), timeout=LOAD_MS)
    expect(line.get_by_title("seer watched the video.")).to_be_visible()
    missing = line.get_by_role("button", name="missing: rain")
    expect(missing).to_be_visible()
    missing.click()
    said = screen.step.get_by_label("What should be different")
    expect(said).to_have_value("make sure that this shows: rain", timeout=LOAD_MS)
    screen.assert_clean()
