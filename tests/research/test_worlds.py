"""Rolled-out worlds: branches equal their parents up to the fork, are durable, and are measured."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench as wb
from tests.held import Hold
from tests.live_server import PATIENCE_S, end_supervisor
from workbench.engines.animatic.studio import film_of
from workbench.engines.probe import probe_video
from workbench.errors import InvalidRequest
from workbench.jobs.model import JobState
from workbench.journey.worlds import World

_SHAPE: dict[str, Any] = {"width": 160, "height": 96, "num_frames": 5, "fps": 16}


@pytest.fixture(scope="module")
def storyboard(studio: wb.Studio) -> wb.Video:
    (video,) = wb.render("a red car drives through a desert", using=studio, seed=3, **_SHAPE).videos
    return video.wait(PATIENCE_S)


@pytest.fixture(scope="module")
def world(storyboard: wb.Video) -> World:
    return storyboard.rollout("w-16,jw-16", segment_s=0.75, planned_s=6).wait(PATIENCE_S)


@pytest.fixture
def hold(tmp_path: Path) -> Hold:
    """What lets a video and two segments of its world pass, and holds the third."""
    return Hold(tmp_path / "held", after=3)


@pytest.fixture
def held_studio(tmp_path: Path, hold: Hold, monkeypatch: pytest.MonkeyPatch) -> Iterator[wb.Studio]:
    for name, value in hold.environment.items():
        monkeypatch.setenv(name, value)
    outputs = tmp_path / "outputs"
    with wb.Studio(wb.Settings(outputs=outputs)) as studio:
        yield studio
    end_supervisor(outputs)


def _frames(world: World) -> Any:
    return np.stack(list(world.frames()))


def test_a_world_is_rolled_out_in_segments(world: World) -> None:
    assert world.num_frames == 33
    assert [video.job.request.num_frames for video in world.segments] == [12, 12, 9]
    assert _frames(world).shape == (33, 96, 160, 3)
    assert world.parent is None
    assert world.drift()[0]["seam"] is None
    assert not any(row["seam"] for row in world.drift())


def test_a_branch_is_its_parent_up_to_the_fork_and_then_another(world: World) -> None:
    branch = world.fork(1.0, "a-12", segment_s=0.75).wait(PATIENCE_S)
    assert branch.num_frames == 16 + 12
    ours, theirs = _frames(branch), _frames(world)
    assert np.array_equal(ours[:16], theirs[:16])
    assert not np.array_equal(ours[16:28], theirs[16:28])
    assert branch.parent is not None
    assert branch.parent.batch_id == world.batch_id
    assert branch.fork_s == 1.0
    poses = branch.camera_path.c2w
    assert np.array_equal(poses[:16], world.camera_path.c2w[:16])
    assert branch.drift()[0]["seam"] is False, "the world goes on without a jump"


def test_drawn_anew_a_branch_is_its_parent_bit_for_bit_up_to_the_fork(world: World) -> None:
    branch = world.fork(1.0, "a-8")
    old, new = (one.segments[-1].job.request for one in (world, branch))
    film, other = film_of(old), film_of(new)
    for index in (0, 7, 15):
        assert np.array_equal(film.frame(index).planes, other.frame(index).planes)
    assert not np.array_equal(film.frame(20).planes, other.frame(20).planes)


def test_the_same_actions_give_the_same_frames_and_one_changed_action_does_not(
    world: World,
) -> None:
    one, two, three = (
        world.fork(0.5, actions).wait(PATIENCE_S) for actions in ("w-8", "w-8", "w-7,a-1")
    )
    assert np.array_equal(_frames(one), _frames(two))
    assert np.array_equal(_frames(one)[:15], _frames(three)[:15])
    assert not np.array_equal(_frames(one)[15], _frames(three)[15])


def test_branches_branch_and_go_on(world: World) -> None:
    branch = world.fork(1.0, "d-8")
    twig = branch.fork(1.25, "orbit left 10 degrees", 0.5).rollout("w-4").wait(PATIENCE_S)
    assert twig.num_frames == 20 + 8 + 4
    frames = _frames(twig)
    assert np.array_equal(frames[:16], _frames(world)[:16])
    assert np.array_equal(frames[16:20], _frames(branch.wait(PATIENCE_S))[16:20])


def test_a_world_is_found_again_and_saved_as_one_video(
    world: World, studio: wb.Studio, tmp_path: Any
) -> None:
    again = wb.open_world(world.batch_id, using=studio)
    assert again.num_frames == world.num_frames
    assert "2.0625 s" in repr(again)
    assert probe_video(again.save_video(tmp_path / "world.mp4")).num_frames == 33


def test_a_zoom_is_carried_on_over_segments_and_forks(storyboard: wb.Video) -> None:
    zoomed = storyboard.rollout("zoom in 2x for 1 s", segment_s=0.75, planned_s=6)
    further = zoomed.rollout("w-8,none-4")
    again = further.rollout("zoom out 2x for 0.5 s")

    def focal(world: World) -> Any:
        camera = world.segments[-1].job.request.camera
        assert camera is not None
        return camera.camera_path().lenses(world.num_frames, world.fps)[:, 0]

    one, other, last = (focal(each) for each in (zoomed, further, again))
    assert one[-1] == pytest.approx(2 * one[0], rel=1e-3)
    assert np.allclose(other[: len(one)], one)
    assert np.allclose(other[len(one) :], one[-1]), "the lens stays as it was left"
    assert last[-1] == pytest.approx(one[0], rel=1e-3)
    left = again.fork(0.75, "w-8")
    assert np.allclose(focal(left)[:12], last[:12])
    assert np.array_equal(_frames(left.wait(120))[:12], _frames(again.wait(120))[:12])


@pytest.mark.parametrize(
    ("at_s", "actions", "told"),
    [
        (9.0, "w-8", "within the world"),
        (0.0, "w-8", "within the world"),
        (1.0, "w-400", "planned for 6 s"),
        (1.0, "a nice day", "no movement is understood"),
    ],
)
def test_what_cannot_be_rolled_out_is_refused_and_nothing_is_queued(
    at_s: float, actions: str, told: str, world: World, studio: wb.Studio
) -> None:
    before = studio.jobs.jobs(limit=1).total
    with pytest.raises(InvalidRequest, match=told):
        world.fork(at_s, actions)
    assert studio.jobs.jobs(limit=1).total == before


def test_a_worker_that_dies_in_the_third_of_six_segments_costs_what_it_had_in_hand(
    held_studio: wb.Studio, hold: Hold
) -> None:
    """That is the third, and one before it whose files the worker was still flushing to disk."""
    studio = held_studio
    shape: dict[str, Any] = {"width": 832, "height": 480, "num_frames": 5, "fps": 16}
    (video,) = wb.render("a red car drives through a desert", using=studio, **shape).videos
    world = video.wait(PATIENCE_S).rollout("w-16,jw-79", segment_s=1.0)
    third = world.segments[2]
    deadline = time.monotonic() + PATIENCE_S
    before: dict[int, int] = {}
    pids: list[int] = []
    while not pids:
        assert time.monotonic() < deadline, "the third segment is not rendered"
        before |= {
            place: one.path.stat().st_mtime_ns
            for place, one in enumerate(world.segments[:2])
            if place not in before and one.state is JobState.COMPLETE
        }
        devices = [d for d in studio.jobs.devices() if d.job_id == third.job_id]
        pids = [d.worker_pid for d in devices if d.worker_pid is not None]
        time.sleep(0.005)
    os.kill(pids[0], signal.SIGKILL)
    hold.release()
    world.wait(PATIENCE_S)
    attempts = [one.job.attempt for one in world.segments]
    assert 7 <= sum(attempts) <= 8
    assert max(attempts) == 2
    for place, written_ns in before.items():
        assert attempts[place] == 1
        assert world.segments[place].path.stat().st_mtime_ns == written_ns
    assert len(list(world.frames())) == 96
