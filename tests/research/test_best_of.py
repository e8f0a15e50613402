"""Best-of-N: the best by its critics are rendered whole, whatever dies on the way, and nothing twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from tests.live_server import ROOT, end_supervisor
from tests.research.conftest import SMALL
from workbench.errors import InvalidRequest
from workbench.jobs.client.manager import JobManager
from workbench.jobs.model import Job, JobState
from workbench.research.best_of import BestOf, best_of, seconds_of

PROMPT = "A red kite flies over a beach."
ASKED: dict[str, Any] = {
    **SMALL,
    "critics": ["sharpness"],
    "draft": {"width": 64, "height": 64},
}

DRIVER = """
import os, signal, sys
import workbench as wb
from workbench.research.best_of_plan import Plan

write, saves = Plan.write, 0

def dying(plan, path):
    # Passes once: when the plan is opened. Then one step is kept, and the next dies undone.
    global saves
    saves += 1
    if saves == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    write(plan, path)

if sys.argv[1] == "dying":
    Plan.write = dying
run = wb.best_of(
    "A red kite flies over a beach.", n=4, keep=1, critics=["sharpness"], name="killed",
    num_frames=5, width=96, height=64, fps=24, draft={"width": 64, "height": 64},
)
run.follow()
"""


@pytest.fixture
def outputs(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "outputs"
    yield folder
    end_supervisor(folder)


def _quiet(_line: str) -> None:
    """Say nothing."""


def _run(studio: wb.Studio, **asked: Any) -> BestOf:
    return best_of(PROMPT, using=studio, **{**ASKED, **asked}).follow(_quiet)


def _sharpness(job: Job) -> float:
    assert job.scores is not None
    return job.scores["sharpness"]


def test_the_best_drafts_are_rendered_whole_and_the_rest_say_why_not(studio: wb.Studio) -> None:
    run = _run(studio, n=5, keep=2, name="whole", seed=11)
    assert run.is_done
    assert [video.job.request.width for video in run.winners] == [96, 96]
    rows = run.report()
    assert [row["rounds"] for row in rows] == [2, 2, 1, 1, 1]
    assert [bool(row["dropped"]) for row in rows] == [False, False, True, True, True]
    assert "in round 1: sharpness" in rows[-1]["dropped"]
    kept = {row["candidate"] for row in rows[:2]}
    values = {row["candidate"]: row["values"]["sharpness"] for row in rows}
    assert min(values[c] for c in kept) >= max(values[c] for c in values.keys() - kept)
    assert {video.job.request.seed for video in run.winners} == {11 + c for c in kept}


def test_a_run_that_is_done_renders_nothing_when_repeated(studio: wb.Studio) -> None:
    first = _run(studio, n=3, keep=1, name="again")
    before = studio.jobs.jobs(limit=1).total
    second = _run(studio, n=3, keep=1, name="again")
    assert studio.jobs.jobs(limit=1).total == before
    assert second.winners == first.winners


def test_half_survive_each_round_where_steps_grow(studio: wb.Studio) -> None:
    run = _run(
        studio, n=4, keep=1, name="steps", num_inference_steps=40,
        draft={"width": 64, "height": 64, "num_inference_steps": 10},
    )  # fmt: skip
    assert sorted(row["rounds"] for row in run.report()) == [1, 1, 2, 3]
    steps = {job.request.num_inference_steps for job in run.jobs(run.job_ids)}
    assert steps == {10, 20, 40}


def test_a_budget_bounds_the_drafts_and_always_leaves_a_whole_render(studio: wb.Studio) -> None:
    run = _run(studio, n=9, keep=3, name="poor", budget=0.0001)
    rows = run.report()
    unrendered = [row for row in rows if "budget is spent" in row["dropped"]]
    assert len(unrendered) == 7  # five drafts, and two of the three survivors
    assert len(run.winners) == 1


def test_drafts_that_fail_are_dropped_with_their_reason(studio: wb.Studio) -> None:
    run = best_of(PROMPT, n=2, keep=1, name="doomed", using=studio, **ASKED)
    studio.jobs.pause()
    try:
        driver = threading.Thread(target=run.follow, args=(_quiet,))
        driver.start()
        queued = _until(lambda: studio.jobs.jobs(state=JobState.QUEUED, limit=10).jobs, 2)
        studio.jobs.cancel(min(queued, key=lambda job: job.position).job_id)
    finally:
        studio.jobs.resume()
    driver.join()
    rows = {row["candidate"]: row for row in run.report()}
    assert rows[0]["dropped"].startswith("no video in round 1")
    assert [video.job.request.seed for video in run.winners] == [2]


def _until(look: Any, count: int) -> Any:
    limit = time.monotonic() + 120
    while len(found := look()) < count:
        assert time.monotonic() < limit
        time.sleep(0.02)
    return found


def test_votes_decide_which_critics_count(studio: wb.Studio) -> None:
    asked = {"n": 4, "keep": 1, "name": "votes", "critics": ["sharpness", "exposure"]}
    run = _run(studio, **asked)
    values = {row["candidate"]: row["values"] for row in run.report()}
    order = sorted(values, key=lambda c: values[c]["exposure"])
    for worse, better in pairwise(order):
        run.prefer(better, worse)
    by_critic = {one.critic: one for one in run.agreement()}
    assert by_critic["exposure"].foretold == 1
    assert by_critic["exposure"].of == 3
    assert by_critic["exposure"].low < 0.75  # three votes prove little


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"n": 0}, "n"),
        ({"n": 10_000}, "n"),
        ({"keep": 9}, "keep"),
        ({"critics": ["beauty"]}, "critics"),
        ({"critics": []}, "critics"),
        ({"budget": "a lot"}, "budget"),
        ({"budget": -1}, "budget"),
        ({"draft": {"colour": 1}}, "draft"),
        ({"width": 3}, "parameters"),
    ],
)
def test_what_is_wrong_is_named_before_anything_renders(
    studio: wb.Studio, asked: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        best_of(PROMPT, using=studio, **{**ASKED, "n": 4, "keep": 1, "name": "bad", **asked})
    assert field in {problem.field for problem in caught.value.problems}
    assert not list((studio.settings.outputs / "runs").glob("bad-*"))


def test_a_budget_is_read_with_its_unit() -> None:
    told = {"20 GPU-min": 1200.0, "90 s": 90.0, "1.5h": 5400.0, "2 min": 120.0}
    assert {text: seconds_of(text) for text in told} == told
    assert seconds_of(30) == 30.0


def test_a_kill_at_every_step_renders_nothing_twice(outputs: Path) -> None:
    environment = {**os.environ, "WORKBENCH_OUTPUTS": str(outputs)}
    ends = []
    for how in (*["dying"] * 12, "living"):
        command = [sys.executable, "-c", DRIVER, how]
        ends.append(subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode)
        if ends[-1] == 0:
            break
    assert ends[-1] == 0
    assert ends.count(-signal.SIGKILL) >= 3  # after planning, after each batch, after judging
    manager = JobManager(wb.Settings(outputs=outputs))
    page = manager.jobs(limit=100)
    manager.close()
    assert page.total == 5  # four drafts and one whole, although batches were queued and not noted
    assert {(job.state, job.attempt) for job in page.jobs} == {(JobState.COMPLETE, 1)}
    assert sorted(job.request.width or 0 for job in page.jobs) == [64, 64, 64, 64, 96]
    assert len(list((outputs / "runs").iterdir())) == 1
