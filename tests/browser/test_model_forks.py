"""Forks of a model's video on the screen: left at a second, gone on at its end, found in the history."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

from playwright.sync_api import Locator, expect

from tests.browser.screen import LOAD_MS, Screen
from tests.engines.diffusers.tiny import save
from tests.live_server import LiveServer
from workbench.jobs.model import Job, JobState
from workbench.rendering import RenderParameters
from workbench.settings import Settings
from workbench.studio import Studio

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

_LIMIT_S: Final = 300.0


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server whose workers may take long to import the model libraries."""
    slow = {"WORKBENCH_LEASE_S": "60", "OMP_NUM_THREADS": "1"}
    with LiveServer(tmp_path_factory.mktemp("forks") / "outputs", environment=slow) as one:
        yield one


@pytest.fixture
def studio(live: LiveServer) -> Iterator[Studio]:
    """The same outputs/ in this process."""
    with Studio(Settings(outputs=live.outputs)) as one:
        yield one


def _model(studio: Studio, folder: Path, name: str, **more: Any) -> Job:
    """Render a video of a tiny model into the session that the page has open."""
    idea = studio.jobs.jobs(limit=1).jobs[0]
    asked = {
        "engine": "diffusers", "model": str(save(name, folder)), "profile": "reference", "seed": 7,
        "width": 64, "height": 64, "num_inference_steps": 2, "options": {"previews": 0}, **more,
    }  # fmt: skip
    parameters = RenderParameters.of(asked)
    made = studio.run(
        studio.render(idea.request.prompt, session_id=idea.session_id, parameters=parameters)
    )
    return _ended(studio, made.job_id)


def _ended(studio: Studio, job_id: str) -> Job:
    (job,) = studio.jobs.wait([job_id], _LIMIT_S)
    assert job.state is JobState.COMPLETE, job.error
    return job


def _opened(screen: Screen, job: Job) -> Locator:
    """Open the viewer on a video of the wall."""
    viewer = screen.page.get_by_role("dialog", name="Video")
    wall = screen.step.locator(".wb-results > article")
    deadline = time.monotonic() + _LIMIT_S
    while time.monotonic() < deadline:
        for place in range(wall.count()):
            wall.nth(place).scroll_into_view_if_needed()
            wall.nth(place).get_by_role("button", name=re.compile("^View: ")).click()
            expect(viewer).to_be_visible()
            if viewer.get_by_text(job.job_id, exact=True).count():
                return viewer
            screen.page.keyboard.press("Escape")
        screen.page.wait_for_timeout(300)
    raise AssertionError("the video is not on the wall")


def _seek(viewer: Locator, second: float) -> None:
    video = viewer.locator("video")
    expect(video).to_be_visible(timeout=LOAD_MS)
    video.evaluate(
        "(v, at) => new Promise((done) => { v.pause(); const go = () => { v.onseeked = done; "
        "v.currentTime = at; }; v.readyState ? go() : (v.onloadedmetadata = go); })",
        second,
    )


def _submitted(studio: Studio, count: int) -> list[Job]:
    """Return the newest jobs once there are ``count``, oldest first."""
    deadline = time.monotonic() + 60
    while (page := studio.jobs.jobs()).total < count:
        assert time.monotonic() < deadline, f"{page.total} of {count} jobs"
        time.sleep(0.1)
    return sorted(page.jobs, key=lambda job: (job.created_at, job.position))


