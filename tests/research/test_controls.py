"""Controls of a render that name a finished video: what of it is followed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from tests.research.conftest import SMALL
from workbench.control import (
    ActionSequence,
    CameraPath,
    ControlVideo,
    path_from_keys,
    path_to_colmap,
)
from workbench.errors import InvalidRequest
from workbench.journey.control_files import with_control_files
from workbench.rendering import Control, RenderParameters
from workbench.research.runs import start_run

_LIMIT_S = 120


@pytest.fixture(scope="module")
def storyboard(studio: wb.Studio) -> wb.Video:
    """A finished storyboard with its depth and its camera, but without segments."""
    asked: dict[str, Any] = {
        "camera": "push in",
        "channels": ["depth", "camera"],
        "engine": "animatic",
    }
    (video,) = wb.render("a dog runs", using=studio, **asked, **SMALL).wait(_LIMIT_S).videos
    return video.wait(_LIMIT_S)


def _found(studio: wb.Studio, given: Any) -> Control:
    control = studio.found_inputs(RenderParameters.of({"control": given})).control
    assert control is not None
    return control


@pytest.mark.parametrize(
    ("kind", "more", "file", "made"),
    [
        ("depth", {}, "depth.mkv", "ready"),
        ("segments", {}, "video.mp4", "estimated"),
        ("depth", {"estimator": "/models/dpt"}, "video.mp4", "estimated"),
        ("pose", {"detector": "/models/detr", "start_s": 0.5}, "video.mp4", "estimated"),
        ("edges", {}, "video.mp4", "computed"),
    ],
)
def test_a_finished_job_is_followed_by_its_channel_if_it_has_one_else_by_its_video(
    kind: Any, more: dict[str, Any], file: str, made: str, studio: wb.Studio, storyboard: wb.Video
) -> None:
    source: Any = {"type": "job", "job_id": storyboard.job_id}
    found = _found(studio, ControlVideo(kind=kind, source=source, **more))
    how = "ready" if found.ready else "estimated" if found.is_estimated else "computed"
    assert (Path(found.video).name, how) == (file, made)
    assert found.channel is found.ready
    assert {name: getattr(found, name) for name in more} == more


def test_a_channel_that_is_asked_for_is_never_replaced_by_an_estimate(
    studio: wb.Studio, storyboard: wb.Video
) -> None:
    with pytest.raises(InvalidRequest, match="has no segments"):
        _found(studio, f"segments={storyboard.job_id}")


def test_a_runs_actions_are_named_by_the_id_of_an_upload_and_looked_up(studio: wb.Studio) -> None:
    rows = ActionSequence.of([[0.5] * 10] * 4, "umi", fps=10)
    upload = studio.jobs.keep_actions(rows.model_dump_json().encode()).input_id
    for embodiment in ({}, {"embodiment": "umi"}):
        way = {"values": upload, **embodiment}
        with pytest.raises(InvalidRequest) as caught:  # without a model nothing more is wrong
            start_run({"prompts": "an arm", "engine": "diffusers", "actions": way}, using=studio)
        assert [p.field for p in caught.value.problems] == ["model"]
        asked = RenderParameters.of({"actions": way})
        actions = studio.found_inputs(asked).actions
        assert actions is not None
        assert actions.sequence() == rows


@pytest.mark.parametrize(
    ("values", "embodiment", "told"),
    [
        ("j_01h2xcejqtf2nbrexx3v", "umi", "no job"),
        ("storyboard", "umi", "has no actions"),
        ("upload", "pusht", "are those of umi"),
    ],
)
def test_a_runs_actions_that_an_id_does_not_hold_are_refused(
    values: str, embodiment: str, told: str, studio: wb.Studio, storyboard: wb.Video
) -> None:
    rows = ActionSequence.of([[0.5] * 10] * 4, "umi", fps=10).model_dump_json().encode()
    ids = {"storyboard": storyboard.job_id, "upload": studio.jobs.keep_actions(rows).input_id}
    way = {"values": ids.get(values, values), "embodiment": embodiment}
    with pytest.raises(InvalidRequest, match=told):
        start_run({"prompts": "an arm", "engine": "diffusers", "actions": way}, using=studio)


@pytest.mark.parametrize("of", [str, Path])
def test_a_folder_of_colmap_text_is_a_camera_path_as_text_too(of: Any, tmp_path: Path) -> None:
    path = path_from_keys("w-3,j-2").value
    for name, text in path_to_colmap(path).value.items():
        (tmp_path / name).write_text(text)
    read = with_control_files({"camera": of(tmp_path)})["camera"]
    assert isinstance(read, CameraPath)
    assert len(read.keyframes) == len(path.keyframes)


@pytest.mark.parametrize(
    "words", ["push in", "", ".", "a" * 5_000, "pan\0left", "~no-such-user/left"]
)
def test_words_stay_words_that_name_no_folder_of_colmap_text(
    words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert with_control_files({"camera": words}) == {"camera": words}
