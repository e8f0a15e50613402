"""The order of the queue: priority, fairness, age, loaded models, and changes to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.jobs.shop import Shop, request
from workbench.errors import Busy, Conflict, DiskFull
from workbench.jobs.client.launch import Launcher
from workbench.jobs.client.manager import JobManager
from workbench.jobs.model import Job, JobState, Priority
from workbench.jobs.store import Ledger

SESSION_A = "s_" + "a" * 20
SESSION_B = "s_" + "b" * 20


class Counter:
    """Serves a queue in the test process through the store's claims."""

    def __init__(self, manager: JobManager) -> None:
        self.manager = manager
        self.ledger = Ledger(3)

    def serve(self, count: int = 1, *, loaded: str = "") -> list[str]:
        """Claim ``count`` jobs and complete each; return their prompts."""
        served = []
        for _ in range(count):
            with self.manager._index.write() as writer:
                claim = self.ledger.claim(writer, ("cpu",), "cpu:0", None, loaded)
                if claim is None:
                    break
                self.ledger.fail(writer, claim, "served")
            served.append(self.manager._reader.job(claim.job_id).request.prompt)
        return served


@pytest.fixture
def quiet(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Counter:
    """A manager without a supervisor, and a counter that serves its queue."""
    monkeypatch.setattr(Launcher, "launch", lambda *_, **__: None)
    return Counter(shop.manager)


def _submit(
    counter: Counter, prompt: str, session: str | None = None, priority: int = Priority.INTERACTIVE
) -> Job:
    return counter.manager.submit(request(prompt), session_id=session, priority=priority)


def test_interactive_jobs_run_before_batch_and_background_jobs(quiet: Counter) -> None:
    _submit(quiet, "background", priority=Priority.BACKGROUND)
    quiet.manager.submit_batch([request("batch 1"), request("batch 2")])
    _submit(quiet, "interactive")
    _submit(quiet, "placeholder", priority=Priority.PREVIEW)
    assert quiet.serve(9) == ["placeholder", "interactive", "batch 1", "batch 2", "background"]


def test_sessions_take_fair_turns_whatever_their_number_of_jobs(quiet: Counter) -> None:
    quiet.manager.submit_batch([request(f"a{n}") for n in range(6)], session_id=SESSION_A)
    assert quiet.serve(2) == ["a0", "a1"]
    quiet.manager.submit_batch([request(f"b{n}") for n in range(2)], session_id=SESSION_B)
    assert quiet.serve(6) == ["a2", "b0", "a3", "b1", "a4", "a5"]


def test_cancelled_jobs_cost_their_session_no_turns(quiet: Counter) -> None:
    batch = quiet.manager.submit_batch([request(f"a{n}") for n in range(6)], session_id=SESSION_A)
    quiet.manager.submit_batch([request(f"b{n}") for n in range(3)], session_id=SESSION_B)
    for job in batch.jobs[:4]:
        quiet.manager.cancel(job.job_id)
    assert quiet.serve(9) == ["a4", "b0", "a5", "b1", "b2"]


def test_a_priority_can_be_changed_while_a_job_waits(quiet: Counter) -> None:
    first = _submit(quiet, "first")
    second = _submit(quiet, "second", priority=Priority.BACKGROUND)
    assert quiet.manager.set_priority(second.job_id, Priority.PREVIEW).priority == Priority.PREVIEW
    assert quiet.serve(2) == ["second", "first"]
    with pytest.raises(Conflict):
        quiet.manager.set_priority(first.job_id, Priority.BATCH)


def test_queued_jobs_can_be_reordered(quiet: Counter) -> None:
    jobs = [_submit(quiet, str(n), session=SESSION_A if n % 2 else SESSION_B) for n in range(5)]
    quiet.manager.reorder([jobs[n].job_id for n in (4, 2, 0)])
    order = [
        job.queue_position for job in quiet.manager._reader.jobs_by_id([j.job_id for j in jobs])
    ]
    assert sorted(order) == [0, 1, 2, 3, 4]  # type: ignore[type-var]
    served = quiet.serve(5)
    assert [n for n in served if n in "420"] == ["4", "2", "0"]
    with pytest.raises(Conflict):
        quiet.manager.reorder([jobs[0].job_id])


def test_a_worker_prefers_its_model_without_starving_the_others(quiet: Counter) -> None:
    def ask(prompt: str, model: str) -> None:
        quiet.manager.submit(request(prompt, model=model))

    ask("other", "B")
    for n in range(20):
        ask(f"a{n}", "A")
    served = quiet.serve(21, loaded="faulty:A@:exact")
    assert served[:3] == ["a0", "a1", "a2"]
    assert served.index("other") == 8
    assert len(served) == 21


def test_a_queue_position_counts_the_jobs_ahead(quiet: Counter) -> None:
    jobs = [_submit(quiet, str(n)) for n in range(3)]
    urgent = _submit(quiet, "urgent", priority=Priority.PREVIEW)
    positions = [quiet.manager.job(job.job_id).queue_position for job in [urgent, *jobs]]
    assert positions == [0, 1, 2, 3]


def test_a_batch_that_exceeds_the_queue_limit_is_refused_whole(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Launcher, "launch", lambda *_, **__: None)
    manager = shop.use(max_queued_jobs=5)
    manager.submit_batch([request() for _ in range(4)])
    with pytest.raises(Busy) as refused:
        manager.submit_batch([request() for _ in range(2)])
    assert refused.value.retry_after_s > 0
    assert manager.jobs().total == 4
    assert len(list(shop.paths.outputs.glob("b_*"))) == 1
    manager.submit(request())


def test_a_disk_below_its_reserve_refuses_renders(shop: Shop) -> None:
    manager = shop.use(disk_reserve_bytes=1 << 60)
    with pytest.raises(DiskFull, match="kept in reserve"):
        manager.submit(request())
    assert manager.jobs().total == 0


def test_a_repeated_request_with_its_idempotency_key_adds_no_job(quiet: Counter) -> None:
    first = quiet.manager.submit(request("once"), idempotency_key="key-1")
    again = quiet.manager.submit(request("once"), idempotency_key="key-1")
    assert again.job_id == first.job_id
    batch = quiet.manager.submit_batch([request("two")], idempotency_key="key-2")
    assert quiet.manager.submit_batch([request("two")], idempotency_key="key-2") == batch
    with pytest.raises(Conflict):
        quiet.manager.submit(request("other"), idempotency_key="key-1")
    assert quiet.manager.jobs().total == 2
    assert len(list(quiet.manager._paths.outputs.glob("[jb]_*"))) == 2


def test_a_batch_of_two_thousand_is_one_transaction_and_one_answer(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Launcher, "launch", lambda *_, **__: None)
    manager = shop.use(max_queued_jobs=3_000)
    before = manager._index.revision()
    batch = manager.submit_batch([request(f"prompt {n}") for n in range(2_000)])
    assert len(batch.jobs) == 2_000
    assert [job.queue_position for job in batch.jobs] == list(range(2_000))
    assert {job.revision for job in batch.jobs} == {before + 1}
    cancelled = manager.cancel_batch(batch.batch_id)
    assert {job.state for job in cancelled.jobs} == {JobState.CANCELLED}
    assert {job.revision for job in cancelled.jobs} == {before + 2}


def test_pages_follow_one_another_newest_first(quiet: Counter) -> None:
    jobs = [_submit(quiet, f"a dog number {n}", session=SESSION_A) for n in range(7)]
    _submit(quiet, "a café at night")
    seen: list[str] = []
    cursor = None
    while True:
        page = quiet.manager.jobs(query="dog", limit=3, cursor=cursor)
        assert page.total == 7
        seen += [job.job_id for job in page.jobs]
        cursor = page.cursor
        if cursor is None:
            break
    assert seen == [job.job_id for job in reversed(jobs)]
    assert quiet.manager.jobs(query="cafe ni").total == 1
    assert quiet.manager.jobs(query=jobs[2].job_id).total == 1
    assert quiet.manager.jobs(query="3 numb", session_id=SESSION_A).total == 1
    assert quiet.manager.jobs(query='" OR 1=1; --').total == 0
    assert quiet.manager.jobs(query="**").total == 0
    assert quiet.manager.jobs(state=JobState.QUEUED).total == 8
    assert quiet.manager.jobs(state=JobState.FAILED).jobs == ()


def test_waits_are_estimated_from_the_duration_of_similar_jobs(shop: Shop, release: Path) -> None:
    work: dict[str, Any] = {"steps": 10, "step_s": 0.05, "until": release}
    release.touch()
    (first,) = shop.ended(shop.submit(**work).job_id)
    assert first.started_at
    assert first.finished_at
    took_s = (first.finished_at - first.started_at).total_seconds()
    release.unlink()
    jobs = [shop.submit(**work) for _ in range(4)]
    eta_s = shop.running(jobs[0].job_id, progress=20).eta_s
    assert eta_s is not None
    assert eta_s >= 0

    def estimated() -> bool:  # each is of its own moment: a pause between them may part them
        waits = [shop.manager.job(job.job_id).wait_s for job in jobs[1:]]
        assert None not in waits
        apart = (waits[2] or 0) - (waits[1] or 0)
        return waits == sorted(waits) and apart == pytest.approx(took_s, rel=0.3)  # type: ignore[type-var]

    shop.until(estimated)
    assert shop.manager.job(jobs[1].job_id).eta_s is None
    release.touch()
    shop.ended(*[job.job_id for job in jobs])


def test_a_job_is_starred_and_unstarred(quiet: Counter) -> None:
    job = _submit(quiet, "mine")
    assert quiet.manager.star(job.job_id).starred
    assert not quiet.manager.star(job.job_id, starred=False).starred


def test_changes_come_in_pages_that_end_at_the_newest_revision(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Launcher, "launch", lambda *_, **__: None)
    alone = [shop.submit(str(number)).job_id for number in range(3)]
    batch = shop.manager.submit_batch([request(str(number)) for number in range(4)])
    newest = shop.manager.changes(0).revision
    pages, since = [], 0
    while (page := shop.manager.changes(since, limit=2)).jobs:
        pages.append([job.job_id for job in page.jobs])
        since = page.revision
    assert pages == [alone[:2], [alone[2], *(job.job_id for job in batch.jobs)]]
    assert since == newest
