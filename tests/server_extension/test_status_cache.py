"""The status cache is bounded in bytes and never stale."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from server_extension.presentation import Presenter
from server_extension.status_cache import StatusCache
from workbench.jobs.client.manager import JobManager
from workbench.rendering import RenderRequest
from workbench.settings import Settings

REQUEST = RenderRequest(prompt="a kite", width=128, height=96, num_frames=5, fps=8)


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[JobManager]:
    """A manager without a supervisor: its jobs stay queued."""
    monkeypatch.setattr("workbench.jobs.client.manager.Contact.tell", lambda *_, **__: None)
    manager = JobManager(Settings(outputs=tmp_path / "outputs"))
    yield manager
    manager.close()


def test_cached_answers_stay_within_their_byte_limit(jobs: JobManager) -> None:
    batches = [jobs.submit_batch([REQUEST] * 20).batch_id for _ in range(10)]

    async def ask(cache: StatusCache) -> tuple[int, int]:
        sizes = [len((await cache.batch(batch_id)).body) for batch_id in batches]
        return max(sizes), cache.size_bytes

    largest, _ = asyncio.run(ask(roomy := StatusCache(jobs, Presenter("/"))))
    roomy.close()
    small = StatusCache(jobs, Presenter("/"), most_bytes=largest * 3)
    _, kept = asyncio.run(ask(small))
    small.close()
    assert largest <= kept <= largest * 3


def test_an_answer_is_reused_until_its_job_changes(jobs: JobManager) -> None:
    job_id = jobs.submit(REQUEST).job_id

    async def ask(cache: StatusCache) -> None:
        first = await cache.job(job_id)
        assert await cache.job(job_id) is first
        jobs.note(job_id, "look here")
        cache.forget(job_id)
        assert b"look here" in (await cache.job(job_id)).body

    cache = StatusCache(jobs, Presenter("/"))
    asyncio.run(ask(cache))
    cache.close()


def test_long_polls_are_limited_in_time_and_number(
    jobs: JobManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = jobs.submit(REQUEST).job_id
    monkeypatch.setattr("server_extension.status_cache._MOST_WAITING", 3)

    async def ask(cache: StatusCache) -> None:
        known = (await cache.job(job_id)).etag
        polls = [asyncio.ensure_future(cache.job(job_id, known=known, wait_s=60)) for _ in range(3)]
        await asyncio.sleep(0)
        assert (await cache.job(job_id, known=known, wait_s=60)).etag == known  # one too many
        assert cache.waiting == 3
        polls[0].cancel()
        await asyncio.wait(polls[:1])
        assert cache.waiting == 2
        jobs.note(job_id, "look here")
        cache.forget(job_id)
        for poll in polls[1:]:
            assert b"look here" in (await poll).body
        assert cache.waiting == 0

    cache = StatusCache(jobs, Presenter("/"))
    asyncio.run(ask(cache))
    cache.close()
