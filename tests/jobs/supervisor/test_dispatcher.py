"""A random walk over the real store and dispatcher: no job is ever lost.

Workers are played by the test; files, index and rules are the real ones.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
)

from tests.jobs.shop import DEFAULTS, request
from workbench.errors import Conflict
from workbench.jobs.client.manager import JobManager
from workbench.jobs.devices import Slot
from workbench.jobs.messages import (
    Cancel,
    Failed,
    FailReason,
    Message,
    Ready,
    Render,
    Rendered,
    WorkerLost,
)
from workbench.jobs.model import TRANSITIONS, JobState
from workbench.jobs.mp4 import mp4_fault
from workbench.jobs.paths import JobFiles
from workbench.jobs.processes import Identity
from workbench.jobs.store.recovery import open_store
from workbench.jobs.supervisor.dispatcher import Dispatcher
from workbench.jobs.supervisor.worker_slots import End, Event, Order, Start, Tell
from workbench.settings import Settings

VIDEO = b"".join(b"\0\0\0\x10" + box + bytes(8) for box in (b"ftyp", b"moov", b"mdat"))
SLOTS = tuple(Slot(f"cpu:{n}", "cpu", None, None, "", ("cpu", "gpu")) for n in range(2))
MAX_ATTEMPTS = 2


def _memory() -> str | None:
    """Return a folder in memory where possible; no step here depends on the disk."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


class Player:
    """One worker played by the test: its orders and the attempt it renders."""

    def __init__(self, identity: Identity) -> None:
        self.identity = identity
        self.order: Render | None = None
        self.cancelled = False


