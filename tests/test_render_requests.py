"""Studio completes each render and its placeholder once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines.counting import ENGINES, CountingEngine, counted
from workbench.control import path_from_drawing, path_from_keys
from workbench.errors import InvalidRequest
from workbench.jobs.client.contact import Contact
from workbench.jobs.model import Job
from workbench.jobs.requirements import cost_key
from workbench.jobs.store import Ledger
from workbench.jobs.store.ledger import DeviceRow
from workbench.rendering import Recipe, RenderParameters
from workbench.settings import Settings
from workbench.studio import Studio

ONCE = {
    "complete counting": 1,
    "serialise counting": 1,
    "complete animatic": 1,
    "serialise animatic": 1,
}


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    monkeypatch.setattr(Contact, "_launch", lambda _, **__: None)  # jobs stay queued
    settings = Settings(outputs=tmp_path / "outputs", engine="counting", engines=ENGINES)
    with Studio(settings) as made:
        yield made


def test_a_render_and_its_placeholder_are_completed_once_each(
    studio: Studio, tmp_path: Path
) -> None:
    job = asyncio.run(studio.render("a dog runs"))
    assert job.preview_job_id is not None
    assert counted(tmp_path / "outputs", "a dog runs") == ONCE


def test_every_render_of_a_batch_is_completed_once(studio: Studio, tmp_path: Path) -> None:
    prompts = ["a dog runs", "a cat sleeps", "a boat sails"]
    asyncio.run(studio.render_batch(prompts))
    assert [counted(tmp_path / "outputs", prompt) for prompt in prompts] == [ONCE] * 3


def test_a_sessions_aspect_ratio_also_asks_the_engine_for_a_size_that_fits(
    studio: Studio, tmp_path: Path
) -> None:
    session_id, entry = studio.run(studio.sessions.initialize("a dog runs"))
    studio.run(studio.update(session_id, "make it vertical"))
    asked = tmp_path / "asked.log"
    asked.unlink()
    job = studio.run(studio.render(entry.prompt, session_id=session_id))
    assert counted(tmp_path / "outputs", "a dog runs") == ONCE | {"complete counting": 2}
    assert job.request.width is not None
    assert job.request.height is not None
    assert job.request.width < job.request.height


@pytest.mark.parametrize(
    ("width", "height", "sketched"),
    [(832, 480, (832, 480)), (480, 832, (480, 832)), (1_664, 960, (832, 480)), (64, 640, None)],
)
def test_a_placeholder_has_the_shape_of_its_render(
    studio: Studio, width: int, height: int, sketched: tuple[int, int] | None
) -> None:
    parameters = RenderParameters(width=width, height=height)
    job = asyncio.run(studio.render("a dog runs", parameters=parameters))
    assert job.preview_job_id is not None
    sketch = studio.jobs.job(job.preview_job_id).request
    assert (sketch.width, sketch.height) == (sketched or (832, 480))


@pytest.fixture
def plain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    """A studio whose engine adds no options of its own to a request."""
    monkeypatch.setattr(Contact, "_launch", lambda _, **__: None)
    engines = {"sounding": "tests.engines.sounding:SoundingEngine"}
    settings = Settings(outputs=tmp_path / "outputs", engine="sounding", engines=engines)
    with Studio(settings) as made:
        yield made


def _finish(studio: Studio, job: Job, seconds: float) -> None:
    """Let equal renders be known to take ``seconds`` on an idle worker."""
    for one in (job.job_id, job.preview_job_id):
        if one:
            studio.jobs.cancel(one)
    with studio.jobs._index.write() as writer:
        Ledger(1).learn(writer, cost_key(job.request), "cpu", seconds)
        Ledger(1).say_devices(writer, [DeviceRow("cpu:0", "idle")])


def test_a_render_expected_within_two_seconds_gets_no_placeholder(plain: Studio) -> None:
    _finish(plain, asyncio.run(plain.render("a dog runs")), 0.7)
    quick = asyncio.run(plain.render("a dog runs"))
    assert quick.preview_job_id is None
    waiting = asyncio.run(plain.render("a dog runs"))
    assert waiting.preview_job_id is not None, "another render is before it"
    _finish(plain, waiting, 0.7)
    plain.jobs.cancel(quick.job_id)
    batch = asyncio.run(plain.render_batch(["a dog runs"] * 4))
    assert [job.preview_job_id is None for job in batch.jobs] == [True, True, False, False]


def test_a_render_expected_to_take_long_gets_a_placeholder(plain: Studio) -> None:
    _finish(plain, asyncio.run(plain.render("a dog runs")), 3.0)
    assert asyncio.run(plain.render("a dog runs")).preview_job_id is not None


def test_placeholders_can_be_switched_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Contact, "_launch", lambda _, **__: None)
    settings = Settings(
        outputs=tmp_path / "outputs", engine="counting", engines=ENGINES, placeholders=False
    )
    with Studio(settings) as studio:
        assert asyncio.run(studio.render("a dog runs")).preview_job_id is None


def test_a_camera_reaches_the_render_and_its_placeholder(studio: Studio) -> None:
    parameters = RenderParameters.of({"camera": "orbit left 20 degrees"})
    job = asyncio.run(studio.render("a dog runs", parameters=parameters))
    camera = job.request.camera
    assert camera is not None
    assert camera.way == "words", "this engine knows no poses"
    assert job.request.text_for_model == "a dog runs. The camera: orbit left 20 degrees."
    assert job.request.prompt == "a dog runs"
    assert job.preview_job_id is not None
    sketch = studio.jobs.job(job.preview_job_id).request
    assert sketch.camera is not None
    assert sketch.camera.way == "poses"
    assert sketch.text_for_model == "a dog runs"
    assert len(sketch.camera.camera_path().keyframes) == sketch.num_frames


def test_a_camera_that_cannot_be_read_is_refused_and_nothing_is_queued(studio: Studio) -> None:
    parameters = RenderParameters.of({"camera": "a nice day"})
    with pytest.raises(InvalidRequest, match="no movement is understood") as caught:
        asyncio.run(studio.render("a dog runs", parameters=parameters))
    assert [problem.field for problem in caught.value.problems] == ["camera"]
    assert studio.jobs.jobs(limit=1).total == 0


def test_a_caption_in_json_holds_the_cameras_words(studio: Studio) -> None:
    parameters = RenderParameters.of({"camera": "pan left", "prompt_form": "cosmos"})
    job = asyncio.run(studio.render("a dog runs", parameters=parameters))
    assert json.loads(job.request.model_prompt)["cinematography"]["camera_motion"] == "pan left"


def test_a_sessions_camera_holds_for_every_render_and_gives_way_to_a_renders_own(
    studio: Studio,
) -> None:
    session_id, entry = studio.run(studio.sessions.initialize("a dog runs, slow push in"))
    studio.run(studio.set_render(session_id, {"camera": "w-8,jw-8"}))
    first = studio.run(studio.render(entry.prompt, session_id=session_id)).request
    assert first.camera is not None
    assert first.camera.said == "w-8,jw-8"
    batch = studio.run(studio.render_batch([entry.prompt, "a cat"], session_id=session_id))
    assert {job.request.camera.said for job in batch.jobs if job.request.camera} == {"w-8,jw-8"}
    own = RenderParameters.of({"camera": "pan left"})
    other = studio.run(studio.render(entry.prompt, session_id=session_id, parameters=own)).request
    assert other.camera is not None
    assert other.camera.said == "pan left"


def test_a_path_takes_the_place_of_the_prompts_own_movement_in_what_the_model_reads(
    studio: Studio,
) -> None:
    session_id, entry = studio.run(studio.sessions.initialize("a dog runs, slow push in"))
    studio.run(studio.set_render(session_id, {"camera": "orbit left 20 degrees"}))
    request = studio.run(studio.render(entry.prompt, session_id=session_id)).request
    assert request.prompt == "a dog runs, slow push in"
    assert request.text_for_model == "a dog runs. The camera: orbit left 20 degrees."


def test_a_sessions_camera_is_the_same_after_a_session_is_begun_from_a_recipe(
    studio: Studio,
) -> None:
    drawn = path_from_drawing([(0, 0, 0), (0.5, 0.2, 1), (1, 0.4, 2)]).value
    session_id, entry = studio.run(studio.sessions.initialize("a dog runs"))
    studio.run(studio.set_render(session_id, {"camera": drawn}))
    job = studio.run(studio.render(entry.prompt, session_id=session_id))
    recipe = Recipe(job_id=job.job_id, created_at=job.created_at, request=job.request)
    begun, _ = studio.run(studio.restore(recipe))
    camera = studio.settings_of(begun).camera
    assert camera is not None
    assert camera.camera_path() == drawn


def test_a_sessions_loras_belong_to_its_engine_and_not_to_a_storyboard_in_it(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CountingEngine, "takes_weights", True, raising=False)
    session_id, entry = studio.run(studio.sessions.initialize("a dog runs"))
    kept = {"loras": [{"path": "ink.safetensors"}], "quantize": "fp8"}
    studio.run(studio.set_render(session_id, kept))
    own = studio.run(studio.render(entry.prompt, session_id=session_id)).request
    assert ([one.path for one in own.loras], own.quantize) == (["ink.safetensors"], "fp8")
    storyboard = RenderParameters(engine="animatic")
    asked = studio.render(entry.prompt, session_id=session_id, parameters=storyboard)
    drawn = studio.run(asked).request
    assert (drawn.loras, drawn.quantize) == ((), "none")


def test_a_sessions_camera_must_be_one_that_renders_can_take(studio: Studio) -> None:
    session_id, _ = studio.run(studio.sessions.initialize("a dog runs"))
    with pytest.raises(InvalidRequest, match="no movement is understood"):
        studio.run(studio.set_render(session_id, {"camera": "a nice day"}))
    long = path_from_keys("w-300").value
    with pytest.raises(InvalidRequest, match="upload a longer path"):
        studio.run(studio.set_render(session_id, {"camera": long}))
    assert studio.settings_of(session_id).camera is None
