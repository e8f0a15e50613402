"""Controls of a render that name a finished video: what of it is followed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
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
from workbench.engines.channels import write_channel_facts
from workbench.errors import InvalidRequest
from workbench.journey.channels import Channel
from workbench.journey.control_files import with_control_files
from workbench.journey.videos import named_inputs
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


def test_a_prompts_own_camera_and_actions_are_looked_up_by_their_ids(studio: wb.Studio) -> None:
    path = path_from_keys("w-7").value
    camera = studio.jobs.keep_camera_path(path.model_dump_json().encode()).input_id
    prompts = [{"prompt": "a dog runs", "camera": camera}]
    run = start_run({"prompts": prompts, "engine": "animatic", **SMALL}, using=studio)
    (video,) = run.batch.wait(_LIMIT_S).videos
    given = video.job.request.camera
    assert given is not None
    assert given.way == "poses"
    assert np.allclose(given.camera_path().poses(5, 24), path.poses(5, 24))
    grid = wb.grid("a dog runs", camera=[camera, "push in"], using=studio, **SMALL)
    first = grid.batch.videos[0].job.request.camera
    assert first is not None
    assert first.path == given.path
    rows = [{"prompt": "an arm", "actions": camera}, {"prompt": "b", "camera": "i_" + "0" * 20}]
    with pytest.raises(InvalidRequest) as caught:
        start_run({"prompts": rows, "engine": "animatic", **SMALL}, using=studio)
    told = {p.field: p.problem for p in caught.value.problems}
    assert told["prompts[0]"] == f"actions.values: {camera} has no actions."
    assert told["prompts[1]"].startswith("camera: ")


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


def test_a_camera_channel_is_the_camera_of_another_render(
    studio: wb.Studio, storyboard: wb.Video
) -> None:
    filmed = storyboard.channel("camera")
    (video,) = wb.render("a cat", using=studio, camera=filmed, **SMALL).videos
    camera = video.job.request.camera
    assert camera is not None
    assert np.allclose(camera.camera_path().c2w, filmed.camera_path().c2w)
    assert abs(camera.camera_path().c2w[-1, 2, 3]) > 0.01, "the camera moves"
    grid = wb.grid("a cat", camera=[None, filmed], using=studio, **SMALL)
    cameras = [job.request.camera for job in grid.batch.record.jobs]
    assert [one is None for one in cameras] == [True, False]


def test_an_actions_channel_is_the_actions_of_another_render(tmp_path: Path) -> None:
    np.save(tmp_path / "actions.npy", np.full((4, 10), 0.5))
    write_channel_facts(tmp_path, {"fps": 10, "actions": {"embodiment": "umi"}})
    channel = Channel("actions", tmp_path / "actions.npy", "j_" + "0" * 20)
    given = RenderParameters.of(named_inputs({"actions": channel}))
    assert given.actions is not None
    assert given.actions.sequence() == ActionSequence.of([[0.5] * 10] * 4, "umi", fps=10)


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ("camera", "The channel depth is not camera"),
        ("actions", "The channel depth is not actions"),
        ("image", "The channel depth is not image"),
    ],
)
def test_a_channel_of_another_kind_is_refused_by_field(
    field: str, told: str, storyboard: wb.Video
) -> None:
    with pytest.raises(InvalidRequest, match=told) as caught:
        named_inputs({field: storyboard.channel("depth")})
    assert [problem.field for problem in caught.value.problems] == [field]
