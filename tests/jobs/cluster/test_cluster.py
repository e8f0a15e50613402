"""Renders on a real Ray cluster of several nodes: nothing is lost, nothing doubled, nothing left behind."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from pathlib import Path

import psutil
import pytest

from tests import prompts
from tests.jobs.cluster.machines import Machines
from tests.jobs.shop import PATIENCE_S, Shop, alive, request
from workbench.jobs.cluster.status import ClusterState
from workbench.jobs.model import Device, Job, JobState
from workbench.prompts.language_models.local.local_endpoint import LocalEndpoint
from workbench.settings import Settings

LIMIT_S = PATIENCE_S


def _running(shop: Shop, job_id: str) -> Job:
    def runs() -> Job | None:
        job = shop.manager.job(job_id)
        assert not job.state.final, job.error
        return job if job.state is JobState.RUNNING and job.stage == "drawing" else None

    found: Job = shop.until(runs, LIMIT_S)
    return found


def _device(shop: Shop, name: str) -> Device | None:
    return next((device for device in shop.manager.devices() if device.name == name), None)


def _state(shop: Shop, name: str) -> str:
    device = _device(shop, name)
    return device.state if device else "unknown"


def _hosts_at_work(shop: Shop) -> set[str]:
    return {device.host for device in shop.manager.devices() if device.host and device.job_id}


def _remove(shop: Shop, machines: Machines, *names: str) -> None:
    """Kill machines: every further supervisor would start workers on them."""
    for name in names:
        machines.kill(name)
    shop.until(lambda: all(_state(shop, f"{name}/cuda:0") == "lost" for name in names), LIMIT_S)


def _workers_of(actor: psutil.Process) -> list[psutil.Process]:
    return [one for one in actor.children() if "workbench.jobs.worker" in one.cmdline()]


def test_a_batch_of_64_is_rendered_by_four_machines_without_a_shared_disk(
    shop: Shop, machines: Machines, release: Path
) -> None:
    machines.add("node-3", "node-4")
    here = shop.submit("drawn here")  # on the local worker at the same time
    requests = [
        request(f"dog {number}", engine="gpu", seed=number, preview=True, until=release)
        for number in range(63)
    ]
    # Large enough to be transferred in chunks rather than with the completion message.
    large = request("a large dog", engine="gpu", width=640, height=360, num_frames=12)
    batch = shop.manager.submit_batch([*requests, large])
    shop.until(lambda: len(_hosts_at_work(shop)) == 4)
    release.touch()
    jobs = shop.ended(*[job.job_id for job in batch.jobs], limit_s=LIMIT_S)

    assert {job.state for job in jobs} == {JobState.COMPLETE}, {job.error for job in jobs}
    assert shop.violations() == []
    hosts = Counter(job.host for job in jobs)
    assert set(hosts) == {"node-1", "node-2", "node-3", "node-4"}
    assert {job.gpu_id for job in jobs} == {0}
    assert shop.manager.job(here.job_id).host == ""
    last = jobs[-1]
    files = shop.paths.job(last.job_id, last.batch_id)
    assert files.video.stat().st_size > 256 << 10
    assert files.poster.read_bytes() == b"\xff\xd8poster"
    assert shop.manager.recipe(last.job_id).device.endswith(f"on {last.host}")
    for job in jobs:  # each worker printed the GPU that the cluster assigned to it
        log = shop.paths.job(job.job_id, job.batch_id).log.read_text("utf-8")
        assert "sees 0" in log
    if machines.blind:
        made = Path(f"/proc/{machines.actors()[0].pid}/root{shop.paths.outputs}")
        assert not made.exists()
    _remove(shop, machines, "node-3", "node-4")


def test_a_job_on_the_cluster_reports_progress_and_previews_and_can_be_cancelled(
    shop: Shop, tmp_path: Path, release: Path
) -> None:
    job = shop.submit(engine="gpu", until=release, preview=True)
    _running(shop, job.job_id)
    shop.until(lambda: shop.manager.job(job.job_id).has_preview, LIMIT_S)
    shop.until(lambda: shop.manager.job(job.job_id).progress > 1, LIMIT_S)
    assert shop.paths.job(job.job_id).attempt(1).preview.read_bytes() == b"picture"
    held = shop.manager.job(job.job_id).device
    assert held is not None
    device = _device(shop, held)
    assert device is not None
    assert (device.state, device.host) == ("busy", held.partition("/")[0])
    shop.manager.cancel(job.job_id)
    (ended,) = shop.ended(job.job_id, limit_s=LIMIT_S)
    assert ended.state is JobState.CANCELLED
    # Its worker is still running and takes the next job.
    image = tmp_path / "first.png"  # not visible to the cluster's machines
    image.write_text("a picture")
    begun = shop.submit(engine="gpu", image=str(image))
    (after,) = shop.ended(begun.job_id, limit_s=LIMIT_S)
    assert (after.state, after.attempt) == (JobState.COMPLETE, 1), after.error
    assert "begins from a picture" in shop.paths.job(begun.job_id).log.read_text("utf-8")
    assert shop.manager.recipe(begun.job_id).request.options["image"] == str(image)
    assert shop.violations() == []


def test_a_machine_that_dies_during_a_render_costs_one_attempt(
    shop: Shop, machines: Machines, release: Path
) -> None:
    machines.add("mortal")
    jobs = [shop.submit(str(n), engine="gpu", until=release) for n in range(6)]

    def doomed() -> str | None:
        running = (shop.manager.job(job.job_id) for job in jobs)
        there = (job for job in running if job.host == "mortal" and job.stage == "drawing")
        return next((job.job_id for job in there), None)

    job_id = shop.until(doomed, LIMIT_S)
    _remove(shop, machines, "mortal")
    release.touch()
    ended = shop.ended(*[job.job_id for job in jobs], limit_s=LIMIT_S)
    assert {job.state for job in ended} == {JobState.COMPLETE}, {job.error for job in ended}
    again = shop.manager.job(job_id)
    assert again.attempt == 2
    assert again.host != "mortal"
    assert shop.violations() == []


def test_a_machine_that_joins_takes_queued_jobs(
    shop: Shop, machines: Machines, release: Path
) -> None:
    jobs = [shop.submit(str(n), engine="gpu", until=release) for n in range(6)]
    shop.until(lambda: sum(d.state == "busy" for d in shop.manager.devices()) >= 2, LIMIT_S)
    machines.add("newcomer")
    shop.until(lambda: _state(shop, "newcomer/cuda:0") == "busy", LIMIT_S)
    for job in jobs:
        shop.manager.cancel(job.job_id)
    shop.ended(*[job.job_id for job in jobs], limit_s=LIMIT_S)
    assert shop.violations() == []
    _remove(shop, machines, "newcomer")


def test_a_machine_on_another_network_renders_and_an_unreachable_one_is_given_up(
    shop: Shop, machines: Machines, release: Path
) -> None:
    # A busy machine may lose other workers too.
    shop.use(cluster=shop.settings.cluster, lease_s=10.0, max_attempts=20)
    machines.add_apart("apart")
    first, second = release, release.with_name("second")

    def rendered_apart(until: Path) -> tuple[list[Job], Job]:
        """Start more renders than the other machines can take; return them, and one that is apart."""
        large = {"width": 320, "height": 192, "num_frames": 8}
        jobs = [shop.submit(str(n), engine="gpu", until=until, **large) for n in range(12)]

        def one() -> Job | None:
            now = (shop.manager.job(job.job_id) for job in jobs)
            return next((job for job in now if job.host == "apart" and job.stage), None)

        return jobs, shop.until(one, LIMIT_S)

    jobs, there = rendered_apart(first)
    first.touch()
    shop.ended(*[job.job_id for job in jobs], limit_s=LIMIT_S)
    video = shop.paths.job(there.job_id).video
    outcome = shop.manager.recipe(there.job_id).outcome
    assert outcome is not None
    assert hashlib.sha256(video.read_bytes()).hexdigest() == outcome.sha256
    others, lost = rendered_apart(second)
    machines.silence("apart")
    shop.until(lambda: _state(shop, "apart/cuda:0") == "lost", LIMIT_S)
    second.touch()
    ended = shop.ended(*[job.job_id for job in [*jobs, *others]], limit_s=LIMIT_S)
    assert {job.state for job in ended} == {JobState.COMPLETE}, {job.error for job in ended}
    again = shop.manager.job(lost.job_id)
    assert again.attempt >= 2
    assert again.host != "apart"
    assert shop.violations() == []


def test_through_the_client_port_a_killed_worker_is_replaced_and_its_job_retried(
    shop: Shop, machines: Machines, release: Path
) -> None:
    shop.use(cluster=machines.client_address)
    job = shop.submit(engine="gpu", until=release)
    _running(shop, job.job_id)
    for actor in machines.actors():
        for worker in _workers_of(actor):
            worker.kill()
    shop.until(lambda: shop.manager.job(job.job_id).attempt == 2, LIMIT_S)
    release.touch()
    (ended,) = shop.ended(job.job_id, limit_s=LIMIT_S)
    assert (ended.state, ended.attempt) == (JobState.COMPLETE, 2)
    assert shop.violations() == []


def test_after_a_kill_the_next_supervisor_takes_over_the_worker_actors(
    shop: Shop, machines: Machines, release: Path
) -> None:
    job = shop.submit(engine="gpu", until=release)
    _running(shop, job.job_id)
    before = {actor.pid for actor in machines.actors()}
    assert before
    shop.end_supervisor(signal.SIGKILL)
    shop.until(lambda: shop.manager.job(job.job_id).attempt == 2, LIMIT_S)
    release.touch()
    (ended,) = shop.ended(job.job_id, limit_s=LIMIT_S)
    assert (ended.state, ended.attempt) == (JobState.COMPLETE, 2)
    assert before & {actor.pid for actor in machines.actors()}
    second = release.with_name("second")  # both at once, so that it has all actors
    both = [shop.submit(engine="gpu", until=second).job_id for _ in range(2)]
    for job_id in both:
        _running(shop, job_id)
    second.touch()
    shop.ended(*both, limit_s=LIMIT_S)
    assert shop.violations() == []
    shop.end_supervisor(signal.SIGTERM)
    shop.until(lambda: not machines.actors(), LIMIT_S)


def test_a_new_supervisor_sends_jobs_to_machines_with_their_model_loaded(
    shop: Shop, release: Path
) -> None:
    def at_once(turn: str, *models: str) -> dict[str, Job]:
        until = release.with_name(turn)
        jobs = [shop.submit(engine="gpu", model=model, until=until) for model in models]
        for job in jobs:
            _running(shop, job.job_id)
        until.touch()
        ended = shop.ended(*[job.job_id for job in jobs], limit_s=LIMIT_S)
        assert {job.state for job in ended} == {JobState.COMPLETE}, {job.error for job in ended}
        return dict(zip(models, ended, strict=True))

    first = at_once("first", "model-a", "model-b")
    used = {job.host for job in first.values()}
    assert len(used) == 2
    for host in {device.host for device in shop.manager.devices() if device.host} - used:
        shop.manager.pause(host)
    shop.end_supervisor(signal.SIGKILL)
    for turn, *models in (("second", "model-b", "model-a"), ("third", "model-a", "model-b")):
        again = at_once(turn, *models)
        assert {m: job.host for m, job in again.items()} == {m: j.host for m, j in first.items()}


def test_worker_actors_exit_when_their_supervisor_is_gone_for_good(
    shop: Shop, machines: Machines, release: Path
) -> None:
    shop.use(cluster=shop.settings.cluster, cluster_absence_s=8.0)
    job = shop.submit(engine="gpu", until=release)
    _running(shop, job.job_id)
    workers = [worker for actor in machines.actors() for worker in _workers_of(actor)]
    assert workers
    shop.end_supervisor(signal.SIGKILL)
    shop.until(lambda: not machines.actors(), LIMIT_S)
    # An ended actor has told its worker to exit; Ray may remove the actor before the worker exits.
    shop.until(lambda: not any(alive(worker) for worker in workers), LIMIT_S)
    shop.manager.cancel(job.job_id)
    shop.ended(job.job_id, limit_s=LIMIT_S)


def test_machines_render_animatics_too_when_enabled(shop: Shop) -> None:
    shop.use(cluster=shop.settings.cluster, cpu_workers=0, cluster_cpu_workers=1)
    (job,) = shop.ended(shop.submit("an animatic").job_id, limit_s=LIMIT_S)
    assert job.state is JobState.COMPLETE, job.error
    assert job.host
    assert job.device == f"{job.host}/cpu:0"
    assert shop.manager.recipe(job.job_id).device.startswith("cpu (")


def test_a_language_model_on_the_cluster_is_reached_on_loopback(
    machines: Machines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    with tempfile.TemporaryDirectory() as folder:  # where nodes can see it, unlike tmp_path
        script = Path(prompts.__file__).parent / "language_models" / "tiny_model.py"
        subprocess.run([sys.executable, str(script), folder], check=True, capture_output=True)
        settings = Settings(
            outputs=tmp_path / "outputs",
            cluster=machines.address,
            language_provider="transformers",
            language_model=folder,
            language_on_cluster=True,
        )
        asyncio.run(LocalEndpoint.of(settings).start())
    door = json.loads((settings.index_path.parent / "language_model.json").read_text("utf-8"))
    try:
        assert door["base_url"].startswith("http://127.0.0.1:")
        whole = json.loads(_ask(door))
        assert whole["choices"][0]["message"]["content"]
        assert whole["usage"]["completion_tokens"] > 0
        pieces = _ask(door, stream=True).split("\n\n")
        assert pieces[-2:] == ["data: [DONE]", ""]
        assert machines.actors("Resident")
    finally:
        os.kill(door["pid"], signal.SIGKILL)
    limit = time.monotonic() + LIMIT_S
    while machines.actors("Resident"):
        assert time.monotonic() < limit
        time.sleep(0.2)


def _ask(door: dict[str, str], **options: bool) -> str:
    asked = {"messages": [{"role": "user", "content": "A dog runs."}], **options}
    request = urllib.request.Request(
        f"{door['base_url']}/chat/completions",
        json.dumps(asked).encode(),
        {"Authorization": f"Bearer {door['key']}"},
    )
    with urllib.request.urlopen(request, timeout=LIMIT_S) as answer:
        text: str = answer.read().decode()
    return text


def test_a_lost_cluster_is_reported_and_local_work_continues(
    shop: Shop, machines: Machines, release: Path
) -> None:
    job = shop.submit(engine="gpu", until=release)
    _running(shop, job.job_id)
    machines.close()

    def unreachable() -> bool:
        status = shop.manager.cluster()
        return status is not None and status.state is ClusterState.UNREACHABLE

    shop.until(unreachable, LIMIT_S)
    (here,) = shop.ended(shop.submit("drawn here").job_id, limit_s=LIMIT_S)
    assert (here.state, here.host) == (JobState.COMPLETE, "")
    shop.until(lambda: shop.manager.job(job.job_id).state is JobState.QUEUED, LIMIT_S)
    shop.ended(shop.submit("drawn here too").job_id, limit_s=LIMIT_S)  # but not the one before it
    assert shop.manager.job(job.job_id).state is JobState.QUEUED
    shop.manager.cancel(job.job_id)
