"""A start image goes with the question where the model sees; where not, the question goes alone."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import openai  # noqa: F401  its import takes longer than a first question should wait
import pytest

from tests.prompts.agent.scripted import Scripted, call, say, scripted
from tests.prompts.misbehaving import Misbehaving, Reply
from workbench.errors import InvalidRequest
from workbench.settings import Settings
from workbench.studio import Studio

TEXT = "A small brown dog runs along a wet pier at dusk, low waves breaking beneath the boards."
GOOD = json.dumps({"prompt": TEXT, "scene": {"subject": "a dog", "action": "running"}})


@contextmanager
def seeing(folder: Path, base_url: str) -> Iterator[Studio]:
    settings = Settings(
        outputs=folder / "outputs",
        language_provider="openai",
        language_model="m",
        language_base_url=base_url,
        language_retries=0,
    )
    with Studio(settings) as studio:
        yield studio


@pytest.fixture
def image(tmp_path: Path) -> str:
    """A large picture that does not compress to nothing."""
    noise = np.random.default_rng(1).integers(0, 255, (2_000, 3_000, 3), dtype=np.uint8)
    path = tmp_path / "start.png"
    cv2.imwrite(str(path), noise)
    return str(path)


def pictures(body: dict[str, Any]) -> list[bytes]:
    """Return the pictures that went with a question."""
    parts = [p for m in body["messages"] if isinstance(m["content"], list) for p in m["content"]]
    urls = [p["image_url"]["url"] for p in parts if p["type"] == "image_url"]
    return [base64.b64decode(url.partition("base64,")[2]) for url in urls]


def test_a_start_image_goes_with_the_question_small_and_once(tmp_path: Path, image: str) -> None:
    with Misbehaving.running() as endpoint, seeing(tmp_path, endpoint.base_url) as studio:
        endpoint.answers(Reply(GOOD))
        session_id, entry = studio.run(studio.enhance("dog running", image=image))
        assert entry.prompt == TEXT
        (sent,) = pictures(endpoint.requests[0])
        shown = cv2.imdecode(np.frombuffer(sent, np.uint8), cv2.IMREAD_COLOR)
        assert shown is not None
        assert shown.shape == (512, 768, 3)
        assert len(sent) < 512 << 10
        said = studio.sessions.transcript(session_id, entry.index)
        assert "base64" not in json.dumps(studio.sessions.export(session_id))
        assert "dog running" in said[0].request


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, "This model does not support image input"),
        (500, "mmproj is missing: image input is not supported"),
        (422, "messages.1.content: str type expected"),
        (413, "too large"),
        (400, "no"),
    ],
)
def test_an_endpoint_that_cannot_see_is_asked_without_the_picture_and_not_shown_one_again(
    status: int, message: str, tmp_path: Path, image: str
) -> None:
    def behave(asked: dict[str, Any]) -> Reply:
        if pictures(asked):
            return Reply(status=status, body=json.dumps({"error": {"message": message}}).encode())
        return Reply(GOOD)

    with Misbehaving.running() as endpoint, seeing(tmp_path, endpoint.base_url) as studio:
        endpoint.behaviour = behave
        for _ in range(2):
            _, entry = studio.run(studio.enhance("dog running", image=image))
            assert (entry.prompt, entry.is_fallback) == (TEXT, False)
        assert not pictures(endpoint.requests[-1])
        assert sum(not pictures(one) for one in endpoint.requests) == 2
        assert endpoint.requests[-1]["response_format"]["type"] == "json_schema"


@pytest.mark.parametrize("sees", [True, False])
def test_the_agent_sees_the_picture_or_works_without_it(
    sees: bool, tmp_path: Path, image: str
) -> None:
    night = ("edit_field", {"field": "time_of_day", "value": "night"})
    with scripted([call(night), say("Night.")]) as script, _blind(script, sees=sees):
        with seeing(tmp_path, script.base_url) as studio:
            session_id, _ = studio.sessions.restore("a dog running on a beach", _scene())
            asked = studio.update(session_id, "could it be rather late in there", image=image)
            revision, _ = studio.run(asked)
        assert revision.scene.time_of_day == "night"
        assert all(len(pictures(body)) == int(sees) for body in script.asked)
        assert all("tools" in body for body in script.asked)


def _scene() -> Any:
    from workbench.prompts.writer import scene_of

    return scene_of("a dog running on a beach")


@contextmanager
def _blind(script: Scripted, *, sees: bool) -> Iterator[None]:
    answer: Callable[[dict[str, Any]], tuple[int, dict[str, Any]]] = script.reply_to

    def reply_to(body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if pictures(body) and not sees:
            return 400, {"error": {"message": "image_url is not supported"}}
        return answer(body)

    script.reply_to = reply_to  # type: ignore[method-assign]
    yield


def test_the_sessions_own_start_image_goes_with_every_question(tmp_path: Path, image: str) -> None:
    night = ("edit_field", {"field": "time_of_day", "value": "night"})
    with (
        scripted([call(night), say("Night.")]) as script,
        seeing(tmp_path, script.base_url) as studio,
    ):
        session_id, _ = studio.sessions.restore("a dog running on a beach", _scene())
        kept = studio.jobs.keep_input(Path(image).read_bytes())
        studio.sessions.set_render(session_id, {"image": kept.input_id})
        studio.run(studio.update(session_id, "could it be rather late in there"))
        assert [len(pictures(body)) for body in script.asked] == [1, 1]


def test_an_image_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    with Misbehaving.running() as endpoint, seeing(tmp_path, endpoint.base_url) as studio:
        with pytest.raises(InvalidRequest) as caught:
            studio.run(studio.enhance("dog running", image=str(tmp_path / "gone.png")))
        assert [problem.field for problem in caught.value.problems] == ["image"]
