"""Studio brings prompts and renders together; no process is started here."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from workbench.errors import InvalidRequest, NotFound
from workbench.jobs.client.contact import Contact
from workbench.settings import Settings
from workbench.studio import RenderParameters, Studio


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    monkeypatch.setattr(Contact, "_launch", lambda _, **__: None)  # jobs stay queued
    with Studio(Settings(outputs=tmp_path / "outputs")) as made:
        yield made


def test_a_prompt_without_a_session_gets_a_scene_before_it_is_queued(studio: Studio) -> None:
    job = asyncio.run(studio.render("two dogs running on a beach at night"))
    assert job.request.scene.subject == "two dogs"
    assert job.request.scene.time_of_day == "night"


def test_a_prompt_of_a_session_keeps_its_scene_and_entry(studio: Studio) -> None:
    session_id, entry = asyncio.run(studio.enhance("a cat", seed=3))
    job = asyncio.run(studio.render(entry.prompt, session_id=session_id))
    assert job.request.scene == entry.scene
    assert job.entry_index == entry.index
    history = studio.sessions.history(session_id)
    assert history[entry.index].job_ids == (job.job_id,)


def test_a_prompt_new_to_the_session_is_added_to_its_history(studio: Studio) -> None:
    session_id, _ = asyncio.run(studio.enhance("a cat"))
    before = len(studio.sessions.history(session_id))
    job = asyncio.run(studio.render("a cat, but in a boat", session_id=session_id))
    history = studio.sessions.history(session_id)
    assert len(history) == before + 1
    assert history[-1].prompt == "a cat, but in a boat"
    assert history[-1].job_ids == (job.job_id,)


def test_a_batch_has_one_seed_unless_one_is_given(studio: Studio) -> None:
    batch = asyncio.run(studio.render_batch(["a cat", "a dog", "a cow"]))
    assert len({job.request.seed for job in batch.jobs}) == 1
    other = asyncio.run(studio.render_batch(["a cat"], parameters=RenderParameters(seed=5)))
    assert other.jobs[0].request.seed == 5


def test_a_marker_never_reaches_the_engine(studio: Studio) -> None:
    job = asyncio.run(studio.render("a cat on a roof (fallback variation 3)"))
    assert job.request.text_for_model == "a cat on a roof"


def test_the_engine_gets_the_familys_prompt_form_while_the_prompt_stays(studio: Studio) -> None:
    parameters = RenderParameters(prompt_form="auto", model="Wan-AI/Wan2.1-T2V-1.3B")
    job = asyncio.run(studio.render("a cat on a roof at night, film noir", parameters=parameters))
    assert job.request.prompt == "a cat on a roof at night, film noir"
    assert job.request.text_for_model != job.request.prompt
    assert "cat on a roof" in job.request.text_for_model


def test_a_caption_states_the_rendered_size_and_the_prompt_stays_readable(
    studio: Studio,
) -> None:
    parameters = RenderParameters(
        prompt_form="cosmos", width=640, height=352, num_frames=49, fps=24
    )
    job = asyncio.run(studio.render("a cat on a roof at night", parameters=parameters))
    caption = json.loads(job.request.text_for_model)
    assert job.request.prompt == caption["temporal_caption"] == "a cat on a roof at night"
    assert caption["resolution"] == {"H": 352, "W": 640}
    assert (caption["duration"], caption["aspect_ratio"]) == ("2s", "16,9")


def test_a_batch_with_one_invalid_request_queues_nothing(studio: Studio) -> None:
    with pytest.raises(InvalidRequest):
        asyncio.run(
            studio.render_batch(
                ["a cat", "a dog"], parameters=RenderParameters(width=7_680, height=4_320)
            )
        )
    assert studio.jobs.jobs().total == 0


def test_every_field_beyond_its_limit_is_named(studio: Studio) -> None:
    parameters = RenderParameters(width=7_680, height=4_320, num_frames=10**6)
    with pytest.raises(InvalidRequest) as caught:
        asyncio.run(studio.render("a cat", parameters=parameters))
    assert {problem.field for problem in caught.value.problems} == {"width", "num_frames"}


def test_an_unknown_session_queues_nothing(studio: Studio) -> None:
    with pytest.raises(NotFound):
        asyncio.run(studio.render("a cat", session_id="s_" + "0" * 20))
    assert studio.jobs.jobs().total == 0


def test_the_synchronous_runner_calls_asynchronous_methods(studio: Studio) -> None:
    session_id, entry = studio.run(studio.enhance("a cat"))
    assert studio.sessions.session(session_id).latest == entry


def test_the_index_is_readable_only_by_its_owner(tmp_path: Path) -> None:
    settings = Settings(outputs=tmp_path / "outputs")
    before = os.umask(0)
    try:
        with Studio(settings) as made:
            made.run(made.sessions.initialize("a dog runs"))
            modes = {p.name: p.stat().st_mode & 0o777 for p in settings.index_path.parent.iterdir()}
    finally:
        os.umask(before)
    kept = {name: mode for name, mode in modes.items() if name.startswith("index.sqlite3")}
    assert set(kept.values()) == {0o600}, kept