class Machine(RuleBasedStateMachine):
    """Submits, cancels, retries, crashes and restarts, in any order."""

    jobs = Bundle("jobs")

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(dir=_memory()))
        given = {**DEFAULTS, "max_attempts": MAX_ATTEMPTS, "max_queued_jobs": 1_000}
        self.settings = Settings(outputs=self.folder / "outputs", **given)
        self.manager = JobManager(self.settings)
        self.manager._contact.launcher.enabled = False  # this test supervises by itself
        self.clock = 1_000.0
        self.pids = 0
        self.ghosts: list[Render] = []
        self.states: dict[str, JobState] = {}
        self.attempts: dict[str, int] = {}
        self._new_supervisor()

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.manager.close()
            self.index.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    # user actions

    @rule(target=jobs, count=st.integers(1, 3), session=st.sampled_from(["s_" + "1" * 20, None]))
    def submit(self, count: int, session: str | None) -> Any:
        batch = self.manager.submit_batch([request()] * count, session_id=session)
        return multiple(*[job.job_id for job in batch.jobs])

    @rule(job_id=jobs)
    def cancel(self, job_id: str) -> None:
        self.manager.cancel(job_id)

    @rule(job_id=jobs)
    def retry(self, job_id: str) -> None:
        ended = self.manager.job(job_id).state in {JobState.FAILED, JobState.CANCELLED}
        try:
            self.manager.retry(job_id)
        except Conflict:
            assert not ended
        else:
            assert ended

    @rule(job_id=jobs, priority=st.sampled_from([0, 10, 20]))
    def prioritise(self, job_id: str, priority: int) -> None:
        queued = self.manager.job(job_id).state is JobState.QUEUED
        try:
            self.manager.set_priority(job_id, priority)
        except Conflict:
            assert not queued

    @rule(paused=st.booleans())
    def pause(self, paused: bool) -> None:
        if paused:
            self.manager.pause()
        else:
            self.manager.resume()

    @rule(job_id=consumes(jobs))
    def lose_the_video(self, job_id: str) -> None:
        job = self.manager.job(job_id)
        if job.state is JobState.COMPLETE:
            self.manager.video_path(job_id).unlink()
            assert self.manager.job(job_id).state is JobState.FAILED
            self.states[job_id] = JobState.FAILED

    # worker events

    @rule()
    def look(self) -> None:
        self._step([])

    @rule(slot_name=st.sampled_from([slot.name for slot in SLOTS]))
    def be_ready(self, slot_name: str) -> None:
        if slot_name in self.players:
            self._step([Event(slot_name, Ready(self.players[slot_name].identity.pid))])

    @rule(slot_name=st.sampled_from([slot.name for slot in SLOTS]))
    def finish(self, slot_name: str) -> None:
        if order := self._take(slot_name):
            _make(order)
            self._step([Event(slot_name, Rendered(order.job_id, order.attempt, 1.0))])

    @rule(
        slot_name=st.sampled_from([slot.name for slot in SLOTS]), reason=st.sampled_from(FailReason)
    )
    def give_up(self, slot_name: str, reason: FailReason) -> None:
        if order := self._take(slot_name):
            self._step([Event(slot_name, Failed(order.job_id, order.attempt, reason, "no"))])

    @rule(slot_name=st.sampled_from([slot.name for slot in SLOTS]), made=st.booleans())
    def die(self, slot_name: str, made: bool) -> None:
        if slot_name in self.players:
            player = self.players.pop(slot_name)
            if player.order is not None:
                if made:
                    _make(player.order)
                self.ghosts.append(player.order)
            self._step([Event(slot_name, WorkerLost("died"), player.identity)])

    @rule()
    def fall_silent(self) -> None:
        self.clock += self.settings.worker_start_timeout_s + 1
        self._step([])

    @rule(slot_name=st.sampled_from([slot.name for slot in SLOTS]))
    def speak_of_a_lost_attempt(self, slot_name: str) -> None:
        if self.ghosts and slot_name in self.players:
            ghost = self.ghosts.pop()
            self._step([Event(slot_name, Rendered(ghost.job_id, ghost.attempt, 1.0))])

    # supervisor events

    @rule(made=st.booleans())
    def kill_the_supervisor(self, made: bool) -> None:
        for player in self.players.values():
            if player.order is not None:
                if made:
                    _make(player.order)
                self.ghosts.append(player.order)
        self.index.close()
        self._new_supervisor()
        self._step([])

    @rule(slot_name=st.sampled_from([slot.name for slot in SLOTS]))
    def kill_the_supervisor_before_it_publishes(self, slot_name: str) -> None:
        if order := self._take(slot_name):
            _make(order)
            job = self.manager.job(order.job_id)
            is_current = job.state is JobState.RUNNING and job.attempt == order.attempt
            event = Event(slot_name, Rendered(order.job_id, order.attempt, 1.0))
            self._obey(self.dispatcher.step([event]))
            self.kill_the_supervisor(made=False)
            assert self.manager.job(order.job_id).state.final or not is_current

    @rule()
    def lose_the_index(self) -> None:
        self.manager.rebuild()
        self.attempts.clear()  # recounted from the folders
        for job in self.manager.jobs(limit=1_000).jobs:
            self.states[job.job_id] = job.state
        self.dispatcher.look_again()
        self._step([])

    # invariants

    @invariant()
    def nothing_is_lost_or_doubled(self) -> None:
        if not hasattr(self, "manager"):
            return
        rendering = [(p.order.job_id, p.order.attempt) for p in self.players.values() if p.order]
        assert len(rendering) == len(set(rendering)), "two workers on one attempt"
        held = [player.order.job_id for player in self.players.values() if player.order]
        for job in self.manager.jobs(limit=1_000).jobs:
            before = self.states.get(job.job_id, JobState.QUEUED)
            assert job.state is before or self._reachable(before, job.state), (before, job.state)
            self.states[job.job_id] = job.state
            assert job.attempt >= self.attempts.get(job.job_id, 0)
            self.attempts[job.job_id] = job.attempt
            files = self.manager._paths.job(job.job_id, job.batch_id)
            if job.state is JobState.COMPLETE:
                assert mp4_fault(files.video) == ""
                assert json.loads(files.recipe.read_text())["attempt"] <= job.attempt
            if job.state is JobState.RUNNING:
                assert job.job_id in held

    @invariant()
    def the_tallies_are_right(self) -> None:
        if not hasattr(self, "manager"):
            return
        jobs = self.manager.jobs(limit=1_000).jobs
        for state in JobState:
            told = self.manager.jobs(state=state, limit=1).total
            assert told == sum(job.state is state for job in jobs), state

    def _reachable(self, before: JobState, after: JobState) -> bool:
        seen, front = {before}, {before}
        while front:
            front = {nxt for state in front for nxt in TRANSITIONS[state]} - seen
            seen |= front
        return after in seen

    # the harness

    def _new_supervisor(self) -> None:
        self.players: dict[str, Player] = {}
        self.index = open_store(self.settings)
        self.dispatcher = Dispatcher(
            self.index, self.settings, clock=lambda: self.clock, stopped=lambda _: False
        )
        self._obey(self.dispatcher.set_slots(SLOTS))

    def _step(self, events: list[Event]) -> None:
        self.clock += 0.1
        orders = self.dispatcher.step(events)
        while orders or self.dispatcher.has_unpublished:
            self.clock += 0.1  # what waits to be published with others is published
            orders = self.dispatcher.step(self._obey(orders))

    def _obey(self, orders: list[Order]) -> list[Event]:
        events: list[Event] = []
        for order in orders:
            match order:
                case Start(slot=slot):
                    self.pids += 1
                    identity = Identity(self.pids, 0.0, "boot")
                    self.players[slot.name] = Player(identity)
                    self.dispatcher.started(slot.name, identity)
                case End(slot_name=slot_name):
                    player = self.players.pop(slot_name, None)
                    if player is not None:
                        if player.order is not None:
                            self.ghosts.append(player.order)
                        events.append(Event(slot_name, WorkerLost("ended"), player.identity))
                case Tell(slot_name=slot_name, message=message):
                    self._hear(slot_name, message)
        return events

    def _hear(self, slot_name: str, message: Message) -> None:
        player = self.players[slot_name]
        if isinstance(message, Render):
            assert player.order is None, "one job at a time"
            player.order, player.cancelled = message, False
        elif isinstance(message, Cancel):
            player.cancelled = True

    def _take(self, slot_name: str) -> Render | None:
        player = self.players.get(slot_name)
        if player is None:
            return None
        order, player.order = player.order, None
        return order


