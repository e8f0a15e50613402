"""The animatic engine as the job manager meets it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.engines.filming import difference, expansion, frames, luma, recipe_for, render, shift
from workbench.engines.animatic import studio
from workbench.engines.animatic.film import Film
from workbench.engines.engine import RenderTask
from workbench.engines.probe import decode_video, probe_video
from workbench.engines.recipes import read_recipe
from workbench.engines.registry import create_engine
from workbench.errors import InvalidRequest, RenderCancelled
from workbench.rendering import Progress, RenderRequest
from workbench.scene import Scene
from workbench.settings import Settings

DOG = Scene(subject="a dog", action="running", setting="a meadow")


def test_a_request_is_completed_without_importing_the_drawing_code() -> None:
    completed = create_engine("animatic", Settings()).complete(RenderRequest(prompt="x"))
    assert (completed.width, completed.height) == (832, 480)
    assert (completed.num_frames, completed.fps) == (81, 24)


def test_odd_sizes_become_even_and_too_many_frames_are_refused() -> None:
    engine = create_engine("animatic", Settings(max_frames=10))
    assert (
        engine.complete(RenderRequest(prompt="x", width=101, height=77, num_frames=3)).width == 102
    )
    with pytest.raises(InvalidRequest) as caught:
        engine.complete(RenderRequest(prompt="x", num_frames=11, options={"nonsense": 1}))
    assert [p.field for p in caught.value.problems] == ["num_frames", "options.nonsense"]


def test_a_render_produces_a_playable_video_with_poster_and_recipe(tmp_path: Path) -> None:
    made, told = render(tmp_path, DOG, width=256, height=144, num_frames=12, seed=9)
    facts = probe_video(tmp_path / "video.mp4")
    assert (facts.width, facts.height, facts.num_frames) == (256, 144, 12)
    assert (facts.codec, facts.pixel_format) == ("h264", "yuv420p")
    assert (made.width, made.num_frames) == (256, 12)
    poster = cv2.imread(str(tmp_path / "poster.jpg"))
    assert poster is not None
    assert poster.shape == (144, 256, 3)
    assert (tmp_path / "poster.webp").stat().st_size > 200
    assert read_recipe(tmp_path / "video.mp4").request.seed == 9
    assert told[-1].fraction == 1.0
    assert told[-1].preview is not None


def test_rendering_a_recipe_again_gives_identical_frames(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        render(tmp_path / name, DOG, width=256, height=144, num_frames=8)
    first, second = (list(decode_video(tmp_path / n / "video.mp4")) for n in ("first", "second"))
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_another_seed_gives_another_picture() -> None:
    (first,), (second,) = frames(DOG, 3, seed=1), frames(DOG, 3, seed=2)
    assert difference(first, second) > 1.0


def test_a_cancelled_render_stops_and_leaves_no_video(tmp_path: Path) -> None:
    engine = create_engine("animatic", Settings())
    told: list[Progress] = []
    task = RenderTask(
        recipe_for(DOG, width=128, height=72), tmp_path, told.append, lambda: bool(told)
    )
    with pytest.raises(RenderCancelled):
        engine.render(task)
    assert list(tmp_path.iterdir()) == []


def test_night_is_darker_than_day() -> None:
    day, night = (frames(DOG.edit({"time_of_day": t}), 5)[0] for t in ("midday", "night"))
    assert luma(night) < 0.55 * luma(day)


def test_rain_falls() -> None:
    dry, wet = (frames(DOG.edit({"weather": w}), 5)[0] for w in ("clear", "rain"))
    assert difference(dry, wet) > 8


def test_a_pan_moves_the_background_sideways_and_a_zoom_does_not() -> None:
    still = Scene(setting="a meadow", pace="frozen")
    left = frames(still.edit({"camera_movement": "pan left"}), 8, 14)
    zoom = frames(still.edit({"camera_movement": "zoom in"}), 8, 14)
    assert shift(*left)[0] > 4
    assert expansion(*zoom) > 0.5
    assert expansion(*zoom) > 3 * abs(expansion(*left))


def test_a_dog_and_a_car_look_different() -> None:
    dog, car = (frames(DOG.edit({"subject": s}), 5)[0] for s in ("a dog", "a car"))
    assert difference(dog, car) > 2


def test_an_engine_warms_up_once_for_any_number_of_jobs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    studio.warm_up()
    drawn: list[int] = []
    monkeypatch.setattr(Film, "frame", lambda _, index: drawn.append(index))
    engine = create_engine("animatic", Settings())
    for _ in range(3):
        engine.load(RenderRequest(prompt="x"), "cpu", lambda _: None)
    assert drawn == []


def test_a_fractional_frame_rate_is_kept(tmp_path: Path) -> None:
    recipe = recipe_for(Scene(subject="a dog"), width=128, height=72, num_frames=6, fps=23.976)
    engine = create_engine("animatic", Settings())
    engine.load(recipe.request, "cpu", lambda _: None)
    made = engine.render(RenderTask(recipe, tmp_path, lambda _: None, lambda: False))
    assert made.fps == 23.976
    assert probe_video(tmp_path / "video.mp4").fps == pytest.approx(23.976, rel=1e-9)


@pytest.mark.parametrize(("asked", "kept"), [(24, "24"), (24.0, "24"), (23.976, "23.976")])
def test_an_integer_frame_rate_stays_an_integer(asked: float, kept: str) -> None:
    assert f'"fps":{kept},' in RenderRequest(prompt="x", fps=asked).model_dump_json()
