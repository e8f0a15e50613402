"""The rendition for phones, and a recipe rendered again from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.engines.filming import render
from workbench.cli import main
from workbench.engines.probe import decode_video, probe_video
from workbench.engines.recipes import read_recipe
from workbench.engines.rendition import write_rendition
from workbench.scene import Scene

SCENE = Scene(subject="a red fox", action="running", setting="a snowy field")


@pytest.fixture
def video(tmp_path: Path) -> Path:
    folder = tmp_path / "made"
    folder.mkdir()
    render(folder, SCENE, width=320, height=180, num_frames=6, seed=4)
    return folder / "video.mp4"


def test_the_phone_rendition_is_smaller_and_contains_the_recipe(video: Path) -> None:
    small = write_rendition(video, video.with_name("phone.mp4"), height=90)
    facts = probe_video(small)
    assert (facts.width, facts.height, facts.num_frames, facts.fps) == (160, 90, 6, 24)
    assert small.stat().st_size < 0.5 * video.stat().st_size
    assert read_recipe(small) == read_recipe(video)


def test_the_engine_writes_it_on_request(tmp_path: Path) -> None:
    render(tmp_path, SCENE, width=128, height=72, num_frames=3, options={"phone": True})
    assert probe_video(tmp_path / "phone.mp4").num_frames == 3


def test_show_prints_a_videos_recipe(video: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recipe", "show", str(video)]) == 0
    said = capsys.readouterr().out
    assert "a red fox" in said
    assert "320×180, 6 frames at 24 fps" in said
    assert main(["recipe", "show", "--json", str(video)]) == 0
    assert json.loads(capsys.readouterr().out)["request"]["seed"] == 4


def test_rerun_gives_the_same_frames_from_a_video_file_alone(video: Path, tmp_path: Path) -> None:
    output = tmp_path / "again" / "fox.mp4"
    assert main(["recipe", "rerun", str(video), "--output", str(output)]) == 0
    first, second = list(decode_video(video)), list(decode_video(output))
    assert len(first) == 6
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert [p.name for p in output.parent.iterdir()] == ["fox.mp4"]


def test_a_foreign_file_is_refused_with_a_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.txt").write_text("no recipe here")
    assert main(["recipe", "show", str(tmp_path / "notes.txt")]) == 1
    assert "notes.txt is damaged" in capsys.readouterr().err
