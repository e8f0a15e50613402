"""Render settings: chosen on any step, kept by the session, shown on every step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.screen import LOAD_MS, Screen
from tests.live_server import LiveServer
from tests.models_on_disk import write_model
from workbench.jobs.client.manager import JobManager
from workbench.jobs.model import Job
from workbench.settings import Settings

pytestmark = pytest.mark.browser


@pytest.fixture
def manager(server: LiveServer) -> Iterator[JobManager]:
    """The jobs as another process sees them."""
    one = JobManager(Settings(outputs=server.outputs))
    yield one
    one.close()


def _line(screen: Screen) -> Locator:
    return screen.page.get_by_role("group", name="Who writes and what renders")


def _newest(manager: JobManager, count: int) -> tuple[Job, ...]:
    return manager.jobs(limit=count).jobs


def test_settings_chosen_before_the_first_prompt_apply_to_every_render(
    open_screen: Callable[..., Screen], manager: JobManager
) -> None:
    screen = open_screen().open_dashboard()
    line = _line(screen)
    expect(line).to_contain_text("Prompts by")
    expect(line).to_contain_text("built-in composer")
    expect(line.get_by_role("button", name="Videos by")).to_contain_text("storyboard")
    expect(line).to_contain_text("832 × 480", timeout=LOAD_MS)
    panel = screen.open_settings()
    aspect = panel.locator(".wb-setting", has_text="Aspect").first
    panel.get_by_label("Aspect", exact=True).select_option("9:16 tall")
    expect(aspect).to_have_attribute("data-changed", "", timeout=LOAD_MS)
    expect(aspect).to_contain_text("instead of 16:9")
    panel.get_by_label("Seconds", exact=True).fill("1")
    panel.get_by_label("Seconds", exact=True).press("Tab")
    expect(panel.get_by_label("Frames", exact=True)).to_have_value("24", timeout=LOAD_MS)
    screen.page.keyboard.press("Escape")
    screen.enhance("dog running")
    screen.wait_for_videos(1)
    screen.make_variations()
    screen.render_all()
    screen.wait_for_videos(8)
    screen.cards.nth(2).get_by_role("button", name="Tune this").click()
    expect(line).to_contain_text("1.0 s")
    screen.button("Generate again").click()
    screen.wait_for_job_count(manager, 10)
    jobs = _newest(manager, 10)
    assert {(job.request.width, job.request.height) for job in jobs} == {(474, 842)}
    assert {job.request.num_frames for job in jobs} == {24}
    assert len({job.request.seed for job in jobs}) == 1, "the session keeps one seed"
    screen.page.reload()
    expect(_line(screen)).to_contain_text("474 × 842", timeout=LOAD_MS)
    screen.assert_clean()


def test_an_unlocked_seed_is_new_for_each_render_until_locked_again(
    open_screen: Callable[..., Screen], manager: JobManager
) -> None:
    screen = open_screen().open_dashboard()
    screen.enhance("a kite over the sea")
    screen.wait_for_videos(1)
    screen.button("Tune it first").click()
    lock = _line(screen).get_by_role("button", name="Every render has the same seed")
    lock.click()
    expect(_line(screen)).to_contain_text("new seeds", timeout=LOAD_MS)
    for count in (2, 3):
        screen.button("Generate again").click()
        screen.wait_for_job_count(manager, count)
    seeds = [job.request.seed for job in _newest(manager, 3)]
    assert len(set(seeds)) == 3
    _line(screen).get_by_role("button", name="Each render has its own seed").click()
    expect(_line(screen)).to_contain_text(f"seed {seeds[0]}", timeout=LOAD_MS)
    screen.button("Generate again").click()
    screen.wait_for_job_count(manager, 4)
    assert _newest(manager, 1)[0].request.seed == seeds[0]


def test_settings_given_in_words_and_in_the_panel_are_the_same(
    open_screen: Callable[..., Screen],
) -> None:
    screen = open_screen().open_dashboard()
    screen.enhance("a kite over the sea")
    screen.button("Tune it first").click()
    wish = screen.step.get_by_label("What should be different")
    wish.fill("make it 9:16")
    wish.press("Enter")
    expect(_line(screen)).to_contain_text("474 × 842", timeout=LOAD_MS)
    panel = screen.open_settings()
    expect(panel.get_by_label("Aspect", exact=True)).to_have_value("9:16")
    panel.get_by_role("button", name="Reset aspect").click()
    expect(_line(screen)).to_contain_text("832 × 480", timeout=LOAD_MS)


def test_an_answer_lists_the_format_beside_what_else_it_changed(
    open_screen: Callable[..., Screen],
) -> None:
    screen = open_screen().open_dashboard()
    screen.enhance("a kite over the sea")
    screen.button("Tune it first").click()
    wish = screen.step.get_by_label("What should be different")
    wish.fill("at night, 9:16")
    wish.press("Enter")
    changes = screen.step.locator(".wb-turn .wb-changes li")
    expect(changes.filter(has_text="night")).to_be_visible(timeout=LOAD_MS)
    expect(changes.filter(has_text="aspect")).to_contain_text("9:16")


def test_settings_are_saved_under_a_name(open_screen: Callable[..., Screen]) -> None:
    screen = open_screen().open_dashboard()
    panel = screen.open_settings()
    panel.get_by_label("Frames per second", exact=True).fill("12")
    panel.get_by_label("Frames per second", exact=True).press("Tab")
    panel.get_by_label("Name of the preset").fill("slow look")
    keep = panel.get_by_role("button", name="Save", exact=True)
    expect(keep).to_be_enabled(timeout=LOAD_MS)
    keep.click()
    panel.get_by_role("button", name="Reset all").click()
    expect(panel.get_by_label("Frames per second", exact=True)).to_have_value("24", timeout=LOAD_MS)
    panel.get_by_label("Presets", exact=True).select_option("")
    panel.get_by_label("Presets", exact=True).select_option("slow look")
    expect(panel.get_by_label("Frames per second", exact=True)).to_have_value("12", timeout=LOAD_MS)


def test_the_panel_names_the_engine_and_how_to_get_a_model(
    open_screen: Callable[..., Screen],
) -> None:
    screen = open_screen().open_dashboard()
    _line(screen).get_by_role("button", name="Videos by").click()
    dialog = screen.page.get_by_role("dialog", name="What renders the videos")
    expect(dialog.get_by_role("button", name="storyboard")).to_have_attribute(
        "aria-current", "true"
    )
    expect(dialog).to_contain_text("it is not a video model")
    expect(dialog).to_contain_text("hf download", timeout=LOAD_MS)
    screen.page.keyboard.press("Escape")
    screen.enhance("dog running")
    screen.wait_for_videos(1)
    expect(screen.step.locator(".wb-player[data-drawn]")).to_be_visible()


def test_a_local_model_is_chosen_and_its_defaults_are_shown(
    open_screen: Callable[..., Screen], tmp_path: Path
) -> None:
    folder = write_model(tmp_path / "models" / "wan-small")
    with LiveServer(
        tmp_path / "outputs", environment={"WORKBENCH_MODELS": str(folder.parent)}
    ) as server:
        (listed,) = server.get("/api/models").json()["models"]
        assert listed["name"] == str(folder)
        screen = open_screen(on=server).open_dashboard()
        videos = _line(screen).get_by_role("button", name="Videos by")
        videos.click()
        dialog = screen.page.get_by_role("dialog", name="What renders the videos")
        dialog.get_by_role("button", name="wan-small").click(timeout=LOAD_MS)
        expect(videos).to_contain_text("wan-small", timeout=LOAD_MS)
        screen.page.keyboard.press("Escape")
        panel = screen.open_settings()
        steps = panel.get_by_label("Steps", exact=True)
        expect(steps).to_have_value("50", timeout=LOAD_MS)
        steps.fill("7")
        steps.press("Tab")
        row = panel.locator(".wb-setting", has_text="Steps").first
        expect(row).to_contain_text("instead of 50", timeout=LOAD_MS)
        panel.get_by_label("LoRA", exact=True).fill("somebody/a-lora")
        panel.get_by_role("button", name="Add").click()
        expect(panel.get_by_label("Weight of somebody/a-lora")).to_have_value("1", timeout=LOAD_MS)


def test_prompts_by_seeds_form_rows_and_columns(
    open_screen: Callable[..., Screen], manager: JobManager
) -> None:
    screen = open_screen().open_dashboard()
    screen.enhance("a kite over the sea")
    screen.wait_for_videos(1)
    screen.button("Go to variations").click()
    screen.step.get_by_label("How many").fill("3")
    screen.button("Make variations").click()
    expect(screen.cards).to_have_count(3, timeout=LOAD_MS)
    screen.step.get_by_label("Seeds").fill("2")
    screen.render_all()
    screen.wait_for_job_count(manager, 7)
    jobs = [job for job in _newest(manager, 7) if job.batch_id]
    by_prompt = {
        index: {job.request.seed for job in jobs if job.entry_index == index}
        for index in {job.entry_index for job in jobs}
    }
    assert len(by_prompt) == 3
    (seeds, *others) = by_prompt.values()
    assert len(seeds) == 2
    assert all(other == seeds for other in others), "the columns are the same seeds"
    screen.go("Results")
    screen.wait_for_videos(7)
    screen.step.get_by_label("Batch", exact=True).select_option(index=2)
    screen.step.get_by_label("Sort").select_option("Prompts by seeds")
    expect(screen.step.locator(".wb-results")).to_have_attribute("data-columns", "2")
    tops = screen.page.evaluate(
        "() => [...document.querySelectorAll('.wb-results article')]"
        ".map((card) => card.getBoundingClientRect().top)"
    )
    assert tops[0] == tops[1] < tops[2] == tops[3], "two abreast"
