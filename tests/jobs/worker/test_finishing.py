"""A file being written occupies no device: the next render starts meanwhile."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from tests.jobs.shop import PATIENCE_S, Shop
from workbench.jobs.messages import Rendered
from workbench.jobs.model import Job, JobState
from workbench.jobs.worker.finishing import Finish, Finishing

ENDLESS = 10_000_000
"""Steps of a render that a test cancels."""


def _begun(shop: Shop, release: Path, **options: Any) -> tuple[Job, Job]:
    """Start two jobs on one worker: the first is being written, the second rendered."""
    first = shop.submit("the first", finish=release)
    second = shop.submit("the second", **(options or {"steps": ENDLESS, "step_s": 0.02}))
    shop.running(second.job_id)
    return first, second


def test_the_next_render_starts_while_the_previous_file_is_written(
    warm_shop: Shop, release: Path
) -> None:
    first, second = _begun(warm_shop, release)
    waiting = warm_shop.manager.job(first.job_id)
    assert waiting.state is JobState.RUNNING
    assert waiting.stage == "writing"
    assert not waiting.has_video
    assert [d.job_id for d in warm_shop.manager.devices() if d.state == "busy"] == [second.job_id]
    release.write_text("")
    (ended,) = warm_shop.ended(first.job_id)
    assert ended.state is JobState.COMPLETE, ended.error
    assert warm_shop.manager.job(second.job_id).state is JobState.RUNNING, "it was not disturbed"
    warm_shop.manager.cancel(second.job_id)
    warm_shop.ended(second.job_id)
    assert warm_shop.violations() == []


def test_a_worker_that_dies_loses_neither_its_render_nor_the_file_being_written(
    shop: Shop, release: Path
) -> None:
    first, second = _begun(shop, release, until=release)
    shop.kill_worker(second.job_id)
    release.write_text("")
    one, other = shop.ended(first.job_id, second.job_id)
    assert (one.state, one.attempt) == (JobState.COMPLETE, 2), one.error
    assert (other.state, other.attempt) == (JobState.COMPLETE, 2), other.error
    assert shop.violations() == []


def test_a_file_that_cannot_be_written_fails_only_its_own_job(
    warm_shop: Shop, release: Path
) -> None:
    first, second = _begun(warm_shop, release)
    release.write_text("The pen broke.")
    (failed,) = warm_shop.ended(first.job_id)
    assert failed.state is JobState.FAILED
    assert failed.error == "The pen broke."
    assert warm_shop.manager.job(second.job_id).state is JobState.RUNNING
    warm_shop.manager.cancel(second.job_id)
    warm_shop.ended(second.job_id)
    assert warm_shop.violations() == []


def test_cancelling_a_job_whose_file_is_being_written_has_no_effect(
    warm_shop: Shop, release: Path
) -> None:
    first, second = _begun(warm_shop, release)
    warm_shop.manager.cancel(first.job_id)
    step = warm_shop.manager.job(second.job_id).step
    warm_shop.until(lambda: warm_shop.manager.job(second.job_id).step > step + 3)
    release.write_text("")
    (ended,) = warm_shop.ended(first.job_id)
    assert ended.state is JobState.COMPLETE
    assert warm_shop.manager.job(second.job_id).attempt == 1
    warm_shop.manager.cancel(second.job_id)
    warm_shop.ended(second.job_id)


def test_files_of_several_renders_are_flushed_to_disk_at_once() -> None:
    together = threading.Barrier(3)
    sent: list[str] = []
    finishing = Finishing(lambda message: sent.append(message.job_id))

    def end(job_id: str) -> Rendered:
        together.wait(PATIENCE_S)  # breaks unless all three are being ended
        return Rendered(job_id, 1, 0.0)

    for job_id in ("a", "b", "c"):
        finish = Finish(lambda job_id=job_id: end(job_id), encodes=False)  # type: ignore[misc]
        finishing.await_room(finish)
        finishing.begin(finish)
    finishing.await_all()
    assert sorted(sent) == ["a", "b", "c"]


def test_a_file_that_an_engine_still_encodes_is_written_alone() -> None:
    release = threading.Event()
    sent: list[str] = []
    finishing = Finishing(lambda message: sent.append(message.job_id))

    def end(job_id: str) -> Rendered:
        assert release.wait(PATIENCE_S)
        return Rendered(job_id, 1, 0.0)

    finishing.begin(Finish(lambda: end("first"), encodes=False))
    threading.Timer(0.1, release.set).start()
    finishing.await_room(Finish(lambda: end("second"), encodes=True))
    assert sent == ["first"]
