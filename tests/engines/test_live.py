"""The storyboard as a live world: steered by held keys while it is drawn, and replayed bit for bit."""

from __future__ import annotations

import time
from collections.abc import Mapping
from itertools import chain, islice
from typing import Any

import numpy as np
import pytest

from workbench.control import CameraControl, path_from_keys
from workbench.engines.animatic import AnimaticEngine
from workbench.engines.animatic.live import LiveStoryboard
from workbench.engines.animatic.studio import film_of
from workbench.engines.completion import Completion
from workbench.engines.pixels import to_rgb
from workbench.errors import InvalidRequest
from workbench.prompts.writer import scene_of
from workbench.rendering import RenderRequest
from workbench.settings import Settings

PLANNED = 97


def _request(prompt: str, **given: Any) -> RenderRequest:
    values = {"scene": scene_of(prompt), "seed": 3, "fps": 16, "width": 192, "height": 112, **given}
    return Completion(Settings()).complete(RenderRequest(prompt=prompt, **values)).request


def _walked(
    request: RenderRequest, held: Mapping[int, str], frames: int
) -> tuple[LiveStoryboard, list[Any], list[str], list[str]]:
    """Hold the keys of ``held`` from each of its frames on; return pictures, keys and notes."""
    feed = AnimaticEngine(Settings()).live(request, PLANNED)
    assert isinstance(feed, LiveStoryboard)
    pictures, led_by, notes = [], [], []
    for number, frame in enumerate(chain(islice(feed.frames(), 3), feed.frames()), 1):
        pictures.append(frame.picture)
        led_by.append(frame.led_by)
        notes.append(frame.note)
        if number == frames:
            break
        feed.hold(held.get(number, held[max(at for at in held if at <= number)]))
    return feed, pictures, led_by, notes


def _replayed(request: RenderRequest, feed: LiveStoryboard, led_by: list[str]) -> RenderRequest:
    told = feed.replay(led_by)
    camera = CameraControl.of(told.pop("camera"))
    asked = request.model_copy(update={**told, "camera": camera})
    return Completion(Settings()).complete(asked).request


@pytest.mark.parametrize(
    ("prompt", "held"),
    [
        ("a red car on a coast road", {0: "w", 10: "jw", 20: "", 24: "a"}),
        ("a dog running in a city street in the rain", {0: "d", 12: "il", 24: "ks"}),
        ("a boat on a lake, watercolor", {0: "", 6: "l", 20: "w"}),
        ("a man in a kitchen, rack focus", {0: "a", 10: "lw"}),
    ],
)
def test_what_is_seen_live_is_what_the_recorded_job_draws_bit_for_bit(
    prompt: str, held: dict[int, str]
) -> None:
    request = _request(prompt)
    feed, pictures, led_by, _ = _walked(request, held, 33)
    recorded = _replayed(request, feed, led_by)
    assert recorded.num_frames == len(pictures) == 33
    film = film_of(recorded)
    assert film.steering is not None
    assert film.steering.notes == (), "the walk never left the stage"
    for index, picture in enumerate(pictures):
        assert np.array_equal(to_rgb(film.frame(index).planes), picture), index
    assert not np.array_equal(pictures[0], pictures[-1])


def test_the_camera_moves_as_the_keys_say() -> None:
    request = _request("a rock in a desert")
    feed, _, led_by, _ = _walked(request, {0: "w", 5: "jw"}, 11)
    assert led_by == ["", *["w"] * 4, *["jw"] * 6]
    recorded = _replayed(request, feed, led_by)
    assert recorded.camera is not None
    assert recorded.camera.said == "w-4,jw-6"
    wanted = path_from_keys("w-4,jw-6").value.c2w
    assert np.array_equal(recorded.camera.camera_path().c2w, wanted)
    film = film_of(recorded)
    assert film.steering is not None
    for shot, pose in zip(film.steering.shots(), wanted, strict=True):
        assert np.allclose(shot.c2w, pose)


def test_figures_act_on_while_the_camera_stands_still_and_pace_themselves_by_the_whole_world() -> (
    None
):
    request = _request("a dog running in a meadow")
    feed, pictures, led_by, _ = _walked(request, {0: ""}, 9)
    low = slice(50, None)
    assert np.abs(pictures[0][low].astype(int) - pictures[8][low].astype(int)).mean() > 0.2
    recorded = _replayed(request, feed, led_by)
    assert recorded.options["planned"] == PLANNED
    alone = film_of(recorded.model_copy(update={"options": {}}))
    assert not np.array_equal(to_rgb(alone.frame(8).planes), pictures[8])


def test_the_camera_stops_at_the_end_of_the_stage_says_so_and_obeys_at_once_again() -> None:
    request = _request("a rock in a desert")
    feed, _, led_by, notes = _walked(request, {0: "s", 40: "ls", 44: "w"}, 48)
    assert led_by[1:21] == ["s"] * 20, "one distance to the subject back"
    assert led_by[21:40] == [""] * 19
    assert all("stage ends here" in note for note in notes[21:40])
    assert led_by[40:44] == ["l"] * 4, "what has an effect still has it"
    assert led_by[44:] == ["w"] * 4, "it goes back at once"
    assert notes[-1] == ""
    assert "none-19" in feed.replay(led_by)["camera"]


def test_time_is_what_was_drawn_however_slowly_it_is_taken() -> None:
    request = _request("a rock in a desert")
    feed = AnimaticEngine(Settings()).live(request, 5)
    feed.hold("d")
    led_by = []
    for frame in feed.frames():
        time.sleep(0.2)  # three frames' time
        led_by.append(frame.led_by)
    assert led_by == ["", "d", "d", "d", "d"]


def test_a_world_that_is_closed_ends_its_frames() -> None:
    feed = AnimaticEngine(Settings()).live(_request("a rock in a desert"), PLANNED)
    frames = feed.frames()
    next(frames)
    feed.close()
    assert list(frames) == []


def test_it_runs_at_the_rate_of_its_keys_and_a_plan_is_checked() -> None:
    with pytest.raises(InvalidRequest, match="16 frames a second"):
        AnimaticEngine(Settings()).live(_request("a rock", fps=24), PLANNED)
    for planned in (8, 5_000, "long", True):
        with pytest.raises(InvalidRequest, match="planned must be"):
            _request("a rock", num_frames=9, options={"planned": planned})
