"""A finished video is checked against its scene, and no vision model can end the journey."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import openai  # noqa: F401  its import takes longer than a first question should wait
import pytest
from pydantic import SecretStr

import workbench as wb
from tests.live_server import ROOT, end_supervisor
from tests.prompts.misbehaving import KEY, Misbehaving, Reply
from tests.vision_endpoint import Seeing
from workbench.errors import NotFound
from workbench.journey import Video
from workbench.measures.scene_check.contact_sheet import sheet_number
from workbench.measures.scene_check.model import Verdict
from workbench.presentation import job_object
from workbench.rendering import RenderParameters
from workbench.studio import Studio

PROMPT = "Two red foxes cross a bridge at night in the rain."
LIMIT_S = 60.0


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Misbehaving]:
    with Misbehaving.running() as server:
        yield server


@pytest.fixture(scope="module")
def studio(endpoint: Misbehaving, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    folder = tmp_path_factory.mktemp("checks") / "outputs"
    settings = wb.Settings(
        outputs=folder,
        language_provider="openai",
        language_model="seer",
        language_base_url=endpoint.base_url,
        language_api_key=SecretStr(KEY),
        language_timeout_s=LIMIT_S,
        language_retries=0,
    )
    with Studio(settings) as studio:
        yield studio
    end_supervisor(folder)


def _render(studio: Studio, prompt: str = PROMPT) -> Video:
    small = RenderParameters.of({"num_frames": 9, "width": 96, "height": 64, "fps": 24})
    job = studio.run(studio.render(prompt, parameters=small))
    return Video(job.job_id, using=studio).wait(120)


@pytest.fixture(scope="module")
def video(studio: Studio) -> Video:
    return _render(studio)


def _yes(_number: int, _question: str) -> str:
    return "yes"


def test_a_video_that_shows_all_but_one_field_loses_that_fields_verdict_alone(
    studio: Studio, endpoint: Misbehaving
) -> None:
    endpoint.behaviour = Seeing(lambda _n, question: "no" if "night" in question else "yes")
    one = _render(studio)
    check = one.check()
    lost = {field for field, verdict in check.verdicts.items() if verdict is not Verdict.YES}
    assert lost == {"time_of_day"}
    assert check.summary.endswith("asked for; missing: night")
    assert check.request == "make sure that this shows: night"
    assert check.model == "seer"
    assert (check.prompt_tokens, check.completion_tokens, check.requests) == (11, 7, 1)
    shown = job_object(one.job).checks
    assert shown is not None
    assert shown.missing == ["night"]
    assert shown.found == shown.asked_for - 1


def test_the_same_question_of_the_same_video_is_asked_once(
    studio: Studio, endpoint: Misbehaving
) -> None:
    endpoint.behaviour = Seeing(_yes)
    one = _render(studio, "A red fox at night.")
    first = one.check()
    asked = len(endpoint.requests)
    assert one.check() == first
    assert len(endpoint.requests) == asked


CHECKER = """
import sys
import workbench as wb
from workbench.journey import Video

with wb.Studio() as studio:
    video = Video(sys.argv[1], using=studio)
    print("ready", flush=True)
    sys.stdin.readline()
    print(video.check().summary, flush=True)