def test_a_models_video_is_left_at_a_second_goes_on_and_is_found_in_the_history(
    open_screen: Callable[..., Screen], live: LiveServer, studio: Studio, tmp_path: Path
) -> None:
    screen = open_screen(on=live).open_dashboard()
    screen.enhance("a red car on a coast road")
    screen.wait_for_videos(1)
    video = _model(studio, tmp_path, "wan-2-2-5b", num_frames=9, fps=8)
    before = studio.jobs.jobs().total
    screen.go("Results")
    viewer = _opened(screen, video)
    fork = viewer.get_by_role("button", name="Fork here")
    expect(fork).not_to_have_attribute("aria-disabled", "true", timeout=LOAD_MS)
    _seek(viewer, 0.5)
    fork.click()
    form = viewer.get_by_role("group", name="Fork", exact=True)
    expect(form).to_contain_text("From 0.63 s on")
    expect(form).to_contain_text("Its lossless frames were not kept, so it is made again first")
    form.get_by_label("What happens from here").fill("a white cat sits on a coast road")
    form.get_by_label("Seconds").fill("1")
    form.get_by_label("Seed").fill("90")
    form.get_by_role("button", name="Fork", exact=True).click()
    again, left = _submitted(studio, before + 2)[-2:]
    assert again.request.options["rollout"]["of"] == video.job_id
    assert (left.follows, left.request.seed) == (again.job_id, 90)
    assert left.request.options["tail"]["num_frames"] == 5
    assert left.request.prompt == "a white cat sits on a coast road"
    assert left.session_id == video.session_id
    expect(viewer).to_contain_text("a white cat", timeout=LOAD_MS)
    _ended(studio, left.job_id)
    place = viewer.get_by_role("group", name="Its place in the world")
    expect(place).to_contain_text("0.63 to 1.63 s of its world, from 0.63 s of the video before")
    expect(place.get_by_role("listitem").first).to_contain_text("drift", timeout=LOAD_MS)

    viewer.get_by_role("button", name="Go on").click()
    expect(form).to_contain_text("On from the end")
    expect(form).not_to_contain_text("made again")
    form.get_by_role("button", name="Go on").click()
    further = _submitted(studio, before + 3)[-1]
    assert further.follows == left.job_id
    assert "num_frames" not in {k for k, v in further.request.options["tail"].items() if v}
    _ended(studio, further.job_id)
    screen.page.keyboard.press("Escape")
    screen.page.get_by_role("button", name="History").click()
    tree = screen.page.get_by_role("dialog", name="History")
    expect(tree.get_by_role("button", name=re.compile("^Made again"))).to_be_visible()
    expect(tree.get_by_role("button", name=re.compile("^Goes on"))).to_be_visible()
    node = tree.get_by_role("button", name=re.compile("^Fork at 0.6 s"))
    node.focus()
    screen.page.keyboard.press("Enter")
    expect(viewer).to_be_visible()
    expect(place).to_contain_text("0.63 to 1.63 s")
    screen.assert_clean()


def test_a_model_that_cannot_go_on_says_why_and_helios_is_left_where_a_section_ends(
    open_screen: Callable[..., Screen], live: LiveServer, studio: Studio, tmp_path: Path
) -> None:
    screen = open_screen(on=live).open_dashboard()
    screen.enhance("a white boat on a lake")
    screen.wait_for_videos(1)
    mochi = _model(studio, tmp_path, "mochi", num_frames=7)
    helios = _model(studio, tmp_path, "helios", num_frames=66)
    screen.go("Results")
    viewer = _opened(screen, mochi)
    for name in ("Fork here", "Go on"):
        button = viewer.get_by_role("button", name=name)
        expect(button).to_have_attribute("aria-disabled", "true", timeout=LOAD_MS)
        expect(button).to_have_accessible_description(re.compile("cannot continue from a segment"))
    screen.page.keyboard.press("Escape")
    viewer = _opened(screen, helios)
    fork = viewer.get_by_role("button", name="Fork here")
    expect(fork).not_to_have_attribute("aria-disabled", "true", timeout=LOAD_MS)
    _seek(viewer, 0.5)
    fork.click()
    form = viewer.get_by_role("group", name="Fork", exact=True)
    expect(form).to_contain_text(
        "From 1.38 s on. Helios goes on from its latents, which end every 33 frames."
    )
    before = studio.jobs.jobs().total
    form.get_by_label("Camera, in keys or words").fill("a nice day")
    form.get_by_role("button", name="Fork", exact=True).click()
    expect(viewer.get_by_role("alert")).to_contain_text("no movement", timeout=LOAD_MS)
    assert studio.jobs.jobs().total == before
    form.get_by_label("Camera, in keys or words").fill("push in")
    form.get_by_label("Seconds").fill("1")
    studio.jobs.pause()  # so that the job is there to be cancelled
    try:
        form.get_by_role("button", name="Fork", exact=True).click()
        again, left = _submitted(studio, before + 2)[-2:]
        studio.jobs.cancel(again.job_id)
    finally:
        studio.jobs.resume()
    assert again.request.num_frames == 66
    assert left.request.options["tail"]["num_frames"] == 33
    assert left.request.camera is not None
    (ended,) = studio.jobs.wait([left.job_id], _LIMIT_S)
    assert ended.state is JobState.CANCELLED
    screen.assert_clean()
