"""One click directs a model with the storyboard that is shown large."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Final

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

from playwright.sync_api import Locator, expect

from tests.browser.screen import LOAD_MS, Screen
from tests.engines.diffusers.tiny import save
from tests.live_server import LiveServer
from workbench.engines.diffusers.options import AS_RENDERED
from workbench.jobs.model import Job, JobState
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
    """A server with tiny models on its disk, whose workers may take long to import libraries."""
    folder = tmp_path_factory.mktemp("direction")
    models = folder / "models"
    models.mkdir()
    for name in ("wan-vace", "wan"):
        save(name, models)
    environment = {
        "WORKBENCH_MODELS": str(models),
        "WORKBENCH_LEASE_S": "60",
        "OMP_NUM_THREADS": "1",
    }
    with LiveServer(folder / "outputs", environment=environment) as one:
        yield one


@pytest.fixture
def studio(live: LiveServer) -> Iterator[Studio]:
    """The same outputs/ in this process."""
    with Studio(Settings(outputs=live.outputs)) as one:
        yield one


def _choose(screen: Screen, model: str) -> None:
    screen.page.get_by_role("button", name="Videos by").click()
    panel = screen.page.get_by_role("dialog", name="What renders the videos")
    chosen = panel.get_by_role("button", name=re.compile(rf"[/]{model} ·"))
    chosen.click()
    expect(chosen).to_have_attribute("aria-current", "true", timeout=LOAD_MS)
    screen.page.keyboard.press("Escape")


def _small(screen: Screen) -> None:
    panel = screen.open_settings()
    for label, value in (("Width", "64"), ("Height", "64"), ("Frames", "9"), ("Steps", "2")):
        field = panel.get_by_label(label, exact=True)
        field.fill(value)
        field.press("Tab")
        row = panel.locator(".wb-setting", has=screen.page.get_by_label(label, exact=True))
        expect(row).to_have_attribute("data-changed", "", timeout=LOAD_MS)
    panel.get_by_label("Profile", exact=True).select_option("reference")
    screen.page.keyboard.press("Escape")


def _newest(studio: Studio, more_than: int) -> Job:
    deadline = time.monotonic() + _LIMIT_S
    while (page := studio.jobs.jobs()).total <= more_than:
        assert time.monotonic() < deadline, "nothing was queued"
        time.sleep(0.1)
    return max(page.jobs, key=lambda job: job.created_at)


def _directed(studio: Studio, viewer: Locator, kind: str) -> Job:
    before = studio.jobs.jobs().total
    viewer.get_by_label("What of the storyboard the model follows").select_option(kind)
    viewer.get_by_role("button", name="Direct the model with this storyboard").click()
    job = _newest(studio, before)
    (ended,) = studio.jobs.wait([job.job_id], _LIMIT_S)
    assert ended.state is JobState.COMPLETE, ended.error
    return ended


def test_one_click_directs_the_chosen_model_with_a_storyboard(
    open_screen: Callable[..., Screen], live: LiveServer, studio: Studio
) -> None:
    screen = open_screen(on=live).open_dashboard()
    screen.enhance("a red car on a coast road")
    screen.wait_for_videos(1)
    (storyboard,) = studio.jobs.jobs().jobs
    screen.go("Results")
    card = screen.step.locator(".wb-results > article").first
    card.get_by_role("button", name=re.compile("^View: ")).click()
    viewer = screen.page.get_by_role("dialog", name="Video")
    start = viewer.get_by_role("button", name="Direct the model with this storyboard")
    expect(viewer.get_by_role("button", name="Fork here")).to_be_visible()
    expect(start).to_be_hidden()
    screen.page.keyboard.press("Escape")

    _choose(screen, "wan")
    _small(screen)
    card.get_by_role("button", name=re.compile("^View: ")).click()
    expect(start).to_have_attribute("aria-disabled", "true", timeout=LOAD_MS)
    expect(start).to_have_accessible_description(
        re.compile("Wan VACE follows a storyboard's depth")
    )
    screen.page.keyboard.press("Escape")

    _choose(screen, "wan-vace")
    card.get_by_role("button", name=re.compile("^View: ")).click()
    expect(start).not_to_have_attribute("aria-disabled", "true", timeout=LOAD_MS)
    kinds = viewer.get_by_label("What of the storyboard the model follows")
    expect(kinds).to_have_value("depth")
    options = kinds.locator("option").evaluate_all("(all) => all.map((one) => one.value)")
    assert set(options) == {"depth", "edges", "boxes", "flow", "gray"}
    job = _directed(studio, viewer, "depth")
    assert job.request.model.endswith("wan-vace")
    assert job.request.prompt == storyboard.request.prompt
    assert job.session_id == storyboard.session_id
    assert job.request.num_frames == 9
    drawn = studio.jobs.job(str(job.preview_job_id))
    assert job.follows == drawn.job_id
    assert drawn.request.channels == ("depth",)
    assert drawn.request.seed == storyboard.request.seed, "the same storyboard, drawn again"
    assert drawn.request.num_frames == storyboard.request.num_frames
    control = job.request.options["control"]
    assert control["video"] == str(studio.jobs.channel_path(drawn.job_id, "depth"))
    notes = studio.jobs.recipe(job.job_id).request.options[AS_RENDERED]["notes"]
    assert "the model follows the depth of a storyboard" in notes
    expect(viewer.get_by_text(job.job_id, exact=True)).to_be_visible(timeout=LOAD_MS)
    screen.assert_clean()
