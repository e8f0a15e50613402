"""A live world in Python: the storyboard where there is no server, seen, steered and recorded."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import workbench as wb
from tests.jobs.shop import PATIENCE_S
from tests.live_server import end_supervisor
from workbench.engines.animatic.studio import film_of
from workbench.engines.pixels import to_rgb
from workbench.engines.probe import decode_video
from workbench.errors import DiskFull, InvalidRequest
from workbench.jobs.paths import JobPaths


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[wb.Studio]:
    outputs = tmp_path / "outputs"
    with wb.Studio(wb.Settings(outputs=outputs)) as made:
        yield made
    end_supervisor(outputs)


def test_the_world_of_a_prompt_has_its_scene_and_its_job_belongs_to_it(studio: wb.Studio) -> None:
    session = wb.enhance("a red car on a coast road", using=studio)
    prompt = session.tune("make it night")
    assert prompt.scene.time_of_day
    with wb.live(prompt, width=256, height=144, using=studio) as world:
        next(iter(world.frames()))
        world.hold("w")
        for number, _ in enumerate(world.frames()):
            if number == 4:
                break
        job = world.recorded().job
    assert job.request.scene == prompt.scene
    assert (job.session_id, job.entry_index) == (session.session_id, prompt.index)


def test_the_storyboard_is_walked_through_and_recorded_where_there_is_no_server(
    studio: wb.Studio,
) -> None:
    seen = []
    size = {"width": 256, "height": 144}
    with wb.live("a red car on a coast road", seed=3, using=studio, **size) as world:
        assert (world.engine, world.limit_s, world.keys) == ("animatic", 30, "")
        with pytest.raises(InvalidRequest, match="No frame has been shown yet"):
            world.recorded()
        with pytest.raises(InvalidRequest, match="unknown keys"):
            world.hold("x")
        world.hold("w")
        for number, frame in enumerate(world.frames()):
            seen.append(frame.copy())
            if number == 10:
                world.hold("aj")
            if number == 20:
                break
    assert world.keys == "w-10,aj-10"
    assert studio.jobs.jobs().total == 1, "it is recorded by itself"
    video = world.recorded().wait(300)
    assert studio.jobs.jobs().total == 1, "once"
    request = video.job.request
    assert (request.num_frames, request.fps, request.seed) == (21, 16, 3)
    assert request.camera is not None
    assert request.camera.said == world.keys
    film = film_of(request)
    for index, frame in enumerate(seen):
        assert np.array_equal(to_rgb(film.frame(index).planes), frame), index
    decoded = list(decode_video(video.path))
    assert len(decoded) == len(seen)
    for one, other in zip(decoded, seen, strict=True):
        assert np.abs(one.astype(int) - other.astype(int)).mean() < 4, "H.264 alone comes between"
    fork = video.forked(at_s=0.5, actions="d-8")
    assert fork.job.request.options["planned"] == 481, "a fork shares its world"


def test_a_world_ends_at_its_limit(studio: wb.Studio) -> None:
    with wb.live("a rock", seconds=0.5, using=studio, width=128, height=96) as world:
        assert len(list(world.frames())) == 9
        assert list(world.frames()) == []
    assert world.keys == "none-8"
    with pytest.raises(InvalidRequest, match="at most 90"):
        wb.live("a rock", seconds=100, using=studio)
    with pytest.raises(InvalidRequest, match="16 frames a second"):
        wb.live("a rock", fps=24, using=studio)
    with pytest.raises(InvalidRequest, match="does not accept image"):
        wb.live("a rock", image=__file__, using=studio)


_WALKER = """
import sys, workbench as wb
studio = wb.Studio(wb.Settings(outputs=sys.argv[1]))
world = wb.live("a red car on a coast road", seed=3, using=studio, width=128, height=96)
world.hold("w")
for number, _ in enumerate(world.frames()):
    if number == 12:
        world.hold("aj")
    print(number, flush=True)
