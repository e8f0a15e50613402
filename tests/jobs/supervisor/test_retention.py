"""Automatic removal: never what is still needed, and never because a clock jumped."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.jobs.shop import Shop
from workbench.jobs.model import Job
from workbench.jobs.retention import carry_out, plan_removals
from workbench.jobs.supervisor.clock import Clocks, Reckoning, reckon
from workbench.jobs.supervisor.housekeeping import Housekeeping

DAY_S = 86_400.0
NOW_S = 1_800_000_000.0


def _clocks(uptime_s: float, jump_s: float = 0.0, boot: str = "a") -> Clocks:
    return Clocks(boot, uptime_s, NOW_S + uptime_s + jump_s)


def _run(*clocks: Clocks) -> Reckoning:
    reckoning = None
    for one in clocks:
        reckoning = reckon(reckoning, one)
    assert reckoning is not None
    return reckoning


def test_a_steady_clock_is_trusted() -> None:
    assert _run(_clocks(0), _clocks(30), _clocks(90 * DAY_S)).believed_s == NOW_S + 90 * DAY_S


@pytest.mark.parametrize("boot", ["a", "b"])
def test_a_clock_that_jumped_forward_is_trusted_after_a_day(boot: str) -> None:
    year_s = 365 * DAY_S
    jumped = [_clocks(0), _clocks(60), _clocks(90, year_s, boot)]
    assert _run(*jumped).believed_s <= NOW_S + 90
    still = _run(*jumped, _clocks(90 + DAY_S / 2, year_s, boot)).believed_s
    assert still <= NOW_S + DAY_S
    later = _clocks(100 + DAY_S, year_s, boot)
    assert _run(*jumped, later).believed_s == later.wall_s


def test_a_clock_that_jumped_and_came_back_has_changed_nothing() -> None:
    back = _clocks(120)
    assert _run(_clocks(0), _clocks(60, 90 * DAY_S), back).believed_s == back.wall_s
    assert _run(_clocks(0), _clocks(60, -90 * DAY_S), back).believed_s == back.wall_s


def test_the_clock_of_a_machine_that_was_off_for_a_weekend_is_trusted_at_once() -> None:
    after = _clocks(60, 3 * DAY_S, "b")
    assert _run(_clocks(0), _clocks(60), after).believed_s == after.wall_s


def _housekeeping(shop: Shop, clocks: Clocks) -> Housekeeping:
    return Housekeeping(shop.manager._index, shop.paths, shop.settings, clocks=lambda: clocks)


def _rendered(shop: Shop) -> Job:
    (job,) = shop.ended(shop.submit().job_id)
    return job


def test_a_clock_that_jumps_removes_no_video(shop: Shop) -> None:
    _rendered(shop)
    shop.end_supervisor(signal.SIGTERM)
    shop.use(retention_days=30)
    finished_at = shop.manager.jobs().jobs[0].finished_at
    assert finished_at is not None
    today = Clocks("a", 1_000.0, finished_at.timestamp() + 60)
    _housekeeping(shop, today).tidy()
    jumped = Clocks("a", 1_030.0, today.wall_s + 40 * DAY_S)
    _housekeeping(shop, jumped).tidy()
    assert shop.manager.jobs().total == 1
    believed = Clocks("a", 1_040.0 + DAY_S, jumped.wall_s + 10 + DAY_S)
    _housekeeping(shop, believed).tidy()
    assert shop.manager.jobs().total == 0


def test_a_video_that_an_unfinished_job_starts_from_is_kept(shop: Shop) -> None:
    first, second = _rendered(shop), _rendered(shop)
    shop.manager.pause()
    follower = shop.submit(image=str(shop.paths.job(first.job_id).video))
    shop.end_supervisor(signal.SIGTERM)
    shop.use(retention_jobs=0)
    assert [removal.job.job_id for removal in shop.manager.tidy(dry_run=True)] == [second.job_id]
    shop.manager.tidy()
    assert shop.manager.video_path(first.job_id).is_file()
    shop.manager.cancel(follower.job_id)
    shop.end_supervisor(signal.SIGTERM)
    shop.manager.tidy()
    assert not shop.paths.job(first.job_id).folder.exists()


def test_a_removal_plan_keeps_a_video_that_a_later_job_starts_from(shop: Shop) -> None:
    first = _rendered(shop)
    shop.manager.pause()
    shop.end_supervisor(signal.SIGTERM)
    shop.use(retention_jobs=0)
    plan = plan_removals(shop.settings, shop.manager._index)
    shop.submit(image=str(shop.paths.job(first.job_id).video))
    assert carry_out(shop.paths, shop.manager._index, plan) == 0
    assert shop.manager.video_path(first.job_id).is_file()


def test_an_old_input_is_removed_although_no_job_is(shop: Shop) -> None:
    shop.manager.jobs()
    old, fresh = _input(shop, "old.png"), _input(shop, "fresh.png")
    os.utime(old, (1, 1))
    _housekeeping(shop, Clocks("a", 0.0, fresh.stat().st_mtime)).tidy()
    assert (old.exists(), fresh.exists()) == (False, True)


def _input(shop: Shop, name: str) -> Path:
    shop.paths.inputs.mkdir(parents=True, exist_ok=True)
    path = shop.paths.inputs / name
    path.write_text("a picture")
    return path
