"""The engine in a real worker process, driven through the job manager."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")


from tests.engines.diffusers.conftest import Ask, Stage
from tests.jobs.shop import Shop
from workbench.engines.diffusers.options import AS_RENDERED
from workbench.engines.probe import decode_video
from workbench.engines.recipes import read_recipe
from workbench.jobs.model import JobState
from workbench.journey.videos import Video
from workbench.studio import Studio

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

_LIMIT_S = 120.0


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """One worker for all tests here, so that the libraries are imported once."""
    place = tmp_path_factory.mktemp("shop")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("WORKBENCH_")]:
            patch.delenv(name)
        patch.setenv("WORKBENCH_LEASES", str(place / "leases"))
        patch.setenv("OMP_NUM_THREADS", "1")
        # Importing the libraries takes long on a busy machine.
        with Shop(place / "outputs", lease_s=30.0) as shop:
            yield shop


def test_a_job_gives_the_frames_and_recipe_of_an_in_process_render(
    shop: Shop, ask: Ask, stage: Stage
) -> None:
    job = shop.manager.submit(ask("wan", num_inference_steps=12))
    stages: list[str] = []
    previewed = False

    def over() -> bool:
        nonlocal previewed
        now = shop.manager.job(job.job_id)
        if now.stage and now.stage not in stages:
            stages.append(now.stage)
        previewed = previewed or now.has_preview
        return now.state.final

    shop.until(over, _LIMIT_S)
    ended = shop.manager.job(job.job_id)
    assert ended.state is JobState.COMPLETE, ended.error
    assert stages[0] == "loading"
    assert previewed

    recipe = shop.manager.recipe(job.job_id)
    assert recipe.libraries["torch"].startswith("2.")
    assert "diffusers" in recipe.libraries
    assert recipe.outcome is not None
    assert recipe.outcome.num_frames == 9
    assert recipe.request.options[AS_RENDERED]["pipeline"] == "WanPipeline"
    video = shop.manager.video_path(job.job_id)
    assert read_recipe(video).request.options[AS_RENDERED]["dtypes"]["default"] == "float32"

    made, folder = stage.render(ask("wan", num_inference_steps=12))
    theirs = np.stack(list(decode_video(video)))
    ours = np.stack(list(decode_video(folder / "video.mp4")))
    assert made.num_frames == len(theirs)
    np.testing.assert_array_equal(theirs, ours)


def test_a_cancelled_job_ends_and_the_worker_takes_the_next(
    shop: Shop, ask: Ask, models: Callable[[str], Path]
) -> None:
    long = shop.manager.submit(ask("wan", num_inference_steps=1_000))
    shop.until(lambda: shop.manager.job(long.job_id).step >= 2, _LIMIT_S)
    shop.manager.cancel(long.job_id)
    (ended,) = shop.ended(long.job_id, limit_s=_LIMIT_S)
    assert ended.state is JobState.CANCELLED
    assert not ended.has_video
    (after,) = shop.ended(shop.manager.submit(ask("wan")).job_id, limit_s=_LIMIT_S)
    assert after.state is JobState.COMPLETE, after.error
    assert after.attempt == 1


def test_a_job_with_another_model_loads_it_in_the_same_worker(shop: Shop, ask: Ask) -> None:
    (job,) = shop.ended(shop.manager.submit(ask("mochi")).job_id, limit_s=_LIMIT_S)
    assert job.state is JobState.COMPLETE, job.error
    log = shop.manager.log_path(job.job_id).read_text("utf-8")
    assert "the device's memory is the machine's own" in log, "the plan stands in the job's log"


def test_a_finished_video_is_continued_by_its_job_id(shop: Shop, ask: Ask) -> None:
    studio = Studio(shop.settings)
    begun = ask("wan-2-2-5b")
    (first,) = shop.ended(shop.manager.submit(begun).job_id, limit_s=_LIMIT_S)
    assert first.state is JobState.COMPLETE, first.error
    video = Video(first.job_id, using=studio)
    try:
        following = video.continued(num_inference_steps=2)
        (ended,) = shop.ended(following.job_id, limit_s=_LIMIT_S)
        assert ended.state is JobState.COMPLETE, ended.error
        assert ended.request.prompt == first.request.prompt
        size = ("width", "height", "num_frames")
        assert [getattr(ended.request, n) for n in size] == [getattr(begun, n) for n in size]
        assert ended.request.options["image"] == str(video.path)
        said = following.recipe.request.options[AS_RENDERED]
        assert said["pipeline"] == "WanImageToVideoPipeline"
    finally:
        studio.close()
