"""What keeps outputs/ in order: retention, logs, the doctor, the command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.jobs.shop import Shop, request
from workbench.cli import COMMANDS, main
from workbench.errors import NotFound
from workbench.jobs.client.doctor import Finding, Verdict, examine
from workbench.jobs.client.inputs import Inputs
from workbench.jobs.client.launch import settings_environment
from workbench.jobs.locking import take_lock
from workbench.jobs.model import JobState
from workbench.jobs.supervisor import log_file
from workbench.settings import Settings


@pytest.fixture
def command(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A shop that the command line finds by the environment."""
    for name, value in settings_environment(shop.settings).items():
        monkeypatch.setenv(name, value)
    return shop


def test_nothing_is_removed_unless_a_setting_says_so(shop: Shop) -> None:
    shop.ended(shop.submit().job_id)
    assert shop.manager.tidy() == []


def test_the_oldest_go_when_more_than_so_many_are_there(shop: Shop) -> None:
    jobs = [shop.submit(f"prompt {n}") for n in range(5)]
    shop.ended(*[job.job_id for job in jobs])
    shop.manager.star(jobs[0].job_id)
    shop.end_supervisor(signal.SIGTERM)
    manager = shop.use(retention_jobs=2)
    planned = manager.tidy(dry_run=True)
    assert [removal.job.job_id for removal in planned] == [job.job_id for job in jobs[1:4]]
    assert manager.jobs().total == 5
    assert manager.tidy() == planned
    assert {job.job_id for job in manager.jobs().jobs} == {jobs[0].job_id, jobs[4].job_id}
    assert not shop.paths.job(jobs[1].job_id).folder.exists()
    with pytest.raises(NotFound):
        manager.job(jobs[1].job_id)
    assert manager.rebuild() == 2
    assert manager.job(jobs[0].job_id).starred


def test_the_old_go_and_a_batch_goes_with_its_last_job(shop: Shop) -> None:
    batch = shop.manager.submit_batch([request("old") for _ in range(2)])
    ids = [job.job_id for job in batch.jobs]
    shop.ended(*ids)
    shop.end_supervisor(signal.SIGTERM)
    manager = shop.use(retention_days=1)
    assert manager.tidy() == []
    with manager._index.write() as writer:
        writer.execute("UPDATE jobs SET finished_at = 0 WHERE job_id = ?", (ids[0],))
    assert [removal.reason for removal in manager.tidy()] == ["older than 1 days"]
    assert [job.job_id for job in manager.batch(batch.batch_id).jobs] == ids[1:]
    manager.rebuild()
    assert [job.job_id for job in manager.batch(batch.batch_id).jobs] == ids[1:]
    with manager._index.write() as writer:
        writer.execute("UPDATE jobs SET finished_at = 0")
    manager.tidy()
    with pytest.raises(NotFound):
        manager.batch(batch.batch_id)
    assert list(shop.paths.outputs.glob("[bj]_*")) == []


def test_a_picture_goes_with_the_last_job_that_begins_from_it(shop: Shop) -> None:
    picture = cv2.imencode(".png", np.zeros((8, 8, 3), np.uint8))[1].tobytes()
    kept = [Inputs(shop.paths, shop.settings).keep(picture) for _ in range(4)]
    first, second, third, fresh = (one.path for one in kept)
    for path in (first, second, third):  # the third was never used
        os.utime(path, (1, 1))
    jobs = [shop.submit(image=str(path)) for path in (first, second)]
    jobs += [shop.submit(image=str(second))]
    shop.ended(*[job.job_id for job in jobs])
    shop.end_supervisor(signal.SIGTERM)
    shop.use(retention_jobs=1).tidy()
    assert not first.exists()
    assert not third.exists()
    assert second.exists(), "a job that is kept begins from it"
    assert fresh.exists(), "it may be about to be used"


def test_the_oldest_videos_go_when_all_are_too_large(shop: Shop) -> None:
    jobs = shop.ended(*[shop.submit(seed=n).job_id for n in range(3)])
    shop.end_supervisor(signal.SIGTERM)
    size = sum(job.video_bytes or 0 for job in jobs[1:])
    manager = shop.use(retention_bytes=size)
    assert [removal.job.job_id for removal in manager.tidy()] == [jobs[0].job_id]


def test_a_log_that_has_grown_is_put_aside_while_others_write_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_file, "_LIMIT_BYTES", 100)
    log = tmp_path / "supervisor.log"
    writer = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number in range(6):
        os.write(writer, f"round {number} {'x' * 100}\n".encode())
        log_file.rotate(log)
        os.write(writer, b"after\n")
    os.close(writer)
    assert log.read_text() == "after\n"
    kept = sorted(path.name for path in tmp_path.iterdir())
    assert kept == ["supervisor.log", *(f"supervisor.log.{n}" for n in (1, 2, 3))]
    assert "round 5" in (tmp_path / "supervisor.log.1").read_text()


