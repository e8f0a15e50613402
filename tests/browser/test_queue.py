"""The queue on the screen: pausing, reordering, retrying."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.screen import LOAD_MS, Screen
from tests.jobs.shop import PATIENCE_S
from tests.live_server import LiveServer
from workbench.jobs.client.manager import JobManager
from workbench.jobs.model import JobState
from workbench.settings import Settings

pytestmark = pytest.mark.browser


@pytest.fixture
def manager(server: LiveServer) -> Iterator[JobManager]:
    """The queue as another process sees it; resumed after the test."""
    one = JobManager(Settings(outputs=server.outputs))
    yield one
    for name in one.paused():
        one.resume(name or None)
    one.close()


def test_the_queue_is_paused_reordered_and_resumed(
    open_screen: Callable[..., Screen], manager: JobManager
) -> None:
    screen = open_screen().open_lab()
    strip = screen.page.get_by_role("group", name="Devices")
    strip.get_by_role("button", name="Pause the queue").click(timeout=LOAD_MS)
    expect(strip.get_by_role("status")).to_have_text("The queue is paused")
    serious = Axe().run(screen.page, context=".wb").response["violations"]
    assert [one["id"] for one in serious if one["impact"] in {"serious", "critical"}] == []
    screen.enhance("a heron in the reeds")
    line = screen.step.locator(".wb-job")
    expect(line).to_contain_text("the queue is paused", timeout=LOAD_MS)
    screen.step.get_by_label("Priority of this render").select_option("when nothing else waits")
    screen.make_variations()
    screen.render_all()
    fourth = screen.cards.nth(3)
    expect(fourth.locator(".wb-job")).to_contain_text("3 ahead", timeout=LOAD_MS)
    fourth.get_by_role("button", name="Render next").click()
    expect(fourth.locator(".wb-job")).to_contain_text("next in line", timeout=LOAD_MS)
    expect(screen.cards.nth(0).locator(".wb-job")).to_contain_text("1 ahead", timeout=LOAD_MS)
    resume = strip.get_by_role("button", name="Resume the queue")
    resume.focus()
    screen.page.keyboard.press("Enter")
    expect(strip.get_by_role("button", name="Pause the queue")).to_be_visible(timeout=LOAD_MS)
    screen.wait_for_videos(8)
    jobs = manager.batches()[0].jobs
    started = sorted(jobs, key=lambda job: job.started_at or job.created_at)
    assert 3 in {job.position for job in started[:2]}, "two processors take two at once"
    screen.assert_clean()


def test_a_single_device_is_paused_and_shown_as_paused(
    open_screen: Callable[..., Screen], manager: JobManager
) -> None:
    screen = open_screen().open_lab()
    device = screen.page.locator(".wb-device", has_text="CPU 0")
    device.get_by_role("button", name="Pause CPU 0").click(timeout=LOAD_MS)
    expect(device.locator(".wb-device-state")).to_have_text("paused")
    assert manager.paused() == {"cpu:0"}
    device.get_by_role("button", name="Resume CPU 0").press("Enter")
    expect(device.locator(".wb-device-state")).not_to_have_text("paused")
    assert manager.paused() == frozenset()


def test_a_visitor_sees_a_paused_queue_but_cannot_pause_it(
    open_screen: Callable[..., Screen], manager: JobManager
) -> None:
    screen = open_screen().open_dashboard()
    strip = screen.page.get_by_role("group", name="Devices")
    expect(strip.locator(".wb-device").first).to_be_visible(timeout=LOAD_MS)
    manager.pause()
    expect(strip.get_by_role("status")).to_have_text("The queue is paused", timeout=LOAD_MS)
    assert strip.get_by_role("button", name="Pause").count() == 0
    assert strip.get_by_role("button", name="Resume").count() == 0
    manager.resume()
    expect(strip.get_by_role("status")).to_have_text("", timeout=LOAD_MS)


def test_all_failed_jobs_are_retried_with_one_click(
    open_screen: Callable[..., Screen], manager: JobManager
) -> None:
    screen = open_screen().open_dashboard()
    screen.enhance("a mill by the stream")
    screen.make_variations()
    screen.render_all()
    screen.wait_for_videos(8)
    batch = manager.batches()[0]
    for place in (0, 2):
        manager.video_path(batch.jobs[place].job_id).unlink()
    manager.batch(batch.batch_id)  # reading the batch detects that it failed
    screen.button("Try 2 failed again").click(timeout=LOAD_MS)
    screen.wait_for_videos(8)
    expect(screen.step.get_by_text("8 videos finished.")).to_be_visible()
    manager.video_path(batch.jobs[1].job_id).unlink()
    manager.batch(batch.batch_id)
    screen.go("Results")
    screen.button("Try 1 failed again").click(timeout=LOAD_MS)
    screen.wait_for_videos(9)
    assert [job.attempt for job in manager.batch(batch.batch_id).jobs] == [2, 2, 2, 1, 1, 1, 1, 1]


def _first_in_queue(manager: JobManager) -> str:
    queued = manager.jobs(state=JobState.QUEUED).jobs
    return min(queued, key=lambda job: job.queue_position or 0).request.prompt.lower()


def test_the_queue_of_all_sessions_is_shown_and_reordered(
    open_screen: Callable[..., Screen], manager: JobManager
) -> None:
    manager.pause()
    for idea in ("a heron in the reeds", "a kite over the sea", "a mill by the stream"):
        screen = open_screen().open_lab()
        screen.begin_session()
        screen.enhance(idea)
    screen.page.get_by_role("button", name=re.compile("^Queue")).click()
    panel = screen.page.get_by_role("dialog", name="Queue")
    waiting = panel.get_by_role("list", name="Waiting").locator(".wb-queue-row")
    expect(waiting).to_have_count(3, timeout=LOAD_MS)
    expect(waiting.nth(0)).to_contain_text("heron")
    expect(waiting.nth(0)).to_contain_text("storyboard")
    waiting.nth(2).get_by_role("button", name="Earlier").click()
    expect(waiting.nth(1)).to_contain_text("mill", timeout=LOAD_MS)
    waiting.nth(1).drag_to(waiting.nth(0))
    expect(waiting.nth(0)).to_contain_text("mill", timeout=LOAD_MS)
    limit = time.monotonic() + PATIENCE_S
    while "mill" not in _first_in_queue(manager):  # the page shows the new order at once
        assert time.monotonic() < limit
        screen.page.wait_for_timeout(50)
    waiting.nth(0).get_by_role("checkbox").check()
    panel.get_by_label("Priority of the chosen renders").select_option("when nothing else waits")
    expect(waiting.nth(2)).to_contain_text("mill", timeout=LOAD_MS)
    panel.get_by_label("All", exact=True).check()
    panel.get_by_role("button", name="Cancel").click()
    expect(panel.get_by_text("No renders are waiting or running.")).to_be_visible(timeout=LOAD_MS)
    assert manager.jobs(state=JobState.QUEUED).total == 0


def test_a_visitor_sees_no_jobs_of_others_in_the_queue(
    open_screen: Callable[..., Screen], manager: JobManager
) -> None:
    manager.pause()
    first = open_screen().open_dashboard()
    first.enhance("a secret garden at noon")
    second = open_screen().open_dashboard()
    second.enhance("a paper boat in the gutter")
    second.page.get_by_role("button", name=re.compile("^Queue")).click()
    rows = second.page.get_by_role("dialog", name="Queue").locator(".wb-queue-row")
    expect(rows).to_have_count(1, timeout=LOAD_MS)
    expect(rows).to_contain_text("boat")
    for job in manager.jobs(state=JobState.QUEUED).jobs:
        manager.cancel(job.job_id)
