"""What keeps outputs/ in order: retention and logs."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.jobs.shop import Shop, request
from workbench.errors import NotFound
from workbench.jobs.client.inputs import Inputs
from workbench.jobs.retention import drop_frames
from workbench.jobs.supervisor import log_file


def test_nothing_is_removed_unless_a_setting_says_so(shop: Shop) -> None:
    shop.ended(shop.submit().job_id)
    assert shop.manager.tidy() == []


def test_the_oldest_jobs_are_removed_beyond_the_count_limit(shop: Shop) -> None:
    jobs = [shop.submit(f"prompt {n}") for n in range(5)]
    shop.ended(*[job.job_id for job in jobs])
    shop.manager.star(jobs[0].job_id)
    shop.end_supervisor(signal.SIGTERM)
    manager = shop.use(retention_jobs=2)
    planned = manager.tidy(dry_run=True)
    assert [removal.job.job_id for removal in planned] == [job.job_id for job in jobs[1:4]]
    assert manager.jobs().total == 5
    assert manager.tidy() == planned
    assert {job.job_id for job in manager.jobs().jobs} == {jobs[0].job_id, jobs[4].job_id}
    assert not shop.paths.job(jobs[1].job_id).folder.exists()
    with pytest.raises(NotFound):
        manager.job(jobs[1].job_id)
    assert manager.rebuild() == 2
    assert manager.job(jobs[0].job_id).starred


def test_old_jobs_are_removed_and_a_batch_with_its_last_job(shop: Shop) -> None:
    batch = shop.manager.submit_batch([request("old") for _ in range(2)])
    ids = [job.job_id for job in batch.jobs]
    shop.ended(*ids)
    shop.end_supervisor(signal.SIGTERM)
    manager = shop.use(retention_days=1)
    assert manager.tidy() == []
    with manager._index.write() as writer:
        writer.execute("UPDATE jobs SET finished_at = 0 WHERE job_id = ?", (ids[0],))
    assert [removal.reason for removal in manager.tidy()] == ["older than 1 days"]
    assert [job.job_id for job in manager.batch(batch.batch_id).jobs] == ids[1:]
    manager.rebuild()
    assert [job.job_id for job in manager.batch(batch.batch_id).jobs] == ids[1:]
    with manager._index.write() as writer:
        writer.execute("UPDATE jobs SET finished_at = 0")
    manager.tidy()
    with pytest.raises(NotFound):
        manager.batch(batch.batch_id)
    assert list(shop.paths.outputs.glob("[bj]_*")) == []


def test_a_segments_lossless_frames_are_removed_with_time_and_its_video_stays(shop: Shop) -> None:
    rollout = {"rollout": {"start": 0}}
    old, starred, needed, fresh, plain = (
        shop.submit(f"prompt {n}", **({} if n == 4 else rollout)) for n in range(5)
    )
    jobs = (old, starred, needed, fresh, plain)
    shop.ended(*[job.job_id for job in jobs])
    shop.manager.star(starred.job_id)
    shop.end_supervisor(signal.SIGTERM)
    manager = shop.use(frames_days=2)
    frames = [shop.paths.job(job.job_id).channel("frames") for job in jobs]
    for file in frames:
        file.write_bytes(b"lossless")
    with manager._index.write() as writer:
        writer.execute("UPDATE jobs SET finished_at = 0 WHERE job_id != ?", (fresh.job_id,))
        writer.execute(
            "UPDATE jobs SET state = 'queued', request = json_set(request, '$.options.tail', "
            "json_object('frames', ?)) WHERE job_id = ?",
            (str(frames[2]), plain.job_id),
        )
    settings = shop.settings
    assert drop_frames(shop.paths, manager._index, settings, 3 * 86_400.0) == len(b"lossless")
    assert [file.exists() for file in frames] == [False, True, True, True, True]
    assert shop.paths.job(old.job_id).video.exists()
    assert manager.job(old.job_id).has_video
    assert drop_frames(shop.paths, manager._index, settings, 3 * 86_400.0) == 0


def test_deleting_a_segment_frees_its_frames(shop: Shop) -> None:
    job = shop.submit(rollout={"start": 0})
    shop.ended(job.job_id)
    file = shop.paths.job(job.job_id).channel("frames")
    file.write_bytes(b"lossless")
    shop.end_supervisor(signal.SIGTERM)
    manager = shop.use(undo_s=0)
    manager.delete([job.job_id])
    assert not [path for path in shop.paths.outputs.rglob("*") if path.name == file.name]


def test_an_input_picture_is_removed_with_the_last_job_that_uses_it(shop: Shop) -> None:
    picture = cv2.imencode(".png", np.zeros((8, 8, 3), np.uint8))[1].tobytes()
    kept = [Inputs(shop.paths, shop.settings).keep(picture) for _ in range(4)]
    first, second, third, fresh = (one.path for one in kept)
    for path in (first, second, third):  # the third was never used
        os.utime(path, (1, 1))
    jobs = [shop.submit(image=str(path)) for path in (first, second)]
    jobs += [shop.submit(references=[str(second)])]
    shop.ended(*[job.job_id for job in jobs])
    shop.end_supervisor(signal.SIGTERM)
    shop.use(retention_jobs=1).tidy()
    assert not first.exists()
    assert not third.exists()
    assert second.exists(), "a job that is kept starts from it"
    assert fresh.exists(), "it may be about to be used"


def test_the_oldest_videos_are_removed_beyond_the_size_limit(shop: Shop) -> None:
    jobs = shop.ended(*[shop.submit(seed=n).job_id for n in range(3)])
    shop.end_supervisor(signal.SIGTERM)
    size = sum(job.video_bytes or 0 for job in jobs[1:])
    manager = shop.use(retention_bytes=size)
    assert [removal.job.job_id for removal in manager.tidy()] == [jobs[0].job_id]


def test_a_large_log_is_rotated_while_other_processes_write_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_file, "_LIMIT_BYTES", 100)
    log = tmp_path / "supervisor.log"
    writer = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number in range(6):
        os.write(writer, f"round {number} {'x' * 100}\n".encode())
        log_file.rotate(log)
        os.write(writer, b"after\n")
    os.close(writer)
    assert log.read_text() == "after\n"
    kept = sorted(path.name for path in tmp_path.iterdir())
    assert kept == ["supervisor.log", *(f"supervisor.log.{n}" for n in (1, 2, 3))]
    assert "round 5" in (tmp_path / "supervisor.log.1").read_text()


def test_the_supervisors_log_is_structured(shop: Shop) -> None:
    (job,) = shop.ended(shop.submit(fault="error").job_id)
    shop.end_supervisor(signal.SIGTERM)
    events = shop.events()
    assert all({"time", "level", "pid", "event"} <= set(event) for event in events)
    failed = next(event for event in events if event["event"] == "job failed")
    assert (failed["job"], failed["error"]) == (job.job_id, "The engine will not.")
