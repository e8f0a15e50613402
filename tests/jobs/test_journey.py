"""A job from its submission to its video, on real processes."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from datetime import datetime
from pathlib import Path

import pytest

from tests.jobs.shop import PATIENCE_S, Shop, request
from workbench.engines.probe import probe_video
from workbench.errors import Conflict, InvalidRequest, NotFound
from workbench.identifiers import Kind, new_identifier
from workbench.jobs.client.manager import JobManager
from workbench.jobs.model import BatchState, Changes, JobState, Priority


def test_a_job_becomes_a_video_with_recipe_poster_and_log(warm_shop: Shop) -> None:
    asked = warm_shop.submit("a dog runs", seed=7)
    assert asked.state is JobState.QUEUED
    (job,) = warm_shop.ended(asked.job_id)
    assert (job.state, job.progress, job.attempt, job.error) == (JobState.COMPLETE, 100, 1, "")
    assert job.has_video
    assert job.has_poster
    assert job.device == "cpu:0"
    facts = probe_video(warm_shop.manager.video_path(job.job_id))
    assert (facts.width, facts.height, facts.num_frames) == (64, 64, 4)
    recipe = warm_shop.manager.recipe(job.job_id)
    assert recipe.request.seed == 7
    assert recipe.request.width == 64
    assert recipe.outcome is not None
    assert recipe.outcome.sha256
    assert "av" in recipe.libraries
    assert "attempt 1" in warm_shop.manager.log_path(job.job_id).read_text()
    assert warm_shop.manager.poster_path(job.job_id).is_file()
    assert warm_shop.violations() == []


def test_a_batch_keeps_its_order_and_ends_complete(warm_shop: Shop) -> None:
    batch = warm_shop.manager.submit_batch([request(f"prompt {n}") for n in range(6)], name="six")
    warm_shop.ended(*[job.job_id for job in batch.jobs])
    found = warm_shop.manager.batch(batch.batch_id)
    assert found.state is BatchState.COMPLETE
    assert found.name == "six"
    assert [job.request.prompt for job in found.jobs] == [f"prompt {n}" for n in range(6)]
    assert [b.batch_id for b in warm_shop.manager.batches()] == [batch.batch_id]


def test_a_queued_job_is_cancelled_at_once_and_a_running_one_within_a_step(
    warm_shop: Shop, release: Path
) -> None:
    first = warm_shop.submit(until=release)
    second = warm_shop.submit()
    warm_shop.running(first.job_id)
    worker = warm_shop.worker_pid()
    assert warm_shop.manager.cancel(second.job_id).state is JobState.CANCELLED
    warm_shop.manager.cancel(first.job_id)
    (ended,) = warm_shop.ended(first.job_id)  # by itself: nothing has released it
    assert ended.state is JobState.CANCELLED
    assert warm_shop.manager.cancel(first.job_id).state is JobState.CANCELLED
    warm_shop.ended(warm_shop.submit().job_id)
    assert warm_shop.worker_pid() == worker, "a worker that heeds its cancellation is kept"
    assert warm_shop.violations() == []


def test_cancelling_a_batch_ends_its_unfinished_jobs(warm_shop: Shop, release: Path) -> None:
    batch = warm_shop.manager.submit_batch([request(until=release) for _ in range(5)])
    warm_shop.running(batch.jobs[0].job_id)
    warm_shop.manager.cancel_batch(batch.batch_id)
    jobs = warm_shop.ended(*[job.job_id for job in batch.jobs])
    assert {job.state for job in jobs} == {JobState.CANCELLED}
    assert warm_shop.manager.batch(batch.batch_id).state is BatchState.FAILED


def test_a_retry_is_a_new_attempt_under_the_same_id(warm_shop: Shop) -> None:
    asked = warm_shop.submit(fault="error", fault_attempts=1)
    (job,) = warm_shop.ended(asked.job_id)
    assert job.state is JobState.FAILED
    assert job.error == "The engine will not."
    again = warm_shop.manager.retry(job.job_id)
    assert (again.job_id, again.error) == (job.job_id, "")
    assert again.state is not JobState.FAILED  # a worker may have it already
    (done,) = warm_shop.ended(job.job_id)
    assert (done.state, done.attempt) == (JobState.COMPLETE, 2)
    with pytest.raises(Conflict):
        warm_shop.manager.retry(job.job_id)
    assert warm_shop.violations() == []


def test_all_failed_jobs_of_a_batch_are_retried_together(warm_shop: Shop) -> None:
    batch = warm_shop.manager.submit_batch(
        [
            request(),
            request(fault="error", fault_attempts=1),
            request(fault="bug", fault_attempts=1),
        ]
    )
    ids = [job.job_id for job in batch.jobs]
    warm_shop.ended(*ids)
    assert warm_shop.manager.batch(batch.batch_id).state is BatchState.PARTIAL
    warm_shop.manager.retry_failed(batch.batch_id)
    assert [job.attempt for job in warm_shop.ended(*ids)] == [1, 2, 2]
    with pytest.raises(Conflict):
        warm_shop.manager.retry_failed(batch.batch_id)


def test_changes_are_pushed_to_every_process_that_watches(warm_shop: Shop, release: Path) -> None:
    heard: list[Changes] = []
    other = JobManager(warm_shop.settings)
    warm_shop.manager.ensure_supervisor()
    stop = other.watch(heard.append)
    job = warm_shop.submit(until=release)
    warm_shop.until(lambda: any(j.state is JobState.RUNNING for c in heard for j in c.jobs))
    release.touch()
    warm_shop.until(lambda: any(j.state is JobState.COMPLETE for c in heard for j in c.jobs))
    stop()
    other.close()
    states = [j.state for c in heard for j in c.jobs if j.job_id == job.job_id]
    order = [JobState.QUEUED, JobState.RUNNING, JobState.COMPLETE]
    assert states == sorted(states, key=order.index)  # a busy machine may skip the first
    revisions = [c.revision for c in heard]
    assert revisions == sorted(set(revisions))


def test_a_watcher_is_notified_of_each_change(warm_shop: Shop) -> None:
    warm_shop.manager.ensure_supervisor()
    other = JobManager(warm_shop.settings)
    heard = threading.Event()
    other.watch(lambda _: heard.set())
    for _ in range(5):
        time.sleep(0.05)
        heard.clear()
        warm_shop.submit()
        assert heard.wait(120)
    other.close()


def test_the_ids_of_changes_name_jobs_batches_and_what_previews_are_of(warm_shop: Shop) -> None:
    heard: set[str] = set()
    stop = warm_shop.manager.watch_ids(lambda changes: heard.update(changes.ids))
    batch = warm_shop.manager.submit_batch([request()])
    job = warm_shop.manager.submit(request(), preview=request("sketch"))
    deleted = warm_shop.submit()
    warm_shop.ended(batch.jobs[0].job_id, job.job_id, deleted.job_id)
    wanted = {batch.batch_id, batch.jobs[0].job_id, job.job_id, job.preview_job_id}
    warm_shop.until(lambda: wanted <= heard)
    heard.clear()
    warm_shop.manager.delete([deleted.job_id])
    warm_shop.until(lambda: deleted.job_id in heard)
    stop()


def test_waiting_ends_with_the_last_job_in_any_order(warm_shop: Shop) -> None:
    slow = warm_shop.submit(steps=10)
    quick = [warm_shop.submit() for _ in range(3)]
    ids = [quick[0].job_id, slow.job_id, quick[1].job_id, quick[2].job_id]
    ended = warm_shop.manager.wait(ids, PATIENCE_S)
    assert [(job.job_id, job.state) for job in ended] == [(i, JobState.COMPLETE) for i in ids]
    assert warm_shop.manager.wait([]) == ()


def test_waiting_for_an_unknown_job_is_refused_at_once(warm_shop: Shop, release: Path) -> None:
    job = warm_shop.submit(until=release)
    unknown = new_identifier(Kind.JOB)
    with pytest.raises(NotFound):
        warm_shop.manager.wait([job.job_id, unknown], PATIENCE_S)
    with pytest.raises(TimeoutError, match=r"1 of 1 jobs"):
        warm_shop.manager.wait([job.job_id], 0.1)
    warm_shop.manager.cancel(job.job_id)
    warm_shop.ended(job.job_id)


def test_a_placeholder_runs_beside_its_render_and_is_not_listed(warm_shop: Shop) -> None:
    job = warm_shop.manager.submit(request(), preview=request("sketch"))
    assert job.preview_job_id is not None
    done, sketch = warm_shop.ended(job.job_id, job.preview_job_id)
    assert sketch.preview_of == job.job_id
    assert sketch.priority == Priority.PREVIEW
    assert sketch.started_at is not None
    assert done.started_at is not None
    assert sketch.started_at <= done.started_at
    assert [j.job_id for j in warm_shop.manager.jobs().jobs] == [job.job_id]


def test_no_placeholder_waits_for_a_slow_render(shop: Shop, release: Path) -> None:
    shop.use(cpu_workers=2)
    slow = [
        shop.manager.submit(request(until=release), preview=request(f"sketch {n}"))
        for n in range(3)
    ]
    shop.ended(*[job.preview_job_id for job in slow if job.preview_job_id])
    assert sum(shop.manager.job(job.job_id).state is JobState.RUNNING for job in slow) <= 1
    for job in slow:
        shop.manager.cancel(job.job_id)
    shop.ended(*[job.job_id for job in slow])


def test_a_preview_picture_is_available_during_a_render(warm_shop: Shop, release: Path) -> None:
    job = warm_shop.submit(until=release, preview=True)
    warm_shop.until(lambda: warm_shop.manager.job(job.job_id).has_preview)
    assert warm_shop.manager.preview_path(job.job_id).read_bytes() == b"picture"
    warm_shop.manager.cancel(job.job_id)
    warm_shop.ended(job.job_id)
    with pytest.raises(NotFound):
        warm_shop.manager.preview_path(job.job_id)


def test_a_worker_that_heeds_no_cancellation_leaves_nothing_behind(
    shop: Shop, release: Path
) -> None:
    shop.use(cancel_grace_s=0.1)
    job = shop.submit(until=release, preview=True, deaf=True)
    shop.until(lambda: shop.manager.job(job.job_id).has_preview)
    worker = shop.worker_pid()
    shop.manager.cancel(job.job_id)
    (ended,) = shop.ended(job.job_id)
    assert ended.state is JobState.CANCELLED
    with pytest.raises(NotFound):
        shop.manager.preview_path(job.job_id)  # though the worker still writes previews
    shop.until(lambda: all(d.worker_pid != worker for d in shop.manager.devices()))
    assert shop.paths.job(job.job_id).attempts() == []


def test_a_preview_stays_available_from_the_first_one_until_after_the_end(
    warm_shop: Shop, release: Path
) -> None:
    job = warm_shop.submit(until=release, preview=True)
    warm_shop.until(lambda: warm_shop.manager.job(job.job_id).has_preview)
    release.touch()
    missing = 0
    while not warm_shop.manager.job(job.job_id).state.final:
        try:
            warm_shop.manager.preview_path(job.job_id)
        except NotFound:
            missing += 1
    assert missing == 0
    finished = warm_shop.manager.preview_path(job.job_id)
    assert finished == warm_shop.manager.poster_path(job.job_id)


def test_a_preview_outlives_its_attempt(shop: Shop, release: Path) -> None:
    job = shop.submit(until=release, preview=True, load_s=0.5, model="slow to load")
    shop.until(lambda: shop.manager.job(job.job_id).has_preview)
    shop.kill_worker(job.job_id)
    shop.until(lambda: shop.manager.job(job.job_id).attempt == 2)
    assert shop.manager.preview_path(job.job_id).read_bytes() == b"picture"
    shop.manager.cancel(job.job_id)
    shop.ended(job.job_id)


def test_a_request_refused_by_its_engine_is_never_queued(shop: Shop) -> None:
    with pytest.raises(InvalidRequest):
        shop.submit(fault="invalid")
    with pytest.raises(InvalidRequest):
        shop.manager.submit(request(engine="nobody"))
    with pytest.raises(InvalidRequest):
        shop.manager.submit_batch([])
    assert shop.manager.jobs().total == 0
    assert shop.manager.supervisor() is None


def test_unknown_ids_are_not_found(shop: Shop) -> None:
    absent = "j_" + "0" * 20
    for ask in (
        shop.manager.job,
        shop.manager.cancel,
        shop.manager.retry,
        shop.manager.video_path,
        shop.manager.recipe,
    ):
        with pytest.raises(NotFound):
            ask(absent)
    with pytest.raises(NotFound):
        shop.manager.job("../../etc/passwd")
    with pytest.raises(NotFound):
        shop.manager.batch("b_" + "0" * 20)


def test_an_idle_supervisor_exits_and_is_restarted_when_needed(shop: Shop) -> None:
    manager = shop.use(idle_exit_s=0.3)
    (first,) = shop.ended(shop.submit().job_id)
    assert first.state is JobState.COMPLETE
    shop.until(lambda: manager.supervisor() is None)
    (second,) = shop.ended(shop.submit().job_id)
    assert second.state is JobState.COMPLETE


def test_an_idle_supervisor_stays_while_a_worker_holds_a_model(shop: Shop) -> None:
    manager = shop.use(idle_exit_s=0.3, idle_unload_s=3.0)
    (done,) = shop.ended(shop.submit(model="slow to load").job_id)
    shop.until(lambda: manager.supervisor() is None)
    left = next(event for event in shop.events() if event["event"] == "supervisor leaves")
    assert done.finished_at is not None
    stayed = datetime.fromisoformat(left["time"]) - done.finished_at
    assert stayed.total_seconds() > 1  # without it, 0.3 s


def test_importing_the_manager_is_light() -> None:
    script = (
        "import sys, workbench.jobs.client.manager; "
        "assert not {'cv2', 'av', 'torch', 'numpy', 'pynvml'} & set(sys.modules), sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(__file__).parents[2])


def test_making_a_manager_starts_nothing(shop: Shop) -> None:
    assert shop.manager.supervisor() is None
    assert not shop.paths.outputs.exists()
    assert shop.manager.devices()
    assert shop.manager.supervisor() is None
