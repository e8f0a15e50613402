"""The command line: jobs, clean-up and the doctor."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

from tests.jobs.shop import Shop, request
from workbench.cli import COMMANDS, main
from workbench.jobs.client.doctor import Finding, Verdict, examine
from workbench.jobs.client.launch import settings_environment
from workbench.jobs.locking import take_lock
from workbench.jobs.model import JobState
from workbench.settings import Settings


@pytest.fixture
def command(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A shop that the command line finds by the environment."""
    for name, value in settings_environment(shop.settings).items():
        monkeypatch.setenv(name, value)
    return shop


def _found(settings: Settings, what: str) -> Finding:
    return next(finding for finding in examine(settings) if finding.what == what)


def test_the_doctor_reports_no_problem_on_a_healthy_folder(shop: Shop) -> None:
    assert not [f for f in examine(shop.settings) if f.verdict is Verdict.BAD]
    assert shop.manager.supervisor() is None
    shop.ended(shop.submit().job_id)
    findings = examine(shop.settings)
    assert not [f for f in findings if f.verdict is Verdict.BAD], findings
    assert "pid" in _found(shop.settings, "supervisor").found
    assert "1 complete" in _found(shop.settings, "index").found


def test_the_doctor_reports_each_problem(shop: Shop) -> None:
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


def test_jobs_are_listed_and_controlled_from_the_command_line(
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


def test_the_command_line_cleans_up_and_runs_the_doctor(
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


def test_a_closed_pipe_is_not_an_error(command: Shop) -> None:
    for line in ("doctor", "jobs"):
        script = f"{sys.executable} -m workbench.cli {line} | true; exit ${{PIPESTATUS[0]}}"
        done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
        assert done.stderr == ""
        assert done.returncode in {0, 141}


def test_the_command_lists_its_subcommands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    told = capsys.readouterr().out
    assert all(name in told for name in COMMANDS)
    assert main(["nonsense"]) == 2