"""


def test_checks_at_once_in_threads_and_processes_ask_once(
    studio: Studio, endpoint: Misbehaving
) -> None:
    one = _render(studio, "A red fox on a frozen lake.")

    def slowly(asked: dict[str, Any]) -> Reply:
        time.sleep(1)  # so that checks overlap; the outcome does not depend on it
        return Seeing(_yes)(asked)

    endpoint.behaviour = slowly
    before = len(endpoint.requests)
    environment = {
        **os.environ,
        "WORKBENCH_OUTPUTS": str(studio.settings.outputs),
        "WORKBENCH_LANGUAGE_PROVIDER": "openai",
        "WORKBENCH_LANGUAGE_MODEL": "seer",
        "WORKBENCH_LANGUAGE_BASE_URL": endpoint.base_url,
        "WORKBENCH_LANGUAGE_API_KEY": KEY,
    }
    command = [sys.executable, "-c", CHECKER, one.job_id]
    processes = [
        subprocess.Popen(
            command, cwd=ROOT, env=environment, text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for _ in range(2)
    ]  # fmt: skip
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    with ThreadPoolExecutor(4) as pool:
        found = [pool.submit(one.check) for _ in range(4)]
        told = [process.communicate("go\n", timeout=300)[0].strip() for process in processes]
        summaries = {future.result(120).summary for future in found}
    assert len(endpoint.requests) == before + 1
    assert summaries == set(told)
    assert one.job.checks == one.check().overview


def test_each_video_is_told_apart_by_the_number_on_its_sheet(
    studio: Studio, endpoint: Misbehaving
) -> None:
    good, bad = _render(studio, "A fox runs."), _render(studio, "A fox runs on snow.")
    outcome = bad.recipe.outcome
    assert outcome is not None
    number = sheet_number(outcome.sha256)
    endpoint.behaviour = Seeing(lambda n, _question: "no" if n == number else "yes")
    assert good.check().missing == ()
    assert bad.check().found == 0


def _answers(*said: Any, **more: Any) -> str:
    return json.dumps({"sheet": 1, "answers": list(said), **more})


GONE_WRONG: dict[str, Reply] = {
    "unauthorised": Reply(status=401),
    "forbidden": Reply(status=403),
    "not found": Reply(status=404),
    "too large": Reply(status=413),
    "too many requests": Reply(status=429, headers={"Retry-After": "0"}),
    "server error": Reply(status=500),
    "unavailable": Reply(status=503),
    "no pictures": Reply(
        body=b'{"error": {"message": "image input is not supported"}}', status=400
    ),
    "dropped mid-body": Reply(_answers(), drop=True),
    "html": Reply(body=b"<html>gateway</html>", headers={"Content-Type": "text/html"}),
    "empty body": Reply(body=b""),
    "not utf-8": Reply(body=b"\xff\xfe\x00"),
    "empty text": Reply(""),
    "no text": Reply(None),
    "no choices": Reply(body=b'{"id": "x", "object": "chat.completion", "choices": []}'),
    "prose": Reply("I see a lovely bridge."),
    "malformed json": Reply('{"sheet": 1, "answers": [{'),
    "missing sheet": Reply('{"answers": []}'),
    "missing answers": Reply('{"sheet": 1}'),
    "wrong types": Reply('{"sheet": "none", "answers": 7}'),
    "a list": Reply("[1, 2, 3]"),
    "a list of nonsense": Reply(_answers(1, None, "yes")),
    "refusal": Reply(None, refusal="I cannot look at that."),
    "cut off by length": Reply('{"sheet": 1, "ans', finish_reason="length"),
    "blind": Reply(_answers({"question": 1, "answer": "yes"})),
    "enormous": Reply(_answers(*({"question": n, "answer": "yes"} for n in range(20_000)))),
}


@pytest.mark.parametrize("name", GONE_WRONG)
def test_whatever_the_endpoint_does_a_check_comes_of_it(
    name: str, studio: Studio, endpoint: Misbehaving, video: Video
) -> None:
    endpoint.behaviour = lambda _asked: GONE_WRONG[name]
    check = video.check()
    assert check.answers
    assert {answer.verdict for answer in check.answers} == {Verdict.UNKNOWN}
    assert check.problem
    assert KEY not in check.model_dump_json()
    assert check.summary == f"0 of {len(check.answers)} asked for; {len(check.answers)} unknown"


def test_after_failures_a_good_answer_counts_and_their_cost_is_kept(
    studio: Studio, endpoint: Misbehaving
) -> None:
    one = _render(studio, "A red fox sleeps in the snow.")
    endpoint.behaviour = lambda _asked: Reply("I see a lovely bridge.")
    failed = one.check()
    assert failed.requests == 2  # asked once more for something usable
    endpoint.behaviour = Seeing(_yes)
    check = one.check()
    assert not check.unknown
    assert check.problem == ""
    assert check.prompt_tokens > failed.prompt_tokens > 0


def test_without_a_vision_model_nothing_is_guessed(tmp_path: Path) -> None:
    folder = tmp_path / "outputs"
    with Studio(wb.Settings(outputs=folder)) as studio:
        check = _render(studio, "A red fox in the rain.").check()
        assert {answer.source for answer in check.answers} == {""}
        assert check.unknown == len(check.answers)
        assert check.problem == "No vision language model is connected."
    end_supervisor(folder)


def test_a_local_provider_without_eyes_says_so_and_is_not_started(tmp_path: Path) -> None:
    folder = tmp_path / "outputs"
    settings = wb.Settings(
        outputs=folder, language_provider="local", language_model="/models/qwen3-8b"
    )
    with Studio(settings) as studio:
        check = _render(studio, "A red fox in the rain.").check()
        assert check.unknown == len(check.answers)
        assert check.requests == 0
        assert check.problem.startswith("The model /models/qwen3-8b cannot see pictures.")
        assert not (settings.index_path.parent / "language_model.log").exists()
    end_supervisor(folder)


def test_a_check_goes_with_its_video(studio: Studio, endpoint: Misbehaving) -> None:
    endpoint.behaviour = Seeing(_yes)
    one = _render(studio, "A red fox digs in the sand.")
    check = one.check()
    one.path.unlink()
    assert one.job.checks is None
    studio.jobs.retry(one.job_id)
    one.wait(120)
    assert one.job.checks is None
    assert one.check().found == check.found


def test_a_check_survives_a_lost_index(
    tmp_path: Path,
) -> None:
    settings = wb.Settings(outputs=tmp_path / "outputs")
    with Studio(settings) as studio:
        one = _render(studio, "A red fox in the rain.")
        one.check()
        kept = one.job.checks
    end_supervisor(settings.outputs)
    for path in settings.index_path.parent.glob("index.sqlite3*"):
        path.unlink()
    with Studio(settings) as studio:
        assert kept
        assert Video(one.job_id, using=studio).job.checks == kept
    end_supervisor(settings.outputs)


def test_an_unfinished_video_cannot_be_checked(studio: Studio) -> None:
    with pytest.raises(NotFound):
        studio.run(studio.check("job-00000000000000000000"))
