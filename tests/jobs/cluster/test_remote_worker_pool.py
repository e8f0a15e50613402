"""The supervisor and its bridge: faults of Ray do not affect local work. Loads no Ray."""

from __future__ import annotations

import selectors
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.jobs.cluster.fake_bridge import MUCH, SLOT
from tests.jobs.shop import PATIENCE_S, Shop
from workbench.errors import InvalidSettings
from workbench.jobs.client.doctor import Verdict, examine
from workbench.jobs.cluster.remote_worker_pool import RemoteWorkerPool
from workbench.jobs.cluster.status import ClusterState, ClusterStatus, read_cluster_status
from workbench.jobs.messages import Cancel, NoWorker, Ready, WorkerLost
from workbench.jobs.model import JobState, SupervisorStatus
from workbench.jobs.paths import JobPaths
from workbench.jobs.supervisor.worker_slots import Event
from workbench.settings import Settings


class Bridged(RemoteWorkerPool):
    """A remote worker pool over the fake bridge, with one turn of the supervisor's loop."""

    bridge_module = "tests.jobs.cluster.fake_bridge"

    def __init__(self, settings: Settings) -> None:
        self.selector = selectors.DefaultSelector()
        super().__init__(settings, self.selector)
        self.heard: list[Event] = []

    def until(self, condition: Callable[[], Any], limit_s: float = PATIENCE_S) -> None:
        limit = time.monotonic() + limit_s
        while not condition():
            assert time.monotonic() < limit
            self.heard += self.events()
            for _ in self.selector.select(0.05):
                self.hear()


@pytest.fixture
def bridged(tmp_path: Path) -> Iterator[Callable[..., Bridged]]:
    remotes = []

    def make(**settings: Any) -> Bridged:
        outputs = tmp_path / "outputs"
        JobPaths(outputs).control.mkdir(parents=True)
        remote = Bridged(Settings(outputs=outputs, cluster="10.0.0.1:6379", **settings))
        remotes.append(remote)
        return remote

    yield make
    for remote in remotes:
        remote.close()
        remote.selector.close()


def _status(tmp_path: Path) -> ClusterStatus:
    status: Any = SupervisorStatus
    return read_cluster_status(JobPaths(tmp_path / "outputs").cluster, "", status)


def test_a_cluster_that_cannot_be_joined_is_reported_and_retried(
    bridged: Callable[..., Bridged], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_BRIDGE", "fails")
    remote = bridged()
    remote.until(lambda: _status(tmp_path).state is ClusterState.UNREACHABLE)
    assert _status(tmp_path).detail == "nothing answers at 10.0.0.1:6379"
    assert remote.slots == ()
    monkeypatch.setenv("FAKE_BRIDGE", "works")
    remote.until(lambda: remote.slots == (SLOT,))
    told = _status(tmp_path)
    assert told.state is ClusterState.JOINED
    assert told.detail == ""
    assert [member.name for member in told.members] == ["node-1"]


def test_a_bridge_that_hangs_while_joining_is_replaced(
    bridged: Callable[..., Bridged], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_BRIDGE", "hangs")
    remote = bridged(cluster_join_timeout_s=0.5)
    remote.until(lambda: _status(tmp_path).state is ClusterState.UNREACHABLE)
    assert "could not be joined within 0.5 s" in _status(tmp_path).detail


def test_when_a_bridge_dies_its_workers_are_lost_one_by_one_with_their_slots(
    bridged: Callable[..., Bridged], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_BRIDGE", "dies")
    remote = bridged()
    remote.until(lambda: remote.slots)
    worker = remote.start(SLOT)
    assert worker is not None
    lost = Event(SLOT.name, WorkerLost("the bridge to the cluster has died"), worker)
    remote.until(lambda: lost in remote.heard)
    assert Event(SLOT.name, Ready(1)) in remote.heard
    assert remote.slots == ()
    assert remote.start(SLOT) is None
    refused = NoWorker("the cluster is out of reach", held=True)
    assert Event(SLOT.name, refused) in remote.events()


def test_a_bridge_with_full_pipes_is_neither_lost_nor_waited_for(
    bridged: Callable[..., Bridged], monkeypatch: pytest.MonkeyPatch, release: Path
) -> None:
    monkeypatch.setenv("FAKE_BRIDGE_READS", str(release))
    monkeypatch.setenv("FAKE_BRIDGE", "is busy")
    remote = bridged()
    remote.until(lambda: remote.slots)
    worker = remote.start(SLOT)
    for number in range(MUCH):
        remote.tell(SLOT.name, Cancel("j_" + "x" * 100, number))
    release.touch()
    remote.until(lambda: Event(SLOT.name, Ready(-1)) in remote.heard)
    said = [event.message for event in remote.heard]
    assert said == [*map(Ready, range(MUCH)), Ready(-1)]  # and no lost worker
    assert worker is not None


def test_an_unreachable_cluster_stops_no_local_work_and_the_doctor_reports_it(shop: Shop) -> None:
    shop.use(cluster="127.0.0.1:1")
    (here,) = shop.ended(shop.submit().job_id, limit_s=PATIENCE_S)
    assert (here.state, here.host) == (JobState.COMPLETE, "")
    waits = shop.submit(engine="gpu")  # needs a GPU, which only the cluster may have

    def unreachable() -> ClusterStatus | None:
        status = shop.manager.cluster()
        there = status is not None and status.state is ClusterState.UNREACHABLE
        return status if there else None

    status = shop.until(unreachable)
    assert status.detail == "nothing answers at 127.0.0.1:1 (Connection refused)"
    finding = next(found for found in examine(shop.settings) if found.what == "cluster")
    assert finding.verdict is Verdict.BAD
    assert "nothing answers" in finding.found
    assert any(event["event"] == "the cluster is out of reach" for event in shop.events())
    assert shop.manager.job(waits.job_id).state is JobState.QUEUED
    shop.manager.cancel(waits.job_id)


@pytest.mark.parametrize("address", ["", "auto", "local", "ray://head:10001", "10.0.0.1:6379"])
def test_a_cluster_is_chosen_by_an_address(address: str, tmp_path: Path) -> None:
    assert Settings(outputs=tmp_path, cluster=address).cluster == address


@pytest.mark.parametrize("address", ["head", "http://head:80", "ray://head", "a b:1"])
def test_an_invalid_cluster_address_is_refused(address: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match="must be ray://host:port"):
        Settings(outputs=tmp_path, cluster=address)


def test_only_the_bridge_loads_ray() -> None:
    script = """
import sys
import workbench.jobs.supervisor.supervisor, workbench.jobs.cluster.worker_pool, workbench.jobs.worker.attempt
import workbench.jobs.cluster.worker_actor, workbench.jobs.client.doctor, workbench.prompts.language_models.local.local_endpoint
import workbench.jobs.cluster.bridge, workbench.studio
assert "ray" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_without_a_cluster_the_supervisor_loads_no_cluster_code() -> None:
    script = """
import sys
import workbench.jobs.supervisor.supervisor
loaded = {name for name in sys.modules if name.startswith("workbench.jobs.cluster")}
assert loaded <= {"workbench.jobs.cluster", "workbench.jobs.cluster.status"}, loaded
"""
    subprocess.run([sys.executable, "-c", script], check=True)
