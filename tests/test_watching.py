"""A vision model that takes videos watches one; one that does not is asked by pictures ever after."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai  # noqa: F401  its import takes longer than a first question should wait
import pytest
from pydantic import SecretStr

import workbench as wb
from tests.live_server import end_supervisor
from tests.prompts.misbehaving import KEY, Misbehaving, Reply
from tests.vision_endpoint import Seeing
from workbench.journey import Video
from workbench.measures.scene_check.model import SceneCheck
from workbench.rendering import RenderParameters
from workbench.studio import Studio

LIMIT_S = 40.0


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Misbehaving]:
    with Misbehaving.running() as server:
        yield server


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("watching") / "outputs"
    yield folder
    end_supervisor(folder)


@pytest.fixture(scope="module")
def jobs(outputs: Path) -> tuple[str, str]:
    """Two videos."""
    small = RenderParameters.of({"num_frames": 9, "width": 96, "height": 64, "fps": 24})
    with Studio(wb.Settings(outputs=outputs)) as studio:
        prompts = ("Two red foxes cross a bridge at night.", "A dog runs on a beach at night.")
        made = [studio.run(studio.render(one, parameters=small)).job_id for one in prompts]
        for job_id in made:
            Video(job_id, using=studio).wait(120)
    return made[0], made[1]


@pytest.fixture
def studio(
    endpoint: Misbehaving, outputs: Path, request: pytest.FixtureRequest
) -> Iterator[Studio]:
    """A model of its own for each test: what was learned of one endpoint and model is kept."""
    settings = wb.Settings(
        outputs=outputs,
        language_provider="openai",
        language_model=request.node.name,
        language_base_url=endpoint.base_url,
        language_api_key=SecretStr(KEY),
        language_timeout_s=LIMIT_S,
        language_retries=0,
    )
    endpoint.requests.clear()
    with Studio(settings) as studio:
        yield studio


def _but_night(_number: int, question: str) -> str:
    return "no" if "night" in question else "yes"


def _has_video(asked: dict[str, Any]) -> bool:
    return any(part["type"] == "video_url" for part in asked["messages"][-1]["content"])


def _check_verdicts(check: SceneCheck) -> None:
    lost = {field for field, verdict in check.verdicts.items() if verdict != "yes"}
    assert lost == {"time_of_day"}
    assert check.problem == ""


def test_a_model_that_takes_videos_is_sent_a_small_one_beside_the_pictures(
    studio: Studio, endpoint: Misbehaving, jobs: tuple[str, str]
) -> None:
    endpoint.behaviour = Seeing(_but_night, watches=True)
    check = Video(jobs[0], using=studio).check()
    _check_verdicts(check)
    assert check.looked_at == "video"
    assert (check.prompt_tokens, check.requests) == (11, 1)
    (asked,) = endpoint.requests
    _text, picture, video = asked["messages"][-1]["content"]
    assert picture["image_url"]["url"].startswith("data:image/jpeg;base64,")
    assert video["video_url"]["url"].startswith("data:video/mp4;base64,")
    kept = Video(jobs[0], using=studio).job.checks
    assert kept is not None
    assert kept["looked_at"] == "video"


def test_a_model_that_passes_over_the_video_has_looked_at_pictures(
    studio: Studio, endpoint: Misbehaving, jobs: tuple[str, str]
) -> None:
    endpoint.behaviour = Seeing(_but_night)
    check = Video(jobs[0], using=studio).check()
    _check_verdicts(check)
    assert check.looked_at == "pictures"


def _refusal(status: int, message: str) -> Reply:
    return Reply(body=json.dumps({"error": {"message": message}}).encode(), status=status)


REFUSALS: dict[str, Reply] = {
    "vllm": _refusal(400, "At most 0 video(s) may be provided in one request."),
    "llama.cpp": _refusal(400, "unsupported content[].type"),
    "openai": _refusal(
        400, "Invalid value: 'video_url'. Supported values are: 'text', 'image_url'."
    ),
    "unprocessable": _refusal(422, "Input should be a valid string"),
    "unnamed": _refusal(400, "Bad request"),
    "too large": _refusal(413, "Payload too large"),
    "no decoder": _refusal(500, "Internal Server Error"),
    "gateway": _refusal(502, "Bad gateway"),
    "dropped": Reply("{}", drop=True),
    "hangs": Reply(hang=True),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_once_refused_no_video_is_sent_again_and_pictures_say_the_same(
    name: str, studio: Studio, endpoint: Misbehaving, jobs: tuple[str, str]
) -> None:
    endpoint.behaviour = Seeing(_but_night, of_video=REFUSALS[name])
    first, second = jobs
    kept = studio.jobs.scene_check(first)
    check = Video(first, using=studio).check()
    _check_verdicts(check)
    assert check.looked_at == "pictures"
    *with_video, last = map(_has_video, endpoint.requests)
    assert all(with_video)
    assert not last
    asked_before = kept.requests if kept is not None else 0
    assert check.requests - asked_before == len(endpoint.requests)
    assert "response_format" in endpoint.requests[-1]
    endpoint.requests.clear()
    _check_verdicts(Video(second, using=studio).check())
    assert [_has_video(asked) for asked in endpoint.requests] == [False]


def test_an_endpoint_that_refuses_the_answers_format_is_still_sent_the_video(
    studio: Studio, endpoint: Misbehaving, jobs: tuple[str, str]
) -> None:
    watching = Seeing(_but_night, watches=True)

    def without_schema(asked: dict[str, Any]) -> Reply:
        if asked.get("response_format", {}).get("type") == "json_schema":
            return _refusal(400, "Bad request")
        return watching(asked)

    endpoint.behaviour = without_schema
    assert Video(jobs[0], using=studio).check().looked_at == "video"


def test_an_endpoint_that_is_down_is_not_taken_for_one_without_videos(
    studio: Studio, endpoint: Misbehaving, jobs: tuple[str, str]
) -> None:
    endpoint.behaviour = lambda _asked: _refusal(503, "Loading model")
    assert Video(jobs[0], using=studio).check().problem
    endpoint.behaviour = Seeing(_but_night, watches=True)
    assert Video(jobs[0], using=studio).check().looked_at == "video"
