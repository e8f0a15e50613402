"""``workbench rollout``: worlds go on, branch and are shown from a shell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from workbench.cli import main
from workbench.engines.probe import probe_video

_SHAPE: dict[str, Any] = {"width": 96, "height": 64, "num_frames": 5, "fps": 16}


@pytest.fixture(scope="module")
def storyboard(studio: wb.Studio) -> str:
    (video,) = wb.render("a red car drives", using=studio, seed=3, **_SHAPE).videos
    return video.wait(120).job_id


@pytest.fixture(autouse=True)
def _its_studio(studio: wb.Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process has one studio, and another test of this one may have begun it."""
    monkeypatch.setattr("workbench.research.rollout_command.studio", lambda: studio)


def _told(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> str:
    capsys.readouterr()
    assert main(["rollout", *words]) == status
    found = capsys.readouterr()
    return found.out if status == 0 else found.err


def test_a_world_goes_on_branches_and_is_shown_from_a_shell(
    storyboard: str, studio: wb.Studio, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = _told(capsys, storyboard, "w-8,jw-8", "--segment", "0.5", "--planned", "6")
    world = told.split()[-1]
    assert told.count("complete") == 3
    file = tmp_path / "branch.mp4"
    told = _told(capsys, world, "a-8", "--at", "0.5", "--save", str(file), "--json")
    branch = json.loads(told.splitlines()[-1])
    assert (branch["parent"], branch["fork_s"], branch["duration_s"]) == (world, 0.5, 1.0)
    assert told.splitlines()[0] == str(file)
    assert probe_video(file).num_frames == 16
    further = _told(capsys, branch["batch_id"], "w-4", "--no-wait").split()[-1]
    assert wb.open_world(further, using=studio).fork_s == 1.0
    before = studio.jobs.jobs(limit=1).total
    shown = json.loads(_told(capsys, branch["batch_id"], "--show", "--json"))
    assert shown == branch
    studio.jobs.pause()
    try:
        waiting = _told(capsys, branch["batch_id"], "w-4", "--no-wait").split()[-1]
        before += 1
        assert (
            json.loads(_told(capsys, waiting, "--show", "--json"))["parent"] == branch["batch_id"]
        )
    finally:
        studio.jobs.resume()
    assert studio.jobs.jobs(limit=1).total == before


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "describe the storyboard's camera path"),
        (("a nice day",), "no movement is understood"),
        (("w-8", "--at", "0.1"), "forked along its camera path"),
        (("w-8", "--control", "depth=nothing.mp4"), "nothing.mp4"),
    ],
)
def test_what_cannot_be_rolled_out_is_refused_with_its_sentence(
    words: tuple[str, ...], told: str, storyboard: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = _told(capsys, storyboard, *words, status=2)
    assert told in " ".join(said.split())


def test_what_is_no_world_is_named(capsys: pytest.CaptureFixture[str], studio: wb.Studio) -> None:
    assert "neither the id of a job" in _told(capsys, "nobody", "w-8", status=2)
    missing = "b_01h2xcejqtf2nbrexx3v"
    assert missing in _told(capsys, missing, "w-8", status=2)
