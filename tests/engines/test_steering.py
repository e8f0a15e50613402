"""The storyboard follows any camera path: true perspective over its layers, and it says where not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.engines.filming import render
from workbench.control import CameraControl, CameraPath, Intrinsics, path_from_words
from workbench.control.rotation import exp_quaternion, matrix_of
from workbench.engines.animatic.camera import Camera, View
from workbench.engines.animatic.film import Film
from workbench.engines.animatic.planes import Picture
from workbench.engines.animatic.reading import read_scene
from workbench.engines.animatic.steering import Steering
from workbench.engines.completion import Completion
from workbench.measures.scorecards import score_video
from workbench.rendering import RenderRequest
from workbench.scene import Scene
from workbench.settings import Settings

_SIZE = (256, 144)
_SCENE = Scene(subject="a rock", setting="a desert", time_of_day="midday")


def _path(words: str, num_frames: int = 25) -> CameraPath:
    width, height = _SIZE
    camera = CameraControl.of(words)
    return camera.resolved(width=width, height=height, num_frames=num_frames, fps=24).camera_path()


def _film(words: str, num_frames: int = 25) -> Film:
    return Film(read_scene(_SCENE, 5), *_SIZE, num_frames, 24, steered=_path(words, num_frames))


def test_every_layer_appears_where_a_pinhole_camera_sees_it() -> None:
    """Points of planes at any depth, projected by hand, fall where the layers are laid."""
    width, height = _SIZE
    chance = np.random.default_rng(4)
    poses = np.tile(np.eye(4), (6, 1, 1))
    poses[1:, :3, :3] = matrix_of(exp_quaternion(chance.normal(0, 0.15, (5, 3))))
    poses[1:, :3, 3] = chance.uniform(-0.2, 0.2, (5, 3))
    lens = Intrinsics(width=width, height=height, fx=210, fy=210, cx=120.0, cy=75.0)
    path = CameraPath.of_poses(poses, fps=24, intrinsics=lens)
    start = Camera(y=-0.1, k=1 - 210 / height / 1.1, f=210 / height, tilt=0.03)
    steering = Steering(path, start, width, height, 6, 24)
    assert not steering.notes
    view = View(width / height)
    for shot, pose in zip(steering.shots(), poses, strict=True):
        assert np.allclose(shot.c2w, pose)
        for p in (0.2, 0.7, 1.0, 1.2):
            x, y = chance.uniform(-0.4, 0.4, 2)
            world = np.array([x / p, y / p, 1 / p]) - (start.x, start.y, start.k)
            ray = shot.lens @ pose[:3, :3].T @ (world / steering.unit - pose[:3, 3])
            wanted = ray[:2] / ray[2]
            laid = np.array(view.project(shot.camera, p, x, y)) * height - 0.5
            found = laid
            if shot.warp is not None:
                back = np.linalg.inv(shot.warp) @ (*laid, 1.0)
                found = back[:2] / back[2]
            assert found == pytest.approx(wanted, abs=1e-6)


def test_two_paths_begin_with_the_same_picture_and_part() -> None:
    left, right = _film("orbit left 20 degrees"), _film("orbit right 20 degrees")
    assert np.array_equal(left.frame(0).planes, right.frame(0).planes)
    assert not np.array_equal(left.frame(24).planes, right.frame(24).planes)
    assert np.array_equal(left.frame(24).planes, _film("orbit left 20 degrees").frame(24).planes)


def test_only_the_air_moves_before_a_camera_that_stands_still() -> None:
    film = _film("static")
    first, last = (film.frame(at).y[75:].astype(int) for at in (0, 24))
    assert np.abs(first - last).mean() < 1


def test_pushing_in_makes_the_subject_larger_and_lets_the_sky_stay() -> None:
    film = _film("push in 0.5 units")
    first, last = (film.frame(at).y.astype(float) for at in (0, 24))
    assert film.path[24].scale(1.0) == pytest.approx(2 * film.path[0].scale(1.0))
    assert np.abs(first[:10] - last[:10]).mean() < 8, "the sky is at infinity"


def test_a_layer_that_the_camera_has_passed_is_gone() -> None:
    film = _film("dolly in 1.5 units")
    rock = film.players[0]
    assert film.path[0].sees(rock.p)
    assert not film.path[24].sees(rock.p)
    assert isinstance(film.frame(24), Picture)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("w-80", "From 2.6 s the path goes up to 2 units further forward than the storyboard's"),
        ("d-60,a-40", "s the path goes up to 1 unit further right than the storyboard's stage"),
        ("dolly out 9 units", "the path goes up to 8 units further back than"),
        ("crane down 3 units", "further down than the storyboard's stage: the camera is held"),
        ("pan left 150 degrees", "° further than the storyboard shows: its stage is seen from"),
    ],
)
def test_what_the_stage_cannot_follow_is_said_at_submission_with_its_second(
    words: str, told: str, tmp_path: Path
) -> None:
    asked = RenderRequest(
        prompt="a rock", scene=_SCENE, seed=5, engine="animatic", width=_SIZE[0], height=_SIZE[1],
        num_frames=101 if "-" in words else 9, fps=16, camera=CameraControl.of(words),
    )  # fmt: skip
    request = Completion(Settings()).complete(asked).request
    assert request.camera is not None
    assert told in " ".join(request.camera.notes)
    values = request.model_dump(include={"width", "height", "num_frames", "fps"})
    made, _ = render(tmp_path, _SCENE, camera=request.camera, **values)
    film = made.request or request
    assert film.camera is not None
    assert film.camera.notes == request.camera.notes, "as it was said before, and once"
    assert (tmp_path / "video.mp4").stat().st_size > 1_000


def test_a_path_on_the_stage_is_followed_exactly_and_nothing_is_said() -> None:
    path = _path("w-8,jw-8,il-9")
    steering = _film("w-8,jw-8,il-9").steering
    assert steering is not None
    assert steering.notes == ()
    for shot, pose in zip(steering.shots(), path.relative().poses(25, 24), strict=True):
        assert np.allclose(shot.c2w, pose, atol=1e-9)


@pytest.mark.parametrize(
    "place", ["a library", "a kitchen", "an office", "a living room", "a bathroom"]
)
def test_a_camera_that_walks_into_a_room_stops_before_its_far_wall(place: str) -> None:
    scene = Scene(subject="a robot", setting=place)
    script = read_scene(scene, 5)
    film = Film(script, *_SIZE, 71, 24, steered=_path("w-40,d-30", 71))
    steering = film.steering
    assert steering is not None
    assert steering.notes[0].endswith(
        "further forward than the storyboard's stage: the camera is held at its border."
    )
    for wall in (0.34, 0.45, 0.46):
        near = 1 / wall - film.path[0].k, 1 / wall - film.path[70].k
        assert 0.3 < near[1] / near[0] < 0.7, "nearer than at the start, but well before it"
    assert film.path[70].x > film.path[39].x + 0.5, "it still walks aside"
    assert film.frame(70).y.std() > 8, "there is something to see"

    pose = np.eye(4)
    pose[2, 3] = steering.shots()[70].c2w[2, 3]
    assert steering.shot(pose) is not None, "a live walk goes as far"
    pose[2, 3] += 0.05
    assert steering.shot(pose) is None, "and no further"


def test_outdoors_the_camera_walks_to_the_border_of_the_stage() -> None:
    steering = _film("w-40,d-30", 71).steering
    assert steering is not None
    assert max(shot.c2w[2, 3] for shot in steering.shots()) == pytest.approx(2.0)


@pytest.mark.parametrize("words", ["orbit right 25 degrees while craning up 0.2 units", "w-8,il-9"])
@pytest.mark.parametrize(
    "place", ["a city street", "a kitchen", "a corridor", "the ocean", "space"]
)
def test_every_place_is_painted_to_the_edges_of_what_a_path_sees(place: str, words: str) -> None:
    scene = Scene(setting=place, time_of_day="midday")
    film = Film(read_scene(scene, 5), *_SIZE, 25, 24, steered=_path(words))
    bare = 0
    for index in (0, 12, 24):
        shot = film._shots[index]
        picture = Picture(*shot.size)
        picture.y.fill(1)
        film._lay_all(picture, film._behind, film.path[index], 0.0)
        bare += int((picture.y == 1).sum())
    assert bare == 0


def test_a_path_of_another_size_has_the_same_view() -> None:
    wide = path_from_words("static", seconds=1, intrinsics=Intrinsics.of_view(1280, 720)).value
    film = Film(read_scene(_SCENE, 5), *_SIZE, 2, 24, steered=wide)
    assert film.path[0].f == pytest.approx(1280 / 2 / np.tan(np.radians(30)) / 720)


def test_a_video_is_scored_against_the_path_of_its_request(tmp_path: Path) -> None:
    scene = Scene(subject="a chair", setting="a kitchen", time_of_day="midday")
    size: dict[str, Any] = {"width": 416, "height": 240, "num_frames": 17, "fps": 24}
    camera = CameraControl.of("pan left").resolved(**size)
    render(tmp_path, scene, camera=camera, **size)
    scores = score_video(tmp_path / "video.mp4", camera=camera.camera_path()).scores
    assert scores.path_rotation is not None
    assert scores.path_rotation < 2
    other = CameraControl.of("pan right").resolved(**size).camera_path()
    wrong = score_video(tmp_path / "video.mp4", camera=other).scores
    assert wrong.path_rotation is not None
    assert wrong.path_rotation > 20
    assert score_video(tmp_path / "video.mp4").scores.path_rotation is None
