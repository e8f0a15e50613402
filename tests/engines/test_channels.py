"""The channels beside a storyboard agree with its pixels, and with one another."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from benchmarks.worlds import camera_errors, film_clip, flow_psnr, geometry_errors
from tests.engines.filming import render
from tests.videos import decode
from workbench.control import CameraControl, read_path
from workbench.engines.animatic.engine import AnimaticEngine
from workbench.engines.animatic.film import Film
from workbench.engines.animatic.reading import read_scene
from workbench.engines.channels import (
    channel_facts,
    decode_depth,
    decode_flow,
    encode_depth,
    encode_flow,
    kind_of,
    read_channel,
)
from workbench.engines.completion import Completion
from workbench.engines.computed_control import computed_controls
from workbench.engines.control_frames import control_frames
from workbench.errors import DamagedFile, InvalidRequest
from workbench.rendering import RenderRequest
from workbench.scene import Scene
from workbench.settings import Settings

_ALL = AnimaticEngine.channels
_SIZE: dict[str, Any] = {"width": 256, "height": 144, "num_frames": 13, "fps": 24}
_DOG = Scene(subject="a dog", action="running", setting="a beach", time_of_day="midday")


def _camera(words: str) -> CameraControl:
    return CameraControl.of(words).resolved(width=256, height=144, num_frames=13, fps=24)


@pytest.mark.parametrize(
    ("subject", "place", "words"),
    [
        ("a rock", "a meadow", "orbit left 15 degrees"),
        ("a chair", "a kitchen", "push in 0.2 units"),
        ("a tent", "mountains", "w-6,jw-6,il-7"),
    ],
)
def test_flow_depth_and_camera_agree_with_the_pixels(subject: str, place: str, words: str) -> None:
    filmed = film_clip(subject, place, words, size=(416, 240), frames=13)
    moved, unmoved = flow_psnr(filmed)
    error = camera_errors(filmed)
    assert np.mean(moved) > 30
    assert np.mean(moved) > np.mean(unmoved) + 1
    assert max(geometry_errors(filmed)) < 0.1
    assert error.rotation_deg < 1.0
    assert error.direction_deg is not None
    assert error.direction_deg < 12
    assert np.allclose(filmed.camera.c2w, filmed.commanded.poses(13, 24), atol=1e-9)


def test_channels_do_not_change_the_video(tmp_path: Path) -> None:
    for name, channels in (("with", _ALL), ("without", ())):
        (tmp_path / name).mkdir()
        render(tmp_path / name, _DOG, channels=channels, **_SIZE)
    one, other = (decode(tmp_path / name / "video.mp4") for name in ("with", "without"))
    assert np.array_equal(one, other)
    files = {path.name for path in (tmp_path / "with").iterdir()}
    assert files - {path.name for path in (tmp_path / "without").iterdir()} == {
        "camera.json", "depth.mkv", "segments.mkv", "boxes.json", "flow.mkv", "edges.mkv", "gray.mkv",
        "channels.json",
    }  # fmt: skip


def test_segments_boxes_and_depth_find_the_dog_in_one_place(tmp_path: Path) -> None:
    scene = Scene(subject="a dog and a tree", setting="a meadow", time_of_day="midday")
    render(tmp_path, scene, camera=_camera("push in"), channels=_ALL, **_SIZE)
    facts = channel_facts(tmp_path)
    colours = {one["name"]: one["colour"] for one in facts["segments"]}
    assert len({tuple(colour) for colour in colours.values()}) == len(colours)
    dog = next(name for name in colours if "dog" in name)
    boxes = {
        one["name"]: one["boxes"]
        for one in json.loads((tmp_path / "boxes.json").read_text())["entities"]
    }
    assert len(boxes[dog]) == 13
    segments = list(read_channel(tmp_path / "segments.mkv"))
    for segment, box in zip(segments, boxes[dog], strict=True):
        rows, columns = np.nonzero((segment == colours[dog]).all(-1))
        assert box == [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    near = facts["depth"]["near"]
    depth = [decode_depth(one, near) for one in read_channel(tmp_path / "depth.mkv")]
    there = (segments[0] == colours[dog]).all(-1)
    assert depth[0][there] == pytest.approx(1.0, rel=1e-3), "the subject is one unit away"
    assert np.isinf(depth[0][0, 0]), "the sky is infinitely far"
    last = (segments[-1] == colours[dog]).all(-1)
    assert depth[-1][last] == pytest.approx(0.6, rel=1e-3), "0.4 units nearer"


def test_the_motion_of_a_walking_figure_is_known_only_where_its_pose_stays(tmp_path: Path) -> None:
    render(tmp_path, _DOG, channels=("flow", "segments"), **_SIZE)
    colours = {one["name"]: one["colour"] for one in channel_facts(tmp_path)["segments"]}
    dog = next(colour for name, colour in colours.items() if "dog" in name)
    flows = [decode_flow(one) for one in read_channel(tmp_path / "flow.mkv")]
    segments = list(read_channel(tmp_path / "segments.mkv"))
    there = (segments[0] == dog).all(-1)
    known = np.mean([flow[1][~there].mean() for flow in flows[:-1]])
    assert known > 0.8
    assert not flows[0][1][there].any()
    assert not flows[-1][1].any(), "nothing follows the last frame"


def test_gray_is_the_luma_of_the_frames(tmp_path: Path) -> None:
    render(tmp_path, _DOG, camera=_camera("push in"), channels=("gray", "edges"), **_SIZE)
    assert kind_of(tmp_path / "gray.mkv") == "gray"
    assert kind_of(tmp_path / "edges.mkv") == "edges"
    gray = list(control_frames(tmp_path / "gray.mkv"))
    seen = computed_controls("gray", list(decode(tmp_path / "video.mp4")))
    for ours, theirs in zip(gray, seen, strict=True):
        assert cv2.PSNR(ours, theirs) > 35, "but for the video's compression"
    assert len({one.tobytes() for one in gray}) > 1, "it moves"


def test_a_channel_is_stored_as_it_was_computed() -> None:
    chance = np.random.default_rng(1)
    inverse = chance.uniform(0, 2.0, (8, 9))
    depth = decode_depth(encode_depth(inverse, 0.5), 0.5)
    assert np.allclose(1 / depth, inverse, atol=1 / 65_535 / 0.5)
    flow = chance.uniform(-300, 300, (8, 9, 2))
    known = chance.random((8, 9)) > 0.5
    moved, there = decode_flow(encode_flow(flow, known))
    assert np.abs(moved - flow).max() <= 1 / 128
    assert np.array_equal(there, known)


def test_a_channel_is_known_by_its_format_and_read_as_control(tmp_path: Path) -> None:
    render(tmp_path, _DOG, camera=_camera("push in"), channels=_ALL, **_SIZE)
    stored = list(read_channel(tmp_path / "depth.mkv"))
    renamed = tmp_path / "brought.mkv"
    (tmp_path / "depth.mkv").rename(renamed)
    assert kind_of(renamed) == "depth"
    frames = list(control_frames(renamed))
    assert len(frames) == len(stored) == 13
    assert kind_of(tmp_path / "flow.mkv") == "flow"
    assert kind_of(tmp_path / "edges.mkv") == "edges"
    assert kind_of(tmp_path / "video.mp4") == ""
    assert next(control_frames(tmp_path / "flow.mkv")).shape == (144, 256, 3)
    with pytest.raises(DamagedFile, match="is not a channel"):
        next(read_channel(tmp_path / "video.mp4"))


def test_without_a_path_the_camera_is_that_of_the_film(tmp_path: Path) -> None:
    scene = Scene(subject="a rock", setting="a desert", camera_movement="dolly in")
    render(tmp_path, scene, channels=("camera",), **_SIZE)
    path = read_path(tmp_path / "camera.json").value
    film = Film(read_scene(scene, 0), 256, 144, 13, 24)
    went = (film.path[-1].k - film.path[0].k) / (1 - film.path[0].k)
    assert path.poses(13, 24)[-1, 2, 3] == pytest.approx(went)


def test_another_engine_refuses_channels_before_anything_is_queued() -> None:
    asked = RenderRequest(prompt="a dog", engine="remote", model="m", channels=("depth",))
    with pytest.raises(InvalidRequest, match="does not know depth") as caught:
        Completion(Settings(remote_base_url="http://127.0.0.1:1/v1")).complete(asked)
    assert caught.value.problems[0].field == "channels"
