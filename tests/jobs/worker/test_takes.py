"""A segment that drifts beyond its bounds is made again, a bounded number of times, and that is said."""

from __future__ import annotations

from typing import Any

import pytest

from tests.jobs import shop as shops
from tests.jobs.shop import DEFAULTS, Shop
from workbench.engines.channels import read_channel
from workbench.engines.recipes import read_recipe
from workbench.jobs.model import Batch, JobState
from workbench.jobs.worker.takes import retake_seed
from workbench.rendering import RenderRequest

_SECOND, _THIRD = str(retake_seed(7, 1)), str(retake_seed(7, 2))


@pytest.fixture
def studio(shop: Shop) -> Shop:
    """The outputs/ folder with the drifting engine."""
    engines = {**shops.ENGINES, "drifting": "tests.jobs.drifting:DriftingEngine"}
    shop.use(**{**DEFAULTS, "engines": engines})
    return shop


def _rolled_out(shop: Shop, *options: dict[str, Any], retakes: int = 2) -> Batch:
    requests = []
    for index, given in enumerate(options):
        rollout = {"start": 16 * index, "bounds": {}, "most_retakes": retakes}
        requests.append(
            RenderRequest(
                prompt="a wall", engine="drifting", seed=7, options={"rollout": rollout, **given}
            )
        )
    batch = shop.manager.submit_batch(requests, follows=[None, *range(len(requests) - 1)])
    shop.ended(*(job.job_id for job in batch.jobs))
    return shop.manager.batch(batch.batch_id)


def _takes(shop: Shop, batch: Batch, index: int = 0) -> list[dict[str, Any]]:
    recipe = shop.manager.recipe(batch.jobs[index].job_id)
    return list(recipe.request.options["rollout"]["takes"])


def test_a_steady_segment_is_made_once(studio: Shop) -> None:
    (take,) = _takes(studio, _rolled_out(studio, {}))
    assert take["kept"]
    assert take["seed"] == 7
    assert take["seam"] is None
    assert abs(take["exposure"]) < 0.02


def test_a_segment_that_drifts_is_made_again_with_another_seed_and_that_is_said(
    studio: Shop,
) -> None:
    batch = _rolled_out(studio, {"drift": {"7": 1.0}})
    (job,) = batch.jobs
    assert (job.state, job.attempt) == (JobState.COMPLETE, 1)
    first, second = _takes(studio, batch)
    assert first["exposure"] == pytest.approx(1.0, abs=0.1)
    assert not first["kept"]
    assert second["kept"]
    assert second["seed"] == int(_SECOND)
    recipe = studio.manager.recipe(job.job_id)
    assert recipe.request.seed == int(_SECOND), "the recipe makes what was kept"
    assert read_recipe(studio.manager.video_path(job.job_id)).request.seed == int(_SECOND)
    frames = list(read_channel(studio.manager.channel_path(job.job_id, "frames")))
    assert abs(float(frames[-1].mean()) - float(frames[0].mean())) < 2
    assert "is made again" in studio.manager.log_path(job.job_id).read_text("utf-8")
    assert studio.violations() == []


def test_after_the_last_take_the_one_that_drifts_least_is_kept(studio: Shop) -> None:
    drift = {"7": 1.0, _SECOND: -0.7, _THIRD: 0.9}
    batch = _rolled_out(studio, {"drift": drift})
    assert [take["kept"] for take in _takes(studio, batch)] == [False, True, False]
    assert batch.jobs[0].state is JobState.COMPLETE
    batch = _rolled_out(studio, {"drift": {"else": 1.0}}, retakes=0)
    assert [take["kept"] for take in _takes(studio, batch)] == [True], "no retakes were allowed"


def test_a_segment_that_jumps_where_it_begins_is_made_again(studio: Shop) -> None:
    batch = _rolled_out(studio, {}, {"jump": {"7": 0.4}})
    assert [take["seam"] for take in _takes(studio, batch)] == [None]
    jumped, smooth = _takes(studio, batch, 1)
    assert jumped["seam"] is True
    assert jumped["exposure"] == pytest.approx(0.4, abs=0.05)
    assert smooth["seam"] is False
    assert smooth["kept"]