"""


def _walks(studio: wb.Studio) -> list[Path]:
    return [files.folder for files in JobPaths(studio.settings.outputs).walks()]


def test_a_walk_whose_process_is_killed_becomes_the_job_that_replays_it(
    studio: wb.Studio,
) -> None:
    outputs = studio.settings.outputs
    command = [sys.executable, "-c", _WALKER, str(outputs)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        seen = 0
        while seen < 20:
            seen = int(process.stdout.readline())
        assert studio.live_worlds.record_left() == [], "it is still being walked"
        os.kill(process.pid, signal.SIGKILL)
        rest = process.stdout.read().split()
        process.wait(PATIENCE_S)
    seen = int(rest[-1]) if rest else seen
    (found,) = studio.live_worlds.record_left()
    assert studio.live_worlds.record_left() == []
    assert _walks(studio) == []
    steps = (found.job.request.num_frames or 0) - 1
    assert steps in {seen, seen + 1}, "all that was seen, and perhaps a frame that was not"
    assert found.keys == f"w-12,aj-{steps - 12}"
    assert found.seconds == steps / 16
    (done,) = studio.jobs.wait([found.job.job_id], PATIENCE_S)
    assert done.state == "complete"
    with wb.live("a red car on a coast road", seed=3, using=studio, width=128, height=96) as again:
        again.hold("w")
        film = film_of(done.request)
        for number, frame in enumerate(again.frames()):
            if number == 12:
                again.hold("aj")
            assert np.array_equal(to_rgb(film.frame(number).planes), frame), number
            if number == steps:
                break


@pytest.mark.parametrize(("keys", "frames"), [("", 24), ("w", 9)])
def test_a_walk_without_a_key_or_under_a_second_leaves_nothing(
    studio: wb.Studio, keys: str, frames: int
) -> None:
    with wb.live("a rock", using=studio, width=128, height=96) as world:
        world.hold(keys)
        for number, _ in enumerate(world.frames(), 1):
            assert len(_walks(studio)) == 1
            if number == frames:
                break
    assert _walks(studio) == []
    assert studio.jobs.jobs().total == 0
    assert world.recorded().wait(PATIENCE_S).job.request.num_frames == frames, "if asked for"


def test_a_walk_that_cannot_be_recorded_now_is_recorded_later(
    studio: wb.Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise DiskFull("The disk is full.")

    with monkeypatch.context() as now:
        now.setattr(studio.jobs, "submit", refused)
        world = wb.live("a rock", seconds=1.25, using=studio, width=128, height=96).hold("d")
        assert len(list(world.frames())) == 21
        with pytest.raises(DiskFull):
            world.close()
        assert studio.live_worlds.record_left() == []
    (found,) = studio.live_worlds.record_left()
    assert found.keys == "d-20"
    assert _walks(studio) == []


def test_a_torn_line_and_a_damaged_journal_cost_no_more_than_themselves(
    studio: wb.Studio,
) -> None:
    world = wb.live("a rock", seconds=1.25, using=studio, width=128, height=96).hold("a")
    assert len(list(world.frames())) == 21
    world._walk.close()
    (folder,) = _walks(studio)
    journal = folder / "walk.jsonl"
    journal.write_bytes(journal.read_bytes()[:-2])
    damaged = folder.with_name("0-damaged")
    damaged.mkdir()
    (damaged / "walk.jsonl").write_text("what is no journal\n")
    studio.jobs.pause()
    (waiting,) = wb.render("a rock", using=studio, width=128, height=96).videos
    needed = folder.with_name("1-needed")  # a job still waits for its frames
    needed.mkdir()
    for name, text in (("walk.jsonl", "nor this\n"), ("jobs.txt", f"{waiting.job_id}\n")):
        (needed / name).write_text(text)
    (needed / "frames.bin").write_bytes(b"frames")
    (found,) = studio.live_worlds.record_left()
    assert found.keys == "a-19"
    assert _walks(studio) == [needed]
    assert (needed / "frames.bin").is_file()