Machine.TestCase.settings = settings(
    max_examples=120,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)
TestAnyCourseOfEvents = Machine.TestCase


def test_a_worker_gets_its_next_job_before_its_last_one_is_published(tmp_path: Path) -> None:
    given = {**DEFAULTS, "max_queued_jobs": 1_000}
    settings = Settings(outputs=tmp_path / "outputs", **given)
    manager = JobManager(settings)
    manager._contact.launcher.enabled = False
    first, second = (job.job_id for job in manager.submit_batch([request()] * 2).jobs)
    index = open_store(settings)
    dispatcher = Dispatcher(index, settings, stopped=lambda _: False)
    slot = Slot("cpu:0", "cpu", None, None, "", ("cpu",))
    dispatcher.set_slots([slot])
    assert Start(slot) in dispatcher.step([])
    dispatcher.started(slot.name, Identity(1, 0.0, "boot"))
    (order,) = _renders(dispatcher.step([Event(slot.name, Ready(1))]))
    assert order.job_id == first
    _make(order)
    (order,) = _renders(dispatcher.step([Event(slot.name, Rendered(first, 1, 1.0))]))
    assert (order.job_id, manager.job(first).state) == (second, JobState.RUNNING)
    assert dispatcher.has_unpublished
    dispatcher.step([])
    assert manager.job(first).state is JobState.COMPLETE
    _make(order)
    dispatcher.step([Event(slot.name, Rendered(second, 1, 1.0))])
    assert manager.job(second).state is JobState.COMPLETE  # nothing waits: published at once
    manager.close()
    index.close()


