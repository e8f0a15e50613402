"""Faults: every job ends once, with one whole video or a reason."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.jobs.shop import PATIENCE_S, Shop, alive, request
from workbench.errors import Unavailable
from workbench.jobs.client.launch import settings_environment
from workbench.jobs.client.manager import JobManager
from workbench.jobs.model import JobState
from workbench.jobs.processes import Identity, identify, same_process
from workbench.jobs.store.ledger import DeviceRow, Ledger

ROOT = Path(__file__).resolve().parents[2]


def test_a_killed_worker_costs_its_job_one_attempt(shop: Shop, release: Path) -> None:
    asked = shop.submit(until=release)
    shop.running(asked.job_id)
    shop.kill_worker(asked.job_id)
    shop.until(lambda: shop.manager.job(asked.job_id).attempt == 2)
    release.touch()
    (job,) = shop.ended(asked.job_id)
    assert (job.state, job.attempt) == (JobState.COMPLETE, 2)
    assert shop.manager.recipe(job.job_id).attempt == 2
    assert shop.violations() == []


def test_a_lost_worker_is_replaced_by_a_prestarted_spare(shop: Shop, release: Path) -> None:
    shop.use(spare_workers=1)
    touch = shop.paths.outputs.parent / "renders"
    shop.ended(shop.submit().job_id)
    status = shop.manager.supervisor()
    assert status is not None
    supervisor = psutil.Process(status.pid)
    worker = shop.worker_pid()

    def spare_count() -> list[int]:
        return [child.pid for child in supervisor.children() if child.pid != worker]

    (first,) = shop.until(spare_count)
    os.kill(first, signal.SIGKILL)  # the death of a spare costs no job
    (spare,) = shop.until(lambda: [pid for pid in spare_count() if pid != first])
    asked = shop.submit(until=release, touch=touch)
    shop.running(asked.job_id)
    shop.kill_worker(asked.job_id)
    release.touch()
    (job,) = shop.ended(asked.job_id)
    assert (job.state, job.attempt) == (JobState.COMPLETE, 2)
    pids = [int(line.split()[-1]) for line in touch.read_text().splitlines()]
    assert pids == [worker, spare]
    worker = spare
    shop.until(spare_count)  # and another spare is started
    shop.end_supervisor(signal.SIGTERM)


def test_a_killed_supervisors_workers_end_and_the_next_supervisor_continues(
    shop: Shop, release: Path
) -> None:
    batch = shop.manager.submit_batch([request(until=release) for _ in range(4)])
    ids = [job.job_id for job in batch.jobs]
    shop.running(ids[0])
    shop.end_supervisor(signal.SIGKILL)  # returns when its workers have ended too
    release.touch()
    jobs = shop.ended(*ids)
    assert {job.state for job in jobs} == {JobState.COMPLETE}
    assert shop.violations() == []


def test_a_status_request_is_enough_to_restart_the_supervisor(shop: Shop, release: Path) -> None:
    asked = shop.submit(until=release)
    shop.running(asked.job_id)
    shop.end_supervisor(signal.SIGKILL)
    release.touch()
    other = JobManager(shop.settings)
    shop.until(lambda: other.job(asked.job_id).state is JobState.COMPLETE)
    other.close()
    assert shop.violations() == []


def test_a_killed_client_leaves_its_batch_to_the_supervisor(shop: Shop) -> None:
    script = (
        "import os, signal\n"
        "from tests.jobs.shop import request\n"
        "from workbench.jobs.client.manager import JobManager\n"
        "from workbench.settings import Settings\n"
        "manager = JobManager(Settings())\n"
        "batch = manager.submit_batch([request() for _ in range(4)])\n"
        "print(batch.batch_id, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    environment = {**os.environ, **settings_environment(shop.settings)}
    client = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, check=False, capture_output=True
    )
    assert client.returncode == -signal.SIGKILL, client.stderr
    batch = shop.manager.batch(client.stdout.decode().strip())
    jobs = shop.ended(*[job.job_id for job in batch.jobs])
    assert [job.state for job in jobs] == [JobState.COMPLETE] * 4


def test_a_worker_stopped_past_its_lease_is_replaced_and_cannot_publish_later(shop: Shop) -> None:
    shop.use(lease_s=2.0, max_attempts=20)  # a busy machine may lose the next worker too
    asked = shop.submit(fault="stop", fault_attempts=1)
    (job,) = shop.ended(asked.job_id)
    assert job.state is JobState.COMPLETE
    assert job.attempt >= 2
    assert shop.manager.recipe(job.job_id).attempt == job.attempt
    assert any("silent" in str(event.get("reason")) for event in shop.events())
    assert shop.violations() == []


def test_a_hung_render_is_killed_with_its_child_processes(shop: Shop) -> None:
    shop.use(render_timeout_s=10.0)
    hung = shop.paths.outputs.parent / "hung"
    asked = shop.submit(fault="hang", hung=hung)
    (job,) = shop.ended(asked.job_id)
    assert job.state is JobState.FAILED
    assert "longer than the limit of 10 s" in job.error
    worker, child = map(int, hung.read_text().split())
    shop.until(lambda: not any(map(psutil.pid_exists, (worker, child))))
    (after,) = shop.ended(shop.submit().job_id)
    assert after.state is JobState.COMPLETE


@pytest.mark.parametrize(
    ("fault", "word"), [("segfault", "SIGSEGV"), ("exit", "the engine wants out")]
)
def test_a_poison_job_fails_with_its_last_error_after_bounded_attempts(
    shop: Shop, fault: str, word: str
) -> None:
    shop.use(max_attempts=2)
    asked = shop.submit(fault=fault)
    (job,) = shop.ended(asked.job_id)
    assert (job.state, job.attempt) == (JobState.FAILED, 2)
    assert word in job.error
    (after,) = shop.ended(shop.submit().job_id)
    assert after.state is JobState.COMPLETE


def test_a_job_cancelled_between_two_attempts_leaves_nothing_of_the_first(shop: Shop) -> None:
    asked = shop.submit(fault="kill")
    shop.until(lambda: shop.manager.job(asked.job_id).attempt == 1)
    shop.manager.pause()
    shop.until(lambda: shop.manager.job(asked.job_id).state is JobState.QUEUED)
    shop.manager.cancel(asked.job_id)
    (job,) = shop.ended(asked.job_id)
    assert job.state is JobState.CANCELLED
    assert shop.violations() == []


@pytest.mark.parametrize("fault", ["out_of_memory", "device_lost"])
def test_a_device_failure_fails_the_job_with_advice_and_replaces_the_worker(
    shop: Shop, fault: str
) -> None:
    touch = shop.paths.outputs.parent / "renders"
    (job,) = shop.ended(shop.submit(fault=fault, touch=str(touch)).job_id)
    assert (job.state, job.attempt) == (JobState.FAILED, 1)
    assert "CUDA" in job.error
    (after,) = shop.ended(shop.submit(touch=str(touch)).job_id)
    assert after.state is JobState.COMPLETE
    first, second = [int(line.split()[-1]) for line in touch.read_text().splitlines()]
    assert first != second, "a GPU's state is unknown after that: its worker must go"


def test_a_render_that_leaves_a_truncated_video_fails(shop: Shop) -> None:
    (job,) = shop.ended(shop.submit(fault="truncate").job_id)
    assert job.state is JobState.FAILED
    assert "did not write a complete video" in job.error


def test_of_many_supervisors_started_at_once_only_one_remains(shop: Shop) -> None:
    shop.paths.control.mkdir(parents=True)
    environment = {**os.environ, **settings_environment(shop.settings)}
    command = [sys.executable, "-m", "workbench.jobs.supervisor"]
    crowd = [subprocess.Popen(command, cwd=ROOT, env=environment) for _ in range(4)]
    shop.until(lambda: sum(one.poll() is None for one in crowd) == 1)
    (left,) = [one for one in crowd if one.poll() is None]
    shop.until(lambda: shop.manager.supervisor() is not None)
    status = shop.manager.supervisor()
    assert status is not None
    assert status.pid == left.pid
    (job,) = shop.ended(shop.submit().job_id)
    assert job.state is JobState.COMPLETE
    left.terminate()
    assert left.wait(PATIENCE_S) == 0


def test_a_supervisor_that_lost_its_lock_exits(shop: Shop) -> None:
    shop.ended(shop.submit().job_id)
    status = shop.manager.supervisor()
    assert status is not None
    old = psutil.Process(status.pid)
    shop.paths.lock.unlink()
    shop.until(lambda: not alive(old))
    (job,) = shop.ended(shop.submit().job_id)
    assert job.state is JobState.COMPLETE


def test_an_unrelated_process_with_a_reused_pid_is_not_killed(shop: Shop) -> None:
    stranger = subprocess.Popen(["sleep", "1000"], start_new_session=True)
    leftover = subprocess.Popen(["sleep", "1000"], start_new_session=True)
    rebooted = subprocess.Popen(["sleep", "1000"], start_new_session=True)
    try:
        known = [identify(process.pid) for process in (stranger, leftover, rebooted)]
        assert all(known)
        reused = Identity(stranger.pid, known[0].started - 100, known[0].boot_id)  # type: ignore[union-attr]
        other_boot = Identity(rebooted.pid, known[2].started, "another-boot")  # type: ignore[union-attr]
        assert not same_process(reused)
        assert not same_process(other_boot)
        shop.manager.jobs()
        with shop.manager._index.write() as writer:
            Ledger(1).say_devices(
                writer,
                [
                    DeviceRow("cpu:0", "busy", worker=reused),
                    DeviceRow("cpu:1", "busy", worker=known[1]),
                    DeviceRow("cpu:2", "busy", worker=other_boot),
                ],
            )
        shop.ended(shop.submit().job_id)
        assert leftover.wait(PATIENCE_S) == -signal.SIGKILL
        assert stranger.poll() is None
        assert rebooted.poll() is None
    finally:
        for process in (stranger, leftover, rebooted):
            process.kill()
            process.wait()


@pytest.mark.parametrize("moment", ["before_publish", "before_commit", "after_commit", "claimed"])
def test_a_supervisor_killed_at_any_critical_moment_loses_and_doubles_nothing(
    shop: Shop, moment: str
) -> None:
    environment = {**os.environ, **settings_environment(shop.settings), "DIE_AT": moment}
    touch = shop.paths.outputs.parent / "renders"
    shop.manager.jobs()
    doomed = subprocess.Popen(
        [sys.executable, "-m", "tests.jobs.supervisor.doomed_supervisor"], cwd=ROOT, env=environment
    )
    shop.until(lambda: shop.manager.supervisor() is not None)
    asked = shop.submit(touch=str(touch))
    assert doomed.wait(PATIENCE_S) == -signal.SIGKILL
    (job,) = shop.ended(asked.job_id)
    assert job.state is JobState.COMPLETE
    renders = len(touch.read_text().splitlines())
    # A video already complete when the supervisor died is published, not rendered again.
    assert renders == 1
    assert job.attempt == (2 if moment == "claimed" else 1)
    assert shop.violations() == []


def test_a_full_disk_fails_renders_with_a_clear_message_and_is_survived(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("mounting a small filesystem needs root")
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(small)], check=False
    )
    if mounted.returncode:
        pytest.skip("a small filesystem cannot be mounted here")
    try:
        with Shop(small / "outputs") as shop:
            (first,) = shop.ended(shop.submit().job_id)
            assert first.state is JobState.COMPLETE
            filler = small / "filler"
            with filler.open("wb") as file:
                free = os.statvfs(small).f_bavail * os.statvfs(small).f_bsize
                file.write(b"x" * (free - 200_000))
            asked = shop.submit(width=320, height=240, num_frames=24)
            (job,) = shop.ended(asked.job_id)
            assert job.state is JobState.FAILED
            assert "disk of outputs/ is full" in job.error
            with filler.open("ab", buffering=0) as file, suppress(OSError):
                while True:
                    file.write(b"x" * 4_096)
            with pytest.raises(Unavailable, match=r"disk|written"):
                shop.manager.submit_batch([request("x" * 4_000) for _ in range(50)])
            assert shop.manager.job(asked.job_id).state is JobState.FAILED
            filler.unlink()
            shop.manager.retry(asked.job_id)
            (job,) = shop.ended(asked.job_id)
            assert job.state is JobState.COMPLETE
            assert shop.violations() == []
    finally:
        subprocess.run(["umount", "-l", str(small)], check=False)


def test_an_index_that_cannot_be_written_is_waited_for(tmp_path: Path, release: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("mounting a small filesystem needs root")
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(small)], check=False
    ).returncode:
        pytest.skip("a small filesystem cannot be mounted here")
    try:
        with Shop(tmp_path / "outputs", index=small / "index.sqlite3") as shop:
            asked = shop.submit(until=release)
            shop.running(asked.job_id)
            filler = small / "filler"
            with filler.open("wb", buffering=0) as file, suppress(OSError):
                while True:
                    file.write(b"x" * 4_096)
            release.touch()  # its end is what cannot be written
            shop.until(lambda: "the index cannot be used" in shop.log())
            filler.unlink()
            (job,) = shop.ended(asked.job_id)
            assert (job.state, job.attempt) == (JobState.COMPLETE, 1)
            assert shop.violations() == []
    finally:
        subprocess.run(["umount", "-l", str(small)], check=False)
