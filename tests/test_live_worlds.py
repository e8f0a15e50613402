"""A live world in Python: the storyboard where there is no server, seen, steered and recorded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import workbench as wb
from tests.live_server import end_supervisor
from workbench.engines.animatic.studio import film_of
from workbench.engines.pixels import to_rgb
from workbench.engines.probe import decode_video
from workbench.errors import InvalidRequest


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[wb.Studio]:
    outputs = tmp_path / "outputs"
    with wb.Studio(wb.Settings(outputs=outputs)) as made:
        yield made
    end_supervisor(outputs)


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
    video = world.recorded().wait(300)
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
