"""Channels and computed kinds as a model is shown them: depth, boxes, optical flow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.engines.filming import render
from workbench.control import CameraControl
from workbench.engines.channels import decode_flow, read_channel
from workbench.engines.computed_control import computed_controls
from workbench.engines.control_frames import control_facts, control_frames
from workbench.engines.optical_flow import dis_flow, flow_colours
from workbench.errors import DamagedFile
from workbench.scene import Scene

_SIZE: dict[str, Any] = {"width": 256, "height": 144, "num_frames": 5, "fps": 24}


@pytest.fixture
def storyboard(tmp_path: Path) -> Path:
    """A folder with the boxes and the flow of a storyboard along a path."""
    scene = Scene(subject="a red car", setting="a coast road")
    camera = CameraControl.of("truck left").resolved(**_SIZE)
    render(tmp_path, scene, camera=camera, channels=("boxes", "flow", "depth"), **_SIZE)
    return tmp_path


@pytest.mark.parametrize(
    ("motion", "colour"),
    [
        ((2, 0), (255, 0, 0)),
        ((0, 2), (255, 229, 0)),
        ((-2, 0), (0, 209, 255)),
        ((0, -2), (98, 0, 255)),
    ],
)
def test_a_motion_has_the_colour_of_the_wheel_and_none_is_white(
    motion: tuple[int, int], colour: tuple[int, int, int]
) -> None:
    flow = np.zeros((4, 6, 2), np.float32)
    flow[0] = motion
    flow[1] = np.array(motion) / 2
    shown = flow_colours(flow)
    assert np.abs(shown[0].astype(int) - colour).max() <= 10
    half = (np.array(shown[0], int) + 255) / 2
    assert np.abs(shown[1] - half).max() <= 1, "half as long is half as saturated"
    assert (shown[2:] == 255).all()
    assert (flow_colours(np.zeros((4, 6, 2))) == 255).all()


def test_the_flow_of_a_moved_picture_is_its_motion() -> None:
    chance = np.random.default_rng(0)
    wide = cv2.GaussianBlur(chance.integers(0, 255, (96, 160, 3), np.uint8), (0, 0), 3)
    before, after = wide[:, 8:136], wide[:, 5:133]
    flow = dis_flow(before, after)
    assert np.median(flow[16:-16, 16:-16, 0]) == pytest.approx(3, abs=0.1)
    assert np.median(flow[16:-16, 16:-16, 1]) == pytest.approx(0, abs=0.1)
    shown = computed_controls("flow", [before, after, after])
    assert len(shown) == 3
    assert np.array_equal(shown[0], shown[1]), "the first frame shows the motion to the second"
    assert np.array_equal(shown[1], flow_colours(flow))
    assert (shown[2] == 255).all(), "nothing moves"
    part = computed_controls("flow", [after, after], before=before)
    assert np.array_equal(part, shown[1:]), "a part is what the whole has there"
    assert (computed_controls("flow", [before])[0] == 255).all()


def test_a_frame_of_flow_shows_the_motion_that_leads_to_it(storyboard: Path) -> None:
    stored = [decode_flow(one) for one in read_channel(storyboard / "flow.mkv")]
    shown = list(control_frames(storyboard / "flow.mkv"))
    assert len(shown) == len(stored) == 5
    assert np.array_equal(shown[0], shown[1])
    for frame, (flow, known) in zip(shown[1:], stored[:-1], strict=True):
        assert np.array_equal(frame, flow_colours(np.where(known[..., None], flow, 0)))
        assert (frame[~known] == 255).all()
    assert (shown[1] != 255).any(), "the storyboard moves"


def test_boxes_are_outlined_in_black_at_the_size_of_the_model(storyboard: Path) -> None:
    file = storyboard / "boxes.json"
    (entity,) = json.loads(file.read_text())["entities"]
    for frame, box in zip(control_frames(file), entity["boxes"], strict=True):
        expected = np.full((144, 256, 3), 255, np.uint8)
        cv2.rectangle(expected, box[:2], box[2:], (0, 0, 0), 2)
        assert np.array_equal(frame, expected)
    left, top, right, low = entity["boxes"][0]
    square = next(control_frames(file, (144, 144)))
    rows, columns = np.nonzero((square == 0).all(-1))
    seen = [columns.min(), rows.min(), columns.max(), rows.max()]
    expected_box = np.clip([left - 56, top, right - 56, low], 0, 143)
    assert np.abs(seen - expected_box).max() <= 2, "cropped as pictures are"
    twice = next(control_frames(file, (512, 288)))
    assert twice.shape == (288, 512, 3)
    assert (twice[2 * top + 8, 2 * left - 1 : 2 * left + 1] == 0).all()


def test_boxes_of_an_older_storyboard_have_their_size_in_its_facts(storyboard: Path) -> None:
    file = storyboard / "boxes.json"
    before = list(control_frames(file))
    document = json.loads(file.read_text())
    file.write_text(json.dumps({name: document[name] for name in ("fps", "entities")}))
    assert np.array_equal(list(control_frames(file)), before)
    facts = control_facts(file)
    assert (facts.num_frames, facts.fps, facts.is_channel) == (5, 24, True)


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        '{"size": [4, 4], "num_frames": 2, "fps": 24, "entities": [{"boxes": [null]}]}',
        '{"size": [4, 0], "num_frames": 1, "fps": 24, "entities": []}',
        '{"size": [4, 4], "num_frames": 1, "fps": 24, "entities": [{"boxes": [[1, 2]]}]}',
    ],
)
def test_damaged_boxes_are_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "boxes.json").write_text(content)
    with pytest.raises(DamagedFile, match=r"boxes\.json is missing or damaged"):
        control_facts(tmp_path / "boxes.json")


def test_depth_is_bright_where_it_is_near(storyboard: Path) -> None:
    stored = next(read_channel(storyboard / "depth.mkv"))
    shown = next(control_frames(storyboard / "depth.mkv"))
    assert np.array_equal(shown, np.repeat((stored >> 8).astype(np.uint8)[..., None], 3, axis=2))
    assert not control_facts(storyboard / "video.mp4").is_channel
