"""Jobs that continue from others: held until those are complete, ended and requeued with them."""

from __future__ import annotations

import signal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.jobs.shop import PATIENCE_S, Shop, request
from workbench.errors import InvalidRequest
from workbench.jobs.model import Batch, JobState


def _chain(shop: Shop, *options: dict[str, Any]) -> Batch:
    """Submit one job after another; ``options`` are those of each."""
    requests = [request(f"part {n}", **given) for n, given in enumerate(options)]
    return shop.manager.submit_batch(requests, follows=[None, *range(len(options) - 1)])


def _states(shop: Shop, batch: Batch) -> list[JobState]:
    return [job.state for job in shop.manager.batch(batch.batch_id).jobs]


def test_a_job_starts_when_the_one_before_it_is_complete(shop: Shop, release: Path) -> None:
    shop.use(cpu_workers=2)
    batch = _chain(shop, {"until": release}, {}, {})
    waiting = shop.submit("beside them")
    assert batch.jobs[1].follows == batch.jobs[0].job_id
    assert batch.jobs[1].message == "starts when the job that it continues from is complete"
    assert batch.jobs[1].queue_position is None
    shop.ended(waiting.job_id)
    assert _states(shop, batch)[1:] == [JobState.QUEUED] * 2
    release.touch()
    jobs = shop.ended(*(job.job_id for job in batch.jobs), waiting.job_id)
    assert {job.state for job in jobs} == {JobState.COMPLETE}
    for before, after in pairwise(jobs[:3]):
        assert before.finished_at is not None
        assert after.started_at is not None
        assert before.finished_at <= after.started_at
    assert jobs[3].started_at is not None
    assert jobs[1].started_at is not None
    assert jobs[3].started_at < jobs[1].started_at, "others do not wait with them"


def test_what_follows_a_failed_job_ends_with_it_and_is_retried_with_it(warm_shop: Shop) -> None:
    batch = _chain(warm_shop, {}, {"fault": "error", "fault_attempts": 1}, {}, {})
    jobs = warm_shop.ended(*(job.job_id for job in batch.jobs))
    assert [job.state for job in jobs] == [JobState.COMPLETE, *[JobState.FAILED] * 3]
    assert jobs[3].error == (
        f"It goes on from {jobs[1].job_id}, which failed: The engine will not."
    )
    assert warm_shop.manager.batch(batch.batch_id).state == "partial"
    warm_shop.manager.retry(jobs[3].job_id)
    jobs = warm_shop.ended(*(job.job_id for job in batch.jobs))
    assert [job.state for job in jobs] == [JobState.COMPLETE] * 4
    assert [job.attempt for job in jobs] == [1, 2, 1, 1]
    assert warm_shop.violations() == []


def test_a_batchs_failed_jobs_are_retried_together(warm_shop: Shop) -> None:
    batch = _chain(warm_shop, {"fault": "error", "fault_attempts": 1}, {}, {})
    warm_shop.ended(*(job.job_id for job in batch.jobs))
    warm_shop.manager.retry_failed(batch.batch_id)
    jobs = warm_shop.ended(*(job.job_id for job in batch.jobs))
    assert [job.state for job in jobs] == [JobState.COMPLETE] * 3


def test_cancelling_a_job_cancels_what_follows_it(warm_shop: Shop) -> None:
    warm_shop.manager.pause()
    batch = _chain(warm_shop, {}, {}, {})
    warm_shop.manager.cancel(batch.jobs[1].job_id)
    cancelled = JobState.CANCELLED
    assert _states(warm_shop, batch) == [JobState.QUEUED, cancelled, cancelled]
    warm_shop.manager.retry(batch.jobs[1].job_id)
    assert _states(warm_shop, batch) == [JobState.QUEUED] * 3
    warm_shop.manager.resume()
    jobs = warm_shop.ended(*(job.job_id for job in batch.jobs))
    assert [job.state for job in jobs] == [JobState.COMPLETE] * 3


def test_the_order_survives_the_loss_of_the_index(shop: Shop) -> None:
    shop.manager.pause()
    held = _chain(shop, {}, {}, {})
    ended = _chain(shop, {}, {}, {})
    shop.manager.cancel(ended.jobs[0].job_id)
    shop.end_supervisor(signal.SIGTERM)
    for path in shop.paths.control.glob("index.sqlite3*"):
        path.unlink()
    assert _states(shop, ended) == [JobState.CANCELLED] * 3
    jobs = shop.manager.wait([job.job_id for job in held.jobs], PATIENCE_S)
    starts = [job.started_at for job in jobs]
    assert all(job.state is JobState.COMPLETE for job in jobs)
    assert starts == sorted(starts, key=str)
    assert [job.follows for job in jobs] == [None, jobs[0].job_id, jobs[1].job_id]


def test_a_worker_that_dies_costs_the_job_it_rendered_and_none_before_it(
    shop: Shop, release: Path
) -> None:
    batch = _chain(shop, {}, {}, {"until": release}, {}, {}, {})
    third = batch.jobs[2].job_id
    shop.running(third)
    shop.kill_worker(third)
    release.touch()
    jobs = shop.ended(*(job.job_id for job in batch.jobs))
    assert [job.state for job in jobs] == [JobState.COMPLETE] * 6
    assert [job.attempt for job in jobs] == [1, 1, 2, 1, 1, 1]


def test_follows_names_one_for_each_request(shop: Shop) -> None:
    with pytest.raises(InvalidRequest, match="follows has 1 items for 2 requests"):
        shop.manager.submit_batch([request(), request()], follows=[None])
