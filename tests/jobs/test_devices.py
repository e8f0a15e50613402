"""Devices: discovery, readings, leases, pausing and loss."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.jobs.shop import Shop, request
from workbench.errors import NotFound
from workbench.jobs.devices import Gpu, plan_slots
from workbench.jobs.model import Device, JobState
from workbench.jobs.supervisor.leases import take_lease
from workbench.settings import Settings

GPUS = [
    {"uuid": "GPU-aaaa-1", "name": "Card A", "total": 80, "used": 8, "load": 5, "heat": 40},
    {"uuid": "GPU-bbbb-2", "name": "Card B", "total": 80, "broken": ["load"], "heat": 41},
]
FakeGpus = Callable[[list[dict[str, Any]] | None], None]


@pytest.fixture
def gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeGpus:
    """Make NVML report fake GPUs in this process and all it starts."""
    folder = Path(__file__).parent / "nvml"
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.delitem(__import__("sys").modules, "pynvml", raising=False)
    path = tmp_path / "gpus.json"
    monkeypatch.setenv("FAKE_GPUS", str(path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    def put(found: list[dict[str, Any]] | None) -> None:
        if found is None:
            path.unlink(missing_ok=True)
            return
        aside = path.with_suffix(".new")
        aside.write_text(json.dumps(found))
        aside.replace(path)

    return put


def _device(shop: Shop, name: str) -> Device:
    return next(device for device in shop.manager.devices() if device.name == name)


def test_without_a_gpu_every_core_of_a_small_machine_has_a_worker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for cores, workers in ((1, 1), (2, 2), (4, 4), (16, 10)):
        monkeypatch.setattr("os.sched_getaffinity", lambda _, n=cores: set(range(n)))
        slots = plan_slots(Settings(), [])
        assert [slot.name for slot in slots] == [f"cpu:{n}" for n in range(workers)]
        assert all(slot.queues == ("cpu", "slow", "gpu") for slot in slots[1:])
        assert slots[0].queues == (("cpu",) if workers > 1 else ("cpu", "slow", "gpu"))


def test_gpus_take_the_renders_that_need_one_and_the_cpu_the_placeholders() -> None:
    gpus = [Gpu("GPU-aaaa", 0, "A"), Gpu("GPU-bbbb", 1, "B")]
    slots = plan_slots(Settings(cpu_workers=1), gpus)
    assert [(slot.name, slot.queues) for slot in slots] == [
        ("cuda:0", ("gpu",)),
        ("cuda:1", ("gpu",)),
        ("cpu:0", ("cpu", "slow")),
    ]
    alone = plan_slots(Settings(cpu_workers=0), gpus[:1])
    assert [(slot.name, slot.queues) for slot in alone] == [("cuda:0", ("gpu", "slow", "cpu"))]


def test_settings_and_the_environment_select_gpus_and_slots(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gpus = [Gpu(f"GPU-{letter * 4}", n, letter) for n, letter in enumerate("abc")]

    def named(**settings: Any) -> list[str]:
        slots = plan_slots(Settings(cpu_workers=0, **settings), gpus)
        return [slot.name for slot in slots]

    assert named(devices=("GPU-bb", "2")) == ["cuda:1", "cuda:2"]
    assert named(devices=("cuda:0",), slots_per_gpu=2) == ["cuda:0", "cuda:0#2"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert named() == ["cuda:1"]
    assert named(devices=("0",)) == []
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert named() == []


def test_unknown_gpu_readings_are_none(shop: Shop, gpus: FakeGpus) -> None:
    gpus(GPUS)
    first, second = _device(shop, "cuda:0"), _device(shop, "cuda:1")
    assert (first.label, first.uuid, first.gpu_id) == ("Card A", "GPU-aaaa-1", 0)
    assert (first.memory_total_bytes, first.memory_used_bytes) == (80, 8)
    assert (first.utilization_percent, first.temperature_c, first.power_w) == (5.0, 40.0, None)
    assert (second.memory_total_bytes, second.utilization_percent) == (None, None)
    cpu = _device(shop, "cpu:0")
    assert cpu.memory_total_bytes
    assert cpu.temperature_c is None
    gpus(None)
    assert [device.kind for device in shop.manager.devices()] == ["cpu"]


def test_a_render_for_a_gpu_runs_on_one_by_its_uuid(
    shop: Shop, gpus: FakeGpus, release: Path
) -> None:
    gpus(GPUS)
    batch = shop.manager.submit_batch([request(engine="gpu", until=release) for _ in range(2)])
    placeholder = shop.submit()
    for job in batch.jobs:  # both at once, so on both
        shop.running(job.job_id)
    release.touch()
    jobs = shop.ended(*[job.job_id for job in batch.jobs], placeholder.job_id)
    assert {job.state for job in jobs} == {JobState.COMPLETE}
    assert {job.device for job in jobs[:2]} == {"cuda:0", "cuda:1"}
    assert {job.gpu_id for job in jobs[:2]} == {0, 1}
    assert jobs[2].device == "cpu:0"
    log = shop.manager.log_path(jobs[0].job_id).read_text()
    assert f"sees {GPUS[jobs[0].gpu_id or 0]['uuid']}" in log
    worker = _device(shop, "cuda:0").worker_pid
    held = {str(path.readlink()) for path in Path(f"/proc/{worker}/fd").iterdir()}
    assert any("/leases/" in path for path in held), "the lease must last as long as its worker"


def test_a_large_gpu_runs_several_jobs_at_once_and_is_paused_as_one(
    shop: Shop, gpus: FakeGpus, release: Path
) -> None:
    gpus(GPUS[:1])
    shop.use(slots_per_gpu=2)
    work = [request(engine="gpu", until=release) for _ in range(3)]
    ids = [job.job_id for job in shop.manager.submit_batch(work).jobs]

    def at_work() -> set[str | None]:
        return {d.job_id for d in shop.manager.devices() if d.kind == "cuda"} - {None}

    shop.until(lambda: at_work() == set(ids[:2]))
    first, second = _device(shop, "cuda:0"), _device(shop, "cuda:0#2")
    assert first.worker_pid != second.worker_pid
    assert first.uuid == second.uuid
    shop.manager.pause("cuda:0")
    both = [_device(shop, name) for name in ("cuda:0", "cuda:0#2")]
    assert [(device.state, device.paused) for device in both] == [("busy", True)] * 2
    for job_id in ids[:2]:
        shop.manager.cancel(job_id)
    shop.ended(*ids[:2])
    shop.until(lambda: _device(shop, "cuda:0#2").state == "paused")
    assert shop.manager.job(ids[2]).state is JobState.QUEUED
    shop.manager.resume("cuda:0")
    shop.running(ids[2])
    shop.manager.cancel(ids[2])
    shop.ended(ids[2])


def test_two_outputs_folders_never_share_a_gpu(
    shop: Shop, gpus: FakeGpus, tmp_path: Path, release: Path
) -> None:
    gpus(GPUS[:1])
    shop.use(idle_unload_s=0.5)
    mine = shop.manager.submit(request(engine="gpu", until=release))
    shop.running(mine.job_id)
    with Shop(tmp_path / "theirs") as other:
        theirs = other.manager.submit(request(engine="gpu"))
        other.until(lambda: _device(other, "cuda:0").state == "held")
        assert "another outputs/ folder" in _device(other, "cuda:0").detail
        assert other.manager.job(theirs.job_id).state is JobState.QUEUED
        shop.manager.cancel(mine.job_id)
        (first,) = shop.ended(mine.job_id)
        (second,) = other.ended(theirs.job_id)
        assert second.started_at is not None
        assert first.finished_at is not None
        assert second.started_at > first.finished_at


def test_a_lease_has_one_holder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WORKBENCH_LEASES", str(tmp_path / "leases"))
    lease = take_lease("GPU-x")
    assert lease is not None
    assert take_lease("GPU-x") is None
    assert take_lease("GPU-y") is not None
    os.close(lease)
    assert take_lease("GPU-x") is not None


def test_a_lost_gpus_job_is_requeued_and_runs_when_the_gpu_returns(
    shop: Shop, gpus: FakeGpus, release: Path
) -> None:
    gpus(GPUS[:1])
    job = shop.manager.submit(request(engine="gpu", until=release))
    shop.running(job.job_id)
    gpus(None)
    shop.until(lambda: shop.manager.job(job.job_id).state is JobState.QUEUED)
    assert _device(shop, "cuda:0").state == "lost"
    shop.manager.cancel(job.job_id)
    waiting = shop.manager.submit(request(engine="gpu"))
    gpus(GPUS[:1])
    (done,) = shop.ended(waiting.job_id)
    assert (done.state, done.device) == (JobState.COMPLETE, "cuda:0")


def test_a_paused_device_takes_no_job_and_a_paused_queue_none_at_all(shop: Shop) -> None:
    shop.ended(shop.submit().job_id)
    shop.manager.pause("cpu:0")
    job = shop.submit()
    shop.until(lambda: _device(shop, "cpu:0").state == "paused")
    assert shop.manager.job(job.job_id).state is JobState.QUEUED
    shop.manager.resume("cpu:0")
    shop.ended(job.job_id)
    shop.manager.pause()
    job = shop.submit()
    assert shop.manager.paused() == {""}
    shop.until(lambda: _device(shop, "cpu:0").state == "paused")
    assert shop.manager.job(job.job_id).state is JobState.QUEUED
    shop.manager.resume()
    shop.ended(job.job_id)
    with pytest.raises(NotFound):
        shop.manager.pause("cuda:7")


def test_an_idle_model_is_unloaded(shop: Shop) -> None:
    shop.use(idle_unload_s=0.3)
    touch = shop.paths.outputs.parent / "touch"
    first = shop.submit(model="big", touch=str(touch))
    shop.ended(first.job_id)
    worker = int(touch.read_text().split()[-1])
    shop.until(lambda: _device(shop, "cpu:0").worker_pid != worker)
    (job,) = shop.ended(shop.submit(model="big").job_id)
    assert job.state is JobState.COMPLETE
