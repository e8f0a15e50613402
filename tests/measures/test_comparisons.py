"""A subject against its boxes, branches against seeds, and previews that show nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.measures.faults import Frames
from tests.measures.world import FPS, LENS, SMALL, Room, film
from workbench.control.rotation import Array, exp_quaternion, matrix_of
from workbench.engines.animatic.film import Film
from workbench.engines.animatic.reading import read_scene
from workbench.engines.encoder import VideoWriter
from workbench.engines.pixels import to_rgb
from workbench.engines.posters import jpeg
from workbench.errors import InvalidRequest, Unavailable
from workbench.measures import comparisons
from workbench.measures.clips import Clip
from workbench.measures.comparisons import subject_against_storyboard, videos_part
from workbench.measures.divergence import PARTED, divergence
from workbench.measures.previews import is_blank
from workbench.measures.subjects import subject_error
from workbench.rendering import RenderRequest
from workbench.scene import Scene, terms

COUNT = 17


def _storyboard(subject: str, action: str, **more: str) -> Film:
    scene = Scene(subject=subject, action=action, setting="a street", **more)
    return Film(read_scene(scene, 3), 416, 240, COUNT, FPS)


def _frames(made: Film) -> Frames:
    return np.stack([to_rgb(picture.planes) for picture in made.frames()])


def _written(path: Path, frames: Frames) -> Path:
    with VideoWriter(path, frames.shape[2], frames.shape[1], FPS) as writer:
        writer.write(frames)
    return path


def _turned(degrees: float) -> Array:
    poses = np.tile(np.eye(4), (COUNT, 1, 1))
    turns = np.radians(np.linspace(0, degrees, COUNT))[:, None] * (0.0, 1.0, 0.0)
    poses[:, :3, :3] = matrix_of(exp_quaternion(turns))
    return poses


def test_a_figure_that_goes_as_told_is_near_its_boxes_and_another_way_is_told_by_its_length() -> (
    None
):
    made = _storyboard("a car", "driving")
    clip, boxes = Clip.of(_frames(made), FPS), made.boxes()[:, -1]
    own = subject_error(clip, boxes)
    assert own is not None
    assert own.offset < 0.02
    away = np.linspace(0, 0.3, COUNT)[:, None] * (0.0, 1.0, 0.0, 1.0)
    other = subject_error(clip, boxes + away)
    assert other is not None
    assert other.offset == pytest.approx(0.15 * 240 / 416, abs=0.02)


def test_a_box_that_holds_nothing_says_nothing() -> None:
    blank = Clip.of(np.full((COUNT, 120, 208, 3), 128, np.uint8), FPS)
    assert subject_error(blank, np.tile((0.3, 0.3, 0.6, 0.6), (COUNT, 1))) is None
    with pytest.raises(InvalidRequest, match="2 boxes for 17 frames"):
        subject_error(blank, np.zeros((2, 4)))


def test_a_storyboards_own_video_follows_its_boxes(tmp_path: Path) -> None:
    made = _storyboard("a car", "driving")
    path = _written(tmp_path / "video.mp4", _frames(made))
    scene = Scene(subject="a car", action="driving", setting="a street")
    found = subject_against_storyboard(path, RenderRequest(prompt="a car", scene=scene, seed=3))
    assert found is not None
    assert found.offset < 0.03
    assert found.seen == 1


def test_branches_that_part_are_told_from_seeds_and_since_when() -> None:
    room = Room(2)
    still, turned = film(_turned(0), room, SMALL), film(_turned(12), room, SMALL)
    noise = np.random.default_rng(0).integers(-6, 7, still.shape)
    seed = np.clip(still + noise, 0, 255).astype(np.uint8)
    apart = divergence(Clip.of(still, FPS), Clip.of(turned, FPS), [Clip.of(seed, FPS)])
    assert apart.is_steered
    assert apart.distance == pytest.approx(np.radians(12) * LENS.fx / LENS.width, rel=0.15)
    assert apart.by_chance is not None
    assert apart.by_chance < 0.02
    assert apart.since_s is not None
    assert 0 < apart.since_s < 0.5
    alike = divergence(Clip.of(still, FPS), Clip.of(seed, FPS), [Clip.of(turned, FPS)])
    assert not alike.is_steered
    assert alike.since_s is None


def test_videos_that_share_nothing_are_parted_entirely(tmp_path: Path) -> None:
    paths = [_written(tmp_path / f"{n}.mp4", film(_turned(0), Room(n), SMALL)) for n in (1, 2)]
    assert videos_part(paths[0], paths[1]).distance == PARTED
    short = _written(tmp_path / "wide.mp4", film(_turned(0)[:4], Room(1), LENS))
    with pytest.raises(InvalidRequest, match="different sizes"):
        videos_part(paths[0], short)


def test_a_comparison_that_loses_its_evidence_is_offered_no_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparisons, "is_proven", lambda _name: False)
    path = _written(tmp_path / "video.mp4", film(_turned(0)[:3], Room(1), SMALL))
    with pytest.raises(Unavailable):
        videos_part(path, path)


@pytest.mark.parametrize("weather", terms("weather"))
def test_the_darkest_and_mistiest_storyboards_are_not_blank(weather: str) -> None:
    made = _storyboard("a dog", "sleeping", weather=weather, time_of_day="night")
    picture = jpeg(to_rgb(made.frame(COUNT // 2).reduced(256).planes), quality=72)
    assert is_blank(picture) is False


def test_a_flat_picture_is_blank_and_one_that_does_not_decode_is_not_known() -> None:
    assert is_blank(jpeg(np.full((40, 64, 3), 7, np.uint8), quality=80)) is True
    assert is_blank(b"") is None
    assert is_blank(b"no picture") is None
