"""Deleted jobs are hidden from every client and can be restored for a limited time."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.jobs.shop import Shop, request
from workbench.errors import Conflict, NotFound
from workbench.jobs.deletion import forget_deleted
from workbench.jobs.model import Changes, Job
from workbench.jobs.records import read_submission


def _batch(shop: Shop, count: int = 3) -> list[Job]:
    requests = [request(f"take {n}", steps=1) for n in range(count)]
    batch = shop.manager.submit_batch(requests, session_id="s_00000000000000000000")
    return list(shop.ended(*(job.job_id for job in batch.jobs)))


def test_a_deleted_video_is_hidden_and_can_be_restored_unchanged(warm_shop: Shop) -> None:
    first, second, third = _batch(warm_shop)
    warm_shop.manager.note(second.job_id, "the best one")
    before = warm_shop.manager.job(second.job_id)
    video = warm_shop.paths.job(second.job_id, second.batch_id).video
    content = video.read_bytes()
    assert warm_shop.manager.delete([second.job_id]) == (second.job_id,)
    assert not video.exists()
    with pytest.raises(NotFound):
        warm_shop.manager.job(second.job_id)
    assert [job.job_id for job in warm_shop.manager.batch(first.batch_id or "").jobs] == [
        first.job_id,
        third.job_id,
    ]
    assert warm_shop.manager.jobs().total == 2
    (back,) = warm_shop.manager.undelete([second.job_id])
    assert video.read_bytes() == content
    assert (back.note, back.position, back.created_at) == ("the best one", 1, before.created_at)
    assert [j.position for j in warm_shop.manager.batch(first.batch_id or "").jobs] == [0, 1, 2]
    asked = read_submission(warm_shop.paths.batch_record(first.batch_id or ""))
    assert [job.job_id for job in asked.jobs] == [j.job_id for j in (first, second, third)]


def test_deleted_jobs_stay_deleted_when_the_index_is_rebuilt(warm_shop: Shop) -> None:
    first, second, _ = _batch(warm_shop)
    warm_shop.manager.delete([first.job_id])
    assert warm_shop.manager.rebuild() == 2
    assert {job.job_id for job in warm_shop.manager.jobs().jobs}.isdisjoint({first.job_id})
    warm_shop.manager.delete_batch(second.batch_id or "")
    assert warm_shop.manager.rebuild() == 0


def test_a_whole_batch_is_deleted_and_restored(warm_shop: Shop) -> None:
    jobs = _batch(warm_shop)
    batch_id = jobs[0].batch_id or ""
    gone = warm_shop.manager.delete_batch(batch_id)
    with pytest.raises(NotFound):
        warm_shop.manager.batch(batch_id)
    assert not warm_shop.paths.batch_record(batch_id).parent.exists()
    warm_shop.manager.undelete(gone)
    assert len(warm_shop.manager.batch(batch_id).jobs) == 3
    assert warm_shop.manager.rebuild() == 3


def test_a_deletion_with_a_starred_video_is_refused_whole_unless_confirmed(warm_shop: Shop) -> None:
    first, second, _ = _batch(warm_shop)
    warm_shop.manager.star(second.job_id)
    with pytest.raises(Conflict, match="star"):
        warm_shop.manager.delete([first.job_id, second.job_id])
    assert warm_shop.manager.jobs().total == 3, "all or none"
    assert warm_shop.paths.job(first.job_id, first.batch_id).video.exists()
    warm_shop.manager.delete([second.job_id], starred=True)
    (back,) = warm_shop.manager.undelete([second.job_id])
    assert back.starred


def test_running_jobs_are_not_deleted_and_queued_ones_are_cancelled_first(
    warm_shop: Shop, release: Path
) -> None:
    running = warm_shop.running(warm_shop.submit(until=release).job_id)
    waiting = warm_shop.submit()
    with pytest.raises(Conflict, match="cancel"):
        warm_shop.manager.delete([running.job_id])
    warm_shop.manager.delete([waiting.job_id])
    (back,) = warm_shop.manager.undelete([waiting.job_id])
    assert back.state == "cancelled"
    warm_shop.manager.cancel(running.job_id)


def test_a_job_is_kept_while_a_queued_render_follows_its_placeholder(warm_shop: Shop) -> None:
    led = warm_shop.manager.submit(request(), preview=request("a sketch"))
    warm_shop.ended(led.job_id)
    warm_shop.manager.pause()
    try:
        follows = warm_shop.submit(leads=f"/outputs/{led.preview_job_id}/attempts/1/depth.mkv")
        with pytest.raises(Conflict, match="starts from"):
            warm_shop.manager.delete([led.job_id])
        warm_shop.manager.cancel(follows.job_id)
        warm_shop.manager.delete([led.job_id])
    finally:
        warm_shop.manager.resume()


def test_every_watcher_is_notified_of_a_deletion(warm_shop: Shop) -> None:
    first, *_ = _batch(warm_shop)
    heard: list[Changes] = []
    stop = warm_shop.manager.watch(heard.append)
    warm_shop.manager.delete([first.job_id])
    warm_shop.until(lambda: any(first.job_id in changes.deleted for changes in heard))
    stop()


def test_disk_use_is_reported_by_session_and_old_deletions_become_final(warm_shop: Shop) -> None:
    first, second, third = _batch(warm_shop)
    total = sum(job.video_bytes or 0 for job in (first, second, third))
    storage = warm_shop.manager.storage()
    assert (storage.job_count, storage.video_bytes, storage.deleted_bytes) == (3, total, 0)
    assert storage.by_session == {first.session_id: (3, total)}
    warm_shop.manager.delete([first.job_id])
    storage = warm_shop.manager.storage()
    assert storage.deleted_bytes == first.video_bytes
    assert storage.video_bytes == total - (first.video_bytes or 0)
    stray = warm_shop.paths.deleted / "left over from a lost index"
    stray.mkdir()
    os.utime(stray, (1, 1))
    forget_deleted(warm_shop.paths, warm_shop.manager._index, time.time() - 60)
    assert not stray.exists()
    assert (warm_shop.paths.deleted / first.job_id).exists(), "it can still be restored"
    forget_deleted(warm_shop.paths, warm_shop.manager._index, time.time() + 60)
    assert list(warm_shop.paths.deleted.iterdir()) == []
    assert warm_shop.manager.storage().deleted_bytes == 0
    with pytest.raises(NotFound, match="no longer"):
        warm_shop.manager.undelete([first.job_id])
