"""Captions distinguish videos shown together by their differences."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.test_archive import job_at
from workbench.captions import Captions
from workbench.jobs.model import Job
from workbench.scene import Scene

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LIGHTHOUSE = Scene(subject="an old lighthouse", setting="cliff", shot_size="wide shot")


def _job(place: int, prompt: str, scene: Scene, parent: str = "", **request: Any) -> Job:
    job = job_at(place)
    asked = job.request.model_copy(update={"prompt": prompt, "scene": scene, **request})
    created = NOW + timedelta(seconds=place)
    return replace(job, request=asked, parent_prompt=parent, created_at=created)


def _captions(*jobs: Job) -> list[str]:
    captions = Captions(jobs)
    return [captions.of(job) for job in jobs]


def test_a_caption_is_the_subject_and_what_its_origin_has_not() -> None:
    night = LIGHTHOUSE.model_copy(update={"time_of_day": "night"})
    crane = night.model_copy(update={"camera_movement": "crane up"})
    assert _captions(
        _job(0, "A lighthouse.", LIGHTHOUSE),
        _job(1, "A lighthouse at night.", night, "A lighthouse."),
        _job(2, "A lighthouse at night, rising.", crane, "A lighthouse at night."),
    ) == [
        "old lighthouse · original",
        "old lighthouse · night",
        "old lighthouse · night · crane up",
    ]


def test_another_seed_another_format_and_another_model_are_told() -> None:
    assert _captions(
        _job(0, "A lighthouse.", LIGHTHOUSE, seed=1),
        _job(1, "A lighthouse.", LIGHTHOUSE, seed=2),
        _job(2, "A lighthouse.", LIGHTHOUSE, seed=1, width=480, height=832),
        _job(3, "A lighthouse.", LIGHTHOUSE, seed=1, engine="diffusers", model="owner/wan-small"),
    ) == [
        "old lighthouse",
        "old lighthouse · seed 2",
        "old lighthouse · 480×832",
        "old lighthouse · wan-small",
    ]


def test_texts_of_one_scene_are_told_by_the_words_in_which_they_depart() -> None:
    one, other = _captions(
        _job(0, "From a boat, an old lighthouse in a storm.", LIGHTHOUSE),
        _job(1, "From a boat, an old lighthouse leans over us.", LIGHTHOUSE, "From a boat, an old "
             "lighthouse in a storm."),
    )  # fmt: skip
    assert one == "old lighthouse · original"
    assert other == "old lighthouse · leans over us"


def test_two_ideas_of_one_session_are_originals_both() -> None:
    fox = Scene(subject="a fox", setting="snow")
    jobs = [_job(0, "A lighthouse.", LIGHTHOUSE), _job(1, "A fox in the snow.", fox)]
    assert _captions(*jobs) == ["old lighthouse", "fox"]


def test_parents_in_a_circle_end() -> None:
    jobs = [_job(0, "One.", LIGHTHOUSE, "Two."), _job(1, "Two.", LIGHTHOUSE, "One.")]
    assert all(_captions(*jobs))


def test_a_segment_of_a_rollout_is_told_by_its_place() -> None:
    again = {"rollout": {"start": 0, "of": "j_a"}}
    assert _captions(
        _job(0, "A lighthouse.", LIGHTHOUSE, fps=16),
        _job(1, "A lighthouse.", LIGHTHOUSE, fps=16, options=again),
        _job(2, "A lighthouse.", LIGHTHOUSE, fps=16, options={"rollout": {"start": 24}}),
    ) == ["old lighthouse", "old lighthouse · made again", "old lighthouse · from 1.5 s"]