def test_videos_made_while_others_wait_are_published_together(tmp_path: Path) -> None:
    clock = [1_000.0]
    with _desk(tmp_path, lambda: clock[0]) as desk:
        jobs = [job.job_id for job in desk.manager.submit_batch([request()] * 4).jobs]
        order = desk.begin()
        for _ in range(2):
            _make(order)
            (order,) = _renders(desk.tell(Rendered(order.job_id, 1, 1.0)))
            assert desk.dispatcher.step([]) == []
            assert not desk.dispatcher.is_publishing_due
        states = [desk.manager.job(job_id).state for job_id in jobs]
        assert states == [JobState.RUNNING] * 3 + [JobState.QUEUED]
        clock[0] += 0.1
        assert desk.dispatcher.is_publishing_due
        desk.dispatcher.step([])
        states = [desk.manager.job(job_id).state for job_id in jobs]
        assert states == [JobState.COMPLETE] * 2 + [JobState.RUNNING, JobState.QUEUED]


@pytest.mark.parametrize("published", [True, False])
def test_a_video_whose_claim_was_lost_in_a_power_failure_is_not_rendered_again(
    tmp_path: Path, published: bool
) -> None:
    with _desk(tmp_path) as desk:
        first, second = (job.job_id for job in desk.manager.submit_batch([request()] * 2).jobs)
        with closing(sqlite3.connect(desk.settings.index_path)) as index:
            synced = index.serialize()
        order = desk.begin()
        _make(order)
        if published:
            desk.tell(Rendered(first, 1, 1.0))
            desk.dispatcher.step([])
    for suffix in ("-wal", "-shm"):
        Path(f"{desk.settings.index_path}{suffix}").unlink(missing_ok=True)
    desk.settings.index_path.write_bytes(synced)
    with _desk(tmp_path) as desk:
        assert desk.manager.job(first).state is JobState.QUEUED
        assert desk.begin().job_id == second
        job = desk.manager.job(first)
        assert (job.state, job.attempt) == (JobState.COMPLETE, 1)
        assert desk.manager.recipe_path(first).exists()


def test_what_a_lost_claim_left_unfinished_is_removed_before_the_next_attempt(
    tmp_path: Path,
) -> None:
    with _desk(tmp_path) as desk:
        job = desk.manager.submit(request())
        left = desk.manager._paths.job(job.job_id).attempt(1)
        left.folder.mkdir(parents=True)
        left.recipe.write_text("{}")
        assert desk.begin().job_id == job.job_id
        assert list(left.folder.iterdir()) == []


class _Desk:
    """A dispatcher with one slot, whose worker is played by the test."""

    def __init__(self, folder: Path, clock: Callable[[], float]) -> None:
        given = {**DEFAULTS, "max_queued_jobs": 1_000}
        self.settings = Settings(outputs=folder / "outputs", **given)
        self.manager = JobManager(self.settings)
        self.manager._contact.launcher.enabled = False
        self.index = open_store(self.settings)
        self.dispatcher = Dispatcher(
            self.index, self.settings, clock=clock, stopped=lambda _: False
        )

    def begin(self) -> Render:
        """Start the worker and return its first order."""
        slot = Slot("cpu:0", "cpu", None, None, "", ("cpu",))
        self.dispatcher.set_slots([slot])
        assert Start(slot) in self.dispatcher.step([])
        self.dispatcher.started(slot.name, Identity(1, 0.0, "boot"))
        (order,) = _renders(self.tell(Ready(1)))
        return order

    def tell(self, message: Message) -> list[Order]:
        """Pass a message of the worker on and return the orders."""
        return self.dispatcher.step([Event("cpu:0", message)])


@contextmanager
def _desk(folder: Path, clock: Callable[[], float] = time.monotonic) -> Iterator[_Desk]:
    desk = _Desk(folder, clock)
    yield desk
    desk.manager.close()
    desk.index.close()


def _renders(orders: list[Order]) -> list[Render]:
    told = [order.message for order in orders if isinstance(order, Tell)]
    return [message for message in told if isinstance(message, Render)]


def _make(order: Render) -> None:
    files = JobFiles(Path(order.folder)).attempt(order.attempt)
    files.folder.mkdir(parents=True, exist_ok=True)
    files.video.write_bytes(VIDEO)
    outcome = {"size_bytes": len(VIDEO)}
    files.recipe.write_text(json.dumps({**order.recipe, "outcome": outcome}))
