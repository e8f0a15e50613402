"""Pausing, reordering, priorities and retries through the widget, over real renders."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

import workbench
from tests.live_server import end_supervisor
from tests.widgets.talk import Talk
from workbench.jobs.client.manager import JobManager
from workbench.jobs.model import Priority
from workbench.settings import Settings
from workbench.studio import RenderParameters, Studio

SMALL: Final[dict[str, Any]] = {"num_frames": 5, "width": 128, "height": 96}


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    outputs = tmp_path / "outputs"
    one = Studio(Settings(outputs=outputs))
    yield one
    one.jobs.resume()
    one.close()
    end_supervisor(outputs)


@pytest.fixture
def talk(studio: Studio) -> Iterator[Talk]:
    bench = workbench.Workbench(using=studio)
    yield Talk(bench)
    bench.close()


def _batch(talk: Talk, count: int) -> str:
    """Render a prompt and its variations; return the batch."""
    talk.ask("enhance", text="dog running", options=SMALL)
    talk.ask("vary", index=0, total=count)
    batch: str = talk.ask("render_all", options=SMALL)["value"]["batch"]
    return batch


def _in_batch(talk: Talk, batch: str) -> list[dict[str, Any]]:
    return [job for job in talk.jobs if job["batch_id"] == batch]


def test_a_paused_queue_starts_nothing_until_it_is_resumed(talk: Talk, studio: Studio) -> None:
    talk.ask("hello")
    assert talk.ask("pause", on=True)["value"] is None
    assert talk.bench.queue_state == {"paused": True}
    assert studio.jobs.paused() == {""}
    talk.ask("enhance", text="dog running", options=SMALL)
    assert [job["state"] for job in talk.jobs] == ["queued"]
    talk.ask("pause", on=False)
    assert talk.bench.queue_state == {"paused": False}
    talk.wait_until(lambda: talk.jobs[0]["state"] == "complete")


def test_a_single_device_is_paused_and_an_unknown_one_refused(talk: Talk) -> None:
    talk.ask("hello")
    talk.ask("pause", device="cpu:0", on=True)
    paused = {one["name"]: one["paused"] for one in talk.bench.devices_state}
    assert [name for name, stopped in paused.items() if stopped] == ["cpu:0"]
    assert talk.bench.queue_state == {"paused": False}
    talk.ask("pause", device="cpu:0", on=False)
    assert not any(one["paused"] for one in talk.bench.devices_state)
    assert "cuda:99" in talk.ask("pause", device="cuda:99", on=True)["error"]["message"]


def test_a_pause_from_another_process_is_shown(talk: Talk, studio: Studio) -> None:
    talk.ask("hello")
    other = JobManager(Settings(outputs=studio.settings.outputs))
    other.pause()
    talk.wait_until(lambda: talk.bench.queue_state == {"paused": True})
    other.resume()
    talk.wait_until(lambda: talk.bench.queue_state == {"paused": False})
    other.close()


def test_a_visitor_cannot_pause_anything(studio: Studio) -> None:
    visitor = Talk(workbench.Workbench(using=studio, private=True))
    for device in (None, "cpu:0"):
        refused = visitor.ask("pause", device=device, on=True)
        assert "visitor" in refused["error"]["message"]
    assert studio.jobs.paused() == frozenset()
    visitor.bench.close()


def test_a_queued_job_is_moved_before_all_others_of_its_session(talk: Talk, studio: Studio) -> None:
    studio.jobs.pause()
    batch = _batch(talk, 4)
    first_video = talk.jobs[0]["job_id"]
    in_order = [job["job_id"] for job in _in_batch(talk, batch)]
    last = in_order[-1]
    talk.ask("first", job=last)
    wanted = [last, first_video, *in_order[:-1]]
    told = {job["job_id"]: job["queue_position"] for job in talk.jobs}
    assert sorted(told, key=lambda job_id: told[job_id]) == wanted
    assert [studio.jobs.job(job_id).queue_position for job_id in wanted] == list(range(5))
    studio.jobs.resume()
    talk.wait_until(lambda: all(job["state"] == "complete" for job in talk.jobs))
    started = sorted(talk.jobs, key=lambda job: job["started_at"])
    assert last in {job["job_id"] for job in started[:2]}, "two processors take two at once"
    assert "no longer waiting" in talk.ask("first", job=last)["error"]["message"]


def test_a_queued_job_takes_another_priority(talk: Talk, studio: Studio) -> None:
    studio.jobs.pause()
    talk.ask("enhance", text="dog running", options=SMALL)
    (job,) = talk.jobs
    assert job["priority"] == Priority.INTERACTIVE
    talk.ask("priority", job=job["job_id"], to="background")
    assert talk.jobs[0]["priority"] == Priority.BACKGROUND
    assert studio.jobs.job(job["job_id"]).priority == Priority.BACKGROUND
    assert "error" in talk.ask("priority", job=job["job_id"], to="preview")


def test_all_failed_jobs_of_a_batch_or_session_are_retried(talk: Talk, studio: Studio) -> None:
    batch = _batch(talk, 3)
    talk.wait_until(lambda: all(job["state"] == "complete" for job in talk.jobs))
    assert "has failed" in talk.ask("retry_failed", batch=batch)["error"]["message"]
    lone = talk.jobs[0]["job_id"]
    lost = [lone, *(job["job_id"] for job in _in_batch(talk, batch)[1:])]
    for job_id in lost:
        studio.jobs.video_path(job_id).unlink()
        studio.jobs.job(job_id)  # reading the job detects that it failed
    talk.wait_until(lambda: [j["job_id"] for j in talk.jobs if j["state"] == "failed"] == lost)
    talk.ask("retry_failed", batch=batch)
    talk.wait_until(lambda: all(job["state"] == "complete" for job in _in_batch(talk, batch)))
    assert [job["attempt"] for job in _in_batch(talk, batch)] == [1, 2, 2]
    assert talk.bench.jobs_state[lone]["state"] == "failed"
    talk.ask("retry_failed")
    talk.wait_until(lambda: talk.bench.jobs_state[lone]["state"] == "complete")
    assert "has failed" in talk.ask("retry_failed")["error"]["message"]
    assert "error" in talk.ask("retry_failed", batch="b_00000000000000000000")


def test_a_screen_without_a_session_gets_no_render_updates(talk: Talk, studio: Studio) -> None:
    talk.ask("enhance", text="dog running", options=SMALL)
    talk.wait_until(lambda: talk.jobs[0]["state"] == "complete")
    talk.ask("fresh")
    parameters = RenderParameters(num_frames=5, width=128, height=96)
    other = studio.run(studio.render("somebody else's", parameters=parameters))
    studio.jobs.wait([other.job_id], 60)
    talk.ask("select", jobs=[])  # earlier updates have arrived by now
    assert talk.bench.jobs_state == {}


def test_a_check_is_shown_on_the_card_of_its_video(talk: Talk) -> None:
    talk.ask("enhance", text="a red fox at night", options=SMALL)
    talk.wait_until(lambda: talk.jobs[0]["state"] == "complete")
    job = talk.jobs[0]["job_id"]
    assert "error" not in talk.ask("check", job=job)
    talk.wait_until(lambda: talk.jobs[0]["checks"])
    checks = talk.jobs[0]["checks"]
    assert checks["asked_for"] == checks["unknown"] > 0  # nobody here can see
    assert checks["request"] == ""


def test_a_new_job_is_sent_alone_and_not_with_the_whole_session(talk: Talk) -> None:
    talk.ask("pause", on=True)
    talk.ask("enhance", text="a dog runs", options=SMALL)
    talk.ask("vary", index=0, total=2)
    told: list[object] = []
    talk.bench.observe(told.append, names=["session_state", "jobs_state"])
    talk.told.clear()
    job = talk.ask("render", index=0, options=SMALL)["value"]["job"]
    batch = talk.ask("render_all", options=SMALL)["value"]["batch"]
    assert told == []
    patches = [one for one in talk.told if one["kind"] == "jobs"]
    views = [view for one in patches for view in one["jobs"]]
    assert job in {view["job_id"] for view in views}
    assert batch in {view["batch_id"] for view in views}
    talk.ask("pause", on=False)


def test_workers_that_left_are_back_before_a_returning_user_asks_for_a_video(
    tmp_path: Path,
) -> None:
    outputs = tmp_path / "outputs"
    studio = Studio(Settings(outputs=outputs, idle_exit_s=3.0, spare_workers=0))
    talk = Talk(workbench.Workbench(using=studio))
    try:
        talk.ask("hello")
        talk.wait_until(lambda: _is_ready(studio))
        talk.wait_until(lambda: studio.jobs.supervisor() is None)
        # asked again as the page does: the first may have met the supervisor while it left
        talk.wait_until(lambda: talk.ask("wake") and _is_ready(studio))
    finally:
        talk.bench.close()
        studio.close()
        end_supervisor(outputs)


def _is_ready(studio: Studio) -> bool:
    return any(device.state == "idle" for device in studio.jobs.devices())
