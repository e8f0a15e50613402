"""Files dropped on the screen: a workbench video opens its session, a picture starts a render."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.screen import LOAD_MS, Screen
from tests.live_server import LiveServer
from tests.models_on_disk import write_model
from workbench.jobs.client.manager import JobManager
from workbench.settings import Settings

pytestmark = pytest.mark.browser

_DROP: Final = """
([selector, name, type, text]) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], name, { type }));
  for (const what of ["dragover", "drop"]) {
    document.querySelector(selector).dispatchEvent(
      new DragEvent(what, { bubbles: true, cancelable: true, dataTransfer: data }));
  }
}
"""


def _drop(screen: Screen, content: bytes, name: str, kind: str) -> None:
    screen.page.evaluate(_DROP, [".wb", name, kind, base64.b64encode(content).decode()])


def _video(screen: Screen) -> bytes:
    source = screen.step.locator(".wb-player video").first.get_attribute("src")
    assert source
    return screen.server.get(source.partition("?")[0]).content


def test_a_dropped_video_opens_its_session_or_starts_a_new_one(
    open_screen: Callable[..., Screen], tmp_path: Path
) -> None:
    screen = open_screen().open_dashboard()
    panel = screen.open_settings()
    panel.get_by_label("Frames per second", exact=True).fill("12")
    panel.get_by_label("Frames per second", exact=True).press("Tab")
    expect(screen.page.locator(".wb-menu[data-changed]")).to_be_visible(timeout=LOAD_MS)
    screen.page.keyboard.press("Escape")
    screen.enhance("a lighthouse in a storm")
    screen.wait_for_videos(1)
    prompt, video = screen.prompt.inner_text(), _video(screen)
    screen.begin_session()
    screen.enhance("dog running")
    _drop(screen, video, "video.mp4", "video/mp4")
    expect(screen.prompt).to_have_text(prompt, timeout=LOAD_MS)
    screen.go("Results")
    screen.wait_for_videos(1)
    with LiveServer(tmp_path / "outputs") as server:
        elsewhere = open_screen(on=server).open_dashboard()
        _drop(elsewhere, video, "video.mp4", "video/mp4")
        expect(elsewhere.prompt).to_have_text(prompt, timeout=LOAD_MS)
        line = elsewhere.page.get_by_role("group", name="Who writes and what renders")
        expect(line).to_contain_text("12 fps", timeout=LOAD_MS)
        elsewhere.assert_clean()


def test_a_model_is_offered_the_inputs_that_it_takes_and_renders_have_them(
    open_screen: Callable[..., Screen], tmp_path: Path
) -> None:
    folder = write_model(tmp_path / "models" / "wan-vace", class_name="WanVACEPipeline")
    with LiveServer(
        tmp_path / "outputs", environment={"WORKBENCH_MODELS": str(folder.parent)}
    ) as server:
        screen = open_screen(on=server).open_dashboard()
        panel = screen.open_settings()
        expect(panel.get_by_label("References", exact=True)).to_be_hidden()  # a storyboard's
        screen.page.keyboard.press("Escape")
        screen.page.get_by_role("button", name="Videos by").click()
        screen.page.get_by_role("button", name="wan-vace").click(timeout=LOAD_MS)
        expect(screen.page.get_by_role("button", name="Videos by")).to_contain_text(
            "wan-vace", timeout=LOAD_MS
        )
        screen.page.keyboard.press("Escape")
        panel = screen.open_settings()
        references = panel.get_by_label("References", exact=True)
        expect(references).to_be_visible(timeout=LOAD_MS)
        expect(panel.get_by_label("Keyframes", exact=True)).to_be_hidden()
        expect(panel.get_by_label("Start image", exact=True)).to_be_hidden()
        expect(panel.get_by_label("Mask, white where it may change", exact=True)).to_be_visible()
        kinds = panel.get_by_label("Kind of control").locator("option").all_inner_texts()
        assert kinds == ["depth", "edges", "pose", "layout", "gray", "boxes", "flow"]
        pictures = [tmp_path / f"{name}.png" for name in ("one", "two", "three")]
        for place, path in enumerate(pictures):
            Image.new("RGB", (64, 48), (60 * place, 90, 120)).save(path)
        references.set_input_files(pictures)
        thumbnails = panel.locator(".wb-inputs .wb-input-picture:visible")
        expect(thumbnails).to_have_count(3, timeout=LOAD_MS)
        panel.get_by_role("button", name="Remove reference 2").click()
        expect(thumbnails).to_have_count(2, timeout=LOAD_MS)
        panel.get_by_text("Quantise each component").click()
        panel.get_by_label("Quantise the text encoder").select_option("none")
        expect(panel.locator(".wb-parts [data-changed]")).to_have_count(1, timeout=LOAD_MS)
        screen.page.keyboard.press("Escape")
        screen.enhance("dog running")
        manager = JobManager(Settings(outputs=server.outputs))
        try:
            screen.wait_for_job_count(manager, 1)
            asked = next(j for j in manager.jobs().jobs if j.request.engine == "diffusers").request
        finally:
            manager.close()
        assert len(asked.options["references"]) == 2
        assert asked.quantize == {"text_encoder": "none"}
        screen.assert_clean()


def test_a_file_that_is_not_a_workbench_video_is_refused_with_a_reason(
    open_screen: Callable[..., Screen],
) -> None:
    screen = open_screen().open_dashboard()
    _drop(screen, b"not a video", "video.mp4", "video/mp4")
    expect(screen.page.locator(".wb-notice:visible")).to_contain_text("recipe", timeout=LOAD_MS)


def test_a_dropped_picture_becomes_the_first_frame_where_the_model_takes_one(
    open_screen: Callable[..., Screen], tmp_path: Path
) -> None:
    folder = write_model(tmp_path / "models" / "wan-image", takes_image=True)
    with LiveServer(
        tmp_path / "outputs", environment={"WORKBENCH_MODELS": str(folder.parent)}
    ) as server:
        screen = open_screen(on=server).open_dashboard()
        screen.enhance("dog running")
        screen.wait_for_videos(1)
        screen.go("Results")
        screen.cards.first.get_by_role("button", name="View").click()
        viewer = screen.page.get_by_role("dialog", name="Video", exact=True)
        screen.wait_until_playing(".wb-viewer video")
        for name in ("Start from here", "Extend", "Change this video"):
            viewer.get_by_role("button", name=name).click()
            told = viewer.locator(".wb-notice:visible")
            expect(told).to_contain_text("storyboard", timeout=LOAD_MS)
            told.get_by_role("button", name="Dismiss").click()
        screen.page.keyboard.press("Escape")
        screen.page.get_by_role("button", name="Videos by").click()
        screen.page.get_by_role("button", name="wan-image").click(timeout=LOAD_MS)
        expect(screen.page.get_by_role("button", name="Videos by")).to_contain_text(
            "wan-image", timeout=LOAD_MS
        )
        screen.page.keyboard.press("Escape")
        screen.cards.first.get_by_role("button", name="View").click()
        screen.wait_until_playing(".wb-viewer video")
        viewer.get_by_role("button", name="Start from here").click()
        expect(viewer.get_by_text("Renders now start from this frame.")).to_be_visible(
            timeout=LOAD_MS
        )
        screen.page.keyboard.press("Escape")
        panel = screen.open_settings()
        expect(panel.locator(".wb-input-picture:visible")).to_have_count(1, timeout=LOAD_MS)
        panel.get_by_role("button", name="Remove the start image").click()
        expect(panel.locator(".wb-input-picture:visible")).to_have_count(0, timeout=LOAD_MS)
        screen.page.keyboard.press("Escape")
        screen.cards.first.get_by_role("button", name="View").click()
        viewer.get_by_role("button", name="Change this video").click()
        expect(viewer.locator(".wb-notice:visible")).to_contain_text("video", timeout=LOAD_MS)


def test_an_error_in_the_viewer_stays_while_the_facts_of_its_video_change(
    open_screen: Callable[..., Screen],
) -> None:
    screen = open_screen().open_dashboard()
    screen.enhance("dog running")
    screen.wait_for_videos(1)
    screen.go("Results")
    screen.cards.first.get_by_role("button", name="View").click()
    viewer = screen.page.get_by_role("dialog", name="Video", exact=True)
    viewer.get_by_role("button", name="Change this video").click()
    told = viewer.locator(".wb-notice:visible")
    expect(told).to_contain_text("storyboard", timeout=LOAD_MS)
    viewer.get_by_role("button", name="Star", exact=True).click()
    expect(viewer.get_by_role("button", name="Unstar")).to_be_visible(timeout=LOAD_MS)
    expect(told).to_contain_text("storyboard")
    screen.assert_clean()