def test_the_supervisors_log_is_structured(shop: Shop) -> None:
    (job,) = shop.ended(shop.submit(fault="error").job_id)
    shop.end_supervisor(signal.SIGTERM)
    events = shop.events()
    assert all({"time", "level", "pid", "event"} <= set(event) for event in events)
    failed = next(event for event in events if event["event"] == "job failed")
    assert (failed["job"], failed["error"]) == (job.job_id, "The engine will not.")


def _found(settings: Settings, what: str) -> Finding:
    return next(finding for finding in examine(settings) if finding.what == what)


def test_the_doctor_finds_nothing_wrong_where_nothing_is(shop: Shop) -> None:
    assert not [f for f in examine(shop.settings) if f.verdict is Verdict.BAD]
    assert shop.manager.supervisor() is None
    shop.ended(shop.submit().job_id)
    findings = examine(shop.settings)
    assert not [f for f in findings if f.verdict is Verdict.BAD], findings
    assert "pid" in _found(shop.settings, "supervisor").found
    assert "1 complete" in _found(shop.settings, "index").found


def test_the_doctor_finds_what_is_wrong(shop: Shop) -> None:
    shop.ended(shop.submit().job_id)
    status = shop.manager.supervisor()
    assert status is not None
    os.kill(status.pid, signal.SIGSTOP)
    try:
        found = _found(shop.settings, "supervisor")
        assert found.verdict is Verdict.BAD
        assert f"kill -CONT {status.pid}" in found.advice
    finally:
        os.kill(status.pid, signal.SIGCONT)
    shop.end_supervisor(signal.SIGTERM)
    descriptor = take_lock(shop.paths.lock)
    assert descriptor is not None
    locked = _found(shop.settings, "locks")
    assert locked.verdict is Verdict.BAD
    assert str(os.getpid()) in locked.found
    os.close(descriptor)
    assert _found(shop.settings, "locks").verdict is Verdict.GOOD
    full = Settings(**{**dict(shop.settings), "disk_reserve_bytes": 1 << 60})
    assert _found(full, "disk").verdict is Verdict.BAD
    shop.manager.close()  # or its write-ahead log would still hold the pages
    shop.settings.index_path.write_bytes(b"broken" * 1_000)
    assert _found(shop.settings, "index").verdict is Verdict.BAD


def test_jobs_are_listed_and_steered_from_the_command_line(
    command: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    (job,) = command.ended(
        command.submit("a dog\x1b[31m runs", fault="error", fault_attempts=1).job_id
    )
    assert main(["jobs"]) == 0
    listed = capsys.readouterr().out
    assert job.job_id in listed
    assert "\x1b" not in listed
    assert main(["jobs", "list", "--json", "--state", "failed"]) == 0
    assert json.loads(capsys.readouterr().out)["error"] == "The engine will not."
    assert main(["jobs", "retry", job.job_id]) == 0
    (again,) = command.ended(job.job_id)
    assert again.state is JobState.COMPLETE
    capsys.readouterr()
    assert main(["jobs", "pause"]) == 0
    assert command.manager.paused() == {""}
    assert "the queue is paused" in capsys.readouterr().out
    assert main(["jobs"]) == 0
    assert "the queue is paused" in capsys.readouterr().out
    batch = command.manager.submit_batch([request("one"), request("two")])
    ids = [job.job_id for job in batch.jobs]
    assert main(["jobs", "order", *reversed(ids)]) == 0
    assert command.manager.job(ids[1]).queue_position == 0
    assert main(["jobs", "cancel", batch.batch_id]) == 0
    assert {job.state for job in command.manager.batch(batch.batch_id).jobs} == {JobState.CANCELLED}
    assert main(["jobs", "resume"]) == 0
    capsys.readouterr()
    assert main(["jobs", "show", job.job_id]) == 0
    told = capsys.readouterr().out
    assert f"video    {command.manager.video_path(job.job_id)}" in told
    assert f"log      {command.manager.log_path(job.job_id)}" in told
    assert "attempt  2" in told
    assert main(["jobs", "star", job.job_id]) == 0
    assert command.manager.job(job.job_id).starred
    assert main(["jobs", "cancel", "j_" + "0" * 20]) == 1
    assert "There is no job" in capsys.readouterr().err


def test_the_command_line_tidies_and_examines(
    command: Shop, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command.ended(command.submit("going").job_id)
    monkeypatch.setenv("WORKBENCH_RETENTION_JOBS", "0")
    assert main(["tidy", "--dry-run"]) == 0
    assert "1 job would go" in capsys.readouterr().out
    assert main(["tidy"]) == 0
    assert command.manager.jobs().total == 0
    assert main(["doctor"]) == 0
    assert "supervisor" in capsys.readouterr().out


def test_a_reader_that_has_read_enough_is_no_error(command: Shop) -> None:
    for line in ("doctor", "jobs"):
        script = f"{sys.executable} -m workbench.cli {line} | true; exit ${{PIPESTATUS[0]}}"
        done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
        assert done.stderr == ""
        assert done.returncode in {0, 141}


def test_the_command_says_what_it_can_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    told = capsys.readouterr().out
    assert all(name in told for name in COMMANDS)
    assert main(["nonsense"]) == 2
