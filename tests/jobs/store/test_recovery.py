"""The index is rebuilt from the job folders after any damage to either."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from tests.jobs.shop import PATIENCE_S, Shop, request
from workbench.jobs.model import JobState


def test_a_deleted_index_is_rebuilt_from_the_folders(shop: Shop) -> None:
    batch = shop.manager.submit_batch([request(f"prompt {n}") for n in range(3)], name="three")
    single = shop.submit("alone", seed=3)
    failed = shop.submit("poor", fault="error")
    ids = [*(job.job_id for job in batch.jobs), single.job_id, failed.job_id]
    before = shop.ended(*ids)
    shop.end_supervisor(signal.SIGTERM)
    for path in shop.paths.control.glob("index.sqlite3*"):
        path.unlink()
    after = shop.manager.wait(ids, PATIENCE_S)
    assert [job.state for job in after] == [job.state for job in before]
    assert [job.request for job in after] == [job.request for job in before]
    assert after[-1].error == "The engine will not."
    again = shop.manager.batch(batch.batch_id)
    assert (again.name, [j.job_id for j in again.jobs]) == ("three", ids[:3])
    assert shop.manager.jobs(query="alone").total == 1
    assert shop.violations() == []


def test_deleting_the_index_during_renders_loses_no_job(shop: Shop, release: Path) -> None:
    batch = shop.manager.submit_batch([request(until=release) for _ in range(4)])
    ids = [job.job_id for job in batch.jobs]
    shop.running(ids[0])
    for path in shop.paths.control.glob("index.sqlite3*"):
        path.unlink()
    release.touch()
    jobs = shop.ended(*ids)
    assert {job.state for job in jobs} == {JobState.COMPLETE}
    assert shop.violations() == []


def test_a_damaged_index_is_put_aside_and_rebuilt(shop: Shop) -> None:
    (job,) = shop.ended(shop.submit().job_id)
    shop.end_supervisor(signal.SIGTERM)
    shop.manager.close()
    shop.settings.index_path.write_bytes(b"not a database at all" * 300)
    for suffix in ("-wal", "-shm"):
        Path(f"{shop.settings.index_path}{suffix}").unlink(missing_ok=True)
    assert shop.manager.job(job.job_id).state is JobState.COMPLETE
    assert list(shop.paths.control.glob("damaged-*"))


def test_a_queued_job_survives_the_loss_of_the_index(shop: Shop) -> None:
    shop.manager.pause()
    queued = shop.submit()
    cancelled = shop.submit()
    shop.manager.cancel(cancelled.job_id)
    shop.end_supervisor(signal.SIGKILL)
    shop.manager.rebuild()
    shop.manager.resume()
    jobs = shop.ended(queued.job_id, cancelled.job_id)
    assert [job.state for job in jobs] == [JobState.COMPLETE, JobState.CANCELLED]


def test_truncated_videos_and_broken_recipes_are_detected(shop: Shop) -> None:
    jobs = [shop.submit(f"prompt {n}") for n in range(4)]
    ids = [job.job_id for job in jobs]
    shop.ended(*ids)
    shop.end_supervisor(signal.SIGTERM)
    os.truncate(shop.paths.job(ids[0]).video, 300)
    shop.paths.job(ids[1]).recipe.write_text('{"version": 1, "outco')
    shop.paths.job(ids[2]).video.unlink()
    assert shop.manager.job(ids[0]).state is JobState.FAILED
    assert "cut short" in shop.manager.job(ids[0]).error
    assert "gone" in shop.manager.job(ids[2]).error
    shop.manager.rebuild()
    found = [shop.manager.job(job_id) for job_id in ids]
    assert found[0].state is JobState.FAILED
    assert "truncated" in found[0].error
    assert found[1].state is JobState.FAILED
    assert "recipe" in found[1].error
    assert found[3].state is JobState.COMPLETE
    for job_id in ids[:2]:
        shop.manager.retry(job_id)
    assert {job.state for job in shop.ended(*ids[:3])} == {JobState.COMPLETE}
    assert shop.violations() == []


def test_a_video_that_comes_back_is_complete_again(shop: Shop) -> None:
    (job,) = shop.ended(shop.submit().job_id)
    video = shop.manager.video_path(job.job_id)
    aside = video.with_name("elsewhere.mp4")
    video.rename(aside)
    gone = shop.manager.job(job.job_id)
    assert (gone.state, gone.has_video) == (JobState.FAILED, False)
    aside.rename(video)
    assert shop.manager.job(job.job_id).state is JobState.COMPLETE
