"""The job manager survives clock jumps, failing disks and reused pids."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.jobs.shop import Shop, request
from workbench.errors import Unavailable
from workbench.jobs.client.doctor import Verdict, examine
from workbench.jobs.client.launch import settings_environment
from workbench.jobs.model import JobState
from workbench.jobs.processes import identify

ROOT = Path(__file__).resolve().parents[2]
DAY_S = 86_400.0


@pytest.fixture
def jump(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Shift the wall clock of every process started from here."""
    offset = tmp_path / "offset"
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent / "clock"))
    monkeypatch.setenv("CLOCK_OFFSET", str(offset))

    def set_offset(seconds: float) -> None:
        aside = offset.with_suffix(".new")
        aside.write_text(str(seconds))
        aside.replace(offset)

    return set_offset


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Make a folder a read-only filesystem for the length of a block."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    if subprocess.run(["mount", "--bind", folder, folder], check=False).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=False)


def test_a_clock_jump_loses_no_render_and_keeps_the_order(
    shop: Shop, jump: Callable[[float], None], tmp_path: Path
) -> None:
    ids = []
    for number, offset in enumerate((0.0, 3 * DAY_S, -3 * DAY_S, 0.0)):
        release = tmp_path / f"release {number}"
        asked = shop.submit(f"at {offset}", until=release)
        ids.append(asked.job_id)
        shop.running(asked.job_id, progress=20)
        jump(offset)
        job = shop.manager.job(asked.job_id)
        assert job.eta_s is None or job.eta_s >= 0
        release.touch()
        while not (job := shop.manager.job(asked.job_id)).state.final:
            assert job.eta_s is None or job.eta_s >= 0
        assert (job.state, job.attempt) == (JobState.COMPLETE, 1)
        assert job.started_at is not None
        assert job.finished_at is not None
        assert job.finished_at >= job.started_at
    assert [job.job_id for job in shop.manager.jobs().jobs] == ids[::-1]
    assert not [event for event in shop.events() if event["level"] == "warning"]
    assert shop.violations() == []


def test_a_supervisor_resumed_after_a_long_stop_kills_no_healthy_worker(
    shop: Shop, release: Path
) -> None:
    shop.use(lease_s=10.0)
    asked = shop.submit(until=release)
    shop.running(asked.job_id)
    status = shop.manager.supervisor()
    assert status is not None
    os.kill(status.pid, signal.SIGSTOP)
    time.sleep(shop.settings.lease_s * 1.2)
    os.kill(status.pid, signal.SIGCONT)
    shop.until(shop.manager.answers)
    release.touch()
    (job,) = shop.ended(asked.job_id)
    assert (job.state, job.attempt) == (JobState.COMPLETE, 1)


def test_a_worker_resumed_after_its_lease_publishes_nothing(shop: Shop, release: Path) -> None:
    shop.use(lease_s=2.0, max_attempts=20)  # a busy machine may lose the next worker too
    asked = shop.submit(until=release)
    shop.running(asked.job_id)
    pid = shop.kill_worker(asked.job_id, signal.SIGSTOP)
    shop.until(lambda: shop.manager.job(asked.job_id).attempt >= 2)
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)
    release.touch()
    (job,) = shop.ended(asked.job_id)
    assert job.state is JobState.COMPLETE
    assert job.attempt >= 2
    assert shop.manager.recipe(job.job_id).attempt == job.attempt
    assert shop.violations() == []


@pytest.mark.parametrize("other", ["a reused pid", "another boot"])
def test_a_lock_of_a_reused_pid_or_an_earlier_boot_counts_as_free(shop: Shop, other: str) -> None:
    us = identify(os.getpid())
    assert us is not None
    reused = other == "a reused pid"
    words = {
        "pid": us.pid,
        "started": us.started - 500 if reused else us.started,
        "boot_id": us.boot_id if reused else "0b8f",
        "started_at": "2026-01-01T00:00:00+00:00",
        "version": "1",
        "socket": "/nowhere",
    }
    shop.paths.control.mkdir(parents=True)
    shop.paths.lock.write_text(json.dumps(words))
    assert shop.manager.supervisor() is None
    (job,) = shop.ended(shop.submit().job_id)
    assert job.state is JobState.COMPLETE
    status = shop.manager.supervisor()
    assert status is not None
    assert status.pid != us.pid


def test_a_client_that_dies_before_its_answer_can_repeat_the_request(shop: Shop) -> None:
    script = (
        "import os, signal\n"
        "from tests.jobs.shop import request\n"
        "from workbench.jobs.client.manager import JobManager\n"
        "from workbench.settings import Settings\n"
        "manager = JobManager(Settings())\n"
        "manager._contact.tell = lambda **_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "manager.submit_batch([request('once') for _ in range(3)], idempotency_key='again')\n"
    )
    environment = {**os.environ, **settings_environment(shop.settings)}
    client = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environment, check=False)
    assert client.returncode == -signal.SIGKILL
    batch = shop.manager.submit_batch([request("once") for _ in range(3)], idempotency_key="again")
    assert shop.manager.jobs().total == 3, "it was committed before the client died"
    shop.ended(*[job.job_id for job in batch.jobs])
    assert shop.violations() == []


def test_an_unwritable_folder_fails_its_render_with_a_clear_message(shop: Shop) -> None:
    shop.manager.pause()
    asked = shop.submit()
    folder = shop.paths.job(asked.job_id).folder
    with read_only(folder):
        shop.manager.resume()
        (job,) = shop.ended(asked.job_id)
        assert job.state is JobState.FAILED
        assert "full or read-only" in job.error
    shop.manager.retry(asked.job_id)
    (job,) = shop.ended(asked.job_id)
    assert job.state is JobState.COMPLETE


def test_a_read_only_outputs_folder_is_reported_before_anything_is_queued(shop: Shop) -> None:
    shop.paths.outputs.mkdir()
    with read_only(shop.paths.outputs):
        with pytest.raises(Unavailable, match=r"written|read-only"):
            shop.submit()
        found = {f.what: f for f in examine(shop.settings) if f.verdict is Verdict.BAD}
        assert "cannot be written" in found["outputs"].found
    assert shop.manager.supervisor() is None
    (job,) = shop.ended(shop.submit().job_id)
    assert job.state is JobState.COMPLETE


def test_a_small_ext4_disk_fills_up_and_recovers(tmp_path: Path, release: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("mounting a loop device needs root")
    image, disk = tmp_path / "disk.img", tmp_path / "disk"
    disk.mkdir()
    with image.open("wb") as file:
        file.truncate(24 << 20)
    made = subprocess.run(
        f"mkfs.ext4 -q -m 0 {image} && mount -o loop {image} {disk}",
        shell=True, check=False, capture_output=True,
    )  # fmt: skip
    if made.returncode:
        pytest.skip(f"no loop device here: {made.stderr.decode()[:80]}")
    try:
        with Shop(disk / "outputs") as shop:
            shop.ended(shop.submit().job_id)
            asked = shop.submit(until=release)
            shop.running(asked.job_id)
            filler = disk / "filler"
            with filler.open("wb", buffering=0) as file, suppress(OSError):
                while True:
                    file.write(b"x" * 65_536)
            release.touch()
            time.sleep(1)  # render and index hit the full disk; what follows holds without it too
            filler.unlink()
            (job,) = shop.ended(asked.job_id)
            if job.state is JobState.FAILED:
                assert "full or read-only" in job.error
                shop.manager.retry(asked.job_id)
                (job,) = shop.ended(asked.job_id)
            assert job.state is JobState.COMPLETE
            assert shop.violations() == []
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=False)
