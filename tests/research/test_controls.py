"""Controls of a render that name a finished video: what of it is followed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from tests.research.conftest import SMALL
from workbench.control import ControlVideo
from workbench.errors import InvalidRequest
from workbench.rendering import Control, RenderParameters

_LIMIT_S = 120


@pytest.fixture(scope="module")
def storyboard(studio: wb.Studio) -> wb.Video:
    """A finished storyboard with its depth and its camera, but without segments."""
    asked = {"camera": "push in", "channels": ["depth", "camera"], "engine": "animatic"}
    (video,) = wb.render("a dog runs", using=studio, **asked, **SMALL).wait(_LIMIT_S).videos
    return video.wait(_LIMIT_S)


def _control(given: Any) -> Control:
    control = RenderParameters.of({"control": given}).control
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
    found = studio.found_control(_control(ControlVideo(kind=kind, source=source, **more)))
    how = "ready" if found.ready else "estimated" if found.is_estimated else "computed"
    assert (Path(found.video).name, how) == (file, made)
    assert found.channel is found.ready
    assert {name: getattr(found, name) for name in more} == more


def test_a_channel_that_is_asked_for_is_never_replaced_by_an_estimate(
    studio: wb.Studio, storyboard: wb.Video
) -> None:
    with pytest.raises(InvalidRequest, match="has no segments"):
        studio.found_control(_control(f"segments={storyboard.job_id}"))
