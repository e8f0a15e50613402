"""A fork of a storyboard is its parent, bit for bit, up to the frame at which it leaves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench.engines.animatic.studio import film_of
from workbench.errors import InvalidRequest
from workbench.forks import fork_of, why_no_fork
from workbench.jobs.client.contact import Contact
from workbench.jobs.model import Job
from workbench.presentation import job_object
from workbench.rendering import RenderParameters
from workbench.settings import Settings
from workbench.studio import Studio

_SMALL = {"width": 256, "height": 144, "num_frames": 33, "seed": 5}


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    monkeypatch.setattr(Contact, "_launch", lambda _, **__: None)  # jobs stay queued
    with Studio(Settings(outputs=tmp_path / "outputs")) as made:
        yield made


def _video(studio: Studio, prompt: str = "a red car on a coast road", **asked: Any) -> Job:
    return studio.run(studio.render(prompt, parameters=RenderParameters.of({**_SMALL, **asked})))


def _forked(studio: Studio, job: Job, at_s: float, actions: str) -> Job:
    parameters = RenderParameters.of(fork_of(job, at_s, actions))
    return studio.run(studio.render(job.request.prompt, parameters=parameters))


@pytest.mark.parametrize("camera", ["orbit left 25 degrees", "static", "w-20,jw-10", "zoom in"])
def test_a_fork_shares_its_parents_frames_and_then_parts(studio: Studio, camera: str) -> None:
    parent = _video(studio, camera=camera)
    fork = _forked(studio, parent, 0.5, "a-40")
    films = film_of(parent.request), film_of(fork.request)
    for index in (0, 6, 12):
        one, other = (film.frame(index).planes for film in films)
        assert np.array_equal(one, other), index
    one, other = (film.frame(28).planes.astype(int) for film in films)
    assert np.abs(one - other).mean() > 1
    assert fork.request.num_frames == parent.request.num_frames


def test_a_fork_of_a_fork_shares_what_both_share(studio: Studio) -> None:
    parent = _video(studio, camera="push in")
    first = _forked(studio, parent, 0.4, "pan left")
    second = _forked(studio, first, 0.8, "d-20")
    poses = [
        job.request.camera.camera_path().poses(33, 24)
        for job in (parent, first, second)
        if job.request.camera
    ]
    assert np.allclose(poses[1][:11], poses[0][:11])
    assert np.allclose(poses[2][:20], poses[1][:20])
    assert not np.allclose(poses[2][-1], poses[1][-1])
    told = job_object(second).fork
    assert told is not None
    assert told.of == first.job_id
    assert told.at_s == pytest.approx(0.792)
    assert job_object(parent).fork is None
    assert second.request.camera is not None
    assert second.request.camera.label == "push in; from 0.42 s: pan left; from 0.79 s: d-20"
    damaged = second.request.model_copy(update={"options": {"fork": 3, "rollout": {"start": "x"}}})
    shown = job_object(replace(second, request=damaged))  # a listing with it is still answered
    assert (shown.fork, shown.segment) == (None, None)


@pytest.mark.parametrize(
    ("asked", "at_s", "actions", "told"),
    [
        ({}, 0.5, "a-40", "has no camera path"),
        ({"camera": "push in"}, 5.0, "a-40", "within the video"),
        ({"camera": "push in"}, 0.5, "x-40", "unknown keys"),
        ({"camera": "push in"}, 0.5, "a nice day", "no movement"),
    ],
)
def test_what_cannot_be_forked_says_why(
    studio: Studio, asked: dict[str, Any], at_s: float, actions: str, told: str
) -> None:
    with pytest.raises(InvalidRequest, match=told):
        fork_of(_video(studio, **asked), at_s, actions)


def test_a_models_video_is_rolled_out_instead(studio: Studio) -> None:
    request = _video(studio, camera="push in").request
    model = request.model_copy(update={"engine": "diffusers"})
    assert "rolled out" in why_no_fork(model)
    segment = request.model_copy(update={"options": {"rollout": {"start": 0, "planned": 99}}})
    assert "fork the world" in why_no_fork(segment)


def test_a_fork_that_names_no_frame_is_refused(studio: Studio) -> None:
    with pytest.raises(InvalidRequest) as caught:
        _video(studio, camera="push in", options={"fork": {"of": "j_1"}})
    assert [problem.field for problem in caught.value.problems] == ["options.fork.frame"]
