"""A submission completes each request once, serialises it once, and records it as it is queued."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines.counting import ENGINES, counted
from tests.jobs.shop import request
from workbench.jobs.client.contact import Contact
from workbench.jobs.client.manager import JobManager
from workbench.jobs.paths import JobPaths
from workbench.jobs.records import read_submission
from workbench.settings import Settings

ONCE = {"complete counting": 1, "serialise counting": 1}
SKETCHED = {"complete animatic": 1, "serialise animatic": 1}


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    return tmp_path / "outputs"


@pytest.fixture
def manager(outputs: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[JobManager]:
    monkeypatch.setattr(Contact, "_launch", lambda _, **__: None)  # jobs stay queued
    made = JobManager(Settings(outputs=outputs, engines=ENGINES))
    yield made
    made.close()


@pytest.mark.parametrize("key", [None, "k-1"])
def test_a_render_and_its_placeholder_are_completed_and_serialised_once(
    manager: JobManager, outputs: Path, key: str | None
) -> None:
    manager.submit(
        request("a dog", engine="counting"),
        preview=request("a dog", engine="animatic"),
        idempotency_key=key,
    )
    assert counted(outputs, "a dog") == ONCE | SKETCHED


def test_each_render_of_a_batch_is_completed_and_serialised_once(
    manager: JobManager, outputs: Path
) -> None:
    prompts = ("a dog", "a cat")
    manager.submit_batch([request(prompt, engine="counting") for prompt in prompts])
    assert [counted(outputs, prompt) for prompt in prompts] == [ONCE, ONCE]


def test_a_complete_request_is_queued_unchanged(manager: JobManager, outputs: Path) -> None:
    complete = manager.complete(request("a dog", engine="counting"))
    job = manager.submit(complete)
    assert counted(outputs, "a dog") == ONCE
    assert job.request.width == complete.request.width


def test_a_submission_record_holds_the_request_as_stored_in_the_index(
    manager: JobManager, outputs: Path
) -> None:
    job = manager.submit(request('a "dog"', engine="counting"))
    (kept,) = read_submission(JobPaths(outputs).job(job.job_id).asked).jobs
    assert kept.prompt == 'a "dog"'
    assert kept.job_id == job.job_id
    assert type(job.request).model_validate_json(kept.request) == job.request


def test_an_idempotency_key_returns_the_first_job_although_the_random_seed_differs(
    manager: JobManager,
) -> None:
    prompt = 'a sign that says "seed":1,'
    first = manager.submit(request(prompt, engine="counting", seed=1), idempotency_key="k-1")
    again = manager.submit(request(prompt, engine="counting", seed=2), idempotency_key="k-1")
    assert again.job_id == first.job_id


def test_an_idempotency_key_returns_the_first_job_although_its_preview_is_not_needed_any_more(
    manager: JobManager,
) -> None:
    asked = request("a dog by a pond", engine="counting")
    sketch = request("a dog by a pond", engine="animatic")
    first = manager.submit(asked, preview=sketch, idempotency_key="k-2")
    assert manager.submit(asked, idempotency_key="k-2").job_id == first.job_id
